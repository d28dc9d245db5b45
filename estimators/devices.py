"""Dynamic Resource Allocation: the GPUs a pod's `resourceClaims` ask for.

`resource.k8s.io` v1 and v1beta2 keep a request's terms under `exactly` or `firstAvailable`; v1beta1 has
them in the request itself. Kubernetes API reference, ResourceClaim and ResourceClaimTemplate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Context, Decimal
from fractions import Fraction
from typing import NamedTuple

from estimators.gpu import is_gpu, mig_fraction
from estimators.gpu_model import base_product
from estimators.objects import Body, Path, dig, mapping, sequence, text
from estimators.workload import DeviceRequest, Problem

_ACCELERATOR = re.compile(r"(?<![a-z])(?:v?gpus?|mig|tpus?|neuron|gaudi)(?![a-z])", re.IGNORECASE)
_MIG = re.compile(r"(?<![a-z])mig(?![a-z])", re.IGNORECASE)
_PROFILE = re.compile(r"profile\s*==\s*['\"]([^'\"]{1,40})['\"]")
_PRODUCT = re.compile(r"productName\s*==\s*['\"]([^'\"]{1,80})['\"]")
_FREE = re.compile(r"compute-domain")
"""NVIDIA's compute domains are channels between GPUs that are claimed apart."""
_MOST_DEVICES = 1_000
_ROUND_DOWN = Context(prec=28, rounding=ROUND_DOWN)


@dataclass(slots=True)
class ClaimedDevices:
    """What a pod's claims ask for, and what of it could not be read or priced."""

    requests: list[DeviceRequest] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class _Terms(NamedTuple):
    """One alternative of a request, in physical GPUs."""

    device_class: str
    gpus: Fraction
    product: str


def device_requests(
    claims: Sequence[Body], path: Path, namespace: str, objects: Iterable[Body]
) -> ClaimedDevices:
    """The GPUs that `spec.resourceClaims` of a pod ask for.

    `path` leads to `resourceClaims`. `objects` are manifests and live objects, of which the
    ResourceClaims and ResourceClaimTemplates of the namespace and the DeviceClasses are looked at.
    A template makes one claim per pod, a ResourceClaim is one for all pods that name it.
    """
    known = {
        (text(body.get("kind")), text(dig(body, "metadata", "name"))): body
        for body in objects
        if text(body.get("apiVersion")).startswith("resource.k8s.io/")
        and text(dig(body, "metadata", "namespace")) in {"", namespace}
    }
    found = ClaimedDevices()
    for index, claim in enumerate(claims):
        at = (*path, index)
        # Before v1beta1 both names stood under `source`.
        terms = {**mapping(claim.get("source")), **claim}
        template = text(terms.get("resourceClaimTemplateName"))
        kind = "ResourceClaimTemplate" if template else "ResourceClaim"
        name = template or text(terms.get("resourceClaimName"))
        body = known.get((kind, name))
        if body is None:
            message = f"{kind} {name or 'without a name'} is not known, its devices have no price"
            found.problems.append(Problem(at, message))
            continue
        spec = dig(body, "spec", "spec", "devices") if template else dig(body, "spec", "devices")
        for request in map(mapping, sequence(mapping(spec).get("requests"))):
            _read_request(request, at, known, found, per_pod=bool(template))
    return found


def _read_request(
    request: Body,
    at: Path,
    known: Mapping[tuple[str, str], Body],
    found: ClaimedDevices,
    *,
    per_pod: bool,
) -> None:
    if "firstAvailable" in request:
        written = list(map(mapping, sequence(request["firstAvailable"])))
    else:
        written = [mapping(request["exactly"]) if "exactly" in request else request]
    alternatives = []
    for terms in written:
        if terms.get("adminAccess") is True:
            continue
        read = _read_terms(terms, known)
        if isinstance(read, _Terms):
            alternatives.append(read)
        elif read:
            found.problems.append(Problem(at, read))
    if alternatives:
        first = alternatives[0]
        found.problems += [Problem(at, doubt) for doubt in _doubts(written)]
        found.requests.append(
            DeviceRequest(
                first.device_class,
                _decimal(first.gpus),
                _decimal(max(terms.gpus for terms in alternatives)),
                per_pod,
                first.product,
            )
        )


def _read_terms(terms: Body, known: Mapping[tuple[str, str], Body]) -> _Terms | str:
    """The terms of one alternative, or why they have no price, `""` where they are free."""
    name = text(terms.get("deviceClassName"))
    device_class = known.get(("DeviceClass", name), {})
    expressions = "\n".join((*_expressions(dig(device_class, "spec")), *_expressions(terms)))
    if _FREE.search(name):
        return ""
    extended = text(dig(device_class, "spec", "extendedResourceName"))
    if not (is_gpu(extended) or _ACCELERATOR.search(name) or _ACCELERATOR.search(expressions)):
        return f"device class {name or 'without a name'} is not known to be a GPU, it has no price"
    if terms.get("allocationMode", "ExactCount") != "ExactCount":
        return f"all devices of class {name} on the node are asked for; how many is not known"
    count = terms.get("count", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= _MOST_DEVICES:
        return f"{count!r:.40} is not a count of devices of class {name}"
    product = _PRODUCT.search(expressions)
    model = base_product(product[1]) if product else ""
    profile = _PROFILE.search(expressions)
    piece = mig_fraction(profile[1], model) if profile else None
    return _Terms(name, count * (piece or Fraction(1)), model)


def _doubts(written: Sequence[Body]) -> Iterator[str]:
    for terms in written:
        name = text(terms.get("deviceClassName"))
        if _MIG.search(name) and not _PROFILE.search("\n".join(_expressions(terms))):
            yield f"which MIG profile of class {name} is asked for is not known, it is counted whole"


def _expressions(holder: object) -> Iterator[str]:
    for selector in sequence(mapping(holder).get("selectors")):
        yield text(dig(selector, "cel", "expression"))


def _decimal(share: Fraction) -> Decimal:
    return _ROUND_DOWN.divide(Decimal(share.numerator), Decimal(share.denominator))
