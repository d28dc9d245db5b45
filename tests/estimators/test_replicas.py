"""How many pods an event-driven autoscaler keeps."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from estimators.autoscaler_reader import read_scaled_object
from estimators.pod_request import EffectivePod
from estimators.replicas import replay
from tests.usage_builders import container_usage, history
from tests.yaml_objects import objects

STEPS = 288


@pytest.mark.parametrize(
    ("bounds", "at_rest", "at_work"),
    [
        pytest.param("minReplicaCount: 0", 0, 6, id="to zero"),
        pytest.param("minReplicaCount: 2, idleReplicaCount: 0", 0, 6, id="idle below the minimum"),
        pytest.param("minReplicaCount: 2", 2, 6, id="a minimum where it used to rest at zero"),
        pytest.param("minReplicaCount: 8, idleReplicaCount: 0", 0, 8, id="at work no fewer than the minimum"),
    ],
)
def test_keda_rests_where_there_is_no_work(bounds: str, at_rest: float, at_work: float) -> None:
    """At its idle count, else at its minimum: the steps without a pod tell when."""
    [thing] = objects(f"""
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: worker, namespace: payments}}
spec: {{scaleTargetRef: {{name: api}}, {bounds}, triggers: [{{type: cpu, metadata: {{value: "50"}}}}]}}
""")
    ran = np.tile([0.0, 6.0], STEPS // 2)
    used = container_usage(cpu=np.where(ran > 0, 3.0, np.nan), steps=STEPS)
    pod = EffectivePod({"api": {"cpu": Decimal(1)}}, {}, {}, frozenset(), {"cpu": Decimal(1)})
    found = replay(read_scaled_object(thing), pod, history(used, replicas=ran), None, 300)

    assert found is not None
    assert [*found.pods[-2:]] == [at_rest, at_work]
