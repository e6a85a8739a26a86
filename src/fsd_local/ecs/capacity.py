"""Capacity providers: on which one the next task of a service starts. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-capacity-providers.html
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fsd_local.ecs.faults import invalid
from fsd_local.ecs.model import Cluster, Json, Task

SPOT = "FARGATE_SPOT"


def check_strategy(strategy: Sequence[Json], cluster: Cluster) -> None:
    if sum(bool(entry.get("base")) for entry in strategy) > 1:
        raise invalid("Only one capacity provider in a strategy can have a base.")
    for entry in strategy:
        if entry["capacityProvider"] not in cluster.capacity_providers:
            raise invalid(
                "The specified capacity provider strategy cannot contain a capacity provider that "
                "is not associated with the cluster. Associate the capacity provider with the "
                "cluster and try again."
            )


def choose_provider(strategy: Sequence[Json], running: Collection[Task]) -> str:
    """First what `base` asks for, then whichever is furthest below its weight; "" without one."""
    if not strategy:
        return ""
    counts = {
        entry["capacityProvider"]: sum(
            task.capacity_provider == entry["capacityProvider"] for task in running
        )
        for entry in strategy
    }
    for entry in strategy:
        if counts[entry["capacityProvider"]] < entry.get("base", 0):
            return str(entry["capacityProvider"])
    weighted = [entry for entry in strategy if entry.get("weight", 0)]
    best = min(
        weighted or strategy,
        key=lambda entry: (
            (counts[entry["capacityProvider"]] - entry.get("base", 0) + 1)
            / (entry.get("weight", 0) or 1)
        ),
    )
    return str(best["capacityProvider"])
