"""Which part of a rollout takes the time, and what is true meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from fsd.release.progress import baking_alarms
from fsd.release.result import Progress
from fsd.snapshot import Snapshot

_DRAINING = "has begun draining connections"


class RolloutStage(StrEnum):
    """In a rollout's order; the value is how a message names it."""

    START = "starting tasks"
    CHECK = "health checks"
    REPLACE = "replacing old tasks"
    DRAIN = "draining old connections"
    BAKE = "the bake time"
    PAUSE = "a pause"
    SETTLE = "ECS's own end of the deployment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """How long a target may finish its requests."""

    delay: timedelta = timedelta()  # deregistrationDelay as written; zero: not known
    speed: float = 1.0  # of an embedded AWS, by which it is divided


def stage_of(snapshot: Snapshot, progress: Progress) -> RolloutStage:
    deployment = snapshot.deployment
    if deployment is not None and deployment.awaits is not None:
        return RolloutStage.PAUSE
    if progress.new_healthy < max(progress.desired, 1):
        return (
            RolloutStage.CHECK
            if progress.new_running > progress.new_healthy
            else RolloutStage.START
        )
    if draining_since(snapshot) is not None:
        return RolloutStage.DRAIN
    if progress.old_running:
        return RolloutStage.REPLACE
    return RolloutStage.BAKE if baking_alarms(snapshot, progress) else RolloutStage.SETTLE


def draining_since(snapshot: Snapshot) -> datetime | None:
    """When ECS took the last targets out of the load balancer; None where none drains.

    Its event says when. The targets say whether one still does, where they were read since.
    """
    service = snapshot.service
    if service is None or not service.target_group_arns:
        return None
    if snapshot.targets and not any(t.state == "draining" for t in snapshot.targets):
        return None
    return max((e.at for e in snapshot.events if _DRAINING in e.message), default=None)


def what_is_true(snapshot: Snapshot, progress: Progress, drain: Drain) -> str:
    """One sentence: how far it is, and until when that takes, where that is known."""
    new = f"all {progress.desired} new tasks are healthy"
    match stage_of(snapshot, progress):
        case RolloutStage.START:
            running = f"{progress.new_running} of {progress.desired} new tasks run"
            return running + (f", {progress.new_pending} start" if progress.new_pending else "")
        case RolloutStage.CHECK:
            return (
                f"{progress.new_running} of {progress.desired} new tasks run, "
                f"{progress.new_healthy} of them healthy so far"
            )
        case RolloutStage.REPLACE:
            return f"{new}; {progress.old_running} old ones still run"
        case RolloutStage.DRAIN:
            return f"{new} and serve; the old ones' connections drain{_until(snapshot, drain)}"
        case RolloutStage.BAKE:
            alarms = ", ".join(baking_alarms(snapshot, progress))
            return f"{new}; ECS watches the alarms for the bake time: {alarms}"
        case _:
            return new


def slowest_text(times: Mapping[RolloutStage, timedelta]) -> str:
    """`draining old connections took 38 s of it`; "" where nothing was seen."""
    if not times:
        return ""
    stage = max(times, key=lambda one: times[one])
    seconds = round(times[stage].total_seconds())
    return f"{stage} took {seconds} s of it" if seconds else ""


def _until(snapshot: Snapshot, drain: Drain) -> str:
    since = draining_since(snapshot)
    if since is None or not drain.delay:
        return ""
    until = (since + drain.delay / drain.speed).astimezone(UTC)
    seconds = round(drain.delay.total_seconds())
    return f" until {until:%H:%M:%S} UTC at the latest (deregistrationDelay {seconds} s)"
