"""A default branch is scanned: what is worth approving is kept, and what is left alone with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bot.adapters.git_trees import open_trees
from bot.adapters.records import Records
from bot.adapters.usage_writer import write_snapshot
from bot.composition.live import FileHistory
from bot.composition.repository_prices import RepositoryPrices
from bot.errors import PrometheusUnavailable
from bot.github_events import Repository
from bot.handlers.find_savings import MOST_UNREAD, WINDOW_DAYS, Scanned, find_savings
from bot.manifests.render import make_renderer
from bot.ports import ClusterHistory
from bot.recommendation_json import left_alone_from, place_from, recommendation_from
from bot.recommendation_ports import Place
from bot.recommendation_records import KeptRecommendation, Scan, id_of, subject_of
from estimators.objects import Identity
from estimators.ownership import Owners, TeamRule
from estimators.recommendation import Reason
from estimators.usage import UsageSnapshot
from tests.end_to_end import repositories
from tests.recommendation_builders import DAYS, cluster, usage
from tests.usage_builders import snapshot
from tests.yaml_objects import deployment

PLACE = Place(3, Repository(7, "acme", "shop", "https://example/acme/shop.git", "main"))
AT = datetime(2026, 11, 16, 1, tzinfo=UTC)
LATER = datetime(2026, 11, 17, 1, tzinfo=UTC)
POLICY = """\
environments:
  - {name: production, paths: [production], cluster: main}
  - {name: staging, paths: [staging], cluster: other}
