"""A default branch on GitHub against a real Prometheus, looked at in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.records import Records
from bot.composition.processes import Processes
from bot.composition.savings import Savings
from bot.entrypoints.savings_jobs import Steps
from bot.errors import GitHubRefused
from bot.recommendation_json import left_alone_from, recommendation_from
from bot.recommendation_records import POLICY, RecommendationDecision
from bot.server_config import Automation, ServerConfig, Team
from bot.settings import GitHubSettings, PrometheusSettings, Settings, from_env
from estimators.recommendation import Reason
from estimators.report import Confidence
from tests.github.model import Repository
from tests.github.service import GitHub, github
from tests.savings_past import DAYS, FILES, deployment, half_a_month

AUTOMATION = Automation(("*",), ("cpu-request", "memory-request"), None, Confidence.HIGH)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What Prometheus knows."""
    with half_a_month(tmp_path_factory.mktemp("prometheus")) as address:
        yield address


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHub]:
    """The test ends with an error if GitHub would not have taken what we sent."""
    with github(tmp_path / "github") as running:
        yield running
    running.assert_clean()


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    """With a database and a cache of its own."""
    database = f"sqlite:///{tmp_path / 'tuppence.db'}"
    given = {"PROMETHEUS_URL": url, "TUPPENCE_DATABASE_URL": database, "XDG_CACHE_HOME": str(tmp_path)}
    return from_env(given)


@pytest.fixture
def records(settings: Settings) -> Iterator[Records]:
    """Nothing is kept yet."""
    with closing(Records(settings.database_url)) as store:
        store.prepare()
        yield store


class Looking:
    """What looks, and the only repository that there is."""

    def __init__(self, hub: GitHub, settings: Settings, records: Records, config: ServerConfig) -> None:
        app = GitHubSettings(hub.app_id, hub.private_key, ("secret",), hub.api_url, hub.clone_url)
        self._savings = Savings(
            settings, config, app, records, [], minted=lambda _: None, answered=lambda *_: None
        )
        self.steps: Steps = self._savings.steps(_never, _never)
        self.check_stale, self.stop = self._savings.check_stale, self._savings.stop

    @property
    def place(self) -> dict[str, Any]:
        """The only one that is installed."""
        [place] = self.steps.installed()
        return place


@pytest.fixture
def looking(hub: GitHub, settings: Settings, records: Records) -> Iterator[Looking]:
    """Payments owns its namespace; what history is sure of is automatic."""
    config = ServerConfig(teams=(Team("payments", ("payments",)),), automation=(AUTOMATION,))
    found = Looking(hub, settings, records, config)
    yield found
    found.stop()


def _never(*told: object) -> Any:  # noqa: ANN401 - as a step
    raise AssertionError(f"nothing is to be opened here: {told}")


def shop(hub: GitHub, name: str = "acme/shop") -> Repository:
    """A repository that the App is installed on."""
    repository = hub.people.repository(name, FILES)
    hub.people.install(repository.owner, repository)
    return repository


def test_a_branch_is_fetched_and_judged_by_what_prometheus_knows(
    hub: GitHub, looking: Looking, records: Records
) -> None:
    """What asks for too much is found, what fits is not mentioned, what nobody saw is left alone."""
    shop(hub)
    scanned = looking.steps.scan(looking.place)

    assert scanned == {"objects": 3, "found": 1, "left_alone": 1, "problems": 0}
    [one] = records.recommendations.open_ones()
    recommendation = recommendation_from(one.recommendation)
    assert (one.name, one.finder, one.team, one.cluster) == (
        "api",
        "container-resources",
        "checkout",
        "default",
    )
    assert recommendation.confidence is Confidence.HIGH
    assert recommendation.evidence["CPU window"].startswith(f"{DAYS} days")
    assert recommendation.source.file == "apps/api.yaml"
    [scan] = records.recommendations.scans()
    [left] = [left_alone_from(row) for row in scan.left_alone["rows"]]
    assert (left.key.name, left.reason) == ("new", Reason.NOT_SEEN)


