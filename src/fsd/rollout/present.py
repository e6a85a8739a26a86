"""Judge a service as it is now, whoever deployed it and with whatever; then its last rollout.

The present comes first: counts, tasks that keep ending, targets, alarms, the stack. What is over is
no evidence of what is: a stopped task of a revision that does not run, or an event from before the
last steady state, belongs to the past. And what ECS does not say is not judged: it is said to be
missing, and nothing is called well that nobody can see.

Pure; the time of the look is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fsd.rollout.cause import Cause, Evidence
from fsd.rollout.condition_facts import (
    BareNote,
    BehindClassic,
    ConditionNote,
    CouldNotRead,
    DeployedByOther,
    EndedAndReplaced,
    KeyUnsaid,
    RolloutUnsaid,
    StackDrifted,
    StackUnsaid,
    StatusUnknown,
    TargetsUnsaid,
    TaskSetSeen,
    TasksStarting,
    Unknown,
)
from fsd.rollout.conditions import (
    NO_HEALTHY_TARGET,
    NO_TARGETS,
    SERVICE_DRAINING,
    STACK_BROKEN,
    STACK_GONE,
    TARGET_GROUP_GONE,
    TARGET_GROUP_UNUSED,
    TOO_FEW_TASKS,
)
from fsd.rollout.diagnose import (
    CONTAINER_UNHEALTHY,
    HEALTH_CHECK_FAILED,
    family_revision,
    find_event_causes,
    find_task_causes,
    group_name,
    health_check_advice,
    short,
)
from fsd.rollout.failures import (
    ALARM_TRIGGERED,
    ROLLBACK_REQUESTED,
    ROLLOUT_FAILED,
    Failure,
    classify,
)
from fsd.rollout.last_rollout import LastRollout, RolloutStatus, has_tripped, last_rollout
from fsd.snapshot import (
    EcsDeployment,
    Event,
    ServiceDeployment,
    ServiceState,
    Snapshot,
    StackLook,
    StoppedTask,
    TargetHealth,
    TaskSet,
    TaskState,
)

# Two tasks that ended by themselves within LOOP, the last within JUST: it goes on.
LOOP = timedelta(minutes=15)
JUST = timedelta(minutes=5)
# So long a rollout may have fewer tasks, and targets that are not healthy yet.
ROLLOUT_TIME = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLook:
    """A target group of the service, or the two of a blue/green one."""

    arns: tuple[str, ...]
    targets: tuple[TargetHealth, ...] | None  # None: they could not be read
    missing: tuple[str, ...] = ()

    @property
    def healthy(self) -> int | None:
        if self.targets is None or any(target.state == "" for target in self.targets):
            return None
        return sum(target.state == "healthy" for target in self.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All that one look at a service saw."""

    at: datetime
    service: ServiceState
    newest: ServiceDeployment | None = None  # of its service deployments
    tasks: tuple[TaskState, ...] = ()
    stopped: tuple[StoppedTask, ...] = ()
    groups: tuple[GroupLook, ...] = ()
    alarms: tuple[Evidence, ...] = ()  # those that are in ALARM
    stack: StackLook | None = None
    lacks_stack: bool = False  # FSD made one, and it is not there
    noted: str = ""  # what the ledger says of the newest deployment's end: "crashed: …"
    unread: tuple[Unknown, ...] = ()  # what AWS refused to tell, and health depends on
    remarks: tuple[CouldNotRead, ...] = ()  # what it refused, and one can do without


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What users get now."""

    revisions: tuple[str, ...]  # ARNs, most tasks first; () where nothing runs, or nobody says
    healthy: int | None  # None where nothing tells health
    running: int | None
    desired: int | None
    listed: int = 0  # tasks that ECS lists as RUNNING; it may count others
    is_daemon: bool = False  # as many are wanted as there are instances


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    causes: tuple[Cause, ...]  # what is wrong now, the worst first
    unknown: tuple[Unknown, ...]  # why nobody can say that it is well
    notes: tuple[ConditionNote, ...]
    serving: Serving
    rollout: LastRollout | None
    rollout_causes: tuple[Cause, ...] = ()  # why the last rollout failed

    @property
    def is_healthy(self) -> bool:
        return not self.causes and not self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """A look, and what follows from it for every check."""

    look: Look
    rollout: LastRollout | None
    serving: Serving
    ended: tuple[StoppedTask, ...] = field(default=())  # of what should run, by themselves

    @property
    def service(self) -> ServiceState:
        return self.look.service

    @property
    def is_short(self) -> bool:
        running, desired = self.serving.running, self.serving.desired
        return running is not None and desired is not None and running < desired

    @property
    def wants_none(self) -> bool:
        return self.serving.desired == 0

    @property
    def is_rolling(self) -> bool:
        """A rollout is on its way, and not for so long that it must be stuck."""
        rollout = self.rollout
        return (
            rollout is not None
            and not rollout.state.is_over
            and rollout.began_at is not None
            and self.look.at - rollout.began_at <= ROLLOUT_TIME
        )

    @property
    def where(self) -> str:
        names = [family_revision(arn) for arn in self.serving.revisions]
        return (
            ", ".join(names)
            or family_revision(self.service.task_definition_arn)
            or (self.service.name)
        )

    def stamp(self, at: datetime | None) -> str:
        """With its date where that is another day's."""
        if at is None or at.year <= 1970:
            return ""
        same = at.date() == self.look.at.date()
        return f"{at:%H:%M:%S}" if same else f"{at:%Y-%m-%d %H:%M:%S}"


