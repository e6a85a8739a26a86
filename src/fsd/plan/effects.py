"""What a plan does beyond its steps, and what a reviewer must not overlook: something is replaced,
users may notice, it costs more or less. Values only; `find_effects` finds them.

Prices are not known here and change; which of the things that AWS bills there will be more of is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A load balancer or a target group goes, and another one comes."""

    resource: str  # logical name
    is_balancer: bool
    by: str = ""  # the logical name of the other one; "" the same, made again by CloudFormation
    because: tuple[str, ...] = ()  # the properties that cannot be changed


class Interrupts(StrEnum):
    """Why users may notice."""

    ADDRESS = "address"  # the load balancer gets another DNS name
    LISTENER = "listener"  # a network load balancer listens at another port, or by TLS
    NO_BALANCER = "no-load-balancer"  # the service is left without one
    EMPTY_GROUP = "empty-target-group"  # until new tasks are in it
    NO_TASKS = "no-tasks"  # the count becomes 0
    TASKS_FIRST = "tasks-stop-first"  # old tasks may all stop before a new one runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    why: Interrupts


class Billed(StrEnum):
    """What AWS bills, by the hour."""

    VCPU = "vcpu"
    MEMORY = "memory"  # GiB
    STORAGE = "storage"  # GiB above 20
    BALANCERS = "load-balancers"
    MOST_TASKS = "most-tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledChange:
    what: Billed
    before: float
    after: float


class Direction(StrEnum):
    MORE = "more"
    LESS = "less"
    BOTH = "both"  # one thing more, another less


@dataclass(frozen=True, slots=True, kw_only=True)
class CostMove:
    parts: tuple[BilledChange, ...]

    @property
    def direction(self) -> Direction:
        rises = {part.after > part.before for part in self.parts}
        if len(rises) > 1:
            return Direction.BOTH
        return Direction.MORE if True in rises else Direction.LESS


Effect: TypeAlias = Replacement | Interruption | CostMove
