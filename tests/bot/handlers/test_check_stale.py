"""Whether the branch still says what it said when a recommendation was found there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from bot.adapters.git_trees import open_trees
from bot.adapters.records import Records
from bot.github_events import Repository
from bot.handlers.check_stale import difference, may_be_untrue
from bot.manifests.render import make_renderer
from bot.ports import Tree
from bot.recommendation_json import place_json, recommendation_json
from bot.recommendation_ports import Place
from bot.recommendation_records import KeptRecommendation, RightSizingPull, Scan, id_of, subject_of
from bot.records import Json
from estimators.objects import Identity, Source
from estimators.recommendation import FieldChange
from estimators.running import RunningNow
from estimators.usage import ContainerField, WorkloadKey
from tests.bot.test_automation import saving
from tests.end_to_end import repositories
from tests.yaml_objects import deployment

NOW = datetime(2026, 11, 16, 1, tzinfo=UTC)
PLACE = Place(3, Repository(7, "acme", "shop", "https://example/acme/shop.git", "main"))
API = Identity("", "payments", "Deployment", "api")
RESOURCES = ("spec", "template", "spec", "containers", 0, "resources")
CHANGES = (
    FieldChange(API, (*RESOURCES, "requests", "cpu"), "main", "500m", "100m"),
    FieldChange(API, (*RESOURCES, "limits", "cpu"), "main", "", "1"),
)


class Branch:
    """The port `Branches` on a repository of this disk; it counts how often files were read."""

    def __init__(self, folder: Path) -> None:
        self.repository = repositories.Repository(folder)
        self.read = 0

    def installed(self) -> Iterator[Place]:
        yield PLACE

    def head(self, _place: Place) -> str:
        return self.repository.git("rev-parse", "HEAD")

    @contextmanager
    def tree(self, _place: Place, sha: str) -> Iterator[Tree]:
        self.read += 1
        with open_trees(self.repository.folder, sha, sha) as (_, tree):
            yield tree


@pytest.fixture
def branch(tmp_path: Path) -> Branch:
    """With the Deployment that the recommendation is about."""
    found = Branch(tmp_path / "shop")
    found.repository.commit({"api.yaml": deployment()})
    return found


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Of nothing yet."""
    with closing(Records(f"sqlite:///{tmp_path}/records.db")) as opened:
        opened.prepare()
        yield opened


def kept(sha: str, *changes: FieldChange) -> KeptRecommendation:
    """What was found at a commit."""
    found = saving(*(changes or CHANGES), key=API, environment="", source=Source("api.yaml", 1))
    return KeptRecommendation(
        id=id_of(7, found),
        subject=subject_of(7, API),
        repository=7,
        place=place_json(PLACE),
        head_sha=sha,
        environment="",
        namespace="payments",
        kind="Deployment",
        name="api",
        finder=found.finder,
        team="",
        cluster="",
        recommendation=recommendation_json(found),
        open=True,
        found_at=NOW,
    )


@dataclass
class Pods:
    """The port `RunningPods`: all pods of `api` have this CPU request; it notes what it was asked."""

    cpu: str = "0.5"
    asked: list[tuple[Sequence[str], Mapping[str, str], str]] = field(default_factory=list)

    def running(self, namespaces: Sequence[str], selector: Mapping[str, str], cluster: str) -> RunningNow:
        self.asked.append((namespaces, selector, cluster))
        now = {ContainerField("main", "requests", "cpu"): frozenset({Decimal(self.cpu)})}
        return RunningNow({WorkloadKey("payments", "Deployment", "api"): now})


def said(branch: Branch, records: Records, one: KeptRecommendation, pods: Pods | None = None) -> str:
    """What is different."""
    return difference(
        one,
        branches=branch,
        policies=records.policies,
        render=make_renderer(),
        pods=pods or Pods(),
        now=NOW,
    )


def test_what_runs_is_asked_where_no_file_has_changed(branch: Branch, records: Records) -> None:
    """Somebody may have changed the cluster by hand."""
    one, pods = kept(branch.head(PLACE)), Pods()

    assert said(branch, records, one, pods) == ""
    pods.cpu = "0.25"
    words = "requests.cpu is 250m in the cluster by now, not 500m"
    assert said(branch, records, one, pods).endswith(words)
    assert pods.asked == [(["payments"], {}, "")] * 2
    assert branch.read == 0


def test_the_policy_of_today_says_which_cluster_that_is(branch: Branch, records: Records) -> None:
    """The environment of the recommendation; an environment of another name is not meant."""
    policy = """
environments:
  - {name: staging, paths: [staging/**], cluster: small}
  - {name: production, paths: ["*.yaml"], cluster: large, prometheus_selector: {region: eu}}
"""
    there = API._replace(environment="production")
    change = FieldChange(there, (*RESOURCES, "requests", "cpu"), "main", "500m", "100m")
    older, pods = replace(kept(branch.head(PLACE), change), environment="production"), Pods()
    branch.repository.commit({".tuppence.yaml": policy})

    assert said(branch, records, older, pods) == ""
    assert said(branch, records, replace(older, head_sha=branch.head(PLACE)), pods) == ""
    assert pods.asked == [(["payments"], {"region": "eu"}, "large")] * 2