def judge(look: Look) -> Condition:
    """Never fails: what the look lacks is in `unknown` or in `notes`."""
    rollout = last_rollout(look.service, look.newest)
    view = _View(look=look, rollout=rollout, serving=_serving(look), ended=tuple(_ended_now(look)))
    causes = tuple(_causes(view))
    return Condition(
        causes=causes,
        unknown=tuple(_unknown(view)),
        notes=tuple(_notes(view)),
        serving=view.serving,
        rollout=rollout,
        rollout_causes=_why_it_failed(view) if rollout and rollout.state.has_failed else (),
    )


# --- what users get ------------------------------------------------------------------------------


def _serving(look: Look) -> Serving:
    service = look.service
    running = None if "runningCount" in service.unsaid else service.running
    desired = None if "desiredCount" in service.unsaid else service.desired
    healthy = _healthy(look)
    if healthy is not None:
        # A target group may be shared, and ECS may know better that nothing runs.
        healthy = min(count for count in (healthy, running, desired) if count is not None)
    return Serving(
        revisions=_revisions(look) if running != 0 else (),
        healthy=healthy,
        running=running,
        desired=desired,
        listed=sum(task.last_status == "RUNNING" for task in look.tasks),
        is_daemon=service.scheduling == "DAEMON",
    )


def _healthy(look: Look) -> int | None:
    """Tasks that can be reached by every load balancer; else those whose containers are healthy."""
    if look.groups:
        counts = [group.healthy for group in look.groups]
        return None if None in counts else min(count for count in counts if count is not None)
    tasks = [task for task in look.tasks if task.last_status == "RUNNING"]
    told = [task for task in tasks if task.health in {"HEALTHY", "UNHEALTHY"}]
    if not tasks or len(told) < len(tasks) or len(tasks) != look.service.running:
        return None
    return sum(task.health == "HEALTHY" for task in tasks)


def _revisions(look: Look) -> tuple[str, ...]:
    """Of the tasks that run, by ECS's list of them; else of the deployments that have some."""
    service = look.service
    running = [task.task_definition_arn for task in look.tasks if task.last_status == "RUNNING"]
    healthy = {t.address for group in look.groups for t in group.targets or () if _is_up(t)}
    reached = [
        task.task_definition_arn
        for task in look.tasks
        if task.last_status == "RUNNING" and task.address and task.address in healthy
    ]
    arns = [arn for arn in reached or running if arn]
    if not arns:
        primary = service.primary
        for deployment in service.deployments:
            named = deployment.task_definition_arn
            if not named and deployment is primary:
                named = service.task_definition_arn
            arns += [named] * (deployment.running if named else 0)
    if not arns and len(service.deployments) <= 1 and service.task_definition_arn:
        arns = [service.task_definition_arn]
    return tuple(sorted(dict.fromkeys(arns), key=lambda arn: -arns.count(arn)))


