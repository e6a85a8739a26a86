"""A command that runs once beside a service, with what the service's own tasks have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from fsd.compile.desired import Json, JsonValue, OneOff
from fsd.errors import CallFailedError, ErrorCode, TimedOutError
from fsd.release.border import note_force
from fsd.release.existing_service import require_service
from fsd.release.job_run import COMMAND_BY_HAND, STARTED_BY_HAND
from fsd.release.jobs import find_job, job_network
from fsd.release.one_off import OneOffRunner
from fsd.release.operation import ServiceRef
from fsd.release.ports import Aws, Clock, TaskDefinition
from fsd.rollout.log_remarks import LogRemark
from fsd.snapshot import ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Without a command the task runs what the service does; "" for the service's own image."""

    ref: ServiceRef
    command: tuple[str, ...]
    timeout: timedelta
    image: str = ""
    forced: str = ""  # over the environment's border, as the ledger notes it


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    task: str  # its ID
    exit_code: int


def run_once(
    request: RunRequest,
    aws: Aws,
    *,
    clock: Clock,
    speed: float,
    on_line: Callable[[str], None],
    on_remark: Callable[[LogRemark], None],
    on_start: Callable[[str, Sequence[str]], None],
) -> RunEnded:
    """Raises CallFailedError where nothing ran, TimedOutError where it had no end in time."""
    ref = request.ref
    job = find_job(aws, ref)
    service = require_service(aws, ref) if job is None else None
    arn = job.task_definition_arn if job else service.task_definition_arn if service else ""
    network = job_network(job) if job else _network(service) if service else {}
    definition = _require_definition(aws, arn)
    note_force(aws.ecs, definition.arn, request.forced)
    container = _main_container(definition.definition, ref.service)
    runner = OneOffRunner(
        aws=aws,
        clock=clock,
        cluster=ref.cluster,
        container=container,
        network=network,
        logs=definition.log_routes,
        on_line=on_line,
        on_remark=on_remark,
        speed=speed,
    )
    one_off = OneOff(command=request.command, timeout=int(request.timeout.total_seconds()))
    with _revision(aws, definition, container=container, image=request.image) as arn:
        on_start(arn.rpartition("/")[2], request.command)
        started_by = COMMAND_BY_HAND if request.command else STARTED_BY_HAND
        ended = runner.run(one_off, task_definition_arn=arn, started_by=started_by)
    if ended.is_timed_out:
        raise TimedOutError(
            f"the task {ended.task.id} had not ended after {one_off.timeout} s, and was stopped",
            where=f"{ref.cluster}/{ended.task.id}",
            fix="raise --timeout, or make the command faster",
            code=ErrorCode.TIMED_OUT,
        )
    if ended.exit_code is None:
        raise CallFailedError(
            f"the task did not run: {ended.task.stopped_reason or 'ECS does not say why'}",
            where=f"{ref.cluster}/{ended.task.id}",
            fix=f"fsd diagnose --service {ref.service} --env {ref.environment}",
            code=ErrorCode.TASK_NOT_RUN,
        )
    return RunEnded(task=ended.task.id, exit_code=ended.exit_code)


def _require_definition(aws: Aws, arn: str) -> TaskDefinition:
    found = aws.ecs.find_task_definition(arn)
    if found is not None:
        return found
    raise CallFailedError(
        "the task definition that is deployed was deleted",
        where=arn,
        fix="deploy it again",
        code=ErrorCode.TASK_NOT_RUN,
    )


@contextmanager
def _revision(aws: Aws, definition: TaskDefinition, *, container: str, image: str) -> Iterator[str]:
    """The service's own revision; with another image one of a family of its own, for the time."""
    if not image:
        yield definition.arn
        return
    changed: Json = {
        **definition.definition,
        "family": f"{definition.family}-run",
        "containerDefinitions": _with_image(definition.definition, container, image),
    }
    made = aws.ecs.register(changed, tags=definition.tags)
    try:
        yield made.arn
    finally:
        aws.ecs.deregister(made.arn)


def _with_image(definition: Json, container: str, image: str) -> list[JsonValue]:
    return [
        {**found, "image": image} if found.get("name") == container else found
        for found in _containers(definition)
    ]


def _main_container(definition: Json, service: str) -> str:
    """The one that is called like the service, else the first that is essential."""
    found = _containers(definition)
    names = [str(container.get("name")) for container in found]
    essential = [str(c.get("name")) for c in found if c.get("essential", True)]
    return service if service in names else next(iter(essential or names))


def _containers(definition: Json) -> list[Json]:
    found = definition.get("containerDefinitions")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _network(service: ServiceState) -> Json:
    vpc: Mapping[str, JsonValue] = {
        "subnets": [*service.subnets],
        "securityGroups": [*service.security_groups],
        "assignPublicIp": "ENABLED" if service.assign_public_ip else "DISABLED",
    }
    return {"awsvpcConfiguration": dict(vpc)}
