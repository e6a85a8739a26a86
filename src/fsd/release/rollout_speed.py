"""How long a rollout took beside those before it: by ECS's own times, which are listed anyway."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from fsd.snapshot import DeploymentStatus, ServiceDeployment

FEWEST = 5  # below it a share says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutSpeed:
    """Beside the last rollouts of the service that succeeded."""

    faster_than: int  # percent of them
    slower_than: int  # percent of them
    of: int  # how many


def compare_speed(
    ours: ServiceDeployment | None, listed: Iterable[ServiceDeployment]
) -> RolloutSpeed | None:
    """None where too few succeeded before, or ECS does not say how long they took."""
    mine = _took(ours) if ours else None
    if ours is None or mine is None:
        return None
    done = [d for d in listed if d.status is DeploymentStatus.SUCCESSFUL and d.arn != ours.arn]
    took = [each for each in map(_took, done) if each is not None]
    if len(took) < FEWEST:
        return None
    return RolloutSpeed(
        faster_than=100 * sum(mine < each for each in took) // len(took),
        slower_than=100 * sum(mine > each for each in took) // len(took),
        of=len(took),
    )


def _took(deployment: ServiceDeployment) -> timedelta | None:
    ended = deployment.finished_at
    return ended - deployment.created_at if ended else None
