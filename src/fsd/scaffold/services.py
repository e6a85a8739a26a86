"""Which folders below one are services of their own, each with its Dockerfile and its Python."""

from __future__ import annotations

from pathlib import PurePosixPath

from fsd.importing.compose_file import read_compose
from fsd.scaffold.containers import COMPOSE, DOCKERFILE
from fsd.scaffold.folder import Folder

_NOT_SERVICES = frozenset(
    {"docker", "deploy", "deployment", "infra", ".docker", ".deploy", "build"}
)
_DEEPEST = 3
_MOST = 20


def find_services(folder: Folder) -> tuple[str, ...]:
    """Paths below the folder; `.` is the folder itself, which is also the answer for no service."""
    if folder.has_dockerfile or _has_python_here(folder):
        return (".",)
    found = [name for name in _folders(folder) if _has_python(folder, name)]
    return tuple(found[:_MOST]) or (".",)


def _folders(folder: Folder) -> list[str]:
    """Those with a Dockerfile, and those that a compose file builds from."""
    found: dict[str, None] = {}
    for name in sorted(folder.names):
        match = DOCKERFILE.fullmatch(name)
        parts = PurePosixPath(name).parts[:-1]
        if match and parts and len(parts) <= _DEEPEST and parts[-1] not in _NOT_SERVICES:
            found["/".join(parts)] = None
    for path, text in sorted(folder.texts.items()):
        if COMPOSE.fullmatch(path) and "/" not in path:
            for service in read_compose(text, path=path):
                context = PurePosixPath(service.build.context) if service.build else None
                if context is not None and context.parts and ".." not in context.parts:
                    found[context.as_posix()] = None
    return [name for name in found if not any(name.startswith(f"{each}/") for each in found)]


def _has_python_here(folder: Folder) -> bool:
    """The folder is a project: its files say so, not those below it."""
    project = {"requirements.txt", "pyproject.toml", "setup.py", "Pipfile", "manage.py", "main.py"}
    return bool(project & folder.names) and any(
        "/" not in name or name.startswith(("src/", "app/")) for name in folder.sources
    )


def _has_python(folder: Folder, name: str) -> bool:
    return any(path.startswith(f"{name}/") for path in folder.sources)
