"""How a deployment ended, as a result; with a last look, so that it says what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from fsd.errors import CallFailedError, Interrupted
from fsd.plan.notes import ShiftsLater
from fsd.quoted import Quoted
from fsd.release.apply_step import Applied
from fsd.release.deploy_request import OnCancel
from fsd.release.deploy_run import Begun, DeployRun, Planned
from fsd.release.deploy_step import StepFailedError
from fsd.release.follow import ended_unknown
from fsd.release.follow_ups import AdvisedFix, DeployAgain
from fsd.release.last_look import AlreadyRead, with_url, with_what_runs
from fsd.release.ledger import release_info
from fsd.release.messages import (
    CutOff,
    GoesOn,
    NotBegun,
    NotListed,
    NotRequested,
    RollbackRequested,
    ScheduleCut,
    TooLateToGoBack,
    Unconfirmed,
    WasGoingBack,
    WasSettling,
)
from fsd.release.notes import Note
from fsd.release.outcome import Ending
from fsd.release.ports import Stack, TaskDefinition
from fsd.release.promotion_path import read_path
from fsd.release.result import Outcome, ReleaseInfo, Result
from fsd.release.rollout_speed import RolloutSpeed, compare_speed
from fsd.release.stages import Requested, Rolling
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import ServiceState, TargetHealth


def unchanged(run: DeployRun, planned: Planned) -> Result:
    """What was observed a moment ago is what runs."""
    service, targets = planned.observed.service, planned.observed.targets
    read = (lambda: targets) if targets is not None else None
    at_hand = _at_hand(run, service=service, targets=read, outputs=planned.outputs)
    return _with_last_look(run, _result(run, Ending(outcome=Outcome.UNCHANGED)), at_hand)[0]


def finish(
    run: DeployRun, ended: Ending, begun: Begun, *, rolling: Rolling | None = None
) -> Result:
    return look_once_more(run, ended, begun, rolling)[0]


def look_once_more(
    run: DeployRun, ended: Ending, begun: Begun, rolling: Rolling | None
) -> tuple[Result, Stack | None]:
    """(the result, the stack where it was read)."""
    result = _result(run, ended, applied=begun.applied, rolling=rolling)
    if not ended.is_known:
        return result, None
    judged = None
    if rolling is not None and ended.outcome is Outcome.SUCCEEDED:
        judged = rolling.watcher.reader.targets_of_this_look
    is_untouched = ended.diagnosis is not None and run.stack.template is None
    at_hand = _at_hand(
        run,
        registered=begun.applied.registered,
        fallback=result.release if rolling else None,
        service=ended.service,
        targets=(lambda: judged) if judged is not None else None,
        outputs=begun.planned.outputs if is_untouched else None,
    )
    return _with_last_look(run, result, at_hand)


def unknown(run: DeployRun, stage: Requested, error: CallFailedError) -> Result:
    """AWS does not say what became of what it was asked for."""
    return _result(run, ended_unknown(stage, error, run.operation.ref))


def not_begun(run: DeployRun, failed: StepFailedError) -> Result:
    """What the step found is as good a reason as a rollout's."""
    run.made.discard_revision(run.reached)
    ended = Ending(
        outcome=Outcome.ROLLED_BACK,
        diagnosis=failed.diagnosis,
        message=NotBegun(error=Quoted(text=failed.what)),
        next_steps=(AdvisedFix(text=failed.fix),),
    )
    at_hand = _at_hand(run, service=None, targets=None, outputs=None)
    result, _ = _with_last_look(run, _result(run, ended), at_hand)
    return replace(result, was_begun=False)


def interrupted(run: DeployRun, signal: Interrupted) -> Result:
    """One answer within the seconds that a runner leaves: say what state things are in."""
    stage, wants_rollback = run.reached.stage, run.request.on_cancel is OnCancel.ROLLBACK
    message = stage.interrupted(Quoted.of(signal), roll_back=wants_rollback)
    ended = Ending(
        outcome=Outcome.INTERRUPTED,
        diagnosis=stage.diagnosis,
        message=message,
        next_steps=(run.operation.ref.command("status"), _again(message.state)),
    )
    return _result(run, ended)


