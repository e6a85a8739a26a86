"""A compose file as its services: how each is built, what it runs, and what it is given.

https://docs.docker.com/reference/compose-file/
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from fsd.importing.compose_extends import extended
from fsd.importing.compose_variables import resolve
from fsd.importing.values import Value, listed, mapping, number, read_values, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeBuild:
    context: str  # relative to the compose file
    dockerfile: str  # relative to the context
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeService:
    name: str
    build: ComposeBuild | None
    image: str
    command: tuple[str, ...] | None
    entry_point: tuple[str, ...] | None
    ports: tuple[int, ...]  # of the container
    environment: Mapping[str, str]
    env_files: tuple[str, ...]
    raw: Mapping[str, Value]  # with the file's own defaults for its variables
    written: Mapping[str, Value]


def read_compose(text: str, *, path: str) -> tuple[ComposeService, ...]:
    """() for what is no compose file."""
    services = mapping(mapping(read_values(text, path=path, has_words=True)).get("services"))
    merged = extended(services, path=path)
    return tuple(_service(name, merged[name]) for name in services if merged[name])


def _service(name: str, written: dict[str, Value]) -> ComposeService:
    raw = mapping(resolve(written))
    return ComposeService(
        name=name,
        build=_build(raw.get("build")),
        image=text_of(raw.get("image")),
        command=_command(raw.get("command")),
        entry_point=_command(raw.get("entrypoint")),
        ports=tuple(
            port
            for value in [*listed(raw.get("ports")), *listed(raw.get("expose"))]
            if (port := port_of(value))
        ),
        environment=_environment(raw.get("environment")),
        env_files=_env_files(raw.get("env_file")),
        raw=raw,
        written=written,
    )


def _build(value: Value) -> ComposeBuild | None:
    if isinstance(value, str):
        return ComposeBuild(context=value, dockerfile="Dockerfile")
    if not isinstance(value, dict):
        return None
    return ComposeBuild(
        context=text_of(value.get("context")) or ".",
        dockerfile=text_of(value.get("dockerfile")) or "Dockerfile",
        target=text_of(value.get("target")),
        args=_environment(value.get("args")),
    )


def _command(value: Value) -> tuple[str, ...] | None:
    """Compose splits text into words itself; no shell runs it."""
    if isinstance(value, list):
        return tuple(text_of(each) for each in value)
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        return tuple(shlex.split(value))
    except ValueError:
        return ("sh", "-c", value)


def port_of(value: Value) -> int | None:
    """`127.0.0.1:8000:80/tcp`, `80`, `{target: 80}`; of a range the first; None for UDP."""
    written = mapping(value)
    text = f"{text_of(written.get('target'))}/{text_of(written.get('protocol'))}"
    name, _, protocol = (text if written else text_of(value)).partition("/")
    port = name.rpartition(":")[2].partition("-")[0]
    is_port = 0 < (number(port) or 0) < 65536
    return number(port) if is_port and protocol in ("", "tcp") else None


def _environment(value: Value) -> dict[str, str]:
    """A list's `NAME` without a value is what compose's own environment has."""
    if isinstance(value, dict):
        return {name: text_of(each) for name, each in value.items()}
    pairs = (text_of(each).partition("=") for each in listed(value))
    return {name: text for name, _, text in pairs if name}


def _env_files(value: Value) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    paths = (text_of(mapping(each).get("path")) or text_of(each) for each in items)
    return tuple(path for path in paths if path)
