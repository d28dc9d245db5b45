"""Two Prometheus servers and three clusters: `eu` and `us` share one and are told apart by a label."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.end_to_end.live import PEAK, history
from tests.prometheus_server import Written, backfill, serving

MORE = {"eu": 1.0, "us": 2.0, "staging": 0.5}
"""How many times the memory of tests/end_to_end/live.py their pods use."""
PEAKS = {name: times * PEAK for name, times in MORE.items()}
DAYS = 3


@dataclass(frozen=True, slots=True)
class Servers:
    """The URLs."""

    shared: str
    staging: str

    def config(self, prices: str = "") -> str:
        """`tuppence.yaml`, with the price sheet of `eu` where one is named."""
        return f"""
clusters:
  - name: prod-eu
    prometheus: {{url: "{self.shared}", selector: {{cluster: eu}}}}
    {f"prices: {prices}" if prices else ""}
  - name: prod-us
    prometheus: {{url: "{self.shared}", selector: {{cluster: us}}}}
  - name: staging
    prometheus: {{url: "{self.staging}"}}
  - name: bare
"""


def past(cluster: str, *, labelled: bool) -> Iterator[Written]:
    """The history of one of them."""
    for series in history(DAYS):
        one = replace(series, labels={**series.labels, "cluster": cluster}) if labelled else series
        memory = one.metric == "container_memory_working_set_bytes"
        yield replace(one, values=one.values * MORE[cluster]) if memory else one


@contextmanager
def several_clusters(folder: Path) -> Iterator[Servers]:
    """Their servers, while the context lasts."""
    backfill(folder / "shared", (series for name in ("eu", "us") for series in past(name, labelled=True)))
    backfill(folder / "staging", past("staging", labelled=False))
    with serving(folder / "shared") as shared, serving(folder / "staging") as staging:
        yield Servers(shared, staging)
