"""Tasks of ECS: those that run, those that stopped, and those that run once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fsd.aws.ecs_client import ABSENT, batches, require_only_missing
from fsd.aws.ecs_shapes import last_part, to_stopped_task, to_task, without_none
from fsd.aws.ecs_task_definitions import EcsTaskDefinitions
from fsd.aws.errors import aws_code, call, pages
from fsd.compile.desired import Json
from fsd.errors import CallFailedError, ErrorCode
from fsd.release.log_places import LogRoutes
from fsd.snapshot import StoppedTask, TaskState

TASKS_A_CALL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsTasks(EcsTaskDefinitions):
    """The part of `fsd.release.ports.Ecs` about tasks."""

    def run_task(self, parameters: Json) -> str:
        """Raises CallFailedError also for what RunTask says among its failures."""
        where = str(parameters.get("taskDefinition", "")).rpartition("/")[2]
        token = uuid.uuid4().hex[:32]
        answer = call(self.reads, "run_task", where, **without_none(parameters), clientToken=token)
        tasks = answer.get("tasks", [])
        if tasks:
            return last_part(tasks[0]["taskArn"])
        failure: dict[str, Any] = next(iter(answer.get("failures", [])), {})
        raise CallFailedError(
            f"ECS starts no task: {failure.get('reason', 'it does not say why')}",
            where=f"RunTask {where}",
            fix=failure.get("detail") or "run it again; see the capacity of the subnets and quotas",
            code=ErrorCode.CALL_FAILED,
        )

    def find_task(self, cluster: str, task: str) -> TaskState | StoppedTask | None:
        found = next(iter(self._describe_tasks(cluster, task, [task])), None)
        if found is None:
            return None
        return to_stopped_task(found) if found.get("lastStatus") == "STOPPED" else to_task(found)

    def stop_task(self, cluster: str, task: str, *, reason: str) -> None:
        try:
            call(self.reads, "stop_task", task, cluster=cluster, task=task, reason=reason)
        except CallFailedError as error:
            if aws_code(error) != "InvalidParameterException":
                raise

    def stopped_tasks(self, cluster: str, service: str) -> Sequence[StoppedTask]:
        """Those that ECS still remembers, for an hour or so; also those still stopping."""
        return _stopped(self._tasks(cluster, service, "STOPPED"))

    def log_routes(self, task_definition_arn: str) -> LogRoutes:
        """Empty also where it was deleted. A call for each revision not seen yet."""
        if task_definition_arn not in self.log_routes_of:
            self.find_task_definition(task_definition_arn)
        return self.log_routes_of.get(task_definition_arn, LogRoutes())

    def tasks(self, cluster: str, service: str) -> Sequence[TaskState]:
        return _running(self._tasks(cluster, service, "RUNNING"))

    def all_tasks(
        self, cluster: str, service: str
    ) -> tuple[Sequence[TaskState], Sequence[StoppedTask]]:
        return self._both(cluster, service, kind="serviceName")

    def runs(self, cluster: str, family: str) -> tuple[Sequence[TaskState], Sequence[StoppedTask]]:
        return self._both(cluster, family, kind="family")

    def _both(
        self, cluster: str, name: str, *, kind: str
    ) -> tuple[Sequence[TaskState], Sequence[StoppedTask]]:
        """A task that stops meanwhile is in the second list; what it is described as decides."""
        running = self._list_tasks(cluster, name, "RUNNING", kind=kind)
        stopped = self._list_tasks(cluster, name, "STOPPED", kind=kind)
        listed = [*dict.fromkeys((*stopped, *running))]
        described = list(self._describe_tasks(cluster, name, listed))
        return _running(described), _stopped(described)

    def _tasks(self, cluster: str, service: str, status: str) -> Iterator[dict[str, Any]]:
        listed = self._list_tasks(cluster, service, status)
        return self._describe_tasks(cluster, service, listed)

    def _list_tasks(
        self, cluster: str, service: str, status: str, *, kind: str = "serviceName"
    ) -> list[str]:
        """By desired status: RUNNING has the tasks that should run, from PROVISIONING on.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
        """
        where = f"{cluster}/{service}"
        try:
            return [
                arn
                for page in pages(
                    self.reads,
                    "list_tasks",
                    where,
                    cluster=cluster,
                    desiredStatus=status,
                    **{kind: service},
                )
                for arn in page.get("taskArns", [])
            ]
        except CallFailedError as error:
            if aws_code(error) in ABSENT:
                return []
            raise

    def _describe_tasks(
        self, cluster: str, service: str, listed: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        where = f"{cluster}/{service}"
        for batch in batches(listed, TASKS_A_CALL):
            answer = call(self.reads, "describe_tasks", where, cluster=cluster, tasks=list(batch))
            require_only_missing(answer, f"DescribeTasks {where}")
            yield from answer.get("tasks", [])


def _running(tasks: Iterable[dict[str, Any]]) -> tuple[TaskState, ...]:
    return tuple(to_task(task) for task in tasks if not _has_stopped(task))


def _stopped(tasks: Iterable[dict[str, Any]]) -> tuple[StoppedTask, ...]:
    return tuple(to_stopped_task(task) for task in tasks if not _should_run(task))


def _should_run(task: dict[str, Any]) -> bool:
    """Described a moment after it was listed: it may have changed sides."""
    return task.get("desiredStatus") == "RUNNING" and task.get("lastStatus") != "STOPPED"


def _has_stopped(task: dict[str, Any]) -> bool:
    return task.get("lastStatus") == "STOPPED" or task.get("desiredStatus") == "STOPPED"
