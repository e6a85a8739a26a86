"""What a phase came to, where a step of the plan does not say it. Values: `fsd.report.phases` has
the words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from fsd.release.messages import BackAndHealth, BackEnded


class BarePhaseFact(StrEnum):
    """Facts that have no values."""

    BUILDING = "building"
    FAILED = "failed"
    NO_ANSWER = "no-answer"  # of AWS
    NO_TASK = "no-task"  # the count is 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRead:
    """Without errors: one with errors has no phases."""

    file: str
    warnings: int


class ImageOrigin(StrEnum):
    GIVEN = "given"
    REUSED = "reused"
    BUILT = "built"
    PUSHED = "pushed"  # built before, by `fsd build`


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedParts:
    """Those that the registry did not have yet."""

    pushed: int
    total: int
    unit: str  # layers, blobs


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReady:
    """Built and pushed, or found."""

    name: str  # of the repository, without the registry
    digest: str  # "" where the registry was not asked
    tag: str
    origin: ImageOrigin
    seconds: float = 0.0  # building and pushing
    parts: PushedParts | None = None  # None: nothing was pushed


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthyAfter:
    """The rollout succeeded."""

    took: timedelta
    running: int | None  # None: ECS did not say
    desired: int | None


class RolloutEnd(StrEnum):
    SUPERSEDED = "superseded"
    NO_END = "no-end"  # in the time that it had
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedAfter:
    """The rollout did not succeed."""

    end: RolloutEnd
    took: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class WentBack:
    """How the rollback ended."""

    revision: str  # that runs again, "" where none does
    message: BackEnded | BackAndHealth
    took: timedelta


PhaseFact: TypeAlias = (
    BarePhaseFact | ManifestRead | ImageReady | HealthyAfter | EndedAfter | WentBack
)
