"""The deployment circuit breaker's arithmetic.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from fsd_local.ecs.model import Json

_FLOOR, _CEILING = 3, 200
_DEFAULT_PERCENT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    is_enabled: bool = False
    rolls_back: bool = False
    resets_on_healthy_task: bool = True
    kind: str = "BOUNDED_PERCENT"
    value: int = _DEFAULT_PERCENT

    def threshold(self, desired_count: int) -> int:
        """Failures that fail a deployment; the latest desired count decides."""
        if self.kind == "COUNT":
            return self.value
        share = ceil(self.value * desired_count / 100)
        return share if self.kind == "UNBOUNDED_PERCENT" else min(max(share, _FLOOR), _CEILING)


def load_breaker(configuration: Json) -> Breaker:
    """The breaker of a `deploymentConfiguration`; off where there is none."""
    found = configuration.get("deploymentCircuitBreaker") or {}
    threshold = found.get("thresholdConfiguration") or {}
    return Breaker(
        is_enabled=bool(found.get("enable")),
        rolls_back=bool(found.get("rollback")),
        resets_on_healthy_task=bool(found.get("resetOnHealthyTask", True)),
        kind=threshold.get("type", "BOUNDED_PERCENT"),
        value=threshold.get("value", _DEFAULT_PERCENT),
    )
