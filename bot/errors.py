"""The two kinds of error, and nothing else may leave an adapter.

TuppenceError
├── UserError            shown to the person word for word; they can mend it
└── OutsideError         something we call failed; logged, apologised for, retried where that helps
    ├── PrometheusUnavailable
    ├── ClusterUnavailable
    └── RenderRefused    this system offers no fence to render a stranger's chart in
"""


class TuppenceError(Exception):
    """Never raised itself."""


class UserError(TuppenceError):
    """One line that names the file, the line, the value and the way out."""


class OutsideError(TuppenceError):
    """An outside system did not do its part; the cause is chained."""


class PrometheusUnavailable(OutsideError):
    """Prometheus did not answer, or not with numbers."""


class ClusterUnavailable(OutsideError):
    """The Kubernetes API did not answer."""


class RenderRefused(OutsideError):
    """Rendering cannot be contained here; `--unsafe-render` renders all the same."""
