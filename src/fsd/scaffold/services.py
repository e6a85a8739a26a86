"""Which folders below one are services of their own, each with its Dockerfile and its Python."""

from __future__ import annotations

from pathlib import PurePosixPath

from fsd.importing.compose_file import read_compose
from fsd.scaffold.containers import COMPOSE, DOCKERFILE, runs_once
from fsd.scaffold.folder import Folder

_NOT_SERVICES = frozenset(
    {"docker", "deploy", "deployment", "infra", ".docker", ".deploy", "build"}
)
_PROJECT = ("requirements.txt", "pyproject.toml", "setup.py", "Pipfile", "manage.py")
_DEEPEST = 3
_MOST = 20


def find_services(folder: Folder) -> tuple[str, ...]:
    """Paths below the folder; `.` is the folder itself, which is also the answer for no service."""
    if folder.has_dockerfile:
        return (".",)
    found = [name for name in _folders(folder) if _has_python(folder, name)]
    if _is_project(folder, ""):  # then only what is a project too is another service
        found = [name for name in found if _is_project(folder, f"{name}/")]
    return tuple(found[:_MOST]) or (".",)


def _folders(folder: Folder) -> list[str]:
    """Those with a Dockerfile, and those that a compose file builds from."""
    found: dict[str, None] = {}
    once: set[str] = set()
    lasting: set[str] = set()
    for name in sorted(folder.names):
        match = DOCKERFILE.fullmatch(name)
        parts = PurePosixPath(name).parts[:-1]
        if match and parts and len(parts) <= _DEEPEST and not _NOT_SERVICES & set(parts):
            found["/".join(parts)] = None
    for path, text in sorted(folder.texts.items()):
        if COMPOSE.fullmatch(path) and "/" not in path:
            for service in read_compose(text, path=path):
                context = PurePosixPath(service.build.context) if service.build else None
                if context is None or not context.parts or ".." in context.parts:
                    continue
                if runs_once(service):
                    once.add(context.as_posix())
                else:
                    found[context.as_posix()] = None
                    lasting.add(context.as_posix())
    found = {name: None for name in found if name not in once - lasting}
    return [name for name in found if not any(name.startswith(f"{each}/") for each in found)]


def _is_project(folder: Folder, below: str) -> bool:
    return any(f"{below}{name}" in folder.names for name in _PROJECT)


def _has_python(folder: Folder, name: str) -> bool:
    return any(path.startswith(f"{name}/") for path in folder.sources)
