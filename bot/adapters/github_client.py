"""One job's connection to GitHub. Whatever goes wrong in PyGithub ends here.

PyGithub's objects ask GitHub for more when an attribute is read, and its default connection repeats a
POST that failed. So only its requester is used, with plain JSON, and nothing is ever sent twice.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import requests
from github import Auth, Github, GithubException, RateLimitExceededException
from github.Requester import Requester
from urllib3.util import Retry

from bot import __version__
from bot.adapters.github_pacing import Pacer
from bot.errors import GitHubRefused, GitHubUnavailable

T = TypeVar("T")
Json = dict[str, Any]
PUBLIC_API = "https://api.github.com"
_API_VERSION = "2022-11-28"
_SECONDS = 10
_PAGE = 100
_MOST_PAGES = 100
_LIMITED_SECONDS = 60.0
"""What GitHub asks for where a secondary limit names no time.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
_LONGEST_WAIT = 3600.0
_GARBLED = (ValueError, ArithmeticError, AssertionError, RuntimeError, AttributeError, TypeError)
"""What PyGithub raises for broken JSON, odd headers, redirects elsewhere, and a list for an object."""
_BY_NUMBER = "/repositories/"
_NEXT_PAGE = re.compile(r';\s*rel="next"')


def path(*segments: str | int) -> str:
    """The path of an endpoint. A name can neither leave its segment nor add a query."""
    words = [str(segment) for segment in segments]
    if any(word in {"", ".", ".."} for word in words):
        raise GitHubRefused(f"GitHub has nothing called {'/'.join(words)!r}", 404)
    return "".join(f"/{quote(word, safe='')}" for word in words)


def take(answer: object, kind: type[T], *keys: str) -> T:
    """The value of that type below `keys`; raises GitHubUnavailable where GitHub sent something else."""
    found = maybe(answer, kind, *keys)
    if found is None:
        raise GitHubUnavailable(f"GitHub's answer has no {'.'.join(keys) or kind.__name__}", "garbled")
    return found


def maybe(answer: object, kind: type[T], *keys: str) -> T | None:
    """The value of that type below `keys`, None where there is none."""
    for key in keys:
        answer = answer.get(key) if isinstance(answer, dict) else None
    # Exactly this type: True must not pass for a number.
    return answer if type(answer) is kind else None


