"""An approved saving on its way into a pull request: a real git, GitHub over HTTP, our real records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bot.adapters.git_cache import GitCache
from bot.adapters.github_app import AppTokens
from bot.adapters.github_branches import GitHubBranches
from bot.adapters.github_right_sizing import GitHubRightSizing
from bot.adapters.records import Records
from bot.handlers.right_size import Became, RightSizingPorts, open_pull, upkeep
from bot.manifests.render import make_renderer
from bot.recommendation_json import left_alone_json, place_json, recommendation_json
from bot.recommendation_records import KeptRecommendation, RightSizingPull, Scan, id_of, subject_of
from bot.signed_marker import Markers
from estimators.objects import Identity, Source
from estimators.recommendation import FieldChange, LeftAlone, Realisable, Reason, Recommendation
from estimators.report import Confidence, Verdict
from tests.adapters.right_sizing_places import SECRET, Bench
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

    def scanned(
        self,
        *recommendations: Recommendation,
        repository: int | None = None,
        left: tuple[Reason, str] = (Reason.MEMORY_GROWS, "container-resources"),
    ) -> list[KeptRecommendation]:
        """The newest scan finds these, in the repository unless another one is named.

        `left` is why the workload is left alone besides, and by which finder.
        """
        self.at += timedelta(days=1)
        repository = self.bench.repository.id if repository is None else repository
        alone = LeftAlone("", KEY, *left, {"a_day": "90 MiB"})
        scan = Scan(
            repository=repository,
            full_name="acme/shop",
            head_sha="",
            at=self.at,
            left_alone={"rows": [{**left_alone_json(alone), "team": ""}]},
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


def ports_to(tokens: AppTokens, clone_url: str, records: Records, clones: Path) -> RightSizingPorts:
    """All that a pull request is made with."""
    return RightSizingPorts(
        branches=GitHubBranches(tokens, GitCache(clones), clone_base=clone_url),
        right_sizing=GitHubRightSizing(tokens, Markers([SECRET])),
        pulls=records.right_sizing,
        recommendations=records.recommendations,
        policies=records.policies,
        render=make_renderer(),
        web="https://git.example",
    )


def open_apart(given: tuple[int, str, str, str, str, int, str]) -> str:
    """Open a pull request in a process of its own; what became of it.

    Given are the app's id and key, both addresses of GitHub, the folder of the records, the number of the
    process, and the recommendation.
    """
    app_id, key, api_url, clone_url, folder, number, recommendation = given
    with closing(Records(f"sqlite:///{folder}/records.db")) as records:
        kept = records.recommendations.find(recommendation)
        assert kept is not None
        tokens = AppTokens(app_id, key, api_url)
        ports = ports_to(tokens, clone_url, records, Path(folder, f"clones-{number}"))
        return open_pull(kept, decision(), ports=ports, currency="USD", now=NOW).state


@contextmanager
def at_work(tmp_path: Path) -> Iterator[Work]:
    """Ends with an error if GitHub would not have taken what we sent."""
    with github(tmp_path / "github") as hub, closing(Records(f"sqlite:///{tmp_path}/records.db")) as records:
        records.prepare()
        bench = Bench.on(hub)
        hub.people.push(bench.repository, {FILE: deployment(cpu="2", memory="2Gi")})
        ports = ports_to(bench.tokens, hub.clone_url, records, tmp_path / "clones")
        yield Work(bench, records, ports)
    hub.assert_clean()
