"""A Kubernetes API server on loopback: real HTTP, the cluster's state in memory, strict about clients.

It refuses what a real server would take badly or silently ignore: a list without `limit`, a limit
above 500, unknown parameters, a continue token of another list, a wrong token.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

TOKEN = "loopback-token"
Body = Mapping[str, Any]

_SERVED = {
    "v1": ("nodes", "pods", "namespaces", "services", "limitranges", "resourcequotas"),
    "apps/v1": ("deployments", "statefulsets", "daemonsets"),
    "batch/v1": ("cronjobs", "jobs"),
    "autoscaling/v2": ("horizontalpodautoscalers",),
    "policy/v1": ("poddisruptionbudgets",),
    "networking.k8s.io/v1": ("ingresses",),
    "storage.k8s.io/v1": ("storageclasses",),
    "node.k8s.io/v1": ("runtimeclasses",),
}
_CLUSTER_SCOPED = frozenset(("nodes", "namespaces", "storageclasses", "runtimeclasses", "deviceclasses"))
_METADATA_ALONE = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
_PARAMETERS = frozenset(("limit", "continue", "fieldSelector"))


@dataclass(slots=True)
class Cluster:
    """The server's state; change it while it runs.

    `expire` counts continue tokens that are answered 410 by plural, `forbidden` holds plurals, or
    `namespace/plural` for one namespace (the plural alone then forbids the cluster-wide list only),
    `failures` the statuses to answer first by plural, `requests` what was asked, and `whole` what of it
    was answered with whole objects, not their metadata alone.
    """

    objects: list[Body] = field(default_factory=list)
    served: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(_SERVED))
    token: str = TOKEN
    expire: dict[str, int] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    failures: dict[str, list[int]] = field(default_factory=dict)
    page_size: int = 500
    delay_seconds: float = 0.0
    drip: bool = False
    replaces_body: bytes | None = None
    requests: list[str] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)

    def listed(self, api_version: str, plural: str, namespace: str) -> list[Body]:
        """The objects of a resource, without kind and version, as items of lists are."""
        return [
            {key: value for key, value in body.items() if key not in {"apiVersion", "kind"}}
            for body in self.objects
            if body["apiVersion"] == api_version
            and plural_of(str(body["kind"])) == plural
            and (not namespace or body["metadata"].get("namespace") == namespace)
        ]


def plural_of(kind: str) -> str:
    """The resource of a kind."""
    lower = kind.lower()
    return (
        f"{lower[:-1]}ies" if lower.endswith("cy") else f"{lower}es" if lower.endswith("s") else f"{lower}s"
    )


@contextmanager
def serving(cluster: Cluster, certificate: Path | None = None) -> Iterator[str]:
    """The URL of the API server, while the context lasts; with TLS where a certificate is given."""
    handler = type("Handler", (_Handler,), {"cluster": cluster})
    server = _Server(("127.0.0.1", 0), handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        scheme = "http" if certificate is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def kubeconfig(
    folder: Path,
    url: str,
    *,
    user: Body | None = None,
    contexts: Sequence[str] = ("test",),
    authority: Path | None = None,
) -> str:
    """The path of a kubeconfig whose contexts all lead to `url`."""
    path = folder / "kubeconfig"
    trust = {"certificate-authority": str(authority)} if authority else {}
    entry = {"cluster": "loopback", "user": "someone"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": contexts[0],
        "clusters": [{"name": "loopback", "cluster": {"server": url, **trust}}],
        "users": [{"name": "someone", "user": user if user is not None else {"token": TOKEN}}],
        "contexts": [{"name": name, "context": entry} for name in contexts],
    }
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return str(path)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or does not trust us, is part of the test."""


