"""Judge a service as it is now, whoever deployed it and with whatever; then its last rollout.

The present comes first: counts, tasks that keep ending, targets, alarms, the stack. What is over is
no evidence of what is: a stopped task of a revision that does not run, or an event from before the
last steady state, belongs to the past. And what ECS does not say is not judged: it is said to be
missing, and nothing is called well that nobody can see.

Pure; the time of the look is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from fsd.rollout.advice import Advice, BareAdvice
from fsd.rollout.cause import Cause, Evidence
from fsd.rollout.condition_facts import (
    BareNote,
    BehindClassic,
    ConditionNote,
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
    SERVICE_DRAINING,
    STACK_BROKEN,
    STACK_GONE,
    TOO_FEW_TASKS,
)
from fsd.rollout.diagnose import family_revision, find_event_causes, find_task_causes
from fsd.rollout.failures import ALARM_TRIGGERED, ROLLOUT_FAILED, classify
from fsd.rollout.last_failure import past_cause, why_it_failed
from fsd.rollout.last_rollout import RolloutStatus, last_rollout
from fsd.rollout.service_facts import (
    Condition,
    Look,
    ServiceFacts,
    Serving,
    cause_now,
    fresh_events,
    restamped,
    snapshot_with,
)
from fsd.rollout.summaries import (
    AlarmsInAlarm,
    BareSummary,
    StackInStatus,
    Summary,
    TasksKeepEnding,
    TooFewRunning,
)
from fsd.rollout.unhealthy_service import (
    broken_groups,
    is_up,
    target_words,
    unhealthy_containers,
    unhealthy_targets,
)
from fsd.snapshot import EcsDeployment, ServiceState, StoppedTask, TaskSet

# Two tasks that ended by themselves within LOOP, the last within JUST: it goes on.
LOOP = timedelta(minutes=15)
JUST = timedelta(minutes=5)


def judge(look: Look) -> Condition:
    """Never fails: what the look lacks is in `unknown` or in `notes`."""
    rollout = last_rollout(look.service, look.newest)
    view = ServiceFacts(
        look=look, rollout=rollout, serving=_serving(look), ended=tuple(_ended_now(look))
    )
    causes = tuple(_causes(view))
    return Condition(
        causes=causes,
        unknown=tuple(_unknown(view)),
        notes=tuple(_notes(view)),
        serving=view.serving,
        rollout=rollout,
        rollout_causes=why_it_failed(view) if rollout and rollout.state.has_failed else (),
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
    judged = [task for task in tasks if task.health in {"HEALTHY", "UNHEALTHY"}]
    if not tasks or len(judged) < len(tasks) or len(tasks) != look.service.running:
        return None
    return sum(task.health == "HEALTHY" for task in tasks)


def _revisions(look: Look) -> tuple[str, ...]:
    """Of the tasks that run, by ECS's list of them; else of the deployments that have some."""
    service = look.service
    running = [task.task_definition_arn for task in look.tasks if task.last_status == "RUNNING"]
    healthy = {t.address for group in look.groups for t in group.targets or () if is_up(t)}
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


# --- what is wrong -------------------------------------------------------------------------------


def _causes(view: ServiceFacts) -> Iterator[Cause]:
    """The worst first. Each looks at something else; the last one only where no other says why."""
    found: list[Cause] = []
    checks: tuple[Callable[[ServiceFacts], Iterator[Cause]], ...] = (
        _going_away,
        broken_groups,
        _ending_tasks,
        _placing,
        _stuck,
        unhealthy_targets,
        unhealthy_containers,
        _alarms,
        _stack,
    )
    for check in checks:
        codes = {cause.code for cause in found}
        found += [cause for cause in check(view) if cause.code not in codes]
    if not found:
        found += [*_too_few(view), *_not_healthy_yet(view)]
    yield from found


def _going_away(view: ServiceFacts) -> Iterator[Cause]:
    if view.service.status == "DRAINING":
        yield cause_now(SERVICE_DRAINING, view, where=view.service.name)


def _ending_tasks(view: ServiceFacts) -> Iterator[Cause]:
    """Tasks of what should run that end by themselves, while tasks are short or again and again."""
    ended = view.ended
    if not ended or view.wants_none or not (view.is_short or _is_looping(view)):
        return
    for arn in dict.fromkeys(task.task_definition_arn for task in ended):
        own = [task for task in ended if task.task_definition_arn == arn]
        times = [task.stopped_at for task in own if task.stopped_at]
        causes = find_task_causes(snapshot_with(view, ended), arn)
        for number, cause in enumerate(causes):
            summary: Summary = cause.summary
            if number == 0 and len(own) > 1 and times:
                since, last = view.stamp(min(times)), view.stamp(max(times))
                summary = TasksKeepEnding(summary=summary, count=len(own), since=since, last=last)
            yield replace(cause, summary=summary, evidence=restamped(view, cause.evidence))


