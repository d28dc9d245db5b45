"""`tuppence init` writes a starter policy that is sound as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.handlers.init_policy import init_policy
from bot.policy import Environment, parse

GITOPS = {
    ".git/HEAD": "ref: refs/heads/main",
    "apps/web/base/kustomization.yaml": "resources: []",
    "apps/web/overlays/production/kustomization.yaml": "resources: [../../base]",
    "apps/web/overlays/staging/kustomization.yaml": "resources: [../../base]",
    "clusters/production/apps.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n",
    "argo/web.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\n",
    "charts/api/Chart.yaml": "name: api",
    "charts/api/values.yaml": "{}",
    "charts/api/values-production.yaml": "{}",
    "charts/api/values.qa.yaml": "{}",
    "node_modules/x/overlays/never/kustomization.yaml": "{}",
    ".github/environments/never/x.yaml": "{}",
    "clusters/testdata/x.yaml": "{}",
    "clusters/tenant-a/x.yaml": "{}",
    "clusters/lonely.yaml": "{}",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with overlays, clusters, a chart, Argo CD and Flux."""
    for name, text in GITOPS.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_environments_are_found_where_repositories_keep_them(repository: Path) -> None:
    """Overlays, clusters and values files of one name are one environment."""
    told = init_policy(repository, force=False)
    assert parse((repository / ".tuppence.yaml").read_text()).environments == (
        Environment(
            "production",
            ("**/production/**", "**/values-production.yaml"),
            values=("values.yaml", "values-production.yaml"),
        ),
        Environment("qa", ("**/values.qa.yaml",), values=("values.yaml", "values.qa.yaml")),
        Environment("staging", ("**/staging/**",)),
        Environment("tenant-a", ("clusters/tenant-a/**",)),
    )
    assert "4 environments, 1 Helm chart, 3 kustomizations, objects of Argo CD and Flux" in told


@pytest.mark.parametrize("empty", [True, False], ids=["empty repository", "full repository"])
def test_the_examples_are_sound_once_their_comment_sign_is_gone(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, empty: bool
) -> None:
    """Whoever follows the comments gets a policy that works."""
    root = tmp_path_factory.mktemp("empty") if empty else repository
    init_policy(root, force=False)
    text = (root / ".tuppence.yaml").read_text()
    policy = parse(re.sub(r"^#(?=[a-z]|  )", "", text, flags=re.MULTILINE))
    assert policy.guardrails
    assert policy.protect
    assert policy.ignore
    assert [one.name for one in policy.environments if one.name == "production"]


def test_the_file_goes_to_the_repositorys_root(repository: Path) -> None:
    """Wherever in it the command was started."""
    init_policy(repository / "apps" / "web", force=False)
    assert (repository / ".tuppence.yaml").is_file()


def test_nothing_is_overwritten_unasked(repository: Path) -> None:
    """The way out is told; --force takes it."""
    target = repository / ".tuppence.yaml"
    target.write_text("ignore: [precious]")
    with pytest.raises(UserError, match="--force"):
        init_policy(repository, force=False)
    assert target.read_text() == "ignore: [precious]"
    init_policy(repository, force=True)
    assert "precious" not in target.read_text()


def test_a_name_that_yaml_would_misread_is_quoted(repository: Path) -> None:
    """`no` is an environment in Norway."""
    path = repository / "clusters" / "no" / "x.yaml"
    path.parent.mkdir()
    path.touch()
    init_policy(repository, force=False)
    assert "no" in [one.name for one in parse((repository / ".tuppence.yaml").read_text()).environments]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """In one line."""
    with pytest.raises(UserError, match="is not a folder"):
        init_policy(tmp_path / "none", force=False)