def _again(state: CutOff) -> DeployAgain:
    match state:
        case RollbackRequested() | WasGoingBack():
            return DeployAgain.ROLLING_BACK
        case NotRequested() | ScheduleCut() | WasSettling():
            return DeployAgain.REST
        case NotListed() | GoesOn() | TooLateToGoBack() | Unconfirmed():
            return DeployAgain.IN_FLIGHT
        case _:
            assert_never(state)


def _at_hand(
    run: DeployRun,
    *,
    service: ServiceState | None,
    targets: Callable[[], Sequence[TargetHealth]] | None,
    outputs: Mapping[str, str] | None,
    registered: TaskDefinition | None = None,
    fallback: ReleaseInfo | None = None,
) -> AlreadyRead:
    made = release_info(registered) if registered else None
    releases = (one for one in (_previous(run), made) if one is not None)
    return AlreadyRead(
        releases={one.task_definition_arn: one for one in releases},
        fallback=fallback,
        service=service,
        targets=targets,
        outputs=outputs,
    )


def _with_last_look(
    run: DeployRun, result: Result, at_hand: AlreadyRead
) -> tuple[Result, Stack | None]:
    result = with_what_runs(result, run.operation, at_hand)
    running = result.running.task_definition_arn if result.running else ""
    is_ours = bool(run.reached.deployment_arn) and running == run.reached.task_definition_arn
    goes = is_ours and not run.desired.service.has_load_balancer
    return with_url(result, run.operation, at_hand, has_url=not goes)


def _result(
    run: DeployRun,
    ended: Ending,
    *,
    applied: Applied | None = None,
    rolling: Rolling | None = None,
) -> Result:
    desired, identity, planned = run.desired, run.aws.identity, run.reached.planned
    arn = run.reached.task_definition_arn or (applied.task_definition_arn if applied else "")
    previous = _previous(run)
    if not arn and ended.outcome is Outcome.UNCHANGED and previous:
        arn = previous.task_definition_arn
    warned = tuple(rolling.watcher.view.warnings) if rolling else ()
    return Result(
        outcome=ended.outcome,
        action="deploy",
        service=desired.service_name,
        environment=desired.environment,
        account=identity.account,
        region=identity.region,
        started_at=run.started,
        finished_at=run.clock.now(),
        release=_release(run, arn),
        previous=previous,
        speed=_speed(rolling) if ended.outcome is Outcome.SUCCEEDED else None,
        image=run.request.image.uri,
        deployment_arn=run.reached.deployment_arn,
        log_group=desired.log_group,
        owners=desired.owners,
        phases=run.phases.phases,
        changes=planned.plan.changes() if planned else (),
        diagnosis=ended.diagnosis,
        message=ended.message,
        next_steps=ended.next_steps,
        notes=(*run.request.notes, *_still_true(run.noted.notes, ended.outcome), *warned),
    )


def _still_true(notes: Sequence[Note], outcome: Outcome) -> tuple[Note, ...]:
    """The next release shifts traffic only where this one has attached the second target group."""
    if not outcome.exit_code:
        return tuple(notes)
    return tuple(note for note in notes if not isinstance(note, ShiftsLater))


def _speed(rolling: Rolling | None) -> RolloutSpeed | None:
    if rolling is None:
        return None
    reader = rolling.watcher.reader
    return compare_speed(reader.snapshot.deployment, reader.listed)


def _previous(run: DeployRun) -> ReleaseInfo | None:
    planned = run.reached.planned
    if planned is None or not planned.plan.attach_to:
        return planned.previous if planned else None
    try:
        found = run.aws.ecs.find_task_definition(planned.replaced) if planned.replaced else None
    except CallFailedError:
        return None  # the result is true without it
    return release_info(found) if found else None


def _release(run: DeployRun, applied_arn: str) -> ReleaseInfo:
    release, task = run.request.release, run.desired.task_definition
    return ReleaseInfo(
        version=release.version,
        commit=release.commit,
        revision=family_revision(applied_arn),
        task_definition_arn=applied_arn,
        digest=run.request.image.digest,
        cpu=int(str(task.get("cpu", 0))),
        memory=int(str(task.get("memory", 0))),
        run=release.run,
        promoted_from=read_path(release.promoted_from),
    )
