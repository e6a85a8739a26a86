"""What a source says against what its import compiles to, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fsd.importing.reader import Loss, Original, is_empty, shown
from fsd.importing.service_name import part_name
from fsd.importing.task_definition import task_units, unwrap
from fsd.importing.values import Value, listed, mapping, text_of
from fsd.manifest.finding import Finding

# What FSD names or sets itself in every task definition.
_OURS = frozenset({"family", "tags", "name"})
_TASK = ("cpu", "memory", "networkMode", "requiresCompatibilities", "runtimePlatform")
_MORE = (
    "taskRoleArn",
    "executionRoleArn",
    "ephemeralStorage",
    "volumes",
    "pidMode",
    "ipcMode",
    "enableFaultInjection",
)
_SHARES = frozenset({"cpu", "memoryReservation"})
_BY_NAME = frozenset(
    {"environment", "secrets", "ulimits", "dependsOn", "mountPoints", "systemControls"}
)
_PARTS = frozenset({"sourceVolume", "containerName"})  # named as the Service YAML spells them
# A parameter's name is its ARN in the task's own account and region.
_PARAMETER = re.compile(r"arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:parameter(?=/)")
_DEFAULTS: Mapping[str, Value] = {
    "essential": True,
    "readonlyRootFilesystem": False,
    "networkMode": "awsvpc",
    "privileged": False,
    "enableFaultInjection": False,
    "interactive": False,
    "pseudoTerminal": False,
    "readOnly": False,
    "rootDirectory": "/",
    "cpu": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    field: str
    original: str
    compiled: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    same: tuple[str, ...]
    different: tuple[FieldDifference, ...]
    uncompared: tuple[Loss, ...] = ()  # what has no counterpart, each with the reason
    obstacle: Finding | None = None  # an error of the import, which nothing is compiled from


def compare_all(
    original: Original, compiled: dict[str, Value], around: Mapping[str, Value]
) -> Comparison:
    """The task definitions, and what is around them: service, load balancer, scaling."""
    found = compare(original.definition, compiled, is_part=original.is_part)
    same, different = [*found.same], [*found.different]
    for field, first in original.around.items():
        second = around.get(field)
        if _normal(field, first) == _normal(field, second):
            same.append(field)
        else:
            different.append(
                FieldDifference(field=field, original=_said(first), compiled=_said(second))
            )
    return Comparison(same=tuple(same), different=tuple(different), uncompared=original.uncompared)


def compare(
    original: dict[str, Value], compiled: dict[str, Value], *, is_part: bool = False
) -> Comparison:
    """The main container of each with the other, sidecars by their names."""
    before, after = unwrap(original), unwrap(compiled)
    same: list[str] = []
    different: list[FieldDifference] = []
    for field, first, second in _fields(before, after, is_part=is_part):
        if _covers(_normal(field, first), _normal(field, second)):
            same.append(field)
        else:
            different.append(
                FieldDifference(field=field, original=_said(first), compiled=_said(second))
            )
    return Comparison(same=tuple(same), different=tuple(different))


def _covers(first: object, second: object) -> bool:
    """What the original says is said again; FSD may say more."""
    if isinstance(first, dict):
        other = second if isinstance(second, dict) else {}
        return all(_covers(value, other.get(key)) for key, value in first.items())
    if isinstance(first, frozenset):
        return isinstance(second, frozenset) and first <= second
    return first == second


def _said(value: Value) -> str:
    return "nothing" if is_empty(value) else shown(value)


def _fields(
    before: dict[str, Value], after: dict[str, Value], *, is_part: bool
) -> Iterator[tuple[str, Value, Value]]:
    for key in (*_TASK, *_MORE):
        is_set = key in _TASK and not is_part and not is_empty(after.get(key))
        if not is_empty(before.get(key)) or is_set:
            yield key, before.get(key), after.get(key)
    others = [mapping(each) for each in listed(after.get("containerDefinitions"))]
    named = {part_name(text_of(each.get("name"))): each for each in others}
    containers = listed(before.get("containerDefinitions"))
    for index, each in enumerate(containers):
        container = mapping(each)
        if len(containers) == 1:  # it has the task to itself, whatever share it asks for
            container = {key: value for key, value in container.items() if key not in _SHARES}
        name = text_of(container.get("name"))
        first = others[0] if others and (len(others) == 1 or index == 0) else {}
        other = named.get(part_name(name)) or first
        for key, value in container.items():
            if key not in _OURS and not is_empty(value):
                yield f"{name}.{key}", value, other.get(key)


def _normal(field: str, value: Value) -> object:
    """As AWS would answer: numbers as numbers, lists of names in an order, defaults left out."""
    key = field.rpartition(".")[2]
    if key == "runtimePlatform":
        return text_of(mapping(value).get("cpuArchitecture")) or "X86_64"
    if not _is_said(key, value):
        return None
    if key in ("cpu", "memory"):
        return str(task_units(text_of(value), "vcpu" if key == "cpu" else "gb"))
    if key in _BY_NAME:
        return frozenset(_pair(key, mapping(each)) for each in listed(value))
    if key == "portMappings":
        return frozenset(text_of(mapping(each).get("containerPort")) for each in listed(value))
    if key == "image":
        return _image(text_of(value))
    if key == "volumes":
        return frozenset(str(_volume(mapping(each))) for each in listed(value))
    return _normal_section(key, value)


def _normal_section(key: str, value: Value) -> object:
    match key:
        case "repositoryCredentials":  # by its name or by its ARN
            return text_of(mapping(value).get("credentialsParameter")).rpartition(":secret:")[2]
        case "linuxParameters":
            parameters = mapping(value)
            return {k: v for k, v in parameters.items() if (k, v) != ("initProcessEnabled", False)}
        case "logConfiguration":
            return _logs(mapping(value))
    return value


def _image(uri: str) -> str:
    """A digest says which image it is, whatever tag stands before it."""
    name, _, digest = uri.partition("@")
    _, _, tag = name.rpartition("/")[2].partition(":")
    place = name.removesuffix(f":{tag}") if tag else name.removesuffix(":")
    return f"{place}@{digest}" if digest else f"{place}:{tag or 'latest'}"


def _is_said(key: str, value: Value) -> bool:
    return not is_empty(value) and value != _DEFAULTS.get(key, "\0")


def _pair(key: str, value: dict[str, Value]) -> str:
    others = {name: each for name, each in value.items() if _is_said(name, each)}
    for name in _PARTS & others.keys():
        others[name] = part_name(text_of(others[name]))
    if key == "secrets":
        others["valueFrom"] = _PARAMETER.sub("", text_of(value.get("valueFrom")))
    return str(sorted(others.items()))


def _volume(value: dict[str, Value]) -> dict[str, Value]:
    """Its name, and what of EFS it is: FSD always encrypts on the way."""
    efs = mapping(value.get("efsVolumeConfiguration"))
    root = text_of(efs.get("rootDirectory"))
    return {
        "name": part_name(text_of(value.get("name"))),
        "fileSystemId": efs.get("fileSystemId"),
        "rootDirectory": root if root != "/" else "",
        "accessPointId": mapping(efs.get("authorizationConfig")).get("accessPointId"),
        "host": mapping(value.get("host")),
    }


def _logs(value: dict[str, Value]) -> object:
    """awslogs: the group. Its streams' prefix and its buffer are FSD's own."""
    options = mapping(value.get("options"))
    if text_of(value.get("logDriver")) == "awslogs":
        return {"logDriver": "awslogs", **_said_group(options)}
    return {"logDriver": value.get("logDriver"), "options": options}


def _said_group(options: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in options.items() if key == "awslogs-group"}
