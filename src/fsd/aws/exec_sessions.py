"""ECS Exec: the tasks that run, and a session in one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsd.aws.ecs_shapes import last_part, utc
from fsd.aws.ecs_tasks import TASKS_A_CALL
from fsd.aws.errors import call, pages
from fsd.aws.session import ONE_ATTEMPT, READ_ATTEMPTS, Clients
from fsd.release.ports import ExecContainer, ExecSession, ExecTask

_AGENT = "ExecuteCommandAgent"


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsExecSessions:
    """`fsd.release.ports.ExecSessions`."""

    clients: Clients
    read_key: Callable[[], Mapping[str, str]]  # of the session that the clients are of

    def running_tasks(
        self, cluster: str, service: str, *, is_job: bool = False
    ) -> Sequence[ExecTask]:
        reads = self.clients.client("ecs", attempts=READ_ATTEMPTS)
        where = f"{cluster}/{service}"
        arns: list[str] = []
        whose = {"family" if is_job else "serviceName": service}
        for page in pages(reads, "list_tasks", where, cluster=cluster, **whose):
            arns += page["taskArns"]
        found: list[ExecTask] = []
        for start in range(0, len(arns), TASKS_A_CALL):
            batch = arns[start : start + TASKS_A_CALL]
            answer = call(reads, "describe_tasks", where, cluster=cluster, tasks=batch)
            running = [t for t in answer.get("tasks", []) if t.get("lastStatus") == "RUNNING"]
            found += [_to_task(task) for task in running]
        return found

    def open(
        self, cluster: str, task: ExecTask, container: ExecContainer, command: str
    ) -> ExecSession:
        """Interactive is the only mode that ECS has.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html
        """
        answer = call(
            self.clients.client("ecs", attempts=ONE_ATTEMPT),
            "execute_command",
            f"{cluster}/{task.id}",
            cluster=cluster,
            task=task.id,
            container=container.name,
            command=command,
            interactive=True,
        )
        session = answer["session"]
        return ExecSession(
            id=session["sessionId"],
            stream_url=session["streamUrl"],
            token=session["tokenValue"],
            target=f"ecs:{last_part(cluster)}_{task.id}_{container.runtime_id}",
        )

    def session_manager_url(self) -> str:
        """Its host has another ending in China and in the isolated partitions: botocore knows it,
        and what AWS_ENDPOINT_URL_SSM or AWS_USE_FIPS_ENDPOINT put in its place.

        https://docs.aws.amazon.com/general/latest/gr/ssm.html
        """
        return str(self.clients.client("ssm", attempts=ONE_ATTEMPT).meta.endpoint_url)

    def key(self) -> Mapping[str, str]:
        return self.read_key()


def _to_task(answer: dict[str, Any]) -> ExecTask:
    return ExecTask(
        id=last_part(answer["taskArn"]),
        started_at=utc(answer.get("startedAt")),
        is_enabled=answer.get("enableExecuteCommand", False),
        task_definition_arn=answer.get("taskDefinitionArn", ""),
        containers=tuple(_to_container(found) for found in answer.get("containers", [])),
    )


def _to_container(answer: dict[str, Any]) -> ExecContainer:
    agents = [
        found.get("lastStatus", "")
        for found in answer.get("managedAgents", [])
        if found.get("name") == _AGENT
    ]
    return ExecContainer(
        name=answer.get("name", ""),
        runtime_id=answer.get("runtimeId", ""),
        agent=agents[0] if agents else "",
    )
