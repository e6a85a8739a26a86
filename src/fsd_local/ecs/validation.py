"""Checks and normal form of a task definition, as RegisterTaskDefinition has them. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from fsd_local.ecs.fargate import is_size
from fsd_local.ecs.faults import client, invalid
from fsd_local.ecs.model import Json

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_IMAGE = re.compile(r"[a-zA-Z0-9._:/@-]+")
_ECR_HOST = re.compile(r"\d{12}\.dkr\.ecr\.")
_VCPU = re.compile(r"(\d*\.?\d+)\s*vcpu", re.IGNORECASE)
_GB = re.compile(r"(\d*\.?\d+)\s*gb", re.IGNORECASE)
_EMPTY_LISTS = ("portMappings", "environment", "mountPoints", "volumesFrom", "systemControls")
# (field, least, greatest): ContainerDefinition.healthCheck
_HEALTH_CHECK_LIMITS = (
    ("interval", 5, 300),
    ("timeout", 2, 60),
    ("retries", 1, 10),
    ("startPeriod", 0, 300),
)
_MAX_STOP_TIMEOUT = 120
_LEAST_STORAGE, _MOST_STORAGE = 21, 200  # GiB


def normalise(parameters: Json) -> Json:
    """What DescribeTaskDefinition answers for this input; raises ApiError where AWS would."""
    _check_family(parameters["family"])
    containers = parameters["containerDefinitions"]
    _check_containers(containers)
    for container in containers:
        for check in _CONTAINER_CHECKS:
            check(container)
    definition = {k: v for k, v in parameters.items() if k != "tags"}
    if "cpu" in definition:
        definition["cpu"] = _units(definition["cpu"], _VCPU)
    if "memory" in definition:
        definition["memory"] = _units(definition["memory"], _GB)
    _check_fargate(definition)
    definition["containerDefinitions"] = [_with_defaults(found) for found in containers]
    definition.setdefault("volumes", [])
    definition.setdefault("placementConstraints", [])
    is_awsvpc = definition.get("networkMode") == "awsvpc"
    definition["compatibilities"] = ["EC2", "FARGATE"] if is_awsvpc else ["EC2"]
    definition["requiresAttributes"] = _attributes(definition)
    return definition


def _check_family(family: str) -> None:
    if not _NAME.fullmatch(family):
        raise client(
            "Family contains invalid characters: up to 255 letters, numbers, underscores and "
            "hyphens are allowed."
        )


def _check_containers(containers: Sequence[Json]) -> None:
    if not containers:
        raise client("TaskDefinition must have at least one container definition.")
    names = [container.get("name", "") for container in containers]
    for name in names:
        if not name:
            raise client("Container.name should not be null or empty.")
        if not _NAME.fullmatch(name):
            raise client("Container.name contains invalid characters.")
    if len(set(names)) != len(names):
        raise client("Container names in a task definition must be unique.")
    if not any(container.get("essential", True) for container in containers):
        raise client("Invalid setting for task definition: at least one container is essential.")
    for container in containers:
        for needed in container.get("dependsOn") or ():
            if needed["containerName"] not in names:
                raise client(
                    f"Container '{container['name']}' depends on '{needed['containerName']}', "
                    "which is not in the task definition."
                )


def _check_image(container: Json) -> None:
    image = container.get("image", "")
    if not image.strip():
        raise client("Container.image should not be null or blank.")
    if not _IMAGE.fullmatch(image):
        raise client("Container.image contains invalid characters.")


def _check_ports(container: Json) -> None:
    for mapping in container.get("portMappings") or ():
        port = mapping.get("containerPort")
        if port is not None and not 1 <= port <= 65535:
            raise client(f"Invalid containerPort {port} in container '{container['name']}'.")
        if mapping.get("hostPort") not in (None, 0, port):
            raise client(
                "When networkMode=awsvpc, the host ports and container ports in port mappings "
                "must match."
            )


def _check_variables(container: Json) -> None:
    names = {pair.get("name") for pair in container.get("environment") or ()}
    for pair in container.get("environment") or ():
        if not pair.get("name"):
            raise client("Environment variable names should not be null or empty.")
    for secret in container.get("secrets") or ():
        if secret["name"] in names:
            raise client(
                "The secret name must be unique and not shared with any new or existing "
                f"environment variables set on the container, such as '{secret['name']}'."
            )
        names.add(secret["name"])
    for file in container.get("environmentFiles") or ():
        if not file["value"].endswith(".env"):
            raise client("Environment files must have a .env file extension.")


def _check_health_check(container: Json) -> None:
    check = container.get("healthCheck")
    if check is None:
        return
    if not check["command"] or check["command"][0] not in {"CMD", "CMD-SHELL", "NONE"}:
        raise client("HealthCheck.command must begin with CMD, CMD-SHELL or NONE.")
    for field, least, greatest in _HEALTH_CHECK_LIMITS:
        if field in check and not least <= check[field] <= greatest:
            raise client(f"HealthCheck.{field} must be between {least} and {greatest}.")


def _check_log(container: Json) -> None:
    logs = container.get("logConfiguration")
    if logs is None or logs["logDriver"] != "awslogs":
        return
    options = logs.get("options") or {}
    for needed in ("awslogs-group", "awslogs-region"):
        if not options.get(needed):
            raise client(f"Log driver awslogs requires options: {needed}")


def _check_stop_timeout(container: Json) -> None:
    if not 0 <= container.get("stopTimeout", 0) <= _MAX_STOP_TIMEOUT:
        raise client(f"stopTimeout must be between 0 and {_MAX_STOP_TIMEOUT} seconds on Fargate.")


def _check_kernel(container: Json) -> None:
    for limit in container.get("ulimits") or ():
        if limit["softLimit"] > limit["hardLimit"]:
            raise client(
                f"Invalid ulimit setting. {limit['name']}: the soft limit exceeds the hard limit."
            )
    capabilities = (container.get("linuxParameters") or {}).get("capabilities") or {}
    if set(capabilities.get("add") or ()) - {"SYS_PTRACE"}:
        raise client("Fargate only supports adding the SYS_PTRACE capability.")


_CONTAINER_CHECKS: tuple[Callable[[Json], None], ...] = (
    _check_image,
    _check_ports,
    _check_variables,
    _check_health_check,
    _check_log,
    _check_stop_timeout,
    _check_kernel,
)


def _units(value: str, unit: re.Pattern[str]) -> str:
    """`1 vCPU` → `1024`, `2 GB` → `2048`; a number stays."""
    matched = unit.fullmatch(value.strip())
    return str(int(float(matched.group(1)) * 1024)) if matched else value.strip()


def _check_fargate(definition: Json) -> None:
    if "FARGATE" not in (definition.get("requiresCompatibilities") or ()):
        return
    if definition.get("networkMode", "bridge") != "awsvpc":
        raise client("Fargate only supports network mode ‘awsvpc’.")
    for field in ("cpu", "memory"):
        if not definition.get(field):
            raise client(f"Fargate requires that '{field}' be defined at the task level.")
        if not definition[field].isdecimal():
            raise client(f"Invalid '{field}' setting for task. {definition[field]}")
    size = (definition.get("ephemeralStorage") or {}).get("sizeInGiB", _LEAST_STORAGE)
    if not _LEAST_STORAGE <= size <= _MOST_STORAGE:
        raise client(f"Invalid ephemeralStorage sizeInGiB: {size}; it is between 21 and 200.")
    cpu, memory = int(definition["cpu"]), int(definition["memory"])
    if not is_size(cpu, memory):
        raise client(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. "
            "See the Amazon ECS documentation for the valid values."
        )
    for container in definition["containerDefinitions"]:
        if container.get("memory", 0) > memory:
            raise client(
                f"Invalid setting for container '{container['name']}'. The 'memory' setting is "
                "greater than the task's."
            )
    _check_execution_role(definition)


def _check_execution_role(definition: Json) -> None:
    if definition.get("executionRoleArn"):
        return
    for container in definition["containerDefinitions"]:
        if container.get("secrets"):
            raise client(
                "When you are specifying container secrets, you must also specify a value for "
                "'executionRoleArn'."
            )
        if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            raise client(
                "Fargate requires task definition to have execution role ARN to support log "
                "driver awslogs."
            )
        if _ECR_HOST.match(container["image"]):
            raise client(
                "Fargate requires task definition to have execution role ARN to support ECR images."
            )


def _with_defaults(container: Json) -> Json:
    filled: Json = {"cpu": 0, "essential": True} | container
    for name in _EMPTY_LISTS:
        filled.setdefault(name, [])
    filled["portMappings"] = [
        {"hostPort": mapping["containerPort"], "protocol": "tcp"} | mapping
        if "containerPort" in mapping
        else mapping
        for mapping in filled["portMappings"]
    ]
    return filled


def _attributes(definition: Json) -> list[Json]:
    names = ["com.amazonaws.ecs.capability.docker-remote-api.1.18", "ecs.capability.task-eni"]
    containers = definition["containerDefinitions"]
    if any("logConfiguration" in found for found in containers):
        names.append("com.amazonaws.ecs.capability.logging-driver.awslogs")
    if any("secrets" in found for found in containers):
        names.append("ecs.capability.secrets.asm.environment-variables")
    if any("healthCheck" in found for found in containers):
        names.append("ecs.capability.container-health-check")
    return [{"name": name} for name in names]


def check_desired_count(count: int) -> None:
    if count < 0:
        raise invalid("desiredCount cannot be less than 0.")
