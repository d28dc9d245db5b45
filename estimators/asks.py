"""Fields that ask for something that costs, in a body that cannot be priced.

Operators take `replicas`, `resources` and volume sizes in custom resources of every shape. Their
cost is not known here, but that it changes is, and where.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from estimators.objects import Body, Path, dotted
from estimators.quantity import quantity_or_none

_COUNTS = frozenset(
    """
    instances maxReplicaCount maxReplicas minReplicaCount minReplicas nodeCount numReplicas replicaCount
    replicas
    """.split()
)
_QUANTITIES = frozenset({"cpu", "memory", "storage"})
_SIZES = frozenset({"size", "storageSize", "volumeSize"})
"""These may be anything, so only values with a unit count."""
_DEEPEST = 24
_MOST_SHOWN = 3
_LONGEST_PATH = 100


def changed_asks(before: Body, after: Body, priced: Collection[Path] = ()) -> str:
    """`spec.replicas 3 → 6, spec.storage.size 10Gi → 20Gi and 4 more`; `""` where none of them differs.

    What stands below the `priced` paths is left out.
    """
    old, new = dict(_asks(before, ())), dict(_asks(after, ()))
    changed = [
        f"{dotted(path)[-_LONGEST_PATH:]} {old.get(path, 'unset')} → {new.get(path, 'unset')}"
        for path in dict.fromkeys([*old, *new])
        if quantity_or_none(old.get(path)) != quantity_or_none(new.get(path))
        and not any(path[: len(above)] == above for above in priced)
    ]
    more = f" and {len(changed) - _MOST_SHOWN} more" if len(changed) > _MOST_SHOWN else ""
    return ", ".join(changed[:_MOST_SHOWN]) + more


def _asks(value: Any, path: Path) -> Iterator[tuple[Path, object]]:  # noqa: ANN401 - YAML holds anything
    if len(path) > _DEEPEST:
        return
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        items = ((str(key), item) for key, item in value.items())
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        if isinstance(item, Mapping | list):
            yield from _asks(item, (*path, key))
        elif _costs(str(key), item):
            yield (*path, key), item


def _costs(key: str, value: object) -> bool:
    if key in _SIZES:
        return isinstance(value, str) and not value.isdigit() and quantity_or_none(value) is not None
    if key in _COUNTS or key in _QUANTITIES or key.endswith(("/gpu", "/tpu")):
        return quantity_or_none(value) is not None
    return False
