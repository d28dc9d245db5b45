"""What may be proposed for a workload, a volume or a load balancer: one finder a file.

A finder is a function from a `Candidate` or a `Standing` to proposals and to what it leaves alone. It
proposes what history allows; whether that would be risky is for the rules of a comparison to say, which
judge every proposal (`estimators.recommend`).
"""

from __future__ import annotations

from estimators.finders.autoscaler_bounds import autoscaler_bounds
from estimators.finders.candidate import Finder, StandingFinder
from estimators.finders.container_resources import container_resources
from estimators.finders.gpu_part import gpu_part
from estimators.finders.idle_gpu import idle_gpu
from estimators.finders.idle_workload import idle_workload
from estimators.finders.off_hours import off_hours
from estimators.finders.orphaned_volume import orphaned_volume
from estimators.finders.oversized_volume import oversized_claim, oversized_volumes
from estimators.finders.replica_count import replica_count
from estimators.finders.spot_ready import spot_ready
from estimators.finders.unused_balancer import unused_balancer

FINDERS: tuple[Finder, ...] = (
    container_resources,
    autoscaler_bounds,
    replica_count,
    idle_workload,
    idle_gpu,
    gpu_part,
    spot_ready,
    off_hours,
    oversized_volumes,
)

STANDING_FINDERS: tuple[StandingFinder, ...] = (orphaned_volume, oversized_claim, unused_balancer)
