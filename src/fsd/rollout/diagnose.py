"""From a snapshot's evidence to causes: stopped tasks grouped, targets and events beside them.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fsd.quoted import Quoted
from fsd.rollout.advice import Advice
from fsd.rollout.cause import Cause, Evidence
from fsd.rollout.explain import REFUSED, target_advice
from fsd.rollout.failures import (
    ALARM_TRIGGERED,
    FAILURES,
    ROLLBACK_REQUESTED,
    ROLLOUT_FAILED,
    Failure,
    KnownFailure,
    recognize,
    recognize_event,
)
from fsd.rollout.summaries import (
    AlarmsWentOff,
    HttpStatuses,
    NoHttpAnswer,
    NoTargetHealthy,
    RolloutEnded,
    TargetAnswer,
    TasksEnded,
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
    sure = {found: tasks for found, tasks in groups.items() if _is_sure(found.failure, len(tasks))}
    return _causes(sure, snapshot, task_definition_arn) or tuple(
        _event_cause(found, events, task_definition_arn)
        for found, events in _group_events(snapshot.events).items()
        if _is_sure(found.failure, len(events))
    )


def _is_sure(row: Failure, sightings: int) -> bool:
    return row.after is not None and sightings >= row.after


def find_causes(
    snapshot: Snapshot,
    task_definition_arn: str,
    *,
    reason: str | NoTargetHealthy,
    alarms: tuple[Evidence, ...] = (),
) -> tuple[Cause, ...]:
    """All causes of a failed rollout; never empty.

    An alarm that ended the deployment comes first, then tasks by how many ended so. `reason` is
    ECS's own word on the deployment, or what FSD saw after it; it is used where no task says more.
    `alarms` is what CloudWatch says of those that went off.
    """
    causes = find_task_causes(snapshot, task_definition_arn)
    said = find_event_causes(snapshot.events, task_definition_arn)
    if isinstance(reason, NoTargetHealthy):
        return (*causes, *said) or (_cause_of_no_target(reason, task_definition_arn),)
    alarm = _cause_of_alarms(snapshot, task_definition_arn, reason, alarms)
    if alarm is not None:
        return (alarm, *causes, *said)
    return (*causes, *said) or (_cause_without_tasks(snapshot, task_definition_arn, reason),)


def find_task_causes(snapshot: Snapshot, task_definition_arn: str) -> tuple[Cause, ...]:
    """What its stopped tasks tell, the most frequent first; () where none does."""
    return _causes(_group(snapshot.stopped, task_definition_arn), snapshot, task_definition_arn)


def find_event_causes(events: Iterable[Event], task_definition_arn: str) -> tuple[Cause, ...]:
    """What these events tell, one cause a row; () where they tell of no failure."""
    groups = _group_events(events)
    return tuple(_event_cause(found, said, task_definition_arn) for found, said in groups.items())


def health_check_advice(targets: Sequence[TargetHealth]) -> Advice:
    """What to do about targets that the load balancer calls unhealthy."""
    said = [evidence.text for evidence in _target_evidence(targets, ())]
    return target_advice(said) or HEALTH_CHECK_FAILED


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
) -> dict[KnownFailure, list[StoppedTask]]:
    groups: dict[KnownFailure, list[StoppedTask]] = {}
    for task in stopped:
        if task.task_definition_arn != task_definition_arn:
            continue
        found = recognize(task)
        if found is not None:
            groups.setdefault(found, []).append(task)
    return groups


def _group_events(events: Iterable[Event]) -> dict[KnownFailure, list[Event]]:
    groups: dict[KnownFailure, list[Event]] = {}
    for event in events:
        found = recognize_event(event.message)
        if found is not None:
            groups.setdefault(found, []).append(event)
    return groups


def _event_cause(found: KnownFailure, events: Sequence[Event], task_definition_arn: str) -> Cause:
    row = found.failure
    newest = {event.message: event for event in reversed(events)}
    return Cause(
        code=row.code,
        summary=row,
        where=family_revision(task_definition_arn),
        evidence=tuple(
            Evidence(source="ECS", text=event.message, at=f"{event.at:%H:%M:%S}")
            for event in newest.values()
        ),
        advice=found.advice,
        deterministic=row.after == 1,
    )


def _causes(
    groups: dict[KnownFailure, list[StoppedTask]], snapshot: Snapshot, task_definition_arn: str
) -> tuple[Cause, ...]:
    ranked = sorted(groups.items(), key=lambda item: -len(item[1]))
    return tuple(_cause(found, tasks, snapshot, task_definition_arn) for found, tasks in ranked)


def _cause(
    found: KnownFailure, tasks: Sequence[StoppedTask], snapshot: Snapshot, task_definition_arn: str
) -> Cause:
    row = found.failure
    names = ", ".join(short(task.id) for task in tasks[:4])
    noun = "tasks" if len(tasks) > 1 else "task"
    targets = _target_evidence(snapshot.targets, snapshot.events)
    evidence = (*(_task_evidence(tasks)), *targets)
    return Cause(
        code=row.code,
        summary=_summary(row, tasks, targets, port=_port(snapshot)),
        where=f"{family_revision(task_definition_arn)} · {noun} {names}",
        evidence=evidence,
        advice=_advice(found, targets),
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
) -> TasksEnded:
    codes = sorted({c.exit_code for t in tasks for c in t.containers if c.exit_code is not None})
    answer = None
    if row.code == HEALTH_CHECK_FAILED.code and targets:
        answer = target_answer(targets[0].text, port=port)
    return TasksEnded(
        failure=row,
        count=len(tasks),
        exit_codes=tuple(codes) if row.code in _NAMES_EXIT_CODES else (),
        answer=answer,
    )


_STATUSES = re.compile(r"Health checks failed with these codes: \[(?P<codes>[0-9, ]+)\]\.?")


def target_answer(said: str, *, port: int | None) -> TargetAnswer:
    """What the load balancer says of a target, read."""
    if REFUSED.search(said):
        return NoHttpAnswer(port=port)
    match = _STATUSES.fullmatch(said)
    return HttpStatuses(codes=match["codes"]) if match else Quoted(text=said)


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


def _advice(found: KnownFailure, targets: Sequence[Evidence]) -> Advice:
    if found.failure.code == HEALTH_CHECK_FAILED.code:
        return target_advice([target.text for target in targets]) or found.advice
    return found.advice


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
        summary=AlarmsWentOff(names=names) if names else ALARM_TRIGGERED,
        where=family_revision(task_definition_arn),
        evidence=(*said, *alarms),
        advice=ALARM_TRIGGERED,
    )


def _is_asked_for(snapshot: Snapshot) -> bool:
    """Whether a person stopped it: ECS itself goes straight to ROLLBACK_IN_PROGRESS."""
    deployment = snapshot.deployment
    return deployment is not None and deployment.status is DeploymentStatus.ROLLBACK_REQUESTED


def _cause_of_no_target(seen: NoTargetHealthy, task_definition_arn: str) -> Cause:
    said = dict.fromkeys(one.reason for one in seen.targets if one.reason)
    return Cause(
        code=ROLLOUT_FAILED.code,
        summary=seen,
        where=family_revision(task_definition_arn),
        evidence=tuple(Evidence(source="target group", text=text) for text in said),
        advice=ROLLOUT_FAILED,
    )


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
            summary=ROLLBACK_REQUESTED,
            where=family_revision(task_definition_arn),
            evidence=said,
            advice=ROLLBACK_REQUESTED,
        )
    return Cause(
        code=ROLLOUT_FAILED.code,
        summary=RolloutEnded(reason=reason) if reason else ROLLOUT_FAILED,
        where=family_revision(task_definition_arn),
        evidence=(*said, *telling),
        advice=ROLLOUT_FAILED,
    )
