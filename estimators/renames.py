"""Pairs a removed workload with the added one it was renamed to, so that a rename costs nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping

from estimators.objects import Identity, dig
from estimators.workload import Workload


def renames(
    before: Mapping[Identity, Workload], after: Mapping[Identity, Workload]
) -> Mapping[Identity, Identity]:
    """New identity -> old identity, where exactly one workload of each side runs the same containers.

    The history of a renamed workload is under its old name; without the pairing an autoscaled one
    would seem to become cheaper for want of a past.
    """
    gone = _by_likeness({key: item for key, item in before.items() if key not in after})
    come = _by_likeness({key: item for key, item in after.items() if key not in before})
    return {
        come[likeness][0]: gone[likeness][0]
        for likeness in come
        if len(come[likeness]) == 1 and len(gone.get(likeness, ())) == 1
    }


def _by_likeness(workloads: Mapping[Identity, Workload]) -> Mapping[Hashable, list[Identity]]:
    found: dict[Hashable, list[Identity]] = defaultdict(list)
    for identity, workload in workloads.items():
        images = tuple(
            (item.name, _image(workload, item.path))
            for group in workload.groups
            for item in (*group.template.init_containers, *group.template.containers)
        )
        found[identity.environment, identity.kind, images].append(identity)
    return found


def _image(workload: Workload, path: tuple[str | int, ...]) -> str:
    """The image without its tag: a release often renames and updates at once."""
    image = str(dig(workload.object.body, *path, "image") or "")
    repository, _, tag = image.rpartition(":")
    return image if "/" in tag or not repository else repository
