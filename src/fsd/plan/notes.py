"""What a person should know of a plan, as values. `fsd.report.notes` puts them into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from fsd.plan.moved_check import MovedCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionKept:
    """Only the version and the commit differ from what runs."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheckMoves:
    """It judges the running tasks too."""

    moved: MovedCheck
    is_tried: bool = True  # on them, before anything changes


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftsLater:
    """A rolling deployment attaches the second target group; the next one shifts traffic."""

    strategy: str  # as AWS calls it


@dataclass(frozen=True, slots=True, kw_only=True)
class CountWithoutEffect:
    """`desiredCount`, where auto scaling has the count."""

    wished: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignPolicies:
    """They scale the service beside FSD's."""

    service: str
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTarget:
    """A scalable target without FSD's policies."""

    service: str
    minimum: int
    maximum: int
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStays:
    """FSD's scaling goes; policies that are not FSD's need its scalable target."""

    service: str
    minimum: int
    maximum: int
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAdopted:
    """Another tool made the service, and this deployment takes it over."""

    service: str
    revision: str  # that runs, and that a rollback goes back to


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupLeft:
    """The tasks of an adopted service register in another one from then on."""

    arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupsLeft:
    """The tasks of an adopted service get one that FSD makes."""

    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleReplaced:
    """An adopted service gets a role that FSD makes."""

    what: str  # `task role`
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTakenOver:
    """What started the Job until now is disabled when its own schedule begins."""

    name: str
    is_rule: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OldScheduleGone:
    """The manifest names one that AWS does not have."""

    arn: str


PlanNote: TypeAlias = (
    VersionKept
    | HealthCheckMoves
    | ShiftsLater
    | CountWithoutEffect
    | ForeignPolicies
    | ForeignTarget
    | TargetStays
    | ServiceAdopted
    | TargetGroupLeft
    | SecurityGroupsLeft
    | RoleReplaced
    | ScheduleTakenOver
    | OldScheduleGone
)
