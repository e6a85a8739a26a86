"""A Dockerfile for code that has none: its Python, its requirements, its command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from fsd.scaffold.folder import Folder
from fsd.scaffold.project import read_project, table

_VERSION = "3.12"
_NAMED = re.compile(r"(?:python-?)?(3\.\d+)")
_BOUND = re.compile(r"(>=|<=|==|~=|!=|<|>|\^|~|)\s*(3\.\d+)(?:\.\d+|\.\*)?")
_PIPFILE = re.compile(r"""^python_version\s*=\s*["'](3\.\d+)["']""", re.MULTILINE)


def write_dockerfile(folder: Folder, command: Sequence[str]) -> str:
    lines = [
        "# Written by fsd init. Check the version of Python, and add missing apt packages.",
        f"FROM python:{_python(folder)}-slim",
        "WORKDIR /app",
        "ENV PYTHONUNBUFFERED=1",
        *_install(folder),
        f"CMD {json.dumps(list(command))}",
    ]
    return "\n".join(lines) + "\n"


def _python(folder: Folder) -> str:
    """What the project asks for, or a version that most packages have wheels for."""
    for name in (".python-version", "runtime.txt"):
        found = _NAMED.match(folder.texts.get(name, "").strip())
        if found:
            return found[1]
    project = read_project(folder)
    asked = (
        table(project, "project").get("requires-python"),
        table(project, "tool", "poetry", "dependencies").get("python"),
        _PIPFILE.search(folder.texts.get("Pipfile", "")),
    )
    for each in asked:
        text = each[1] if isinstance(each, re.Match) else each
        if isinstance(text, str):
            return _of_range(text)
    return _VERSION


def _of_range(text: str) -> str:
    """The usual version where it is in the range, else the end that is nearer."""
    minor = _minor(_VERSION)
    for operator, version in _BOUND.findall(text):
        bound = _minor(version)
        if operator in ("", "==", "~=", "~"):
            return f"3.{bound}"
        if operator == "<":
            minor = min(minor, bound - 1)
        elif operator == "<=":
            minor = min(minor, bound)
        else:
            minor = max(minor, bound)
    return f"3.{minor}"


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def _install(folder: Folder) -> Iterator[str]:
    """By the lock that is there; what is required alone changes less often than the code."""
    project, names = read_project(folder), folder.names
    required = _requirements(folder)
    if "uv.lock" in names:
        yield "RUN pip install --no-cache-dir uv"
        yield "COPY . ."
        yield "RUN uv sync --locked --no-dev"
        yield "ENV PATH=/app/.venv/bin:$PATH"
    elif "poetry.lock" in names or table(project, "tool", "poetry", "dependencies"):
        yield "RUN pip install --no-cache-dir poetry && poetry config virtualenvs.create false"
        yield "COPY . ."
        yield "RUN poetry install --only main --no-root"
    elif "pdm.lock" in names:
        yield "RUN pip install --no-cache-dir pdm"
        yield "COPY . ."
        yield "RUN pdm sync --prod --no-self"
        yield "ENV PATH=/app/.venv/bin:$PATH"
    elif "Pipfile.lock" in names and not _is_pinned(folder, required):
        yield "RUN pip install --no-cache-dir pipenv"
        yield "COPY . ."
        yield "RUN pipenv sync --system"
    elif required:
        yield from _copied(required)
        yield f"RUN pip install --no-cache-dir -r {required[0]}"
        yield "COPY . ."
    else:
        yield "COPY . ."
        if "build-system" in project or "project" in project or "setup.py" in names:
            yield "RUN pip install --no-cache-dir ."


def _requirements(folder: Folder) -> list[str]:
    """The file of production, with those that it reads."""
    candidates = ("requirements.txt", "requirements/prod.txt", "requirements/production.txt")
    first = next((name for name in candidates if name in folder.texts), "")
    if not first:
        return []
    found = [first]
    for name in found:
        parent = f"{name.rpartition('/')[0]}/" if "/" in name else ""
        for other in re.findall(r"^\s*-[rc]\s*(\S+)", folder.texts.get(name, ""), re.MULTILINE):
            path = f"{parent}{other.removeprefix('./')}"
            if path in folder.names and path not in found:
                found.append(path)
    return found


def _is_pinned(folder: Folder, required: Sequence[str]) -> bool:
    """Whether every requirement has its version, so that a lock says no more."""
    lines = [
        line.strip()
        for name in required
        for line in folder.texts.get(name, "").splitlines()
        if line.strip() and not line.strip().startswith(("#", "-"))
    ]
    return bool(lines) and all("==" in line or " @ " in line for line in lines)


def _copied(required: Sequence[str]) -> Iterator[str]:
    """Each to its own folder, as one COPY would put them all into one."""
    folders = dict.fromkeys(name.rpartition("/")[0] for name in required)
    for folder in folders:
        names = [name for name in required if name.rpartition("/")[0] == folder]
        yield f"COPY {' '.join(names)} ./{f'{folder}/' if folder else ''}"
