"""What the app's webhook is told, and how."""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

import pytest

from tests.github import contract
from tests.github.client import Shop, web_token
from tests.github.examples import examples, mutations, without_each_key
from tests.github.service import GitHub
from tests.http_peer import Asked, Reply, peer


@pytest.fixture
def shop(hub: GitHub) -> Shop:
    """A repository with the app on it and one pull request."""
    return Shop(hub)


def _told(shop: Shop) -> list[str]:
    """Event and action of everything so far."""
    return [f"{it.event} {it.payload.get('action', '')}".strip() for it in shop.hub.hooks.deliveries.values()]


def test_everything_that_people_do_is_told_as_github_describes_it(shop: Shop) -> None:
    """The fixture fails on a payload that the description does not allow."""
    people, repository, pull = shop.hub.people, shop.repository, shop.pull
    shop.hub.hooks.deliveries.clear()
    people.push(repository, {"a.yaml": "b: 1\n"}, branch=pull.head_ref)
    people.draft(repository, pull)
    people.ready(repository, pull)
    repository.git.set_ref("refs/heads/release", repository.git.sha("main"))
    people.change_base(repository, pull, "release")
    note = people.comment(repository, pull, "/tuppence help", author="ann")
    people.edit_comment(repository, note, "/tuppence approve", by="ann")
    people.delete_comment(repository, note, by="ann")
    people.close(repository, pull)
    people.reopen(repository, pull)
    people.merge(repository, pull)
    assert _told(shop) == [
        "push",
        "check_suite requested",
        "pull_request synchronize",
        "pull_request converted_to_draft",
        "pull_request ready_for_review",
        "pull_request edited",
        "issue_comment created",
        "issue_comment edited",
        "issue_comment deleted",
        "pull_request closed",
        "pull_request reopened",
        "pull_request closed",
        "push",
    ]


def test_an_installation_comes_and_goes(shop: Shop) -> None:
    """While it is suspended, nothing else is told."""
    people = shop.hub.people
    other = people.repository("solo/one", {"a": "b"}, organisation=False)
    chosen = people.install(other.owner, other)
    more = people.repository("solo/two", {"a": "b"}, organisation=False)
    shop.hub.hooks.deliveries.clear()
    people.choose(chosen, add=more)
    people.choose(chosen, drop=other)
    people.suspend(shop.installation)
    people.comment(shop.repository, shop.pull, "x", author="ann")
    people.unsuspend(shop.installation)
    token = shop.token()
    people.uninstall(shop.installation)
    assert shop.ask("GET", "/repos/acme/shop", token=token).status_code == 401
    assert _told(shop) == [
        "installation_repositories added",
        "installation_repositories removed",
        "installation suspend",
        "installation unsuspend",
        "installation deleted",
    ]


def test_the_app_is_told_of_its_own_checks_and_comments(shop: Shop) -> None:
    """A bot that answers every event would never end."""
    repo = shop.client().get_repo("acme/shop")
    shop.hub.hooks.deliveries.clear()
    repo.get_issue(1).create_comment("words")
    buttons = [{"label": "Explain", "description": "Why", "identifier": "explain"}]
    run = repo.create_check_run("cost", shop.pull.head_sha, conclusion="success", actions=buttons)
    ours = shop.repository.check_runs[run.id]
    shop.hub.people.rerun(shop.repository, ours, by="ann")
    shop.hub.people.press(shop.repository, ours, "explain", by="ann")
    assert _told(shop) == [
        "issue_comment created",
        "check_run created",
        "check_run completed",
        "check_run rerequested",
        "check_run requested_action",
    ]
    with pytest.raises(ValueError, match="no button"):
        shop.hub.people.press(shop.repository, ours, "other", by="ann")


def test_a_check_of_a_fork_names_no_pull_request(shop: Shop) -> None:
    """The array is empty, as GitHub has it."""
    fork = shop.hub.people.fork(shop.repository, "stranger")
    theirs = shop.hub.people.open_pull(shop.repository, {"x": "y"}, author="stranger", fork=fork)
    repo = shop.client().get_repo("acme/shop")
    named = {
        sha: [pull.number for pull in repo.create_check_run("cost", sha).pull_requests]
        for sha in (shop.pull.head_sha, theirs.head_sha)
    }
    assert named == {shop.pull.head_sha: [1], theirs.head_sha: []}


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Asked], list[int]]]:
    """A webhook's URL, what came, and the statuses still to be answered (then 202)."""
    statuses: list[int] = []
    with peer(lambda _asked: Reply(status=statuses.pop(0) if statuses else 202)) as (url, asked):
        yield url, asked, statuses


def test_events_are_signed_and_a_failed_one_can_be_sent_again(
    hub: GitHub, receiver: tuple[str, list[Asked], list[int]]
) -> None:
    """The GUID of a redelivery is the one of before."""
    url, asked, statuses = receiver
    statuses.append(500)
    hub.hooks.url = url + "/github/webhook"
    shop = Shop(hub)
    hub.hooks.settle()
    first = hub.hooks.sent()[0]
    assert (first.event, first.status_code, first.status) == ("installation", 500, "failed")
    app = web_token(hub)
    listed = shop.ask("GET", "/app/hook/deliveries", token=app).json()
    assert [it["status_code"] for it in listed][-1] == 500
    assert shop.ask("POST", f"/app/hook/deliveries/{first.id}/attempts", token=app).status_code == 202
    hub.hooks.settle()
    again = asked[-1]
    assert again.headers["X-GitHub-Delivery"] == first.guid
    assert hub.hooks.sent()[-1].redelivery
    body = json.dumps(first.payload, separators=(",", ":")).encode()
    signature = hmac.new(hub.hooks.secret.encode(), body, sha256).hexdigest()
    assert again.headers["X-Hub-Signature-256"] == f"sha256={signature}"
    assert shop.ask("GET", f"/app/hook/deliveries/{first.id}", token=app).json()["request"]["payload"]


def test_a_receiver_that_is_down_is_a_failed_delivery(shop: Shop) -> None:
    """GitHub does not try again by itself."""
    last = list(shop.hub.hooks.deliveries.values())[-1]
    assert shop.hub.hooks.send(last, url="http://127.0.0.1:9/") == 0
    assert last.status == "failed"


def test_the_examples_are_there() -> None:
    """Of every event that the app gets."""
    assert Counter(it.event for it in examples()) == {
        "pull_request": 29,
        "issue_comment": 9,
        "check_run": 9,
        "check_suite": 9,
        "installation": 7,
        "installation_repositories": 3,
        "push": 7,
    }


def test_examples_are_changed_in_the_ways_they_lack() -> None:
    """None has a deleted fork, one has no description, five no installation."""
    pulls = examples("pull_request")
    changed = Counter(it.name.split("-")[-1] for one in pulls for it in mutations(one))
    assert changed["null head repository"] == 29
    assert changed["null body"] == 28
    assert changed["no installation"] == 24
    assert len({it.name for one in examples() for it in mutations(one)}) > 300


def test_an_example_loses_one_key_at_a_time() -> None:
    """Down to the second level; the original stays whole."""
    (opened, *_) = examples("pull_request")
    smaller = list(without_each_key(opened))
    assert all(it.payload != opened.payload for it in smaller)
    assert "without pull_request.head" in {it.name.split("-")[-1] for it in smaller}
    assert "head" in opened.payload["pull_request"]


def test_an_event_that_github_does_not_know_is_a_problem() -> None:
    """As is a payload that lacks what is described."""
    assert list(contract.webhook_problems("pull_request", "teleported", {}))
    assert list(contract.webhook_problems("pull_request", "opened", {"action": "opened"}))
