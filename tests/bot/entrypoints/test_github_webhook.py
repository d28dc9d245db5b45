"""What a delivery says, and which are refused."""

from __future__ import annotations

import copy
import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.entrypoints.github_jobs import work_of
from bot.entrypoints.github_payload import BadDelivery
from bot.entrypoints.github_readings import READERS
from bot.entrypoints.github_webhook import (
    MOST_BYTES,
    BadSignature,
    TooLarge,
    UnsupportedMediaType,
    parse,
)
from bot.github_events import (
    BaseMoved,
    CheckAsked,
    CommandWritten,
    Delivery,
    Event,
    Ignored,
    InstallationChanged,
    PullRequestChanged,
    PullRequestClosed,
    PullRequestRef,
    Repository,
)
from bot.github_signature import is_signed, signature
from tests.deliveries import (
    BEFORE,
    HEAD,
    REPOSITORY,
    SECRET,
    body,
    check_run,
    comment,
    headers,
    installed,
    pull_request,
    push,
)

SHOP = Repository(7, "acme", "shop", "https://github.com/acme/shop.git", "main")
REF = PullRequestRef(42, SHOP, 12)
LISTED = {"id": 7, "name": "shop", "full_name": "acme/shop", "private": False}
SHOP_LISTED = Repository(7, "acme", "shop", "https://github.com/acme/shop.git", "")
COMMAND = CommandWritten(REF, 99, "ann", 5, "MEMBER", "/tuppence help")
FORK = {"ref": "cheaper", "sha": HEAD, "repo": None}


def read(event: str, payload: object, **changes: str) -> Event:
    """The event of a well signed delivery."""
    sent = body(payload)
    return parse(headers(event, sent, **changes), sent, [SECRET])[1]


def without(payload: dict[str, Any], *path: str) -> dict[str, Any]:
    """The payload without the field at `path`."""
    changed = copy.deepcopy(payload)
    place = changed
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return changed


def touching(**files: list[str]) -> dict[str, Any]:
    """A commit of a push."""
    return {"id": HEAD, "added": [], "modified": [], "removed": [], **files}


READ = {
    "opened": ("pull_request", pull_request("opened"), PullRequestChanged(REF, HEAD, "main", "opened")),
    "synchronize": (
        "pull_request",
        pull_request("synchronize"),
        PullRequestChanged(REF, HEAD, "main", "synchronize"),
    ),
    "reopened": ("pull_request", pull_request("reopened"), PullRequestChanged(REF, HEAD, "main", "reopened")),
    "ready": (
        "pull_request",
        pull_request("ready_for_review"),
        PullRequestChanged(REF, HEAD, "main", "ready_for_review"),
    ),
    "base changed": (
        "pull_request",
        {**pull_request("edited"), "changes": {"base": {"ref": {"from": "develop"}}}},
        PullRequestChanged(REF, HEAD, "main", "edited"),
    ),
    "fork is gone": (
        "pull_request",
        pull_request("opened", head=FORK),
        PullRequestChanged(REF, HEAD, "main", "opened"),
    ),
    "no text": (
        "pull_request",
        pull_request("opened", body=None),
        PullRequestChanged(REF, HEAD, "main", "opened"),
    ),
    "merged": (
        "pull_request",
        pull_request("closed", merged=True, merge_commit_sha=BEFORE, merged_at="2026-11-16T09:00:00Z"),
        PullRequestClosed(REF, HEAD, True, BEFORE, "2026-11-16T09:00:00Z"),
    ),
    "given up": (
        "pull_request",
        pull_request("closed", merge_commit_sha=BEFORE),
        PullRequestClosed(REF, HEAD, merged=False, merge_commit_sha=None),
    ),
    "command": ("issue_comment", comment("/tuppence help"), COMMAND),
    "re-run": (
        "check_run",
        check_run("rerequested"),
        CheckAsked(42, SHOP, HEAD, REF, 3, "recheck", "ann"),
    ),
    "button": (
        "check_run",
        check_run("requested_action", requested_action={"identifier": "explain"}),
        CheckAsked(42, SHOP, HEAD, REF, 3, "explain", "ann"),
    ),
    "a fork's check": (
        "check_run",
        check_run("rerequested", ()),
        CheckAsked(42, SHOP, HEAD, None, 3, "recheck", "ann"),
    ),
    "one head, two pull requests": (
        "check_run",
        check_run("rerequested", (12, 13)),
        CheckAsked(42, SHOP, HEAD, None, 3, "recheck", "ann"),
    ),
    "suite": (
        "check_suite",
        {**without(check_run("rerequested"), "check_run"), "check_suite": check_run("")["check_run"]},
        CheckAsked(42, SHOP, HEAD, REF, None, "recheck", "ann"),
    ),
    "push": ("push", push(), BaseMoved(42, SHOP, "main", BEFORE, HEAD)),
    "push of files": (
        "push",
        {**push(), "commits": [touching(added=["a", "b"]), touching(modified=["b"], removed=["c/d.yaml"])]},
        BaseMoved(42, SHOP, "main", BEFORE, HEAD, ("a", "b", "c/d.yaml")),
    ),
    "push by force": (
        "push",
        {**push(), "commits": [touching(added=["a"])], "forced": True},
        BaseMoved(42, SHOP, "main", BEFORE, HEAD),
    ),
    "push of as many commits as GitHub lists": (
        "push",
        {**push(), "commits": [touching(added=["a"])] * 2048},
        BaseMoved(42, SHOP, "main", BEFORE, HEAD),
    ),
    "push of too many files": (
        "push",
        {**push(), "commits": [touching(added=[f"{number}.yaml" for number in range(1001)])]},
        BaseMoved(42, SHOP, "main", BEFORE, HEAD),
    ),
    "push without a list": ("push", {**push(), "commits": None}, BaseMoved(42, SHOP, "main", BEFORE, HEAD)),
    "new branch": (
        "push",
        push("refs/heads/release/1.2", before="0" * 40),
        BaseMoved(42, SHOP, "release/1.2", None, HEAD),
    ),
    "installed": (
        "installation",
        installed("created", repositories=[LISTED]),
        InstallationChanged(42, (SHOP_LISTED,), "created"),
    ),
    "uninstalled": ("installation", installed("deleted"), InstallationChanged(42, (), "deleted")),
    "repository added": (
        "installation_repositories",
        installed("added", repositories_added=[LISTED], repositories_removed=[]),
        InstallationChanged(42, (SHOP_LISTED,), "added"),
    ),
}


