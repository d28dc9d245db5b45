"""A week's digest as programs, people at a terminal and the records have it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.digest import Digest, TeamWeek
from bot.digest_json import digest_from, digest_json, dump_digest
from bot.digest_text import digest_as_text
from tests.bot.strangers import rewritten, texts
from tests.week_samples import NAMES, digest

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "digest.schema.json").read_text("utf-8"))
AMOUNTS = st.decimals(-(10**12), 10**12, allow_nan=False, places=9)
SHARES = st.none() | st.decimals(0, 1, places=4)
MOMENTS = st.integers(10**9, 4 * 10**9).map(lambda second: datetime.fromtimestamp(second, UTC))
READABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize("name", NAMES)
def test_a_digest_reads_as_its_golden_files(name: str, golden: Callable[[str, str], None]) -> None:
    """As text and as JSON."""
    golden(f"digest/{name}.txt", digest_as_text(digest(name), width=110))
    golden(f"digest/{name}.json", dump_digest(digest(name)))


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_goes_without_columns_and_cuts_no_amount(width: int) -> None:
    """What each team spent stands beside its name, whole."""
    lines = digest_as_text(digest("all"), width=width).splitlines()
    spent = {line.split()[0]: line.split()[1] for line in lines if re.fullmatch(r"  [A-Za-z]+ +\$.*", line)}
    assert (spent["research"], spent["unallocated"], spent["Bill"]) == ("$1,247", "$8", "$1,388")
    assert next(line.split()[:2] for line in lines if "payments/api" in line) == ["+$15.04", "payments/api"]
    assert max(map(len, lines)) <= width


def test_a_column_of_which_nothing_is_known_is_left_out() -> None:
    """A new cluster has no week before, and most have no budget."""
    whole = digest("all")
    rows = tuple(row._replace(previous=None, budget_monthly=None) for row in whole.teams)
    titles = re.compile(r"^ +Team +Week.*$", re.MULTILINE)
    [new] = titles.findall(digest_as_text(replace(whole, teams=rows), width=110))
    [known] = titles.findall(digest_as_text(whole, width=110))
    assert new.split() == ["Team", "Week", "On", "course", "Idle", "To", "save"]
    assert {"Before", "Budget"} < set(known.split())


@pytest.mark.parametrize("name", NAMES)
def test_the_json_has_the_published_shape(name: str) -> None:
    """docs/digest.schema.json, and none of the schema's keys is left out, however deep."""
    told = json.loads(dump_digest(digest(name)))
    Draft202012Validator(SCHEMA).validate(told)
    assert list(told) == list(SCHEMA["properties"])
    for key in ("recommendations", "merged", "teams", "approvals", "left_alone", "movers"):
        for row in told[key]:
            assert list(row) == list(SCHEMA["properties"][key]["items"]["properties"])


def test_the_json_keeps_to_the_contract() -> None:
    """The keys and strings that programs were promised."""
    told = digest_json(digest("checkout"))
    assert (told["schema"], told["team"], told["week"], told["budget"]) == (
        "tuppence.digest/v1",
        "checkout",
        "2026-W47",
        "600",
    )
    first = told["recommendations"][0]
    assert first["monthly_saving"] == {"allocated": "-83.20", "realisable": "-41.50"}
    assert (first["field"].rpartition(".")[2], first["current"], first["proposed"]) == (
        "memory",
        "2Gi",
        "512Mi",
    )
    assert {"workload": "payments/batch", "reason": "Ann snoozed it until 7 December 2026"} in told[
        "left_alone"
    ]
    assert told["budget"] is not None
    assert digest_json(digest("all"))["budget"] is None


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_as_json_comes_back(name: str) -> None:
    """To the last digit."""
    assert digest_from(json.loads(dump_digest(digest(name)))) == digest(name)


def test_what_was_kept_before_there_was_more_to_tell_comes_back() -> None:
    """A digest that an older version posted is still written anew when somebody decides."""
    found = digest("checkout")
    told = json.loads(dump_digest(found))
    for key in ("left_names", "closed", "unused"):
        del told[key]
    del told["gpu_idle"]["unheld"]
    for row in (*told["movers"], *told["teams"]):
        row.pop("cluster", None)
        row.pop("closed", None)
    assert digest_from(told) == replace(found, left_names={}, unused=None)


@given(
    st.builds(
        Digest,
        team=READABLE,
        start=MOMENTS,
        end=MOMENTS,
        coverage=AMOUNTS,
        total=st.none() | AMOUNTS,
        previous=st.none() | AMOUNTS,
        trend=st.lists(st.tuples(st.dates(date(2000, 1, 1)), st.none() | AMOUNTS), max_size=3).map(tuple),
        teams=st.lists(
            st.builds(
                TeamWeek,
                READABLE,
                AMOUNTS,
                *[st.none() | AMOUNTS] * 3,
                SHARES,
                AMOUNTS,
                READABLE,
                st.none() | AMOUNTS,
            ),
            max_size=3,
        ).map(tuple),
        notes=st.lists(READABLE, max_size=2).map(tuple),
        left_counts=st.dictionaries(READABLE, st.integers(1, 9), max_size=3),
    )
)
@settings(max_examples=60)
def test_any_digest_comes_back(found: Digest) -> None:
    """Whatever is in it."""
    assert digest_from(json.loads(dump_digest(found))) == found


@given(st.lists(texts, min_size=1, max_size=4), st.sampled_from(["checkout", "all"]), st.integers(40, 160))
@settings(max_examples=20, deadline=None)
def test_what_strangers_write_is_text_and_nothing_else(written: list[str], name: str, width: int) -> None:
    """No escape code, hidden letter or line of its own comes out of a name or a reason."""
    words = cycle(written)
    strange = of_strangers(digest(name), lambda: next(words))
    text = digest_as_text(strange, width=width)
    assert not [
        letter for letter in text if unicodedata.category(letter) in {"Cc", "Cf", "Cs"} and letter != "\n"
    ]
    assert all(len(line) <= 2 * width for line in text.splitlines())
    json.loads(dump_digest(strange))


def of_strangers(found: Digest, write: Callable[[], str]) -> Digest:
    """With every name, cause, reason, risk and note written anew."""
    return replace(
        found,
        team=found.team and write(),
        movers=rewritten(found.movers, write),
        merged=rewritten(found.merged, write),
        left_alone=rewritten(found.left_alone, write),
        notes=rewritten(found.notes, write),
        recommendations=tuple(
            replace(
                item,
                workload=write(),
                repository=write(),
                environment=write(),
                source=write(),
                risks=(write(),),
            )
            for item in found.recommendations
        ),
        teams=tuple(row._replace(team=write()) for row in found.teams),
        approvals=tuple(
            each._replace(workload=write(), team=write(), said=write()) for each in found.approvals
        ),
    )


def test_a_quiet_week_is_one_line() -> None:
    """On a wide terminal."""
    [line] = digest_as_text(digest("quiet"), width=200).splitlines()
    assert "Little moved, the budget holds, and there is nothing to approve." in line


def test_the_teams_add_up_as_they_are_shown() -> None:
    """Without their fractions the rows are the bill."""
    lines = digest_as_text(digest("all"), width=120).splitlines()
    begin = next(index for index, line in enumerate(lines) if "Who spent it" in line) + 2
    amounts = [int(re.findall(r"\$([\d,]+)", line)[0].replace(",", "")) for line in lines[begin : begin + 6]]
    assert sum(amounts[:-1]) == amounts[-1]
    assert Decimal(amounts[-1]) == round(digest("all").total or Decimal(0))
