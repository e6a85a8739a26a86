"""Settings of a container in words: what a plan says of the difference.

Values that may hold a secret (a command, the environment) are not here: of those only the fact that
they differ is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fsd.change import BareRemark, Change
from fsd.compile.desired import Json, JsonValue


def describe_field(field: str, old: Json, new: Json) -> Change:
    """Of a field whose values differ between two definitions of one container."""
    if field not in _WORDS:
        return Change(
            what=field, remark=BareRemark.CHANGED if field in old and field in new else None
        )
    what, words = _WORDS[field]
    return Change(what=what, before=words(old.get(field)), after=words(new.get(field)))


def _text(value: JsonValue) -> str:
    return "none" if value is None else str(value)


def _seconds(value: JsonValue) -> str:
    return "default" if value is None else f"{value} s"


def _switch(value: JsonValue) -> str:
    return "on" if value else "off"


def _limits(value: JsonValue) -> str:
    """`nofile 1024/4096`."""
    entries = value if isinstance(value, list) else []
    parts = (
        f"{entry.get('name')} {entry.get('softLimit')}/{entry.get('hardLimit')}"
        for entry in entries
        if isinstance(entry, dict)
    )
    return ", ".join(parts) or "none"


def _linux(value: JsonValue) -> str:
    """`init on, +SYS_PTRACE, -NET_RAW`."""
    parameters = value if isinstance(value, dict) else {}
    capabilities = parameters.get("capabilities")
    capabilities = capabilities if isinstance(capabilities, dict) else {}
    parts = [f"init {_switch(parameters.get('initProcessEnabled'))}"]
    for sign, key in (("+", "add"), ("-", "drop")):
        names = capabilities.get(key)
        parts += [f"{sign}{name}" for name in names] if isinstance(names, list) else []
    return ", ".join(parts)


def _controls(value: JsonValue) -> str:
    """`net.core.somaxconn=1024`."""
    return _each(value, lambda entry: f"{entry.get('namespace')}={entry.get('value')}")


def _login(value: JsonValue) -> str:
    """The name of the secret."""
    arn = value.get("credentialsParameter") if isinstance(value, dict) else None
    return str(arn).rpartition(":")[2] if arn else "none"


def _dependencies(value: JsonValue) -> str:
    return _each(value, lambda entry: f"{entry.get('containerName')} {entry.get('condition')}")


def _ports(value: JsonValue) -> str:
    return _each(value, _port)


def _port(entry: Json) -> str:
    """`8000`, `admin 9000`, `grpc 50051 (grpc)`."""
    name, protocol = entry.get("name"), entry.get("appProtocol")
    said = f" ({protocol})" if protocol not in (None, "http") else ""
    return f"{f'{name} ' if name else ''}{entry.get('containerPort')}{said}"


def _mounts(value: JsonValue) -> str:
    return _each(value, _mount)


def _mount(entry: Json) -> str:
    return f"{entry.get('sourceVolume')} at {entry.get('containerPath')}"


def _each(value: JsonValue, words: Callable[[Json], str]) -> str:
    entries = value if isinstance(value, list) else []
    return ", ".join(words(entry) for entry in entries if isinstance(entry, dict)) or "none"


_WORDS: Mapping[str, tuple[str, Callable[[JsonValue], str]]] = {
    "stopTimeout": ("stop timeout", _seconds),
    "user": ("user", _text),
    "workingDirectory": ("working directory", _text),
    "readonlyRootFilesystem": ("read-only root", _switch),
    "ulimits": ("ulimits", _limits),
    "linuxParameters": ("process", _linux),
    "systemControls": ("kernel settings", _controls),
    "repositoryCredentials": ("registry credentials", _login),
    "dependsOn": ("depends on", _dependencies),
    "mountPoints": ("volumes", _mounts),
    "portMappings": ("ports", _ports),
}