class _Handler(BaseHTTPRequestHandler):
    """Answers lists as an API server does: Status objects for errors, continue tokens for pages."""

    cluster: Cluster
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # header and body in one packet, else each answer waits for an acknowledgement

    def do_GET(self) -> None:
        """One list, or the error that fits."""
        cluster = self.cluster
        cluster.requests.append(self.path)
        if cluster.delay_seconds:
            time.sleep(cluster.delay_seconds)
        if cluster.replaces_body is not None:
            self._send(200, cluster.replaces_body)
        elif self.headers.get("Authorization") != f"Bearer {cluster.token}":
            self._status(401, "Unauthorized")
        else:
            self._list()

    def _list(self) -> None:
        parts = urlsplit(self.path)
        parameters = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
        place = _place(parts.path)
        if place is None or place[1] not in self.cluster.served.get(place[0], ()):
            self._status(404, "the server could not find the requested resource")
            return
        api_version, plural, namespace = place
        if namespace and plural in _CLUSTER_SCOPED:
            self._status(404, "the server could not find the requested resource")
        elif plural in self.cluster.forbidden and (
            not namespace or f"{namespace}/{plural}" in self.cluster.forbidden
        ):
            self._status(403, f'{plural} is forbidden: User "someone" cannot list resource "{plural}"')
        elif self.cluster.failures.get(plural):
            self._status(self.cluster.failures[plural].pop(0), "try again")
        elif not parameters.keys() <= _PARAMETERS or not 1 <= int(parameters.get("limit", "0")) <= 500:
            self._status(400, f"strict: parameters {sorted(parameters)}")
        else:
            self._page(api_version, plural, namespace, parameters)

    def _page(self, api_version: str, plural: str, namespace: str, parameters: Mapping[str, str]) -> None:
        items = self.cluster.listed(api_version, plural, namespace)
        for clause in filter(None, parameters.get("fieldSelector", "").split(",")):
            name, value = clause.split("!=")
            assert name == "status.phase", "strict: only pods' phase can be selected"
            items = [item for item in items if item.get("status", {}).get("phase") != value]
        start = 0
        token = parameters.get("continue")
        if token:
            of, _, position = token.rpartition(":")
            if of != f"{api_version}/{namespace}/{plural}":
                self._status(400, "continue key is not valid")
                return
            if self.cluster.expire.get(plural, 0) > 0:
                self.cluster.expire[plural] -= 1
                self._status(410, "The provided continue parameter is too old", reason="Expired")
                return
            start = int(position)
        end = start + min(int(parameters["limit"]), self.cluster.page_size)
        metadata: dict[str, Any] = {"resourceVersion": "1000"}
        if end < len(items):
            metadata["continue"] = f"{api_version}/{namespace}/{plural}:{end}"
            metadata["remainingItemCount"] = len(items) - end
        head, shown = {"kind": "List", "apiVersion": api_version}, items[start:end]
        if self.headers.get("Accept", "").split(",")[0] == _METADATA_ALONE:
            head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
            shown = [{"metadata": item["metadata"]} for item in shown]
        else:
            self.cluster.whole.append(self.path)
        self._send(200, json.dumps({**head, "metadata": metadata, "items": shown}).encode())

    def _status(self, code: int, message: str, reason: str = "") -> None:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
        self._send(code, json.dumps(status | {"message": message, "reason": reason}).encode())

    def _send(self, code: int, content: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if code in {429, 503}:
            self.send_header("Retry-After", "0")
        self.end_headers()
        try:
            for piece in (
                [content[i : i + 1] for i in range(len(content))] if self.cluster.drip else [content]
            ):
                self.wfile.write(piece)
                self.wfile.flush()
                time.sleep(0.01 if self.cluster.drip else 0)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep the test's output clean."""


def _place(path: str) -> tuple[str, str, str] | None:
    """API version, plural and namespace of a list's path."""
    match path.strip("/").split("/"):
        case ["api", version, plural]:
            return version, plural, ""
        case ["api", version, "namespaces", namespace, plural]:
            return version, plural, namespace
        case ["apis", group, version, plural]:
            return f"{group}/{version}", plural, ""
        case ["apis", group, version, "namespaces", namespace, plural]:
            return f"{group}/{version}", plural, namespace
        case _:
            return None
