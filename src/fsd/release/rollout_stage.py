"""Which part of a rollout takes the time, and what is true meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fsd.release.messages import RolloutProgress, RolloutStage
from fsd.release.progress import baking_alarms
from fsd.release.result import Progress
from fsd.rollout.ecs_events import DRAINING
from fsd.snapshot import Snapshot


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
    return max((e.at for e in snapshot.events if DRAINING.search(e.message)), default=None)


def standing_of(
    snapshot: Snapshot,
    progress: Progress,
    drain: Drain,
    *,
    times: Mapping[RolloutStage, timedelta] | None = None,
) -> RolloutProgress:
    """How far it is, until when that takes where that is known, and what took the `times`."""
    times = times or {}
    slowest = max(times, key=lambda one: times[one]) if times else None
    return RolloutProgress(
        stage=stage_of(snapshot, progress),
        desired=progress.desired,
        running=progress.new_running,
        pending=progress.new_pending,
        healthy=progress.new_healthy,
        old_running=progress.old_running,
        alarms=baking_alarms(snapshot, progress),
        drained_at=_drained_at(snapshot, drain),
        drain=drain.delay,
        slowest=slowest,
        slowest_took=times[slowest] if slowest else timedelta(),
    )


def _drained_at(snapshot: Snapshot, drain: Drain) -> datetime | None:
    since = draining_since(snapshot)
    return since + drain.delay / drain.speed if since is not None and drain.delay else None
