"""Lists of a Kubernetes API server, page by page, through the official client.

The client's own models are not used: they cost ten times the memory of the JSON they come from.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bot.errors import ClusterUnavailable, UserError
from estimators.objects import Body, dig, sequence, text

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

PAGE = 500
"""Objects a request, as kubectl asks for."""
_CONNECT_SECONDS = 5.0
_MOST_BYTES = 256 * 2**20
"""One page; 500 pods take 5 to 10 MB."""
_CHUNK = 2**16
_RESTARTS = 3
_LONGEST_WAIT = 5.0
_TRIES = 3
_METADATA_ALONE = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
"""Kubernetes, API concepts: no specs and no statuses; whole objects of servers that cannot leave them out."""

A = TypeVar("A")


class Refused(ClusterUnavailable):
    """The server answers, but not with this resource."""


class NotAllowed(Refused):
    """The credentials may not list this resource."""


class NotServed(Refused):
    """The server has no such resource."""


class _Expired(Exception):
    """The list changed too much while it was read; it must be read again."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What to list. `core` is the client's word for a resource of the core group."""

    plural: str
    group: str = ""
    version: str = "v1"
    core: str = ""
    namespaced: bool = True

    def __str__(self) -> str:
        """Read as RBAC writes it: `horizontalpodautoscalers.autoscaling`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class KubernetesApi:
    """One cluster. Raises ClusterUnavailable where it does not answer, UserError for bad credentials."""

    def __init__(self, client: ApiClient, place: str, *, timeout_seconds: float = 30) -> None:
        self._client = client
        self._place = place
        self._timeout = timeout_seconds

    def fold(
        self,
        resource: Resource,
        fresh: Callable[[], A],
        add: Callable[[A, Body], None],
        *,
        namespace: str = "",
        field_selector: str = "",
        metadata_alone: bool = False,
    ) -> A:
        """Read a whole list into an accumulator, one page in memory at a time.

        A list that expires between two pages (410) is read again from its start into a fresh one.
        Raises NotAllowed and NotServed, which one resource may be without harm to the others.
        """
        options: dict[str, Any] = {"limit": PAGE}
        if field_selector:
            options["field_selector"] = field_selector
        if metadata_alone:
            options["_headers"] = {"Accept": _METADATA_ALONE}
        for _ in range(_RESTARTS):
            accumulator = fresh()
            try:
                for item in self._items(resource, namespace, dict(options)):
                    add(accumulator, item)
            except _Expired:
                continue
            return accumulator
        raise self._unavailable(f"the list of {resource} expired {_RESTARTS} times while it was read")

    def close(self) -> None:
        """Give the connections back."""
        self._client.rest_client.pool_manager.clear()

    def _items(self, resource: Resource, namespace: str, options: dict[str, Any]) -> Iterator[Body]:
        while True:
            page = self._page(resource, namespace, options)
            yield from (item for item in sequence(page.get("items")) if isinstance(item, dict))
            token = text(dig(page, "metadata", "continue"))
            if not token:
                return
            if token == options.get("_continue"):
                raise self._unavailable(f"the list of {resource} does not get on")
            options["_continue"] = token

    def _page(self, resource: Resource, namespace: str, options: dict[str, Any]) -> Body:
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - slow, few commands need it
        from urllib3 import exceptions as http  # noqa: PLC0415 - comes with the client

        for tries_left in reversed(range(_TRIES)):
            deadline = time.monotonic() + self._timeout
            try:
                response = self._list(resource, namespace, options)
                return self._decoded(resource, self._read(response, deadline))
            except ApiException as error:
                told = error.headers.get("Retry-After", "") if error.headers else ""
                wait = _wait(error.status, told) if tries_left else None
                if wait is None:
                    raise self._refused(resource, error.status, error.body) from error
                time.sleep(wait)
            except http.HTTPError as error:
                # NewConnectionError, a refused connection, is a kind of TimeoutError there.
                late = isinstance(error, http.TimeoutError) and not isinstance(error, http.NewConnectionError)
                reason = f"gave no answer within {self._timeout:g} s" if late else "cannot be reached"
                raise self._unavailable(f"{reason} ({_innermost(error)})") from error
        raise AssertionError("the last try returns or raises")

    def _list(self, resource: Resource, namespace: str, options: dict[str, Any]) -> Any:  # noqa: ANN401 - urllib3
        from kubernetes.client import CoreV1Api, CustomObjectsApi  # noqa: PLC0415 - slow

        options = {
            **options,
            "_preload_content": False,
            "_request_timeout": (min(_CONNECT_SECONDS, self._timeout), self._timeout),
        }
        if resource.core:
            api = CoreV1Api(self._client)
            if namespace:
                return getattr(api, f"list_namespaced_{resource.core}")(namespace, **options)
            suffix = "_for_all_namespaces" if resource.namespaced else ""
            return getattr(api, f"list_{resource.core}{suffix}")(**options)
        place = (resource.group, resource.version)
        custom = CustomObjectsApi(self._client)
        if namespace:
            return custom.list_namespaced_custom_object(*place, namespace, resource.plural, **options)
        return custom.list_cluster_custom_object(*place, resource.plural, **options)

    def _read(self, response: Any, deadline: float) -> bytes:  # noqa: ANN401 - urllib3
        parts: list[bytes] = []
        size = 0
        # read1 gives what has arrived; read would wait for a full chunk, however slowly it drips.
        while part := response.read1(_CHUNK, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > _MOST_BYTES:
                raise self._unavailable(f"answered more than {_MOST_BYTES // 2**20} MiB to one request")
            if time.monotonic() > deadline:
                raise self._unavailable(f"did not finish its answer within {self._timeout:g} s")
        response.release_conn()
        return b"".join(parts)

    def _decoded(self, resource: Resource, content: bytes) -> Body:
        try:
            page = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._unavailable(
                f"answered {resource} with no JSON; is it a proxy or sign-in page?"
            ) from error
        if not isinstance(page, dict) or not isinstance(page.get("items", ""), list | None):
            raise self._unavailable(f"answered {resource} with JSON that is no list")
        return page

    def _refused(self, resource: Resource, status: int, body: object) -> Exception:
        if status == 401 or (status == 403 and "system:anonymous" in str(body)):
            return UserError(
                f"{self._place}: the credentials are missing or refused (HTTP {status}); "
                "log in again, and check with `kubectl get nodes`"
            )
        if not status:  # how the client reports a failed TLS handshake
            return self._unavailable("TLS failed; is the kubeconfig's certificate-authority right?")
        kinds: dict[int, type[Exception]] = {403: NotAllowed, 404: NotServed, 410: _Expired}
        return kinds.get(status, Refused)(f"{self._place}: HTTP {status} for {resource}")

    def _unavailable(self, reason: str) -> ClusterUnavailable:
        return ClusterUnavailable(f"{self._place}: {reason}")


def _wait(status: int, told: str) -> float | None:
    """Seconds until the next try of a server that is busy; None for any other answer."""
    if status not in {429, 503}:
        return None
    return min(float(told), _LONGEST_WAIT) if told.isascii() and told.isdigit() else 1.0


def _innermost(error: BaseException) -> str:
    """The name of the first cause: its text may hold addresses and tokens."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return type(error).__name__


