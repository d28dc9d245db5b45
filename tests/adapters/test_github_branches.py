"""Which repositories there are, and what their default branches hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.git_cache import GitCache
from bot.adapters.github_app import AppTokens
from bot.adapters.github_branches import GitHubBranches
from bot.errors import GitHubRefused
from bot.recommendation_ports import Place
from tests.github.service import GitHub, github

FILES = {"k8s/api.yaml": "kind: Deployment\n"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHub]:
    """The test ends with an error if GitHub would not have taken what we sent."""
    with github(tmp_path / "github") as running:
        yield running
    running.assert_clean()


@pytest.fixture
def branches(hub: GitHub, tmp_path: Path) -> GitHubBranches:
    """As a process that has just started."""
    tokens = AppTokens(hub.app_id, hub.private_key, hub.api_url)
    return GitHubBranches(tokens, GitCache(tmp_path / "clones"), clone_base=hub.clone_url)


def names(places: Iterator[Place]) -> list[str]:
    """Their repositories."""
    return [place.repository.full_name for place in places]


def test_every_repository_of_every_installation_is_named(hub: GitHub, branches: GitHubBranches) -> None:
    """Chosen ones, all of an account, and none that is archived."""
    shop = hub.people.repository("acme/shop", FILES)
    hub.people.repository("acme/other", FILES)
    old = hub.people.repository("solo/old", FILES, organisation=False)
    solo = hub.people.repository("solo/new", FILES, organisation=False)
    old.archived = True
    chosen = hub.people.install(shop.owner, shop)
    hub.people.install(solo.owner)
    found = list(branches.installed())
    assert names(iter(found)) == ["acme/shop", "solo/new"]
    assert found[0].installation == chosen.id
    assert found[0].repository.clone_url == f"{hub.clone_url}/acme/shop.git"
    assert found[0].repository.default_branch == "main"


def test_an_installation_that_is_suspended_is_passed_over(hub: GitHub, branches: GitHubBranches) -> None:
    """Its tokens are refused."""
    shop = hub.people.repository("acme/shop", FILES)
    hub.people.suspend(hub.people.install(shop.owner))
    assert names(branches.installed()) == []


def test_more_repositories_than_fit_on_a_page_are_all_named(hub: GitHub, branches: GitHubBranches) -> None:
    """A page holds a hundred."""
    shop = hub.people.repository("acme/shop", FILES)
    hub.people.install(shop.owner)
    for number in range(1, 121):
        hub.world.repositories[number] = replace(shop, id=number, name=f"shop-{number}")
    assert len(set(names(branches.installed()))) == 121


def test_the_files_of_the_newest_commit_can_be_read(hub: GitHub, branches: GitHubBranches) -> None:
    """Of the default branch as it is called now."""
    shop = hub.people.repository("acme/shop", FILES)
    hub.people.install(shop.owner)
    (place,) = branches.installed()
    shop.git.set_ref("refs/heads/release/next", hub.people.push(shop, {"k8s/web.yaml": "kind: Service\n"}))
    shop.default_branch = "release/next"
    head = branches.head(place)
    assert head == shop.git.sha("refs/heads/release/next")
    with branches.tree(place, head) as tree:
        assert dict(tree.read(["k8s/web.yaml"])) == {"k8s/web.yaml": b"kind: Service\n"}
        assert set(tree.paths()) == {"k8s/api.yaml", "k8s/web.yaml"}
    assert not [use for use in hub.scopes() if "write" in use.granted.values()]


def test_a_repository_that_is_gone_is_refused(hub: GitHub, branches: GitHubBranches) -> None:
    """It will not come back by asking again."""
    shop = hub.people.repository("acme/shop", FILES)
    hub.people.install(shop.owner)
    (place,) = branches.installed()
    del hub.world.repositories[shop.id]
    with pytest.raises(GitHubRefused):
        branches.head(place)
