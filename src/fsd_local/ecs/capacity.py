"""Capacity providers: on which one the next task of a service starts. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-capacity-providers.html
The words are AWS's: a provider that is not associated in
https://github.com/dask/dask-cloudprovider/issues/328, weights and bases in badmintoncryer/
cdk-preflight (`rules/ecs/pf-ecs-svc-capacity-provider-*`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fsd_local.ecs.faults import invalid
from fsd_local.ecs.model import Json, Task

SPOT = "FARGATE_SPOT"
FARGATE_PROVIDERS = ("FARGATE", SPOT)
_MOST_PROVIDERS = 20
_MOST_WEIGHT, _MOST_BASE = 1000, 100_000


def check_strategy(strategy: Sequence[Json], associated: Sequence[str]) -> None:
    """Raises ApiError. An empty strategy is none."""
    if not strategy:
        return
    if len(strategy) > _MOST_PROVIDERS:
        raise invalid(
            f"The capacity provider strategy can have at most {_MOST_PROVIDERS} capacity providers."
        )
    for entry in strategy:
        _check_provider(entry, associated)
    if not any(entry.get("weight", 0) for entry in strategy):
        raise invalid(
            "There are no capacity providers in the capacity provider strategy with a weight "
            "value greater than zero. Specify a weight value greater than zero for at least one "
            "capacity provider and try again."
        )
    if sum(entry.get("base", 0) > 0 for entry in strategy) > 1:
        raise invalid(
            "There are multiple capacity providers in the specified capacity provider strategy "
            "with a base value greater than zero. Only one capacity provider can have a base value "
            "greater than zero. Specify a valid capacity provider strategy and try again."
        )


def _check_provider(entry: Json, associated: Sequence[str]) -> None:
    check_providers([entry["capacityProvider"]])
    if entry["capacityProvider"] not in associated:
        raise invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is "
            "not associated with the cluster. Associate the capacity provider with the cluster or "
            "specify a valid capacity provider and try again."
        )
    if not 0 <= entry.get("weight", 0) <= _MOST_WEIGHT:
        raise invalid(f"weight must be between 0 and {_MOST_WEIGHT}.")
    if not 0 <= entry.get("base", 0) <= _MOST_BASE:
        raise invalid(f"base must be between 0 and {_MOST_BASE}.")


def check_providers(names: Sequence[str]) -> None:
    for name in names:
        if name not in FARGATE_PROVIDERS:
            raise invalid(
                f"The specified capacity provider '{name}' was not found. Specify a valid name or "
                "ARN and try again."
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