def _is_looping(view: ServiceFacts) -> bool:
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
    # A failed release that a newer one has replaced may still be listed; none of its tasks is due.
    wanted = [d for d in service.deployments if d.status == "PRIMARY" or d.desired or d.running]
    deployed: tuple[EcsDeployment | TaskSet, ...] = (*wanted, *service.task_sets)
    current = {one.task_definition_arn for one in deployed if one.status != "INACTIVE"}
    current |= {service.task_definition_arn}
    for task in look.stopped:
        is_current = task.task_definition_arn and task.task_definition_arn in current
        if is_current and classify(task) is not None:
            yield task


def _placing(view: ServiceFacts) -> Iterator[Cause]:
    """What ECS says it cannot do, where something is missing, or a rollout does not get on."""
    primary, rollout = view.service.primary, view.rollout
    is_open = rollout is not None and not rollout.state.is_over
    is_behind = primary is not None and is_open and primary.running < primary.desired
    if not (view.is_short or is_behind):
        return
    for cause in find_event_causes(fresh_events(view), _current_arn(view)):
        yield replace(cause, where=view.where, evidence=restamped(view, cause.evidence))


def _stuck(view: ServiceFacts) -> Iterator[Cause]:
    """The newest deployment failed, and is the newest still: ECS starts no task of it any more."""
    rollout, primary = view.rollout, view.service.primary
    if rollout is None or primary is None or not _current_arn(view):
        return
    is_still_there = _current_arn(view) == rollout.task_definition_arn
    ended_badly = rollout.state in {RolloutStatus.FAILED, RolloutStatus.ROLLBACK_FAILED}
    if ended_badly and is_still_there and not view.wants_none:
        yield from why_it_failed(view) or (
            past_cause(view, rollout, ROLLOUT_FAILED, BareSummary.NEWEST_FAILED),
        )


def _current_arn(view: ServiceFacts) -> str:
    primary = view.service.primary
    return (primary.task_definition_arn if primary else "") or view.service.task_definition_arn


def _alarms(view: ServiceFacts) -> Iterator[Cause]:
    if view.look.alarms:
        names = tuple(one.source.removeprefix("alarm ") for one in view.look.alarms)
        yield cause_now(
            ALARM_TRIGGERED,
            view,
            summary=AlarmsInAlarm(names=names),
            evidence=view.look.alarms,
        )


def _stack(view: ServiceFacts) -> Iterator[Cause]:
    stack = view.look.stack
    if stack is None:
        if view.look.lacks_stack:
            yield cause_now(STACK_GONE, view, where=view.service.name)
    elif stack.is_broken:
        said = (Evidence(source="CloudFormation", text=stack.reason),) if stack.reason else ()
        summary = StackInStatus(status=stack.status)
        yield cause_now(
            STACK_BROKEN, view, summary=summary, where=f"stack {stack.name}", evidence=said
        )


def _too_few(view: ServiceFacts) -> Iterator[Cause]:
    """Nothing says why. Tasks that are on their way are no fault, as long as some run."""
    running, desired = view.serving.running, view.serving.desired
    if not view.is_short or running is None or desired is None:
        return
    starting = 0 if view.service.pending < 0 else view.service.pending
    if running and (view.is_rolling or running + starting >= desired):
        return
    events = fresh_events(view)[:3]
    cause = cause_now(
        TOO_FEW_TASKS,
        view,
        summary=TooFewRunning(running=running, desired=desired),
        evidence=[Evidence(source="ECS", text=e.message, at=view.stamp(e.at)) for e in events],
    )
    yield replace(cause, advice=_ADVICE.get(view.service.controller, cause.advice))


_ADVICE: dict[str, Advice] = {
    "CODE_DEPLOY": BareAdvice.ASK_CODE_DEPLOY,
    "EXTERNAL": BareAdvice.ASK_CONTROLLER,
}


def _not_healthy_yet(view: ServiceFacts) -> Iterator[Cause]:
    serving = view.serving
    if serving.healthy == 0 and serving.desired and serving.running:
        targets = [t for group in view.look.groups for t in group.targets or ()]
        yield cause_now(NO_HEALTHY_TARGET, view, evidence=target_words(targets))


# --- what nobody can say, and what one should know -----------------------------------------------

_KEYS = ("status", "desiredCount", "runningCount", "loadBalancers", "deployments", "alarmNames")


def _unknown(view: ServiceFacts) -> Iterator[Unknown]:
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


def _unsaid_rollout(view: ServiceFacts) -> Iterator[RolloutUnsaid]:
    """Old deployments have no state; whether all of their tasks run is seen all the same."""
    primary, rollout = view.service.primary, view.rollout
    if primary is None or rollout is None or rollout.state is not RolloutStatus.UNSAID:
        return
    if primary.running < primary.desired and not (view.is_short or view.wants_none):
        yield RolloutUnsaid(running=primary.running, desired=primary.desired)


def _notes(view: ServiceFacts) -> Iterator[ConditionNote]:
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


def _is_complete(view: ServiceFacts) -> bool:
    running, desired = view.serving.running, view.serving.desired
    is_over = view.rollout is None or view.rollout.state.is_over
    return is_over and running is not None and desired is not None and running >= desired


def _recovered(view: ServiceFacts) -> Iterator[EndedAndReplaced]:
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
        failure=row,
    )
