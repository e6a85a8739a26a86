"""An original task definition against the one that its import compiles to, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fsd.importing.reader import is_empty, shown
from fsd.importing.task_definition import task_units, unwrap
from fsd.importing.values import Value, listed, mapping, text_of

# What FSD names or sets itself in every task definition.
_OURS = frozenset({"family", "tags", "logConfiguration", "dockerLabels", "name"})
_TASK = ("cpu", "memory", "networkMode", "requiresCompatibilities", "runtimePlatform")
_MORE = ("taskRoleArn", "executionRoleArn", "ephemeralStorage", "volumes", "pidMode", "ipcMode")
_SHARES = frozenset({"cpu", "memoryReservation"})
_BY_NAME = frozenset({"environment", "secrets", "ulimits"})
_DEFAULTS: Mapping[str, Value] = {
    "essential": True,
    "readonlyRootFilesystem": False,
    "networkMode": "awsvpc",
    "privileged": False,
    "interactive": False,
    "pseudoTerminal": False,
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


def compare(original: dict[str, Value], compiled: dict[str, Value]) -> Comparison:
    """The main container of each with the other, sidecars by their names."""
    before, after = unwrap(original), unwrap(compiled)
    same: list[str] = []
    different: list[FieldDifference] = []
    for field, first, second in _fields(before, after):
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
    before: dict[str, Value], after: dict[str, Value]
) -> Iterator[tuple[str, Value, Value]]:
    for key in (*_TASK, *_MORE):
        if not is_empty(before.get(key)) or (key in _TASK and not is_empty(after.get(key))):
            yield key, before.get(key), after.get(key)
    others = [mapping(each) for each in listed(after.get("containerDefinitions"))]
    named = {text_of(each.get("name")): each for each in others}
    containers = listed(before.get("containerDefinitions"))
    for index, each in enumerate(containers):
        container = mapping(each)
        if len(containers) == 1:  # it has the task to itself, whatever share it asks for
            container = {key: value for key, value in container.items() if key not in _SHARES}
        name = text_of(container.get("name"))
        other = named.get(name) or (others[0] if len(others) == 1 or index == 0 else {})
        for key, value in container.items():
            if key not in _OURS and not is_empty(value):
                yield f"{name}.{key}", value, other.get(key)


def _normal(field: str, value: Value) -> object:
    """As AWS would answer: numbers as numbers, lists of names in an order, defaults left out."""
    key = field.rpartition(".")[2]
    if key == "runtimePlatform":
        return text_of(mapping(value).get("cpuArchitecture")) or "X86_64"
    if is_empty(value) or value == _DEFAULTS.get(key, "\0"):
        return None
    if key in ("cpu", "memory"):
        return str(task_units(text_of(value), "vcpu" if key == "cpu" else "gb"))
    if key in _BY_NAME:
        pairs = [mapping(each) for each in listed(value)]
        return frozenset(str(sorted(each.items())) for each in pairs)
    if key == "portMappings":
        return frozenset(text_of(mapping(each).get("containerPort")) for each in listed(value))
    if key == "image":
        uri = text_of(value)
        return uri if "@" in uri or ":" in uri.rpartition("/")[2] else f"{uri}:latest"
    return value