@pytest.mark.parametrize(("event", "payload", "expected"), READ.values(), ids=READ.keys())
def test_a_delivery_is_read_into_an_event(event: str, payload: dict[str, Any], expected: Event) -> None:
    """What we act on is what GitHub's documentation says it sends."""
    assert read(event, payload) == expected


IGNORED = {
    "ping": ("ping", {"zen": "Design for failure."}),
    "unknown event": ("sponsorship", {"action": "created"}),
    "unknown action": ("pull_request", pull_request("enqueued")),
    "title changed": ("pull_request", {**pull_request("edited"), "changes": {"title": {"from": "x"}}}),
    "opened elsewhere": ("pull_request", without(pull_request("opened"), "installation")),
    "command elsewhere": ("issue_comment", without(comment("/tuppence help"), "installation")),
    "push elsewhere": ("push", without(push(), "installation")),
    "re-run elsewhere": ("check_run", without(check_run("rerequested"), "installation")),
    "comment edited": ("issue_comment", comment("/tuppence approve", "edited")),
    "comment deleted": ("issue_comment", comment("/tuppence approve", "deleted")),
    "comment on an issue": ("issue_comment", without(comment("/tuppence help"), "issue", "pull_request")),
    "comment to others": ("issue_comment", comment("Looks good.")),
    "empty comment": ("issue_comment", comment(None)),
    "our own comment": (
        "issue_comment",
        comment("/tuppence approve", user={"login": "tuppence[bot]", "id": 8, "type": "Bot"}),
    ),
    "author is gone": ("issue_comment", comment("/tuppence approve", user=None)),
    "other button": (
        "check_run",
        check_run("requested_action", requested_action={"identifier": "fix"}),
    ),
    "check made": ("check_run", check_run("created")),
    "tag": ("push", push("refs/tags/v1.2")),
    "branch deleted": ("push", push(after="0" * 40, deleted=True)),
    "permissions": ("installation", installed("new_permissions_accepted")),
}


@pytest.mark.parametrize(("event", "payload"), IGNORED.values(), ids=IGNORED.keys())
def test_what_asks_for_nothing_is_ignored(event: str, payload: dict[str, Any]) -> None:
    """Answered like any other delivery, and no work follows."""
    assert isinstance(read(event, payload), Ignored)


def test_a_delivery_is_told_by_the_digest_of_its_body() -> None:
    """The id stays when GitHub delivers again, and nobody signed it."""
    sent = body(pull_request("opened"))
    delivery, _ = parse(headers("pull_request", sent), sent, [SECRET])
    digest = hashlib.sha256(sent).hexdigest()
    assert delivery == Delivery("72d3162e-cc78-11e3-81ab-4c9367dc0958", "pull_request", digest)


