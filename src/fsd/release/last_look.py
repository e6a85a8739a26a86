"""The last look: what runs now, so that a report never claims more than was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from fsd.compile.desired import OUTPUT_URL
from fsd.errors import CallFailedError
from fsd.quoted import Quoted
from fsd.release.healthy import read_healthy, unhealthy_note
from fsd.release.ledger import release_info
from fsd.release.notes import CouldNot, Undone
from fsd.release.operation import Operation
from fsd.release.ports import Aws, Stack
from fsd.release.result import OUTCOME_FACTS, ReleaseInfo, Result
from fsd.snapshot import ServiceState, TargetHealth

# How it ended is known; for a whole picture of what runs one may wait a little.
LAST_LOOK_LIMIT = timedelta(seconds=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyRead:
    """What was read a moment ago, and is not to be read again."""

    releases: Mapping[str, ReleaseInfo] = field(default_factory=dict)  # by task definition
    fallback: ReleaseInfo | None = None  # of our revision, where it cannot be read
    service: ServiceState | None = None
    targets: Callable[[], Sequence[TargetHealth]] | None = None
    outputs: Mapping[str, str] | None = None  # of the stack


def with_what_runs(result: Result, operation: Operation, at_hand: AlreadyRead) -> Result:
    """What cannot be read is told; how the command ended stands without it."""
    aws = operation.asking_again(limit=LAST_LOOK_LIMIT)
    try:
        return _with_service(result, operation, aws, at_hand)
    except CallFailedError as error:
        return _with_note(result, error)


def with_url(
    result: Result, operation: Operation, at_hand: AlreadyRead, *, has_url: bool
) -> tuple[Result, Stack | None]:
    """Also the stack, where it was read. `has_url`: False where its load balancer goes."""
    if result.running is None:
        return result, None
    if at_hand.outputs is not None:
        return replace(result, url=at_hand.outputs.get(OUTPUT_URL, "")), None
    aws = operation.asking_again(limit=LAST_LOOK_LIMIT)
    try:
        stack = aws.stacks.find(operation.ref.stack_name)
    except CallFailedError as error:
        return _with_note(result, error), None
    url = stack.outputs.get(OUTPUT_URL, "") if stack and has_url else ""
    return replace(result, url=url), stack


def _with_note(result: Result, error: CallFailedError) -> Result:
    note = CouldNot(what=Undone.RUNNING, error=Quoted.of(error))
    return replace(result, notes=(*result.notes, note))


def _with_service(result: Result, operation: Operation, aws: Aws, at_hand: AlreadyRead) -> Result:
    ref = operation.ref
    service = at_hand.service or aws.ecs.find_service(ref.cluster, ref.name)
    if service is None:
        return result
    healthy = read_healthy(aws, service, targets=at_hand.targets)
    notes = result.notes
    if OUTCOME_FACTS[result.outcome].expects_health:
        note = unhealthy_note(service, healthy, look=ref.command("diagnose"))
        notes = (*notes, note) if note else notes
    return replace(
        result,
        running=_release(service.task_definition_arn, aws, at_hand),
        running_count=service.running,
        desired_count=service.desired,
        healthy_count=healthy,
        notes=notes,
    )


def _release(arn: str, aws: Aws, at_hand: AlreadyRead) -> ReleaseInfo | None:
    if arn in at_hand.releases:
        return at_hand.releases[arn]
    try:
        found = aws.ecs.find_task_definition(arn)
    except CallFailedError:
        if at_hand.fallback is None or arn != at_hand.fallback.task_definition_arn:
            raise
        return at_hand.fallback
    return release_info(found) if found else None