def test_what_the_configuration_covers_is_due_after_the_scan(
    hub: GitHub, looking: Looking, records: Records
) -> None:
    """By the policy, in the turn of its workload; nothing of it is open yet."""
    shop(hub)
    place = looking.place
    looking.steps.scan(place)
    [one] = records.recommendations.open_ones()

    assert looking.steps.due(place) == [one.id]
    assert looking.steps.subject_of(one.id) == one.subject
    assert looking.steps.open_subjects(place) == []
    assert records.recommendation_decisions.of([one.id])[one.id].actor == POLICY


def test_what_somebody_has_lowered_by_the_next_day_is_no_longer_open(
    hub: GitHub, looking: Looking, records: Records
) -> None:
    """The newest commit is what counts, whoever pushed it."""
    repository = shop(hub)
    looking.steps.scan(looking.place)
    hub.people.push(repository, {"apps/api.yaml": deployment()})

    assert looking.steps.scan(looking.place)["found"] == 0
    assert records.recommendations.open_ones() == ()


def test_a_click_asks_the_cluster_what_runs(hub: GitHub, looking: Looking, records: Records) -> None:
    """The branch still says what was measured, and the pods have two cores: somebody changed them by hand."""
    repository = shop(hub)
    looking.steps.scan(looking.place)
    [kept] = records.recommendations.open_ones()
    assert looking.check_stale(kept) == ""

    hub.people.push(repository, {"apps/api.yaml": deployment(cpu="3", memory="2Gi")})
    told = json.loads(json.dumps(kept.recommendation).replace('"2"', '"3"'))
    different = looking.check_stale(replace(kept, recommendation=told))
    assert different.endswith("requests.cpu is 2 in the cluster by now, not 3")

    assert looking.steps.scan(looking.place)["found"] == 0
    [scan] = records.recommendations.scans()
    lefts = [left_alone_from(row) for row in scan.left_alone["rows"]]
    assert {(left.key.name, left.reason) for left in lefts} == {
        ("api", Reason.NOT_AS_DECLARED),
        ("new", Reason.NOT_SEEN),
    }


def test_a_pull_request_is_opened_once_and_closed_when_it_is_no_longer_true(
    hub: GitHub, looking: Looking, records: Records
) -> None:
    """Somebody lowers the request by hand: the click would be told so, and the pull request goes."""
    repository = shop(hub)
    place = looking.place
    looking.steps.scan(place)
    [one] = looking.steps.due(place)
    [kept] = records.recommendations.open_ones()

    opened = looking.steps.open_pull(one)
    assert opened == looking.steps.open_pull(one)
    [pull] = repository.pulls.values()
    assert opened is not None
    assert (opened["state"], pull.state) == ("opened", "open")
    assert looking.steps.due(place) == []
    assert looking.steps.open_subjects(place) == [kept.subject]
    assert looking.steps.upkeep(place, kept.subject) is None
    assert looking.check_stale(kept) == ""

    hub.people.push(repository, {"apps/api.yaml": deployment()})
    looking.steps.scan(place)
    assert "is 500m by now, not 2" in looking.check_stale(kept)
    closed = looking.steps.upkeep(place, kept.subject)
    assert closed is not None
    assert (closed["id"], closed["state"], pull.state) == (one, "closed", "closed")
    assert looking.steps.upkeep(place, kept.subject) is None
    assert looking.steps.open_subjects(place) == []
    with records.audit.chain() as (_, rows):
        actions = [row.action for row in rows]
    assert actions == ["recommendation.approve", "right-size.opened", "right-size.closed"]


def test_what_nobody_approved_opens_nothing(hub: GitHub, looking: Looking, records: Records) -> None:
    """Whoever asks for it."""
    repository = shop(hub)
    looking.steps.scan(looking.place)
    [kept] = records.recommendations.open_ones()

    assert [looking.steps.open_pull(one) for one in (kept.id, "made-up")] == [None, None]
    assert not repository.pulls


def test_what_somebody_rejected_opens_nothing(hub: GitHub, looking: Looking, records: Records) -> None:
    """Whatever has started the work."""
    repository = shop(hub)
    looking.steps.scan(looking.place)
    [kept] = records.recommendations.open_ones()
    rejection = RecommendationDecision(
        id=kept.id, repository=kept.repository, subject=kept.subject, finder=kept.finder, decision="reject",
        actor="slack/T1/U1", said="Ann", reason="not now", about="", at=datetime.now(UTC),
    )  # fmt: skip
    records.recommendation_decisions.decide(rejection)

    assert looking.steps.open_pull(kept.id) is None
    assert not repository.pulls


