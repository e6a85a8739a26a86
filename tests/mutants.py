"""Regular expressions with a part taken away: a table of texts must notice each.

A part that nothing notices is either dead, or has no example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator


def alternatives(pattern: str) -> tuple[str, ...]:
    """Split at each `|` that is in no group and in no set."""
    parts, depth, position = [""], 0, 0
    in_set = False
    while position < len(pattern):
        here = pattern[position]
        step = 2 if here == "\\" else 1
        token = pattern[position : position + step]
        if step == 1:
            in_set = here == "[" or (in_set and here != "]")
            depth += 0 if in_set else (here == "(") - (here == ")")
        if token == "|" and depth == 0 and not in_set:
            parts.append("")
        else:
            parts[-1] += token
        position += step
    return tuple(parts)


def without_one(pattern: str) -> Iterator[tuple[str, str]]:
    """(what was taken away, what is left) for each of two or more alternatives."""
    parts = alternatives(pattern)
    if len(parts) > 1:
        for index, part in enumerate(parts):
            yield part, "|".join(parts[:index] + parts[index + 1 :])


def without_anchors(pattern: str) -> Iterator[tuple[str, str]]:
    """(the alternative, the pattern without its `^`) for each that begins with one."""
    parts = alternatives(pattern)
    for index, part in enumerate(parts):
        if part.startswith("^"):
            yield part, "|".join((*parts[:index], part[1:], *parts[index + 1 :]))


def without_one_anywhere(pattern: str) -> Iterator[tuple[str, str]]:
    """As `without_one`, of the alternatives in groups too."""
    for start, end in _alternations(pattern):
        for part, left in without_one(pattern[start:end]):
            yield part, pattern[:start] + left + pattern[end:]


def _alternations(pattern: str) -> Iterator[tuple[int, int]]:
    """Where each group's alternatives begin and end; the whole pattern is one of them."""
    begins, position, in_set = [0], 0, False
    while position < len(pattern):
        here = pattern[position]
        if here == "\\":
            position += 2
            continue
        in_set = here == "[" or (in_set and here != "]")
        if here == "(" and not in_set:
            head = _HEAD.match(pattern, position + 1)
            begins.append(head.end() if head else position + 1)
        elif here == ")" and not in_set:
            yield begins.pop(), position
        position += 1
    yield begins.pop(), position


_HEAD = re.compile(r"\?(?:P<\w+>|<?[=!]|[a-zA-Z-]*:)")
