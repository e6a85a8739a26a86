"""Return a Job to an earlier release: its schedule starts that revision from then on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from fsd.compile.desired import Json
from fsd.errors import ErrorCode, UsageError
from fsd.plan.jobs import schedule_words
from fsd.release.border import check_rollback, note_force
from fsd.release.job_ledger import deployed_outcome, keep_scheduled, note_scheduled
from fsd.release.jobs import next_run
from fsd.release.ledger import HISTORY_LENGTH, release_info, resolve_version
from fsd.release.notes import Forced
from fsd.release.operation import Operation
from fsd.release.ports import Aws, JobSchedule
from fsd.release.result import Outcome, PastOutcome, ReleaseInfo, Result


def roll_back_job(operation: Operation, job: JobSchedule, version: str | None) -> Result:
    """Without a version to the release before the one that is deployed.

    Raises UsageError where there is no such release, RefusedError where its environment does not
    take it.
    """
    ecs, started = operation.aws.ecs, operation.clock.now()
    arns = ecs.list_task_definitions(operation.ref.name)[:HISTORY_LENGTH]
    found = [one for arn in arns if (one := ecs.find_task_definition(arn)) is not None]
    releases = [release_info(one, outcome=deployed_outcome(one, job)) for one in found]
    previous = next((r for r in releases if r.task_definition_arn == job.task_definition_arn), None)
    target = resolve_version(releases, version) if version else _before(releases, job, operation)
    if target.task_definition_arn == job.task_definition_arn:
        return _result(operation, job, Outcome.UNCHANGED, started, target=target, previous=previous)
    require_log_groups(operation.aws, target)
    forced = check_rollback(operation.border, target)
    operation = replace(operation, forced=forced or operation.forced)
    note_force(ecs, target.task_definition_arn, operation.forced)
    before = next((one for one in found if one.arn == job.task_definition_arn), None)
    told = [keep_scheduled(ecs, before)]
    operation.aws.schedules.put(_moved(job.parameters, target.task_definition_arn))
    told.append(note_scheduled(ecs, target.task_definition_arn))
    done = _result(operation, job, Outcome.SUCCEEDED, started, target=target, previous=previous)
    return replace(done, notes=(*done.notes, *filter(None, told)))


def require_log_groups(aws: Aws, target: ReleaseInfo) -> None:
    """Raises UsageError where the release's tasks could not start for want of their log group: it
    goes with the release that names another one in its manifest."""
    groups = aws.ecs.log_routes(target.task_definition_arn).required_groups
    gone = next((group for group in groups if not aws.logs.has_group(group)), None)
    if gone is None:
        return
    raise UsageError(
        f"{target.revision} ({target.version}) writes to the log group {gone}, which no longer "
        "exists: its tasks would not start",
        where=gone,
        fix="deploy that release's commit again, which creates the group of its manifest; or "
        f"create it:  aws logs create-log-group --log-group-name {gone}",
        code=ErrorCode.NOTHING_TO_ROLL_BACK_TO,
    )


def _before(releases: list[ReleaseInfo], job: JobSchedule, operation: Operation) -> ReleaseInfo:
    arns = [release.task_definition_arn for release in releases]
    at = arns.index(job.task_definition_arn) if job.task_definition_arn in arns else -1
    deployed = (one for one in releases[at + 1 :] if one.outcome is PastOutcome.SUCCEEDED)
    if (found := next(deployed, None)) is not None:
        return found
    raise UsageError(
        f"there is no release before {job.task_definition_arn.rpartition('/')[2]}",
        where=f"schedule {job.name}",
        fix=f"see what there is:  fsd history {operation.ref.options}",
        code=ErrorCode.NOTHING_TO_ROLL_BACK_TO,
    )


def _moved(parameters: Json, arn: str) -> Json:
    target = parameters.get("Target")
    target = target if isinstance(target, dict) else {}
    ecs = target.get("EcsParameters")
    ecs = ecs if isinstance(ecs, dict) else {}
    return {**parameters, "Target": {**target, "EcsParameters": {**ecs, "TaskDefinitionArn": arn}}}


def _result(
    operation: Operation,
    job: JobSchedule,
    outcome: Outcome,
    started: datetime,
    *,
    target: ReleaseInfo,
    previous: ReleaseInfo | None,
) -> Result:
    aws, ref = operation.aws, operation.ref
    now = aws.schedules.find(job.name)
    starts = aws.ecs.find_task_definition(now.task_definition_arn) if now else None
    return Result(
        outcome=outcome,
        action="rollback",
        service=ref.service,
        environment=ref.environment,
        account=aws.identity.account,
        region=aws.identity.region,
        started_at=started,
        finished_at=operation.clock.now(),
        release=target,
        previous=previous,
        running=release_info(starts) if starts else None,
        schedule=schedule_words(now.parameters) if now else "",
        next_run=next_run(now, operation.clock.now()) if now else None,
        log_group=starts.log_routes.group if starts else "",
        notes=(Forced(entry=operation.forced),) if operation.forced else (),
    )
