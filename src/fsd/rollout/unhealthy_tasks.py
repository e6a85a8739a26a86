"""Why a rollout goes on and on: tasks of ours that run, and that the load balancer calls unhealthy.

No task has stopped, so there is no stop reason to read: within the grace period ECS lets a task
live however often its check fails. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from fsd.rollout.advice import BareAdvice
from fsd.rollout.cause import Cause, Evidence
from fsd.rollout.diagnose import family_revision, short, target_answer
from fsd.rollout.explain import target_advice
from fsd.rollout.summaries import ChecksFailing
from fsd.snapshot import Snapshot, TargetHealth, TaskState

_CODE = "health-check-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnhealthyRollout:
    """`task` is the one whose log is worth reading."""

    cause: Cause
    task: TaskState


def find_unhealthy_rollout(snapshot: Snapshot, task_definition_arn: str) -> UnhealthyRollout | None:
    """None where no running task of this revision is unhealthy."""
    tasks = {
        task.address: task
        for task in snapshot.tasks
        if task.task_definition_arn == task_definition_arn and task.address
    }
    unhealthy = [t for t in snapshot.targets if t.state == "unhealthy" and t.address in tasks]
    if not unhealthy:
        return None
    found = [tasks[target.address] for target in unhealthy]
    return UnhealthyRollout(cause=_cause(found, unhealthy, task_definition_arn), task=found[-1])


def _cause(tasks: list[TaskState], targets: list[TargetHealth], arn: str) -> Cause:
    said = tuple(dict.fromkeys(target.description or target.reason for target in targets))
    answer = target_answer(said[0], port=targets[0].asked_port)
    names = ", ".join(short(task.id) for task in tasks[:4])
    return Cause(
        code=_CODE,
        summary=ChecksFailing(count=len(tasks), answer=answer),
        where=f"{family_revision(arn)} · {'tasks' if len(tasks) > 1 else 'task'} {names}",
        evidence=tuple(Evidence(source="target group", text=text) for text in said if text),
        advice=target_advice(said) or BareAdvice.ANSWER_IN_TIME,
        tasks=tuple(task.id for task in tasks),
    )
