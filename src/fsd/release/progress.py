"""How far a rollout is, from what the last looks saw. Pure."""

from __future__ import annotations

from datetime import timedelta

from fsd.release.result import Progress
from fsd.rollout.assess import Ours
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import DeploymentStatus, EcsDeployment, ServiceState, Snapshot, TaskState


def progress_of(
    snapshot: Snapshot, ours: Ours, *, elapsed: timedelta, old_revision: str, note: str
) -> Progress:
    """Counts are DescribeServices' own, of every look; the deployment's where it has none."""
    deployment, service = snapshot.deployment, snapshot.service
    mine = _find_listed(service, ours)
    others = [d for d in service.deployments if d is not mine] if service and mine else []
    running = mine.running if mine else deployment.running if deployment else 0
    return Progress(
        elapsed=elapsed,
        new_revision=family_revision(ours.task_definition_arn),
        new_healthy=_count_healthy(snapshot, ours, running),
        new_running=running,
        new_pending=mine.pending if mine else deployment.pending if deployment else 0,
        desired=service.desired if service else 0,
        old_revision=old_revision,
        old_running=sum(d.running for d in others) if mine else _source_running(snapshot),
        failed_tasks=deployment.failure_count if deployment else 0,
        failure_threshold=deployment.failure_threshold if deployment else 0,
        note=note,
        stage=deployment.lifecycle_stage if deployment else "",
        traffic=deployment.traffic if deployment and deployment.lifecycle_stage else None,
    )


def baking_alarms(snapshot: Snapshot, progress: Progress) -> tuple[str, ...]:
    """The alarms that ECS watches when nothing moves any more; () while something does.

    Alarms are watched for the bake time once the new tasks are healthy and the old ones gone. ECS
    says neither that it bakes nor until when.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
    """
    deployment = snapshot.deployment
    if deployment is None or deployment.status is not DeploymentStatus.IN_PROGRESS:
        return ()
    is_complete = 0 < progress.desired <= progress.new_healthy and not progress.old_running
    if not (is_complete and deployment.alarm_status == "MONITORING"):
        return ()
    return deployment.alarms


def _find_listed(service: ServiceState | None, ours: Ours) -> EcsDeployment | None:
    """Our deployment among `services[].deployments`: the newest of our revision."""
    listed = service.deployments if service else ()
    return next((d for d in listed if d.task_definition_arn == ours.task_definition_arn), None)


def _source_running(snapshot: Snapshot) -> int:
    return snapshot.deployment.source_running if snapshot.deployment else 0


def _count_healthy(snapshot: Snapshot, ours: Ours, running: int) -> int:
    """Without a load balancer a running task is healthy until ECS says otherwise."""
    mine = [t for t in snapshot.tasks if _is_ours(t, snapshot.service, ours)]
    unhealthy = sum(1 for task in mine if task.health == "UNHEALTHY")
    service = snapshot.service
    if not (service and service.target_group_arns):
        return max(0, running - unhealthy)
    healthy = {target.address for target in snapshot.targets if target.state == "healthy"}
    if len(service.deployments) == 1 and service.primary is _find_listed(service, ours):
        return min(running, len(healthy))  # there are no others
    return sum(1 for task in mine if task.address in healthy and task.health != "UNHEALTHY")


def _is_ours(task: TaskState, service: ServiceState | None, ours: Ours) -> bool:
    """After a restart the tasks of before have the same revision: a task says which deployment
    started it.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
    """
    if task.task_definition_arn != ours.task_definition_arn:
        return False
    listed = _find_listed(service, ours)
    ids = {one.id for one in service.deployments} if service else set()
    return listed is None or task.started_by not in ids or task.started_by == listed.id
