"""A task definition, and the service that runs it, → a Service YAML's tree.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fsd.importing.container import read_container
from fsd.importing.fargate_size import least_size
from fsd.importing.reader import (
    ANY_ENVIRONMENT,
    Imported,
    Loss,
    Original,
    Reader,
    literal,
    without_empty,
)
from fsd.importing.service_name import part_name, service_name
from fsd.importing.values import Value, listed, mapping, number, text_of

# What `describe-task-definition` adds: answers, no wishes.
_ANSWERS = frozenset(
    {"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities"}
    | {"registeredAt", "registeredBy", "deregisteredAt", "deleteRequestedAt"}
)
# What FSD says too; ECS's default for `mode` may be `blocking`.
_LOG_OPTIONS = {"mode": "non-blocking", "max-buffer-size": "25m"}
_VERBATIM = frozenset({"DockerLabels", "Options"})  # whose keys are names of somebody's
_SPELLED = {
    "EFSVolumeConfiguration": "efsVolumeConfiguration",
    "FilesystemId": "fileSystemId",
    "IAM": "iam",
}
_LOG_DRIVERS = {"awslogs", "awsfirelens"}


def read_task_definition(
    value: dict[str, Value], *, source: str, pack: str, service: dict[str, Value] | None = None
) -> Imported:
    """`service` is a service's definition, in the words of `create-service` or of its answer."""
    losses: list[Loss] = []
    original = unwrap(value)
    reader = Reader(original, "", losses)
    containers = list(reader.readers("containerDefinitions"))
    main = main_container(containers, reader.text("family"))
    tree = read_task_fields(reader)
    if len(containers) == 1 and main is not None:
        tree["resources"] = _alone(main, mapping(tree["resources"]))
    elif main is not None:
        _ignore_rest(main, containers, mapping(tree["resources"]))
    tree["resources"] = _on_fargate(mapping(tree["resources"]), losses)
    volumes = _volumes(reader)
    tree |= _container(main, volumes) if main is not None else {}
    tree["sidecars"] = [
        _sidecar(each, volumes, _group_of(main))
        for each in containers
        if (main is None or each.at != main.at) and not _is_router(each)
    ]
    for name in volumes:
        losses.append(Loss(where=f"volumes.{name}", value=name, reason="no container mounts it"))
    if service is not None:
        from fsd.importing.ecs_service import read_service

        tree = merged(tree, read_service(Reader(service, "service", losses)))
        tree["ports"] = _balanced_first(listed(tree.get("ports")), service)
    reader.ignore(*_ANSWERS)
    reader.finish()
    name = service_name(text_of(mapping(service or {}).get("serviceName")) or reader.text("family"))
    whole: dict[str, Value] = {
        "apiVersion": "fsd/v1",
        "kind": "Service",
        "metadata": {"name": name, "pack": pack or name},
        "service": {"type": "ecs", **without_empty(tree)},
    }
    return Imported(
        name=name,
        source=source,
        tree=whole,
        losses=tuple(losses),
        originals={ANY_ENVIRONMENT: Original(definition=original)},
    )


def unwrap(value: dict[str, Value]) -> dict[str, Value]:
    """Of an answer (`taskDefinition`), or of a template's properties (`ContainerDefinitions`)."""
    inner = value.get("taskDefinition")
    if isinstance(inner, dict):
        value = inner
    if "ContainerDefinitions" in value:
        value = mapping(in_api_spelling(value))
    return value


def in_api_spelling(value: Value) -> Value:
    """Of a template's properties, but for names that are somebody's own."""
    match value:
        case dict():
            return {
                _first_lower(key): inner if key in _VERBATIM else in_api_spelling(inner)
                for key, inner in value.items()
            }
        case list():
            return [in_api_spelling(inner) for inner in value]
    return value


def _first_lower(key: str) -> str:
    """But for a template's functions: `Ref`, `Fn::Sub`."""
    if key in _SPELLED:
        return _SPELLED[key]
    is_name = re.match(r"[A-Z][a-z]", key) and key != "Ref" and not key.startswith("Fn::")
    return key[:1].lower() + key[1:] if is_name else key


