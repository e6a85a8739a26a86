"""What ECS's agent does with a task's two roles before its containers start.

Each step says no in the words of a stopped task:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html
"""

from __future__ import annotations

from collections.abc import Mapping

from fsd_local.ecs import messages
from fsd_local.ecs.model import Json, Task
from fsd_local.ecs.tasks import log_target
from fsd_local.ports import LaunchError, LogTarget, RoleError, RoleSession, TaskRoles
from fsd_local.references import whole_secret


class Agent:
    """For one task. Without an execution role nothing is asked in its name."""

    def __init__(self, roles: TaskRoles, task: Task) -> None:
        self._roles = roles
        self._task = task
        self._execution = self._session("executionRoleArn")
        self._own = self._session("taskRoleArn")

    def log_in(self) -> None:
        """Assume both roles and log in at the registries. Raises LaunchError."""
        for session in (self._execution, self._own):
            if session is not None:
                try:
                    self._roles.assume(session)
                except RoleError as error:
                    reason = messages.role_not_assumed(session.role_arn)
                    raise LaunchError(reason) from error
        if self._execution is None:
            return
        for container in self._containers:
            try:
                self._roles.check_registry(self._execution, container["image"])
            except RoleError as error:
                raise LaunchError(messages.registry_denied(str(error))) from error

    def check_images(self) -> None:
        if self._execution is None:
            return
        for container in self._containers:
            image = container["image"]
            try:
                self._roles.check_image(self._execution, image)
            except RoleError as error:
                reason = messages.pull_denied(image)
                raise LaunchError(reason, container=container["name"]) from error

    def check_secret(self, value_from: str) -> None:
        if self._execution is None:
            return
        try:
            self._roles.check_secret(self._execution, value_from)
        except RoleError as error:
            raise LaunchError(messages.secret_denied(value_from, str(error))) from error

    def check_registry_secret(self, secret: str) -> None:
        """A name means one of the task's own Region."""
        if self._execution is None:
            return
        arn = whole_secret(secret, self._task.account, self._task.region)
        try:
            self._roles.check_secret(self._execution, arn)
        except RoleError as error:
            raise LaunchError(messages.registry_secret_denied(secret, str(error))) from error

    def check_file(self, arn: str) -> None:
        if self._execution is None:
            return
        try:
            self._roles.check_file(self._execution, arn)
        except RoleError as error:
            reason = messages.initialization_failed(messages.file_not_read(str(error)))
            raise LaunchError(reason) from error

    def check_stream(self, target: LogTarget) -> None:
        if self._execution is None:
            return
        try:
            self._roles.check_stream(self._execution, target)
        except RoleError as error:
            raise LaunchError(messages.stream_denied(str(error))) from error

    def find_silent(self) -> set[str]:
        """The containers that run, but whose lines CloudWatch Logs refuses."""
        found: set[str] = set()
        if self._execution is None:
            return found
        for container in self._containers:
            target = log_target(self._task, container)
            if target is not None and not self._roles.may_write(self._execution, target):
                found.add(str(container["name"]))
        return found

    def connects(self) -> bool:
        """Whether the agent of ECS Exec does; it uses the task role."""
        return self._own is not None and self._roles.may_open_channels(self._own)

    def credentials(self) -> Mapping[str, str]:
        """Of the task role; nothing without one."""
        return self._roles.environment(self._own) if self._own else {}

    @property
    def _containers(self) -> list[Json]:
        return self._task.task_definition.containers

    def _session(self, kind: str) -> RoleSession | None:
        task = self._task
        role = task.overrides.get(kind) or task.task_definition.definition.get(kind)
        if not role:
            return None
        return RoleSession(
            role_arn=role if role.startswith("arn:") else self._arn(role),
            task_id=task.id,
            task_arn=task.arn,
            account=task.account,
            region=task.region,
        )

    def _arn(self, name: str) -> str:
        return f"arn:aws:iam::{self._task.account}:role/{name}"
