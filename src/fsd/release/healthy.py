"""How many tasks are healthy, for the last look: by their targets, not only by their number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fsd.release.follow_ups import FollowUp
from fsd.release.notes import UnhealthyTasks
from fsd.release.ports import Aws, PermissionDenied
from fsd.rollout.steadiness import count_healthy
from fsd.snapshot import ServiceState, TargetHealth


def read_targets(aws: Aws, service: ServiceState) -> tuple[TargetHealth, ...]:
    """Of all its target groups, a call for each: tasks of a service whose traffic shifts are in
    either of a pair. Raises CallFailedError."""
    return tuple(t for targets in read_groups(aws, service).values() for t in targets)


def read_groups(aws: Aws, service: ServiceState) -> Mapping[str, Sequence[TargetHealth]]:
    """The same, by the ARN of the target group. Raises CallFailedError."""
    pairs = tuple(arn for pair in service.target_groups for arn in pair)
    return {arn: aws.targets.health(arn) for arn in pairs or service.target_group_arns}


def read_serving(aws: Aws, service: ServiceState) -> tuple[TargetHealth, ...]:
    """Of the target groups that get requests: of a pair that is one, but for the time of a shift.
    Raises CallFailedError."""
    rule = service.production_rule
    weights = aws.targets.weights(rule) if rule else {}
    if not any(weights.values()):
        return read_targets(aws, service)
    return tuple(t for arn, weight in weights.items() if weight for t in aws.targets.health(arn))


def read_healthy(
    aws: Aws,
    service: ServiceState,
    *,
    targets: Callable[[], Sequence[TargetHealth]] | None = None,
) -> int:
    """A call for each target group, unless `targets` gives what was read a moment ago; one more
    where old tasks still run beside the new ones.

    Where targets may not be read the tasks that run are counted. Raises CallFailedError.
    """
    if not service.target_group_arns:
        return count_healthy(service, (), ())
    try:
        found = targets() if targets else read_targets(aws, service)
    except PermissionDenied:
        return service.primary.running if service.primary else service.running
    is_alone = len(service.deployments) < 2
    tasks = () if is_alone else aws.ecs.tasks(service.cluster, service.name)
    return count_healthy(service, found, tasks)


def unhealthy_note(service: ServiceState, healthy: int, *, look: FollowUp) -> UnhealthyTasks | None:
    """What a success must not keep to itself; None where all is well."""
    if healthy >= service.desired:
        return None
    return UnhealthyTasks(healthy=healthy, desired=service.desired, look=look)
