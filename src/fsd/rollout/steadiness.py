"""Whether a release that ECS calls done goes on running: what ECS itself no longer judges.

A task without a health check counts as healthy as soon as it runs. One that ends by itself later is
started anew, for ever, and the deployment stays SUCCESSFUL.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from fsd.rollout.assess import Ours
from fsd.rollout.failures import classify
from fsd.snapshot import ServiceState, Snapshot, StoppedTask, TargetHealth, TaskState

# Its own end, or that of a check. What ECS, AWS or a person stops tells nothing of the release, and
# a task that cannot be started says more of the place than of the program.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
_OF_ITS_OWN = "EssentialContainerExited"
_BY_A_CHECK = frozenset({"health-check-failed", "container-health-check-failed"})


def ended_by_themselves(snapshot: Snapshot, ours: Ours) -> tuple[StoppedTask, ...]:
    """Tasks of our revision that ended since ECS called the deployment done; by ECS's own times."""
    deployment = snapshot.deployment
    since = deployment.finished_at if deployment else None
    return tuple(
        task
        for task in snapshot.stopped
        if task.task_definition_arn == ours.task_definition_arn
        and (since is None or task.stopped_at is None or task.stopped_at >= since)
        and _tells_of_the_release(task)
    )


def _tells_of_the_release(task: StoppedTask) -> bool:
    row = classify(task)
    return row is not None and (task.stop_code == _OF_ITS_OWN or row.code in _BY_A_CHECK)


def serving_beside(snapshot: Snapshot, failed: str) -> tuple[str, ...]:
    """ARNs of the other revisions that run, and whose tasks a load balancer calls healthy where
    there is one; () where the look cannot tell. `failed` is the ARN of the revision beside them."""
    service = snapshot.service
    if service is None:
        return ()
    others = [d for d in service.deployments if d.running and d.task_definition_arn != failed]
    arns = tuple(dict.fromkeys(d.task_definition_arn for d in others))
    if not service.target_group_arns:
        return arns
    healthy = {target.address for target in snapshot.targets if target.state == "healthy"}
    known = {task.address: task.task_definition_arn for task in snapshot.tasks if task.address}
    up = {known[address] for address in healthy if address in known}
    primary = service.primary
    if not known and len(arns) == 1 and primary is not None and not primary.running:
        return arns if healthy else ()  # no task of the failed one can be among them
    return tuple(arn for arn in arns if arn in up)


def count_healthy(
    service: ServiceState, targets: Sequence[TargetHealth], tasks: Sequence[TaskState]
) -> int:
    """Healthy tasks of what the service is to run.

    Behind a load balancer those whose target is healthy in every target group; old tasks may drain
    beside them, and are not counted where `tasks` says which are which.
    """
    primary = service.primary
    running = primary.running if primary else service.running
    groups = len(service.target_group_arns)
    if not groups:
        return running
    healthy = [target.address for target in targets if target.state == "healthy"]
    mine = {t.address for t in tasks if t.task_definition_arn == service.task_definition_arn}
    whole = {a for a in healthy if healthy.count(a) >= groups and (not tasks or a in mine)}
    return min(running, len(whole))
