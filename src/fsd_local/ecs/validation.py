"""Checks and normal form of a task definition, as RegisterTaskDefinition has them. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from fsd_local.ecs.dependencies import check_dependencies
from fsd_local.ecs.faults import client, invalid
from fsd_local.ecs.model import Json
from fsd_local.ecs.unsupported import (
    check_ec2,
    check_fargate,
    check_network_mode,
    find_fargate_fault,
)

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_IMAGE = re.compile(r"[a-zA-Z0-9._:/@-]+")
_ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+")
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}")
_S3_OBJECT = re.compile(r"arn:[a-z-]+:s3:::[^/]+/.+")
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
_MOST_CONTAINERS = 10
_MOST_ENVIRONMENT_FILES = 10
_MOST_IGNORED_CODES = 50
# What runs on AWS and not here, so that it is not taken for granted: member → what is missing.
_MISSING: Mapping[str, str] = {
    "credentialSpecs": "have gMSA credential specs",
    "volumesFrom": "mount the volumes of another container (volumesFrom)",
}
_MISSING_VOLUMES: Mapping[str, str] = {
    "s3filesVolumeConfiguration": "mount S3 Files",
    "configuredAtLaunch": "attach Amazon EBS volumes",
}


def normalise(parameters: Json) -> Json:
    """What DescribeTaskDefinition answers for this input; raises ApiError where AWS would."""
    _check_family(parameters["family"])
    containers = parameters["containerDefinitions"]
    definition = {k: v for k, v in parameters.items() if k != "tags"}
    if "cpu" in definition:
        definition["cpu"] = _units(definition["cpu"], _VCPU)
    if "memory" in definition:
        definition["memory"] = _units(definition["memory"], _GB)
    _check_containers(containers)
    _check_roles(definition)
    for container in containers:
        for check in _CONTAINER_CHECKS:
            check(container)
    _check_volumes(definition)
    _check_sizes(definition)
    check_dependencies(containers)
    _check_compatibilities(definition)
    definition["containerDefinitions"] = [_with_defaults(found) for found in containers]
    definition.setdefault("volumes", [])
    definition.setdefault("placementConstraints", [])
    runs_on_fargate = find_fargate_fault(definition) is None
    definition["compatibilities"] = ["EC2", "FARGATE"] if runs_on_fargate else ["EC2"]
    definition["requiresAttributes"] = _attributes(definition)
    _refuse_missing(definition)
    return definition


def _check_family(family: str) -> None:
    if not _NAME.fullmatch(family):
        raise client("Family contains invalid characters.")


def _check_containers(containers: Sequence[Json]) -> None:
    if not containers:
        raise client("Container list cannot be empty.")
    if len(containers) > _MOST_CONTAINERS:
        raise client("Too many containers.")
    names = [container.get("name", "") for container in containers]
    for name in names:
        if not name:
            raise client("Container.name should not be null or empty.")
        if not _NAME.fullmatch(name):
            raise client("Container.name contains invalid characters.")
    if len(set(names)) != len(names):
        raise client("Container names must be unique within a task definition.")
    if not any(container.get("essential", True) for container in containers):
        raise client("Task definition doesn't have any essential container.")


def _check_roles(definition: Json) -> None:
    """https://github.com/fabfuel/ecs-deploy/issues/231: an empty role is one that is not valid."""
    execution = definition.get("executionRoleArn")
    if execution is not None and not _ROLE.fullmatch(execution):
        raise client("Role is not valid")
    task = definition.get("taskRoleArn")
    if task is not None and not _ROLE.fullmatch(task) and not _ROLE_NAME.fullmatch(task):
        raise client("Role is not valid")
    containers = definition["containerDefinitions"]
    if not execution and any(found.get("secrets") for found in containers):
        raise client(
            "When you are specifying container secrets, you must also specify a value for "
            "'executionRoleArn'."
        )
    if not execution and any(found.get("repositoryCredentials") for found in containers):
        raise client(
            "When you are specifying repositoryCredentials, you must also specify a value for "
            "'executionRoleArn'."
        )


def _check_image(container: Json) -> None:
    image = container.get("image", "")
    if not image.strip():
        raise client("Container.image should not be null or empty.")
    if not _IMAGE.fullmatch(image):
        raise client("Container.image contains invalid characters.")


def _check_ports(container: Json) -> None:
    name = container["name"]
    for mapping in container.get("portMappings") or ():
        port = mapping.get("containerPort")
        if "containerPortRange" in mapping and {"containerPort", "hostPort"} & mapping.keys():
            raise client(
                f"Invalid port mapping for container '{name}', cannot specify both single port "
                "and port range."
            )
        if "containerPortRange" in mapping:
            raise client("The embedded AWS does not map ranges of ports.")
        if port is not None and not 1 <= port <= 65535:
            raise client(f"Invalid containerPort {port} in container '{name}'.")


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
    files = container.get("environmentFiles") or ()
    if len(files) > _MOST_ENVIRONMENT_FILES:
        raise client(
            "The maximum number of environment files was exceeded. Specify ten or less and try "
            "again."
        )
    if not all(_S3_OBJECT.fullmatch(found["value"]) for found in files):
        raise client("Invalid arn syntax.")
    if not all(found["value"].endswith(".env") for found in files):
        raise client("Environment files must have a .env file extension.")


