"""One HTTP request to Prometheus, read under a deadline and a size limit.

It stands where prometheus-api-client expects a `requests.Session`, because that client has no
default timeout, puts the queries of a POST into the URL (proxies cut those at 8 KB), retries on its
own for seconds, and throws away the `warnings` and `stats` of an answer.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InsecureRequestWarning, ReadTimeoutError

from bot.errors import PrometheusUnavailable

CHUNK_BYTES = 1 << 18
REASON_CHARACTERS = 200


class AnswerTooLarge(PrometheusUnavailable):
    """The server's own limit or ours was met; a shorter time range may pass."""


class _Mounted(Protocol):
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What prometheus-api-client reads of a response; only answers that are fine get this far."""

    body: Mapping[str, Any]
    status_code: int = 200

    @property
    def content(self) -> bytes:
        """Named in the client's error messages; ours are raised before it looks."""
        return b""

    def json(self) -> Mapping[str, Any]:
        """The decoded body."""
        return self.body


class Transport:
    """The part of `requests.Session` that prometheus-api-client uses, made safe.

    `heard` is called with every decoded body. A connection that could not be made is tried once
    more; a slow query is not, for that would double the load of a busy server.
    """

    cert = None

    def __init__(
        self,
        *,
        place: str,
        verify: bool | str,
        timeout_seconds: float,
        max_bytes: int,
        heard: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.verify = verify
        self._place = place
        self._timeout = timeout_seconds
        self._max_bytes = max_bytes
        self._heard = heard
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=1))
        if verify is False:  # the user said so; a warning at every query says no more
            warnings.filterwarnings("ignore", category=InsecureRequestWarning)

    def mount(self, prefix: str, adapter: _Mounted) -> None:
        """The client mounts its own retries here: they are not used."""
        del prefix
        adapter.close()

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def request(self, *, method: str, url: str, params: Mapping[str, Any] | None, **options: Any) -> Answer:  # noqa: ANN401 - handed on to requests
        """Send it; the answer's JSON object, or `PrometheusUnavailable` with one line."""
        query, form = (None, params) if method == "POST" else (params, None)
        options |= {"timeout": self._timeout, "stream": True, "allow_redirects": False}
        deadline = time.monotonic() + self._timeout
        try:
            response = self._session.request(method, url, params=query, data=form, **options)
            with response:
                body = self._read(response, deadline)
        except (requests.Timeout, ReadTimeoutError) as error:
            raise self._unavailable(f"gave no answer within {self._timeout:g} s") from error
        except requests.exceptions.SSLError as error:
            raise self._unavailable(f"TLS failed: {_cause(error, 'does it speak plain http://?')}") from error
        except (requests.RequestException, HTTPError) as error:
            raise self._unavailable(f"cannot be reached: {_cause(error)}") from error
        return Answer(self._decode(response, body))

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        parts: list[bytes] = []
        size = 0
        # read1 gives what has arrived; iter_content would wait for a full chunk, however slowly it drips.
        while part := response.raw.read1(CHUNK_BYTES, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > self._max_bytes:
                raise AnswerTooLarge(f"{self._place}: the answer is over {self._max_bytes:,} bytes")
            if time.monotonic() > deadline:
                raise self._unavailable(f"did not finish its answer within {self._timeout:g} s")
        return b"".join(parts)

    def _decode(self, response: requests.Response, raw: bytes) -> Mapping[str, Any]:
        status = response.status_code
        if 300 <= status < 400:
            raise self._unavailable(f"redirects ({status}); give the address it leads to, or sign in")
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError) as error:
            said = "a web page" if raw.lstrip()[:1] == b"<" else "no JSON"
            other = _FAILED if status >= 500 else "is a sign-in page before it, or its path prefix missing?"
            hint = _HINTS.get(status, other)
            raise self._unavailable(f"answered HTTP {status} with {said}; {hint}") from error
        state = body.get("status") if isinstance(body, dict) else None
        if status != 200 or state == "error":
            raise self._refused(status, body)
        if not isinstance(body, dict) or state != "success" or not isinstance(body.get("data"), list | dict):
            raise self._unavailable("answered JSON that is not a Prometheus answer; what is listening there?")
        self._heard(body)
        return body

    def _refused(self, status: int, body: object) -> PrometheusUnavailable:
        said = body.get("error") if isinstance(body, dict) else None
        reason = " ".join(str(said or _HINTS.get(status, "no reason given")).split())[:REASON_CHARACTERS]
        line = f"{self._place}: answered HTTP {status}: {reason}"
        if status in {400, 422} and any(word in reason for word in ("too many", "exceed", "limit")):
            return AnswerTooLarge(line)
        return PrometheusUnavailable(line)

    def _unavailable(self, reason: str) -> PrometheusUnavailable:
        return PrometheusUnavailable(f"{self._place}: {reason}")


_HINTS = {
    401: "the token or password is missing or wrong",
    403: "the token or password may not read it",
    404: "is its path prefix missing (Mimir has /prometheus)?",
    429: "it asks us to slow down",
    503: "it is overloaded or starting",
}
_FAILED = "its log, or that of a proxy before it, says why"
_CAUSES = {
    "ConnectionRefusedError": "nothing listens there; is it running, and its port forwarded?",
    "ConnectionResetError": "it closed the connection",
    "IncompleteRead": "it closed the connection",
    "RemoteDisconnected": "it closed the connection",
    "SSLCertVerificationError": "its certificate is not trusted; name its CA file (PROMETHEUS_CA_FILE)",
    "gaierror": "no host has that name",
}
"""What the first causes of a failure mean, by the names of their classes."""


def _cause(error: BaseException, otherwise: str = "") -> str:
    """The first cause, in words or by its name: its text may hold addresses and tokens."""
    seen: BaseException = error
    while (cause := seen.__cause__ or seen.__context__) is not None:
        seen = cause
    name = type(seen).__name__
    return _CAUSES.get(name, f"{otherwise} ({name})".strip() if otherwise else name)
