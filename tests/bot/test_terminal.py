"""The report on a terminal."""

import io
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from rich.cells import cell_len
from rich.console import Console

from bot.terminal import report_as_text, show_report
from estimators.guardrail import CrossedGuardrail
from estimators.objects import Source
from estimators.report import Verdict
from tests.bot import sample_reports
from tests.bot.sample_reports import CROSSED, SAMPLES, comment_links
from tests.bot.strangers import samples, written, written_by

CODES = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;(?:id=[0-9-]+)?;[^\x1b]*\x1b\\")
"""Colours, and links as rich writes them."""


def no_links(_source: Source, _side: str) -> str:
    """As on a laptop without a remote."""
    return ""


def on_a_terminal(name: str) -> str:
    """What a terminal with colours gets."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=80)
    with console.capture() as capture:
        show_report(SAMPLES[name](), console, links=comment_links)
    return capture.get()


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_report_reads_as_its_golden_file(name: str, width: int, golden: Callable[[str, str], None]) -> None:
    """Small paragraphs on a narrow terminal, a table on a wide one."""
    golden(
        f"{name}.{width}.txt",
        report_as_text(SAMPLES[name](), width=width, links=no_links, crossed=CROSSED.get(name, ())),
    )


@pytest.mark.parametrize("name", ["story", "environments", "unknown"])
def test_details_read_as_their_golden_file(name: str, golden: Callable[[str, str], None]) -> None:
    """What the comment folds away: every workload, the arithmetic and the evidence."""
    golden(
        f"{name}.details.txt",
        report_as_text(
            SAMPLES[name](), width=100, links=no_links, crossed=CROSSED.get(name, ()), details=True
        ),
    )


def test_a_narrow_terminal_keeps_names_whole() -> None:
    """A spread stands under its amount then, not in the name's place."""
    told = report_as_text(SAMPLES["story"](), width=40, links=no_links).splitlines()
    at = next(number for number, line in enumerate(told) if line.startswith("Caution    checkout/web "))
    assert told[at].endswith(" +$149")
    assert told[at + 1].strip() == "($0…+$878)"


def test_a_glance_leaves_out_the_rest_and_says_so() -> None:
    """No arithmetic and no evidence unless they are asked for."""
    glance = report_as_text(sample_reports.the_story(), width=140, links=no_links)
    everything = report_as_text(sample_reports.the_story(), width=140, links=no_links, details=True)

    assert "730 h ×" not in glance
    assert "web/blog" not in glance
    assert glance.endswith(
        "with --details: how these numbers were made, 3 findings with evidence, 3 more workloads\n"
    )
    assert "12 × 0.5 cores × 730 h × $0.031611  $138.46" in everything
    assert "web/blog" in everything
    assert "--details" not in everything


@pytest.mark.parametrize("name", SAMPLES)
def test_no_line_of_a_file_ends_in_spaces(name: str) -> None:
    """Whoever copies or compares it gets what is seen."""
    told = report_as_text(SAMPLES[name](), width=100, links=no_links, details=True)

    assert [line for line in told.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("width", [80, 140])
def test_amounts_end_in_one_column(width: int) -> None:
    """So that they can be compared at a glance."""
    told = report_as_text(sample_reports.savings(), width=width, links=no_links)
    ends = {match.end() for line in told.splitlines()[3:] for match in re.finditer(r"−\$[0-9.]+", line)}

    assert len(ends) == 1


def test_colours_and_links_are_for_terminals() -> None:
    """A pipe gets neither."""
    shown = on_a_terminal("story")

    assert "\x1b[1;31m" in shown
    assert "\x1b\\payments/api" in shown or "deploy/api.yaml#L20\x1b\\" in shown
    assert "\x1b" not in report_as_text(sample_reports.the_story(), width=80, links=comment_links)


def test_it_tells_what_the_comment_tells() -> None:
    """A crossed guardrail with its approvers, what is missing, and how to get numbers from live usage."""
    crossed = [CrossedGuardrail("production: 1 workload is risky", "Ask SRE first.", ("acme/sre",), "a")]
    told = report_as_text(sample_reports.environments(), width=140, links=no_links, crossed=crossed)

    assert (
        "Guardrail crossed: production: 1 workload is risky. Ask SRE first. Needs approval by acme/sre."
        in told
    )
    assert "Incomplete: only 3,000 of 4,210 changed files were listed" in told
    assert "12 values were left out" in told
    assert "add --prometheus URL" in report_as_text(sample_reports.unknown(), width=140, links=no_links)


def test_rich_markup_in_a_name_is_text() -> None:
    """`[bold]` is a name like any other."""
    assert "[red]x[/red]" in report_as_text(written_by("story", ["[red]x[/red]"]), width=80, links=no_links)


@settings(max_examples=60, deadline=None)
@given(samples, written)
def test_no_terminal_code_comes_out_of_a_name(sample: str, texts: list[str]) -> None:
    """Only colours and links of our own reach the terminal, and no line is wider than it."""
    report = written_by(sample, texts)
    console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=80)
    with console.capture() as capture:
        show_report(
            report,
            console,
            links=lambda source, _side: f"https://github.example/{source.file}",
            details=True,
        )
    bare = CODES.sub("", capture.get())

    assert [c for c in bare if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs"}] == []
    assert all(cell_len(line) <= 80 for line in bare.splitlines())


def test_a_row_without_impact_says_so_in_full() -> None:
    """The longest verdict fits its column."""
    rows = [replace(item, verdict=Verdict.NONE) for item in sample_reports.the_story().rows]

    for width in (40, 80, 140):
        told = report_as_text(sample_reports.report(rows), width=width, links=no_links)
        assert re.search(r"^No impact +ml/trainer", told, re.MULTILINE)
