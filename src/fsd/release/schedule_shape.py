"""What EventBridge Scheduler answers, as a value."""

from __future__ import annotations

from datetime import datetime

from fsd.compile.desired import Json
from fsd.release.ports import JobSchedule


def load_schedule(parameters: Json, *, changed_at: datetime | None = None) -> JobSchedule:
    """Of a schedule whose target is not ECS the revision is ""."""
    target = parameters.get("Target")
    target = target if isinstance(target, dict) else {}
    ecs = target.get("EcsParameters")
    ecs = ecs if isinstance(ecs, dict) else {}
    return JobSchedule(
        name=str(parameters["Name"]),
        parameters=parameters,
        task_definition_arn=str(ecs.get("TaskDefinitionArn", "")),
        cluster=str(target.get("Arn", "")).rpartition("/")[2],
        changed_at=changed_at,
    )
