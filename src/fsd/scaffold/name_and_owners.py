"""What a service is called, and whose it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fsd.scaffold.folder import Folder
from fsd.scaffold.project import read_project, table

_NAME = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_GITHUB = re.compile(
    r"(?:https://(?:[^@/\s]+@)?github\.com/|(?:ssh://)?git@github\.com[:/])"
    r"(?P<owner>[A-Za-z0-9-]+)/(?P<repository>[\w.-]+?)(?:\.git)?/?"
)
_OWNER = re.compile(r"@[A-Za-z0-9-]+(?:/[A-Za-z0-9._-]+)?")
# Names of folders and projects that say nothing about which service it is.
_GENERIC = frozenset(
    {"app", "apps", "application", "project", "src", "source", "code", "main", "my-app", "myapp"}
    | {"my-project", "service", "services", "server", "backend", "python", "workspace", "repo"}
    | {"django", "flask", "fastapi", "web", "docker", "build", "work", "tmp", "package", "core"}
    | {"my-awesome-project", "example", "demo", "template", "your-project-name", "project-name"}
)


def github_name(remote: str) -> tuple[str, str]:
    """(owner, repository) of a remote's URL; ("", "") for another host."""
    found = _GITHUB.fullmatch(remote)
    return (found["owner"], found["repository"]) if found else ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    value: str
    source: str  # `Dockerfile:9`, for people


def find_name(folder: Folder) -> Found:
    """The project's own, else the folder's; the repository's where these say nothing."""
    project = read_project(folder)
    repository = _repository_name(folder)
    for section in (table(project, "project"), table(project, "tool", "poetry")):
        name = as_name(str(section.get("name", "")))
        if name and (name not in _GENERIC or repository is None):
            return Found(value=name, source="pyproject.toml")
    if repository is not None and not folder.below_repository:
        return repository
    own = as_name(folder.root.name)
    if own and (own not in _GENERIC or repository is None):
        return Found(value=own, source="the folder's name")
    return repository or Found(value="my-service", source="nothing that says it")


def _repository_name(folder: Folder) -> Found | None:
    remote = _GITHUB.fullmatch(folder.remote)
    if remote and as_name(remote["repository"]):
        return Found(value=as_name(remote["repository"]), source="the remote `origin`")
    if folder.repository is not None and folder.below_repository:
        name = as_name(folder.repository.name)
        if name and name not in _GENERIC:
            return Found(value=name, source="the repository's folder")
    return None


def as_name(text: str) -> str:
    """The nearest name that a service can have; empty where nothing is left."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].rstrip("-")
    name = name.lstrip("0123456789-")
    return name if _NAME.fullmatch(name) else ""


def find_pack(folder: Folder, owners: Sequence[str], source: str) -> Found | None:
    if owners:
        return Found(value=owners[0].rpartition("/")[2].lstrip("@"), source=source)
    remote = _GITHUB.fullmatch(folder.remote)
    return Found(value=remote["owner"], source="the remote `origin`") if remote else None


def find_owners(folder: Folder) -> tuple[tuple[str, ...], str]:
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