def main_container(containers: Sequence[Reader], family: str) -> Reader | None:
    """The one that listens; of several the one that is called like the task. A log router never."""
    containers = [each for each in containers if not each.values.get("firelensConfiguration")]
    essential = [each for each in containers if each.values.get("essential") is not False]
    listening = [each for each in essential if each.values.get("portMappings")]
    named = [each for each in essential if text_of(each.values.get("name")) == family]
    return next(iter([*named, *listening, *essential, *containers]), None)


def read_task_fields(reader: Reader) -> dict[str, Value]:
    if reader.text("networkMode") not in ("awsvpc", ""):
        reader.lose("networkMode", "FSD runs on Fargate, which has awsvpc only")
    kinds = [text_of(each) for each in reader.items("requiresCompatibilities")]
    if kinds and "FARGATE" not in kinds:
        reader.lose("requiresCompatibilities", "FSD runs on Fargate")
    platform = reader.inside("runtimePlatform")
    architecture = platform.text("cpuArchitecture")
    if platform.text("operatingSystemFamily") not in ("LINUX", ""):
        platform.lose("operatingSystemFamily", "FSD runs Linux")
    platform.finish()
    storage = reader.inside("ephemeralStorage")
    found: dict[str, Value] = {
        "platform": architecture if architecture not in ("", "X86_64") else None,
        "resources": {
            "cpu": _size(reader, "cpu", "vcpu"),
            "memory": _size(reader, "memory", "gb"),
            "ephemeralStorage": storage.number("sizeInGiB"),
        },
        "roles": {
            "task": _role(reader.text("taskRoleArn")),
            "execution": _role(reader.text("executionRoleArn")),
        },
        "enableFaultInjection": reader.take("enableFaultInjection") or None,
        "tags": read_tags(reader),
    }
    storage.finish()
    for key in ("pidMode", "ipcMode", "proxyConfiguration", "placementConstraints"):
        reader.lose(key, "FSD has no setting for it")
    return found


def _role(written: str) -> str:
    """ECS takes a role's name too."""
    if re.fullmatch(r"[\w+=,.@-]{1,64}", written):
        return f"arn:aws:iam::${{AWS_ACCOUNT_ID}}:role/{written}"
    return literal(written)


def _alone(main: Reader, size: dict[str, Value]) -> dict[str, Value]:
    """The only container has the task to itself; where the task says no size, it is its own."""
    cpu, memory = number(main.values.get("cpu")), number(main.values.get("memory"))
    if size.get("cpu") is None:
        size = {**size, "cpu": cpu or None}
    if size.get("memory") is None:
        size = {**size, "memory": memory or number(main.values.get("memoryReservation"))}
    main.ignore("cpu", "memoryReservation")
    if memory == size.get("memory"):
        main.ignore("memory")
    return size


def _on_fargate(size: dict[str, Value], losses: list[Loss]) -> dict[str, Value]:
    """Instances give a task any size; Fargate has some, of which it gets the least with room."""
    cpu, memory = number(size.get("cpu")), number(size.get("memory"))
    least = least_size(cpu or 0, memory or 0) if cpu or memory else None
    if least is None or (cpu, memory) == least or (cpu is None and memory is None):
        return size
    written = f"cpu {cpu or 'not said'}, memory {memory or 'not said'}"
    reason = f"Fargate has no such size: it gets cpu {least[0]} and memory {least[1]}"
    losses.append(Loss(where="cpu, memory", value=written, reason=reason))
    return {**size, "cpu": least[0], "memory": least[1]}


def _ignore_rest(main: Reader, containers: Sequence[Reader], size: dict[str, Value]) -> None:
    """The share of CPU that the others leave is what FSD gives the main container too."""
    others = sum(number(each.values.get("cpu")) or 0 for each in containers if each is not main)
    if number(main.values.get("cpu")) == (number(size.get("cpu")) or 0) - others:
        main.ignore("cpu")


def read_tags(reader: Reader) -> dict[str, Value]:
    """FSD's own tags are set again."""
    tags: dict[str, str] = {}
    for each in reader.readers("tags"):
        key = each.text("key")
        if not key:
            each.lose("value", "it has no key")
        tags[key] = each.text("value")
        each.finish()
    return {
        key: literal(value)
        for key, value in tags.items()
        if key and not key.lower().startswith(("fsd:", "aws:"))
    }


