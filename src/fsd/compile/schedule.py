"""When a Job runs: what EventBridge Scheduler is told, and what ends a run that takes too long.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/tasks-scheduled-eventbridge-scheduler.html
"""

from __future__ import annotations

from collections.abc import Mapping

from fsd.compile.desired import (
    OUTPUT_SCHEDULE_ROLE,
    Desired,
    DesiredSchedule,
    Image,
    Json,
    JsonValue,
    Target,
)
from fsd.compile.service import network_configuration, stack_output
from fsd.manifest import names
from fsd.manifest.models import Manifest

# An underscore, which no service's name has: so no container's name is taken.
TIMEOUT_CONTAINER = "job_timeout"
RETRIES = 3
# A start that is tried again for longer would be one of the next run.
_LATEST = 3600  # seconds
# AWS has no schedule without an expression; one that is disabled starts nothing.
NEVER = "rate(365 days)"
_TIMEOUT_GRACE = 2  # seconds: nothing is lost when it is killed


def compile_schedule(manifest: Manifest, *, target: Target) -> DesiredSchedule:
    service = manifest.service
    return DesiredSchedule(
        name=names.schedule(manifest.metadata.name, target.environment),
        expression=service.schedule or NEVER,
        time_zone=service.timezone or "UTC",
        is_enabled=service.schedule is not None,
        retries=RETRIES if service.retries is None else service.retries,
        cluster_arn=cluster_arn(target),
        takes_over=taken_over(manifest, target.environment),
    )


def cluster_arn(target: Target) -> str:
    place = f"{target.partition}:ecs:{target.region}:{target.account}"
    return f"arn:{place}:cluster/{target.cluster}"


def taken_over(manifest: Manifest, environment: str) -> str:
    """ARN of what another tool made; "" where it has the name of FSD's own, which is updated."""
    existing = manifest.service.existing_schedule
    if existing is None:
        return ""
    own = names.schedule(manifest.metadata.name, environment)
    return "" if existing.arn.endswith(f":schedule/default/{own}") else existing.arn


def schedule_parameters(
    desired: Desired, *, outputs: Mapping[str, str], task_definition_arn: str
) -> Json:
    """Input of CreateSchedule, and of UpdateSchedule, which keeps nothing that is left out.

    Raises CallFailedError where the stack lacks an output, ValueError for no Job.
    """
    schedule, service = desired.schedule, desired.service
    if schedule is None:
        raise ValueError(f"{desired.name} is not a Job")
    network = network_configuration(desired, outputs)["awsvpcConfiguration"]
    assert isinstance(network, dict)
    capacity: Json = {"LaunchType": "FARGATE"}
    if service.capacity:
        strategy: list[JsonValue] = [*service.capacity]
        capacity = {"CapacityProviderStrategy": strategy}
    return {
        "Name": schedule.name,
        "GroupName": "default",
        "Description": f"{desired.name}, made by fsd",
        "State": "ENABLED" if schedule.is_enabled else "DISABLED",
        "ScheduleExpression": schedule.expression,
        "ScheduleExpressionTimezone": schedule.time_zone,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": schedule.cluster_arn,
            "RoleArn": stack_output(desired, outputs, OUTPUT_SCHEDULE_ROLE),
            "RetryPolicy": {
                "MaximumRetryAttempts": schedule.retries,
                "MaximumEventAgeInSeconds": _LATEST,
            },
            "EcsParameters": {
                "TaskDefinitionArn": task_definition_arn,
                "TaskCount": 1,
                **capacity,
                # The API's own spelling, other than in ECS's.
                "NetworkConfiguration": {
                    "awsvpcConfiguration": {
                        "Subnets": network["subnets"],
                        "SecurityGroups": network["securityGroups"],
                        "AssignPublicIp": network["assignPublicIp"],
                    }
                },
                "EnableECSManagedTags": True,
                "EnableExecuteCommand": service.exec,
                "PropagateTags": "TASK_DEFINITION",
            },
        },
    }


def timeout_container(seconds: int, *, image: Image, logs: Json) -> Json:
    """A container that ends after this time, and the task with it, because it is essential.

    Neither EventBridge Scheduler nor ECS has a time limit for a task. This one needs nobody who
    watches, and nothing but `sleep` of the Job's own image.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#container_definition_environment
    """
    return {
        "name": TIMEOUT_CONTAINER,
        "image": image.uri,
        "essential": True,
        "entryPoint": ["sleep"],
        "command": [str(seconds)],
        # Without an init `sleep` is process 1, which SIGTERM does not end.
        "linuxParameters": {"initProcessEnabled": True},
        "stopTimeout": _TIMEOUT_GRACE,
        **logs,
    }
