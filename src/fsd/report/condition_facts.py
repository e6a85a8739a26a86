"""What `fsd status` and `fsd diagnose` say besides faults: what is not known, and notes. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from fsd.rollout.condition_facts import (
    AlarmsUnsaid,
    BareNote,
    BehindClassic,
    ConditionNote,
    CouldNotRead,
    DeployedByOther,
    EndedAndReplaced,
    KeyUnsaid,
    ReadPart,
    RolloutUnsaid,
    StackDrifted,
    StackUnsaid,
    StatusUnknown,
    TargetsUnsaid,
    TaskSetSeen,
    TasksStarting,
    Unknown,
)

_KEYS = {
    "status": "whether the service is active",
    "desiredCount": "how many tasks are wanted",
    "runningCount": "how many tasks are running",
    "loadBalancers": "which load balancers the service has",
    "deployments": "which deployment is the newest",
    "alarmNames": "which alarms watch its deployments",
}
_PARTS = {
    ReadPart.DEPLOYMENTS: "the service's deployments",
    ReadPart.STACK: "the service's stack",
    ReadPart.TASKS: "the service's tasks",
    ReadPart.STOPPED_TASKS: "the service's stopped tasks",
    ReadPart.TAGS: "the service's tags",
    ReadPart.ALARMS: "CloudWatch alarm",
    ReadPart.RULE: "where the listener rule sends requests",
    ReadPart.TARGETS: "the health of target group",
}
_BARE = {
    BareNote.NO_TASK_SET: "the service has no task set",
    BareNote.ROLLOUT_IN_PROGRESS: "a rollout is in progress",
}
_CONTROLLERS = {"CODE_DEPLOY": "CodeDeploy", "EXTERNAL": "an external controller"}


def unknown_text(unknown: Unknown) -> str:
    match unknown:
        case CouldNotRead():
            return _unread(unknown)
        case KeyUnsaid(key=key):
            return f"ECS's answer does not say {_KEYS[key]} (`{key}`)"
        case StatusUnknown(status=status):
            return f"FSD does not know the status {status} that ECS reports for the service"
        case RolloutUnsaid(running=running, desired=desired):
            return (
                f"ECS does not say how the newest deployment is going, and {running} of its "
                f"{desired} tasks are running"
            )
        case TargetsUnsaid(count=count):
            return f"the load balancer does not say whether {count} of its targets are healthy"
        case StackUnsaid(name=name):
            return f"CloudFormation does not say what state stack {name} is in"
        case AlarmsUnsaid(names=names):
            return f"CloudWatch does not say what state {', '.join(names)} is in"
        case _:
            assert_never(unknown)


def condition_note_text(note: ConditionNote) -> str:
    match note:
        case BareNote():
            return _BARE[note]
        case CouldNotRead():
            return _unread(note)
        case DeployedByOther(controller=controller):
            who = _CONTROLLERS.get(controller, "a controller other than ECS")
            return (
                f"{who} deploys this service with task sets: FSD shows what is running, and does "
                "not judge the deployments"
            )
        case TaskSetSeen():
            return _task_set(note)
        case BehindClassic(load_balancers=names):
            listed = ", ".join(names)
            return f"FSD does not read target health from the classic load balancer {listed}"
        case EndedAndReplaced():
            return _replaced(note)
        case TasksStarting(count=count):
            return "1 task is starting" if count == 1 else f"{count} tasks are starting"
        case StackDrifted(name=name, checked_at=at, seen_at=now):
            when = f" at {clock_text(at, now)}" if at else ""
            return f"CloudFormation found{when} that stack {name} has drifted from its template"
        case _:
            assert_never(note)


def _unread(unread: CouldNotRead) -> str:
    between = " and " if unread.part is ReadPart.TARGETS else ", "
    what = f"{_PARTS[unread.part]} {between.join(unread.names)}".rstrip()
    return f"FSD could not read {what}: {unread.error.text}"


def _task_set(one: TaskSetSeen) -> str:
    count = "" if one.running is None else f", {one.running} running"
    stability = f", {one.stability}" if one.stability else ""
    of = f" of {one.revision}" if one.revision else ""
    return f"task set{of}: {one.status or 'status not said'}{stability}{count}"


def _replaced(ended: EndedAndReplaced) -> str:
    why = f" ({ended.failure.code}: {ended.failure.summary})" if ended.failure else ""
    at = f"{clock_text(ended.last_at, ended.seen_at)}{why}"
    if ended.count == 1:
        return f"a task ended at {at} and was replaced"
    return f"{ended.count} tasks ended in the last hour, the last at {at}, and were replaced"


def clock_text(at: datetime | None, now: datetime) -> str:
    """With its date where that is another day's."""
    if at is None or at.year <= 1970:
        return ""
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S}"
