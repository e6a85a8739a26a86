"""What happens between a container's start and its first answer: waiting, migrating, loading.

Each can keep a deployment from ending well, and none stands in the manifest by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fsd.importing.values import Value, listed, mapping, text_of
from fsd.scaffold.containers import FoundContainer
from fsd.scaffold.folder import Folder
from fsd.scaffold.variables import Variable, is_offered

_USUAL_GRACE = 60  # seconds
_SLOW_GRACE = 300
_HOST = r"(?P<host>[\w.-]+|\$\w+|\$\{\w+[^}\s]*\})"
_PORT = r"(?P<port>\d+|\$\w+|\$\{\w+[^}\s]*\})"
# Programs that wait until somebody listens.
_WAITS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\bnc\s+(?:-\w+\s+(?:\d+\s+)?)*{_HOST}\s+{_PORT}",
        rf"\bwait[-_]for(?:[-_]it)?(?:\.sh)?\s+(?:-\S+\s+(?:\d+\s+)?)*{_HOST}:{_PORT}",
        rf"\bdockerize\b.*?-wait\s+tcp://{_HOST}:{_PORT}",
        rf"/dev/tcp/{_HOST}/{_PORT}",
        rf"\bpg_isready\b.*?(?:-h|--host)[ =]?{_HOST}(?:.*?(?:-p|--port)[ =]?{_PORT})?",
        rf"\bmysqladmin\b.*?\bping\b.*?(?:-h|--host)[ =]?{_HOST}(?P<port>)",
    )
)
_MIGRATES = re.compile(
    r"alembic(?:\s+-\S+(?:\s+\S+)?)?\s+upgrade\s+\w+|(?:python3?\s+)?(?:\./)?manage\.py\s+migrate"
    r"|flask\s+(?:--app\s+\S+\s+)?db\s+upgrade|aerich\s+upgrade|piccolo\s+migrations\s+forwards\s+\w+"
)
# Libraries whose models are read into memory before a server answers.
_LOADS = ("torch", "tensorflow", "transformers", "sentence_transformers", "spacy", "whisper")
_NAME = re.compile(r"\$\{?(\w+)")
_QUOTES = str.maketrans("", "", "\"'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    notes: tuple[str, ...]
    variables: tuple[Variable, ...]  # that its scripts read
    grace: int  # seconds
    grace_source: str  # "" for the usual one


def read_start(folder: Folder, container: FoundContainer, uses: Mapping[str, str]) -> Start:
    texts = {container.command_source: " ".join(container.command), **container.scripts}
    waits = list(_waits(texts))
    migration = next(_migrations(texts), None)
    loads = next((name for name in _LOADS if name in uses), "")
    slow = f"it loads {loads} at start" if loads else ""
    slow = slow or ("the start command migrates the database" if migration else "")
    return Start(
        notes=(
            *(_wait_note(where, host, port) for where, host, port in waits),
            *([_migration_note(*migration)] if migration else []),
            *_mount_notes(folder, container),
        ),
        variables=tuple(_read(waits)),
        grace=_SLOW_GRACE if slow else _USUAL_GRACE,
        grace_source=slow,
    )


def _lines(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for path, text in texts.items():
        is_script = "\n" in text
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.lstrip().startswith("#"):
                yield (f"{path}:{number}" if is_script else path), line.translate(_QUOTES)


def _waits(texts: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    seen: set[tuple[str, str]] = set()
    for where, line in _lines(texts):
        for found in (match for pattern in _WAITS for match in pattern.finditer(line)):
            place = (found["host"], found["port"] or "")
            if place not in seen and not found["host"].startswith(("-", "localhost", "127.")):
                seen.add(place)
                yield (where, *place)


def _migrations(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for where, line in _lines(texts):
        if found := _MIGRATES.search(line):
            yield where, found[0]


def _wait_note(where: str, host: str, port: str) -> str:
    place = f"{host}:{port}" if port else host
    names = _NAME.findall(place)
    if names:
        todo = f"set {' and '.join(names)} to an address that a task can reach"
    elif "." not in host:
        todo = (
            f"`{host}` is a name of compose, which no task can resolve: wait for the real address"
        )
    else:
        todo = "it has to be reachable from the task"
    return f"{where} waits for `{place}` before the service starts: {todo}"


def _migration_note(where: str, command: str) -> str:
    return (
        f"{where} runs `{command}` in each task, several at the same time: service.beforeDeploy "
        "runs it once before a rollout"
    )


def _read(waits: Sequence[tuple[str, str, str]]) -> Iterator[Variable]:
    for where, host, port in waits:
        for name in _NAME.findall(f"{host}:{port}"):
            if is_offered(name):
                yield Variable(name=name, where=where, is_needed=True)


def _mount_notes(folder: Folder, container: FoundContainer) -> Iterator[str]:
    """Compose puts the code into the container where the image has none: ECS does not."""
    if container.main is None or container.build is None or _copies_code(container):
        return
    for volume in listed(container.main.raw.get("volumes")):
        source, target = _mounted(volume)
        path = source.removeprefix("./").rstrip("/")
        is_code = path in ("", ".") or any(name.startswith(f"{path}/") for name in folder.sources)
        if source.startswith(".") and not source.startswith("..") and target and is_code:
            yield (
                f"compose's {container.main.name} mounts {source} at {target}, and no COPY of "
                f"{container.build.dockerfile} puts it there: on ECS it is missing, so COPY it"
            )


def _mounted(volume: Value) -> tuple[str, str]:
    """`./src:/app:ro`, or the long form."""
    if isinstance(volume, str):
        source, _, target = volume.partition(":")
        return source, target.partition(":")[0]
    long = mapping(volume)
    return text_of(long.get("source")), text_of(long.get("target"))


def _copies_code(container: FoundContainer) -> bool:
    return any(
        each.name in ("COPY", "ADD") and "from" not in each.flags and _copies_folder(each.words())
        for each in container.stage
    )


def _copies_folder(words: Sequence[str]) -> bool:
    """Not only files that say what is installed."""
    return any(
        not re.search(r"\.(?:txt|toml|lock|cfg|ini|in|sh|ya?ml|json)$|Pipfile", word)
        for word in words[:-1]
    )
