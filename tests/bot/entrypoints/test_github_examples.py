"""GitHub's own examples of its webhooks, and mutations of them, over real HTTP."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.entrypoints.github_readings import READERS
from bot.entrypoints.github_webhook import parse
from bot.entrypoints.http_app import make_app
from bot.github_events import Delivery, Event, Ignored, PullRequestChanged, from_json, to_json
from bot.metrics import Metrics
from tests.deliveries import SECRET, body, headers
from tests.github.contract_data import read
from tests.served import ask, served

EXAMPLES: dict[str, list[dict[str, Any]]] = read("webhook-examples.json")
INSTALLATION = {"id": 42, "account": {"login": "acme", "html_url": "https://github.com/acme"}}
APP = {name: [{"installation": INSTALLATION, **one} for one in EXAMPLES[name]] for name in READERS}
"""Those that we read, each as an App gets it: with an installation."""
READ = [(name, at) for name, examples in APP.items() for at in range(len(examples))]


@pytest.fixture(scope="module")
def bot() -> Iterator[tuple[int, list[tuple[Delivery, Event]]]]:
    """The port of a served bot, and what it stored."""
    stored: list[tuple[Delivery, Event]] = []

    def receive(delivery: Delivery, event: Event) -> None:
        stored.append((delivery, event))

    with served(make_app(ready=list, metrics=Metrics(), receive=receive, secrets=[SECRET])) as port:
        yield port, stored


def event_of(name: str, payload: dict[str, Any]) -> Event:
    """What a signed delivery is read as."""
    sent = body(payload)
    return parse(headers(name, sent), sent, [SECRET])[1]


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_of_every_event_is_accepted(
    name: str, bot: tuple[int, list[tuple[Delivery, Event]]]
) -> None:
    """202, whether it asks for something or for nothing."""
    for payload in EXAMPLES[name]:
        sent = body(payload)
        status, _, text = ask(bot[0], "POST", "/github/webhook", sent, headers(name, sent))
        assert (status, text[:2]) == (202, '{"'), text
        if text.startswith('{"stored"'):
            delivery, event = bot[1].pop()
            assert delivery.event == name
            assert from_json(to_json(event)) == event


def test_what_githubs_examples_ask_for() -> None:
    """How many of which kind: an example that is suddenly ignored shows here."""
    kinds = Counter(type(event_of(name, APP[name][at])).__name__ for name, at in READ)
    assert kinds == {
        "PullRequestChanged": 10,
        "PullRequestClosed": 2,
        "CheckAsked": 4,
        "BaseMoved": 2,
        "InstallationChanged": 9,
        "Ignored": 46,
    }


def test_a_pull_request_is_read_as_the_example_says() -> None:
    """Field by field, of the first example that opens one."""
    payload = next(one for one in APP["pull_request"] if one["action"] == "opened")
    event = event_of("pull_request", payload)
    assert isinstance(event, PullRequestChanged)
    assert event.ref.installation == payload["installation"]["id"]
    assert event.ref.number == payload["number"]
    assert event.ref.repository.id == payload["repository"]["id"]
    assert event.ref.repository.full_name == payload["repository"]["full_name"]
    assert event.ref.repository.clone_url == payload["repository"]["clone_url"]
    assert event.ref.repository.default_branch == payload["repository"]["default_branch"]
    assert event.head_sha == payload["pull_request"]["head"]["sha"]
    assert event.base_ref == payload["pull_request"]["base"]["ref"]


def _no_fork(payload: dict[str, Any]) -> None:
    for one in (payload.get("pull_request"), *payload.get("check_run", {}).get("pull_requests", ())):
        if one:
            one["head"]["repo"] = None


def _no_text(payload: dict[str, Any]) -> None:
    for part in ("pull_request", "comment", "issue"):
        if part in payload:
            payload[part]["body"] = None


def _no_people(payload: dict[str, Any]) -> None:
    for part in ("pull_request", "comment", "issue"):
        if part in payload:
            payload[part]["user"] = None


def _more(payload: dict[str, Any]) -> None:
    payload["new_in_2030"] = {"deep": [{"list": [None, 1.5, "x"]}]}


MUTATIONS: dict[str, Callable[[dict[str, Any]], None]] = {
    "the fork is gone": _no_fork,
    "no text": _no_text,
    "the author is gone": _no_people,
    "a field of the future": _more,
}


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_a_mutation_that_happens_changes_nothing(mutate: Callable[[dict[str, Any]], None]) -> None:
    """The event is the same, for every example."""
    for name, at in READ:
        changed = copy.deepcopy(APP[name][at])
        mutate(changed)
        assert event_of(name, changed) == event_of(name, APP[name][at])


def test_without_an_installation_nothing_is_asked_for() -> None:
    """A webhook of a repository instead of the App's: accepted, and no work follows."""
    for name, at in READ:
        if not name.startswith("installation"):
            assert isinstance(event_of(name, {**APP[name][at], "installation": None}), Ignored)


@pytest.mark.parametrize(
    ("part", "replacement"),
    [("installation", 5), ("repository", None), ("pull_request", None), ("pull_request", [])],
    ids=["installation", "repository", "no pull request", "pull request is a list"],
)
def test_a_mutation_that_never_happens_is_refused(
    part: str, replacement: object, bot: tuple[int, list[tuple[Delivery, Event]]]
) -> None:
    """400 with the field's name, and never 500."""
    payload = next(one for one in APP["pull_request"] if one["action"] == "synchronize")
    sent = body({**payload, part: replacement})
    status, _, text = ask(bot[0], "POST", "/github/webhook", sent, headers("pull_request", sent))
    assert (status, text) == (400, f"{part} is not an object\n")
