"""Reading again: what comes from the store, and what is asked once more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.adapters.prometheus_usage import FORMAT, UsageHistory, read_usage
from bot.adapters.sketch_store import SketchStore
from estimators.usage import Window
from tests import prometheus_past as truth
from tests.prometheus_reading import WHOLE, Recorder, read, same


def test_a_second_run_asks_only_for_new_days(url: str, shop: UsageHistory, tmp_path: Path) -> None:
    """Days that are long over come from the store, the last ones are asked again; nothing changes."""
    store = SketchStore(tmp_path / "usage.db")
    earlier = Window(truth.BEGIN, truth.END - timedelta(hours=30), truth.STEP)
    read(url, "shop", window=earlier, store=store)
    api = Recorder(url)
    second = read_usage(api, namespaces=["shop"], window=WHOLE, store=store)
    api.close()
    store.close()
    first_new = truth.BEGIN + timedelta(days=6)
    assert {start.date() for _, start in api.asked if start < truth.END} == {
        first_new.date(), (first_new + timedelta(days=1)).date()
    }  # fmt: skip
    assert api.counters.requests <= 10
    same(second, shop)


def test_a_late_sample_of_yesterday_is_still_read(url: str, tmp_path: Path) -> None:
    """A day is stored only some hours after it ended."""
    store = SketchStore(tmp_path / "usage.db")
    window = Window(truth.BEGIN, truth.BEGIN + timedelta(days=2, hours=5), truth.STEP)
    for _ in range(2):
        api = Recorder(url)
        read_usage(api, namespaces=["shop"], window=window, store=store)
        api.close()
    store.close()
    days = {start.date() for _, start in api.asked if start < window.end}
    assert (truth.BEGIN + timedelta(days=1)).date() in days
    assert truth.BEGIN.date() not in days


def test_a_cluster_that_was_read_whole_has_every_namespace(url: str, tmp_path: Path) -> None:
    """Also one that had no pod on some days; and the parts are what they are alone."""
    store = SketchStore(tmp_path / "usage.db")
    cluster = read(url, store=store)
    api = Recorder(url)
    some = read_usage(api, namespaces=["shop", "few"], window=WHOLE, store=store)
    api.close()
    store.close()
    assert {key.namespace for key in cluster.workloads} >= {"shop", "few", "many", "legacy"}
    assert {start.date() for _, start in api.asked if start < truth.END} <= {
        (truth.END - timedelta(days=1)).date()
    }
    wanted = {key: usage for key, usage in cluster.workloads.items() if key.namespace in {"shop", "few"}}
    same(some, UsageHistory(wanted))


def test_an_answer_with_warnings_is_not_remembered(url: str, tmp_path: Path) -> None:
    """What a store of Thanos left out today may be there tomorrow."""
    store = SketchStore(tmp_path / "usage.db")
    api = Recorder(url)
    api.warnings.append("Prometheus warns: a store is down")
    history = read_usage(api, namespaces=["shop"], window=WHOLE, store=store)
    api.close()
    assert "Prometheus warns: a store is down" in history.partial
    days = [truth.BEGIN.date() + timedelta(days=day) for day in range(truth.DAYS)]
    assert store.stored(f"{FORMAT} 300 {url} ", days) == frozenset()
    store.close()


def test_a_broken_cache_is_built_anew(url: str, shop: UsageHistory, tmp_path: Path) -> None:
    """With a word, and with the same answer."""
    path = tmp_path / "usage.db"
    path.write_bytes(b"this is no database" * 1000)
    store = SketchStore(path)
    history = read(url, "shop", store=store)
    same(history, shop)
    assert [line for line in history.partial if "was broken" in line]
    store.close()
    again = SketchStore(path)
    assert again.stored(f"{FORMAT} 300 {url} ", [truth.BEGIN.date()])
    again.close()
