"""Being a GitHub App, against a peer on loopback that answers as GitHub does."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from functools import cache

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.adapters.github_app import READ_FILES, WRITE_CHECKS, AppTokens
from bot.adapters.github_client import GitHubClient, maybe, path, take
from bot.errors import GitHubRefused, GitHubUnavailable, OutsideError, UserError
from bot.github_events import Repository
from tests.http_peer import Asked, Reply, peer
from tests.ports import held_port

SHOP = Repository(11, "acme", "shop", "https://github.com/acme/shop.git", "main")
CANARY = "ghs_" + "canary." * 70


@cache
def private_key() -> str:
    """A key that was made for this test."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def said(body: object, status: int = 200, **headers: str) -> Reply:
    """An answer in JSON."""
    return Reply(
        json.dumps(body).encode(), status, {name.replace("_", "-"): it for name, it in headers.items()}
    )


class Clock:
    """The time, which only a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self.now


def mint_script(asked: Asked) -> Reply:
    """Hands out tokens of an hour, and takes the last one."""
    if asked.path.endswith("/access_tokens"):
        return said({"token": CANARY, "expires_at": "2027-01-15T09:00:00Z"}, 201)
    if asked.path.endswith("/app"):
        return said({"slug": "tuppence"})
    return said({"ok": True})


def test_a_token_reaches_one_repository_and_no_further() -> None:
    """It is asked for with the repository's id and the job's own permissions, signed by the App."""
    with peer(mint_script) as (url, asked):
        seen: list[str] = []
        tokens = AppTokens(7, private_key(), url, minted=seen.append)
        token = tokens.mint(3, 11, READ_FILES)
    assert (token.value, seen) == (CANARY, [CANARY])
    assert CANARY not in repr(token)
    (request,) = asked
    assert (request.method, request.path) == ("POST", "/app/installations/3/access_tokens")
    assert json.loads(request.body) == {"repository_ids": [11], "permissions": {"contents": "read"}}
    scheme, _, value = request.headers["Authorization"].partition(" ")
    assert scheme == "Bearer"
    assert jwt.decode(value, options={"verify_signature": False})["iss"] == "7"


def test_a_token_is_used_until_five_minutes_before_it_expires() -> None:
    """One for each repository and set of permissions."""
    clock = Clock()
    with peer(mint_script) as (url, asked):
        tokens = AppTokens(7, private_key(), url, clock=clock)
        expires = tokens.mint(3, 11, READ_FILES).expires
        clock.now = expires - 301
        tokens.mint(3, 11, dict(READ_FILES))
        assert len(asked) == 1
        clock.now = expires - 299
        tokens.mint(3, 11, READ_FILES)
        assert len(asked) == 2
        tokens.mint(3, 12, READ_FILES)
        tokens.mint(3, 11, WRITE_CHECKS)
        assert len(asked) == 4


def test_the_apps_own_name_is_asked_for_once() -> None:
    """Comments are ours only under this name."""
    with peer(mint_script) as (url, asked):
        tokens = AppTokens(7, private_key(), url)
        assert [tokens.login(), tokens.login()] == ["tuppence[bot]"] * 2
    assert len(asked) == 1


def test_a_job_mints_its_token_only_when_it_asks_something() -> None:
    """And a token that GitHub no longer takes is replaced by the next try."""
    refuse = [True]

    def script(asked: Asked) -> Reply:
        if asked.path == "/thing" and refuse.pop():
            refuse.append(False)
            return said({"message": "Bad credentials"}, 401)
        refuse.append(False)
        return mint_script(asked)

    refuse[:] = [True]
    with peer(lambda it: script(it) if it.path == "/thing" else mint_script(it)) as (url, asked):
        tokens = AppTokens(7, private_key(), url)
        with tokens.client(3, SHOP, READ_FILES) as client:
            assert asked == []
            with pytest.raises(GitHubUnavailable):
                client.get("/thing")
            assert client.get("/thing") == {"ok": True, "url": "/thing"}
    assert sum(it.path.endswith("access_tokens") for it in asked) == 2


@pytest.mark.parametrize(
    "key", ["", "no key", "-----BEGIN RSA PRIVATE KEY-----\nsecret\n-----END RSA PRIVATE KEY-----"]
)
def test_a_private_key_that_signs_nothing_is_refused_at_once(key: str) -> None:
    """In one line that names the setting and does not quote the key."""
    with pytest.raises(UserError, match=r"^GITHUB_APP_PRIVATE_KEY: .*PEM") as caught:
        AppTokens(7, key)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


FAULTS: dict[str, tuple[Reply, type[OutsideError], str | int, float | None]] = {
    "502": (said({}, 502), GitHubUnavailable, "outage", None),
    "500 in HTML": (Reply(b"<html>Unicorn!</html>", 500), GitHubUnavailable, "outage", None),
    "202": (said({}, 202), GitHubUnavailable, "outage", None),
    "HTML for JSON": (Reply(b"<html>hello</html>"), GitHubUnavailable, "garbled", None),
    "half JSON": (Reply(b'{"a": [1,'), GitHubUnavailable, "garbled", None),
    "a list for an object": (said(["a"]), GitHubUnavailable, "garbled", None),
    "an error that is a list": (said(["a"], 422), GitHubUnavailable, "garbled", None),
    "nothing": (Reply(b""), GitHubUnavailable, "garbled", None),
    "half the bytes": (Reply(b"{", 200, {"Content-Length": "500"}), GitHubUnavailable, "outage", None),
    "odd rate headers": (
        said({}, x_ratelimit_limit="1e999", x_ratelimit_remaining="nan"), GitHubUnavailable, "garbled", None,
    ),
    "redirect elsewhere": (said({}, 301, location="https://example.org/a"), GitHubUnavailable, "garbled", None),
    "primary limit": (
        said({"message": "API rate limit exceeded for installation"}, 403,
             x_ratelimit_remaining="0", x_ratelimit_reset="1"),
        GitHubUnavailable, "limit", 1.0,
    ),
    "secondary limit": (
        said({"message": "You have exceeded a secondary rate limit."}, 403), GitHubUnavailable, "limit", 60.0,
    ),
    "secondary limit with a time": (
        said({"message": "You have exceeded a secondary rate limit."}, 403, retry_after="17"),
        GitHubUnavailable, "limit", 17.0,
    ),
    "a limit in other words": (
        said({"message": "Come back later"}, 403, retry_after="17"), GitHubUnavailable, "limit", 17.0,
    ),
    "429": (said({"message": "slow down"}, 429), GitHubUnavailable, "limit", 60.0),
    "429 for ages": (said({}, 429, retry_after="99999999"), GitHubUnavailable, "limit", 3600.0),
    "429 with words": (said({}, 429, retry_after="soon"), GitHubUnavailable, "limit", 60.0),
    "403": (said({"message": "Resource not accessible by integration"}, 403), GitHubRefused, 403, None),
    "404": (said({"message": "Not Found"}, 404), GitHubRefused, 404, None),
    "404 without a word": (Reply(b"", 404), GitHubRefused, 404, None),
    "422": (said({"message": "Validation Failed"}, 422), GitHubRefused, 422, None),
    "401 to the app": (said({"message": "Bad credentials"}, 401), GitHubRefused, 401, None),
}  # fmt: skip


@pytest.fixture
def client_at() -> Iterator[Callable[[str], GitHubClient]]:
    """Clients, closed afterwards."""
    made: list[GitHubClient] = []

    def make(url: str) -> GitHubClient:
        made.append(GitHubClient(url, lambda: CANARY))
        return made[-1]

    yield make
    for client in made:
        client.close()


def _thing(client: GitHubClient, verb: str) -> object:
    return take(client.get("/thing") if verb == "GET" else client.post("/thing", {}), dict, "thing")


@pytest.mark.parametrize(
    ("fault", "verb"),
    # To a write, 202 is a fine answer.
    [(fault, verb) for fault in FAULTS for verb in ("GET", "POST") if (fault, verb) != ("202", "POST")],
)
def test_every_fault_becomes_one_of_our_two_errors(
    client_at: Callable[[str], GitHubClient], fault: str, verb: str
) -> None:
    """With the wait that GitHub asks for, and nothing is ever sent twice."""
    reply, error, kind, wait = FAULTS[fault]
    with peer(lambda _: reply) as (url, asked), pytest.raises(error) as caught:
        _thing(client_at(url), verb)
    assert len(asked) == 1
    if isinstance(caught.value, GitHubUnavailable):
        assert (caught.value.kind, caught.value.retry_after) == (kind, wait)
    elif isinstance(caught.value, GitHubRefused):
        assert (caught.value.status, caught.value.denied) == (kind, kind == 401)
    assert CANARY not in str(caught.value)


def test_a_page_for_people_is_not_taken_for_done(client_at: Callable[[str], GitHubClient]) -> None:
    """A proxy answers so where GitHub would answer with nothing."""
    with peer(lambda _: Reply(b"<html>hello</html>")) as (url, _), pytest.raises(GitHubUnavailable):
        client_at(url).delete("/thing")


def test_silence_is_a_timeout(
    client_at: Callable[[str], GitHubClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job does not wait for ever."""
    monkeypatch.setattr("bot.adapters.github_client._SECONDS", 1)

    def script(_: Asked) -> Reply:
        time.sleep(1.5)
        return said({})

    with peer(script) as (url, _), pytest.raises(GitHubUnavailable) as caught:
        client_at(url).post("/thing", {})
    assert caught.value.kind == "timeout"


