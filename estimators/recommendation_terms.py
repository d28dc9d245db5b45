"""How careful a recommendation is: margins by profile, what is frozen, and what is worth saying."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Profile:
    """Margins over what was observed.

    A request covers the percentile of one pod's CPU use times `cpu_margin`, and memory the peak times
    `memory_margin`; neither is ever below the peak that was seen. `target` is the highest CPU
    utilisation an autoscaler is set to, in percent; `spare_pods` are kept beyond those that carry the
    peak with one gone, and never fewer than `least_pods` are proposed.
    """

    name: str
    cpu_percentile: int
    cpu_margin: Decimal
    memory_margin: Decimal
    target: int
    spare_pods: int
    least_pods: int


DEVELOPMENT = Profile("development", 90, Decimal("1.05"), Decimal("1.15"), 80, 0, 2)
PRODUCTION = Profile("production", 95, Decimal("1.15"), Decimal("1.2"), 70, 0, 2)
CRITICAL = Profile("critical", 99, Decimal("1.3"), Decimal("1.4"), 60, 1, 3)
"""1.15 is the margin of KRR and Crane for memory and of the VerticalPodAutoscaler for both; 0.8, 0.65
and 0.5 are the utilisations Kubecost aims at for the same three profiles."""

PROFILES = {item.name: item for item in (DEVELOPMENT, PRODUCTION, CRITICAL)}

CRITICAL_TIERS = frozenset({"critical", "0", "tier-0", "tier0", "1", "tier-1", "tier1"})
"""Values of a tier label that make a workload critical in whatever environment it runs."""
_NOT_PRODUCTION = frozenset({"dev", "develop", "development", "test", "testing", "sandbox", "preview", "ci"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What a person may set for one environment.

    `frozen` is why nothing is to be changed there now, `""` where nothing is frozen. Savings below
    `least_saving` a month, in the currency of the prices, are not worth a pull request.
    """

    profile: Profile = PRODUCTION
    frozen: str = ""
    least_saving: Decimal = Decimal(1)


def usual_terms(environment: str) -> Terms:
    """The terms of an environment nobody set any for: development by its name, else production."""
    words = environment.casefold().replace("_", "-").split("-")
    return Terms(DEVELOPMENT if _NOT_PRODUCTION.intersection(words) else PRODUCTION)