def open_context(
    context: str, *, kubeconfig: str | None = None, server: str = "", timeout_seconds: float = 30
) -> KubernetesApi:
    """The cluster of a kubeconfig context. `kubeconfig` are paths as in $KUBECONFIG, the default its value.

    `server` is the API's address where the context's is not the one to use. A credential plugin that
    the kubeconfig names is started, as kubectl starts it. Raises UserError for a kubeconfig that
    cannot be read, and for an unknown context with the names of those there are.
    """
    from kubernetes import config  # noqa: PLC0415 - slow, few commands need it
    from kubernetes.client import ApiClient, Configuration  # noqa: PLC0415 - slow

    shown = kubeconfig or "the kubeconfig ($KUBECONFIG or ~/.kube/config)"
    known = _contexts(kubeconfig, shown)
    if context not in known:
        raise UserError(f"{shown}: has no context {context!r}; it has {', '.join(known) or 'none'}")
    configuration = Configuration()
    configuration.retries = False
    try:
        config.load_kube_config(  # type: ignore[no-untyped-call]
            kubeconfig, context=context, client_configuration=configuration
        )
    except Exception as error:  # a kubeconfig and its plugins can fail in any way
        raise UserError(f"{shown}: context {context!r} cannot be used: {_one_line(error)}") from error
    if server:
        _redirect(configuration, server.rstrip("/"))
    return KubernetesApi(ApiClient(configuration), f"context {context!r}", timeout_seconds=timeout_seconds)


def _redirect(configuration: Any, server: str) -> None:  # noqa: ANN401 - its type denies it has hooks
    """Ask another server. The client's hook for fresh credentials puts the context's one and itself back."""
    refresh = configuration.refresh_api_key_hook

    def refreshed(target: Any) -> None:  # noqa: ANN401
        refresh(target)
        target.host, target.refresh_api_key_hook = server, refreshed

    configuration.host = server
    if refresh is not None:
        configuration.refresh_api_key_hook = refreshed


def _contexts(kubeconfig: str | None, shown: str) -> list[str]:
    from kubernetes.config import kube_config  # noqa: PLC0415 - slow

    try:
        paths = kubeconfig or kube_config.KUBE_CONFIG_DEFAULT_LOCATION
        merged = kube_config.KubeConfigMerger(paths).config  # type: ignore[no-untyped-call]
        if merged is None:
            raise UserError(f"{shown}: there is no such file; `kubectl config view` shows what kubectl uses")
        return [str(entry["name"]) for entry in merged["contexts"].value]
    except UserError:
        raise
    except Exception as error:  # the client lets out whatever YAML and file system raise
        raise UserError(f"{shown}: is not a kubeconfig: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
