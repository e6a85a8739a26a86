"""Watch a deployment of ours, judge it, and go back where it has failed.

Deploy, rollback, restart and scale all do it here, once ECS has taken what they asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import assert_never

from fsd.change import Change
from fsd.errors import CallFailedError, TimedOutError
from fsd.release.changed import CountCommits, find_changes
from fsd.release.evidence import diagnose
from fsd.release.follow_ups import AdvisedFix, FollowUp
from fsd.release.journal import note_failure
from fsd.release.messages import (
    BareMessage,
    LeftFailed,
    NotDone,
    NothingRan,
    OvertakenBy,
    RolloutProgress,
)
from fsd.release.notes import DeploymentPaused
from fsd.release.operation import ServiceRef
from fsd.release.outcome import Ending, outcome_of
from fsd.release.phase_facts import (
    BarePhaseFact,
    EndedAfter,
    HealthyAfter,
    PhaseFact,
    RolloutEnd,
    WentBack,
)
from fsd.release.phases import PhaseLog
from fsd.release.ports import TaskDefinition
from fsd.release.rescue import bring_back
from fsd.release.result import Outcome, PhaseName, PhaseState
from fsd.release.rollback import ended_by_error, go_back
from fsd.release.rollback_target import GoBack, RolledBackTo
from fsd.release.rollout_stage import Drain
from fsd.release.stages import DeployStage, GoingBack, Requested, Rolling
from fsd.release.watch import Watched
from fsd.rollout.assess import Doomed, RolledBack, RollingBack, Superseded
from fsd.rollout.cause import Diagnosis
from fsd.rollout.diagnose import HEALTH_CHECKS, family_revision
from fsd.rollout.failures import ROLLOUT_FAILED
from fsd.rollout.steadiness import serving_beside
from fsd.snapshot import ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """What is watched, the way back, and what a failure is explained by."""

    rolling: Rolling
    way_back: GoBack  # its verdict is not known yet
    goes_back: bool = True  # False: --no-rollback
    drain: timedelta = timedelta()  # as on AWS
    check_port: int | None = None
    settings: tuple[Change, ...] = ()  # of the service, that this release changes
    count_commits: CountCommits = field(default=lambda *_: None)
    registered: TaskDefinition | None = None  # the revision, where this run made it

    @property
    def revision(self) -> str:
        return self.rolling.revision


def follow(rollout: Rollout, *, phases: PhaseLog, enter: Callable[[DeployStage], None]) -> Ending:
    """Until it has ended, one way or the other. `enter` is told the stages that it comes to."""
    began = phases.begin(PhaseName.ROLLOUT)
    rolling, clock = rollout.rolling, rollout.way_back.operation.clock

    def end(state: PhaseState, fact: PhaseFact) -> None:
        phases.end(PhaseName.ROLLOUT, state, began, fact=fact)

    try:
        watched = rolling.watcher.watch(rolling.ours)
    except CallFailedError as error:
        end(PhaseState.FAILED, BarePhaseFact.NO_ANSWER)
        return ended_unknown(rolling, error, rollout.way_back.ref)
    took = clock.now() - began
    match outcome_of(watched.verdict):
        case Outcome.SUCCEEDED:
            return _succeeded(rollout, watched, end=end, took=took)
        case Outcome.SUPERSEDED:
            end(PhaseState.FAILED, EndedAfter(end=RolloutEnd.SUPERSEDED, took=took))
            return Ending(outcome=Outcome.SUPERSEDED, message=_superseded(watched))
        case Outcome.TIMED_OUT:
            end(PhaseState.FAILED, EndedAfter(end=RolloutEnd.NO_END, took=took))
            return _timed_out(rollout, watched)
        case Outcome.ROLLED_BACK | Outcome.ROLLBACK_FAILED:
            end(PhaseState.FAILED, EndedAfter(end=RolloutEnd.FAILED, took=took))
            return _go_back(rollout, watched, phases=phases, enter=enter)
        case other:
            assert_never(other)


def ended_unknown(stage: Requested | Rolling, error: CallFailedError, ref: ServiceRef) -> Ending:
    """AWS stopped answering in mid-rollout: what is going on there is not known."""
    return Ending(
        outcome=Outcome.TIMED_OUT,
        message=stage.unknown(error),
        next_steps=(ref.command("status"), AdvisedFix(text=error.fix)),
        is_known=False,
    )


def _succeeded(
    rollout: Rollout,
    watched: Watched,
    *,
    end: Callable[[PhaseState, PhaseFact], None],
    took: timedelta,
) -> Ending:
    """ECS calls a deployment of no tasks successful at once: that is an outcome of its own."""
    service = watched.snapshot.service
    if service is not None and service.desired == 0:
        end(PhaseState.DONE, BarePhaseFact.NO_TASK)
        return Ending(
            outcome=Outcome.NOT_STARTED,
            message=NothingRan(revision=rollout.revision),
            next_steps=(rollout.way_back.ref.command("scale", ("count", "1")),),
        )
    running, desired = (service.running, service.desired) if service else (None, None)
    end(PhaseState.DONE, HealthyAfter(took=took, running=running, desired=desired))
    at_rest = _if_at_rest(rollout, service)
    return Ending(outcome=Outcome.SUCCEEDED, is_proved=True, service=at_rest)


def _if_at_rest(rollout: Rollout, service: ServiceState | None) -> ServiceState | None:
    """The service of the look that decided, where that look saw the end of the rollout too."""
    if service is None or len(service.deployments) != 1:
        return None
    (only,) = service.deployments
    is_ours = service.task_definition_arn == rollout.rolling.task_definition_arn
    has_targets = rollout.rolling.watcher.reader.targets_of_this_look is not None
    is_seen = has_targets or not service.target_group_arns
    return service if is_ours and is_seen and only.rollout_state == "COMPLETED" else None


def _superseded(watched: Watched) -> OvertakenBy | BareMessage:
    verdict = watched.verdict
    if not isinstance(verdict, Superseded) or not verdict.by:
        return BareMessage.SERVICE_DELETED
    return OvertakenBy(revision=family_revision(verdict.task_definition_arn))


def _timed_out(rollout: Rollout, watched: Watched) -> Ending:
    """With what stands in its way, where anything tells."""
    diagnosis = _diagnose(rollout, watched)
    deployment = watched.snapshot.deployment
    hook = deployment.awaits if deployment else None
    stands: RolloutProgress | DeploymentPaused
    steps: list[FollowUp] = [rollout.way_back.ref.command("status", ("watch", ""))]
    if deployment and hook:
        stands = DeploymentPaused(hook=hook, stage=deployment.lifecycle_stage)
        ref = rollout.way_back.ref
        steps[:0] = [ref.command("approve"), ref.command("reject")]
    else:
        stands = _where_it_stands(rollout)
    return Ending(
        outcome=Outcome.TIMED_OUT,
        diagnosis=diagnosis if diagnosis.cause.code != ROLLOUT_FAILED.code else None,
        message=NotDone(
            timeout=rollout.way_back.operation.timeout,
            status=deployment.status if deployment else None,
            stands=stands,
            is_service_seen=watched.snapshot.service is not None,
        ),
        next_steps=tuple(steps),
    )


def _where_it_stands(rollout: Rollout) -> RolloutProgress:
    rolling, speed = rollout.rolling, rollout.way_back.operation.pace.speed
    return rolling.watcher.where_it_stands(rolling.ours, Drain(delay=rollout.drain, speed=speed))


def _diagnose(rollout: Rollout, watched: Watched) -> Diagnosis:
    rolling, back = rollout.rolling, rollout.way_back
    if not _is_explained(rolling, watched):
        rolling.watcher.refresh_evidence()
    changed = find_changes(
        back.aws.ecs,
        good=back.good,
        failed=rolling.task_definition_arn,
        count_commits=rollout.count_commits,
        known=(back.observed.running, back.observed.latest, rollout.registered),
    )
    return diagnose(
        back.aws,
        rolling.watcher.snapshot,
        task_definition_arn=rolling.task_definition_arn,
        port=rollout.check_port,
        reason=getattr(watched.verdict, "reason", None) or "",
        changed_since=changed.since,
        changes=(*changed.changes, *rollout.settings) if changed.since else (),
    )


def _is_explained(rolling: Rolling, watched: Watched) -> bool:
    """Whether the look that decided has read all that explains it. Of a failed health check the
    reason is in an event, which ECS writes after the task has stopped."""
    verdict, reader = watched.verdict, rolling.watcher.reader
    if not isinstance(verdict, Doomed) or reader.targets_of_this_look is None:
        return False
    return all(cause.code not in HEALTH_CHECKS for cause in verdict.causes)


def _go_back(
    rollout: Rollout, watched: Watched, *, phases: PhaseLog, enter: Callable[[DeployStage], None]
) -> Ending:
    diagnosis = _diagnose(rollout, watched)
    enter(GoingBack(task_definition_arn=rollout.rolling.task_definition_arn, diagnosis=diagnosis))
    if not (rollout.goes_back or isinstance(watched.verdict, RollingBack | RolledBack)):
        _note(rollout, diagnosis)
        message = _left_failed(rollout)
        return Ending(outcome=Outcome.ROLLBACK_FAILED, diagnosis=diagnosis, message=message)
    began = phases.begin(PhaseName.ROLLBACK)
    back = _gone_back(replace(rollout.way_back, verdict=watched.verdict))
    _note(rollout, diagnosis)
    state = PhaseState.DONE if back.outcome is Outcome.ROLLED_BACK else PhaseState.FAILED
    took = rollout.way_back.operation.clock.now() - began
    phases.end(PhaseName.ROLLBACK, state, began, fact=_went_back(back, took))
    if back.outcome is Outcome.SUCCEEDED:
        return Ending(outcome=back.outcome, message=back.message)
    return Ending(
        outcome=back.outcome,
        diagnosis=diagnosis,
        message=back.message,
        next_steps=back.next,
        service=back.service,
    )


def _left_failed(rollout: Rollout) -> LeftFailed:
    """With what runs beside the failed revision, as the look for the diagnosis saw it."""
    snapshot, ours = rollout.rolling.watcher.snapshot, rollout.rolling.task_definition_arn
    others = [family_revision(arn) for arn in serving_beside(snapshot, ours)]
    do_serve = bool(snapshot.service and snapshot.service.target_group_arns)
    return LeftFailed(revision=rollout.revision, others=tuple(others), do_serve=do_serve)


def _went_back(back: RolledBackTo, took: timedelta) -> WentBack:
    is_back = back.outcome is Outcome.ROLLED_BACK and back.service is not None
    revision = family_revision(back.service.task_definition_arn) if is_back and back.service else ""
    return WentBack(revision=revision, message=back.message, took=took)


def _gone_back(way_back: GoBack) -> RolledBackTo:
    try:
        back = go_back(way_back)
    except (CallFailedError, TimedOutError) as error:
        # The diagnosis must not be lost over it.
        back = ended_by_error(way_back, error)
    return bring_back(way_back, back)


def _note(rollout: Rollout, diagnosis: Diagnosis) -> None:
    """In the ledger: ECS's own reason is that a rollback was asked for."""
    back, arn = rollout.way_back, rollout.rolling.task_definition_arn
    cause = back.operation.cause_text(diagnosis.cause)
    unwritten = note_failure(back.aws.ecs, arn, cause)
    if unwritten:
        back.operation.reporter.note(unwritten)
