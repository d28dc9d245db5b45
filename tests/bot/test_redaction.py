"""No secret is left in a text, in whatever form it got there."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.redaction import HIDDEN, Redactor

CANARY = "c4nary/+=&% secret"
KEY_LINES = ["MIIEowIBAAKCAQEA1c7c4narycanary", "Yk3canaryT0canary9canaryqqqqqqq"]
KEY = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *KEY_LINES, "-----END RSA PRIVATE KEY-----"])
KNOWN = {
    "as it is": CANARY,
    "in a URL": quote(CANARY, safe=""),
    "in a path": quote(CANARY),
    "in a form": quote_plus(CANARY),
    "with small escapes": quote(CANARY, safe="")
    .replace("%2F", "%2f")
    .replace("%2B", "%2b")
    .replace("%3D", "%3d"),
    "in JSON": json.dumps({"secret": CANARY}),
    "in Base64": base64.b64encode(CANARY.encode()).decode(),
    "in a URL's Base64": base64.urlsafe_b64encode(CANARY.encode()).decode(),
    "in a traceback": f"ValueError: cannot use {CANARY!r}",
}


@pytest.mark.parametrize("text", KNOWN.values(), ids=KNOWN.keys())
def test_a_known_secret_is_hidden_in_every_form(text: str) -> None:
    """And what stands around it stays."""
    cleaned = Redactor([CANARY]).clean(f"before {text} after")
    assert text not in cleaned
    assert HIDDEN in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


@given(before=st.text(max_size=9), secret=st.text(min_size=12, max_size=40), after=st.text(max_size=9))
def test_base64_of_a_longer_text_gives_nothing_away(before: str, secret: str, after: str) -> None:
    """`user:password` of a header, wherever in it the secret starts."""
    coded = base64.b64encode((before + secret.strip() + after).encode()).decode()
    cleaned = Redactor([secret]).clean(coded)
    assert len(secret.strip()) < 12 or cleaned != coded


@given(secret=st.text(min_size=8, max_size=60), around=st.text(max_size=20))
def test_a_known_secret_never_stays(secret: str, around: str) -> None:
    """Whatever it is made of."""
    value = secret.strip()
    cleaned = Redactor([secret]).clean(f"{around}{value}{around}")
    assert len(value) < 8 or value in HIDDEN or value not in cleaned


def test_a_key_is_hidden_line_by_line() -> None:
    """A traceback or a diff shows a part of a file."""
    cleaned = Redactor([KEY]).clean(f"line 2: {KEY_LINES[0]}\nkey: {json.dumps(KEY)}\n+{KEY_LINES[1]}")
    assert not any(line in cleaned for line in KEY_LINES)


def test_the_longer_secret_goes_first() -> None:
    """A secret that contains another leaves no rest."""
    assert Redactor(["canary", "canary-and-more"]).clean("canary-and-more") == HIDDEN


def test_the_password_of_an_address_is_a_secret() -> None:
    """A database's error may name the password alone, without its escapes."""
    cleaned = Redactor(["postgresql://bot:c4n%40ry/1@db/tuppence"]).clean("no: c4n@ry/1, c4n%40ry/1, db")
    assert cleaned == f"no: {HIDDEN}, {HIDDEN}, db"


def test_too_short_a_secret_eats_no_words() -> None:
    """Hiding `a` would hide every sentence."""
    assert Redactor(["a", "", "  "]).clean("a fine day") == "a fine day"


PATTERNS = {
    "installation token of 520 characters": "ghs_" + "12345_eyJhbGciOi.J9-x_" * 23,
    "old installation token": "ghs_" + "aB3" * 12,
    "personal token": "ghp_" + "aB3" * 12,
    "fine-grained token": "github_pat_" + "aB3_" * 20,
    "Slack bot token": "xoxb-1234567890-abcdefABCDEF",
    "Slack app token": "xapp-1-A0-123-abcdef",
    "JWT": "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMiJ9.c2lnbmF0dXJl",
    "key": KEY,
    "key on one line": json.dumps(KEY)[1:-1],
}


@pytest.mark.parametrize("secret", PATTERNS.values(), ids=PATTERNS.keys())
def test_what_looks_like_a_secret_is_hidden_unknown(secret: str) -> None:
    """Nobody told us of it."""
    assert Redactor().clean(f"before {secret} after") == f"before {HIDDEN} after"


HEADERS = [
    "Authorization: Bearer c4nary-without-digit",
    "Authorization: token c4nary",
    "{'Authorization': 'token c4nary'}",
    '"authorization":"Basic Y2FuYXJ5"',
    "authorization=c4nary",
    "curl -H 'bearer abc4naryc4nary123'",
    "https://x-access-token:c4nary@github.com/acme/shop.git",
    "postgresql://bot:c4nary@db/tuppence",
    "https://:c4nary@example.org",
]


@pytest.mark.parametrize("text", HEADERS)
def test_credentials_are_hidden_where_they_travel(text: str) -> None:
    """Headers and addresses."""
    cleaned = Redactor().clean(text)
    assert "c4nary" not in cleaned
    assert "Y2FuYXJ5" not in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "bearer of bad news-and-other-things",
        "GET https://api.github.com/repos/acme/shop/pulls/12 200",
        "git@github.com:acme/shop.git",
        "6dcb09b5b57875f334f61aebed695e2e4193db5e",
        "the token expires-at-midnight-in-2026",
        "registry.example.org:5000/shop:v1.2@sha256:0000",
    ],
)
def test_other_text_stays(text: str) -> None:
    """A log that hides everything helps nobody."""
    assert Redactor().clean(text) == text


def test_a_secret_may_come_later() -> None:
    """Tokens are minted while the bot runs."""
    redactor = Redactor(["first-canary"])
    redactor.add("second-canary")
    assert redactor.clean("first-canary second-canary") == f"{HIDDEN} {HIDDEN}"


def test_only_the_newest_minted_tokens_are_kept() -> None:
    """A year of hourly tokens must not slow down every line; those from the start are never forgotten."""
    redactor = Redactor(["from-the-start"])
    for number in range(300):
        redactor.add(f"canary-{number:03}-")
    assert redactor.clean("canary-000- canary-299- from-the-start") == f"canary-000- {HIDDEN} {HIDDEN}"


@pytest.mark.parametrize(
    "text",
    [
        "eyJaaaaaaaaa-" * 20_000,
        "://" * 80_000,
        "-----BEGIN PRIVATE KEY-----" * 9_000,
        "bearer " * 40_000,
        "basic:::" * 30_000,
    ],
    ids=["JWT", "address", "key", "bearer", "basic"],
)
def test_a_text_made_to_be_slow_is_not(text: str) -> None:
    """A quarter of a megabyte a stranger wrote; quadratic patterns would take minutes."""
    started = time.process_time()
    Redactor().clean(text)
    assert time.process_time() - started < 5
