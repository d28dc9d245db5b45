"""The cache of past days: absent, broken, locked, shared by processes."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from bot.adapters.sketch_store import Place, SketchStore
from bot.adapters.usage_sketches import DaySketch, WorkloadDay
from estimators.usage import WorkloadKey

DAY = date(2026, 3, 2)


def sketch(value: float) -> DaySketch:
    """A day that can be told from others."""
    steps = np.full(4, value, np.float32)
    return DaySketch(steps, {WorkloadKey("shop", "Deployment", "api"): WorkloadDay(steps)})


def test_what_is_written_is_read_by_another(tmp_path: Path) -> None:
    """In its scope, its namespace and its day alone; the newest counts."""
    path = tmp_path / "deep" / "usage.db"
    writer = SketchStore(path)
    writer.write("a", {Place("shop", DAY): sketch(1), Place("shop", DAY + timedelta(days=1)): sketch(2)})
    writer.write("a", {Place("shop", DAY): sketch(3)})
    writer.write("b", {Place("shop", DAY): sketch(4)})
    writer.close()
    reader = SketchStore(path)
    assert reader.stored("a", [DAY]) == {Place("shop", DAY)}
    assert reader.stored("c", [DAY]) == frozenset()
    found = reader.read("a", [Place("shop", DAY), Place("other", DAY)])
    assert {place: one.known[0] for place, one in found.items()} == {Place("shop", DAY): 3}
    assert reader.notes == []
    reader.close()


def test_an_absent_store_is_an_empty_one(tmp_path: Path) -> None:
    """The first run of all."""
    store = SketchStore(tmp_path / "usage.db")
    assert store.stored("a", [DAY]) == frozenset()
    assert store.read("a", [Place("shop", DAY)]) == {}
    assert store.notes == []
    store.close()


@pytest.mark.parametrize("how", ["no database", "torn", "bad row"])
def test_a_broken_store_is_set_aside_and_built_anew(tmp_path: Path, how: str) -> None:
    """With a word; nothing of it is believed, nothing of it is deleted."""
    path = tmp_path / "usage.db"
    store = SketchStore(path)
    store.write("a", {Place("shop", DAY): sketch(1)})
    store.close()
    if how == "no database":
        path.write_bytes(b"not sqlite" * 1000)
    elif how == "torn":
        whole = path.read_bytes()
        path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    else:
        connection = sqlite3.connect(path)
        connection.execute("UPDATE usage_days SET payload = x'00'")
        connection.commit()
        connection.close()
    store = SketchStore(path)
    assert store.read("a", [Place("shop", DAY)]) == {}
    assert "was broken" in store.notes[0]
    store.write("a", {Place("shop", DAY): sketch(2)})
    assert store.read("a", [Place("shop", DAY)])[Place("shop", DAY)].known[0] == 2
    assert path.with_name("usage.db.broken").exists()
    store.close()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """It costs time, not the answer."""
    (tmp_path / "file").write_text("in the way")
    store = SketchStore(tmp_path / "file" / "usage.db")
    store.write("a", {Place("shop", DAY): sketch(1)})
    assert store.stored("a", [DAY]) == frozenset()
    assert [line for line in store.notes if "cannot be used" in line] == store.notes != []
    store.close()


def fill(path: Path, number: int) -> list[str]:
    """One process's work; what it had to say."""
    store = SketchStore(path)
    for day in range(5):
        store.write("a", {Place(f"n{number}", DAY + timedelta(days=day)): sketch(number)})
    store.close()
    return store.notes


def test_processes_share_a_store(tmp_path: Path) -> None:
    """All of them begin with no file, and none loses a day."""
    path = tmp_path / "usage.db"
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        notes = list(pool.map(fill, [path] * 4, range(4)))
    assert notes == [[]] * 4
    store = SketchStore(path)
    assert len(store.stored("a", [DAY + timedelta(days=day) for day in range(5)])) == 20
    store.close()
