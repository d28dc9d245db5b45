"""The comment on a pull request."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.comment import SIZES, render_comment, render_failed
from bot.page import compose
from estimators.guardrail import CrossedGuardrail
from estimators.money import Range
from estimators.objects import Identity, Source, Unpriced
from estimators.report import Report, Verdict
from tests.bot import github_markdown as github
from tests.bot import sample_reports
from tests.bot.sample_reports import CROSSED, SAMPLES, comment_links, estimate, pods, report, row
from tests.bot.strangers import samples, written, written_by


def no_links(_source: Source, _side: str) -> str:
    """As on a laptop without a remote."""
    return ""


@pytest.mark.parametrize("name", SAMPLES)
def test_a_comment_reads_as_its_golden_file(name: str, golden: Callable[[str, str], None]) -> None:
    """One for every state a reader may meet."""
    golden(f"{name}.md", render_comment(SAMPLES[name](), links=comment_links, crossed=CROSSED.get(name, ())))


def test_the_first_line_stands_alone() -> None:
    """Verdict, change, range, confidence and what is not priced, for a notification that shows no more."""
    first = render_comment(sample_reports.the_story(), links=comment_links).splitlines()[0]

    assert (
        first
        == "**🔴 Risky · +$2,559 a month (+71\xa0%) · between +$2,409 and +$3,287 · confidence medium · 2 not priced**"
    )


def test_a_quiet_report_is_one_line() -> None:
    """Nothing else is worth a reader's time."""
    assert (
        render_comment(sample_reports.quiet(), links=comment_links)
        == "No cost or reliability impact at `4f2c9ab`.\n"
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"unpriced": (Unpriced("File", "", "a.yaml", "a.yaml", "line 1: a tab"),)},
        {"gaps": ("only 3,000 files were listed",)},
    ],
    ids=["something has no price", "something was not read"],
)
def test_what_was_not_seen_is_never_no_impact(facts: dict[str, object]) -> None:
    """A broken file or a truncated list may hide the impact."""
    told = render_comment(report([], **facts), links=comment_links)

    assert "No cost or reliability impact" not in told
    assert "Not priced: 1" in told or "only 3,000 files were listed" in told


def test_an_unknown_amount_is_never_zero() -> None:
    """It reads `not known`, and the way out stands beside it."""
    told = render_comment(sample_reports.nothing_priced(), links=comment_links)

    assert "$0" not in told
    assert "not\xa0known" in told
    assert "`--prometheus URL`" in told


def test_the_worst_row_comes_first_and_the_line_it_links_to_is_the_changed_one() -> None:
    """Risky, then caution by amount, then safe; a removed object is looked at on the base."""
    told = render_comment(sample_reports.the_story(), links=comment_links)
    dots = [
        line.split("|")[1].strip()[0]
        for line in told.split("<details>")[0].splitlines()
        if line.startswith("| ")
    ][1:]

    assert dots == ["🔴", "🟠", "🟠", "🟢"]
    assert (
        f"[`payments/api`](https://github.example/acme/shop/blob/{sample_reports.HEAD}/deploy/api.yaml#L20)"
        in told
    )
    assert "/blob/main/deploy/api.yaml#L1)" in render_comment(sample_reports.removal(), links=comment_links)


def test_without_addresses_nothing_is_linked() -> None:
    """A laptop has no web address for its lines."""
    assert github.addresses(render_comment(sample_reports.the_story(), links=no_links)) == []


def test_who_must_approve_is_asked() -> None:
    """A guardrail's approvers are mentioned, if their names are names of accounts."""
    crossed = [
        CrossedGuardrail(
            "production: 1 workload is risky", "Ask SRE first.", ("acme/sre", "x y", "@all", "ada"), "a"
        )
    ]
    told = render_comment(sample_reports.the_story(), links=comment_links, crossed=crossed)

    assert "**Guardrail crossed:** production: 1 workload is risky. Ask SRE first." in told
    assert "**@acme/sre** or x y or @\u200ball or **@ada**" in told


def test_a_crossed_guardrail_is_told_even_when_nothing_else_is() -> None:
    """Its authors want to be asked."""
    assert "Guardrail" in render_comment(
        sample_reports.quiet(), links=no_links, crossed=[CrossedGuardrail("why", "", (), "a")]
    )


def test_a_failure_says_which_commit_it_speaks_of() -> None:
    """And why, harmless whatever the reason holds."""
    told = render_failed(sample_reports.HEAD, "no <b>")

    assert "Could not estimate `4f2c9ab`.** no <b>" in told.replace("&lt;b&gt;", "<b>")


def many(count: int, name: str = "wörkløad-空間-🚀") -> Report:
    """The story's rows over and over, in `count` workloads with long names of several bytes a letter."""
    rows = sample_reports.the_story().rows
    again = [rows[i % len(rows)] for i in range(count)]
    return report(
        replace(item, identity=Identity("", "名前空間", "Deployment", f"{name}-{i}"))
        for i, item in enumerate(again)
    )


