"""From a snapshot's evidence to causes: stopped tasks grouped, targets and events beside them.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fsd.rollout.cause import Cause, Evidence
from fsd.rollout.explain import REFUSED, port_text, target_advice
from fsd.rollout.failures import (
    ALARM_TRIGGERED,
    FAILURES,
    ROLLBACK_REQUESTED,
    ROLLOUT_FAILED,
    Failure,
    classify,
    classify_event,
)
from fsd.snapshot import DeploymentStatus, Event, Snapshot, StoppedTask, TargetHealth

HEALTH_CHECK_FAILED = next(row for row in FAILURES if row.code == "health-check-failed")
CONTAINER_UNHEALTHY = next(row for row in FAILURES if row.code == "container-health-check-failed")
HEALTH_CHECKS = frozenset({HEALTH_CHECK_FAILED.code, CONTAINER_UNHEALTHY.code})
_TELLING_EVENT = re.compile(
    r"was unable to|unable to assume the role|misconfigured|could not launch", re.IGNORECASE
)
_ALARM_DETECTED = re.compile(r"alarm detected", re.IGNORECASE)


def doomed_causes(snapshot: Snapshot, task_definition_arn: str) -> tuple[Cause, ...]:
    """Causes that were seen often enough to be sure that ECS's next try fails too; () if none."""
    groups = _group(snapshot.stopped, task_definition_arn)
    sure = {
        row: tasks
        for row, tasks in groups.items()
        if row.after is not None and len(tasks) >= row.after
    }
    return _causes(sure, snapshot, task_definition_arn) or tuple(
        _event_cause(row, events, task_definition_arn)
        for row, events in _group_events(snapshot.events).items()
        if row.after is not None and len(events) >= row.after
    )


def find_causes(
    snapshot: Snapshot,
    task_definition_arn: str,
    *,
    reason: str,
    alarms: tuple[Evidence, ...] = (),
) -> tuple[Cause, ...]:
    """All causes of a failed rollout; never empty.

    An alarm that ended the deployment comes first, then tasks by how many ended so. `reason` is
    ECS's own word on the deployment, used where no task says more; `alarms` what CloudWatch says
    of those that went off.
    """
    causes = find_task_causes(snapshot, task_definition_arn)
    events = _group_events(snapshot.events)
    said = tuple(_event_cause(row, found, task_definition_arn) for row, found in events.items())
    alarm = _cause_of_alarms(snapshot, task_definition_arn, reason, alarms)
    if alarm is not None:
        return (alarm, *causes, *said)
    return (*causes, *said) or (_cause_without_tasks(snapshot, task_definition_arn, reason),)


def find_task_causes(snapshot: Snapshot, task_definition_arn: str) -> tuple[Cause, ...]:
    """What its stopped tasks tell, the most frequent first; () where none does."""
    return _causes(_group(snapshot.stopped, task_definition_arn), snapshot, task_definition_arn)


def find_event_causes(events: Iterable[Event], task_definition_arn: str) -> tuple[Cause, ...]:
    """What these events tell, one cause a row; () where they tell of no failure."""
    found = _group_events(events)
    return tuple(_event_cause(row, said, task_definition_arn) for row, said in found.items())


def health_check_advice(targets: Sequence[TargetHealth]) -> str:
    """What to do about targets that the load balancer calls unhealthy."""
    return _advice(HEALTH_CHECK_FAILED, _target_evidence(targets, ()))


def find_task_to_read(snapshot: Snapshot, task_definition_arn: str) -> StoppedTask | None:
    """The task whose log lines are worth reading: the latest of the most frequent cause."""
    groups = _group(snapshot.stopped, task_definition_arn)
    if not groups:
        return None
    tasks = max(groups.values(), key=len)
    return max(tasks, key=lambda task: (task.stopped_at is not None, str(task.stopped_at)))


def short(identifier: str) -> str:
    """The first characters of a task id, as the console shows them."""
    return f"{identifier[:4]}…"


def group_name(arn: str) -> str:
    """`arn:…:targetgroup/NAME/ID` → NAME."""
    parts = arn.split("/")
    return parts[-2] if len(parts) > 2 else arn


def family_revision(task_definition_arn: str) -> str:
    return task_definition_arn.rpartition("/")[2]


def _group(
    stopped: Iterable[StoppedTask], task_definition_arn: str
) -> dict[Failure, list[StoppedTask]]:
    groups: dict[Failure, list[StoppedTask]] = {}
    for task in stopped:
        if task.task_definition_arn != task_definition_arn:
            continue
        row = classify(task)
        if row is not None:
            groups.setdefault(row, []).append(task)
    return groups


def _group_events(events: Iterable[Event]) -> dict[Failure, list[Event]]:
    groups: dict[Failure, list[Event]] = {}
    for event in events:
        row = classify_event(event.message)
        if row is not None:
            groups.setdefault(row, []).append(event)
    return groups


def _event_cause(row: Failure, events: Sequence[Event], task_definition_arn: str) -> Cause:
    newest = {event.message: event for event in reversed(events)}
    return Cause(
        code=row.code,
        summary=row.summary,
        where=family_revision(task_definition_arn),
        evidence=tuple(
            Evidence(source="ECS", text=event.message, at=f"{event.at:%H:%M:%S}")
            for event in newest.values()
        ),
        advice=row.advice,
        deterministic=row.after == 1,
    )


def _causes(
    groups: dict[Failure, list[StoppedTask]], snapshot: Snapshot, task_definition_arn: str
) -> tuple[Cause, ...]:
    ranked = sorted(groups.items(), key=lambda item: -len(item[1]))
    return tuple(_cause(row, tasks, snapshot, task_definition_arn) for row, tasks in ranked)


