"""Folder → what its first Service YAML should say, each value with where it comes from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fsd.scaffold.folder import Folder
from fsd.scaffold.source import HEALTH, Mention, Source, read_source
from fsd_files.dockerfile import Instruction, parse_dockerfile, substitute, unquote
from fsd_files.errors import FileError

API, WORKER = "api", "worker"

# What listens when nothing else is said.
_DEFAULT_PORTS = {
    "fastapi": 8000,
    "uvicorn": 8000,
    "gunicorn": 8000,
    "hypercorn": 8000,
    "starlette": 8000,
    "litestar": 8000,
    "django": 8000,
    "sanic": 8000,
    "aiohttp.web": 8080,
    "flask": 5000,
    "quart": 5000,
    "http.server": 8000,
}
_KAFKA = ("aiokafka", "kafka", "confluent_kafka", "faust")
# How a distribution is called that another name imports.
_DISTRIBUTIONS = {
    "kafka-python": "kafka",
    "confluent-kafka": "confluent_kafka",
    "faust-streaming": "faust",
}
_NAME = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_GITHUB = re.compile(
    r"(?:https://(?:[^@/\s]+@)?github\.com/|(?:ssh://)?git@github\.com[:/])"
    r"(?P<owner>[A-Za-z0-9-]+)/(?P<repository>[\w.-]+?)(?:\.git)?/?"
)
_OWNER = re.compile(r"@[A-Za-z0-9-]+(?:/[A-Za-z0-9._-]+)?")
_PORT_FLAG = re.compile(
    r"(?:--port|-p|--bind|-b|--listen)(?:[= ]+)(?:\S*?:)?(?P<port>\d{1,5})(?!\S)"
)
_BIND = re.compile(r"^\s*bind\s*=.*?:(?P<port>\d{1,5})", re.MULTILINE)
_CHECKED = re.compile(r"https?://[^/\s'\"]+(?P<path>/[^\s'\"?)|]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    value: str
    source: str  # `Dockerfile:9`, for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """None where the folder does not say."""

    name: Found
    kind: Found  # api or worker
    pack: Found | None
    owners: tuple[str, ...]
    owners_source: str
    port: Found | None
    health: Found | None
    aws: tuple[Mention, ...]
    calls: frozenset[str]
    kafka: Found | None
    folder: Folder


def detect(folder: Folder) -> Detected:
    sources = [read_source(text, path=path) for path, text in folder.sources.items()]
    uses = {**_required(folder), **_imported(sources)}
    docker = _dockerfile(folder)
    port = _port(folder, docker, sources, uses)
    web = next((uses[name] for name in _DEFAULT_PORTS if name in uses), "")
    owners, owners_source = _owners(folder)
    said = port.source if port else f"nothing that listens in {len(sources)} Python files"
    kafka = next((name for name in _KAFKA if name in uses), "")
    return Detected(
        name=_name(folder),
        kind=Found(value=API if port else WORKER, source=web if port and web else said),
        pack=_pack(folder, owners, owners_source),
        owners=owners,
        owners_source=owners_source,
        port=port,
        health=_health(docker, sources),
        aws=_aws(sources) if "boto3" in uses or "aioboto3" in uses or "aiobotocore" in uses else (),
        calls=frozenset(name for source in sources for name in source.calls),
        kafka=Found(value=kafka, source=uses[kafka]) if kafka else None,
        folder=folder,
    )


def _name(folder: Folder) -> Found:
    project = _pyproject(folder)
    for section in (project.get("project"), _table(project, "tool", "poetry")):
        if isinstance(section, dict) and isinstance(section.get("name"), str):
            name = as_name(section["name"])
            if name:
                return Found(value=name, source="pyproject.toml")
    remote = _GITHUB.fullmatch(folder.remote)
    if remote and not folder.below_repository and as_name(remote["repository"]):
        return Found(value=as_name(remote["repository"]), source="the remote `origin`")
    return Found(value=as_name(folder.root.name) or "my-service", source="the folder's name")


def as_name(text: str) -> str:
    """The nearest name that a service can have; empty where nothing is left."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].rstrip("-")
    name = name.lstrip("0123456789-")
    return name if _NAME.fullmatch(name) else ""


def _pack(folder: Folder, owners: Sequence[str], source: str) -> Found | None:
    if owners:
        return Found(value=owners[0].rpartition("/")[2].lstrip("@"), source=source)
    remote = _GITHUB.fullmatch(folder.remote)
    return Found(value=remote["owner"], source="the remote `origin`") if remote else None


def _owners(folder: Folder) -> tuple[tuple[str, ...], str]:
    """Of the last line in CODEOWNERS that is for everything, or for this folder."""
    below = folder.below_repository.rstrip("/")
    found: tuple[str, ...] = ()
    for line in folder.owners.splitlines():
        pattern, *rest = line.split("#")[0].split() or [""]
        owners = tuple(word for word in rest if _OWNER.fullmatch(word))
        if owners and (pattern in ("*", "/", "/**", "**") or pattern.strip("/*") == below):
            found = owners
    if found:
        return found[:3], folder.owners_path
    remote = _GITHUB.fullmatch(folder.remote)
    return ((f"@{remote['owner']}",), "the remote `origin`") if remote else ((), "")


