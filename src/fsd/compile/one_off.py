"""Tasks that run once: what RunTask is told.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
"""

from __future__ import annotations

from fsd.compile.desired import Json, JsonValue, OneOff
from fsd.manifest.container import DeployStep


def compile_step(step: DeployStep | None) -> OneOff | None:
    if step is None:
        return None
    command = ("sh", "-c", step.command) if isinstance(step.command, str) else step.command
    return OneOff(
        command=command,
        timeout=step.seconds,
        environment=step.environment,
        cpu=step.resources.cpu if step.resources else None,
        memory=step.resources.memory if step.resources else None,
    )


def run_parameters(
    one_off: OneOff,
    *,
    cluster: str,
    container: str,
    network: Json,
    task_definition_arn: str,
    started_by: str,
) -> Json:
    """`started_by` has 36 characters at most."""
    environment: list[JsonValue] = [
        {"name": name, "value": value} for name, value in sorted(one_off.environment.items())
    ]
    override: Json = {"name": container}
    if one_off.command:
        override["command"] = [*one_off.command]
    if environment:
        override["environment"] = environment
    overrides: Json = {"containerOverrides": [override]}
    if one_off.cpu is not None and one_off.memory is not None:
        overrides |= {"cpu": str(one_off.cpu), "memory": str(one_off.memory)}
    return {
        "cluster": cluster,
        "taskDefinition": task_definition_arn,
        "launchType": "FARGATE",
        "count": 1,
        "networkConfiguration": network,
        "overrides": overrides,
        "startedBy": started_by[:36],
        "propagateTags": "TASK_DEFINITION",
        "enableECSManagedTags": True,
    }