def _is_up(target: TargetHealth) -> bool:
    return target.state == "healthy" and bool(target.address)


# --- what is wrong -------------------------------------------------------------------------------


def _causes(view: _View) -> Iterator[Cause]:
    """The worst first. Each looks at something else; the last one only where no other says why."""
    found: list[Cause] = []
    checks: tuple[Callable[[_View], Iterator[Cause]], ...] = (
        _going_away,
        _broken_groups,
        _ending_tasks,
        _placing,
        _stuck,
        _unhealthy_targets,
        _unhealthy_containers,
        _alarms,
        _stack,
    )
    for check in checks:
        codes = {cause.code for cause in found}
        found += [cause for cause in check(view) if cause.code not in codes]
    if not found:
        found += [*_too_few(view), *_not_healthy_yet(view)]
    yield from found


def _cause(
    row: Failure,
    view: _View,
    *,
    summary: str = "",
    evidence: Sequence[Evidence] = (),
    where: str = "",
) -> Cause:
    return Cause(
        code=row.code,
        summary=summary or row.summary,
        where=where or view.where,
        evidence=tuple(evidence),
        advice=row.advice,
    )


def _going_away(view: _View) -> Iterator[Cause]:
    if view.service.status == "DRAINING":
        yield _cause(SERVICE_DRAINING, view, where=view.service.name)


def _broken_groups(view: _View) -> Iterator[Cause]:
    for group in view.look.groups:
        names = ", ".join(map(group_name, group.missing))
        if group.missing and len(group.missing) == len(group.arns):
            yield _cause(TARGET_GROUP_GONE, view, where=f"target group {names}")
        if group.targets is None or view.wants_none:
            continue
        unused = [t for t in group.targets if t.state == "unused"]
        if unused and not (group.healthy and len(group.arns) > 1):
            yield _unused(view, group, unused)
        if not group.targets and not group.missing and view.serving.running:
            yield _cause(NO_TARGETS, view, where=f"target group {_names(group)}")


def _unused(view: _View, group: GroupLook, unused: Sequence[TargetHealth]) -> Cause:
    count = f"{len(unused)} of {len(group.targets or ())} targets"
    return _cause(
        TARGET_GROUP_UNUSED,
        view,
        summary=f"the load balancer sends nothing to {count} of {_names(group)}",
        where=f"target group {_names(group)}",
        evidence=_target_words(unused),
    )


def _ending_tasks(view: _View) -> Iterator[Cause]:
    """Tasks of what should run that end by themselves, while tasks are short or again and again."""
    ended = view.ended
    if not ended or view.wants_none or not (view.is_short or _is_looping(view)):
        return
    times = [task.stopped_at for task in ended if task.stopped_at]
    for arn in dict.fromkeys(task.task_definition_arn for task in ended):
        causes = find_task_causes(_snapshot(view, ended), arn)
        for number, cause in enumerate(causes):
            summary = cause.summary
            if number == 0 and len(ended) > 1 and times:
                since = view.stamp(min(times))
                summary = (
                    f"tasks keep ending: {len(ended)} since {since}, the last at "
                    f"{view.stamp(max(times))}; {summary}"
                )
            yield replace(cause, summary=summary, evidence=_restamped(view, cause.evidence))


