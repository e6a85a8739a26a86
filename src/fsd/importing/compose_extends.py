"""A service of a compose file with what `extends` of the same file brings, merged as Docker does.

Sections are merged key by key, lists are joined, and everything else is replaced.
https://docs.docker.com/reference/compose-file/services/#extends
https://docs.docker.com/reference/compose-file/merge/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath

from fsd.importing.values import Value, mapping, text_of

_REPLACED = frozenset({"command", "entrypoint", "healthcheck.test"})
# Written as a section or as a list of NAME=value.
_PAIRS = frozenset(
    {"environment", "labels", "sysctls", "annotations", "build.args", "build.labels",
     "deploy.labels"}
)  # fmt: skip
_NAMED = frozenset({"depends_on", "networks"})  # a section, or a list of its names
_LISTS = frozenset({"dns", "dns_search", "env_file", "tmpfs"})  # a text, or a list of them


def extended(services: Mapping[str, Value], *, path: str) -> dict[str, dict[str, Value]]:
    """Each service by its name, however long the chain is; `path` is the file's own."""
    found: dict[str, dict[str, Value]] = {}
    for name in services:
        chain = _chain(name, services, found, path)
        for each in reversed(chain):
            own = mapping(services.get(each))
            parent = _parent(own, path)
            if parent in found:
                kept = {key: value for key, value in own.items() if key != "extends"}
                found[each] = mapping(_merged(found[parent], kept, ""))
            else:
                found[each] = dict(own)
    return found


def _chain(
    name: str, services: Mapping[str, Value], found: Mapping[str, Value], path: str
) -> list[str]:
    """The service and what it extends, up to what is merged already, each once."""
    chain: dict[str, None] = {}
    while name in services and name not in chain and name not in found:
        chain[name] = None
        name = _parent(mapping(services[name]), path)
    return [*chain]


def _parent(service: Mapping[str, Value], path: str) -> str:
    """Of the same file, which may be named; else ""."""
    extends = service.get("extends")
    file = text_of(mapping(extends).get("file"))
    if file and PurePosixPath(file) != PurePosixPath(PurePosixPath(path).name):
        return ""
    return text_of(mapping(extends).get("service")) or text_of(extends)


def _merged(base: Value, own: Value, at: str) -> Value:
    if own is None or base is None:
        return base if own is None else own
    if at in _REPLACED:
        return own
    base, own = _alike(base, own, at)
    match base, own:
        case dict(), dict():
            return _sections(base, own, at)
        case list(), list():
            return [*{_identity(each): each for each in (*base, *own)}.values()]
    return own


def _sections(base: dict[str, Value], own: dict[str, Value], at: str) -> dict[str, Value]:
    place = f"{at}." if at else ""
    return base | {
        key: _merged(base[key], value, f"{place}{key}") if key in base else value
        for key, value in own.items()
    }


def _alike(base: Value, own: Value, at: str) -> tuple[Value, Value]:
    """Both in the longer of the two spellings that the key has."""
    if at == "build":
        return _with_context(base), _with_context(own)
    if at in _PAIRS:
        return _section(base, by="="), _section(own, by="=")
    if at in _NAMED and isinstance(base, dict) != isinstance(own, dict):
        return _section(base), _section(own)
    if at in _LISTS:
        return _list(base), _list(own)
    return base, own


def _with_context(build: Value) -> Value:
    return {"context": build} if isinstance(build, str) else build


def _list(value: Value) -> Value:
    return value if isinstance(value, list) else [value]


def _section(value: Value, *, by: str = "\n") -> Value:
    """A list that is none of names or pairs stays, and is a loss where it is read."""
    if not isinstance(value, list) or any(isinstance(each, dict | list) for each in value):
        return value
    parted = (text_of(each).partition(by) for each in value)
    return {name: text if sign else None for name, sign, text in parted}


def _identity(value: Value) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
