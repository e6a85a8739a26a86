"""Which kind of value each key of a compose file takes; one of another kind is no silent loss.

The readers take what they understand. What stands there instead is found here.
https://docs.docker.com/reference/compose-file/services/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import TypeAlias

from fsd.importing.reader import Loss, is_empty, shown
from fsd.importing.values import Value, mapping, number, text_of


class ComposeKind(StrEnum):
    TEXT = "it is no text"
    NUMBER = "it is no number"
    WORDS = "it is neither a text nor a list of texts"
    PAIRS = "it is neither a section of texts nor a list of NAME=value"
    LIST = "it is no list"
    FILES = "it names no file"
    LIMITS = "it is neither a number nor a section with soft and hard"


Shape: TypeAlias = "ComposeKind | Mapping[str, Shape]"

_BUILD: Shape = {
    "context": ComposeKind.TEXT,
    "dockerfile": ComposeKind.TEXT,
    "target": ComposeKind.TEXT,
    "args": ComposeKind.PAIRS,
}
COMPOSE_SERVICE: Mapping[str, Shape] = {
    "image": ComposeKind.TEXT,
    "build": _BUILD,
    "command": ComposeKind.WORDS,
    "entrypoint": ComposeKind.WORDS,
    "ports": ComposeKind.LIST,
    "expose": ComposeKind.LIST,
    "environment": ComposeKind.PAIRS,
    "labels": ComposeKind.PAIRS,
    "sysctls": ComposeKind.PAIRS,
    "cap_add": ComposeKind.LIST,
    "cap_drop": ComposeKind.LIST,
    "ulimits": ComposeKind.LIMITS,
    "env_file": ComposeKind.FILES,
    "healthcheck": {"test": ComposeKind.WORDS},
}


def find_strange(values: Mapping[str, Value], shapes: Mapping[str, Shape], at: str) -> list[Loss]:
    """The values whose kind is another one than their key's, each with its place."""
    return [
        loss
        for key, shape in shapes.items()
        for loss in _strange(values.get(key), shape, f"{at}.{key}")
    ]


def _strange(value: Value, shape: Shape, at: str) -> Iterator[Loss]:
    if is_empty(value):
        return
    if isinstance(shape, ComposeKind):
        yield from _OF_KIND[shape](value, shape, at)
    elif isinstance(value, dict):
        yield from find_strange(value, shape, at)


def _text(value: Value, kind: ComposeKind, at: str) -> Iterator[Loss]:
    if isinstance(value, dict | list):
        yield _loss(value, kind, at)


def _number(value: Value, kind: ComposeKind, at: str) -> Iterator[Loss]:
    if number(value) is None and "$" not in text_of(value):
        yield _loss(value, kind, at)


def _words(value: Value, kind: ComposeKind, at: str) -> Iterator[Loss]:
    if isinstance(value, list):
        yield from _each(value, at, (dict, list))
    elif not isinstance(value, str):
        yield _loss(value, kind, at)


def _list(value: Value, kind: ComposeKind, at: str) -> Iterator[Loss]:
    """Of texts, or of sections such as a port's."""
    if isinstance(value, list):
        yield from _each(value, at, (list,))
    else:
        yield _loss(value, kind, at)


def _pairs(value: Value, kind: ComposeKind, at: str) -> Iterator[Loss]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _text(each, ComposeKind.TEXT, f"{at}.{key}")
    else:
        yield from _words(value, kind, at) if isinstance(value, list) else [_loss(value, kind, at)]


def _files(value: Value, kind: ComposeKind, at: str) -> Iterator[Loss]:
    files = value if isinstance(value, list) else [value]
    for index, each in enumerate(files):
        if not isinstance(each, str) and not isinstance(mapping(each).get("path"), str):
            yield _loss(each, kind, f"{at}[{index}]" if isinstance(value, list) else at)


def _limits(value: Value, kind: ComposeKind, at: str) -> Iterator[Loss]:
    if not isinstance(value, dict):
        yield _loss(value, kind, at)
        return
    for name, each in value.items():
        if not isinstance(each, dict):
            yield from _number(each, ComposeKind.NUMBER, f"{at}.{name}")
        elif not {"soft", "hard"} <= each.keys():
            yield _loss(each, kind, f"{at}.{name}")
        else:
            for key in ("soft", "hard"):
                yield from _number(each[key], ComposeKind.NUMBER, f"{at}.{name}.{key}")


def _each(values: list[Value], at: str, wrong: tuple[type, ...]) -> Iterator[Loss]:
    for index, each in enumerate(values):
        if isinstance(each, wrong):
            yield _loss(each, ComposeKind.TEXT, f"{at}[{index}]")


_OF_KIND: Mapping[ComposeKind, Callable[[Value, ComposeKind, str], Iterator[Loss]]] = {
    ComposeKind.TEXT: _text,
    ComposeKind.NUMBER: _number,
    ComposeKind.WORDS: _words,
    ComposeKind.LIST: _list,
    ComposeKind.PAIRS: _pairs,
    ComposeKind.FILES: _files,
    ComposeKind.LIMITS: _limits,
}


def _loss(value: Value, kind: ComposeKind, at: str) -> Loss:
    return Loss(where=at, value=shown(value), reason=str(kind))
