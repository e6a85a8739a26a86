"""Go back after a failed rollout: to the last revision whose rollout succeeded, with the stack's
previous template and the previous count, and see that it is healthy.

Never undoes another run's deployment: before every step, ours must still be the newest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from fsd.compile.desired import OUTPUT_TARGET_GROUP, Json
from fsd.errors import CallFailedError, TimedOutError
from fsd.plan.observed import Observed
from fsd.plan.previous_stack import still_needed
from fsd.plan.transition import is_same_template, left_behind, transition_template
from fsd.plan.verdict import Mark, mark_of
from fsd.quoted import Quoted
from fsd.release.concurrency.races import TOO_LATE, LostRace, find_lost_race, superseded_by
from fsd.release.ending import outcome_of
from fsd.release.follow_ups import DeployAgain, FollowUp
from fsd.release.ledger import describe_newest
from fsd.release.messages import (
    AsBefore,
    AskRefused,
    BackAndHealth,
    BackEnded,
    BackFailed,
    BackNotDone,
    BackUnknown,
    EcsCouldNot,
    NothingBefore,
    Plainly,
    RunsAgain,
    StepRefused,
    WhyNot,
)
from fsd.release.notes import StopRefused
from fsd.release.operation import Operation, ServiceRef
from fsd.release.ports import Aws, PermissionDenied
from fsd.release.proof import last_proved, put_mark
from fsd.release.result import Outcome
from fsd.release.stack_change import find_clash, find_left_behind, find_undeleted
from fsd.release.watch import TimedOut, Watcher
from fsd.rollout.assess import Doomed, Failed, Ours, Unproved, Verdict
from fsd.rollout.diagnose import family_revision, find_task_causes
from fsd.snapshot import DeploymentStatus, ServiceState

# A rollback gets this long after the deadline of the rollout; ECS needs it for a drain and a start.
ROLLBACK_TIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedStack:
    """The service's stack, where it is not the last good release's."""

    template: Json  # of now
    own: Json  # that the release asks for
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoBack:
    """What going back needs to know."""

    operation: Operation
    watcher: Watcher
    ours: Ours
    verdict: Verdict | TimedOut
    observed: Observed  # before the change
    named: str = ""  # the revision to go back to; without it the last one that was proved
    can_redeploy: bool = True  # False: it is the revision that failed, and nothing else changed
    count: int | None = None  # that the release asked for; None where it left it alone
    wanted: int = 0  # tasks of the release
    stack: ChangedStack | None = None  # None where the release left it as it was
    container: str = ""  # behind the load balancer; "" where its attachment cannot have changed
    drain: timedelta = timedelta()

    @property
    def aws(self) -> Aws:
        return self.operation.aws

    @property
    def ref(self) -> ServiceRef:
        return self.operation.ref

    @property
    def good(self) -> str | None:
        """The revision to go back to."""
        return self.named or last_good(self.observed)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBackTo:
    outcome: Outcome
    message: BackEnded | BackAndHealth
    next: tuple[FollowUp, ...] = ()
    service: ServiceState | None = None  # as it was seen at the end


def go_back(back: GoBack) -> RolledBackTo:
    """Roll back, verify, and say what runs. A lost race is an outcome, not an error.

    Raises CallFailedError where AWS refuses a step, or has not answered for minutes.
    """
    back = asking_again(back)
    back = replace(back, observed=_as_of_now(back))
    good = back.good
    is_gone = _is_group_gone(back)
    asks = isinstance(back.verdict, Doomed) and not (is_gone or _would_start(back, good))
    refused = _stop(back, good) if asks else None
    can_stop = refused is None and not is_gone
    lost = _find_lost_race(back, good)
    if lost is not None:
        return _lost(lost)
    if isinstance(back.verdict, Unproved):
        can_stop = False  # ECS's deployment is over
        _mark_failed(back)
    if _apply_stack_of_both(back):
        lost = _find_lost_race(back, good)  # it took its time
        if lost is not None:
            return _lost(lost)
    if good is None:
        return _scale_to_zero(back)
    if can_stop:
        return _follow(back, good)
    if refused is not None and not back.can_redeploy:
        return could_not_go_back(back, AskRefused(error=Quoted.of(refused)))
    return update_to(back, good)


def asking_again(back: GoBack) -> GoBack:
    """With the time that a rollback gets, and asking AWS again where it does not answer."""
    operation = back.operation
    # Going back drains as well, and for as long.
    drain = back.drain / operation.pace.speed
    back.watcher.schedule.extend(operation.clock.now() + ROLLBACK_TIME + drain)
    return replace(back, operation=replace(operation, aws=operation.asking_again()))


def _as_of_now(back: GoBack) -> Observed:
    """What was in flight when we looked may have succeeded before we took over: then that is what
    to go back to, and the stack is its own."""
    observed, stack = back.observed, back.observed.stack
    memory = stack.previous if stack else None
    if observed.in_flight is None and memory is None:
        return observed
    ecs = back.aws.ecs
    arns = ecs.service_deployment_arns(back.ref.cluster, back.ref.name)
    # Not ours, also where ECS calls it successful: it is what has failed.
    deployments = [d for d in describe_newest(ecs, arns) if d.arn != back.ours.arn]
    return replace(
        observed,
        last_successful=last_proved(ecs, deployments, known=(observed.running,))
        or observed.last_successful,
        stack=replace(stack, previous=still_needed(memory, deployments)) if stack else None,
    )


def _follow(back: GoBack, good: str) -> RolledBackTo:
    """ECS goes back by itself; see it through."""
    ours = replace(back.ours, asked_to_stop=True)
    verdict = back.watcher.watch(ours, until_final=True).verdict
    match outcome_of(verdict):
        case Outcome.ROLLED_BACK:
            lost = _find_lost_race(back, good)
            return _lost(lost) if lost else _verified(back)
        case Outcome.SUCCEEDED:
            _apply_stack_of_now(back)
            return _lost(TOO_LATE)
        case Outcome.SUPERSEDED:
            return _lost(superseded_by(getattr(verdict, "task_definition_arn", "")))
        case Outcome.TIMED_OUT:
            return could_not_go_back(back, Plainly.ROLLBACK_GOES_ON)
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
    return WhyNot(revision=family_revision(good), cause=Quoted(text=causes[0].summary))


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


def last_good(observed: Observed) -> str | None:
    """The revision to go back to: the last whose rollout succeeded, else one that ran all the same
    when we looked. Never one that did not start, or that failed."""
    if observed.last_successful is not None and observed.last_successful.task_definition_arn:
        return observed.last_successful.task_definition_arn
    primary = observed.service.primary if observed.service else None
    if primary is None or primary.rollout_state != "COMPLETED":
        return None
    has_failed = observed.running is not None and mark_of(observed.running.tags) is Mark.FAILED
    return (
        primary.task_definition_arn
        if 0 < primary.desired <= primary.running and not has_failed
        else None
    )


def _would_start(back: GoBack, good: str | None) -> bool:
    """Whether a rollback of ECS's own would start what never ran: it goes back to whatever it calls
    successful, and a deployment of no tasks is that. Then the count alone is set to 0."""
    return good is None and _unproved_before(back) != ""


def _unproved_before(back: GoBack) -> str:
    """The revision that the service had before ours, where it was not proved; else ""."""
    before = back.observed.service
    arn = before.task_definition_arn if before is not None else ""
    return arn if arn != back.ours.task_definition_arn else ""


def _apply_stack_of_both(back: GoBack) -> bool:
    """First the stack: old tasks are judged by the health check that it says. What only the new
    tasks need stays until they are gone. False where nothing was to change."""
    stack = back.observed.stack
    if back.stack is None or stack is None:
        return False
    both = back.observed.remembering(transition_template(back.stack.template, stack.good))
    return _change_stack(back, back.stack.template, both)


def _apply_stack_of_before(back: GoBack) -> AsBefore | RunsAgain:
    """What is as it was before, and what is not. Raises CallFailedError."""
    stack = back.observed.stack
    if back.named:
        return RunsAgain(revision=family_revision(back.named))
    if stack is None:  # the service was another tool's, and is again
        return AsBefore(new_stack=back.ref.stack_name)
    if back.stack is None:
        return AsBefore()
    current = transition_template(back.stack.template, stack.good)
    if is_same_template(current, stack.good):
        return AsBefore()
    name, now = back.ref.stack_name, back.aws.stacks.find(back.ref.stack_name)
    if now is not None and not is_same_template(now.template, current):
        return AsBefore(
            clash=find_clash(name, current, now.template),
            left=find_left_behind(name, now.template, stack.good, back.stack.template),
        )
    try:
        done = back.aws.stacks.apply(name, template=stack.good, tags=dict(stack.tags))
    except CallFailedError as error:
        names = ", ".join(left_behind(current, stack.good, back.stack.template))
        error.what = f"{error.what}; left behind in {name}: {names}" if names else error.what
        raise
    return AsBefore(undeleted=find_undeleted(done))


def _change_stack(back: GoBack, current: Json, wanted: Json) -> bool:
    """False where nothing was to change, or another run has changed it since."""
    stack = back.observed.stack
    if stack is None or is_same_template(current, wanted):
        return False
    now = back.aws.stacks.find(back.ref.stack_name)
    if now is not None and not is_same_template(now.template, current):
        return False
    back.aws.stacks.apply(back.ref.stack_name, template=wanted, tags=dict(stack.tags))
    return True


def _apply_stack_of_now(back: GoBack) -> None:
    """The release that could not be stopped runs: its own stack belongs to it."""
    if back.stack is not None and back.observed.stack is not None:
        own, tags = back.stack.own, dict(back.stack.tags)
        back.aws.stacks.apply(back.ref.stack_name, template=own, tags=tags)


def _verified(back: GoBack) -> RolledBackTo:
    """ECS says that it rolled back; see what runs, and restore what is not part of a revision."""
    message = _apply_stack_of_before(back)
    _restore_count(back)
    service = back.aws.ecs.find_service(back.ref.cluster, back.ref.name)
    if service is None:
        return could_not_go_back(back, Plainly.SERVICE_GONE)
    return RolledBackTo(
        outcome=Outcome.ROLLED_BACK,
        message=message,
        service=service,
    )


def _restore_count(back: GoBack) -> None:
    """The count is not part of a revision, so ECS's rollback leaves the one that we set."""
    before = back.observed.service
    if before is not None and back.count not in {None, before.desired}:
        _set_count(back, before.desired)