def _restamped(view: _View, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """With the date where it is not today's: stale evidence must look stale."""
    times: dict[str, datetime] = {}
    for task in view.look.stopped:
        if task.stopped_at:
            texts = (task.stopped_reason, *(c.reason for c in task.containers))
            times |= dict.fromkeys(texts, task.stopped_at)
    times |= {event.message: event.at for event in reversed(view.look.service.events)}
    return tuple(replace(one, at=view.stamp(times.get(one.text))) for one in evidence)


def snapshot_of(look: Look) -> Snapshot:
    """What the rules for rollouts read of a look."""
    targets = [t for group in look.groups for t in group.targets or ()]
    return Snapshot(
        service=look.service, deployment=None, stopped=look.stopped, targets=tuple(targets)
    )


def _snapshot(view: _View, stopped: Sequence[StoppedTask]) -> Snapshot:
    return replace(snapshot_of(view.look), stopped=tuple(stopped), events=_fresh_events(view))


def _is_looping(view: _View) -> bool:
    """It restarts again and again, although at this very moment all tasks run.

    What ended before the last rollout did is that one's: a rollback ends tasks of both revisions.
    """
    now, rollout = view.look.at, view.rollout
    ended = rollout.ended_at if rollout else None
    times = sorted(task.stopped_at for task in view.ended if task.stopped_at)
    recent = [at for at in times if now - at <= LOOP and (ended is None or at > ended)]
    return len(recent) > 1 and now - recent[-1] <= JUST


def _ended_now(look: Look) -> Iterator[StoppedTask]:
    """Tasks of the revisions that should run, which did not just make room for others."""
    service = look.service
    deployed: tuple[EcsDeployment | TaskSet, ...] = (*service.deployments, *service.task_sets)
    current = {one.task_definition_arn for one in deployed if one.status != "INACTIVE"}
    current |= {service.task_definition_arn}
    for task in look.stopped:
        is_current = task.task_definition_arn and task.task_definition_arn in current
        if is_current and classify(task) is not None:
            yield task


def _fresh_events(view: _View) -> tuple[Event, ...]:
    """Newest first, from after the last steady state and the beginning of the deployment."""
    fresh: list[Event] = []
    primary = view.service.primary
    begin = primary.created_at if primary else None
    for event in view.service.events:
        if "has reached a steady state" in event.message:
            break
        if begin is not None and event.at < begin:
            break
        fresh.append(event)
    return tuple(fresh)


def _placing(view: _View) -> Iterator[Cause]:
    """What ECS says it cannot do, where something is missing, or a rollout does not get on."""
    primary, rollout = view.service.primary, view.rollout
    is_open = rollout is not None and not rollout.state.is_over
    is_behind = primary is not None and is_open and primary.running < primary.desired
    if not (view.is_short or is_behind):
        return
    for cause in find_event_causes(_fresh_events(view), _current_arn(view)):
        yield replace(cause, where=view.where, evidence=_restamped(view, cause.evidence))


def _stuck(view: _View) -> Iterator[Cause]:
    """The newest deployment failed, and is the newest still: ECS starts no task of it any more."""
    rollout, primary = view.rollout, view.service.primary
    if rollout is None or primary is None or not _current_arn(view):
        return
    is_still_there = _current_arn(view) == rollout.task_definition_arn
    ended_badly = rollout.state in {RolloutStatus.FAILED, RolloutStatus.ROLLBACK_FAILED}
    if ended_badly and is_still_there and not view.wants_none:
        yield from _why_it_failed(view) or (
            _past(view, rollout, ROLLOUT_FAILED, "the newest deployment failed"),
        )


def _current_arn(view: _View) -> str:
    primary = view.service.primary
    return (primary.task_definition_arn if primary else "") or view.service.task_definition_arn


def _unhealthy_targets(view: _View) -> Iterator[Cause]:
    for group in view.look.groups:
        targets = group.targets or ()
        unhealthy = [t for t in targets if t.state.startswith("unhealthy")]
        is_enough = view.serving.healthy and view.serving.healthy >= (view.serving.desired or 0)
        if not unhealthy or view.wants_none or (view.is_rolling and is_enough):
            continue
        yield replace(
            _cause(
                HEALTH_CHECK_FAILED,
                view,
                summary=f"{len(unhealthy)} of {len(targets)} targets of {_names(group)} fail the "
                "load balancer's health check",
                where=f"{view.where} · target group {_names(group)}",
                evidence=_target_words(unhealthy),
            ),
            advice=health_check_advice(unhealthy),
        )
    if view.service.classic_load_balancers and view.is_short:
        yield from _unhealthy_instances(view)


def _unhealthy_instances(view: _View) -> Iterator[Cause]:
    said = [e for e in _fresh_events(view) if "is unhealthy in (elb " in e.message]
    if said:
        evidence = [Evidence(source="ECS", text=e.message, at=view.stamp(e.at)) for e in said[:3]]
        yield _cause(
            HEALTH_CHECK_FAILED,
            view,
            summary="the classic load balancer's health check failed",
            where=f"classic load balancer {', '.join(view.service.classic_load_balancers)}",
            evidence=evidence,
        )


def _unhealthy_containers(view: _View) -> Iterator[Cause]:
    sick = [t for t in view.look.tasks if t.health == "UNHEALTHY" and t.last_status == "RUNNING"]
    if sick and not view.wants_none:
        names = ", ".join(short(task.id) for task in sick[:4])
        yield _cause(
            CONTAINER_UNHEALTHY,
            view,
            summary=f"{CONTAINER_UNHEALTHY.summary} ({len(sick)} of {len(view.look.tasks)} tasks)",
            where=f"{view.where} · {names}",
        )


def _alarms(view: _View) -> Iterator[Cause]:
    if view.look.alarms:
        names = ", ".join(one.source.removeprefix("alarm ") for one in view.look.alarms)
        yield _cause(
            ALARM_TRIGGERED,
            view,
            summary=f"CloudWatch alarm {names} is in ALARM",
            evidence=view.look.alarms,
        )


def _stack(view: _View) -> Iterator[Cause]:
    stack = view.look.stack
    if stack is None:
        if view.look.lacks_stack:
            yield _cause(STACK_GONE, view, where=view.service.name)
    elif stack.is_broken:
        said = (Evidence(source="CloudFormation", text=stack.reason),) if stack.reason else ()
        summary = f"the service's stack is {stack.status}"
        yield _cause(
            STACK_BROKEN, view, summary=summary, where=f"stack {stack.name}", evidence=said
        )


def _too_few(view: _View) -> Iterator[Cause]:
    """Nothing says why. Tasks that are on their way are no fault, as long as some run."""
    running, desired = view.serving.running, view.serving.desired
    if not view.is_short or running is None or desired is None:
        return
    starting = 0 if view.service.pending < 0 else view.service.pending
    if running and (view.is_rolling or running + starting >= desired):
        return
    events = _fresh_events(view)[:3]
    cause = _cause(
        TOO_FEW_TASKS,
        view,
        summary=f"{running} of {desired} tasks run, and FSD found no reason",
        evidence=[Evidence(source="ECS", text=e.message, at=view.stamp(e.at)) for e in events],
    )
    yield replace(cause, advice=_ADVICE.get(view.service.controller, cause.advice))


_ADVICE = {
    "CODE_DEPLOY": "ask CodeDeploy for its deployments: aws deploy list-deployments",
    "EXTERNAL": "ask the controller that makes its task sets",
}


def _not_healthy_yet(view: _View) -> Iterator[Cause]:
    serving = view.serving
    if serving.healthy == 0 and serving.desired and serving.running:
        targets = [t for group in view.look.groups for t in group.targets or ()]
        yield _cause(NO_HEALTHY_TARGET, view, evidence=_target_words(targets))


def _target_words(targets: Sequence[TargetHealth]) -> tuple[Evidence, ...]:
    """Each of the load balancer's sentences once."""
    said = dict.fromkeys(target.description or target.reason for target in targets)
    return tuple(Evidence(source="target group", text=text) for text in said if text)


def _names(group: GroupLook) -> str:
    return " and ".join(map(group_name, group.arns))


# --- what nobody can say, and what one should know -----------------------------------------------

_KEYS = ("status", "desiredCount", "runningCount", "loadBalancers", "deployments", "alarmNames")


def _unknown(view: _View) -> Iterator[Unknown]:
    service = view.service
    yield from (KeyUnsaid(key=key) for key in _KEYS if key in service.unsaid)
    if service.status not in {"", "ACTIVE", "DRAINING"}:
        yield StatusUnknown(status=service.status)
    yield from _unsaid_rollout(view)
    for group in view.look.groups:
        nameless = sum(target.state == "" for target in group.targets or ())
        if nameless:
            yield TargetsUnsaid(count=nameless)
    if view.look.stack is not None and not view.look.stack.status:
        yield StackUnsaid(name=view.look.stack.name)
    yield from view.look.unread


def _unsaid_rollout(view: _View) -> Iterator[RolloutUnsaid]:
    """Old deployments have no state; whether all of their tasks run is seen all the same."""
    primary, rollout = view.service.primary, view.rollout
    if primary is None or rollout is None or rollout.state is not RolloutStatus.UNSAID:
        return
    if primary.running < primary.desired and not (view.is_short or view.wants_none):
        yield RolloutUnsaid(running=primary.running, desired=primary.desired)


def _notes(view: _View) -> Iterator[ConditionNote]:
    service = view.service
    yield from _controller_notes(service)
    if service.classic_load_balancers:
        yield BehindClassic(load_balancers=service.classic_load_balancers)
    if view.ended and not view.wants_none and _is_complete(view) and not _is_looping(view):
        yield from _recovered(view)
    if view.is_rolling:
        yield BareNote.ROLLOUT_IN_PROGRESS
    elif view.is_short and view.serving.running and service.pending:
        yield TasksStarting(count=service.pending)
    yield from view.look.remarks
    stack = view.look.stack
    if stack is not None and stack.drift == "DRIFTED":
        yield StackDrifted(name=stack.name, checked_at=stack.drift_checked_at, seen_at=view.look.at)


def _controller_notes(service: ServiceState) -> Iterator[ConditionNote]:
    if service.controller in {"", "ECS"} and not service.task_sets:
        return
    yield DeployedByOther(controller=service.controller)
    for one in service.task_sets:
        yield TaskSetSeen(
            revision=family_revision(one.task_definition_arn),
            status=one.status,
            stability=one.stability,
            running=one.running,
        )
    if not service.task_sets:
        yield BareNote.NO_TASK_SET


def _is_complete(view: _View) -> bool:
    running, desired = view.serving.running, view.serving.desired
    is_over = view.rollout is None or view.rollout.state.is_over
    return is_over and running is not None and desired is not None and running >= desired


def _recovered(view: _View) -> Iterator[EndedAndReplaced]:
    """What ended lately and was replaced. ECS forgets it within the hour, and so does FSD."""
    lately = [
        task
        for task in view.ended
        if task.stopped_at and view.look.at - task.stopped_at <= timedelta(hours=1)
    ]
    if not lately:
        return
    last = max(lately, key=lambda task: task.stopped_at or view.look.at)
    row = classify(last)
    yield EndedAndReplaced(
        count=len(lately),
        last_at=last.stopped_at,
        seen_at=view.look.at,
        code=row.code if row else "",
        summary=row.summary if row else "",
    )


# --- the last rollout ----------------------------------------------------------------------------


def _why_it_failed(view: _View) -> tuple[Cause, ...]:
    """What its own tasks tell, from its own time; () where nobody says why."""
    rollout = view.rollout
    if rollout is None:
        return ()
    arn = rollout.task_definition_arn
    mine = [task for task in view.look.stopped if _is_of(task, rollout)] if arn else []
    found = find_task_causes(_snapshot(view, mine), arn)
    if found:
        return tuple(replace(c, evidence=_restamped(view, c.evidence)) for c in found)
    if view.look.noted:
        code, _, summary = view.look.noted.partition(": ")
        return (_past(view, rollout, replace(ROLLOUT_FAILED, code=code), summary),)
    deployment = rollout.deployment
    if deployment is not None and deployment.triggered_alarms:
        names = ", ".join(deployment.triggered_alarms)
        return (_past(view, rollout, ALARM_TRIGGERED, f"CloudWatch alarm {names} went off"),)
    if rollout.is_asked_for:
        return (_past(view, rollout, ROLLBACK_REQUESTED, "somebody asked ECS to roll it back"),)
    if rollout.state is RolloutStatus.FAILED or (deployment and has_tripped(deployment)):
        return (_past(view, rollout, ROLLOUT_FAILED, ROLLOUT_FAILED.summary),)
    return ()


def _past(view: _View, rollout: LastRollout, row: Failure, summary: str) -> Cause:
    reason = rollout.reason
    return _cause(
        row,
        view,
        summary=summary,
        where=family_revision(rollout.task_definition_arn) or view.service.name,
        evidence=(Evidence(source="ECS", text=reason),) if reason else (),
    )


def _is_of(task: StoppedTask, rollout: LastRollout) -> bool:
    """By revision, and by time where both have one."""
    if task.task_definition_arn != rollout.task_definition_arn:
        return False
    if task.stopped_at is None:
        return True
    if rollout.began_at is not None and task.stopped_at < rollout.began_at:
        return False
    return rollout.ended_at is None or task.stopped_at <= rollout.ended_at + timedelta(minutes=5)