class GitHubClient:
    """Requests under one token. Not for several threads at once."""

    def __init__(
        self,
        api_url: str,
        token: Callable[[], str],
        *,
        scheme: Literal["token", "Bearer"] = "token",
        forget: Callable[[], None] | None = None,
        pacer: Pacer | None = None,
        answered: Callable[[int, Mapping[str, str]], None] = lambda _status, _headers: None,
    ) -> None:
        """`token` is asked before every request; `forget` is told when GitHub does not take it any more.

        `pacer` is asked before every write; who calls must hold no lock and no transaction. `answered` is
        told of every answer: its status, 0 where there was none, and its headers.
        """
        self._api_url, self._token, self._scheme, self._forget = api_url, token, scheme, forget
        self._pacer, self._answered = pacer, answered
        self._requester: tuple[str, Requester] | None = None

    def get(self, endpoint: str, **parameters: str | int) -> object:
        """The JSON of an endpoint."""
        return self._ask("GET", endpoint, parameters=parameters)[1]

    def pages(self, endpoint: str, key: str = "", **parameters: str | int) -> Iterator[Json]:
        """Every item of a list, which stands under `key` where one is named."""
        for page in range(1, _MOST_PAGES + 1):
            asked = {**parameters, "per_page": _PAGE, "page": page}
            headers, answer = self._ask("GET", endpoint, parameters=asked)
            for item in take(answer, list, *([key] if key else [])):
                yield take(item, dict)
            if not _NEXT_PAGE.search(str(headers.get("link", ""))):
                return

    def post(self, endpoint: str, body: Json) -> Json:
        """Create something. After GitHubUnavailable it may exist all the same: look before trying again."""
        return take(self._ask("POST", endpoint, body=body)[1], dict)

    def patch(self, endpoint: str, body: Json) -> Json:
        """Change something."""
        return take(self._ask("PATCH", endpoint, body=body)[1], dict)

    def delete(self, endpoint: str) -> None:
        """Remove something."""
        self._ask("DELETE", endpoint)

    def close(self) -> None:
        """Close the connection."""
        if self._requester is not None:
            self._requester[1].close()
            self._requester = None

    def _ask(
        self,
        verb: str,
        endpoint: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: Json | None = None,
    ) -> tuple[Mapping[str, Any], object]:
        if self._pacer is not None and verb != "GET":
            self._connected()  # a token is minted before the wait, so that the write follows it at once
            self._pacer.wait()
        requester = self._connected()
        try:
            headers, answer = requester.requestJsonAndCheck(
                verb, endpoint, parameters=dict(parameters or {}), input=body
            )
        except GithubException as error:
            raise self._refusal(error, f"{verb} {endpoint}") from error
        except requests.Timeout as error:
            self._answered(0, {})
            raise GitHubUnavailable(f"GitHub did not answer {verb} {endpoint} in time", "timeout") from error
        except OSError as error:
            self._answered(0, {})
            raise GitHubUnavailable(f"GitHub did not answer {verb} {endpoint}", "outage") from error
        except _GARBLED as error:
            self._answered(0, {})
            raise GitHubUnavailable(f"GitHub's answer to {verb} {endpoint} is garbled", "garbled") from error
        self._answered(200, headers)
        if isinstance(answer, dict) and answer.keys() - {"url"} == {"data"}:
            # How PyGithub hands over what is no JSON, such as a page for people under a 200.
            raise GitHubUnavailable(f"GitHub's answer to {verb} {endpoint} is no JSON", "garbled")
        if not endpoint.startswith(_BY_NUMBER) and (there := self._moved(answer)):
            return self._ask(verb, there, parameters=parameters, body=body)
        return headers, answer

    def _moved(self, answer: object) -> str:
        """The endpoint by the repository's number, where it has another name by now; else `""`.

        GitHub answers what writes with 307, which PyGithub takes for done.
        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
        """
        there = (maybe(answer, str, "url") or "").removeprefix(self._api_url.rstrip("/"))
        moved = maybe(answer, str, "message") == "Moved Permanently" and there.startswith(_BY_NUMBER)
        return there if moved else ""

    def _connected(self) -> Requester:
        token = self._token()
        if self._requester is None or self._requester[0] != token:
            self.close()
            self._requester = (token, self._new_requester(token))
        return self._requester[1]

    def _new_requester(self, token: str) -> Requester:
        return Github(
            auth=Auth.Token(token) if self._scheme == "token" else Auth.AppAuthToken(token),
            base_url=self._api_url,
            timeout=_SECONDS,
            user_agent=f"tuppence/{__version__}",
            # No retry at all. PyGithub would wait for ever while a 202 is answered: take it for an error.
            retry=Retry(total=0, status_forcelist=[202], allowed_methods=["GET"]),
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
            api_version=_API_VERSION,
        ).requester

    def _refusal(self, error: GithubException, asked: str) -> GitHubUnavailable | GitHubRefused:
        headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
        self._answered(error.status, headers)
        if error.status >= 500:
            return GitHubUnavailable(f"GitHub answered {asked} with {error.status}", "outage")
        if _is_limit(error, headers):
            seconds = _wait(headers)
            if self._pacer is not None:
                self._pacer.hold(seconds)
            return GitHubUnavailable(f"GitHub's rate limit is used up at {asked}", "limit", seconds)
        if error.status == 401 and self._forget is not None:
            self._forget()
            return GitHubUnavailable(f"GitHub no longer took the token at {asked}", "outage")
        said = error.message or maybe(error.data, str, "message") or "no reason given"
        told = [maybe(item, str, "message") for item in maybe(error.data, list, "errors") or []]
        said = "; ".join([said, *filter(None, told)])
        if error.status == 401:
            return GitHubRefused(
                f"GitHub refuses the App's access at {asked} ({said[:300]}); an administrator has to check "
                "GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY and this machine's clock",
                error.status,
                denied=True,
            )
        return GitHubRefused(f"GitHub refused {asked} with {error.status}: {said[:300]}", error.status)


def _is_limit(error: GithubException, headers: Mapping[str, str]) -> bool:
    return error.status == 429 or (
        error.status == 403
        and (
            isinstance(error, RateLimitExceededException)
            or "retry-after" in headers
            or headers.get("x-ratelimit-remaining") == "0"
        )
    )


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds until GitHub wants to hear from us again."""
    seconds = _LIMITED_SECONDS
    if re.fullmatch(r"\d{1,9}", headers.get("retry-after", "")):
        seconds = float(headers["retry-after"])
    elif headers.get("x-ratelimit-remaining") == "0" and re.fullmatch(
        r"\d{1,12}", headers.get("x-ratelimit-reset", "")
    ):
        seconds = float(headers["x-ratelimit-reset"]) - time.time()
    return min(max(seconds, 1.0), _LONGEST_WAIT)
