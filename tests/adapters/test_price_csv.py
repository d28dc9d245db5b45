"""OpenCost's CSV price format: its columns as OpenCost reads them, its mistakes told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from bot.adapters.price_csv import COLUMNS, parse_csv
from bot.adapters.price_files import read_prices
from bot.errors import UserError
from estimators.node_price import Capacity, sheet_rates
from estimators.prices import Provenance

D = Decimal
HEADER = ",".join(COLUMNS)


def csv_file(*rows: str) -> str:
    """A price CSV with OpenCost's header."""
    return "\n".join((HEADER, *rows, ""))


def test_opencosts_csv_is_known_by_its_content(tmp_path: Path) -> None:
    """Whatever the file is called; the newest stamp dates it, prices it lacks are the built-in ones."""
    rows = csv_file(
        "2026-07-20 23:34:22 UTC,node-1,,node,metadata.name,,0.1337,",
        "2026-08-01 00:00:00 UTC,Quadro_RTX_4000,,gpu,nvidia.com/gpu_type,,0.75,",
        "2026-07-20 23:34:22 UTC,storageClass0,,pv,spec.storageClassName,,0.0001,",
    )
    path = tmp_path / "prices.txt"
    path.write_text("\ufeff# prices of ours\n" + rows, encoding="utf-8")
    sheet = read_prices(path)
    assert sheet.machines == {("metadata.name", "node-1", ""): D("0.1337")}
    assert sheet.gpus == {"Quadro_RTX_4000": D("0.75")}
    assert sheet.storage == {"storageclass0": D("0.073")}
    assert (sheet.as_of, sheet.explicit, sheet.names_defaults) == ("2026-08-01", True, False)


def test_a_gpu_in_the_csv_comes_on_top_of_its_node() -> None:
    """Two at 0.75 beside a node at 0.1337, as OpenCost adds them up."""
    sheet = parse_csv(
        csv_file(",node-1,,node,metadata.name,,0.1337,", ",Quadro_RTX_4000,,gpu,nvidia.com/gpu_type,,0.75,"),
        "p.csv",
    )
    rates = sheet_rates(
        {"nvidia.com/gpu_type": "Quadro_RTX_4000"}, sheet, Capacity(D(8), D(32), D(2)), "node-1"
    )
    assert rates.gpu_hour == D("0.75")
    assert round(rates.cpu_core_hour * 8 + rates.memory_gib_hour * 32, 12) == D("0.1337")
    assert rates.provenance is Provenance.REQUESTED


@pytest.mark.parametrize(
    ("region", "expected"),
    [("regionone", "0.1337"), ("RegionTwo", "0.1338"), ("elsewhere", "0.1339")],
    ids=str,
)
def test_a_row_for_the_nodes_region_wins_over_one_for_any(region: str, expected: str) -> None:
    """A row without Region holds everywhere else."""
    sheet = parse_csv(
        csv_file(
            ",n,regionone,node,metadata.labels.pool,,0.1337,",
            ",n,regiontwo,node,metadata.labels.pool,,0.1338,",
            ",n,,node,metadata.labels.pool,,0.1339,",
        ),
        "p.csv",
    )
    rates = sheet_rates(
        {"pool": "N", "topology.kubernetes.io/region": region}, sheet, Capacity(D(1), D(1), D(0))
    )
    assert round(rates.cpu_core_hour + rates.memory_gib_hour, 12) == D(expected)


def test_a_machine_type_costs_the_mean_of_its_rows() -> None:
    """Nodes told apart only by their provider's id price their type, with the shape the bundled list knows."""
    sheet = parse_csv(
        csv_file(
            ",/subscriptions/1,eastus2,node,spec.providerID,Standard_F32s_v2,0.10,",
            ",/subscriptions/2,eastus2,node,spec.providerID,Standard_F32s_v2,0.14,",
        ),
        "p.csv",
    )
    labels = {
        "node.kubernetes.io/instance-type": "Standard_F32s_v2",
        "topology.kubernetes.io/region": "eastus2",
    }
    rates = sheet_rates(labels, sheet)
    assert round(rates.cpu_core_hour * 32 + rates.memory_gib_hour * 64, 12) == D("0.12")
    assert rates.source == "price sheet p.csv, Standard_F32s_v2"


def test_rows_that_cannot_be_matched_are_counted_and_named() -> None:
    """Nothing is lost silently."""
    sheet = parse_csv(
        csv_file(
            ",n,,node,metadata.name,,0.1,", ",i-1,,node,spec.providerID,,0.1,", ",i-2,,node,spec.providerID,,0.1,",
            ",pvc-1,,pv,metadata.name,,0.0001,", ",x,,gpu,example.com/card,,1,",
        ),
        "p.csv",
    )  # fmt: skip
    assert any("2 rows" in note and "spec.providerID" in note for note in sheet.notes)
    assert any("volume's metadata.name" in note for note in sheet.notes)
    assert any("example.com/card" in note for note in sheet.notes)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (csv_file(",n,,node,metadata.name,,-1,"), "p.csv:2: needs a price of zero or more"),
        (csv_file(",n,,node,metadata.name,,NaN,"), "not 'NaN'"),
        (csv_file(",n,,node,metadata.name,,1e9,"), "check its unit"),
        (csv_file(",n,,node,metadata.name,,,"), "needs a number"),
        (csv_file(",n,,nodes,metadata.name,,1,"), "AssetClass needs one of node, pv, gpu"),
        (csv_file("a,b"), "2 fields"),
        (HEADER.replace("InstanceType", "InstanceTyp"), "did you mean InstanceType?"),
        ("InstanceID,MarketPriceHourly\nn,1\n", "column AssetClass is missing"),
        (csv_file(), "no row"),
        (csv_file(",i-1,,node,spec.providerID,,0.1,"), "no row"),
        (csv_file('"' + "x" * 200_000), "not CSV"),
    ],
    ids=["negative", "nan", "absurd", "none", "class", "short", "column", "missing", "empty", "unusable", "huge-field"],
)  # fmt: skip
def test_a_csv_that_cannot_be_meant_is_refused(content: str, words: str) -> None:
    """With the line."""
    with pytest.raises(UserError) as caught:
        parse_csv(content, "p.csv")
    assert words in str(caught.value)
    assert str(caught.value).startswith("p.csv:")