"""
OWNERS = Owners([TeamRule("checkout"), TeamRule("search", ("search-*",))])
LARGE = deployment(cpu="2", memory="2Gi")


class Clusters:
    """Histories by the names of clusters; one of them may be away."""

    def __init__(self, known: Mapping[str, UsageSnapshot | None], away: str = "-") -> None:
        self.known, self.away = known, away
        self.asked: list[tuple[str, frozenset[tuple[str, str, str]]]] = []

    def snapshot(
        self, touched: Collection[tuple[str, str, str]], _selector: Mapping[str, str], cluster: str
    ) -> UsageSnapshot | None:
        self.asked.append((cluster, frozenset(touched)))
        if cluster == self.away:
            raise PrometheusUnavailable(f"Prometheus of {cluster} answered 502")
        return self.known.get(cluster)


@dataclass
class Branch:
    """A repository on this disk, and our records."""

    repository: repositories.Repository
    records: Records

    def scan(self, history: ClusterHistory, at: datetime = AT) -> Scanned:
        """Look at what was committed last."""
        with open_trees(self.repository.folder, "HEAD", "HEAD") as (_, tree):
            return find_savings(
                PLACE,
                tree.name,
                tree,
                render=make_renderer(),
                prices=RepositoryPrices,
                history=history,
                runs_per_month=lambda _schedule, _zone: None,
                policies=self.records.policies,
                recommendations=self.records.recommendations,
                owners=OWNERS,
                kept_as={"main": "main", "": "default"}.get,
                at=at,
            )

    @property
    def found(self) -> list[KeptRecommendation]:
        """What is open."""
        return sorted(self.records.recommendations.open_ones(), key=lambda one: (one.environment, one.name))

    @property
    def last(self) -> Scan:
        """The newest scan."""
        [scan] = self.records.recommendations.scans()
        return scan


@pytest.fixture
def branch(tmp_path: Path) -> Iterator[Branch]:
    """Without a commit."""
    with closing(Records(f"sqlite:///{tmp_path}/records.db")) as records:
        records.prepare()
        yield Branch(repositories.Repository(tmp_path / "shop"), records)


def known(**fields: object) -> UsageSnapshot:
    """What a cluster knows of `payments/api`, which needs little."""
    found = cluster(usage(**fields)).usage  # type: ignore[arg-type]
    assert found is not None
    return found


def test_what_a_usage_file_shows_is_kept_with_all_a_person_needs(branch: Branch, tmp_path: Path) -> None:
    """Under the opaque name of what is proposed: whose it is, where it runs, and what it would save."""
    sha = branch.repository.commit({"api.yaml": LARGE})
    write_snapshot(known(), tmp_path / "usage.json")

    scanned = branch.scan(FileHistory.read(tmp_path / "usage.json", 24 * WINDOW_DAYS))

    [one] = branch.found
    recommendation = recommendation_from(one.recommendation)
    assert scanned == Scanned(1, 1, 0, ())
    assert (one.id, one.subject) == (id_of(7, recommendation), subject_of(7, recommendation.key))
    assert (one.namespace, one.kind, one.name, one.finder) == (
        "payments",
        "Deployment",
        "api",
        "container-resources",
    )
    assert (one.team, one.cluster, one.environment, one.head_sha) == ("checkout", "default", "", sha)
    assert (place_from(one.place), one.found_at) == (PLACE, AT)
    assert (recommendation.source.file, one.recommendation["currency"]) == ("api.yaml", "USD")
    assert recommendation.allocated < Decimal(-50)
    assert (branch.last.full_name, branch.last.head_sha, branch.last.at) == ("acme/shop", sha, AT)
    assert set(branch.last.realisable) == {""}


def test_each_environment_is_judged_on_its_own_cluster(branch: Branch) -> None:
    """Which is asked once about everything; what nobody knows is left alone, with its team."""
    files = {f"{name}/api.yaml": LARGE for name in ("production", "staging")}
    branch.repository.commit({".tuppence.yaml": POLICY, **files})
    clusters = Clusters({"main": known(), "other": None})

    branch.scan(clusters)

    assert [(one.environment, one.cluster) for one in branch.found] == [("production", "main")]
    [row] = branch.last.left_alone["rows"]
    left = left_alone_from(row)
    assert (left.key, left.reason) == (Identity("staging", "payments", "Deployment", "api"), Reason.NOT_SEEN)
    assert row["team"] == "checkout"
    touched = frozenset({("payments", "Deployment", "api")})
    assert clusters.asked == [("main", touched), ("other", touched)]


def test_what_a_branch_declares_of_volumes_is_kept_by_cluster(branch: Branch) -> None:
    """Of an environment whose cluster is away as well: what nobody declares is told elsewhere."""
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: files, namespace: shop}\n"
    files = {f"{name}/claim.yaml": claim for name in ("production", "staging")}
    branch.repository.commit({".tuppence.yaml": POLICY, **files})
    branch.scan(Clusters({"main": known()}, away="other"))

    assert branch.last.declares == {
        "rows": [[name, "PersistentVolumeClaim", "shop", "files"] for name in ("", "main")],
        "named": [],
        "clusters": ["", "main"],
        "protect": [],
    }


def test_the_policy_of_the_branch_protects(branch: Branch) -> None:
    """And the reason is kept."""
    policy = "protect:\n  - {workload: payments/api, reason: INC-7}\n"
    branch.repository.commit({".tuppence.yaml": policy, "api.yaml": LARGE})
    branch.scan(Clusters({"": known()}))

    assert branch.found == []
    rows = [left_alone_from(row) for row in branch.last.left_alone["rows"]]
    assert {(row.reason, row.facts["reason"]) for row in rows} == {(Reason.PROTECTED, "INC-7")}
    assert branch.last.declares is not None
    kept = {"workload": "payments/api", "reason": "INC-7", "until": None}
    assert branch.last.declares["protect"] == [kept]


def test_what_is_not_found_again_is_no_longer_open(branch: Branch) -> None:
    """Somebody has lowered the request."""
    branch.repository.commit({"api.yaml": LARGE})
    branch.scan(Clusters({"": known()}))
    [before] = branch.found
    branch.repository.commit({"api.yaml": deployment(cpu="200m", memory="400Mi")})
    branch.scan(Clusters({"": known()}), LATER)

    assert branch.found == []
    kept = branch.records.recommendations.find(before.id)
    assert kept is not None
    assert not kept.open


def test_where_a_cluster_is_away_everything_stays_as_it_was_found(branch: Branch) -> None:
    """In its environments alone: an outage of Prometheus closes nobody's pull request."""
    files = {f"{name}/api.yaml": LARGE for name in ("production", "staging")}
    branch.repository.commit({".tuppence.yaml": POLICY, **files})
    branch.scan(Clusters({"main": known(), "other": known()}))
    before = branch.found
    branch.repository.commit({"production/api.yaml": deployment(cpu="200m", memory="400Mi")})

    scanned = branch.scan(Clusters({"main": known()}, away="other"), LATER)

    assert [one.environment for one in before] == ["production", "staging"]
    assert branch.found == before[1:]
    problem = "staging: no live numbers: Prometheus of other answered 502"
    assert scanned.problems == (problem,)
    assert branch.last.problems == {"rows": [problem]}


