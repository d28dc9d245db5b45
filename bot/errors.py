"""The two kinds of error, and nothing else may leave an adapter.

TuppenceError
├── UserError            shown to the person word for word; they can mend it
└── OutsideError         something we call failed; logged, apologised for, retried where that helps
    ├── PrometheusUnavailable
    ├── ClusterUnavailable
    ├── GitUnavailable       a repository's commits could not be fetched
    ├── GitHubUnavailable    GitHub did not do it, now: trying again later may help
    ├── GitHubRefused        GitHub said no, and would say so again
    ├── SlackUnavailable     Slack did not do it, now
    ├── SlackRefused         Slack said no, and would say so again
    ├── StoreUnavailable
    └── RenderRefused    this system offers no fence to render a stranger's chart in
"""


class TuppenceError(Exception):
    """Never raised itself."""


class UserError(TuppenceError):
    """One line that names the file, the line, the value and the way out."""


class OutsideError(TuppenceError):
    """An outside system did not do its part; the cause is chained.

    `denied` is whether it does not take our credentials: nobody but who administers us can help.
    """

    def __init__(self, message: str, *, denied: bool = False) -> None:
        super().__init__(message)
        self.denied = denied


class PrometheusUnavailable(OutsideError):
    """Prometheus did not answer, or not with numbers."""


class ClusterUnavailable(OutsideError):
    """The Kubernetes API did not answer."""


class RenderRefused(OutsideError):
    """Rendering cannot be contained here; `--unsafe-render` renders all the same."""


class StoreUnavailable(OutsideError):
    """The database of our own records did not answer, or not as it should."""


class GitUnavailable(OutsideError):
    """A repository's commits could not be fetched.

    `kind` is outage, refused (the credentials), gone (the commit), slow, large, busy or broken (the
    cache, which is made anew by the next use). Only an outage, slow, busy and broken are worth a second try.
    """

    def __init__(self, message: str, kind: str = "outage") -> None:
        super().__init__(message, denied=kind == "refused")
        self.kind = kind


class GitHubUnavailable(OutsideError):
    """GitHub did not answer, or not as it should; what was asked for may have been done all the same.

    `kind` is outage, timeout, limit or garbled. `retry_after` is how many seconds GitHub asks us to wait.
    """

    def __init__(self, message: str, kind: str = "outage", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after


class GitHubRefused(OutsideError):
    """GitHub refused with a 4xx `status`: nothing was done, and asking again changes nothing."""

    def __init__(self, message: str, status: int = 400, *, denied: bool = False) -> None:
        super().__init__(message, denied=denied)
        self.status = status


class SlackUnavailable(OutsideError):
    """Slack did not answer, or not as it should. `retry_after` is how many seconds it asks us to wait."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SlackRefused(OutsideError):
    """Slack refused with its own word for it, such as `channel_not_found`: asking again changes nothing."""

    def __init__(self, message: str, reason: str = "", *, denied: bool = False) -> None:
        super().__init__(message, denied=denied)
        self.reason = reason