def _size(reader: Reader, key: str, unit: str) -> int | None:
    found = task_units(text_of(reader.values.get(key)), unit)
    if found is None:
        reader.lose(key, "it is no size")
    reader.ignore(key)
    return found


def task_units(text: str, unit: str) -> int | None:
    """`256`, `.25 vCPU`, `1 GB`: the last two are 1024 of the first's."""
    size = rf"(\d{{0,18}}\.?\d{{1,18}})\s{{0,9}}({unit})?"
    match = re.fullmatch(size, text.strip(), re.IGNORECASE)
    if not match:
        return None
    return round(float(match[1]) * (1024 if match[2] else 1))


def _container(main: Reader, volumes: dict[str, dict[str, Value]]) -> dict[str, Value]:
    found = _ports(main)
    found["volumes"] = _mounts(main, volumes)
    found["observability"] = {"logs": _logs(main)}
    return merged(read_container(main, is_main=True), found)


def _is_router(reader: Reader) -> bool:
    """Whether it is Fluent Bit beside the others, which `driver: awsfirelens` starts again."""
    if not reader.values.get("firelensConfiguration"):
        return False
    router = reader.inside("firelensConfiguration")
    if router.text("type") == "fluentd":
        router.lose("type", "FSD starts Fluent Bit")
    options = router.inside("options")
    options.ignore("enable-ecs-log-metadata")
    options.finish("FSD's Fluent Bit has AWS's image and no file of its own")
    router.finish()
    image = reader.text("image")
    if image and "/aws-for-fluent-bit:" not in f"{image}:":
        reader.lose("image", "FSD's Fluent Bit is AWS's own image")
    if reader.values.get("essential") is False:
        reader.lose("essential", "without it lines are lost, so that FSD's is essential")
    reader.ignore("name", "essential", "cpu", "memory", "memoryReservation", "logConfiguration")
    reader.ignore("user", *(key for key, value in reader.values.items() if value in (0, False)))
    reader.finish("FSD's Fluent Bit has no settings but the service's log options")
    return True


def _lose_own_logs(reader: Reader, group: Value) -> None:
    """A sidecar's lines go where the service's own go in CloudWatch."""
    logs, at = _logs(reader), f"{reader.place('logConfiguration')}.options.awslogs-group"
    if logs.get("driver"):
        reader.lose("logConfiguration", "FSD's sidecars write to CloudWatch")
    elif logs.get("group") and logs["group"] != group:
        written = text_of(logs["group"]).replace("$$", "$")
        reason = "a sidecar writes to the log group of its service"
        reader.losses.append(Loss(where=at, value=written, reason=reason))


def _group_of(main: Reader | None) -> Value:
    logs = mapping(main.values.get("logConfiguration")) if main is not None else {}
    return literal(text_of(mapping(logs.get("options")).get("awslogs-group")))


def _sidecar(reader: Reader, volumes: dict[str, dict[str, Value]], group: Value) -> Value:
    ports: list[int | None] = []
    for each in reader.readers("portMappings"):
        ports.append(each.number("containerPort"))
        if each.text("protocol") not in ("", "tcp"):
            each.lose("protocol", "FSD's ports are TCP")
        each.ignore("name", "hostPort", "appProtocol")
        each.finish("a sidecar has one port")
    found: dict[str, Value] = {
        "name": part_name(reader.text("name")),
        "essential": reader.values.get("essential") is not False,
        "port": next((port for port in ports if port), None),
        "volumes": _mounts(reader, volumes),
    }
    if len(ports) > 1:
        reader.taken.discard("portMappings")
        reader.lose("portMappings", "a sidecar has one port")
    _lose_own_logs(reader, group)
    found |= read_container(reader, is_main=False)
    return without_empty(found)


