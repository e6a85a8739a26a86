"""What a plan does beyond its steps, in words: replacement, interruption, cost. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from fsd.plan.effects import (
    Billed,
    BilledChange,
    CostMove,
    Direction,
    Effect,
    Interruption,
    Interrupts,
    Replacement,
)

_INTERRUPTIONS = {
    Interrupts.ADDRESS: "the load balancer's DNS name changes: clients of the old one lose the "
    "service",
    Interrupts.LISTENER: "after the rollout has succeeded, the load balancer listens on another "
    "port or with another protocol: clients that still use the old one can no longer reach the "
    "service",
    Interrupts.NO_BALANCER: "the load balancer is removed: clients of its DNS name lose the "
    "service",
    Interrupts.EMPTY_GROUP: "the new target group is empty until new tasks are healthy",
    Interrupts.NO_TASKS: "no task will be running afterwards",
    Interrupts.TASKS_FIRST: "all old tasks may stop before a new one is running",
}
_DIRECTIONS = {
    Direction.MORE: "higher",
    Direction.LESS: "lower",
    Direction.BOTH: "partly higher, partly lower",
}
# What AWS bills: before and behind its numbers, and in JSON.
_BILLED = {
    Billed.VCPU: ("vCPU", "", "vCPU"),
    Billed.MEMORY: ("memory", " GiB", "GiB of memory"),
    Billed.STORAGE: ("storage above 20 GiB", " GiB", "GiB of storage over 20"),
    Billed.BALANCERS: ("load balancers", "", "load balancers"),
    Billed.MOST_TASKS: ("maximum number of tasks", "", "tasks at most"),
}


def effect_kind(effect: Effect) -> str:
    """Its name in JSON."""
    match effect:
        case Replacement():
            return "replacement"
        case Interruption():
            return "interruption"
        case CostMove():
            return "cost"
        case _:
            assert_never(effect)


def effect_label(effect: Effect) -> str:
    """What stands before its text."""
    match effect:
        case Replacement():
            return "replaces"
        case Interruption():
            return "downtime"
        case CostMove():
            return "cost"
        case _:
            assert_never(effect)


def effect_text(effect: Effect) -> str:
    """``LoadBalancer by PublicLoadBalancer``, ``higher (vCPU 0.5 → 2)``."""
    match effect:
        case Replacement(resource=resource, by=by, because=because):
            how = f" by {by}" if by else f", as {' and '.join(because)} cannot be changed"
            return f"{resource}{how}; deploy with --allow-replacement"
        case Interruption(why=why):
            return _INTERRUPTIONS[why]
        case CostMove(parts=parts, direction=direction):
            return f"{_DIRECTIONS[direction]} ({_parts_text(parts)})"
        case _:
            assert_never(effect)


def effect_json(effect: Effect) -> dict[str, object]:
    match effect:
        case Replacement(resource=resource, by=by, because=because):
            more: dict[str, object] = {
                "resource": resource,
                "by": by or None,
                "because": list(because),
            }
        case Interruption(why=why):
            more = {"why": str(why)}
        case CostMove(parts=parts, direction=direction):
            more = {"direction": str(direction), "billed": [_part_json(part) for part in parts]}
        case _:
            assert_never(effect)
    return {"kind": effect_kind(effect), "text": effect_text(effect), **more}


def _parts_text(parts: Sequence[BilledChange]) -> str:
    return ", ".join(_part_text(part) for part in parts)


def _part_json(part: BilledChange) -> dict[str, object]:
    return {"what": _BILLED[part.what][2], "before": part.before, "after": part.after}


def _part_text(part: BilledChange) -> str:
    """`memory 1 → 2 GiB`."""
    name, unit, _ = _BILLED[part.what]
    return f"{name} {part.before:g} → {part.after:g}{unit}"
