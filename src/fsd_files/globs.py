"""One pattern of `.dockerignore`: what Docker takes for a pattern, and what it matches.

A regular expression tries every way in which stars can share a path, and `*a*a*a…` would take for
ever. So a pattern with many stars is matched by going all ways forward together, which takes time
in pattern × path; one with few keeps the regular expression, which is faster on real contexts.

https://github.com/moby/patternmatcher · https://pkg.go.dev/path/filepath#Match
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

# `**` may take a whole path, `*` a name of 255 characters: so few cannot backtrack for long.
_MOST_STARS = 2
_MOST_DEEP_STARS = 1

Kind: TypeAlias = Literal["one", "star", "deep", "folders", "inside"]


class BadPatternError(ValueError):
    """What Go calls ErrBadPattern; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Token:
    """`regex` is the token's own; `kind` says how it moves: one character, a star within a name,
    over slashes, or `**/`, which is two tokens: `folders` may be skipped, `inside` is within."""

    kind: Kind
    regex: str


_STAR = Token("star", "[^/]*")
_DEEP = Token("deep", ".*")
_FOLDERS = (Token("folders", "(?:.*/)?"), Token("inside", ""))
_ONE = Token("one", "[^/]")


@lru_cache(maxsize=4096)
def compile_glob(pattern: str) -> Callable[[str], bool]:
    """Whether a path, or a folder above it, matches as a whole. Raises BadPatternError."""
    tokens = tuple(_read(pattern))
    stars = [token.kind for token in tokens if token.kind in ("star", "deep", "folders")]
    is_simple = len(stars) <= _MOST_STARS and len(stars) - stars.count("star") <= _MOST_DEEP_STARS
    if not is_simple:
        return _Together(tokens).matches
    regex = re.compile("".join(token.regex for token in tokens) + "(?:/.*)?", re.DOTALL)
    return lambda path: regex.fullmatch(path) is not None


class _Together:
    """All ways forward at once: a set of places in the pattern, moved by each character."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._tests = [re.compile(t.regex, re.DOTALL).fullmatch for t in tokens]

    def matches(self, path: str) -> bool:
        places = self._skip({0})
        for character in path:
            if character == "/" and len(self._tokens) in places:
                return True  # a folder above
            places = self._skip(set(self._move(places, character)))
            if not places:
                return False
        return len(self._tokens) in places

    def _move(self, places: set[int], character: str) -> Iterator[int]:
        for place in places:
            if place == len(self._tokens):
                continue
            match self._tokens[place].kind:
                case "one" if self._tests[place](character):
                    yield place + 1
                case "star" if character != "/":
                    yield place
                case "deep":
                    yield place
                case "inside":
                    yield place
                    if character == "/":
                        yield place + 1

    def _skip(self, places: set[int]) -> set[int]:
        """With what is reached without a character."""
        waiting = list(places)
        while waiting:
            place = waiting.pop()
            kind = self._tokens[place].kind if place < len(self._tokens) else "one"
            ahead = {"star": (1,), "deep": (1,), "folders": (1, 2)}.get(kind, ())
            for step in ahead:
                if place + step not in places:
                    places.add(place + step)
                    waiting.append(place + step)
        return places


def _read(pattern: str) -> Iterator[Token]:
    position = 0
    while position < len(pattern):
        if pattern.startswith("**", position):
            position += 2
            if pattern.startswith("/", position):
                position += 1
                yield from _FOLDERS
            else:
                yield _DEEP
            continue
        character = pattern[position]
        position += 1
        match character:
            case "*":
                yield _STAR
            case "?":
                yield _ONE
            case "[":
                regex, position = _read_class(pattern, position)
                yield Token("one", regex)
            case "\\":
                escaped, position = _read_character(pattern, position - 1)
                yield Token("one", re.escape(escaped))
            case _:
                yield Token("one", re.escape(character))


def _read_class(pattern: str, position: int) -> tuple[str, int]:
    """(regular expression, behind the bracket)."""
    is_negated = pattern.startswith("^", position)
    position += is_negated
    ranges: list[str] = []
    while not (ranges and pattern.startswith("]", position)):
        first, position = _read_in_class(pattern, position)
        last = first
        if pattern.startswith("-", position):
            last, position = _read_in_class(pattern, position + 1)
        if last < first:
            raise BadPatternError(f"the range {first}-{last} runs backwards")
        ranges.append(f"{re.escape(first)}-{re.escape(last)}")
    return f"[{'^' if is_negated else ''}{''.join(ranges)}]", position + 1


def _read_in_class(pattern: str, position: int) -> tuple[str, int]:
    if position >= len(pattern):
        raise BadPatternError("a `[` has no `]`")
    if pattern[position] in "-]":
        raise BadPatternError(f"`{pattern[position]}` stands where a character must; escape it")
    return _read_character(pattern, position)


def _read_character(pattern: str, position: int) -> tuple[str, int]:
    """(character, behind it); a backslash takes the next one."""
    if pattern[position] != "\\":
        return pattern[position], position + 1
    if position + 1 >= len(pattern):
        raise BadPatternError("nothing follows the last backslash")
    return pattern[position + 1], position + 2
