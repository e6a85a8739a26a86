"""What a network mode and Fargate do not support in a task definition. Pure.

The words are those that AWS answered in the deployments that badmintoncryer/cdk-preflight records
with each of its rules (`rules/ecs/*/meta.yaml`); hashicorp/terraform-provider-aws and other public
threads have some of them too. What AWS refuses and nobody quoted is said in the same form.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from fsd_local.ecs.fargate import is_size
from fsd_local.ecs.faults import ApiError, client
from fsd_local.ecs.model import Json

_ECR_HOST = re.compile(r"\d{12}\.dkr\.ecr\.")
_LEAST_STORAGE, _MOST_STORAGE = 21, 200  # GiB
_MAX_STOP_TIMEOUT = 120  # seconds
_LEAST_WINDOWS_CPU = 1024
_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
_ADDABLE = {"SYS_PTRACE"}
# Members of a container definition that go with a network namespace of Docker's.
_NOT_IN_AWSVPC: Mapping[str, str] = {
    "links": "Links are not supported when networkMode=awsvpc.",
    "extraHosts": "Extra hosts are not supported on container when networkMode=awsvpc.",
    "hostname": "hostname is not supported on container when networkMode=awsvpc.",
    "disableNetworking": "Disable Networking is not supported on container when "
    "networkMode=awsvpc.",
    "dnsServers": "DNS servers are not supported on container when networkMode=awsvpc.",
    "dnsSearchDomains": "DNS search domains are not supported on container when "
    "networkMode=awsvpc.",
}
_LINUX_PARAMETERS = ("devices", "sharedMemorySize", "tmpfs", "maxSwap", "swappiness")


def check_network_mode(definition: Json) -> None:
    """Raises ApiError for what the network mode rules out, on every launch type."""
    mode = definition.get("networkMode", "bridge")
    for container in definition["containerDefinitions"]:
        if mode == "awsvpc":
            _check_awsvpc(container)
        if mode in {"awsvpc", "host"}:
            _check_host_ports(container, mode)
    if mode == "awsvpc":
        names = list(_port_names(definition))
        if len(set(names)) != len(names):
            raise client("When networkMode=awsvpc, port mapping name is already used")


def _check_awsvpc(container: Json) -> None:
    for member, message in _NOT_IN_AWSVPC.items():
        if container.get(member):
            raise client(message)


def _check_host_ports(container: Json, mode: str) -> None:
    for mapping in container.get("portMappings") or ():
        if mapping.get("hostPort") not in (None, 0, mapping.get("containerPort")):
            raise client(
                f"When networkMode={mode}, the host ports and container ports in port mappings "
                "must match."
            )


def _port_names(definition: Json) -> Iterator[str]:
    for container in definition["containerDefinitions"]:
        for mapping in container.get("portMappings") or ():
            if mapping.get("name"):
                yield mapping["name"]


def check_ec2(definition: Json) -> None:
    """What only Fargate has."""
    if "ephemeralStorage" in definition:
        raise client("Tasks using the EC2 launch type do not support EphemeralStorage.")


def find_fargate_fault(definition: Json) -> ApiError | None:
    """Why the definition cannot run on Fargate; None where it can."""
    try:
        check_fargate(definition)
    except ApiError as fault:
        return fault
    return None


def check_fargate(definition: Json) -> None:
    """Raises ApiError for what Fargate does not run."""
    if definition.get("networkMode", "bridge") != "awsvpc":
        raise client("Fargate only supports network mode ‘awsvpc’.")
    _check_size(definition)
    _check_task_members(definition)
    for container in definition["containerDefinitions"]:
        _check_container(container)
        _check_log_driver(container)
    _check_volumes(definition)
    _check_execution_role(definition)


def _check_size(definition: Json) -> None:
    for field in ("cpu", "memory"):
        if not definition.get(field):
            raise client(f"Fargate requires that '{field}' be defined at the task level.")
        if not definition[field].isdecimal():
            raise client(f"Invalid '{field}' setting for task. {definition[field]}")
    cpu, memory = int(definition["cpu"]), int(definition["memory"])
    system = (definition.get("runtimePlatform") or {}).get("operatingSystemFamily", "LINUX")
    too_small = system.startswith("WINDOWS") and cpu < _LEAST_WINDOWS_CPU
    if too_small or not is_size(cpu, memory):
        raise client(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. "
            "See the Amazon ECS documentation for the valid values."
        )
    storage = definition.get("ephemeralStorage")
    if storage is not None and storage["sizeInGiB"] < _LEAST_STORAGE:
        raise client(f"EphemeralStorage size should be at least {_LEAST_STORAGE}")
    if storage is not None and storage["sizeInGiB"] > _MOST_STORAGE:
        raise client(f"EphemeralStorage size should be at most {_MOST_STORAGE}")


def _check_task_members(definition: Json) -> None:
    mode = definition.get("pidMode", "task")
    if mode != "task":
        raise client(
            f"Tasks using the Fargate launch type do not support pidMode '{mode}'. "
            "The supported value for pidMode is 'task'."
        )
    if definition.get("ipcMode"):
        raise _not_on_fargate("ipcMode")
    if definition.get("placementConstraints"):
        raise _not_on_fargate("constraints")


def _check_container(container: Json) -> None:
    if container.get("privileged"):
        raise client(
            "Fargate requires that the ‘privileged’ setting be ‘false’ at the container level."
        )
    if container.get("dockerSecurityOptions"):
        raise _not_on_fargate("dockerSecurityOptions")
    linux = container.get("linuxParameters") or {}
    for member in _LINUX_PARAMETERS:
        if linux.get(member) not in (None, []):
            raise _not_on_fargate(member)
    for added in (linux.get("capabilities") or {}).get("add") or ():
        if added not in _ADDABLE:
            raise client(f"{added} is not allowed on Fargate.")
    refuse_gpus(container)
    if container.get("stopTimeout", 0) > _MAX_STOP_TIMEOUT:
        raise client(
            f"The 'stopTimeout' setting for container '{container['name']}' must be between 0 and "
            f"{_MAX_STOP_TIMEOUT} on Fargate."
        )


def refuse_gpus(container: Json) -> None:
    """Of a container definition, or of what RunTask puts in its place."""
    kinds = [needed["type"] for needed in container.get("resourceRequirements") or ()]
    if "GPU" in kinds:
        raise client(
            "Tasks using the Fargate launch type do not support GPU resource requirements."
        )


def _check_log_driver(container: Json) -> None:
    logs = container.get("logConfiguration")
    if logs is None:
        return
    driver = logs["logDriver"]
    if driver not in _LOG_DRIVERS:
        known = ",".join(_LOG_DRIVERS)
        raise client(f"{driver} is not a valid log driver. Must be one of [{known}]")
    if driver == "awslogs" and not (logs.get("options") or {}).get("awslogs-stream-prefix"):
        raise client(
            "Fargate requires log configuration options to include awslogs-stream-prefix to "
            "support log driver awslogs."
        )


def _check_volumes(definition: Json) -> None:
    for volume in definition.get("volumes") or ():
        if "sourcePath" in (volume.get("host") or {}):
            raise _not_on_fargate("sourcePath")
        for member in ("dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"):
            if member in volume:
                raise _not_on_fargate(member)


def _check_execution_role(definition: Json) -> None:
    if definition.get("executionRoleArn"):
        return
    for container in definition["containerDefinitions"]:
        if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            raise client(
                "Fargate requires task definition to have execution role ARN to support log "
                "driver awslogs."
            )
        if _ECR_HOST.match(container["image"]):
            raise client(
                "Fargate requires task definition to have execution role ARN to support ECR images."
            )


def _not_on_fargate(member: str) -> ApiError:
    return client(f"Fargate compatible task definitions do not support {member}")
