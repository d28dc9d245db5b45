"""Write approved values where they came from: place after place is tried, and rendering proves the right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bot.manifests.edits import helm_places, kustomize_places, manifest_places, spelling
from bot.manifests.edits.source_files import Candidate, SourceFiles
from bot.manifests.edits.wanted import Ambiguous, Edit, Place, Wanted, Why, same_amount
from bot.manifests.edits.whole_tree import Moved, WholeTree, Written
from bot.manifests.rendered import RootKind
from estimators.objects import dig, dotted

_MOST_TOLD = 3


class _Strays(NamedTuple):
    """What would move with one place: the field, what else, and why even that may not be all."""

    own: Moved
    moves: tuple[Moved, ...]
    unknown: str

    def __str__(self) -> str:
        shown = [*map(str, self.moves[:_MOST_TOLD]), *(["..."] if len(self.moves) > _MOST_TOLD else [])]
        told = [f"would also move {'; '.join(shown)}"] if shown else []
        return "; ".join([*told, *filter(None, [self.unknown])])


def write(whole: WholeTree, wanted: Sequence[Wanted]) -> Edit | Ambiguous:
    """The files with every wanted value, all or none of them.

    Nothing else of anything that the tree deploys differs once rendered: `verify` was asked after each
    value. Ambiguous names the first value that could not be written so.
    """
    files = SourceFiles(whole.tree)
    places: list[Place] = []
    for one in wanted:
        found = _write_one(whole, files, one, wanted)
        if isinstance(found, Ambiguous):
            return found
        if found:
            places.append(found)
    return Edit(dict(files.edited), tuple(places))


def verify(whole: WholeTree, files: Mapping[str, bytes], wanted: Sequence[Wanted]) -> tuple[str, ...]:
    """What is wrong with new contents of files, in sentences: none where exactly the wanted fields move."""
    moves, failure = whole.moved(files)
    goals = _goals(wanted)
    told = [failure] if failure else []
    told += [f"{move} was not asked for" for move in moves if not _is_goal(goals, move)]
    reached = {(move.identity, move.path) for move in moves if _is_goal(goals, move)}
    for one in wanted:
        if (one.identity, one.path) not in reached and not one.is_met_by(_value(whole, one)):
            told.append(f"{one.identity} {dotted(one.path)} does not become {one.proposed}")
    return tuple(told)


def _write_one(
    whole: WholeTree, files: SourceFiles, one: Wanted, wanted: Sequence[Wanted]
) -> Place | Ambiguous | None:
    found = whole.find(one.identity)
    if problem := _problem(found, one):
        return problem
    written = found[0]
    goals, moved = _goals(wanted), set[tuple[object, object]]()
    if files.edited:
        moves, _ = whole.moved(files.edited)
        moved = {(move.identity, move.path) for move in moves}
    if (one.identity, one.path) in moved or one.is_met_by(dig(written.item.body, *one.path)):
        return None
    strays: dict[str, _Strays] = {}
    for candidate in _candidates(whole, files, written, one):
        edited = files.with_candidate(candidate)
        if edited is None:
            continue
        data, line = edited
        moves, failure = whole.moved({**files.edited, candidate.file: data})
        own = next((move for move in moves if (move.identity, move.path) == (one.identity, one.path)), None)
        others = tuple(move for move in moves if move is not own and not _is_goal(goals, move))
        if own is None:
            continue
        if _is_goal(goals, own) and not others and not failure:
            files.take(candidate.file, data)
            return Place(one, candidate.file, line, candidate.kind, candidate.before)
        strays.setdefault(f"{candidate.file}:{line}", _Strays(own, others, failure))
    return _left_to_a_person(whole, files, written, one, strays)


def _candidates(
    whole: WholeTree, files: SourceFiles, written: Written, wanted: Wanted
) -> Iterator[Candidate]:
    group, item = written
    if not group.kind:
        yield from manifest_places.candidates(files, item, wanted)
    elif group.kind == RootKind.KUSTOMIZE.value:
        yield from kustomize_places.candidates(files, whole.units, group.folder, item, wanted)
    else:
        for job in whole.jobs[group]:
            yield from helm_places.candidates(files, whole.units, job, item, wanted)


def _problem(found: Sequence[Written], one: Wanted) -> Ambiguous | None:
    """Why a value is not even looked for."""
    if not found:
        return Ambiguous(one, Why.NOT_THERE, f"{one.identity} is not in these files.")
    if not one.path:
        places = ", ".join(f"{item.source.file}:{item.source.line}" for _, item in found[:_MOST_TOLD])
        return Ambiguous(
            one, Why.REMOVAL, f"remove {one.identity} ({places}), once nobody needs what it holds."
        )
    if not spelling.is_writable(one.proposed):
        return Ambiguous(one, Why.REFUSED, f"{one.proposed[:40]!r} is no quantity, count, share or label.")
    if len(found) > 1:
        places = ", ".join(f"{item.source.file}:{item.source.line}" for _, item in found[:_MOST_TOLD])
        advice = f"{one.identity} is written {len(found)} times ({places}): change the one that is deployed."
        return Ambiguous(one, Why.NOT_THERE, advice)
    value = dig(found[0].item.body, *one.path)
    if one.current is not None and not (
        same_amount(value, one.current) or (value is None and not one.current)
    ):
        said = "nothing" if value is None else value
        advice = f"{one.identity} {dotted(one.path)} is {said} by now, not {one.current or 'absent'}."
        return Ambiguous(one, Why.STALE, advice)
    by_hand = _of_a_volume(one, found[0])
    return Ambiguous(one, Why.FIXED, by_hand) if by_hand else None


def _of_a_volume(one: Wanted, written: Written) -> str:
    """What a person has to do for a size that Kubernetes lets nobody change; `""` for all else.

    A volume that is made anew for each pod has no size to keep.
    """
    if one.path[-3:] != ("resources", "requests", "storage") or "ephemeral" in one.path:
        return ""
    place = written.item.locate(one.path)
    where = f"{one.proposed} instead of {one.current or 'its size'} ({place.file}:{place.line})"
    if one.identity.kind == "PersistentVolumeClaim":
        return (
            f"Kubernetes shrinks no volume: make a second claim of {where}, copy the data while no pod "
            f"writes, let the pods mount that one, and then remove {one.identity}."
        )
    return (
        f"Kubernetes lets no claim template change: delete {one.identity} with --cascade=orphan, apply it "
        f"with {where}, and replace its pods and their claims one by one, each after its data is copied."
    )


def _left_to_a_person(
    whole: WholeTree,
    files: SourceFiles,
    written: Written,
    one: Wanted,
    strays: Mapping[str, _Strays],
) -> Ambiguous:
    group, item = written
    patch = ""
    if group.kind == RootKind.KUSTOMIZE.value:
        base = manifest_places.the_object(files, item)
        patch = kustomize_places.ready_patch(item, base.body if base else None, one)
    place = item.locate(one.path)
    exact = {where: found for where, found in strays.items() if one.is_met_by(found.own.after)}
    if exact:
        where, least = min(exact.items(), key=lambda entry: len(entry[1].moves))
        advice = f"{where} says it, and {least}: {_way_out(whole, written, one)}."
        return Ambiguous(one, Why.SHARED, advice, least.moves, patch)
    if refused := list(files.refused.values()):
        return Ambiguous(
            one, Why.REFUSED, f"{refused[0]}: set {dotted(one.path)} to {one.proposed} by hand.", (), patch
        )
    for where, found in strays.items():
        advice = f"{one.proposed} at {where} makes {found.own}: write there what gives {one.proposed}."
        return Ambiguous(one, Why.COMPUTED, advice, found.moves, patch)
    advice = (
        f"no file says it in so many words; {place.file}:{place.line} is nearest: "
        f"make {dotted(one.path)} of {one.identity} {one.proposed} there."
    )
    return Ambiguous(one, Why.COMPUTED, advice, (), patch)


def _way_out(whole: WholeTree, written: Written, one: Wanted) -> str:
    group = written.group
    if group.kind == RootKind.KUSTOMIZE.value:
        return f"add a patch to {group.folder or '.'}/kustomization.yaml that sets {one.proposed}"
    if group.kind == RootKind.HELM.value:
        named = [file for job in whole.jobs[group] for file in job.values_files]
        where = named[-1] if named else f"{group.folder or '.'}/values.yaml"
        return f"give it a value of its own in {where}, and make it {one.proposed}"
    return f"give this object a value of its own, and make it {one.proposed}"


def _goals(wanted: Sequence[Wanted]) -> Mapping[tuple[object, object], Wanted]:
    return {(one.identity, one.path): one for one in wanted}


def _is_goal(goals: Mapping[tuple[object, object], Wanted], move: Moved) -> bool:
    goal = goals.get((move.identity, move.path))
    return goal is not None and goal.is_met_by(move.after)


def _value(whole: WholeTree, one: Wanted) -> object:
    found = whole.find(one.identity)
    return dig(found[0].item.body, *one.path) if len(found) == 1 else None