def test_the_same_body_is_the_same_work_under_whatever_id() -> None:
    """Nobody signed the id: whoever has a delivery could send it again under another one."""
    event = Ignored("a test")
    works = [
        work_of(Delivery(name, "push", digest), event)
        for name, digest in (("1", "a"), ("2", "a"), ("1", "b"))
    ]
    assert works[0].identity == works[1].identity != works[2].identity


def test_a_fork_that_has_the_commit_is_no_pull_request_of_ours() -> None:
    """GitHub lists pull requests of other repositories with the same head as well."""
    payload = check_run("rerequested", (12, 3))
    payload["check_run"]["pull_requests"][1]["base"]["repo"]["id"] = 8
    event = read("check_run", payload)
    assert isinstance(event, CheckAsked)
    assert event.ref == REF


def test_a_nul_in_a_comment_is_replaced() -> None:
    """PostgreSQL's text has no place for it."""
    event = read("issue_comment", comment("/tuppence\0help"))
    assert isinstance(event, CommandWritten)
    assert event.text == "/tuppence\N{REPLACEMENT CHARACTER}help"


SENT = body(pull_request("opened"))
BAD_SIGNATURES = {
    "missing": "",
    "short": "sha256=00",
    "not ASCII": "sha256=" + "é" * 64,
    "lone surrogate": "sha256=\ud800",
    "SHA-1 only": "sha1=" + "0" * 40,
    "of another body": signature(SECRET, SENT + b" "),
    "of another secret": signature("guess", SENT),
    "of no secret": signature("", SENT),
    "upper case": signature(SECRET, SENT).upper(),
    "with a blank": signature(SECRET, SENT) + " ",
}


@pytest.mark.parametrize("claimed", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES.keys())
def test_a_bad_signature_is_refused(claimed: str) -> None:
    """With 401, however malformed it is; and an empty secret signs nothing."""
    with pytest.raises(BadSignature) as refused:
        parse(headers("pull_request", SENT, X_Hub_Signature_256=claimed), SENT, [SECRET, ""])
    assert refused.value.status == 401


def test_either_of_two_secrets_signs() -> None:
    """A secret is replaced without losing a delivery."""
    for secret in ("old", "new"):
        assert is_signed(signature(secret, SENT), SENT, ["new", "old"])


def test_githubs_own_example_of_a_signature_holds() -> None:
    """From GitHub's page about validating webhook deliveries."""
    expected = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature(SECRET, b"Hello, World!") == f"sha256={expected}"


@pytest.mark.parametrize(
    "media", ["application/x-www-form-urlencoded", "text/plain", "", "application/jsonx"]
)
def test_only_json_is_taken(media: str) -> None:
    """A webhook set up to send forms is told so."""
    with pytest.raises(UnsupportedMediaType, match="application/json") as refused:
        parse(headers("pull_request", SENT, Content_Type=media), SENT, [SECRET])
    assert refused.value.status == 415


def test_json_may_name_its_characters() -> None:
    """The parameter of a media type changes nothing."""
    assert read("ping", {}, Content_Type="Application/JSON; charset=utf-8") == Ignored("event ping")


def test_more_than_github_sends_is_refused() -> None:
    """Before anybody computes a signature over it."""
    with pytest.raises(TooLarge) as refused:
        parse({}, bytes(MOST_BYTES + 1), [SECRET])
    assert refused.value.status == 413


