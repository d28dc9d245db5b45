"""Whatever stands around it: the value that is written is the one that is read, and every other line stays."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.manifests.edits.source_files import Kind, SourceFiles
from bot.manifests.edits.spelling import Form
from estimators.objects import Path, dig
from tests.manifests.memory_tree import MemoryTree

KEYS = ("a", "limits", "requests", "b c", "nvidia.com/gpu", "on", "x")
_SCALARS = st.sampled_from(["1", "500m", "'1Gi'", '"2"', "&n 1Gi", "null", "~", "", "{}", "[]", "0.5"])
_COMMENTS = st.sampled_from(["", "  # why: 500m", " # {}", "   "])
_INDENTS = st.sampled_from([1, 2, 4])
VALUES = st.sampled_from(["1", "250m", "512Mi", "0.25", "1e3", "40%"])


@st.composite
def blocks(draw: st.DrawFn, depth: int = 3) -> list[str]:
    """The lines of a mapping in block style, with comments, blank lines, lists, texts and braces."""
    lines: list[str] = []
    for key in draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)):
        if draw(st.integers(0, 4)) == 0:
            lines.append(draw(st.sampled_from(["", "# a remark", "      # further in"])))
        quoted = draw(st.sampled_from([key, f'"{key}"'])) if key != "on" else f"'{key}'"
        form = draw(st.integers(0, 4 if depth else 1))
        if form <= 1:
            lines.append(f"{quoted}: {draw(_SCALARS)}{draw(_COMMENTS)}")
        elif form == 2:
            lines.append(
                f"{quoted}: {{{', '.join(f'{one}: {draw(VALUES)}' for one in draw(st.lists(st.sampled_from(KEYS), max_size=2, unique=True)))}}}"
            )
        elif form == 3:
            indent = " " * draw(_INDENTS)
            lines += [
                f"{quoted}:{draw(_COMMENTS)}",
                *(indent + line if line else "" for line in draw(blocks(depth - 1))),
            ]
        else:
            first, *rest = draw(blocks(depth - 1))
            item = [
                f"- {first}" if first and not first.lstrip().startswith("#") else "- x: 1",
                *(f"  {line}" if line else "" for line in rest),
            ]
            lines += [f"{quoted}:", *item] if draw(st.booleans()) else [f"{quoted}: |", "  text: 500m", "  x"]
    return lines


def _paths(body: object, path: Path = ()) -> list[Path]:
    """Every scalar, and a new key in every mapping and below every null."""
    if isinstance(body, dict):
        return [
            *((*path, "new", "cpu"),),
            *(inner for key, below in body.items() for inner in _paths(below, (*path, key))),
        ]
    if isinstance(body, list):
        return [inner for at, below in enumerate(body) for inner in _paths(below, (*path, at))]
    return [path, (*path, "new")] if body is None else [path]


@given(
    lines=blocks(), data=st.data(), value=VALUES, ending=st.sampled_from(["\n", "\r\n"]), last=st.booleans()
)
@settings(max_examples=300, deadline=None)
def test_what_is_written_is_read_and_every_other_line_stays(
    lines: Sequence[str], data: st.DataObject, value: str, ending: str, last: bool
) -> None:
    """Scalars are replaced on their line, keys added on lines of their own or in braces."""
    before = ending.join(["# first", *lines]) + (ending if last else "")
    files = SourceFiles(MemoryTree({"a.yaml": before}))
    for document in files.documents("a.yaml"):
        path = data.draw(st.sampled_from(_paths(document.body)))
        candidate = document.set(path, value, Form.QUANTITY, Kind.MANIFEST)
        edited = files.with_candidate(candidate) if candidate else None
        if candidate is None or edited is None:
            continue
        files.take("a.yaml", edited[0])
        (after,) = files.documents("a.yaml")
        assert str(dig(after.body, *path)) in {value, str(float(value)) if value == "1e3" else value}
        _only_the_value_differs(document.body, after.body, path)
        _other_lines_stay(before, edited[0].decode(), ending)


def _only_the_value_differs(before: object, after: object, path: Path) -> None:
    """Both are the same once the written part is taken out of them."""
    if not path:
        return
    step, *rest = path
    if isinstance(before, dict) and isinstance(after, dict):
        assert {key: item for key, item in before.items() if key != step} == {
            key: item for key, item in after.items() if key != step
        }
        _only_the_value_differs(before.get(step), after[step], tuple(rest))
    elif isinstance(before, list) and isinstance(after, list):
        assert [item for at, item in enumerate(before) if at != step] == [
            item for at, item in enumerate(after) if at != step
        ]
        _only_the_value_differs(before[int(step)], after[int(step)], tuple(rest))


def _other_lines_stay(before: str, after: str, ending: str) -> None:
    """One run of lines differs: at most one old line in it, and all new ones end as the others."""
    old, new = before.split(ending), after.split(ending)
    head = next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other),
        min(len(old), len(new)),
    )
    tail = 0
    while tail < len(old) - head and tail < len(new) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    assert len(old) - tail - head <= 1
    assert len(new) - tail - head <= 3
    assert "\n" not in after.replace(ending, "")
