"""Volume claims that a manifest names without declaring them: needed, though no pod may have them now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from estimators.objects import ManifestObject, dig, mapping, text

_CLAIM = "PersistentVolumeClaim"
_SCHEMAS = "CustomResourceDefinition"
"""The largest of all objects, and they name nothing."""
_DATA_VOLUME = "DataVolume"
"""CDI makes a claim of the same name of each."""


def claims_named(thing: ManifestObject) -> Iterator[tuple[str, str]]:
    """Namespace and name of each, as often as it is named.

    That is a volume of a pod or of a virtual machine (`persistentVolumeClaim.claimName`,
    `dataVolume.name`), what a claim or a disk is cloned from (`dataSource`, `dataSourceRef`, CDI's
    `source.pvc`), and what a snapshot is of (`persistentVolumeClaimName`).
    """
    own = thing.identity
    if own.kind == _SCHEMAS:
        return
    if own.kind == _DATA_VOLUME:
        yield own.namespace, own.name
    waiting: list[Any] = [thing.body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        for key, inner in mapping(value).items():
            namespace, name = _named(key, inner)
            if name:
                yield namespace or own.namespace, name
            waiting.append(inner)


def _named(key: str, value: Any) -> tuple[str, str]:  # noqa: ANN401 - YAML holds anything
    match key:
        case "persistentVolumeClaim":
            return "", text(dig(value, "claimName"))
        case "dataVolume":
            return "", text(dig(value, "name"))
        case "persistentVolumeClaimName":
            return "", text(value)
        case "dataSource" | "dataSourceRef" if dig(value, "kind") == _CLAIM:
            return text(dig(value, "namespace")), text(dig(value, "name"))
        case "source":
            return text(dig(value, "pvc", "namespace")), text(dig(value, "pvc", "name"))
    return "", ""
