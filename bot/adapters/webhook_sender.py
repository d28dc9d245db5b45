"""Sends a delivery to a webhook."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from bot.errors import OutsideError, UserError

_SECONDS = 30


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """The answer's status and text. Raises UserError for a bad address, OutsideError where nobody answers."""
    try:
        answer = requests.post(url, data=body, headers=dict(headers), timeout=_SECONDS, allow_redirects=False)
    except ValueError as error:  # of requests, urllib3 or the host name's encoding
        raise UserError(f"{url}: is not an address that can be sent to") from error
    except requests.Timeout as error:
        raise OutsideError(f"{url}: did not answer within {_SECONDS} s") from error
    except requests.RequestException as error:
        raise OutsideError(f"{url}: cannot be reached; is the bot running there?") from error
    return answer.status_code, answer.text
