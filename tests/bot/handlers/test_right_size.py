"""From an approval to one pull request that stays true: on a real git, over HTTP, with our real records."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.adapters.git_cache import GitCache
from bot.adapters.github_branches import GitHubBranches
from bot.adapters.records import Records
from bot.errors import GitHubUnavailable
from bot.handlers.right_size import Became, RightSizingPorts, branch_of, open_pull, upkeep
from bot.manifests.render import make_renderer
from bot.recommendation_json import left_alone_json, place_json, recommendation_json
from bot.recommendation_records import KeptRecommendation, RightSizingPull, Scan, id_of, subject_of
from estimators.objects import Identity, Source
from estimators.recommendation import FieldChange, LeftAlone, Realisable, Reason, Recommendation
from estimators.report import Confidence, Verdict
from tests.adapters.right_sizing_places import Bench
from tests.github.faults import Kind
from tests.github.model import Pull
from tests.github.service import github
from tests.right_size_samples import decision
from tests.yaml_objects import deployment

NOW = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)
FILE = "k8s/prod/api.yaml"
KEY = Identity("", "payments", "Deployment", "api")
CPU = ("spec", "template", "spec", "containers", 0, "resources", "requests", "cpu")


def cpu(proposed: str = "500m", current: str = "2") -> FieldChange:
    """Less CPU for the container."""
    return FieldChange(KEY, CPU, "main", current, proposed)


def found(*changes: FieldChange, finder: str = "container-resources") -> Recommendation:
    """What the scan proposes."""
    return Recommendation(
        finder=finder, environment="", key=KEY, source=Source(FILE, 1), changes=changes,
        allocated=Decimal(-40), realisable=Realisable(None, "not known here"), evidence={},
        confidence=Confidence.HIGH, verdict=Verdict.SAFE, blast_radius="", risks=(), undo="Put it back.",
    )  # fmt: skip


@dataclass
class Work:
    """A repository with one workload, our records, and the ports to it."""

    bench: Bench
    records: Records
    ports: RightSizingPorts
    at: datetime = NOW

    def scanned(self, *recommendations: Recommendation) -> list[KeptRecommendation]:
        """The newest scan finds these."""
        self.at += timedelta(days=1)
        repository = self.bench.repository.id
        left = LeftAlone("", KEY, Reason.MEMORY_GROWS, "container-resources", {"a_day": "90 MiB"})
        scan = Scan(
            repository=repository,
            full_name="acme/shop",
            head_sha="",
            at=self.at,
            left_alone={"rows": [{**left_alone_json(left), "team": ""}]},
            problems={"rows": []},
            realisable={},
        )
        rows = [
            KeptRecommendation(
                id=id_of(repository, one), subject=subject_of(repository, one.key), repository=repository,
                place=place_json(self.bench.place), head_sha="", environment="", namespace=one.key.namespace,
                kind=one.key.kind, name=one.key.name, finder=one.finder, team="", cluster="",
                recommendation=recommendation_json(one), open=True, found_at=self.at,
            )
            for one in recommendations
        ]  # fmt: skip
        self.records.recommendations.replace(scan, rows)
        return rows

    def open(self, kept: KeptRecommendation) -> Became:
        """Ann has approved it."""
        kept = self.records.recommendations.find(kept.id) or kept
        return open_pull(kept, decision(), ports=self.ports, currency="USD", now=self.at)

    def opened(self, recommendation: Recommendation | None = None) -> KeptRecommendation:
        """One that is open by now."""
        (kept,) = self.scanned(recommendation or found(cpu()))
        assert self.open(kept).state == "opened"
        return kept

    def upkeep(self) -> Became | None:
        """The day after."""
        return upkeep(
            self.bench.place, self.row, decision(), ports=self.ports, currency="USD", now=self.at
        )  # fmt: skip

    def push(self, text: str, branch: str = "main") -> None:
        """Somebody pushes another content of the file."""
        self.bench.hub.people.push(self.bench.repository, {FILE: text}, branch=branch, author="ann")

    @property
    def row(self) -> RightSizingPull:
        """What we remember of it."""
        repository = self.bench.repository.id
        row = self.records.right_sizing.find(repository, subject_of(repository, KEY))
        assert row is not None
        return row

    @property
    def pull(self) -> Pull:
        """The one pull request."""
        (pull,) = self.bench.repository.pulls.values()
        return pull

    @property
    def text(self) -> str:
        """What the file says on its branch."""
        git = self.bench.repository.git
        return git.git("cat-file", "blob", f"{self.pull.head_ref}:{FILE}").decode()

    def said(self) -> str:
        """Our comments on it."""
        return "\n".join(one.body for one in self.bench.hub.comments(self.bench.repository, self.pull))


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """The test ends with an error if GitHub would not have taken what we sent."""
    with github(tmp_path / "github") as hub, closing(Records(f"sqlite:///{tmp_path}/records.db")) as records:
        records.prepare()
        bench = Bench.on(hub)
        hub.people.push(bench.repository, {FILE: deployment(cpu="2", memory="2Gi")})
        ports = RightSizingPorts(
            branches=GitHubBranches(bench.tokens, GitCache(tmp_path / "clones"), clone_base=hub.clone_url),
            right_sizing=bench.ours,
            pulls=records.right_sizing,
            recommendations=records.recommendations,
            policies=records.policies,
            render=make_renderer(),
            web="https://git.example",
        )
        yield Work(bench, records, ports)
    hub.assert_clean()


def test_an_approval_becomes_one_pull_request(work: Work) -> None:
    """The value stands where it came from, and nothing else has moved."""
    (kept,) = work.scanned(found(cpu()))
    became = work.open(kept)
    pull, row = work.pull, work.row
    assert became == Became(kept.id, "opened", address=row.address)
    assert pull.title == "Right-size payments/api: CPU request 2 → 500m"
    assert pull.head_ref == branch_of(kept) == row.branch
    assert (row.number, row.state, row.id, row.head_sha) == (1, "open", kept.id, pull.head_sha)
    assert work.text == deployment(cpu="2", memory="2Gi").replace("cpu: 2,", "cpu: 500m,")
    assert pull.body is not None
    assert "Approved by Ann Smith on 23 November 2026" in pull.body
    assert "memory grows by 90 MiB a day" in pull.body
    assert "https://git.example/acme/shop/blob/" in pull.body


def test_doing_it_again_writes_nothing(work: Work) -> None:
    """Nor do several processes at once make a second one."""
    kept = work.opened()
    written = work.bench.writes()
    with ThreadPoolExecutor(4) as pool:
        assert {became.state for became in pool.map(lambda _: work.open(kept), range(4))} == {"opened"}
    assert (work.bench.writes(), len(work.bench.repository.pulls)) == (written, 1)


def test_several_processes_at_once_open_one(work: Work) -> None:
    """Whoever is first."""
    (kept,) = work.scanned(found(cpu()))
    with ThreadPoolExecutor(4) as pool:
        assert {became.state for became in pool.map(lambda _: work.open(kept), range(4))} == {"opened"}
    assert len(work.bench.hub.journal.of("pull.created")) == 1
    assert len(work.bench.hub.journal.of("branch.moved")) == 1
    assert work.row.number == 1


@pytest.mark.parametrize("kind", ["502", "reset"])
@pytest.mark.parametrize(
    "operation",
    [
        "POST /repos/{owner}/{repo}/git/commits",
        "POST /repos/{owner}/{repo}/git/refs",
        "POST /repos/{owner}/{repo}/pulls",
    ],
)
def test_what_was_broken_off_is_finished(work: Work, operation: str, kind: Kind) -> None:
    """As if nothing had been."""
    (kept,) = work.scanned(found(cpu()))
    work.bench.hub.fault(operation, kind)
    with pytest.raises(GitHubUnavailable):
        work.open(kept)
    assert work.open(kept).state == "opened"
    assert (len(work.bench.repository.pulls), work.row.number) == (1, 1)


def test_another_approval_for_the_workload_goes_into_the_same_pull_request(work: Work) -> None:
    """One branch and one pull request a workload."""
    work.opened()
    (deeper,) = work.scanned(found(cpu("250m")))
    assert work.open(deeper).state == "opened"
    assert (work.pull.title, work.row.id) == ("Right-size payments/api: CPU request 2 → 250m", deeper.id)
    assert "cpu: 250m" in work.text


@pytest.mark.parametrize(("how", "state"), [("close", "closed"), ("merge", "merged")])
def test_what_people_have_ended_is_not_opened_again(work: Work, how: str, state: str) -> None:
    """It is noted, and an approval that is older than that changes nothing."""
    kept = work.opened()
    getattr(work.bench.hub.people, how)(work.bench.repository, work.pull)
    became = work.upkeep()
    assert became == Became(kept.id, state, address=work.row.address)  # type: ignore[arg-type]
    assert (work.row.state, work.row.closed_because) == (state, "")
    assert work.open(kept).state == state
    assert len(work.bench.repository.pulls) == 1


def test_what_cannot_be_written_is_left_to_a_person(work: Work) -> None:
    """With what to change, and where; no branch is made."""
    (kept,) = work.scanned(found(replace(cpu(), path=(), current="", proposed="")))
    became = work.open(kept)
    assert became.state == "by-hand"
    assert became.why.startswith(f"remove Deployment payments/api ({FILE}:2)")
    assert work.bench.repository.pulls == {}


@pytest.mark.parametrize(
    ("now", "why"),
    [
        pytest.param(
            "3", "spec.template.spec.containers[0].resources.requests.cpu is 3 by now", id="another"
        ),
        pytest.param("500m", "the values are on the default branch already", id="the proposed one"),
    ],
)
def test_a_value_that_is_another_one_by_now_is_stale(work: Work, now: str, why: str) -> None:
    """The approval was for what stood there."""
    (kept,) = work.scanned(found(cpu()))
    work.push(deployment(cpu=now, memory="2Gi"))
    became = work.open(kept)
    assert became.state == "stale"
    assert why in became.why


def test_what_is_no_longer_proposed_is_stale(work: Work) -> None:
    """The scan came between the click and the work."""
    (kept,) = work.scanned(found(cpu()))
    work.scanned()
    assert work.open(kept).state == "stale"


def test_without_the_permission_it_is_said_what_to_grant_or_to_do(work: Work) -> None:
    """Everything else works without."""
    (kept,) = work.scanned(found(cpu()))
    work.bench.hub.world.installations[work.bench.place.installation].permissions["contents"] = "read"
    became = work.open(kept)
    assert became.state == "by-hand"
    assert "Contents: Read and write" in became.why
    assert became.why.endswith(f"can be written by hand, {FILE}:1 is where to begin")


def test_a_true_one_is_left_alone(work: Work) -> None:
    """Also where the value of today is a little another one, or the base has moved elsewhere."""
    work.opened()
    for today in (cpu("500m"), cpu("480m"), cpu("250m")):
        work.scanned(found(today))
        work.bench.hub.people.push(work.bench.repository, {"README.md": f"# {today.proposed}\n"})
        written = work.bench.writes()
        assert work.upkeep() is None
        assert work.bench.writes() == written
    assert work.pull.state == "open"


def test_a_base_that_moved_in_the_file_is_followed(work: Work) -> None:
    """The branch is written anew; the number stays."""
    work.opened()
    before = work.row
    work.push("# Ours\n" + deployment(cpu="2", memory="2Gi"))
    work.scanned(found(cpu()))
    assert work.upkeep() is None
    assert work.text.startswith("# Ours\n")
    assert "cpu: 500m" in work.text
    assert work.row == replace(before, head_sha=work.pull.head_sha)
    assert work.row.head_sha != before.head_sha


def test_a_branch_that_somebody_else_has_pushed_to_is_theirs(work: Work) -> None:
    """Nothing is written there, and the pull request stays open."""
    work.opened()
    work.push(work.text + "# mine\n", work.pull.head_ref)
    work.push("# Ours\n" + deployment(cpu="2", memory="2Gi"))
    written = work.bench.writes()
    assert work.upkeep() is None
    assert (work.bench.writes(), work.pull.state) == (written, "open")


@pytest.mark.parametrize("today", [[], [cpu("1500m")]], ids=["nothing", "far less deep"])
def test_what_the_facts_no_longer_allow_is_closed(work: Work, today: list[FieldChange]) -> None:
    """With the reason, once; the branch goes."""
    kept = work.opened()
    work.scanned(*([found(*today)] if today else []))
    became = work.upkeep()
    assert became is not None
    assert (became.id, became.state) == (kept.id, "closed")
    assert (work.pull.state, work.row.state) == ("closed", "closed")
    assert "no longer proposes it" in work.said()
    assert work.row.closed_because == became.why
    assert work.pull.head_ref not in work.bench.repository.git.branches()


@pytest.mark.parametrize(
    ("value", "reason"), [("500m", "on the default branch already"), ("3", "is 3 by now")]
)
def test_a_value_that_came_another_way_closes_it(work: Work, value: str, reason: str) -> None:
    """Whether it is the proposed one or not."""
    work.opened()
    work.push(deployment(cpu=value, memory="2Gi"))
    became = work.upkeep()
    assert became is not None
    assert (became.state, work.pull.state) == ("closed", "closed")
    assert reason in became.why
    assert "by now" in work.said() or "already" in work.said()


def test_a_closing_that_was_broken_off_is_ours_all_the_same(work: Work) -> None:
    """It is not taken for a person's, so the same may be opened again when the facts are back."""
    kept = work.opened()
    work.scanned()
    work.bench.hub.fault("DELETE /repos/{owner}/{repo}/git/refs/{ref}", "502")
    with pytest.raises(GitHubUnavailable):
        work.upkeep()
    assert work.pull.state == "closed"
    became = work.upkeep()
    assert became is not None
    assert (became.state, work.row.state) == ("closed", "closed")
    assert "no longer proposes it" in work.row.closed_because
    work.scanned(found(cpu()))
    assert work.open(kept).state == "opened"
    assert work.row.number == 2


@pytest.mark.parametrize(
    ("names", "branch"),
    [
        (("shop", "indexer"), "tuppence/right-size-shop-indexer-01234567"),
        (("", "..//~^:?*[\\"), "tuppence/right-size-workload-01234567"),
        (("a" * 90, "b"), f"tuppence/right-size-{'a' * 60}-01234567"),
    ],
)
def test_a_branch_has_a_name_that_git_takes(names: tuple[str, str], branch: str) -> None:
    """Whatever the workload is called."""
    namespace, name = names
    kept = KeptRecommendation(
        id="", subject="0123456789abcdef", repository=1, place={}, head_sha="", environment="",
        namespace=namespace, kind="", name=name, finder="", team="", cluster="", recommendation={},
        open=True, found_at=NOW,
    )  # fmt: skip
    assert branch_of(kept) == branch