def _cause(
    row: Failure, tasks: Sequence[StoppedTask], snapshot: Snapshot, task_definition_arn: str
) -> Cause:
    names = ", ".join(short(task.id) for task in tasks[:4])
    noun = "tasks" if len(tasks) > 1 else "task"
    targets = _target_evidence(snapshot.targets, snapshot.events)
    evidence = (*(_task_evidence(tasks)), *targets)
    return Cause(
        code=row.code,
        summary=_summary(row, tasks, targets, port=_port(snapshot)),
        where=f"{family_revision(task_definition_arn)} · {noun} {names}",
        evidence=evidence,
        advice=_advice(row, targets),
        deterministic=row.after == 1,
        tasks=tuple(task.id for task in tasks),
    )


_NAMES_EXIT_CODES = {"crashed", "out-of-memory", "command-not-found"}


def _port(snapshot: Snapshot) -> int | None:
    """On which the tasks are checked."""
    checked = next((target.asked_port for target in snapshot.targets), None)
    return checked or (snapshot.service.container_port if snapshot.service else None)


def _summary(
    row: Failure, tasks: Sequence[StoppedTask], targets: Sequence[Evidence], *, port: int | None
) -> str:
    count = "one task" if len(tasks) == 1 else f"{len(tasks)} tasks"
    codes = sorted({c.exit_code for t in tasks for c in t.containers if c.exit_code is not None})
    if row.code in _NAMES_EXIT_CODES and codes:
        return f"{row.summary} ({count}, exit code {', '.join(map(str, codes))})"
    if row.code == "health-check-failed" and targets:
        said = targets[0].text
        no_answer = f"no HTTP answer from {port_text(port)}"
        return (
            f"{row.summary} ({count}): {no_answer if REFUSED.search(said) else answer_text(said)}"
        )
    return f"{row.summary} ({count})"


_STATUSES = re.compile(r"Health checks failed with these codes: \[(?P<codes>[0-9, ]+)\]\.?")


def answer_text(said: str) -> str:
    """What the load balancer says of a target: `status 500`, or its own words."""
    match = _STATUSES.fullmatch(said)
    return f"status {match['codes']}" if match else said


def _task_evidence(tasks: Sequence[StoppedTask]) -> tuple[Evidence, ...]:
    seen: dict[str, Evidence] = {}
    for task in tasks:
        texts = [task.stopped_reason, *(c.reason for c in task.containers if c.reason)]
        for text in texts:
            at = f"{task.stopped_at:%H:%M:%S}" if task.stopped_at else ""
            seen.setdefault(text, Evidence(source="ECS", text=text, at=at))
    return tuple(seen.values())


_UNHEALTHY_EVENT = re.compile(r"is unhealthy in \(target-group [^)]*\) due to \(reason (.+?)\)\.?$")


def _target_evidence(
    targets: Sequence[TargetHealth], events: Sequence[Event]
) -> tuple[Evidence, ...]:
    """What the load balancer saw: from the targets, else from the service's events."""
    said = dict.fromkeys(
        target.description or target.reason for target in targets if target.state == "unhealthy"
    )
    if not any(said):
        matches = (_UNHEALTHY_EVENT.search(event.message) for event in events)
        said = dict.fromkeys(match.group(1) for match in matches if match)
    return tuple(Evidence(source="target group", text=text) for text in said if text)


def _advice(row: Failure, targets: Sequence[Evidence]) -> str:
    if row.code == "health-check-failed":
        return target_advice([target.text for target in targets]) or row.advice
    return row.advice


def _cause_of_alarms(
    snapshot: Snapshot, task_definition_arn: str, reason: str, alarms: tuple[Evidence, ...]
) -> Cause | None:
    """Without the service-deployment API ECS's reason is all there is: it names no alarm."""
    names = snapshot.deployment.triggered_alarms if snapshot.deployment else ()
    if not names and not _ALARM_DETECTED.search(reason):
        return None
    said = (Evidence(source="ECS", text=reason),) if reason else ()
    return Cause(
        code=ALARM_TRIGGERED.code,
        summary=f"CloudWatch alarm {', '.join(names)} went off"
        if names
        else ALARM_TRIGGERED.summary,
        where=family_revision(task_definition_arn),
        evidence=(*said, *alarms),
        advice=ALARM_TRIGGERED.advice,
    )


def _is_asked_for(snapshot: Snapshot) -> bool:
    """Whether a person stopped it: ECS itself goes straight to ROLLBACK_IN_PROGRESS."""
    deployment = snapshot.deployment
    return deployment is not None and deployment.status is DeploymentStatus.ROLLBACK_REQUESTED


def _cause_without_tasks(snapshot: Snapshot, task_definition_arn: str, reason: str) -> Cause:
    telling = [
        Evidence(source="ECS", text=event.message, at=f"{event.at:%H:%M:%S}")
        for event in snapshot.events[:10]
        if _TELLING_EVENT.search(event.message)
    ]
    said = (Evidence(source="ECS", text=reason),) if reason else ()
    if re.search(r"rollback was requested", reason) or _is_asked_for(snapshot):
        return Cause(
            code=ROLLBACK_REQUESTED.code,
            summary=ROLLBACK_REQUESTED.summary,
            where=family_revision(task_definition_arn),
            evidence=said,
            advice=ROLLBACK_REQUESTED.advice,
        )
    return Cause(
        code=ROLLOUT_FAILED.code,
        summary=ROLLOUT_FAILED.summary + (f": {reason}" if reason else ""),
        where=family_revision(task_definition_arn),
        evidence=(*said, *telling),
        advice=ROLLOUT_FAILED.advice,
    )
