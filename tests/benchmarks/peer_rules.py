"""What KRR and the VerticalPodAutoscaler would propose, written from their sources of summer 2026.

KRR, strategy `simple` with its defaults (`robusta_krr/strategies/simple.py`, `core/models/config.py`): CPU
request = the largest of the pods' 95th percentiles; memory request and limit = the largest working set of
any pod x 1.15; at least 10m and 100 MiB; nothing for what an autoscaler of the same resource scales; OOM
kills are not looked at unless asked for, and then within the same 14 days.

VPA recommender with its defaults (`pkg/recommender/config/config.go`, `model/aggregations_config.go`):
histograms whose buckets grow by 5 % from 0.01 cores and 10 MB, samples that lose half their weight in 24
hours and are equal otherwise, target = 90th percentile (a bucket's upper edge) x 1.15; memory takes the
peak of each pod and day of the last eight; at least 25m and 250 MiB, of a pod with one container. It is
the target of one moment, as those see it who copy it into a manifest; a running VPA goes on changing it.
"""

from __future__ import annotations

import numpy as np

from tests.benchmarks.known_loads import MIB, STEPS, STEPS_A_DAY, Load, Pods

_HALF_LIFE = STEPS_A_DAY
_GROWTH = 1.05


def krr(load: Load) -> dict[str, float]:
    """Cores and bytes that KRR proposes."""
    memory = max(float(load.memory.max()) * 1.15, 100 * MIB)
    if load.scaled:
        return {"memory": memory}
    return {"cpu": max(float(np.percentile(load.cpu, 95, axis=1).max()), 0.01), "memory": memory}


def vpa(load: Load) -> dict[str, float]:
    """Cores and bytes that the recommender gives as target."""
    age: Pods = np.tile(np.arange(float(STEPS))[::-1], (load.cpu.shape[0], 1))
    days = _last_days(load.memory)
    return {
        "cpu": max(_decayed(load.cpu, age, 0.01) * 1.15, 0.025),
        "memory": max(_decayed(days, _ages_of_days(days), 1e7) * 1.15, 250 * MIB),
    }


def _last_days(memory: Pods) -> Pods:
    days: Pods = memory[:, -8 * STEPS_A_DAY :].reshape(memory.shape[0], 8, STEPS_A_DAY).max(axis=2)
    return days


def _ages_of_days(days: Pods) -> Pods:
    ages: Pods = np.tile(np.arange(8.0)[::-1] * STEPS_A_DAY, (days.shape[0], 1))
    return ages


def _decayed(values: Pods, age: Pods, first: float) -> float:
    """The 90th percentile of samples that lose half their weight a day, as the upper edge of its bucket."""
    weights = 0.5 ** (age / _HALF_LIFE)
    # Bucket n begins at first x (1.05^n - 1) / 0.05.
    bucket = np.floor(np.log1p(values / first * (_GROWTH - 1)) / np.log(_GROWTH)).astype(int)
    totals = np.bincount(bucket.ravel(), weights.ravel())
    reached = int(np.searchsorted(np.cumsum(totals), 0.9 * totals.sum()))
    return float(first * (_GROWTH ** (reached + 1) - 1) / (_GROWTH - 1))
