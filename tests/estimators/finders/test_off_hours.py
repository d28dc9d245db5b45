"""Hours at which workloads of development need not run, and those that only seem quiet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.comparison import Revision, compare
from estimators.finders.off_hours import off_hours
from estimators.objects import ManifestObject
from estimators.recommend import recommend
from estimators.recommendation import FieldChange, Found, Reason
from estimators.recommendation_terms import DEVELOPMENT, PRODUCTION, Profile, Terms
from estimators.report import Row, Verdict
from estimators.rules.uptime import minute_of_week, works
from estimators.uptime import PATH, WEEK_MINUTES, read_uptime
from estimators.usage import GpuUsage, Series, WorkloadUsage
from tests.recommendation_builders import STEPS, cluster, hours, identity, left, usage
from tests.usage_builders import window
from tests.yaml_objects import autoscaler, deployment, objects

CONTROLLER = {
    "kind": "Deployment",
    "metadata": {"name": "py-kube-downscaler", "namespace": "tools"},
    "spec": {"replicas": 1},
}
DAY = hours() % 24
WEEKDAY = hours() // 24 % 7
"""The window begins on a Monday."""
OFFICE = np.where((DAY >= 7) & (DAY < 17) & (WEEKDAY < 5), 0.6, 0.01)
ANNOTATED = deployment().replace("labels:", "annotations: {NAME: VALUE}, labels:", 1)


def resting(text: str, known: WorkloadUsage, *, profile: Profile = DEVELOPMENT, live: bool = True) -> Found:
    """What the finder says of one workload."""
    there = cluster(known, live=[CONTROLLER] if live else ())
    return recommend(objects(text), lambda _name: there, lambda _name: Terms(profile), finders=(off_hours,))


def annotated(hours_of_week: str) -> str:
    """The Deployment with hours."""
    return ANNOTATED.replace("NAME", "downscaler/uptime").replace("VALUE", f'"{hours_of_week}"')


def row(before: str, after: str, known: WorkloadUsage, *, live: bool = True) -> Row:
    """The one row of a change."""
    there = cluster(known, live=[CONTROLLER] if live else ())
    old, new = (Revision(name, objects(text)) for name, text in (("old", before), ("new", after)))
    [found] = compare(old, new, lambda _environment: there).rows
    return found


def test_what_works_in_office_hours_is_off_at_night_and_at_weekends() -> None:
    """Ten hours of five days, and one to spare on either side: 60 of 168 hours are paid."""
    [one] = resting(deployment(), usage(cpu=OFFICE)).recommendations
    whole = row(deployment(), deployment(replicas=0), usage(cpu=OFFICE)).change.expected

    assert one.changes == (FieldChange(identity(), PATH, "", "", "Mon-Fri 06:00-18:00 UTC"),)
    assert float(one.allocated) == pytest.approx(float(whole) * 108 / 168)
    assert one.realisable.monthly is None
    assert one.verdict is Verdict.SAFE
    assert one.evidence["runs"] == "60 of 168 hours a week"


@pytest.mark.parametrize(
    ("busy", "said"),
    [
        ((DAY >= 7) & (DAY < 17), "Mon-Sun 06:00-18:00 UTC"),
        ((WEEKDAY < 5), "Mon-Fri 00:00-24:00 UTC"),
        (((DAY >= 15) | (DAY < 1)) & (WEEKDAY < 5), "Mon-Fri 00:00-02:00 UTC,Mon-Fri 14:00-24:00 UTC"),
        ((DAY >= 7) & (DAY < 17) & ((WEEKDAY < 5) | (hours() > 300)), "Mon-Sun 06:00-18:00 UTC"),
        ((DAY >= 15.9) & (DAY < 16) & (hours() < 24), "Mon-Fri 14:00-17:00 UTC"),
        ((DAY >= 1) & (DAY < 22), ""),
        (DAY >= 0, ""),
        (DAY < 0, ""),
    ],
    ids=[
        "weekends too",
        "day and night",
        "past midnight",
        "one weekend",
        "once",
        "long days",
        "always",
        "never",
    ],
)
def test_the_hours_hold_all_that_was_ever_done(busy: Series, said: str) -> None:
    """What is off less than a quarter of the week, or at rest all the time, is not for this finder."""
    answer = resting(deployment(), usage(cpu=np.where(busy, 0.6, 0.0)))

    assert [item.changes[0].proposed for item in answer.recommendations] == ([said] if said else [])


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        (deployment(), PRODUCTION),
        (deployment() + "---" + autoscaler(), DEVELOPMENT),
        (deployment(kind="StatefulSet"), DEVELOPMENT),
        (annotated("Mon-Fri 07:00-19:00 Europe/Berlin"), DEVELOPMENT),
        (ANNOTATED.replace("NAME", "downscaler/exclude").replace("VALUE", '"true"'), DEVELOPMENT),
        (deployment(replicas=0), DEVELOPMENT),
    ],
    ids=["production", "autoscaled", "members", "has hours", "excluded", "off"],
)
def test_others_run_on(text: str, profile: Profile) -> None:
    """Neither production, nor what something else switches."""
    kind = "StatefulSet" if "StatefulSet" in text else "Deployment"

    assert resting(text, usage(cpu=OFFICE, kind=kind), profile=profile).recommendations == ()


def test_where_nothing_would_switch_it_off_the_hours_are_told_alone() -> None:
    """An annotation without its controller does nothing."""
    answer = resting(deployment(), usage(cpu=OFFICE), live=False)

    assert answer.recommendations == ()
    assert left(answer, Reason.NO_SCHEDULER).facts == {
        "runs": "60 of 168 hours a week",
        "hours": "Mon-Fri 06:00-18:00 UTC",
    }


def test_what_is_younger_than_the_window_rested_before_it_was_there() -> None:
    """Three weeks of five."""
    young = np.concatenate([np.full(STEPS, np.nan), OFFICE, OFFICE[: STEPS // 2]])
    there = np.where(np.isnan(young), np.nan, 2.0)
    known = usage(cpu=young, memory=there * 2**27, replicas=there, steps=young.size)
    [one] = resting(deployment(), known).recommendations

    assert one.changes[0].proposed == "Mon-Fri 06:00-18:00 UTC"


def test_a_night_that_nobody_saw_is_not_a_quiet_one() -> None:
    """A gap in one night of fourteen keeps that hour on; so does a GPU that works."""
    gap = np.where((hours() >= 50) & (hours() < 51), np.nan, OFFICE)
    gpu = GpuUsage(np.where((DAY >= 2) & (DAY < 3), 0.5, 0.0), np.full(STEPS, 1.0))

    for known in (usage(cpu=gap), usage(cpu=OFFICE, gpu=gpu)):
        [one] = resting(deployment(), known).recommendations
        assert one.changes[0].proposed.split()[1].startswith("01:00-")


@pytest.mark.parametrize(
    ("said", "verdict", "share"),
    [
        ("Mon-Fri 06:00-18:00 UTC", Verdict.SAFE, 60),
        ("Mon-Fri 08:00-18:00 UTC", Verdict.RISKY, 50),
        ("Mon-Thu 06:00-18:00 UTC", Verdict.RISKY, 48),
        ("Mon-Fri 06:00-18:00 Europe/Berlin", Verdict.CAUTION, 60),
    ],
    ids=["rests", "works from seven", "works on Fridays", "another time zone"],
)
def test_a_pull_request_with_hours_is_judged_by_the_same_history(
    said: str, verdict: Verdict, share: int
) -> None:
    """And costs what its hours cost."""
    found = row(deployment(), annotated(said), usage(cpu=OFFICE))

    assert found.verdict is verdict
    assert [item.label for item in found.changes] == ["hours it runs"]
    assert found.before is not None
    assert found.after is not None
    assert float(found.after.replicas.count.expected) == pytest.approx(2 * share / 168)
    assert found.after.replicas.count.floor == 0


@pytest.mark.parametrize(
    "said", ["Mon-Fri 06:00-18:00", "weekdays", "Mon-Fri 25:00 UTC", "Xyz-Fri 06:00-18:00 UTC"]
)
def test_hours_that_cannot_be_read_change_no_price(said: str) -> None:
    """Nor do those that no controller keeps."""
    before, after = objects(deployment()), objects(annotated(said))
    for live, text in ((True, after), (False, objects(annotated("never")))):
        there = cluster(usage(cpu=OFFICE), live=[CONTROLLER] if live else ())
        assert _cost(before, there) == _cost(text, there)


def _cost(things: list[ManifestObject], there: object) -> object:
    old, new = Revision("none", []), Revision("some", things)
    [found] = compare(old, new, lambda _environment: there).rows  # type: ignore[arg-type, return-value]
    return found.change


@pytest.mark.parametrize(
    ("said", "hours_a_week"),
    [
        ("always", 168),
        ("never", 0),
        ("Sun-Mon 10:00-12:30 UTC", 5),
        ("mon-fri 00:00-24:00 Europe/Berlin", 120),
        ("Mon-Fri 08:00-12:00 UTC, Mon-Fri 10:00-14:00 UTC", 30),
        ("Mon-Sun 20:00-08:00 UTC", 0),
    ],
)
def test_hours_are_read_as_kube_downscaler_reads_them(said: str, hours_a_week: float) -> None:
    """Weekdays may go around the week, hours may not go around midnight."""
    found = read_uptime(said)

    assert found is not None
    assert found.hours == hours_a_week


@given(st.lists(st.tuples(st.integers(0, 13), st.integers(0, 23), st.booleans()), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_no_hour_with_work_is_ever_switched_off(spells: list[tuple[int, int, bool]]) -> None:
    """Whatever happened on whatever days, and whether it was seen or not."""
    cpu = np.zeros(STEPS)
    for day, hour, seen in spells:
        cpu[(day * 24 + hour) * 12 + 5] = 0.5 if seen else np.nan
    known = usage(cpu=cpu)
    for one in resting(deployment(), known).recommendations:
        uptime = read_uptime(one.changes[0].proposed)
        assert uptime is not None
        assert uptime.minutes[minute_of_week(window())[works(known)]].all()
        assert uptime.minutes.size == WEEK_MINUTES
        assert one.verdict is not Verdict.RISKY