BAD_BODIES = {
    "empty": b"",
    "NaN": b'{"action": NaN}',
    "minus infinity": b'{"action": -Infinity}',
    "too large a float": b'{"action": 1e999}',
    "a key twice": b'{"action": "closed", "action": "opened"}',
    "100,000 deep": b'{"action":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "5,000 digits": b'{"action": ' + b"9" * 5_000 + b"}",
    "half a surrogate": b'{"title": "\\ud800", "action": "opened"}',
    "half a surrogate in capitals": b'{"title": "\\uD800", "action": "opened"}',
    "a surrogate as UTF-8": b'{"title": "\xed\xa0\x80"}',
    "UTF-16": '{"action": "opened"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"action": "opened"}'.encode("utf-16-le"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "NUL": b'{"action": "opened\x00"}',
    "cut off": SENT[:-10],
    "a form": b"payload=%7B%7D",
    "a list": b"[]",
    "null": b"null",
}


@pytest.mark.parametrize("sent", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_json_is_read_strictly(sent: bytes) -> None:
    """Refused with 400, though it is signed; the body is not repeated."""
    with pytest.raises(BadDelivery) as refused:
        parse(headers("pull_request", sent), sent, [SECRET])
    assert refused.value.status == 400
    assert str(refused.value).startswith("the body is ")


CHANGED = pull_request("opened")
BAD_FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    "no action": ("pull_request", without(CHANGED, "action")),
    "action is a list": ("pull_request", {**CHANGED, "action": ["opened"]}),
    "action with a line": ("pull_request", {**CHANGED, "action": "opened\nroot"}),
    "no pull request": ("pull_request", without(CHANGED, "pull_request")),
    "a comment's body": ("pull_request", {**comment("/tuppence help"), "action": "opened"}),
    "number is true": ("pull_request", pull_request("opened", number=True)),
    "number is 0": ("pull_request", pull_request("opened", number=0)),
    "number is text": ("pull_request", pull_request("opened", number="12")),
    "number is huge": ("pull_request", pull_request("opened", number=2**63)),
    "head is null": ("pull_request", pull_request("opened", head=None)),
    "head is an option": ("pull_request", pull_request("opened", head={"sha": "--upload-pack=id"})),
    "head with a line": ("pull_request", pull_request("opened", head={"sha": HEAD + "\n"})),
    "base is NUL": ("pull_request", pull_request("opened", base={"ref": "ma\0in"})),
    "installation is text": ("pull_request", {**CHANGED, "installation": {"id": "42"}}),
    "merged is text": ("pull_request", pull_request("closed", merged="yes")),
    "merged without commit": ("pull_request", pull_request("closed", merged=True, merge_commit_sha=None)),
    "pull requests are numbers": (
        "check_run",
        check_run("rerequested") | {"check_run": {"pull_requests": [1]}},
    ),
    "repositories are 5": ("installation", {**installed("created"), "repositories": 5}),
    "a server to trip over": (
        "installation",
        {**installed("created"), "installation": {"id": 1, "account": {"html_url": "http://[/x y"}}},
    ),
    "author with a mention": ("issue_comment", comment("/tuppence", user={"login": "@all", "id": 5})),
    "a comment of 1 MB": ("issue_comment", comment("/tuppence" * 120_000)),
} | {
    f"repository {key} {value}": ("pull_request", {**CHANGED, "repository": {**REPOSITORY, key: value}})
    for key, value in (
        ("full_name", "acme/.."),
        ("full_name", "../../user"),
        ("full_name", "acme"),
        ("full_name", None),
        ("clone_url", "ext::sh -c id"),
        ("clone_url", "file:///etc"),
        ("clone_url", "https://user:pass@github.com/acme/shop.git"),
        ("id", -1),
    )
}


@pytest.mark.parametrize(("event", "payload"), BAD_FIELDS.values(), ids=BAD_FIELDS.keys())
def test_a_field_that_github_would_not_send_is_refused(event: str, payload: dict[str, Any]) -> None:
    """With 400 and the field's name."""
    with pytest.raises(BadDelivery, match=r"^\w+ is not "):
        read(event, payload)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X_GitHub_Event", ""),
        ("X_GitHub_Event", "pull_request\n"),
        ("X_GitHub_Event", "../x"),
        ("X_GitHub_Delivery", ""),
        ("X_GitHub_Delivery", "é"),
        ("X_GitHub_Delivery", "1" * 65),
    ],
)
def test_headers_that_nobody_signed_must_have_their_form(header: str, value: str) -> None:
    """They end up in logs."""
    with pytest.raises(BadDelivery, match="X-GitHub"):
        read("pull_request", CHANGED, **{header: value})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
WHERE = [
    (event, payload, path)
    for event, payload, _ in READ.values()
    for path in [(key,) for key in payload]
    + [(key, name) for key in payload if isinstance(payload[key], dict) for name in payload[key]]
]


@given(where=st.sampled_from(WHERE), value=ANYTHING)
def test_no_value_anywhere_breaks_the_reader(
    where: tuple[str, dict[str, Any], tuple[str, ...]], value: object
) -> None:
    """A delivery is read or refused; nothing else is ever raised."""
    event, payload, path = where
    changed = copy.deepcopy(payload)
    place = changed if len(path) == 1 else changed[path[0]]
    place[path[-1]] = value
    sent = json.dumps(changed).encode()
    with suppress(BadDelivery):
        assert isinstance(parse(headers(event, sent), sent, [SECRET])[1], Event)


@given(claimed=st.text(), sent=st.binary(), name=st.sampled_from([*READERS, "x"]))
def test_nothing_unsigned_is_read(claimed: str, sent: bytes, name: str) -> None:
    """Whatever stands in the header."""
    with pytest.raises(BadSignature):
        parse(headers(name, sent, X_Hub_Signature_256=claimed), sent, [SECRET])
