"""The variables of a compose file: with the defaults that the file itself gives, and no others.

https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fsd.importing.reader import Loss, shown
from fsd.importing.values import Value

_TOKEN = re.compile(r"\$\$|\$\{|\}|\$(?P<bare>[A-Za-z_][A-Za-z0-9_]*)|\$")
_INSIDE = re.compile(
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<operator>:?[-+?])(?P<word>.*))?", re.S
)
# Longer or deeper ones are nobody's: a file of open braces must not take minutes.
_LONGEST = 1_000  # characters
_DEEPEST = 20
# What is true or false also as the text that a variable gives.
_FLAGS = frozenset({"init", "read_only", "privileged", "tty", "stdin_open", "disable"})
_NO_VARIABLE = "it is no variable of compose, and kept as it is: a dollar is written `$$`"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    text: str
    unset: tuple[str, ...]  # names without a value in the file, in their order
    is_clean: bool  # False where a dollar begins no variable and is not doubled


def resolve(value: Value, *, key: str = "") -> Value:
    """All texts below with their variables' defaults; nothing where the file gives none."""
    match value:
        case dict():
            return {name: resolve(each, key=name) for name, each in value.items()}
        case list():
            return [resolve(each) for each in value]
        case str() if "$" in value:
            text = _read(value, _DEEPEST).text
            is_flag = key in _FLAGS and text in ("true", "false")
            return text == "true" if is_flag else text
    return value


def unset_variables(value: Value) -> Iterator[str]:
    """The names that the file gives no value to, in the order in which they stand there."""
    for _, text in _texts(value, ""):
        yield from _read(text, _DEEPEST).unset


def lost_dollars(value: Mapping[str, Value], at: str) -> list[Loss]:
    """The texts with a dollar that Docker Compose refuses."""
    return [
        Loss(where=place, value=shown(text), reason=_NO_VARIABLE)
        for place, text in _texts(dict(value), at)
        if not _read(text, _DEEPEST).is_clean
    ]


def _texts(value: Value, at: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, each in value.items():
                yield from _texts(each, f"{at}.{name}")
        case list():
            for index, each in enumerate(value):
                yield from _texts(each, f"{at}[{index}]")
        case str() if "$" in value:
            yield at, value


def _read(text: str, depth: int) -> _Text:
    closing = _closing(text)
    parts: list[_Text] = []
    at = 0
    for token in _TOKEN.finditer(text):
        if token.start() < at:  # inside of the variable before
            continue
        parts.append(_plain(text[at : token.start()]))
        at = token.end()
        close = closing.get(token.start())
        if close is None or not (inside := _INSIDE.fullmatch(text, token.end(), close)):
            parts.append(_token(token))
        elif depth:
            parts.append(_variable(inside, depth - 1))
            at = close + 1
        else:
            parts.append(_plain(token[0], is_clean=False))
    parts.append(_plain(text[at:]))
    return _Text(
        text="".join(part.text for part in parts),
        unset=tuple(name for part in parts for name in part.unset),
        is_clean=all(part.is_clean for part in parts),
    )


def _closing(text: str) -> dict[int, int]:
    """Where each `${` begins → its brace's end, in one go; without those that are too long."""
    opened: list[int] = []
    found: dict[int, int] = {}
    for token in _TOKEN.finditer(text):
        if token[0] == "${":
            opened.append(token.start())
        elif token[0] == "}" and opened:
            start = opened.pop()
            if token.start() - start <= _LONGEST:
                found[start] = token.start()
    return found


def _plain(text: str, *, is_clean: bool = True) -> _Text:
    return _Text(text=text, unset=(), is_clean=is_clean)


def _token(token: re.Match[str]) -> _Text:
    if token["bare"]:
        return _Text(text="", unset=(token["bare"],), is_clean=True)
    if token[0] == "$$":
        return _plain("$")
    return _plain(token[0], is_clean=token[0] == "}")


def _variable(inside: re.Match[str], depth: int) -> _Text:
    operator = (inside["operator"] or "")[-1:]
    if operator == "-":
        return _read(inside["word"], depth)
    if operator == "+":  # for a variable that has a value
        return _plain("")
    return _Text(text="", unset=(inside["name"],), is_clean=True)
