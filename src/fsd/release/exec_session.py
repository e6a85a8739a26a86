"""ECS Exec: which running task and container a command is to run in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fsd.errors import CallFailedError, ErrorCode
from fsd.release.border import note_force
from fsd.release.existing_service import require_service
from fsd.release.jobs import find_job
from fsd.release.operation import ServiceRef
from fsd.release.ports import Aws, ExecContainer, ExecSession, ExecTask

_AGENT_RUNS = "RUNNING"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecRequest:
    """`task` is the beginning of an id, "" for the newest; `container` "" for the service's own.

    `command` is one line, which the agent splits into words as a shell does, without a shell.
    """

    ref: ServiceRef
    command: str
    task: str = ""
    container: str = ""
    forced: str = ""  # over the environment's border, as the ledger notes it


def open_session(request: ExecRequest, aws: Aws) -> ExecSession:
    """Raises CallFailedError where no task, container or agent is there for it."""
    ref = request.ref
    job = find_job(aws, ref)
    tasks = aws.exec_sessions.running_tasks(ref.cluster, ref.name, is_job=job is not None)
    if not tasks:
        require_service(aws, ref)
    task = _choose_task(tasks, request)
    container = _choose_container(task, request)
    _require_agent(task, container, ref)
    note_force(aws.ecs, task.task_definition_arn, request.forced)
    return aws.exec_sessions.open(ref.cluster, task, container, request.command)


def _choose_task(tasks: Sequence[ExecTask], request: ExecRequest) -> ExecTask:
    """Of those that it may be, one that takes sessions, and the newest of these."""
    found = [task for task in tasks if task.id.startswith(request.task)]
    if found:
        return max(found, key=lambda task: (_takes_sessions(task), _started(task)))
    ref = request.ref
    known = ", ".join(task.id for task in tasks)
    raise CallFailedError(
        f"no running task has an ID that starts with {request.task}"
        if request.task
        else "no task of the service is running",
        where=f"{ref.cluster}/{ref.name}",
        fix=f"choose one of {known}"
        if known
        else f"fsd status --service {ref.service} --env {ref.environment}",
        code=ErrorCode.TASK_NOT_FOUND,
    )


def _takes_sessions(task: ExecTask) -> bool:
    return task.is_enabled and any(c.agent == _AGENT_RUNS for c in task.containers)


def _started(task: ExecTask) -> float:
    return task.started_at.timestamp() if task.started_at else 0.0


def _choose_container(task: ExecTask, request: ExecRequest) -> ExecContainer:
    wanted = request.container or request.ref.service
    for container in task.containers:
        if container.name == wanted:
            return container
    if not request.container and task.containers:
        return task.containers[0]  # a service of somebody else's
    names = ", ".join(container.name for container in task.containers)
    raise CallFailedError(
        f"the task {task.id} has no container {wanted}",
        where=f"{request.ref.cluster}/{task.id}",
        fix=f"choose one of {names}",
        code=ErrorCode.TASK_NOT_FOUND,
    )


def _require_agent(task: ExecTask, container: ExecContainer, ref: ServiceRef) -> None:
    where = f"{ref.cluster}/{task.id}"
    if not task.is_enabled:
        raise CallFailedError(
            f"ECS Exec was off when the task {task.id} started",
            where=where,
            fix="set `service.exec: true`, deploy, and run it again; tasks that run already stay "
            "without it",
            code=ErrorCode.EXEC_OFF,
        )
    if container.agent == "STOPPED":
        raise CallFailedError(
            f"the ECS Exec agent of the container {container.name} has stopped",
            where=where,
            fix="allow the task role the four ssmmessages actions (fsd does, unless "
            "`service.roles.task` is yours), leave readonlyRootFilesystem off, and make "
            "the endpoint ssmmessages reachable from the tasks",
            code=ErrorCode.EXEC_OFF,
        )
