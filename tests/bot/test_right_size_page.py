"""What a right-sizing pull request says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given, settings

from bot.right_size_page import body_of, farewell, message_of, title_of
from estimators.objects import Identity, Source
from estimators.recommendation import Realisable
from tests.bot import github_markdown as github
from tests.bot.strangers import texts
from tests.right_size_samples import SAMPLES, WEB, of_an_idle_gpu, of_containers, of_several_containers


@pytest.mark.parametrize("name", SAMPLES)
def test_a_pull_request_reads_as_its_golden_file(name: str, golden: Callable[[str, str], None]) -> None:
    """Title, description and commit."""
    page = SAMPLES[name]()
    told = f"# {title_of(page.recommendation)}\n\n{body_of(page)}\n---\n\n{message_of(page)}\n"
    golden(f"right-size-{name}.md", told)


def test_a_title_fits_and_says_how_many_changes_it_leaves_out() -> None:
    """The description has them all."""
    found = of_containers().recommendation
    many = replace(
        found,
        changes=tuple(
            replace(change, container=f"container-{number}")
            for number, change in enumerate(found.changes * 4)
        ),
    )
    title = title_of(many)
    assert len(title) <= 140
    assert title.endswith(" more")


@pytest.mark.parametrize(
    ("monthly", "told"),
    [
        ("-10", "The bill itself falls by $10.00 a month: why."),
        ("0.001", "The bill itself stays as it is for now: why."),
        ("3", "The bill rises by $3.00 a month: why."),
        (None, "What the bill falls by is not known: why."),
    ],
)
def test_what_the_bill_falls_by_is_told_apart(monthly: str | None, told: str) -> None:
    """Allocated is one thing, the bill another."""
    page = of_containers()
    realisable = Realisable(None if monthly is None else Decimal(monthly), "why.")
    changed = replace(page, recommendation=replace(page.recommendation, realisable=realisable))
    assert told in body_of(changed).replace("\u2060", "")


def test_the_nodes_that_go_are_named_where_there_are_several() -> None:
    """A single one stands in the reason already."""
    assert "The nodes: `gpu-pool-7f2`, `gpu-pool-9c0`." in body_of(of_an_idle_gpu())


def test_a_reason_for_closing_is_told() -> None:
    """With what becomes of the branch."""
    assert farewell("api.yaml:3 says 2 by now.").startswith("Closed, since api.yaml:3 says 2 by now.\n\n")


@given(texts)
@example(":0")
@example("@acme/" + "x" * 600)
@example("[skip ci]")
@settings(deadline=None)
def test_nothing_that_strangers_wrote_comes_alive(text: str) -> None:
    """Neither in the description, nor in the title and the commit, where words close issues and skip checks."""
    page = of_several_containers()
    key = Identity(text, text, text, text)
    found = replace(
        page.recommendation,
        key=key,
        environment=text,
        source=Source(text, 1),
        changes=tuple(
            replace(change, object=key, container=text, current=text)
            for change in page.recommendation.changes
        ),
        evidence={text: text},
        realisable=Realisable(Decimal(-1), text, (text, text)),
        risks=(text,),
        undo=text,
        blast_radius=text,
    )
    hostile = replace(page, recommendation=found, decision=replace(page.decision, said=text, reason=text))
    for told in (body_of(hostile), farewell(text)):
        assert github.noticed(told) == []
        assert github.foreign_html(told) == []
        assert github.uneven_tables(told) == []
        assert all(address.startswith(WEB) for address in github.addresses(told))
    title, message = title_of(found), message_of(hostile)
    assert len(title.splitlines()) == 1
    assert len(title) <= 256
    assert not re.search(r"[@#[]\w|://|GH-", f"{title} {message}")