def test_the_cluster_is_not_asked_about_what_the_files_deny(branch: Branch, records: Records) -> None:
    """Nor about an object whose manifest names no namespace: it may be in any."""
    older, pods = branch.head(PLACE), Pods("7")
    nowhere = API._replace(namespace="")
    change = FieldChange(nowhere, (*RESOURCES, "requests", "cpu"), "main", "500m", "100m")
    assert said(branch, records, kept(older, change), pods) == ""

    branch.repository.commit({"api.yaml": deployment(cpu="300m")})
    assert said(branch, records, kept(older), pods).endswith("requests.cpu is 300m by now, not 500m")
    assert pods.asked == []


@pytest.mark.parametrize(
    ("text", "different"),
    [
        (deployment(memory="4Gi", replicas=9), ""),
        (deployment(cpu="0.5"), ""),
        (deployment(cpu="300m"), "requests.cpu is 300m by now, not 500m"),
        (deployment(cpu=None), "requests.cpu is absent by now, not 500m"),
        (deployment(cpu_limit="2"), "limits.cpu is 2 by now, not absent"),
        (deployment(name="web"), "Deployment payments/api is not on the default branch any more"),
    ],
    ids=["another field", "spelt otherwise", "another value", "gone", "there by now", "another object"],
)
def test_a_newer_commit_is_compared_field_by_field(
    branch: Branch, records: Records, text: str, different: str
) -> None:
    """What is not about these fields does not matter."""
    older = branch.head(PLACE)
    branch.repository.commit({"api.yaml": text})
    found = said(branch, records, kept(older))

    assert branch.read == 1
    assert found.endswith(different)
    assert bool(found) is bool(different)


def test_an_object_that_is_to_go_is_stale_once_it_is_gone(branch: Branch, records: Records) -> None:
    """While it is there, whatever it says, it may go."""
    older = branch.head(PLACE)
    one = kept(older, FieldChange(API, (), "", "", ""))
    branch.repository.commit({"api.yaml": deployment(cpu="3")})
    assert said(branch, records, one) == ""
    branch.repository.commit({"api.yaml": "# nothing\n"})
    assert "not on the default branch any more" in said(branch, records, one)


@pytest.mark.parametrize(
    ("files", "repository", "may_be"),
    [
        (["README.md", "api.yaml"], 7, True),
        (["overlays/production/kustomization.yaml"], 7, True),
        (["overlays/production/Kustomization"], 7, True),
        (["charts/api/templates/_helpers.tpl"], 7, True),
        (["README.md", "cmd/main.go", "yaml"], 7, False),
        ([], 7, False),
        ([".tuppence.yaml"], 7, True),
        (None, 7, True),
        (["api.yaml"], 8, False),
        (None, 8, False),
    ],
    ids=[
        "its file",
        "a patch",
        "an overlay",
        "a template",
        "others",
        "none",
        "the policy",
        "not known",
        "elsewhere",
        "elsewhere not known",
    ],
)
@pytest.mark.parametrize("proposed", [False, True], ids=["recommendation", "pull request"])
def test_a_push_of_what_is_deployed_matters_to_what_is_open(
    records: Records, files: list[str] | None, repository: int, may_be: bool, proposed: bool
) -> None:
    """To what is open: a recommendation, or a pull request of one that no look finds any more."""
    one = kept("a" * 40)
    look(records, one)
    if proposed:
        records.right_sizing.keep(pull_of(one))
        look(records)
    ask = partial(may_be_untrue, recommendations=records.recommendations, pulls=records.right_sizing)

    assert ask(repository, files) is may_be
    look(records)
    records.right_sizing.keep(replace(pull_of(one), state="merged"))
    assert not ask(repository, files)


def look(records: Records, *found: KeptRecommendation) -> None:
    """A look that finds just these."""
    rows: Json = {"rows": []}
    at = datetime.now(UTC)
    records.recommendations.replace(
        Scan(
            repository=7,
            full_name="acme/shop",
            head_sha="a" * 40,
            at=at,
            left_alone=rows,
            problems=rows,
            realisable={},
        ),
        found,
    )


def pull_of(one: KeptRecommendation) -> RightSizingPull:
    """Its open pull request."""
    return RightSizingPull(
        repository=7,
        subject=one.subject,
        id=one.id,
        branch="tuppence/right-size-api",
        number=3,
        address="https://github.example/acme/shop/pull/3",
        head_sha="b" * 40,
        state="open",
        opened_at=NOW,
    )
