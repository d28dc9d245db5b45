"""What acts on a workload, out of all objects of one side."""

from __future__ import annotations

import pytest

from estimators.inventory import take_inventory
from tests.yaml_objects import deployment, objects

BUDGET = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: b{number}, namespace: payments}}
spec: {{minAvailable: 1, selector: {{matchLabels: {{app: {app}}}}}}}
"""


@pytest.mark.parametrize(("matching", "others", "found"), [(0, 3, 0), (1, 3, 1), (2, 0, 2), (500, 500, 10)])
def test_the_budgets_of_a_workload_are_a_few_however_many_there_are(
    matching: int, others: int, found: int
) -> None:
    """Kubernetes evicts no pod that has two, and thousands of them would be minutes of work."""
    apps = [*["other"] * others, *["api"] * matching]
    budgets = (BUDGET.format(number=number, app=app) for number, app in enumerate(apps))
    inventory = take_inventory(objects("---".join([deployment(), *budgets])))
    [workload] = inventory.workloads.values()

    acting = inventory.budgets_of(workload)

    assert len(acting) == found
    assert all(int(one.object.identity.name[1:]) >= others for one in acting)