def _ports(main: Reader) -> dict[str, Value]:
    """One HTTP port is `port`; several, or another protocol, are `ports`.

    A port without `appProtocol` is TCP to ECS. Where no port has one the first counts as HTTP all
    the same: most definitions leave the protocol out, and load balancers speak HTTP to it.
    """
    found: list[Value] = []
    mappings = list(main.readers("portMappings"))
    says_protocols = any(each.values.get("appProtocol") for each in mappings)
    for index, mapping_ in enumerate(mappings):
        port = mapping_.number("containerPort")
        is_tcp = mapping_.text("name") and (says_protocols or index)
        protocol = mapping_.text("appProtocol") or ("tcp" if is_tcp else None)
        is_udp = mapping_.text("protocol") == "udp"
        if mapping_.text("protocol") not in ("", "tcp", "udp"):
            mapping_.lose("protocol", "ECS has no such protocol")
        if is_udp:
            mapping_.lose("protocol", "FSD's ports are TCP, and this one is left out")
        if mapping_.number("hostPort") not in (None, 0, port):
            mapping_.lose("hostPort", "with awsvpc the host's port is the container's")
        mapping_.lose("containerPortRange", "a port is one port")
        mapping_.finish()
        if not is_udp:
            found.append(
                without_empty({"name": mapping_.text("name"), "port": port, "protocol": protocol})
            )
    if len(found) == 1 and mapping(found[0]).get("protocol") in (None, "http"):
        return {"port": mapping(found[0]).get("port")}
    return {"ports": found}


def _balanced_first(ports: list[Value], service: dict[str, Value]) -> list[Value]:
    """The first of `ports` is the one that the load balancer sends to."""
    balanced = {
        number(mapping(each).get("containerPort")) for each in listed(service.get("loadBalancers"))
    }
    return sorted(ports, key=lambda each: mapping(each).get("port") not in balanced)


def _mounts(reader: Reader, volumes: dict[str, dict[str, Value]]) -> list[Value]:
    """Each volume stands where it is mounted first; a sidecar names it."""
    found: list[Value] = []
    for mount in reader.readers("mountPoints"):
        name = part_name(mount.text("sourceVolume"))
        found.append(
            without_empty(
                {
                    "name": name,
                    "path": mount.text("containerPath"),
                    "readOnly": mount.take("readOnly") or None,
                    **volumes.pop(name, {}),
                }
            )
        )
        mount.finish()
    return found


def _volumes(reader: Reader) -> dict[str, dict[str, Value]]:
    found: dict[str, dict[str, Value]] = {}
    for volume in reader.readers("volumes"):
        efs = volume.inside("efsVolumeConfiguration")
        access = efs.inside("authorizationConfig")
        settings: dict[str, Value] = {
            "fileSystem": literal(efs.text("fileSystemId")),
            "accessPoint": literal(access.text("accessPointId")),
            "root": efs.text("rootDirectory") if efs.text("rootDirectory") != "/" else None,
        }
        efs.ignore("transitEncryption", "transitEncryptionPort")  # FSD always encrypts
        access.ignore("iam")
        access.finish()
        efs.finish()
        volume.lose("host", "Fargate has no folders of a host")
        found[part_name(volume.text("name"))] = {"efs": without_empty(settings)} if settings else {}
        volume.finish()
    return found


def _logs(reader: Reader) -> dict[str, Value]:
    """awslogs is what FSD does too; its group and prefix are FSD's unless the manifest says one."""
    logs = reader.inside("logConfiguration")
    driver = logs.text("logDriver")
    options = logs.inside("options")
    if driver in ("awslogs", ""):
        group = options.text("awslogs-group")
        options.ignore("awslogs-region", "awslogs-stream-prefix", "awslogs-create-group")
        for key, value in _LOG_OPTIONS.items():
            if options.values.get(key) == value:
                options.ignore(key)
        options.finish("FSD writes to CloudWatch as ECS does by itself")
        logs.finish()
        return {"group": literal(group)} if group else {}
    if driver in _LOG_DRIVERS:
        values: dict[str, Value] = {
            key: literal(value) for key, value in logs.texts("options").items()
        }
        logs.lose("secretOptions", "FSD's log options have no secrets")
        logs.finish()
        return {"driver": driver, "options": values}
    reader.lose("logConfiguration", f"FSD has no log driver `{driver}`")
    return {}


def merged(first: dict[str, Value], second: dict[str, Value]) -> dict[str, Value]:
    """Deeply; the second wins, and what is empty in it says nothing."""
    found = dict(first)
    for key, value in second.items():
        before = found.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            found[key] = merged(before, value)
        elif key == "connect" or (value is not None and value != {} and value != []):
            found[key] = value
    return found


def has_task_definition(value: Value) -> bool:
    return bool(listed(unwrap(mapping(value)).get("containerDefinitions")))
