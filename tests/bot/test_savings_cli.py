"""`tuppence cost savings`: what is worth approving, from the records, and the way out where there are none."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bot.adapters.records import Records
from bot.composition.cost import CostOptions, tell_cost
from bot.errors import UserError
from estimators.allocate import allocate
from tests import week_samples as samples
from tests.cost_samples import cluster_hour

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "savings.schema.json"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Records with an hour of cost and a week's recommendations."""
    url = f"sqlite:///{tmp_path_factory.mktemp('savings') / 'tuppence.db'}"
    with closing(Records(url)) as records:
        records.prepare()
        hour = cluster_hour(samples.WEEK.start)
        records.costs.keep("prod", [allocate(hour)], currency="USD", at=samples.NOW)
        samples.remember(records)
    return url


@pytest.fixture(autouse=True)
def here(kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", kept)
    monkeypatch.chdir(tmp_path)


def ask(*words: str, **options: object) -> None:
    tell_cost(CostOptions(words=("savings", *words), **options), now=samples.NOW)  # type: ignore[arg-type]  # handed on


def test_savings_are_told_as_text_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, and what is not offered; amounts as they are kept."""
    ask()
    text = capsys.readouterr().out
    assert "9 changes are worth approving: −$553 a month." in text
    assert "Under way: payments/queue, approved by Ann" in text
    ask("shop", form="json")
    told = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(told)
    assert (told["schema"], told["question"], told["allocated"]) == (
        "tuppence.savings/v1",
        "savings shop",
        "-120",
    )
    assert [one["workload"] for one in told["recommendations"]] == ["shop/web"]


@pytest.mark.parametrize(
    ("words", "options", "told"),
    [
        ("paymets", {}, "Did you mean tuppence cost savings payments?"),
        ("shop 30d", {}, "they take no 30d; did you mean tuppence cost savings shop?"),
        ("shop", {"window": "30d"}, "they take no 30d"),
        ("", {"prometheus": "http://127.0.0.1:1"}, "takes no --prometheus.* on the spot"),
        ("", {"vs_last": True}, "takes no --vs-last"),
        ("", {"chart": Path("x.png")}, "leave out --chart"),
    ],
    ids=["near", "window", "option", "prometheus", "vs last", "chart"],
)
def test_what_savings_do_not_take_is_one_line_with_a_way_out(
    words: str, options: dict[str, object], told: str
) -> None:
    """Nothing that was asked for is left out in silence."""
    with pytest.raises(UserError, match=told):
        ask(*words.split(), **options)


@pytest.mark.parametrize("prepared", [True, False], ids=["no look", "no records"])
def test_without_a_look_it_says_who_looks_on_the_spot(
    prepared: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is made where there is nothing."""
    file = tmp_path / "other.db"
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", f"sqlite:///{file}")
    if prepared:
        with closing(Records(f"sqlite:///{file}")) as records:
            records.prepare()
    with pytest.raises(UserError, match="--prometheus URL looks for savings on the spot"):
        ask()
    assert file.exists() is prepared
