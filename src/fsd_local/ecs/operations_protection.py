"""Scale-in protection of tasks: neither a deployment nor a smaller count ends a protected one.

Its minutes are minutes, whatever the speed: they are the task's own work.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd_local.ecs import arns
from fsd_local.ecs.context import CallContext
from fsd_local.ecs.faults import invalid
from fsd_local.ecs.model import Cluster, Json, Task

_DEFAULT_MINUTES, _MOST_MINUTES = 120, 2880
_UPDATED, _READ = 10, 100  # tasks in one call
_NOT_OF_A_SERVICE = "TASK_NOT_VALID"
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
_MISSING = "MISSING"


def get_task_protection(context: CallContext, parameters: Json) -> Json:
    """Of all tasks of the cluster's services where the call names none."""
    cluster = context.cluster(parameters)
    wanted = parameters.get("tasks") or [
        task.arn
        for task in context.scope.tasks.values()
        if task.cluster == cluster.name and task.deployment_id and not task.is_stopped
    ]
    return _answer(context, cluster, _bounded(wanted, _READ))


def update_task_protection(context: CallContext, parameters: Json) -> Json:
    cluster = context.cluster(parameters)
    minutes = parameters.get("expiresInMinutes", _DEFAULT_MINUTES)
    if not 1 <= minutes <= _MOST_MINUTES:
        raise invalid(f"expiresInMinutes must be between 1 and {_MOST_MINUTES}.")
    wanted = _bounded(parameters["tasks"], _UPDATED)
    until = context.now + minutes * 60 if parameters["protectionEnabled"] else None
    for name in wanted:
        task = context.find_task(cluster, name)
        if task is not None and task.deployment_id:
            task.protected_until = until
    return _answer(context, cluster, wanted)


def _bounded(wanted: list[str], limit: int) -> list[str]:
    if len(wanted) > limit:
        raise invalid(f"Tasks cannot have more than {limit} elements.")
    return wanted


def _answer(context: CallContext, cluster: Cluster, wanted: list[str]) -> Json:
    answer: Json = {"protectedTasks": [], "failures": []}
    for name in wanted:
        task = context.find_task(cluster, name)
        if task is not None and task.deployment_id:
            answer["protectedTasks"].append(dict(_describe(task, context.now)))
            continue
        scope = context.scope
        arn = name if name.startswith("arn:") else None
        arn = arn or arns.arn(scope.account, scope.region, f"task/{cluster.name}/{name}")
        reason = _MISSING if task is None else _NOT_OF_A_SERVICE
        answer["failures"].append({"arn": arn, "reason": reason})
    return answer


def _describe(task: Task, now: float) -> Iterator[tuple[str, object]]:
    is_protected = task.is_protected(now)
    yield "taskArn", task.arn
    yield "protectionEnabled", is_protected
    if is_protected:
        yield "expirationDate", task.protected_until
