"""Set the desired count of a service."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from fsd.compile.desired import Json
from fsd.errors import ErrorCode, RefusedError
from fsd.plan.verdict import Mark, is_unproved
from fsd.release.border import note_force
from fsd.release.existing_service import get_service
from fsd.release.healthy import read_healthy
from fsd.release.journal import JournalEntry
from fsd.release.ledger import release_info
from fsd.release.messages import BareMessage, CountAlready, CountChanged
from fsd.release.notes import FirstTasks
from fsd.release.operation import Operation
from fsd.release.outcome import Ending
from fsd.release.proof import put_mark
from fsd.release.redeploy import note_in_ledger, redeploy, result_of
from fsd.release.result import Outcome, ReleaseInfo, Result
from fsd.snapshot import ServiceState


def scale(operation: Operation, count: int) -> Result:
    """Set the desired count and wait for it; starts no deployment.

    Raises RefusedError where auto scaling owns the count and would undo it.
    """
    service = get_service(operation)
    ref, aws, clock = operation.ref, operation.aws, operation.clock
    scaling = aws.scaling.find(ref.cluster, ref.name)
    if scaling and not scaling.scaling.minimum <= count <= scaling.scaling.maximum:
        limits = f"{scaling.scaling.minimum} to {scaling.scaling.maximum}"
        raise RefusedError(
            f"auto scaling keeps {ref.name} at {limits} tasks and would undo {count}",
            where=f"service/{ref.cluster}/{ref.name}",
            fix="change minCapacity and maxCapacity in the manifest, and deploy it",
            code=ErrorCode.OUTSIDE_CAPACITY,
        )
    if service.desired == 0 < count and (unproved := _unproved(operation, service)):
        return _start(operation, unproved, count)
    started = clock.now()
    if service.desired == count:
        ended = Ending(outcome=Outcome.UNCHANGED, message=CountAlready(count=count))
        return result_of(operation, ended, action="scale", started=started)
    note_force(aws.ecs, service.task_definition_arn, operation.forced)
    aws.ecs.update_service({"cluster": ref.cluster, "service": ref.name, "desiredCount": count})
    arn, what = service.task_definition_arn, f"{service.desired} to {count}"
    note_in_ledger(
        operation, arn, JournalEntry(at=started, action="scale", what=what, by=operation.by)
    )
    outcome = Outcome.STARTED
    if operation.wait:
        outcome = _wait_for_count(operation, count, started + operation.timeout)
    ended = Ending(outcome=outcome, message=CountChanged(before=service.desired, after=count))
    return result_of(operation, ended, action="scale", started=started)


def _unproved(operation: Operation, service: ServiceState) -> ReleaseInfo | None:
    """The release that the service has, where nothing of it ever ran."""
    found = operation.aws.ecs.find_task_definition(service.task_definition_arn)
    return release_info(found) if found and is_unproved(found.tags) else None


def _start(operation: Operation, release: ReleaseInfo, count: int) -> Result:
    """The first tasks of a release: as a deployment, which ECS judges; more tasks of a deployment
    that has ended are not judged by anybody. Where it fails, none is left."""
    operation.reporter.note(FirstTasks(revision=release.revision))
    parameters: Json = {"desiredCount": count, "forceNewDeployment": True}
    result = redeploy(operation, parameters, action="scale", target=release)
    ref, ecs, arn = operation.ref, operation.aws.ecs, release.task_definition_arn
    match result.outcome:
        case Outcome.SUCCEEDED:
            note = put_mark(ecs, arn, Mark.PROVED)
            result = replace(result, message=CountChanged(before=0, after=count))
        case Outcome.ROLLED_BACK | Outcome.ROLLBACK_FAILED:
            note = put_mark(ecs, arn, Mark.FAILED)
            zero: Json = {"cluster": ref.cluster, "service": ref.name, "desiredCount": 0}
            ecs.update_service(zero)
            message = BareMessage.SCALED_BACK_TO_ZERO
            result = replace(result, outcome=Outcome.ROLLBACK_FAILED, message=message)
        case Outcome.SUPERSEDED | Outcome.TIMED_OUT | Outcome.INTERRUPTED | Outcome.STARTED:
            note = None  # how the first tasks fare is not known here
        case (
            Outcome.UNCHANGED
            | Outcome.NOT_STARTED
            | Outcome.PLANNED
            | Outcome.SKIPPED
            | Outcome.REFUSED
        ):
            note = None  # there are none
        case other:
            assert_never(other)
    return replace(result, notes=(*result.notes, note)) if note else result


def _wait_for_count(operation: Operation, count: int, deadline: datetime) -> Outcome:
    ref = operation.ref
    while operation.clock.now() < deadline:
        service = operation.aws.ecs.find_service(ref.cluster, ref.name)
        if service is None or service.desired != count:
            return Outcome.SUPERSEDED
        is_there = service.running == count and service.pending == 0
        is_checked = bool(service.target_group_arns)
        if is_there and (not is_checked or read_healthy(operation.aws, service) >= count):
            return Outcome.SUCCEEDED
        operation.clock.wait(operation.pace.interval(timedelta()))
    return Outcome.TIMED_OUT