def test_nobody_there_is_an_outage(client_at: Callable[[str], GitHubClient]) -> None:
    """The connection is refused."""
    with held_port() as port, pytest.raises(GitHubUnavailable) as caught:
        client_at(f"http://127.0.0.1:{port}").get("/thing")
    assert caught.value.kind == "outage"


def test_lists_are_read_to_their_end(client_at: Callable[[str], GitHubClient]) -> None:
    """As long as GitHub names a next page; some lists stand under a key."""

    def script(asked: Asked) -> Reply:
        page = int(asked.form["page"][0])
        link = (
            '<http://x/?page=2>; rel="next", <http://x/?page=3>; rel="last"'
            if page < 3
            else '<x>; rel="first"'
        )
        return said({"total_count": 3, "runs": [{"page": page}]}, link=link)

    with peer(script) as (url, asked):
        assert list(client_at(url).pages("/runs", "runs", name="a b")) == [
            {"page": 1},
            {"page": 2},
            {"page": 3},
        ]
    assert asked[0].form == {"name": ["a b"], "per_page": ["100"], "page": ["1"]}


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
@pytest.mark.parametrize("verb", ["POST", "PATCH", "DELETE"])
def test_a_write_follows_a_repository_that_was_renamed(
    client_at: Callable[[str], GitHubClient], verb: str, prefix: str
) -> None:
    """Once, and it is not taken for done before that."""
    old, new = f"{prefix}/repos/acme/shop/issues", f"{prefix}/repositories/11/issues"

    def script(asked: Asked) -> Reply:
        there = f"http://{asked.headers['Host']}{new}"
        moved = said({"message": "Moved Permanently", "url": there}, 307, location=there)
        return moved if asked.path == old else said({"id": 1})

    with peer(script) as (url, asked):
        client = client_at(f"{url}{prefix}")
        endpoint = path("repos", "acme", "shop", "issues")
        if verb == "DELETE":
            client.delete(endpoint)
        else:
            answer = (client.post if verb == "POST" else client.patch)(endpoint, {"title": "x"})
            assert answer["id"] == 1
    assert [(one.method, one.path) for one in asked] == [(verb, old), (verb, new)]
    assert asked[0].body == asked[1].body


