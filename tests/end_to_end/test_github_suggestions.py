"""Safe values as suggestions on the lines of a pull request, from the first push to the last."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.bots import Bot, reported, running, shop, wait_for
from tests.github.model import Pull, Repository, ReviewComment
from tests.github.service import GitHub
from tests.yaml_objects import deployment

POLICY = {".tuppence.yaml": "suggestions: true\n"}
BEFORE = {"apps/api.yaml": deployment(replicas=3)}
AFTER = {"apps/api.yaml": deployment(replicas=3).replace("replicas: 3", "replicas: 1  # it is night")}


def test_a_safe_value_is_offered_once_and_settled_when_it_is_taken(hub: GitHub, tmp_path: Path) -> None:
    """Killed right after it was made, it is found again by its mark; its button mends the line."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub, {**BEFORE, **POLICY})
        pull = hub.people.open_pull(repository, AFTER)
        wait_for(lambda: offered(repository), what="a suggestion", told=bot.log.read_text)
        bot.kill_all()
        bot.start()
        [comment] = offered(repository)
        assert line_of(repository, pull, comment) == "  replicas: 1  # it is night"
        assert "\n\n```suggestion\n  replicas: 2  # it is night\n```\n\n" in comment.body
        assert "**payments/api**" in comment.body

        hub.people.push(repository, {"README.md": "More\n"}, branch=pull.head_ref)
        wait_for(lambda: reported(hub, repository, pull), what="a second report", told=bot.log.read_text)
        hub.people.commit_suggestion(repository, pull, comment)
        settled(bot, comment)

        assert offered(repository) == [comment]
        assert "```" not in comment.body
        writes = {
            key: count for key, count in hub.journal.calls.items() if "pulls" in key and "GET" not in key
        }
        assert sum(writes.values()) == 2, writes


def test_without_the_policys_word_nothing_is_offered(hub: GitHub, tmp_path: Path) -> None:
    """The pull request's own policy does not count."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub, BEFORE)
        pull = hub.people.open_pull(repository, {**AFTER, **POLICY})
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)
        hub.people.push(repository, BEFORE, branch=pull.head_ref)
        wait_for(lambda: reported(hub, repository, pull), what="a second report", told=bot.log.read_text)

        assert offered(repository) == []


def offered(repository: Repository) -> list[ReviewComment]:
    """What was ever suggested."""
    return list(repository.review_comments.values())


def line_of(repository: Repository, pull: Pull, comment: ReviewComment) -> str:
    """What stands where the comment is."""
    text = repository.git.git("cat-file", "blob", f"{pull.head_sha}:{comment.path}").decode()
    return text.split("\n")[comment.line - 1]


def settled(bot: Bot, comment: ReviewComment) -> None:
    """Wait until the comment says so."""
    wait_for(lambda: "**Settled**" in comment.body, what="it to be settled", told=bot.log.read_text)
