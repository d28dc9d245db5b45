"""What can go wrong between a client and GitHub, before and after the effect."""

from __future__ import annotations

import time

import pytest
import requests

from tests.github.client import Shop
from tests.github.faults import KINDS, Kind
from tests.github.service import GitHub

COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
PATH = "/repos/acme/shop/issues/1/comments"
STATUSES: dict[Kind, int] = {"secondary": 403, "primary": 403, "html": 200}
ON_THE_WIRE: tuple[Kind, ...] = ("hang", "reset", "cut")


@pytest.fixture
def shop(hub: GitHub) -> Shop:
    """A repository with the app on it and one pull request."""
    return Shop(hub)


@pytest.mark.parametrize("after_effect", [False, True], ids=["before the effect", "after the effect"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in (*ON_THE_WIRE, "drip")])
def test_a_bad_answer_comes_once_and_says_nothing_of_the_effect(
    shop: Shop, kind: Kind, after_effect: bool
) -> None:
    """The same request works again; with the effect done, it is done twice."""
    token = shop.token()
    fault = shop.hub.fault(f"POST {COMMENTS}", kind, after_effect=after_effect, retry_after=3)
    answer = shop.ask("POST", PATH, {"body": "b"}, token=token)
    assert answer.status_code == (STATUSES[kind] if kind in STATUSES else int(kind))
    assert ("Retry-After" in answer.headers) == (kind not in ("html", "202", "primary"))
    assert shop.ask("POST", PATH, {"body": "b"}, token=token).status_code == 201
    assert fault.hits == 1
    assert shop.hub.journal.calls[f"POST {COMMENTS}"] == 2
    assert len(shop.hub.journal.of("comment.created", number=1)) == 1 + after_effect


@pytest.mark.parametrize("kind", ON_THE_WIRE)
def test_a_connection_can_hang_break_or_end_early(shop: Shop, kind: Kind) -> None:
    """Each is an exception for the client, whatever became of the comment."""
    token = shop.token()
    fault = shop.hub.fault(f"POST {COMMENTS}", kind, after_effect=True)
    headers = {"Authorization": f"Bearer {token}"}
    with pytest.raises(requests.RequestException):
        requests.post(shop.hub.api_url + PATH, json={"body": "b"}, headers=headers, timeout=2)
    assert fault.hits == 1
    assert len(shop.hub.journal.of("comment.created")) == 1


def test_an_answer_can_drip(shop: Shop) -> None:
    """It is whole in the end, and a byte at a time."""
    token = shop.token()
    shop.hub.fault("GET /rate_limit", "drip", seconds=0.0005)
    began = time.monotonic()
    answer = shop.ask("GET", "/rate_limit", token=token)
    assert answer.json()["rate"]["limit"] == 5000
    assert time.monotonic() - began > 0.0005 * len(answer.content)


def test_a_fault_strikes_the_nth_call_of_a_pattern(shop: Shop) -> None:
    """The second and third of three reads of comments."""
    token = shop.token()
    fault = shop.hub.fault("GET *comments", "503", nth=2, times=2)
    answers = [shop.ask("GET", PATH, token=token).status_code for _ in range(4)]
    assert (answers, fault.hits) == ([200, 503, 503, 200], 2)


def test_a_clone_can_fail_too(shop: Shop) -> None:
    """By its own name."""
    fault = shop.hub.fault("GIT refs", "503", times=None)
    url = f"{shop.hub.clone_url}/acme/shop.git/info/refs?service=git-upload-pack"
    assert requests.get(url, timeout=5).status_code == 503
    assert fault.hits == 1
