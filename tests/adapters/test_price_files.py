"""The YAML price sheet, read strictly, with every mistake named."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.price_csv import parse_csv
from bot.adapters.price_files import read_prices
from bot.adapters.price_sheet import parse_sheet
from bot.errors import UserError
from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.prices import BUILT_IN, Pool, Provenance
from estimators.storage import storage_rate
from tests.usage_builders import snapshot
from tests.yaml_objects import deployment, objects

D = Decimal
SHEET = """\
currency: USD
as_of: 2026-11-01
default: {cpu_core_hour: 0.031611, memory_gib_hour: 0.004237, gpu_hour: 0.95, storage_gib_month: 0.04, load_balancer_hour: 0.025}
spot:    {cpu_core_hour: 0.006655, memory_gib_hour: 0.000892}
gpus:    {"NVIDIA-A100-SXM4-80GB": 3.40}          # by nvidia.com/gpu.product
storage: {gp3: 0.08}                               # by StorageClass, per GiB-month
pools:                                             # first match wins; a match is a set of node labels
  - name: spot-batch
    match: {karpenter.sh/capacity-type: spot}
    rates: {cpu_core_hour: 0.0101, memory_gib_hour: 0.0013}
"""


def written(folder: Path, content: str | bytes, name: str = "prices.yaml") -> Path:
    """A price file with this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(content: str) -> list[str]:
    """What is said about a sheet that is refused, a line each."""
    with pytest.raises(UserError) as caught:
        parse_sheet(content, "prices.yaml")
    return str(caught.value).splitlines()


def test_the_documented_sheet_is_read_to_the_digit(tmp_path: Path) -> None:
    """Every key of it, as exact decimals; a named sheet is explicit."""
    sheet = read_prices(written(tmp_path, SHEET))
    assert sheet == replace(
        BUILT_IN,
        source="price sheet prices.yaml",
        as_of="2026-11-01",
        gpus={"NVIDIA-A100-SXM4-80GB": D("3.4")},
        storage={"gp3": D("0.08")},
        pools=(Pool("spot-batch", {"karpenter.sh/capacity-type": "spot"}, D("0.0101"), D("0.0013")),),
        explicit=True,
        names_defaults=True,
    )


def test_what_a_sheet_leaves_out_is_built_in_and_spot_is_not_made_up() -> None:
    """A sheet with defaults and no spot prices charges spot the default; one without defaults, the built-in spot."""
    only_default = parse_sheet("default: {cpu_core_hour: 0.05, memory_gib_hour: 0.01}", "p.yaml")
    assert (only_default.gpu_hour, only_default.spot_cpu_core_hour) == (BUILT_IN.gpu_hour, D("0.05"))
    assert only_default.notes == ()
    only_storage = parse_sheet("storage: {gp3: 0.1}", "p.yaml")
    assert (only_storage.names_defaults, only_storage.spot_cpu_core_hour) == (
        False,
        BUILT_IN.spot_cpu_core_hour,
    )


BASIC = "cpu_core_hour: 0.05, memory_gib_hour: 0.01"
ON_POOL = "      nodeSelector: {pool: any}"
GPUS = deployment(extra=ON_POOL).replace("limits: {}", "limits: {nvidia.com/gpu: 1}")
BALANCER = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: payments}
spec: {type: LoadBalancer}
"""
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: payments}
spec: {storageClassName: fast, resources: {requests: {storage: 10Gi}}}
"""


@pytest.mark.parametrize(
    ("sheet", "text", "trust"),
    [
        pytest.param(f"default: {{{BASIC}}}", deployment(), Provenance.REQUESTED, id="cores and memory"),
        pytest.param(f"default: {{{BASIC}}}", GPUS, Provenance.ASSUMED, id="no price of a GPU"),
        pytest.param(f"default: {{{BASIC}, gpu_hour: 2}}", GPUS, Provenance.REQUESTED, id="a price of GPUs"),
        pytest.param(
            f"pools: [{{name: any, match: {{pool: any}}, rates: {{{BASIC}}}}}]",
            GPUS,
            Provenance.ASSUMED,
            id="a pool without GPUs",
        ),
        pytest.param(
            f"pools: [{{name: any, match: {{pool: any}}, rates: {{{BASIC}, gpu_hour: 2}}}}]",
            GPUS,
            Provenance.REQUESTED,
            id="a pool with GPUs",
        ),
        pytest.param(f"default: {{{BASIC}}}", BALANCER, Provenance.ASSUMED, id="no load balancer"),
        pytest.param(
            f"default: {{{BASIC}, load_balancer_hour: 0.03}}",
            BALANCER,
            Provenance.REQUESTED,
            id="load balancer",
        ),
        pytest.param(f"default: {{{BASIC}}}", CLAIM, Provenance.ASSUMED, id="no storage"),
        pytest.param("storage: {fast: 0.1}", CLAIM, Provenance.REQUESTED, id="storage of the class"),
    ],
)
def test_what_a_sheet_leaves_out_is_not_said_to_be_its_own(sheet: str, text: str, trust: Provenance) -> None:
    """0.95 for a GPU is some old model's price, and nobody's who gave two others."""
    prices = parse_sheet(sheet, "p.yaml")
    sides = (Revision("a", []), Revision("b", objects(text)))
    [row] = compare(*sides, lambda _environment: Cluster(prices)).rows

    assert row.after is not None
    assert row.after.rates.provenance is trust
    told = [note for note in row.after.notes if "GPU" in note]
    assert bool(told) is (text == GPUS and trust is Provenance.ASSUMED)