def test_the_path_of_an_enterprise_server_is_kept(client_at: Callable[[str], GitHubClient]) -> None:
    """GitHub Enterprise Server answers below /api/v3; who asks, and by which version, is said."""
    with peer(lambda _: said({})) as (url, asked):
        client_at(f"{url}/api/v3").patch(path("repos", "acme", "shop"), {"a": 1})
    assert (asked[0].method, asked[0].path) == ("PATCH", "/api/v3/repos/acme/shop")
    assert asked[0].headers["X-GitHub-Api-Version"] == "2022-11-28"
    assert asked[0].headers["User-Agent"].startswith("tuppence/")
    assert asked[0].headers["Authorization"] == f"token {CANARY}"


@pytest.mark.parametrize("name", ["../../user", "a/b", "a?x=1", "a#b", "%2e%2e", "ü \n"])
def test_a_name_stays_in_its_segment(client_at: Callable[[str], GitHubClient], name: str) -> None:
    """It cannot reach another endpoint."""
    with peer(lambda _: said({})) as (url, asked):
        client_at(url).get(path("orgs", name, "teams"))
    assert asked[0].path.count("/") == 3
    assert asked[0].path.startswith("/orgs/")
    assert asked[0].path.endswith("/teams")


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_is_none_is_never_asked_for(name: str) -> None:
    """Even when escaped, these mean another folder to many servers."""
    with pytest.raises(GitHubRefused):
        path("orgs", name)


def test_values_are_taken_only_with_their_type() -> None:
    """True is no number, a number no text, and what is not there is said."""
    answer = {"a": {"n": 1, "yes": True, "none": None}}
    assert (take(answer, int, "a", "n"), take(answer, bool, "a", "yes")) == (1, True)
    assert [maybe(answer, int, "a", "yes"), maybe(answer, str, "a", "n"), maybe(answer, str, "b", "c")] == [
        None
    ] * 3
    with pytest.raises(GitHubUnavailable, match=r"no a\.none"):
        take(answer, str, "a", "none")


def test_the_token_is_logged_at_no_level_we_use(
    client_at: Callable[[str], GitHubClient], caplog: pytest.LogCaptureFixture
) -> None:
    """PyGithub writes headers at DEBUG; from INFO up nothing shows."""
    with caplog.at_level(logging.INFO), peer(lambda _: said({})) as (url, _):
        client_at(url).get("/thing")
    assert CANARY not in caplog.text