def test_repositories_that_the_configuration_does_not_name_are_not_looked_at(
    hub: GitHub, settings: Settings, records: Records
) -> None:
    """The others are."""
    shop(hub)
    hub.people.install(hub.people.repository("globex/web", FILES).owner)
    some = Looking(hub, settings, records, ServerConfig(repositories=("globex/*",)))
    try:
        assert some.place["repository"]["name"] == "web"
    finally:
        some.stop()


@pytest.mark.parametrize("how", ["archived", "uninstalled", "not named"])
def test_what_was_found_in_a_repository_that_is_gone_is_not_proposed(
    hub: GitHub, looking: Looking, settings: Settings, records: Records, how: str
) -> None:
    """Nor is a pull request opened for it; whatever else is installed stays."""
    repository = shop(hub)
    web = hub.people.repository("globex/web", FILES)
    hub.people.install(web.owner)
    for place in looking.steps.installed():
        looking.steps.scan(place)
    assert {one.repository for one in records.recommendations.open_ones()} == {repository.id, web.id}
    named = Looking(hub, settings, records, ServerConfig(repositories=("globex/*",)))
    try:
        if how == "archived":
            repository.archived = True
        elif how == "uninstalled":
            installation = hub.world.installation_of(repository)
            assert installation is not None
            hub.people.uninstall(installation)
        (named if how == "not named" else looking).steps.installed()
    finally:
        named.stop()
    assert {one.repository for one in records.recommendations.open_ones()} == {web.id}
    assert [scan.full_name for scan in records.recommendations.scans()] == ["globex/web"]


def test_a_branch_that_github_does_not_give_is_an_error_of_the_outside(
    hub: GitHub, looking: Looking, records: Records
) -> None:
    """It travels from the process, and is remembered of a repository that nobody has seen."""
    shop(hub)
    place = looking.place
    gone = {**place, "repository": {**place["repository"], "name": "gone"}}
    with pytest.raises(GitHubRefused):
        looking.steps.scan(gone)
    [unseen] = records.recommendations.scans()
    assert (unseen.head_sha, unseen.problems["rows"]) == (
        "",
        ["it could not be looked at yet, the log says why"],
    )
    looking.steps.scan(place)
    [seen] = records.recommendations.scans()
    assert (seen.head_sha != "", seen.problems["rows"]) == (True, [])
    with pytest.raises(GitHubRefused):
        looking.steps.scan(gone)
    assert records.recommendations.scans() == (seen,)


def test_a_mistake_of_ours_is_remembered_as_a_look(
    hub: GitHub, looking: Looking, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository without any is taken for one that came back, and looked at each hour."""
    shop(hub)

    def fail(*_: object) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr(Processes, "call", fail)
    with pytest.raises(ValueError, match="a mistake"):
        looking.steps.scan(looking.place)
    [unseen] = records.recommendations.scans()
    assert unseen.head_sha == ""
    assert looking.steps.seen() == [unseen.repository]


def test_a_push_counts_where_savings_are_looked_for(
    hub: GitHub, looking: Looking, settings: Settings, records: Records
) -> None:
    """By the files in which they were found; the next hour begins when this one ends."""
    shop(hub)
    place = looking.place
    assert looking.steps.pushed(place, ["apps/api.yaml"]) is None
    looking.steps.scan(place)
    assert looking.steps.pushed(place, ["README.md"]) is None
    told = looking.steps.pushed(place, ["apps/api.yaml"])
    assert told is not None
    hour = datetime.strptime(told["next"], "%Y-%m-%dT%H").replace(tzinfo=UTC)
    assert 0 <= hour.timestamp() - told["seconds"] - datetime.now(UTC).timestamp() + 60 <= 60
    assert f"{hour - timedelta(hours=1):%Y-%m-%dT%H}" == told["hour"]

    for given, config in (
        (settings, ServerConfig(repositories=("globex/*",))),
        (replace(settings, prometheus=PrometheusSettings()), ServerConfig()),
    ):
        elsewhere = Looking(hub, given, records, config)
        assert elsewhere.steps.pushed(place, None) is None
        elsewhere.stop()
