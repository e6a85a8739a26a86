"""EventBridge Scheduler: when a Job runs, and what.

https://docs.aws.amazon.com/scheduler/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsd.aws.errors import aws_code, call, pages
from fsd.aws.propagation import once_roles_are_known
from fsd.aws.session import Clients
from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.plan.observed import OldSchedule
from fsd.release.ports import Clock, JobSchedule
from fsd.release.schedule_shape import load_schedule

GROUP = "default"
# What GetSchedule answers and UpdateSchedule does not take.
_READ_ONLY = {"Arn", "CreationDate", "LastModificationDate", "ResponseMetadata"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBridgeScheduler:
    """`fsd.release.ports.Schedules`."""

    clients: Clients
    clock: Clock

    def find(self, name: str) -> JobSchedule | None:
        try:
            answer = call(self._client, "get_schedule", name, Name=name, GroupName=GROUP)
        except CallFailedError as error:
            if _is_missing(error):
                return None
            raise
        parameters = {key: value for key, value in answer.items() if key not in _READ_ONLY}
        return load_schedule(parameters, changed_at=answer.get("LastModificationDate"))

    def names(self, cluster: str) -> Sequence[str]:
        """Of those that start tasks in this cluster, by name."""
        listed = [
            schedule
            for page in pages(self._client, "list_schedules", GROUP, GroupName=GROUP)
            for schedule in page["Schedules"]
        ]
        end = f":cluster/{cluster}"
        return sorted(one["Name"] for one in listed if one["Target"]["Arn"].endswith(end))

    def put(self, parameters: Json) -> None:
        """The update first: a Job is made once, and deployed often.

        Asked again for a minute while Scheduler cannot assume a role that was just made.
        """
        once_roles_are_known(lambda: self._put(parameters), clock=self.clock)

    def _put(self, parameters: Json) -> None:
        name = str(parameters["Name"])
        try:
            call(self._client, "update_schedule", name, **parameters)
        except CallFailedError as error:
            if not _is_missing(error):
                raise
            call(self._client, "create_schedule", name, **parameters)

    def delete(self, name: str) -> bool:
        try:
            call(self._client, "delete_schedule", name, Name=name, GroupName=GROUP)
        except CallFailedError as error:
            if _is_missing(error):
                return False
            raise
        return True

    def find_old(self, arn: str) -> OldSchedule | None:
        """None also where another account or Region has it: those are not ours to look into."""
        try:
            found = self._find_rule(arn) if _is_rule(arn) else self._find_any(arn)
        except CallFailedError as error:
            if _is_missing(error):
                return None
            raise
        return found if found.arn == arn else None

    def _find_rule(self, arn: str) -> OldSchedule:
        name = arn.rpartition("/")[2]
        events = self.clients.client("events")
        rule = call(events, "describe_rule", name, Name=name)
        targets = call(events, "list_targets_by_rule", name, Rule=name)["Targets"]
        cluster, definition = _started(targets[0] if targets else {})
        return OldSchedule(
            arn=rule["Arn"],
            is_enabled=rule.get("State") != "DISABLED",
            expression=rule.get("ScheduleExpression", ""),
            targets=len(targets),
            cluster=cluster,
            task_definition=definition,
        )

    def _find_any(self, arn: str) -> OldSchedule:
        found = self._read(arn)
        cluster, definition = _started(found["Target"])
        return OldSchedule(
            arn=found["Arn"],
            is_enabled=found.get("State") != "DISABLED",
            expression=found["ScheduleExpression"],
            time_zone=found.get("ScheduleExpressionTimezone") or "UTC",
            cluster=cluster,
            task_definition=definition,
            window=found["FlexibleTimeWindow"].get("MaximumWindowInMinutes", 0),
        )

    def _read(self, arn: str) -> dict[str, Any]:
        group, name = arn.split("/")[-2:]
        return call(self._client, "get_schedule", name, Name=name, GroupName=group)

    def switch_old(self, arn: str, *, is_on: bool) -> None:
        """UpdateSchedule forgets what it is not told, so that all is read before."""
        name = arn.rpartition("/")[2]
        if _is_rule(arn):
            operation = "enable_rule" if is_on else "disable_rule"
            call(self.clients.client("events"), operation, name, Name=name)
            return
        found = self._read(arn)
        parameters = {key: value for key, value in found.items() if key not in _READ_ONLY}
        parameters["State"] = "ENABLED" if is_on else "DISABLED"
        call(self._client, "update_schedule", name, **parameters)

    @property
    def _client(self) -> Any:
        return self.clients.client("scheduler")


def _started(target: dict[str, Any]) -> tuple[str, str]:
    """(cluster, task definition); two "" for a target that is none of ECS."""
    ecs = target.get("EcsParameters")
    return (target["Arn"], ecs["TaskDefinitionArn"]) if ecs else ("", "")


def _is_rule(arn: str) -> bool:
    return ":rule/" in arn


def _is_missing(error: CallFailedError) -> bool:
    return aws_code(error) == "ResourceNotFoundException"