def _port(
    folder: Folder,
    docker: Sequence[Instruction],
    sources: Sequence[Source],
    uses: Mapping[str, str],
) -> Found | None:
    """What runs says more than what is declared, and both more than a default."""
    candidates = (
        *_docker_command_port(docker),
        *_expose(docker),
        *_configured(folder),
        *(
            Found(value=mention.value, source=mention.where)
            for source in sources
            for mention in source.ports
        ),
        *(
            Found(value=str(port), source=f"what {name} listens on by itself ({uses[name]})")
            for name, port in _DEFAULT_PORTS.items()
            if name in uses
        ),
    )
    return next((found for found in candidates if 0 < int(found.value) < 65536), None)


def _docker_command_port(docker: Sequence[Instruction]) -> Iterator[Found]:
    variables = _variables(docker)
    for instruction in reversed(docker):
        if instruction.name in ("CMD", "ENTRYPOINT"):
            words = instruction.exec_form() or tuple(map(unquote, instruction.words()))
            match = _PORT_FLAG.search(substitute(" ".join(words), variables))
            if match:
                yield _in_dockerfile(match["port"], instruction)


def _expose(docker: Sequence[Instruction]) -> Iterator[Found]:
    variables = _variables(docker)
    for instruction in docker:
        if instruction.name == "EXPOSE":
            for word in instruction.words():
                port, _, protocol = substitute(unquote(word), variables).partition("/")
                if _is_port(port) and protocol in ("", "tcp"):
                    yield _in_dockerfile(port, instruction)


def _configured(folder: Folder) -> Iterator[Found]:
    match = _BIND.search(folder.texts.get("gunicorn.conf.py", ""))
    if match:
        yield Found(value=match["port"], source="gunicorn.conf.py")


def _health(docker: Sequence[Instruction], sources: Sequence[Source]) -> Found | None:
    routes = sorted(
        (mention for source in sources for mention in source.routes),
        key=lambda mention: ("health" not in mention.value, len(mention.value), mention.where),
    )
    if routes:
        return Found(value=routes[0].value, source=routes[0].where)
    for instruction in docker:
        match = _CHECKED.search(instruction.text) if instruction.name == "HEALTHCHECK" else None
        if match and HEALTH.fullmatch(match["path"]):
            return _in_dockerfile(match["path"], instruction)
    return None


def _aws(sources: Sequence[Source]) -> tuple[Mention, ...]:
    """The first use of each service."""
    first: dict[str, Mention] = {}
    for source in sources:
        for mention in source.aws:
            first.setdefault(mention.value, mention)
    return tuple(first[name] for name in sorted(first))


def _dockerfile(folder: Folder) -> tuple[Instruction, ...]:
    """The last stage, which is what runs; with the ARGs before the first. () if it is none."""
    try:
        every = parse_dockerfile(folder.texts.get("Dockerfile", ""))
    except FileError:
        return ()
    starts = [index for index, each in enumerate(every) if each.name == "FROM"]
    return (*every[: starts[0]], *every[starts[-1] :]) if starts else every


def _variables(docker: Iterable[Instruction]) -> dict[str, str]:
    found: dict[str, str] = {}
    for instruction in docker:
        if instruction.name in ("ENV", "ARG"):
            for word in instruction.words():
                name, _, value = word.partition("=")
                found[name] = substitute(unquote(value), found)
    return found


def _in_dockerfile(value: str, instruction: Instruction) -> Found:
    return Found(value=value, source=f"Dockerfile:{instruction.line} ({instruction.name})")


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def _imported(sources: Sequence[Source]) -> dict[str, str]:
    """Module → where it is imported first."""
    found: dict[str, str] = {}
    for source in sources:
        for mention in source.imports:
            found.setdefault(mention.value, mention.where)
            found.setdefault(mention.value.partition(".")[0], mention.where)
    return found


def _required(folder: Folder) -> dict[str, str]:
    """Distribution, by the name under which it is imported → the file that requires it."""
    found: dict[str, str] = {}
    for path, text in folder.texts.items():
        lines = text.splitlines() if path.endswith(".txt") else ()
        for name in _names(lines if path != "pyproject.toml" else _dependencies(folder)):
            found.setdefault(_DISTRIBUTIONS.get(name, name), path)
    return found


def _names(requirements: Iterable[str]) -> Iterator[str]:
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match:
            yield match[1].lower().replace("_", "-")


def _dependencies(folder: Folder) -> Iterator[str]:
    """As PEP 621 and Poetry write them."""
    project = _pyproject(folder)
    listed = _table(project, "project").get("dependencies")
    if isinstance(listed, list):
        yield from (item for item in listed if isinstance(item, str))
    yield from _table(project, "tool", "poetry", "dependencies")


def _pyproject(folder: Folder) -> dict[str, object]:
    try:
        return tomllib.loads(folder.texts.get("pyproject.toml", ""))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _table(document: Mapping[str, object], *path: str) -> dict[str, object]:
    node: object = document
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}