def test_a_volume_that_a_sheet_does_not_price_costs_what_opencost_says() -> None:
    """Also where the sheet has default prices, but none of storage."""
    usage = replace(snapshot(), storage_gib_hour={"fast": D("0.0003")})
    for sheet, gib_month in (
        (f"default: {{{BASIC}}}", "0.219"),
        (f"default: {{{BASIC}, storage_gib_month: 1}}", "1"),
    ):
        rate = storage_rate("fast", Cluster(parse_sheet(sheet, "p.yaml"), usage))
        assert rate.gib_month == D(gib_month)


def test_borrowed_dollars_in_a_sheet_of_euros_are_told() -> None:
    """They are not converted, so a person must know."""
    (note,) = parse_sheet(
        "currency: EUR\ndefault: {cpu_core_hour: 0.05, memory_gib_hour: 0.01}", "p.yaml"
    ).notes
    assert "gpu_hour" in note
    assert "USD" in note


def test_every_problem_is_told_at_once_with_its_line() -> None:
    """So that a person mends the file in one go."""
    lines = refusal(
        "currency: dollars\n"
        "as_of: soon\n"
        "default:\n"
        "  cpu_core_hours: 0.03\n"
        "  memory_gib_hour: -1\n"
        "gpus: {L4: free, H100: 6.5}\n"
        "pools:\n"
        "  - name: a\n"
        "    match: {gpu: true}\n"
        "    rates: {cpu_core_hour: 0.01}\n"
        "polls: 3\n"
    )  # fmt: skip
    told = {
        (1, "USD"), (2, "2026-12-31"), (3, "cpu_core_hour"), (4, "did you mean 'cpu_core_hour'?"), (5, "zero or more"),
        (6, "'L4' needs a number"), (9, "quotes"), (10, "memory_gib_hour"), (11, "did you mean 'pools'?"),
    }  # fmt: skip
    assert len(lines) == len(told)
    for line, words in told:
        assert any(said.startswith(f"prices.yaml:{line}: ") and words in said for said in lines), (
            line,
            words,
        )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("-0.01", "zero or more"), (".nan", "number"), (".inf", "number"), ("1e999", "number"), ("true", "number"),
        ('"0.03"', "without quotes"), ("[1]", "number"), ("23.08", "check its unit"), ("1:30", "number"),
    ],
)  # fmt: skip
def test_what_is_no_price_is_refused(value: str, words: str) -> None:
    """Negative, not a number, or a monthly price where an hourly one belongs."""
    (line,) = refusal(f"default: {{cpu_core_hour: {value}, memory_gib_hour: 0.01}}")
    assert words in line


def test_prices_of_weak_currencies_are_not_absurd() -> None:
    """A core for 800 dong an hour is an ordinary price."""
    assert (
        parse_sheet(
            "currency: VND\ndefault: {cpu_core_hour: 800, memory_gib_hour: 100}", "p.yaml"
        ).cpu_core_hour
        == 800
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"- 1\n", "mapping"),
        (b"default: {cpu_core_hour: 1\n", ":"),
        (b"a: &a [*a]\n", ":"),
        (b"\xff\xfea", "UTF-8"),
        (b"currency: USD\n\xe9: 1\n", "prices.yaml:2"),
        (b"default: {cpu_core_hour: 1, cpu_core_hour: 2, memory_gib_hour: 1}\n", "cpu_core_hour"),
        (b"pools: {}\n", "list"),
        (b"pools: [{name: a, match: {}, rates: {cpu_core_hour: 1, memory_gib_hour: 1}}]\n", "match"),
        (b"{name: a, " * 2000, ":"),
    ],
    ids=[
        "empty",
        "list",
        "broken",
        "alias-of-itself",
        "utf-16",
        "latin-1",
        "twice",
        "pools-mapping",
        "empty-match",
        "deep",
    ],
)
def test_a_file_that_is_no_price_sheet_is_refused_in_words(
    tmp_path: Path, content: bytes, words: str
) -> None:
    """Never a traceback, always the file's name."""
    with pytest.raises(UserError) as caught:
        read_prices(written(tmp_path, content))
    assert "prices.yaml" in str(caught.value)
    assert words in str(caught.value)


def test_an_absent_file_or_a_folder_is_told(tmp_path: Path) -> None:
    """With the flag that names it."""
    for path in (tmp_path / "gone.yaml", tmp_path):
        with pytest.raises(UserError, match="--prices"):
            read_prices(path)


@given(st.text(max_size=200))
def test_any_text_is_a_sheet_or_a_refusal(content: str) -> None:
    """In either format, nothing else comes out."""
    for parse in (parse_sheet, parse_csv):
        try:
            assert parse(content, "p").explicit
        except UserError as error:
            assert str(error).startswith("p:")  # noqa: PT017 - a refusal is one of two right answers
