"""Release an earlier revision of a service again, as an operator asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from fsd.compile.desired import Json
from fsd.errors import ErrorCode, RefusedError, UsageError
from fsd.release.border import check_rollback
from fsd.release.existing_service import get_service
from fsd.release.job_rollback import require_log_groups, roll_back_job
from fsd.release.jobs import find_job
from fsd.release.ledger import (
    describe_newest,
    family_of,
    read_history,
    resolve_version,
)
from fsd.release.messages import RunsAlready
from fsd.release.notes import BackTo
from fsd.release.operation import Operation
from fsd.release.outcome import Ending
from fsd.release.redeploy import redeploy, result_of
from fsd.release.result import Outcome, PastOutcome, ReleaseInfo, Result
from fsd.release.shift_back import find_shift, shift_back
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import ServiceState


def roll_back(operation: Operation, version: str | None) -> Result:
    """Release an earlier revision again; without a version the last good one before this.

    Raises UsageError where there is no such release, RefusedError where its revision is gone, it
    listens on another port than the load balancer sends to, or the environment takes only what
    succeeded in it.
    """
    job = find_job(operation.aws, operation.ref)
    if job is not None:
        return roll_back_job(operation, job, version)
    service = get_service(operation)
    ref, ecs = operation.ref, operation.aws.ecs
    history = read_history(ecs, cluster=ref.cluster, service=ref.name, family=ref.family)
    target = resolve_version(history, version) if version else _last_good(history, service)
    _require_that_it_ran(target)
    flight = find_shift(operation)
    if flight is not None and target == _find_last_good(history, service):
        operation.reporter.note(_back_to(service, history, target))
        return shift_back(operation, flight, service, target=target)
    if target.task_definition_arn == service.task_definition_arn:
        ended = Ending(outcome=Outcome.UNCHANGED, message=RunsAlready(revision=target.revision))
        started = operation.clock.now()
        return result_of(operation, ended, action="rollback", started=started, release=target)
    require_log_groups(operation.aws, target)
    forced = check_rollback(operation.border, target)
    operation = replace(operation, forced=forced or operation.forced)
    settings = _settings_before(operation, target)
    if "loadBalancers" not in settings:
        _require_port(operation, service, target)
    operation.reporter.note(_back_to(service, history, target))
    parameters: Json = {"taskDefinition": target.task_definition_arn, **settings}
    return redeploy(operation, parameters, action="rollback", target=target)


def _settings_before(operation: Operation, target: ReleaseInfo) -> Json:
    """Of what another tool had deployed: its container has another name, and its network may be
    another. FSD's own releases have both in common, and an update leaves them alone; their port
    may differ (`_require_port`)."""
    ref, ecs = operation.ref, operation.aws.ecs
    if family_of(target.task_definition_arn) == ref.family:
        return {}
    deployments = describe_newest(ecs, ecs.service_deployment_arns(ref.cluster, ref.name))
    arn = target.task_definition_arn
    found = next((d.revision_arn for d in deployments if d.task_definition_arn == arn), "")
    return ecs.service_revision(found) if found else {}


def _require_port(operation: Operation, service: ServiceState, target: ReleaseInfo) -> None:
    """Raises RefusedError where the release does not listen on the port that the service has behind
    its load balancer: its target group's health check and its security group are for that port.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LoadBalancer.html
    """
    port, ref = service.container_port, operation.ref
    found = operation.aws.ecs.find_task_definition(target.task_definition_arn)
    if port is None or found is None:
        return
    ports = _ports_of(found.definition, container=service.container_name)
    if not ports or port in ports:
        return
    deploy = f"fsd deploy --env {ref.environment}" if ref.environment else "fsd deploy"
    raise RefusedError(
        f"{target.revision} ({target.version}) listens on port {', '.join(map(str, ports))}, but "
        f"the load balancer of {service.name} sends requests to port {port}: ECS would not take it",
        where=service.arn,
        fix=f"deploy that release's commit ({target.commit[:7] or target.version}) again, which "
        f"changes the load balancer too:  {deploy}",
    )


def _ports_of(definition: Json, *, container: str) -> tuple[int, ...]:
    """On which a container listens; () where there is no such container."""
    containers = cast(Sequence[Json], definition.get("containerDefinitions") or ())
    mappings = (
        cast(Sequence[Json], one.get("portMappings") or ())
        for one in containers
        if one.get("name") == container
    )
    return tuple(
        port
        for mapping in mappings
        for one in mapping
        if isinstance(port := one.get("containerPort"), int)
    )


def _back_to(service: ServiceState, history: Sequence[ReleaseInfo], target: ReleaseInfo) -> BackTo:
    arn = service.task_definition_arn
    return BackTo(
        service=service.name,
        revision=family_revision(arn),
        version=next((one.version for one in history if one.task_definition_arn == arn), ""),
        target_revision=target.revision,
        target_version=target.version,
    )


def _find_last_good(history: tuple[ReleaseInfo, ...], service: ServiceState) -> ReleaseInfo | None:
    """The newest that succeeded, but for what the service has now."""
    current = service.task_definition_arn
    others = (one for one in history if one.task_definition_arn != current)
    return next((one for one in others if one.outcome is PastOutcome.SUCCEEDED), None)


def _last_good(history: tuple[ReleaseInfo, ...], service: ServiceState) -> ReleaseInfo:
    found = _find_last_good(history, service)
    if found is None:
        is_only = all(one.task_definition_arn == service.task_definition_arn for one in history)
        raise UsageError(
            f"{service.name} has no earlier release that succeeded",
            where=service.arn,
            fix="deploy a version that works"
            if is_only
            else "name a release with --to-version; `fsd history` lists them",
            code=ErrorCode.NOTHING_TO_ROLL_BACK_TO,
        )
    return found


def _require_that_it_ran(target: ReleaseInfo) -> None:
    if target.outcome is not PastOutcome.NOT_STARTED:
        return
    raise UsageError(
        f"{target.revision} ({target.version}) was deployed at count 0 and never ran: there is "
        "nothing to go back to",
        where="--to-version",
        fix="take a release that `fsd history` shows as succeeded, or deploy this one again",
        code=ErrorCode.NOTHING_TO_ROLL_BACK_TO,
    )
