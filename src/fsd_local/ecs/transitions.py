"""Applies what the scheduler decided to the state. No I/O: effects are returned as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from fsd_local.ecs import alarms, hooks, lifecycle, messages
from fsd_local.ecs.actions import (
    AccountForTask,
    Action,
    BackOff,
    BeginBake,
    BeginHooks,
    BeginRollback,
    BeginServiceDeployment,
    CompleteDeployment,
    Deactivate,
    Deregister,
    Effect,
    EmitEvent,
    EnterStage,
    FailDeployment,
    ForgetTask,
    Launch,
    MarkHealthy,
    PruneDeployments,
    Register,
    RegisterTargets,
    ReleaseTask,
    ReportTarget,
    SetServiceDeployment,
    SetSteady,
    SetTraffic,
    Shift,
    StartTasks,
    StopTasks,
    TellDeadlock,
    TimeOutHook,
)
from fsd_local.ecs.arns import Ids, arn
from fsd_local.ecs.breaker import load_breaker
from fsd_local.ecs.health import unhealthy_target_event
from fsd_local.ecs.model import (
    Counts,
    EcsServiceRecord,
    HookStatus,
    Revision,
    Rollback,
    RolloutState,
    ServiceDeployment,
    ServiceDeploymentStatus,
    ServiceEvent,
    ServiceRollout,
    Task,
    TaskStatus,
)
from fsd_local.ecs.scheduler import decide
from fsd_local.ecs.shifting import is_past_return, weights
from fsd_local.ports import Alarm

_EVENTS_KEPT = 100
_PASSES = 1000

MakeTask = Callable[[EcsServiceRecord, ServiceRollout, float], Task]


def schedule(
    service: EcsServiceRecord, now: float, *, speed: float, ids: Ids, make_task: MakeTask
) -> list[Effect]:
    """Decide and apply until there is nothing left to do at this instant."""
    effects: list[Effect] = []
    for _ in range(_PASSES):
        actions = decide(service, now, speed=speed)
        if not actions:
            return effects
        for action in actions:
            effects.extend(apply(service, action, now, ids=ids, make_task=make_task))
    raise RuntimeError(f"the scheduler does not settle on {service.arn}: {actions}")


def apply(
    service: EcsServiceRecord, action: Action, now: float, *, ids: Ids, make_task: MakeTask
) -> Sequence[Effect]:
    match action:
        case (
            StartTasks()
            | StopTasks()
            | ReleaseTask()
            | ForgetTask()
            | RegisterTargets()
            | MarkHealthy()
            | AccountForTask()
            | ReportTarget()
        ):
            return _apply_to_tasks(service, action, now, ids=ids, make_task=make_task)
        case BackOff():
            service.back_off_until, service.back_off_level = action.until, action.level
        case EmitEvent():
            emit(service, action.message, now, ids=ids)
        case SetSteady():
            service.is_steady = action.is_steady
            if action.is_steady:
                emit(service, messages.EVENT_STEADY, now, ids=ids)
        case EnterStage() | BeginHooks() | TimeOutHook() | SetTraffic():
            return _apply_to_traffic(service, action, now, ids=ids)
        case Deactivate():
            service.status, service.inactive_at = "INACTIVE", now
            service.deployments = []
        case _:
            _apply_to_deployments(service, action, now, ids=ids)
    return ()


def emit(service: EcsServiceRecord, message: str, now: float, *, ids: Ids) -> None:
    event = ServiceEvent(id=ids.uuid(), at=now, message=f"(service {service.name}) {message}")
    service.events = [event, *service.events[: _EVENTS_KEPT - 1]]


def begin_deployment(
    service: EcsServiceRecord,
    revision: Revision,
    now: float,
    *,
    ids: Ids,
    seen: Mapping[str, Alarm] | None = None,
) -> None:
    """A new service deployment to `revision`; what is under way is superseded.

    `seen`: the service's alarms at this instant, by name.
    """
    _keep_what_serves(service)
    sources = _revisions_in_use(service)
    revision.uses_alternate = _goes_to_alternate(service, revision)
    for old in service.service_deployments:
        if old.status in _SUPERSEDABLE:
            old.status, old.reason, old.updated_at = (
                ServiceDeploymentStatus.STOP_REQUESTED,
                messages.SUPERSEDED,
                now,
            )
    resource = f"service-deployment/{service.cluster}/{service.name}/{ids.deployment()}"
    started = ServiceDeployment(
        arn=arn(service.account, service.region, resource),
        target=revision,
        sources=sources,
        created_at=now,
        updated_at=now,
        configuration=service.configuration,
    )
    alarms.begin_watch(started, seen or {})
    service.service_deployments.insert(0, started)
    service.revisions[revision.arn] = revision
    service.task_definition = revision.task_definition
    service.is_steady = False
    service.back_off_until, service.back_off_level = 0.0, 0
    _add_primary(service, started, revision, now, ids=ids)


def _keep_what_serves(service: EcsServiceRecord) -> None:
    """What the traffic goes to is what the next deployment shifts from, and goes back to.

    So it is after a rollback that is superseded, or a deployment whose old tasks are being stopped.
    """
    primary = service.primary
    if primary is None or primary.rollout_state is not RolloutState.IN_PROGRESS:
        return
    shifts = service.configuration["strategy"] != "ROLLING"
    if is_past_return(primary) or (shifts and primary.is_rollback):
        service.last_completed = primary


def _goes_to_alternate(service: EcsServiceRecord, revision: Revision) -> bool:
    """A rolling deployment stays where the traffic goes; the others change sides."""
    completed = service.last_completed
    if completed is None:
        return False
    served = {completed.revision.target_group(lb) for lb in completed.revision.load_balancers}
    is_rolling = service.configuration["strategy"] == "ROLLING"
    for balancer in revision.load_balancers:
        advanced = balancer.get("advancedConfiguration") or {}
        alternate = advanced.get("alternateTargetGroupArn")
        if alternate:
            return alternate in served if is_rolling else balancer["targetGroupArn"] in served
    return False


_SUPERSEDABLE = {
    ServiceDeploymentStatus.PENDING,
    ServiceDeploymentStatus.IN_PROGRESS,
    ServiceDeploymentStatus.ROLLBACK_REQUESTED,
}


def counts(service: EcsServiceRecord, revision: Revision) -> Counts:
    """Tasks of one revision now."""
    wanted = [
        task
        for task in service.tasks.values()
        if task.revision_arn == revision.arn and task.is_wanted and not task.is_stopped
    ]
    primary = service.primary
    is_target = primary is not None and primary.revision is revision
    return Counts(
        requested=service.desired_count if is_target else len(wanted),
        running=sum(task.status is TaskStatus.RUNNING for task in wanted),
        pending=sum(task.is_starting for task in wanted),
    )


def _apply_to_tasks(
    service: EcsServiceRecord,
    action: StartTasks
    | StopTasks
    | ReleaseTask
    | ForgetTask
    | RegisterTargets
    | MarkHealthy
    | AccountForTask
    | ReportTarget,
    now: float,
    *,
    ids: Ids,
    make_task: MakeTask,
) -> Sequence[Effect]:
    match action:
        case StartTasks():
            return _start(service, action, now, ids=ids, make_task=make_task)
        case StopTasks():
            return _stop(service, action, now, ids=ids)
        case RegisterTargets():
            return _register(service, action, now, ids=ids)
        case ReleaseTask():
            return lifecycle.release(service.tasks[action.task_id])
        case ForgetTask():
            del service.tasks[action.task_id]
        case MarkHealthy():
            _mark_healthy(service, service.tasks[action.task_id])
        case AccountForTask():
            _account(service, service.tasks[action.task_id], is_failure=action.is_failure)
        case ReportTarget():
            _report(service, action, now, ids=ids)
        case _:
            assert_never(action)
    return ()


def _apply_to_deployments(
    service: EcsServiceRecord,
    action: BeginServiceDeployment
    | SetServiceDeployment
    | FailDeployment
    | BeginRollback
    | BeginBake
    | CompleteDeployment
    | PruneDeployments
    | TellDeadlock,
    now: float,
    *,
    ids: Ids,
) -> None:
    match action:
        case BeginServiceDeployment():
            found = _service_deployment(service, action.arn)
            found.status, found.started_at, found.updated_at = (
                ServiceDeploymentStatus.IN_PROGRESS,
                now,
                now,
            )
        case SetServiceDeployment():
            found = _service_deployment(service, action.arn)
            _set_status(service, found, action.status, now, reason=action.reason)
        case FailDeployment():
            _fail(service, action, now, ids=ids)
        case BeginRollback():
            _begin_rollback(service, action, now, ids=ids)
        case BeginBake():
            _deployment(service, action.deployment_id).baking_since = now
        case CompleteDeployment():
            _complete(service, _deployment(service, action.deployment_id), now, ids=ids)
        case PruneDeployments():
            gone = set(action.deployment_ids)
            service.deployments = [d for d in service.deployments if d.id not in gone]
        case TellDeadlock():
            _deployment(service, action.deployment_id).is_deadlock_told = True
            emit(service, messages.EVENT_DEADLOCK, now, ids=ids)
        case _:
            assert_never(action)


def _deployment(service: EcsServiceRecord, deployment_id: str) -> ServiceRollout:
    return next(d for d in service.deployments if d.id == deployment_id)


def _service_deployment(service: EcsServiceRecord, wanted: str) -> ServiceDeployment:
    return next(d for d in service.service_deployments if d.arn == wanted)


def _apply_to_traffic(
    service: EcsServiceRecord,
    action: EnterStage | BeginHooks | TimeOutHook | SetTraffic,
    now: float,
    *,
    ids: Ids,
) -> Sequence[Effect]:
    deployment = _current(service)
    match action:
        case EnterStage():
            _enter(deployment, action, now)
        case BeginHooks():
            _begin_hooks(deployment, action, now, ids=ids)
        case TimeOutHook():
            for run in deployment.traffic.hooks:
                if run.id == action.hook_id:
                    run.status = HookStatus.TIMED_OUT
        case SetTraffic():
            return _set_traffic(service, action, now)
        case _:
            assert_never(action)
    return ()


def _current(service: EcsServiceRecord) -> ServiceDeployment:
    if service.primary is None:
        raise RuntimeError(f"{service.arn} has no deployment")
    return service.primary.service_deployment


def _enter(deployment: ServiceDeployment, action: EnterStage, now: float) -> None:
    traffic = deployment.traffic
    traffic.stage, traffic.since, traffic.step = action.stage, now, 0
    traffic.hooks, traffic.hooked = [], ("", 0)
    deployment.updated_at = now


def _begin_hooks(
    deployment: ServiceDeployment, action: BeginHooks, now: float, *, ids: Ids
) -> None:
    deployment.traffic.hooked = (action.stages[0], action.step)
    deployment.traffic.hooks = [
        hooks.begin(hook, stage, now, token=ids.deployment(), speed=action.speed)
        for hook, stage in hooks.hooks_at(deployment, action.stages)
    ]


def _set_traffic(service: EcsServiceRecord, action: SetTraffic, now: float) -> Sequence[Effect]:
    deployment = _current(service)
    traffic, target = deployment.traffic, deployment.target
    traffic.since, traffic.step, deployment.updated_at = now, action.step, now
    if action.production is not None:
        traffic.production = action.production
    if action.test is not None:
        traffic.test = action.test
    effects = []
    for balancer in target.load_balancers:
        advanced = balancer.get("advancedConfiguration") or {}
        group = target.target_group(balancer)
        pair = (balancer.get("targetGroupArn"), advanced.get("alternateTargetGroupArn"))
        others = [str(found) for found in pair if found and found != group]
        for member, percent in (
            ("productionListenerRule", action.production),
            ("testListenerRule", action.test),
        ):
            if advanced.get(member) and percent is not None:
                own, rest = weights(percent)
                shared = {group: own} | dict.fromkeys(others, rest)
                effects.append(Shift(rule_arn=advanced[member], weights=shared))
    return effects


def _start(
    service: EcsServiceRecord, action: StartTasks, now: float, *, ids: Ids, make_task: MakeTask
) -> Sequence[Effect]:
    deployment = _deployment(service, action.deployment_id)
    tasks = []
    for _ in range(action.count):
        tasks.append(make_task(service, deployment, now))
        service.tasks[tasks[-1].id] = tasks[-1]  # at once: the next one's capacity goes by it
    emit(service, messages.event_started([task.id for task in tasks]), now, ids=ids)
    return [Launch(task=task) for task in tasks]


def _stop(
    service: EcsServiceRecord, action: StopTasks, now: float, *, ids: Ids
) -> Sequence[Effect]:
    effects: list[Effect] = []
    for task_id in action.task_ids:
        task = service.tasks[task_id]
        effects.extend(lifecycle.begin_stop(task, action.reason, action.code, now))
    emit(service, messages.event_stopped(action.task_ids), now, ids=ids)
    emit_deregistered(service, effects, now, ids=ids)
    return effects


def emit_deregistered(
    service: EcsServiceRecord, effects: Sequence[Effect], now: float, *, ids: Ids
) -> None:
    found = [effect for effect in effects if isinstance(effect, Deregister)]
    groups = Counter(effect.registration.target_group_arn for effect in found)
    for target_group_arn, count in groups.items():
        emit(service, messages.event_deregistered(count, target_group_arn), now, ids=ids)
    if groups:
        draining = len({effect.task.id for effect in found})
        emit(service, messages.event_draining(draining), now, ids=ids)


def _register(
    service: EcsServiceRecord, action: RegisterTargets, now: float, *, ids: Ids
) -> Sequence[Effect]:
    effects = []
    for task_id in action.task_ids:
        task = service.tasks[task_id]
        for registration in task.registrations:
            if not registration.is_registered:
                registration.is_registered = True
                effects.append(Register(task=task, registration=registration))
    groups = Counter(effect.registration.target_group_arn for effect in effects)
    for target_group_arn, count in groups.items():
        emit(service, messages.event_registered(count, target_group_arn), now, ids=ids)
    return effects


def _report(service: EcsServiceRecord, action: ReportTarget, now: float, *, ids: Ids) -> None:
    for registration in service.tasks[action.task_id].registrations:
        if registration.target_group_arn == action.target_group_arn:
            registration.is_reported = True
            emit(service, unhealthy_target_event(registration), now, ids=ids)


def _mark_healthy(service: EcsServiceRecord, task: Task) -> None:
    task.was_healthy = True
    service.back_off_level = 0
    primary = service.primary
    if primary is None or task.deployment_id != primary.id:
        return
    if load_breaker(service.configuration).resets_on_healthy_task:
        primary.failed_tasks = 0
        if not primary.is_rollback:
            primary.service_deployment.failure_count = 0


def _account(service: EcsServiceRecord, task: Task, *, is_failure: bool) -> None:
    task.is_counted = True
    primary = service.primary
    if primary is None or task.deployment_id != primary.id or not is_failure:
        return
    if primary.rollout_state is not RolloutState.IN_PROGRESS:
        return
    primary.resolve_failures += 1 if task.failed_resolving else 0
    breaker = load_breaker(service.configuration)
    if breaker.is_enabled and primary.failed_tasks >= breaker.threshold(service.desired_count):
        return  # tripped already; the others of this wave are not counted
    primary.failed_tasks += 1
    if not primary.is_rollback:
        primary.service_deployment.failure_count = primary.failed_tasks


def _fail(service: EcsServiceRecord, action: FailDeployment, now: float, *, ids: Ids) -> None:
    failed = _deployment(service, action.deployment_id)
    failed.rollout_state = RolloutState.FAILED
    failed.reason, failed.updated_at = action.reason, now
    if action.alarms:
        failed.service_deployment.triggered_alarms = action.alarms
        emit(service, messages.event_alarm(failed.id), now, ids=ids)
    if not action.is_breaker:
        return
    failed.service_deployment.is_breaker_triggered = True
    emit(service, messages.event_failed(failed.id), now, ids=ids)


def _begin_rollback(
    service: EcsServiceRecord, action: BeginRollback, now: float, *, ids: Ids
) -> None:
    given_up = _deployment(service, action.deployment_id)
    completed = service.last_completed
    if completed is None:
        raise RuntimeError("a rollback needs a completed deployment")
    revision, owner = completed.revision, given_up.service_deployment
    owner.status, owner.updated_at = ServiceDeploymentStatus.ROLLBACK_IN_PROGRESS, now
    owner.rollback = Rollback(reason=action.reason, started_at=now, revision_arn=revision.arn)
    emit(service, messages.event_rolling_back(completed.id), now, ids=ids)
    restore(service, revision)
    service.back_off_until, service.back_off_level = 0.0, 0
    rollback = _add_primary(service, owner, revision, now, ids=ids)
    rollback.is_rollback, rollback.reason = True, action.rollout_reason
    for task in service.tasks.values():
        if task.revision_arn == revision.arn and task.is_wanted:
            task.deployment_id = rollback.id


def restore(service: EcsServiceRecord, revision: Revision) -> None:
    """What a revision says of the service, as UpdateService and a rollback set it."""
    service.task_definition = revision.task_definition
    service.network = revision.network
    service.load_balancers = revision.load_balancers
    service.platform_version = revision.platform_version
    service.settings = revision.settings
    service.capacity_provider_strategy = revision.capacity_provider_strategy


def _add_primary(
    service: EcsServiceRecord, owner: ServiceDeployment, revision: Revision, now: float, *, ids: Ids
) -> ServiceRollout:
    for deployment in service.deployments:
        deployment.status = "ACTIVE"
    number = f"ecs-svc/{ids.number()}"
    added = ServiceRollout(
        id=number,
        revision=revision,
        service_deployment=owner,
        created_at=now,
        updated_at=now,
        reason=messages.in_progress(number),
    )
    service.deployments.insert(0, added)
    return added


def _revisions_in_use(service: EcsServiceRecord) -> list[Revision]:
    """Those that have tasks, newest first."""
    arns = {task.revision_arn for task in service.tasks.values() if task.is_wanted}
    found = [revision for key, revision in service.revisions.items() if key in arns]
    return sorted(found, key=lambda revision: -revision.created_at)


def _complete(
    service: EcsServiceRecord, completed: ServiceRollout, now: float, *, ids: Ids
) -> None:
    completed.rollout_state = RolloutState.COMPLETED
    completed.reason, completed.updated_at = messages.completed(completed.id), now
    owner = completed.service_deployment
    done = (
        ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL
        if completed.is_rollback
        else ServiceDeploymentStatus.SUCCESSFUL
    )
    _set_status(service, owner, done, now, reason=_reason_of_success(owner, completed))
    service.last_completed = completed
    service.is_steady = False
    emit(service, messages.event_completed(completed.id), now, ids=ids)


def _reason_of_success(owner: ServiceDeployment, completed: ServiceRollout) -> str:
    return owner.rollback.reason if completed.is_rollback and owner.rollback is not None else ""


def _set_status(
    service: EcsServiceRecord,
    found: ServiceDeployment,
    status: ServiceDeploymentStatus,
    now: float,
    *,
    reason: str,
) -> None:
    found.status, found.reason, found.updated_at = status, reason, now
    if not status.is_final:
        return
    found.finished_at = now
    found.threshold = load_breaker(service.configuration).threshold(service.desired_count)
    if status is ServiceDeploymentStatus.STOPPED:
        found.stopped_at = now
    revisions = [found.target, *found.sources]
    found.final_counts = {r.arn: counts(service, r) for r in revisions}


def end_service_deployments(service: EcsServiceRecord, now: float) -> None:
    """The service is being deleted: nothing is under way any more."""
    for found in service.service_deployments:
        if not found.status.is_final:
            _set_status(
                service,
                found,
                ServiceDeploymentStatus.STOPPED,
                now,
                reason=messages.SERVICE_DELETED,
            )
