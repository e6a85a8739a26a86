"""Task definitions made comparable: AWS's defaults out, unordered lists in order.

Works on copies; what will be sent is never touched.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

from __future__ import annotations

from fsd.compile.desired import Json, JsonValue

_EMPTY: tuple[JsonValue, ...] = ([], {}, None, "")
_UNORDERED_BY = {
    "environment": "name",
    "secrets": "name",
    "portMappings": "containerPort",
    "dependsOn": "containerName",
    "mountPoints": "containerPath",
    "systemControls": "namespace",
}
_TASK_DEFAULTS: dict[str, JsonValue] = {"enableFaultInjection": False}
_CONTAINER_DEFAULTS: dict[str, JsonValue] = {"cpu": 0, "essential": True}
_PORT_DEFAULTS: dict[str, JsonValue] = {"protocol": "tcp"}


def normalise_task_definition(definition: Json) -> Json:
    """A copy in which equal definitions are equal values."""
    result = {**_TASK_DEFAULTS, **_without_empty(definition)}
    containers = result.get("containerDefinitions")
    if isinstance(containers, list):
        result["containerDefinitions"] = [
            _container(container) for container in containers if isinstance(container, dict)
        ]
    return result


def _container(container: Json) -> Json:
    result: Json = {**_CONTAINER_DEFAULTS, **_without_empty(container)}
    for key, name in _UNORDERED_BY.items():
        entries = result.get(key)
        if isinstance(entries, list):
            result[key] = _sorted([_port(e) if key == "portMappings" else e for e in entries], name)
    return result


def _port(entry: JsonValue) -> JsonValue:
    """In awsvpc the host port is the container port, said or not."""
    if not isinstance(entry, dict):
        return entry
    return {**_PORT_DEFAULTS, **{k: v for k, v in entry.items() if k not in {"hostPort"}}}


def _sorted(entries: list[JsonValue], by: str) -> list[JsonValue]:
    return sorted(entries, key=lambda e: str(e.get(by)) if isinstance(e, dict) else str(e))


def _without_empty(value: Json) -> Json:
    result: Json = {}
    for key, item in value.items():
        kept = _without_empty(item) if isinstance(item, dict) else item
        if kept not in _EMPTY:
            result[key] = kept
    return result
