"""Which capacity the tasks run on: Fargate, and Fargate Spot.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fsd.compile.desired import Json
from fsd.manifest.models import Service

ON_DEMAND, SPOT = "FARGATE", "FARGATE_SPOT"


def compile_capacity(service: Service) -> tuple[Json, ...]:
    """() without Spot: then the launch type says it, and the cluster needs no providers."""
    spot = service.resources.spot_tasks
    if spot is None or spot.percent == 0:
        return ()
    strategy: list[Json] = []
    if spot.base or spot.percent < 100:
        strategy.append(
            {"capacityProvider": ON_DEMAND, "base": spot.base, "weight": 100 - spot.percent}
        )
    strategy.append({"capacityProvider": SPOT, "base": 0, "weight": spot.percent})
    return tuple(strategy)


def capacity_words(strategy: Sequence[Mapping[str, object]]) -> str:
    """`on demand`, `Spot`, `1 on demand, then 80 % Spot`."""
    weights = {str(entry.get("capacityProvider")): _number(entry, "weight") for entry in strategy}
    total = sum(weights.values())
    if not total or not weights.get(SPOT):
        return "on demand"
    base = sum(_number(e, "base") for e in strategy if e.get("capacityProvider") == ON_DEMAND)
    percent = round(100 * weights[SPOT] / total)
    share = "Spot" if percent == 100 else f"{percent} % Spot"
    return f"{base} on demand, then {share}" if base else share


def _number(entry: Mapping[str, object], key: str) -> int:
    return int(str(entry.get(key, 0)))