@pytest.mark.parametrize("count", [10, 500, 5000])
@pytest.mark.parametrize("name", ["api", "空間" * 120], ids=["short names", "long names"])
def test_a_comment_fits_whatever_its_size(count: int, name: str) -> None:
    """Below GitHub's limits in characters and bytes, with every fold closed and every row whole."""
    told = render_comment(many(count, name), links=comment_links)

    assert len(told) <= 60_000
    assert len(told.encode()) <= 200_000
    assert github.open_folds(told) == 0
    assert github.uneven_tables(told) == []
    assert github.foreign_html(told) == []
    assert told.rstrip().endswith("a month is 730 h</sub>")
    assert told.split("<details>")[0].count("\n| 🔴") == min(10, -(-count // 7))
    assert count <= 10 or f"{count - 10:,} more workloads" in told


@pytest.mark.parametrize("most", [20_000, 10_000, 6_000])
def test_a_refused_comment_comes_back_smaller(most: int) -> None:
    """One size down, still whole."""
    told = render_comment(many(500), links=comment_links, most=most)

    assert len(told) <= most
    assert github.uneven_tables(told) == []
    assert github.open_folds(told) == 0


def test_the_smallest_size_fits_the_longest_texts() -> None:
    """Every text as long as it may be and every character one that is escaped."""
    long = "|<&$" * 2000
    rows = [
        replace(item, identity=Identity(long + str(i), long, long, long), seen=long, unknown_because=long,
                findings=tuple(replace(f, message=long, safe_value="1") for f in item.findings))
        for i, item in enumerate(many(20).rows)
    ]  # fmt: skip
    told = render_comment(
        report(
            rows,
            unpriced=(Unpriced(long, long, long, long, long),) * 200,
            partial=(long,) * 50,
            usage=long,
            prices=long,
        ),
        links=lambda _source, _side: "https://github.example/" + "a|" * 400,
    )

    assert len(told) <= 60_000
    assert github.uneven_tables(told) == []


cents = st.decimals("-30", "30", places=5)


@settings(deadline=None)
@given(st.lists(cents, min_size=1, max_size=10))
def test_shown_cents_add_up_to_the_headline(changes: list[Decimal]) -> None:
    """Amounts below a hundred are shown to the cent, and their sum is the one in the first line."""
    known = estimate(pods("1"), "1", "1")
    rows = [
        replace(row(f"a/{i}", known, known, Verdict.CAUTION), change=Range.exactly(change))
        for i, change in enumerate(changes)
    ]
    whole = sum(changes, Decimal(0))
    told = replace(report(rows), before=Range.exactly(Decimal(100)), after=Range.exactly(100 + whole))
    page = compose(told, SIZES[0], links=no_links)

    def amount(text: str) -> Decimal:
        return Decimal(0) if "<" in text else Decimal(text.replace("$", "").replace("\u2212", "-"))

    shown = sum(amount(item.amount) for item in (*page.table.rows, *page.others.rows))
    if abs(whole) < 99 and whole:
        assert shown == amount(re.split(" · ", page.headline)[1].split(" a month")[0])


def test_the_arithmetic_adds_up_to_the_cent() -> None:
    """On each side the lines' cents are the total's, and what did not change reads the same on both."""
    page = compose(sample_reports.the_story(), SIZES[0], links=no_links)
    for item in page.arithmetic.rows:
        *lines, monthly = (line for line in item.lines if line.label != "pods")
        before = [line.before.amount for line in lines]
        after = [
            line.before.amount if line.after.formula == "the same" else line.after.amount for line in lines
        ]
        for sums, whole in ((before, monthly.before.amount), (after, monthly.after.amount)):
            assert sum(Decimal(text.replace("$", "").replace(",", "")) for text in sums) == Decimal(
                whole.replace("$", "").replace(",", "")
            )


@settings(max_examples=150, deadline=None)
@given(samples, written)
def test_nothing_a_stranger_wrote_acts(sample: str, texts: list[str]) -> None:
    """Whatever stands in any text: no mention, link, image or HTML, no broken table, every fold closed."""
    told = written_by(sample, texts)
    comment = render_comment(
        told, links=lambda source, _side: f"https://github.example/{source.file}#L{source.line}"
    )

    assert all(item.startswith("https://github.example/") for item in github.addresses(comment))
    assert github.foreign_html(comment) == []
    assert github.noticed(comment) == []
    assert github.uneven_tables(comment) == []
    assert not github.block_types(comment) & {
        "heading_open",
        "hr",
        "fence",
        "code_block",
        "blockquote_open",
        "ordered_list_open",
    }
    assert github.open_folds(comment) == 0
    assert github.rows(comment) == github.table_lines(comment)
    comment.encode("utf-8")


def test_a_thousand_rows_take_a_moment() -> None:
    """26 ms where this was written; work that grows with the square of the rows would take a minute."""
    told = many(1000)
    start = process_time()
    render_comment(told, links=comment_links)

    assert process_time() - start < 5
