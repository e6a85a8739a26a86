"""How long a rolling deployment takes, from the manifest alone, and what takes the time.

    batches × (start a task + its first good check + drain an old one) + bake time + steadyFor

A new target is healthy after one good check, whatever `healthyThreshold` says: that is for targets
which were unhealthy.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from fsd.manifest.models import CanaryShift, Deployment, LinearShift, Service

# From RunTask to running on Fargate: network interface, image, process. AWS gives no figure; it is
# 20 to 60 seconds for the images of most services.
START = 40


class Part(StrEnum):
    """What takes the time; the value is how a message names it."""

    START = "to start a task"
    CHECK = "healthCheck.interval"
    GRACE = "gracePeriod"
    DRAIN = "deregistrationDelay"
    BATCHES = "for more batches"
    SHIFT = "between shifts of the traffic"
    BAKE = "bakeTime"
    STEADY = "steadyFor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Seconds by part, the longest first; parts that take none are not there."""

    parts: tuple[tuple[Part, int], ...]

    @property
    def seconds(self) -> int:
        return sum(seconds for _, seconds in self.parts)

    @property
    def duration(self) -> timedelta:
        return timedelta(seconds=self.seconds)

    @property
    def dominant(self) -> Part:
        return self.parts[0][0]


def batch_size(service: Service) -> int:
    """Tasks that ECS replaces at a time; 0: it may neither start nor stop one, and hangs.

    ECS rounds the lower limit up and the upper one down.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
    """
    count, deployment = service.resources.desired, service.deployment
    floor = -(-count * deployment.minimum_healthy_percent // 100)
    ceiling = count * deployment.maximum_percent // 100
    return min(count, ceiling - floor)


def batches(service: Service) -> int:
    size = batch_size(service)
    return -(-service.resources.desired // size) if size else 0


def estimate_rollout(service: Service, *, in_place: bool = False) -> Estimate:
    """Until a release that works is the only one that runs. Zero where nothing can be replaced.

    `in_place`: the service is to shift traffic, and this release still replaces tasks in batches.
    """
    if service.deployment.shifts_traffic and not in_place and service.resources.desired:
        return _estimate_shift(service)
    count = batches(service)
    if not count:
        return Estimate(parts=())
    batch = {
        Part.START: START,
        Part.CHECK: service.checks.interval if _is_checked(service) else 0,
        Part.DRAIN: _drain(service),
    }
    more = (count - 1) * sum(batch.values())
    bake = 0 if in_place else 60 * (service.deployment.bake_time or 0)
    return _estimate(
        {**batch, Part.BATCHES: more, Part.BAKE: bake, Part.STEADY: service.steady_for}
    )


def _estimate_shift(service: Service) -> Estimate:
    """All new tasks start at once; the old ones end together, after the bake time."""
    return _estimate(
        {
            Part.START: START,
            Part.CHECK: service.checks.interval,
            Part.SHIFT: 60 * _shift_minutes(service.deployment),
            Part.BAKE: 60 * (service.deployment.bake_minutes or 0),
            Part.DRAIN: _drain(service),
            Part.STEADY: service.steady_for,
        }
    )


def _shift_minutes(deployment: Deployment) -> int:
    """Between the first shift of the traffic and the last."""
    match deployment.strategy:
        case "canary":
            return (deployment.canary or CanaryShift()).bake_time
        case "linear":
            linear = deployment.linear or LinearShift()
            shifts = -(-100 // linear.step_percent)
            return (shifts - 1) * linear.step_bake_time
        case _:
            return 0


def estimate_failure(service: Service) -> Estimate:
    """Until the health check fails the first task of a release that never gets healthy.

    Zero where nothing checks the service.
    """
    if not _is_checked(service):
        return Estimate(parts=())
    checks = service.checks
    return _estimate(
        {
            Part.START: START,
            Part.GRACE: checks.grace_period,
            Part.CHECK: checks.interval * checks.unhealthy_threshold,
        }
    )


def _drain(service: Service) -> int:
    """None where the deployment is done before the old tasks are gone."""
    early = service.deployment.early_success
    is_deferred = early is not None and early.cleanup == "deferred"
    drains = _is_balanced(service) and not is_deferred
    return service.deployment.deregistration_delay if drains else 0


def _is_checked(service: Service) -> bool:
    return service.main_port is not None or service.checks.command is not None


def _is_balanced(service: Service) -> bool:
    return service.main_port is not None and service.networking.load_balancer is not None


def _estimate(parts: dict[Part, int]) -> Estimate:
    longest_first = sorted(parts.items(), key=lambda part: -part[1])
    return Estimate(parts=tuple(part for part in longest_first if part[1] > 0))
