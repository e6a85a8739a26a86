"""pyproject.toml, and what a project requires, in whatever file it says so."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping

from fsd.scaffold.folder import Folder

# How a distribution is called that another name imports.
_DISTRIBUTIONS = {
    "kafka-python": "kafka",
    "confluent-kafka": "confluent_kafka",
    "faust-streaming": "faust",
    "grpcio": "grpc",
    "aiohttp": "aiohttp",
}
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def read_project(folder: Folder) -> dict[str, object]:
    return _toml(folder.texts.get("pyproject.toml", ""))


def table(document: Mapping[str, object], *path: str) -> dict[str, object]:
    """`{}` where there is none."""
    node: object = document
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def required(folder: Folder) -> dict[str, str]:
    """Distribution, by the name under which it is imported → the file that requires it."""
    found: dict[str, str] = {}
    for path, text in folder.texts.items():
        for name in _names(_lines(folder, path, text)):
            found.setdefault(_DISTRIBUTIONS.get(name, name), path)
    return found


def _lines(folder: Folder, path: str, text: str) -> Iterable[str]:
    if path == "pyproject.toml":
        return _dependencies(read_project(folder))
    if path == "Pipfile":
        return table(_toml(text), "packages")
    return text.splitlines() if path.endswith(".txt") else ()


def _dependencies(project: Mapping[str, object]) -> Iterator[str]:
    """As PEP 621 and Poetry write them."""
    listed = table(project, "project").get("dependencies")
    if isinstance(listed, list):
        yield from (item for item in listed if isinstance(item, str))
    yield from table(project, "tool", "poetry", "dependencies")


def _names(requirements: Iterable[str]) -> Iterator[str]:
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match:
            yield match[1].lower().replace("_", "-")


def _toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