def _check_health_check(container: Json) -> None:
    check, name = container.get("healthCheck"), container["name"]
    if check is None:
        return
    if not check["command"] or check["command"][0] not in {"CMD", "CMD-SHELL", "NONE"}:
        raise client("HealthCheck.command must begin with CMD, CMD-SHELL or NONE.")
    for field, least, greatest in _HEALTH_CHECK_LIMITS:
        if check.get(field, least) < least:
            raise client(
                f"Health check {field} must be greater than or equal to the minimum allowed value "
                f"{least} for container '{name}'"
            )
        if check.get(field, least) > greatest:
            raise client(
                f"Health check {field} must be less than or equal to the maximum allowed value "
                f"{greatest} for container '{name}'"
            )


def _check_log(container: Json) -> None:
    logs = container.get("logConfiguration")
    if logs is None or logs["logDriver"] != "awslogs":
        return
    options = logs.get("options") or {}
    for needed in ("awslogs-group", "awslogs-region"):
        if not options.get(needed):
            raise client(f"Log driver awslogs requires options: {needed}")


def _check_times(container: Json) -> None:
    name, policy = container["name"], container.get("restartPolicy") or {}
    if not 60 <= policy.get("restartAttemptPeriod", 60) <= 1800:
        raise client(
            f"The 'restartAttemptPeriod' setting for container '{name}' must be between 60 and "
            "1800."
        )
    if len(policy.get("ignoredExitCodes") or ()) > _MOST_IGNORED_CODES:
        raise client(
            f"The 'ignoredExitCodes' setting for container '{name}' can have at most "
            f"{_MOST_IGNORED_CODES} items."
        )
    for field in ("startTimeout", "stopTimeout"):
        if container.get(field, 0) < 0:
            raise client(f"The '{field}' setting for container '{name}' must be at least 0.")


def _check_kernel(container: Json) -> None:
    for limit in container.get("ulimits") or ():
        if limit["softLimit"] > limit["hardLimit"]:
            raise client(
                f"Invalid ulimit setting. {limit['name']}: the soft limit exceeds the hard limit."
            )


def _check_memory(container: Json) -> None:
    name, memory = container["name"], container.get("memory")
    if memory is not None and memory < container.get("memoryReservation", 0):
        raise client(
            f"Invalid setting for container '{name}'. 'memory' must be greater than or equal to "
            "'memoryReservation'."
        )


_CONTAINER_CHECKS: tuple[Callable[[Json], None], ...] = (
    _check_image,
    _check_ports,
    _check_variables,
    _check_health_check,
    _check_log,
    _check_times,
    _check_kernel,
    _check_memory,
)


def _check_volumes(definition: Json) -> None:
    containers = definition["containerDefinitions"]
    mounts = [mount for found in containers for mount in found.get("mountPoints") or ()]
    used = {mount.get("sourceVolume", "") for mount in mounts}
    declared = {volume.get("name", ""): volume for volume in definition.get("volumes") or ()}
    for name in sorted(used - declared.keys()):
        raise client(f"Unknown volume '{name}'.")
    idle = [n for n, volume in declared.items() if "configuredAtLaunch" in volume and n not in used]
    if idle:
        raise client(f"Volumes [{', '.join(idle)}] are not referenced by any of the containers")


def _check_sizes(definition: Json) -> None:
    """Of containers beside each other and within the task."""
    containers = definition["containerDefinitions"]
    cpu, memory = definition.get("cpu", ""), definition.get("memory", "")
    for container in containers:
        name = container["name"]
        if not memory and not {"memory", "memoryReservation"} & container.keys():
            raise client(
                f"Invalid setting for container '{name}'. At least one of 'memory' or "
                "'memoryReservation' must be specified."
            )
        if memory.isdecimal() and container.get("memory", 0) > int(memory):
            raise client(
                f"Invalid setting for container '{name}'. The 'memory' setting for container "
                f"'{name}' is greater than for the task."
            )
    if cpu.isdecimal() and sum(found.get("cpu", 0) for found in containers) > int(cpu):
        raise client(
            "The sum of all container 'cpu' values cannot be greater than the value of the task "
            "'cpu'."
        )


def _check_compatibilities(definition: Json) -> None:
    check_network_mode(definition)
    if definition.get("inferenceAccelerators"):
        raise client("Unsupported field 'inferenceAccelerators'")
    required = definition.get("requiresCompatibilities") or ()
    if "FARGATE" in required:
        check_fargate(definition)
    else:
        check_ec2(definition)


def _refuse_missing(definition: Json) -> None:
    """Last, so that what AWS refuses is refused in its words."""
    if definition.get("proxyConfiguration"):
        raise client("The embedded AWS does not run App Mesh proxies (proxyConfiguration).")
    for container in definition["containerDefinitions"]:
        for member, what in _MISSING.items():
            if container.get(member):
                raise client(f"The embedded AWS does not {what}.")
        if (container.get("logConfiguration") or {}).get("secretOptions"):
            raise client("The embedded AWS does not read secretOptions of a log driver.")
    for volume in definition["volumes"]:
        for member, what in _MISSING_VOLUMES.items():
            if volume.get(member):
                raise client(f"The embedded AWS does not {what}.")


def _units(value: str, unit: re.Pattern[str]) -> str:
    """`1 vCPU` → `1024`, `2 GB` → `2048`; a number stays."""
    matched = unit.fullmatch(value.strip())
    return str(int(float(matched.group(1)) * 1024)) if matched else value.strip()


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
