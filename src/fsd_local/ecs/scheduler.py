"""The service scheduler: (service, now) → what to do next. Pure; no I/O, no clock, no threads.

`decide` answers with the first thing that is to be done. Its caller applies that and asks again,
until there is nothing left: so each step sees the outcome of the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fsd_local.ecs import alarms, messages, rolling, shifting
from fsd_local.ecs.actions import (
    AccountForTask,
    Action,
    BackOff,
    BeginBake,
    BeginRollback,
    BeginServiceDeployment,
    CompleteDeployment,
    Deactivate,
    EmitEvent,
    FailDeployment,
    ForgetTask,
    MarkHealthy,
    PruneDeployments,
    RegisterTargets,
    ReleaseTask,
    ReportTarget,
    SetServiceDeployment,
    SetSteady,
    StopTasks,
)
from fsd_local.ecs.breaker import load_breaker
from fsd_local.ecs.health import is_drained, is_healthy, is_target_unhealthy
from fsd_local.ecs.hooks import failed_reason
from fsd_local.ecs.model import (
    EcsServiceRecord,
    RolloutState,
    ServiceDeploymentStatus,
    ServiceRollout,
    StopCode,
    Task,
    TaskStatus,
)

# Throttling of tasks that never reach RUNNING; AWS documents its end (27 minutes), not its steps:
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html
BACK_OFF_BASE = 10.0
BACK_OFF_LIMIT = 27 * 60.0
# A task that ran and then exited is not throttled; on Fargate its successor still takes a while.
RESTART_DELAY = 5.0
_IMPAIRED_LEVEL = 3
_RESOLVE_ATTEMPTS = 3

_ONGOING_TARGET = {
    ServiceDeploymentStatus.IN_PROGRESS,
    ServiceDeploymentStatus.ROLLBACK_REQUESTED,
    ServiceDeploymentStatus.ROLLBACK_IN_PROGRESS,
}
_FAULTS = {StopCode.FAILED_TO_START, StopCode.CONTAINER_EXITED}


def decide(service: EcsServiceRecord, now: float, *, speed: float) -> Sequence[Action]:
    """The next actions, or () when there is nothing to do at this instant."""
    if service.status == "INACTIVE":
        return ()
    steps = _ACTIVE_STEPS if service.status == "ACTIVE" else _DRAINING_STEPS
    return next((actions for step in steps if (actions := step(service, now, speed))), ())


def back_off(service: EcsServiceRecord, now: float, *, speed: float) -> BackOff:
    """One step further; failures of one wave (within the delay that runs) count once."""
    level = service.back_off_level + (1 if now >= service.back_off_until else 0)
    delay = min(BACK_OFF_BASE * 2 ** (max(level, 1) - 1), BACK_OFF_LIMIT)
    return BackOff(until=max(service.back_off_until, now + delay / speed), level=max(level, 1))


def _account(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    """Tasks that ended by a fault of their own."""
    for task in service.tasks.values():
        if task.is_counted or task.stop_code not in _FAULTS:
            continue
        account = AccountForTask(task_id=task.id, is_failure=not task.was_healthy)
        if task.started_at is not None:
            until = max(service.back_off_until, now + RESTART_DELAY / speed)
            return account, BackOff(until=until, level=service.back_off_level)
        pause = back_off(service, now, speed=speed)
        crossed = service.back_off_level < _IMPAIRED_LEVEL <= pause.level
        event = (EmitEvent(message=messages.EVENT_IMPAIRED),) if crossed else ()
        return account, pause, *event
    return ()


def _mark_healthy(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    return tuple(
        MarkHealthy(task_id=task.id)
        for task in service.tasks.values()
        if not task.was_healthy and is_healthy(task, now=now, speed=speed)
    )


def _register(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    del now, speed
    ids = tuple(
        task.id
        for task in service.tasks.values()
        if task.status is TaskStatus.RUNNING
        and task.is_wanted
        and any(not r.is_registered for r in task.registrations)
    )
    return (RegisterTargets(task_ids=ids),) if ids else ()


def _report_targets(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    """An unhealthy target is told once, in the grace period too."""
    del now, speed
    return tuple(
        ReportTarget(task_id=task.id, target_group_arn=registration.target_group_arn)
        for task in service.tasks.values()
        if task.is_wanted
        for registration in task.registrations
        if is_target_unhealthy(registration) and not registration.is_reported
    )


def _settle_superseded(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    """Stop what was asked to stop, then let the newest service deployment begin."""
    del now, speed
    newest = service.service_deployments[0] if service.service_deployments else None
    for found in service.service_deployments:
        if found.status is ServiceDeploymentStatus.STOP_REQUESTED:
            reason = found.reason or messages.SUPERSEDED
            return (
                SetServiceDeployment(
                    arn=found.arn, status=ServiceDeploymentStatus.STOPPED, reason=reason
                ),
            )
        if found is not newest and found.status is ServiceDeploymentStatus.ROLLBACK_IN_PROGRESS:
            return (
                SetServiceDeployment(
                    arn=found.arn,
                    status=ServiceDeploymentStatus.ROLLBACK_FAILED,
                    reason=messages.SUPERSEDED,
                ),
            )
    if newest is not None and newest.status is ServiceDeploymentStatus.PENDING:
        return (BeginServiceDeployment(arn=newest.arn),)
    return ()


def _complete(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    primary = service.primary
    if primary is None or primary.rollout_state is not RolloutState.IN_PROGRESS:
        return ()
    deployment = primary.service_deployment
    if deployment.status not in _ONGOING_TARGET or deployment.shifts_traffic:
        return ()  # the other strategies complete their last stage themselves
    view = rolling.look(service, primary, now=now, speed=speed)
    if not (rolling.is_done(view) or _is_early_success(service, view)):
        return ()
    bake = alarms.bake_seconds(primary) / speed
    if bake and primary.baking_since is None:
        return (BeginBake(deployment_id=primary.id),)
    if primary.baking_since is not None and now - primary.baking_since < bake:
        return ()
    return (CompleteDeployment(deployment_id=primary.id),)


def _is_early_success(service: EcsServiceRecord, view: rolling.View) -> bool:
    """Healthy new tasks are enough where the service asks for no more.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/early-success-criteria.html
    """
    criteria = service.configuration.get("earlySuccessCriteria") or {}
    if not criteria.get("enable"):
        return False
    is_enough = view.healthy_new * 100 >= criteria["healthyPercent"] * service.desired_count
    is_clean = criteria.get("sourceServiceRevisionCleanup") == "DEFERRED" or not view.old
    return is_enough and is_clean


def _give_up(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    """The breaker, the digests, a stage that does not end, and a rollback that was asked for."""
    primary = service.primary
    if primary is None or not _can_fail(primary):
        return ()
    status = primary.service_deployment.status
    if status is ServiceDeploymentStatus.ROLLBACK_REQUESTED and not primary.is_rollback:
        return _roll_back_on_request(service, primary)
    hooks_failed = failed_reason(primary.service_deployment.traffic.hooks)
    if hooks_failed and not primary.is_rollback:
        failure = replace(_HOOKED, rolled_back=hooks_failed)
        return _fail(service, primary, failure, rolls_back=True)
    if not primary.is_rollback and shifting.is_stuck(primary, now, speed=speed):
        return _fail(service, primary, _STUCK, rolls_back=True)
    breaker = load_breaker(service.configuration)
    tripped = breaker.is_enabled and (
        primary.failed_tasks >= breaker.threshold(service.desired_count)
    )
    unresolved = primary.resolve_failures >= _RESOLVE_ATTEMPTS
    if not tripped and not unresolved:
        return ()
    rolls_back = breaker.is_enabled and breaker.rolls_back
    if tripped:
        return _fail(service, primary, _TRIPPED, rolls_back=rolls_back)
    return _fail(service, primary, _UNRESOLVED, rolls_back=rolls_back)


def _heed_alarms(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    """Before success is considered: an alarm in the last instant of the bake time still counts."""
    del now, speed
    names = alarms.triggered(service)
    primary = service.primary
    if not names or primary is None or not _can_fail(primary):
        return ()
    rolls_back = alarms.rolls_back(primary.service_deployment)
    return _fail(service, primary, _ALARMED, rolls_back=rolls_back, names=names)


def _can_fail(primary: ServiceRollout) -> bool:
    is_in_progress = primary.rollout_state is RolloutState.IN_PROGRESS
    return is_in_progress and not shifting.is_past_return(primary)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """Why ECS gives a deployment up, in its words."""

    cause: str
    stopped: str
    rolled_back: str
    rolling_back: Callable[[str], str]


_TRIPPED = _Failure(
    cause=messages.TASKS_FAILED_TO_START,
    stopped=messages.STOPPED_BY_BREAKER,
    rolled_back=messages.ROLLED_BACK_BY_BREAKER,
    rolling_back=messages.rolling_back,
)
_UNRESOLVED = replace(
    _TRIPPED, cause=messages.DIGESTS_NOT_RESOLVED, stopped=messages.DIGESTS_NOT_RESOLVED
)
_ALARMED = _Failure(
    cause=messages.ALARM_DETECTED,
    stopped=messages.STOPPED_BY_ALARM,
    rolled_back=messages.ROLLED_BACK_BY_ALARM,
    rolling_back=messages.rolling_back_by_alarm,
)

_STUCK = _Failure(
    cause=messages.STAGE_TOO_LONG,
    stopped=messages.STAGE_TOO_LONG,
    rolled_back=messages.ROLLED_BACK_BY_STAGE,
    rolling_back=messages.rolling_back_on_request,
)

_HOOKED = replace(_STUCK, cause=messages.HOOKS_FAILED, stopped=messages.HOOKS_FAILED)


def _fail(
    service: EcsServiceRecord,
    primary: ServiceRollout,
    failure: _Failure,
    *,
    rolls_back: bool,
    names: tuple[str, ...] = (),
) -> Sequence[Action]:
    is_breaker = failure is _TRIPPED
    fail = FailDeployment(
        deployment_id=primary.id, reason=failure.cause, is_breaker=is_breaker, alarms=names
    )
    arn = primary.service_deployment.arn
    if primary.is_rollback:
        ended, reason = ServiceDeploymentStatus.ROLLBACK_FAILED, messages.ROLLBACK_TASKS_FAILED
    elif not rolls_back:
        ended, reason = ServiceDeploymentStatus.STOP_REQUESTED, failure.stopped
    elif service.last_completed is None:
        ended, reason = ServiceDeploymentStatus.ROLLBACK_FAILED, messages.NO_ROLLBACK_CANDIDATE
    else:
        return fail, BeginRollback(
            deployment_id=primary.id,
            reason=failure.rolled_back,
            rollout_reason=failure.rolling_back(service.last_completed.id),
        )
    return fail, SetServiceDeployment(arn=arn, status=ended, reason=reason)


def _roll_back_on_request(service: EcsServiceRecord, primary: ServiceRollout) -> Sequence[Action]:
    fail = FailDeployment(
        deployment_id=primary.id, reason=messages.ROLLBACK_REQUESTED, is_breaker=False
    )
    if service.last_completed is None:
        return fail, SetServiceDeployment(
            arn=primary.service_deployment.arn,
            status=ServiceDeploymentStatus.STOPPED,
            reason=messages.NO_ROLLBACK_CANDIDATE,
        )
    return fail, BeginRollback(
        deployment_id=primary.id,
        reason=messages.ROLLBACK_REQUESTED,
        rollout_reason=messages.rolling_back_on_request(service.last_completed.id),
    )


def _roll(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    primary = service.primary
    if primary is None:
        return ()
    decide = shifting.decide if primary.service_deployment.shifts_traffic else rolling.decide
    return decide(rolling.look(service, primary, now=now, speed=speed))


def _release(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    del now, speed
    return tuple(
        ReleaseTask(task_id=task.id)
        for task in service.tasks.values()
        if task.status is TaskStatus.DEACTIVATING and is_drained(task)
    )


def _forget(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    del now, speed
    return tuple(
        ForgetTask(task_id=task.id)
        for task in service.tasks.values()
        if task.is_stopped and (task.is_counted or task.stop_code not in _FAULTS)
    )


def _prune(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    """Drained deployments go; a failed one stays until a newer one is completed.

    While traffic is being shifted, the last that was completed stays: its tasks are replaced.
    """
    del now, speed
    primary = service.primary
    is_settled = primary is not None and primary.rollout_state is RolloutState.COMPLETED
    shifts = (
        primary is not None
        and primary.service_deployment.shifts_traffic
        and primary.rollout_state is RolloutState.IN_PROGRESS
        and not primary.is_rollback
    )
    gone = tuple(
        deployment.id
        for deployment in service.deployments
        if deployment is not primary
        and not (shifts and deployment is service.last_completed)
        and (deployment.rollout_state is not RolloutState.FAILED or is_settled)
        and not _tasks_of(service, deployment)
    )
    return (PruneDeployments(deployment_ids=gone),) if gone else ()


def _tasks_of(service: EcsServiceRecord, deployment: ServiceRollout) -> list[Task]:
    return [t for t in service.tasks.values() if t.deployment_id == deployment.id]


def _steady(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    primary = service.primary
    is_steady = False
    if primary is not None and primary.rollout_state is RolloutState.COMPLETED:
        view = rolling.look(service, primary, now=now, speed=speed)
        is_stopping = any(not t.is_wanted and not t.is_stopped for t in service.tasks.values())
        is_steady = rolling.is_done(view) and not is_stopping
    return (SetSteady(is_steady=is_steady),) if is_steady != service.is_steady else ()


def _retire(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    """A deleted service: stop all, drain, then INACTIVE."""
    del now, speed
    wanted = tuple(t.id for t in service.tasks.values() if t.is_wanted and not t.is_stopped)
    if wanted:
        deployment = service.primary
        reason = messages.scaled(deployment.id if deployment is not None else "")
        return (StopTasks(task_ids=wanted, reason=reason),)
    return () if service.tasks else (Deactivate(),)


_Step = Callable[[EcsServiceRecord, float, float], Sequence[Action]]
_ACTIVE_STEPS: tuple[_Step, ...] = (
    _account,
    _mark_healthy,
    _register,
    _report_targets,
    _settle_superseded,
    _release,
    _forget,
    _heed_alarms,
    _complete,
    _give_up,
    _roll,
    _prune,
    _steady,
)


def _account_only(service: EcsServiceRecord, now: float, speed: float) -> Sequence[Action]:
    del now, speed
    return tuple(
        AccountForTask(task_id=task.id, is_failure=False)
        for task in service.tasks.values()
        if not task.is_counted and task.stop_code in _FAULTS
    )


_DRAINING_STEPS: tuple[_Step, ...] = (_account_only, _release, _forget, _retire)