def test_prices_that_cannot_be_used_are_a_problem_and_change_nothing(branch: Branch) -> None:
    """The other environments are judged."""
    files = {f"{name}/api.yaml": LARGE for name in ("production", "staging")}
    branch.repository.commit({".tuppence.yaml": POLICY, **files})
    clusters = Clusters({"main": known(), "other": known()})
    branch.scan(clusters)
    before = branch.found
    broken = POLICY.replace("cluster: other", "cluster: other, prices: gone.csv")
    sha = branch.repository.commit({".tuppence.yaml": broken})

    scanned = branch.scan(clusters, LATER)

    assert [one.id for one in branch.found] == [one.id for one in before]
    assert [one.head_sha == sha for one in branch.found] == [True, False]
    [problem] = scanned.problems
    assert problem.startswith("staging: .tuppence.yaml: prices: gone.csv is not in")


def test_prices_in_two_currencies_are_not_added_up(branch: Branch) -> None:
    """The first environment's count."""
    euros = "currency: EUR\ndefault: {cpu_core_hour: 0.03, memory_gib_hour: 0.004}\n"
    policy = POLICY.replace("cluster: other", "cluster: other, prices: prices.yaml")
    files = {f"{name}/api.yaml": LARGE for name in ("production", "staging")}
    branch.repository.commit({".tuppence.yaml": policy, "prices.yaml": euros, **files})

    scanned = branch.scan(Clusters({"main": known(), "other": known()}))

    assert [one.environment for one in branch.found] == ["production"]
    [problem] = scanned.problems
    assert "several currencies cannot be added up" in problem


def test_a_policy_that_cannot_be_read_leaves_the_last_one_in_force(branch: Branch) -> None:
    """Which protects still; it is said."""
    policy = "protect:\n  - {workload: payments/api, reason: INC-7}\n"
    branch.repository.commit({".tuppence.yaml": policy, "api.yaml": LARGE})
    branch.scan(Clusters({"": known()}))
    branch.repository.commit({".tuppence.yaml": "protect: everything\n"})

    scanned = branch.scan(Clusters({"": known()}), LATER)

    assert branch.found == []
    [problem] = scanned.problems
    assert problem.startswith("the policy on main cannot be read, the one of ")


def test_a_file_that_cannot_be_read_is_a_problem(branch: Branch) -> None:
    """The others are looked at."""
    branch.repository.commit({"api.yaml": LARGE, "broken.yaml": "apiVersion: v1\nkind: [\n"})
    scanned = branch.scan(Clusters({"": known()}))

    assert scanned.found == 1
    [problem] = scanned.problems
    assert problem.startswith("broken.yaml: ")


def test_a_folder_full_of_files_that_cannot_be_read_is_counted(branch: Branch) -> None:
    """Fifty are named."""
    broken = {f"broken-{number}.yaml": "apiVersion: v1\nkind: [\n" for number in range(MOST_UNREAD + 2)}
    branch.repository.commit(broken)
    scanned = branch.scan(Clusters({"": known()}))

    assert len(scanned.problems) == MOST_UNREAD + 1
    assert scanned.problems[-1] == "and 2 more could not be read"


def test_days_that_prometheus_does_not_keep_are_not_asked_of_a_workload(branch: Branch) -> None:
    """Five weeks were asked for, and fourteen days were there: they are the window."""
    branch.repository.commit({"api.yaml": LARGE})
    days = WINDOW_DAYS * 288
    short = usage(steps=days)
    for series in (
        short.replicas,
        *(s for c in short.containers for s in (c.cpu_cores, c.memory_peak_bytes)),
    ):
        series[: days - DAYS * 288] = float("nan")
    branch.scan(Clusters({"": snapshot(short, steps=days)}))

    [one] = branch.found
    assert recommendation_from(one.recommendation).evidence["CPU window"].startswith(f"{DAYS} days")