def update_to(back: GoBack, good: str) -> RolledBackTo:
    """ECS stopped without going back: deploy the last good revision, and watch that."""
    if not back.can_redeploy:
        return could_not_go_back(back, Plainly.SAME_REVISION_BEFORE)
    ours = _roll_out(back, good)
    verdict = back.watcher.watch(ours).verdict
    revision = family_revision(good)
    match outcome_of(verdict):
        case Outcome.SUCCEEDED:
            return _verified(back)
        case Outcome.SUPERSEDED:
            return _lost(superseded_by(getattr(verdict, "task_definition_arn", "")))
        case Outcome.TIMED_OUT:
            return could_not_go_back(back, BackNotDone(revision=revision))
    got_healthy = isinstance(verdict, Unproved)
    failed = BackFailed(revision=revision, got_healthy=got_healthy, why=_why_not(back, good))
    return could_not_go_back(back, failed)


def _roll_out(back: GoBack, good: str) -> Ours:
    before, ref, ecs = back.observed.service, back.ref, back.aws.ecs
    known = frozenset(ecs.service_deployment_arns(ref.cluster, ref.name))
    parameters: Json = {
        "cluster": ref.cluster,
        "service": ref.name,
        "taskDefinition": good,
        "forceNewDeployment": True,
        **_attached_as(before, back),
    }
    if before is not None and back.count is not None:
        parameters["desiredCount"] = before.desired
    ecs.update_service(parameters)
    found = back.watcher.find(known=known, task_definition_arn=good)
    return Ours(service=ref.name, arn=found.arn, task_definition_arn=good)


