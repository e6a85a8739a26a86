"""Go back after a failed rollout: to the last revision whose rollout succeeded, with the stack's
previous template and the previous count, and see that it is healthy.

Never undoes another run's deployment: before every step, ours must still be the newest.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from fsd.errors import CallFailedError, TimedOutError
from fsd.plan.verdict import Mark
from fsd.quoted import Quoted
from fsd.release.concurrency.races import TOO_LATE, LostRace, find_lost_race, superseded_by
from fsd.release.follow_ups import DeployAgain, FollowUp
from fsd.release.messages import (
    BackEnded,
    BackFailed,
    BackNotDone,
    BackUnknown,
    BareMessage,
    EcsCouldNot,
    NothingBefore,
    RollbackDenied,
    StepRefused,
    WhyNot,
)
from fsd.release.notes import StopRefused
from fsd.release.outcome import outcome_of
from fsd.release.ports import PermissionDenied
from fsd.release.proof import put_mark
from fsd.release.result import Outcome
from fsd.release.rollback_service import (
    restore_count,
    restore_strategy,
    roll_out,
    set_count,
)
from fsd.release.rollback_stack import (
    apply_stack_of_before,
    apply_stack_of_both,
    apply_stack_of_now,
)
from fsd.release.rollback_target import (
    ROLLBACK_TIME,
    GoBack,
    RolledBackTo,
    as_of_now,
    is_group_gone,
    is_rule_gone,
    unproved_before,
    would_start,
)
from fsd.release.watch import TimedOut
from fsd.rollout.assess import Doomed, Failed, Unproved, Verdict
from fsd.rollout.diagnose import family_revision, find_task_causes
from fsd.snapshot import DeploymentStatus


def go_back(back: GoBack) -> RolledBackTo:
    """Roll back, verify, and say what runs. A lost race is an outcome, not an error.

    Raises CallFailedError where AWS refuses a step, or has not answered for minutes.
    """
    back = asking_again(back)
    back = replace(back, observed=as_of_now(back))
    good = back.good
    is_gone = is_group_gone(back) or is_rule_gone(back)
    asks = isinstance(back.verdict, Doomed) and not (is_gone or would_start(back, good))
    refused = _stop(back, good) if asks else None
    can_stop = refused is None and not is_gone
    lost = _find_lost_race(back, good)
    if lost is not None:
        return _lost(lost)
    if isinstance(back.verdict, Unproved):
        can_stop = False  # ECS's deployment is over
        _mark_failed(back)
    if apply_stack_of_both(back):
        lost = _find_lost_race(back, good)  # it took its time
        if lost is not None:
            return _lost(lost)
    if good is None:
        return _scale_to_zero(back)
    if can_stop:
        return _follow(back, good)
    if refused is not None and not back.can_redeploy:
        return could_not_go_back(back, RollbackDenied(error=Quoted.of(refused)))
    return update_to(back, good)


def asking_again(back: GoBack) -> GoBack:
    """With the time that a rollback gets, and asking AWS again where it does not answer."""
    operation = back.operation
    # Going back drains as well, and for as long.
    drain = back.drain / operation.pace.speed
    back.watcher.schedule.extend(operation.clock.now() + ROLLBACK_TIME + drain)
    return replace(back, operation=replace(operation, aws=operation.asking_again()))


def _follow(back: GoBack, good: str) -> RolledBackTo:
    """ECS goes back by itself; see it through."""
    ours = replace(back.ours, asked_to_stop=True)
    verdict = back.watcher.watch(ours, until_final=True).verdict
    match outcome_of(verdict):
        case Outcome.ROLLED_BACK:
            lost = _find_lost_race(back, good)
            return _lost(lost) if lost else verified(back)
        case Outcome.SUCCEEDED:
            apply_stack_of_now(back)
            return _lost(TOO_LATE)
        case Outcome.SUPERSEDED:
            return _lost(superseded_by(getattr(verdict, "task_definition_arn", "")))
        case Outcome.TIMED_OUT:
            return could_not_go_back(back, BareMessage.ROLLBACK_GOES_ON)
        case Outcome.ROLLBACK_FAILED:
            return _bring_back(back, good, verdict)
        case other:
            assert_never(other)


def _bring_back(back: GoBack, good: str, verdict: Verdict | TimedOut) -> RolledBackTo:
    """ECS has not gone back by itself."""
    if isinstance(verdict, Failed) and verdict.rollback_failed:
        why = EcsCouldNot(reason=Quoted(text=verdict.reason), why=_why_not(back, good))
        return could_not_go_back(back, why)
    if isinstance(verdict, Unproved):
        back = replace(back, verdict=verdict)
        _mark_failed(back)
    lost = _find_lost_race(back, good)
    return _lost(lost) if lost else update_to(back, good)


def _lost(race: LostRace) -> RolledBackTo:
    return RolledBackTo(outcome=race.outcome, message=race.message)


def _why_not(back: GoBack, good: str) -> WhyNot | None:
    """What keeps the good revision from running: its image may have been expired meanwhile."""
    back.watcher.refresh_evidence()
    causes = find_task_causes(back.watcher.snapshot, good)
    if not causes:
        return None
    return WhyNot(revision=family_revision(good), cause=causes[0].summary)


def _stop(back: GoBack, good: str | None) -> PermissionDenied | None:
    """Ask ECS to roll back. Where the role may not (the answer), an update has to do it."""
    try:
        back.aws.ecs.stop_service_deployment(back.ours.arn)
    except PermissionDenied as error:
        return error
    except CallFailedError as error:
        if good is not None and not error.may_pass:
            raise
        # ECS's circuit breaker may do it all the same. A first deployment: what counts is that no
        # task is left.
        back.operation.reporter.note(StopRefused(error=Quoted.of(error)))
    return None


def _find_lost_race(back: GoBack, good: str | None) -> LostRace | None:
    return find_lost_race(
        back.aws.ecs,
        back.ours,
        cluster=back.ref.cluster,
        good=good,
        is_over=isinstance(back.verdict, Unproved),
    )


def verified(back: GoBack) -> RolledBackTo:
    """ECS says that it rolled back; see what runs, and restore what is not part of a revision."""
    message = apply_stack_of_before(back)
    restore_count(back)
    restore_strategy(back)
    service = back.aws.ecs.find_service(back.ref.cluster, back.ref.name)
    if service is None:
        return could_not_go_back(back, BareMessage.SERVICE_GONE)
    return RolledBackTo(
        outcome=Outcome.ROLLED_BACK,
        message=message,
        service=service,
    )


def update_to(back: GoBack, good: str) -> RolledBackTo:
    """ECS stopped without going back: deploy the last good revision, and watch that."""
    if not back.can_redeploy:
        return could_not_go_back(back, BareMessage.SAME_REVISION_BEFORE)
    verdict = back.watcher.watch(roll_out(back, good)).verdict
    revision = family_revision(good)
    match outcome_of(verdict):
        case Outcome.SUCCEEDED:
            return verified(back)
        case Outcome.SUPERSEDED:
            return _lost(superseded_by(getattr(verdict, "task_definition_arn", "")))
        case Outcome.TIMED_OUT:
            return could_not_go_back(back, BackNotDone(revision=revision))
        case Outcome.ROLLED_BACK | Outcome.ROLLBACK_FAILED:
            healthy = isinstance(verdict, Unproved)
            why = _why_not(back, good)
            failed = BackFailed(revision=revision, got_healthy=healthy, why=why)
            return could_not_go_back(back, failed)
        case other:
            assert_never(other)


def _scale_to_zero(back: GoBack) -> RolledBackTo:
    """A first deployment has nothing to go back to: no tasks, but the evidence stays."""
    before = unproved_before(back)
    if before:
        _mark_failed(back)
    after = set_count(back, 0)
    if after.task_definition_arn not in {back.ours.task_definition_arn, before}:
        # Another deployment began since the last look: its tasks must not go.
        set_count(back, back.wanted)
        return _lost(superseded_by(after.task_definition_arn))
    stopped = _wait_for_no_tasks(back)
    if not before and _is_called_successful(back):
        _mark_failed(back)
    return RolledBackTo(
        outcome=Outcome.ROLLBACK_FAILED,
        message=NothingBefore(
            unproved=family_revision(before) if before else "", is_stopped=stopped
        ),
        next=(back.ref.command("logs", ("since", "1h")), back.ref.command("delete")),
    )


def _is_called_successful(back: GoBack) -> bool:
    """ECS may call what is left of a deployment, no tasks, a success."""
    found = back.aws.ecs.service_deployments([back.ours.arn])
    return any(d.status is DeploymentStatus.SUCCESSFUL for d in found)


def _mark_failed(back: GoBack) -> None:
    """Not where an operator chose the revision: it was good before, and may be so again."""
    if back.named:
        return
    unmarked = put_mark(back.aws.ecs, back.ours.task_definition_arn, Mark.FAILED)
    if unmarked:
        back.operation.reporter.note(unmarked)


def _wait_for_no_tasks(back: GoBack) -> bool:
    limit = back.operation.clock.now() + ROLLBACK_TIME
    while back.operation.clock.now() < limit:
        service = back.aws.ecs.find_service(back.ref.cluster, back.ref.name)
        if service is None or service.running + service.pending == 0:
            return True
        back.operation.clock.wait(back.operation.pace.interval(timedelta()))
    return False


def ended_by_error(back: GoBack, error: CallFailedError | TimedOutError) -> RolledBackTo:
    """AWS refused a step; or it stopped answering, or is not done: then nobody knows how far it
    is."""
    if isinstance(error, CallFailedError) and not error.may_pass:
        return could_not_go_back(back, StepRefused(error=Quoted.with_place(error)))
    revision = family_revision(back.ours.task_definition_arn)
    return RolledBackTo(
        outcome=Outcome.TIMED_OUT,
        message=BackUnknown(revision=revision, error=Quoted.with_place(error)),
        next=(*_looks(back), DeployAgain.NO_ANSWER),
    )


def could_not_go_back(back: GoBack, message: BackEnded) -> RolledBackTo:
    """The outcome that needs a person; `message` says what stood in the way."""
    return RolledBackTo(
        outcome=Outcome.ROLLBACK_FAILED,
        message=message,
        next=_looks(back),
    )


def _looks(back: GoBack) -> tuple[FollowUp, ...]:
    return (back.ref.command("status"), back.ref.command("history"))
