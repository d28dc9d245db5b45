"""Look for savings in everything that a default branch deploys, and remember what was found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bot.default_branch import whole_tree
from bot.environment_clusters import EnvironmentClusters, refuse_mixed_currencies
from bot.errors import UserError
from bot.manifests.edits.whole_tree import WholeTree
from bot.manifests.rendered import Renderer
from bot.policy_in_force import first_line, policy_in_force
from bot.ports import ClusterHistory, Policies, Prices, Tree
from bot.recommendation_json import left_alone_json, place_json, realisable_json, recommendation_json
from bot.recommendation_ports import Place, Recommendations
from bot.recommendation_records import KeptRecommendation, Scan, id_of, subject_of
from bot.records import Json
from bot.unused import declared
from estimators.change import Cluster
from estimators.inventory import take_inventory
from estimators.known_stretch import known_stretch
from estimators.objects import Identity, ManifestObject
from estimators.ownership import Owners
from estimators.recommend import recommend
from estimators.recommendation import Found, LeftAlone, Recommendation
from estimators.recommendation_candidates import LEAST_DAYS
from estimators.recommendation_terms import Terms, usual_terms
from estimators.usage import UsageSnapshot, WorkloadKey

WINDOW_DAYS = 35
"""Five weeks: what ran out of memory a month ago is in it. Fewer where Prometheus keeps fewer."""

KILLS_DAYS = 90
"""How far OOM kills are looked back for: what was killed once a quarter is not given less memory."""

MOST_UNREAD = 50
"""Of what could not be read, this much is named: whole folders of templates are in some repositories."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a look at a branch came to, in numbers: of `objects` that it deploys so many savings were found.

    `problems` are why it was not whole.
    """

    objects: int
    found: int
    left_alone: int
    problems: tuple[str, ...]


def find_savings(
    place: Place,
    sha: str,
    tree: Tree,
    *,
    render: Renderer,
    prices: Callable[[Tree], Prices],
    history: ClusterHistory,
    runs_per_month: Callable[[str, str], Decimal | None],
    policies: Policies,
    recommendations: Recommendations,
    owners: Owners,
    kept_as: Callable[[str], str | None],
    at: datetime,
    terms_of: Callable[[str], Terms] = usual_terms,
) -> Scanned:
    """Scan the commit `sha` of a default branch, whose files are `tree`, and remember what was found.

    `kept_as` tells under which name the hours of a policy's cluster are kept. What cannot be judged now,
    since a cluster does not answer or its prices cannot be used, stays as the last scan found it.
    """
    repository = place.repository
    policy, problem = policy_in_force(
        tree, repository=repository.id, branch=repository.default_branch, sha=sha, policies=policies, at=at
    )
    whole = whole_tree(tree, policy, render)
    objects = whole.side.objects
    clusters = EnvironmentClusters(
        {item.identity[1:] for item in objects},
        policy,
        prices=prices(tree),
        history=_WatchedHistory(history),
        runs_per_month=runs_per_month,
        today=at.date(),
    )
    known, unjudged = _judgeable(objects, clusters)
    judged = [item for item in objects if item.identity.environment in known]
    found = recommend(judged, known.__getitem__, terms_of)
    seen = _Seen(
        place, sha, at, owners, known, {name: kept_as(clusters.name_of(name)) or "" for name in known}
    )
    rows = [seen.row(one) for one in found.recommendations]
    problems = tuple(dict.fromkeys(filter(None, [problem, *unjudged.values(), *_unread(whole)])))
    declares = declared(objects, lambda name: kept_as(clusters.name_of(name)) or "", policy.protect)
    scan = seen.scan(found, judged, problems, declares)
    recommendations.replace(scan, [*rows, *_as_before(repository.id, unjudged, recommendations)])
    return Scanned(len(objects), len(rows), len(found.left_alone), problems)


def note_unseen(place: Place, *, recommendations: Recommendations, at: datetime) -> None:
    """Remember that a repository could not be looked at, unless an earlier look is known: that one stays."""
    repository = place.repository
    if all(scan.repository != repository.id for scan in recommendations.scans()):
        unseen = Scan(
            repository=repository.id,
            full_name=repository.full_name,
            head_sha="",
            at=at,
            left_alone={"rows": []},
            problems={"rows": ["it could not be looked at yet, the log says why"]},
            realisable={},
        )
        recommendations.replace(unseen, [])


@dataclass(frozen=True, slots=True)
class _Seen:
    """The commit that was looked at, and who owns what is in it.

    By environment: the clusters, and under which names their hours are kept.
    """

    place: Place
    sha: str
    at: datetime
    owners: Owners
    clusters: Mapping[str, Cluster]
    kept_as: Mapping[str, str]

    def row(self, one: Recommendation) -> KeptRecommendation:
        """A recommendation as it is kept."""
        repository = self.place.repository.id
        currency = self.clusters[one.environment].prices.currency
        return KeptRecommendation(
            id=id_of(repository, one),
            subject=subject_of(repository, one.key),
            repository=repository,
            place=place_json(self.place),
            head_sha=self.sha,
            environment=one.environment,
            namespace=one.key.namespace,
            kind=one.key.kind,
            name=one.key.name,
            finder=one.finder,
            team=self._team(one.key, one.labels),
            cluster=self.kept_as[one.environment],
            recommendation={**recommendation_json(one), "currency": currency},
            open=True,
            found_at=self.at,
        )

    def scan(
        self, found: Found, objects: Sequence[ManifestObject], problems: Sequence[str], declares: Json
    ) -> Scan:
        """The look itself, as it is kept."""
        return Scan(
            repository=self.place.repository.id,
            full_name=self.place.repository.full_name,
            head_sha=self.sha,
            at=self.at,
            left_alone={"rows": self._left_alone(found.left_alone, objects)},
            problems={"rows": list(problems)},
            realisable={name: realisable_json(one) for name, one in found.realisable.items()},
            declares=declares,
        )

    def _left_alone(self, left: Sequence[LeftAlone], objects: Sequence[ManifestObject]) -> list[Json]:
        """What was left, each with its team."""
        workloads = take_inventory(objects).workloads
        teams = {
            identity: self._team(identity, {**workload.object.labels, **workload.groups[0].template.labels})
            for identity, workload in workloads.items()
        }
        return [{**left_alone_json(one), "team": teams.get(one.key, "")} for one in left]

    def _team(self, key: Identity, labels: Mapping[str, str]) -> str:
        return self.owners.of(WorkloadKey(key.namespace, key.kind, key.name), labels).team


@dataclass(frozen=True, slots=True)
class _WatchedHistory:
    """The history of `source` without the time before it was kept."""

    source: ClusterHistory

    def snapshot(
        self, touched: Collection[tuple[str, str, str]], selector: Mapping[str, str], cluster: str
    ) -> UsageSnapshot | None:
        found = self.source.snapshot(touched, selector, cluster)
        return found and known_stretch(found, LEAST_DAYS)


def _judgeable(
    objects: Sequence[ManifestObject], clusters: EnvironmentClusters
) -> tuple[dict[str, Cluster], dict[str, str]]:
    """The clusters of environments that can be judged now, and why the others cannot."""
    known: dict[str, Cluster] = {}
    unjudged: dict[str, str] = {}
    for name in dict.fromkeys(item.identity.environment for item in objects):
        try:
            known[name] = clusters.of(name)
            refuse_mixed_currencies(known)
        except UserError as error:
            known.pop(name, None)
            unjudged[name] = _of(name, first_line(error))
    for name, why in clusters.away.items():
        known.pop(name, None)
        unjudged[name] = _of(name, why)
    return known, unjudged


def _of(environment: str, why: str) -> str:
    return f"{environment}: {why}" if environment else why


def _unread(whole: WholeTree) -> list[str]:
    """Files and roots that could not be read: what they deploy is not known."""
    found = [
        item.reason if item.reason.startswith(item.file) else f"{item.file}: {item.reason}"
        for item in whole.side.unpriced
        if item.kind in ("File", "Root")
    ]
    more = len(found) - MOST_UNREAD
    return [*found[:MOST_UNREAD], f"and {more} more could not be read"] if more > 0 else found


def _as_before(
    repository: int, unjudged: Collection[str], recommendations: Recommendations
) -> list[KeptRecommendation]:
    return [
        one
        for one in (recommendations.open_ones() if unjudged else ())
        if one.repository == repository and one.environment in unjudged
    ]