def _is_group_gone(back: GoBack) -> bool:
    """Whether the target group of before had been removed, so that this run made another. ECS would
    go back to the one that is gone, and wait for tasks that nothing can register.

    https://github.com/aws/containers-roadmap/issues/1884
    """
    stack = back.observed.stack
    return stack is not None and stack.is_made_anew(OUTPUT_TARGET_GROUP)


def _groups(before: ServiceState, back: GoBack) -> tuple[str, ...]:
    if not (before.target_group_arns and _is_group_gone(back)):
        return before.target_group_arns
    stack = back.aws.stacks.find(back.ref.stack_name)
    arn = stack.outputs.get(OUTPUT_TARGET_GROUP) if stack else None
    return (arn,) if arn else before.target_group_arns


def _attached_as(before: ServiceState | None, back: GoBack) -> Json:
    """An update keeps what it does not name: the target group and the port of the failed release.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
    """
    if before is None or not back.container:
        return {}
    network: Json = {
        "subnets": list(before.subnets),
        "securityGroups": list(before.security_groups),
        "assignPublicIp": "ENABLED" if before.assign_public_ip else "DISABLED",
    }
    return {
        "networkConfiguration": {"awsvpcConfiguration": network},
        "loadBalancers": [
            {
                "targetGroupArn": arn,
                "containerName": before.container_name or back.container,
                "containerPort": before.container_port,
            }
            for arn in _groups(before, back)
        ],
    }


def _scale_to_zero(back: GoBack) -> RolledBackTo:
    """A first deployment has nothing to go back to: no tasks, but the evidence stays."""
    before = _unproved_before(back)
    if before:
        _mark_failed(back)
    after = _set_count(back, 0)
    if after.task_definition_arn not in {back.ours.task_definition_arn, before}:
        # Another deployment began since the last look: its tasks must not go.
        _set_count(back, back.wanted)
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


def _set_count(back: GoBack, count: int) -> ServiceState:
    return back.aws.ecs.update_service(
        {"cluster": back.ref.cluster, "service": back.ref.name, "desiredCount": count}
    )


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
        next=(*_looks(back), DeployAgain(needs_aws=True)),
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
