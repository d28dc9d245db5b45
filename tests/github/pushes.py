"""What a push brings about, whoever pushed: events, and pull requests that follow their branches."""

from __future__ import annotations

from tests.github import events
from tests.github.hooks import Hooks
from tests.github.model import Account, Pull, Repository, World, now
from tests.github.rest_checks import suite_of

NO_COMMIT = "0" * 40


def pushed(
    world: World, hooks: Hooks, repository: Repository, branch: str, before: str, after: str, sender: Account
) -> None:
    """A branch went from one commit to another; NO_COMMIT for one that is new, or gone."""
    events.push(world, hooks, repository, branch, before, after, sender)
    for base in list(world.repositories.values()):
        for pull in base.pulls.values():
            if pull.state != "open":
                continue
            if base is repository and pull.base_ref == branch:
                unsettle(world, pull)
            if pull.head_repository is repository and pull.head_ref == branch:
                if after == NO_COMMIT:
                    pull.state, pull.closed_at, pull.updated = "closed", now(), now()
                    events.pull_request(world, hooks, base, pull, "closed", sender)
                else:
                    _synchronise(world, hooks, base, pull, before, after, sender)


def opened(world: World, hooks: Hooks, repository: Repository, pull: Pull) -> None:
    """A pull request that is new."""
    repository.pulls[pull.number] = pull
    show_head(world, hooks, repository, pull)
    events.pull_request(world, hooks, repository, pull, "opened", pull.author)


def show_head(world: World, hooks: Hooks, repository: Repository, pull: Pull) -> None:
    """refs/pull/N/head, which the base repository has even for a fork; and the app's check suite."""
    assert pull.head_repository is not None
    repository.git.take(pull.head_repository.git, pull.head_sha, f"refs/pull/{pull.number}/head")
    if world.installation_of(repository) is not None:
        of_this = pull.head_repository is repository
        suite = suite_of(world, repository, pull.head_sha, pull.head_ref if of_this else None)
        events.check_suite(world, hooks, repository, suite, "requested", pull.author)


def unsettle(world: World, pull: Pull) -> None:
    """GitHub does not know any more whether it merges."""
    pull.mergeable, pull.unknown_reads = None, world.unknown_reads


def _synchronise(
    world: World, hooks: Hooks, repository: Repository, pull: Pull, before: str, after: str, sender: Account
) -> None:
    pull.head_sha, pull.updated = after, now()
    pull.base_sha = repository.git.sha(f"refs/heads/{pull.base_ref}")
    unsettle(world, pull)
    show_head(world, hooks, repository, pull)
    events.pull_request(world, hooks, repository, pull, "synchronize", sender, before=before, after=after)
