"""What is wrong with a service right now, whoever deployed it."""

from __future__ import annotations

from fsd.release.changed import find_changes
from fsd.release.evidence import diagnose
from fsd.release.ledger import last_successful, list_deployments
from fsd.release.operations import Operation, find_newest, get_service
from fsd.rollout.assess import reason_of
from fsd.rollout.cause import Diagnosis
from fsd.rollout.diagnose import worst_task
from fsd.snapshot import DeploymentStatus, Snapshot


def read_diagnosis(operation: Operation) -> Diagnosis | None:
    """None where nothing is wrong: all tasks run, none stopped by itself, no target is unhealthy.

    Looks at the newest deployment's revision, and at the running one where that says nothing. ECS
    keeps stopped tasks for about an hour.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
    """
    service, ref, aws = get_service(operation), operation.ref, operation.aws
    newest = find_newest(operation)
    snapshot = Snapshot(
        service=service,
        deployment=newest,
        tasks=tuple(aws.ecs.tasks(ref.cluster, ref.name)),
        stopped=tuple(aws.ecs.stopped_tasks(ref.cluster, ref.name)),
        events=service.events,
        targets=tuple(t for arn in service.target_group_arns for t in aws.targets.health(arn)),
    )
    revisions = [newest.task_definition_arn] if newest else []
    revisions.append(service.task_definition_arn)
    suspect = next((arn for arn in revisions if worst_task(snapshot, arn)), revisions[0])
    has_failed = newest is not None and newest.status in {
        DeploymentStatus.STOPPED,
        DeploymentStatus.ROLLBACK_FAILED,
        DeploymentStatus.ROLLBACK_SUCCESSFUL,
    }
    is_short = service.running < service.desired
    is_unhealthy = any(target.state == "unhealthy" for target in snapshot.targets)
    if not (worst_task(snapshot, suspect) or has_failed or is_short or is_unhealthy):
        return None
    others = [
        d
        for d in list_deployments(aws.ecs, cluster=ref.cluster, service=ref.name)
        if d.task_definition_arn != suspect
    ]
    good = last_successful(others)
    changed = find_changes(aws.ecs, good=good.task_definition_arn if good else None, failed=suspect)
    return diagnose(
        aws,
        snapshot,
        task_definition_arn=suspect,
        log_group=ref.log_group,
        reason=reason_of(newest) if newest else "",
        changed_since=changed.since,
        changes=changed.changes,
    )
