"""GitHub's filter patterns for names of branches and tags, as `on: push: branches:` takes them.

One matcher for the environments file and the Action's input, so that a pattern which lets a push in
means the same when it is asked where the push goes.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# "Matches one alphanumeric character listed in the brackets or included in ranges. Ranges can only
# include a-z, A-Z, and 0-9."
_IN_CLASS = r"[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|[A-Za-z0-9._-]"
# Possessive: `1-1-1-…` could be read in ever so many ways, and without a bracket at its end each
# would be tried.
_CLASS = rf"\[(?:{_IN_CLASS})++\]"
# `?` and `+` repeat one character, and two of them in a row would be a name that takes for ever.
_TOKEN = re.compile(
    rf"(?P<any>\*\*)|(?P<some>\*)|(?P<one>{_CLASS}|\\[*?+\[\]!\\]|[^\s*?+\[\]\\])(?P<times>[?+]?)"
)


def find_problem(patterns: Sequence[str]) -> tuple[int, str] | None:
    """The first pattern that is wrong, and what is wrong with it; None where nothing is."""
    for index, pattern in enumerate(patterns):
        wrong = _problem(pattern)
        if wrong:
            return index, f"`{pattern}` {wrong}"
    if patterns and all(pattern.startswith("!") for pattern in patterns):
        return 0, f"`{patterns[0]}` takes away from nothing: no pattern here lets a name in"
    return None


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether a list of patterns lets a name in; of two that speak of it, the later one decides.

    A pattern that is none matches nothing.
    """
    is_in = False
    for pattern in patterns:
        is_exclusion = pattern.startswith("!")
        expression = _expression(pattern.removeprefix("!"))
        if name and expression is not None and _matches(expression, name):
            is_in = not is_exclusion
    return is_in


def _problem(pattern: str) -> str:
    body = pattern.removeprefix("!")
    if not body:
        return "is empty"
    if body.startswith("refs/"):
        return "starts with `refs/`, and a pattern is compared with the name after `refs/heads/`"
    if _expression(body) is None:
        return "is not a pattern that GitHub knows"
    return ""


# A piece of a pattern: (its kind, its expression).
_Piece = tuple[str, "re.Pattern[str] | None"]


def _expression(body: str) -> tuple[_Piece, ...] | None:
    """The pieces of a pattern, None where it is none."""
    pieces: list[_Piece] = []
    at = 0
    while at < len(body):
        match = _TOKEN.match(body, at)
        if match is None:
            return None
        at = match.end()
        one = match["one"]
        if not one:
            pieces.append(("**" if match["any"] else "*", None))
            continue
        try:
            character = re.compile(_regex(one))
        except re.error:  # a range from back to front
            return None
        pieces.append((match["times"] or "1", character))
    return tuple(pieces)


def _regex(one: str) -> str:
    """Of one character of a name: a class, an escaped character, or itself."""
    if not one.startswith("["):
        return one if one.startswith("\\") else re.escape(one)
    members = re.findall(_IN_CLASS, one[1:-1])
    return f"[{''.join(m if len(m) == 3 else re.escape(m) for m in members)}]"


def _matches(pieces: tuple[_Piece, ...], name: str) -> bool:
    """Every place in the pattern that the name so far can have reached: no pattern takes long."""
    reached = _skipping({0}, pieces)
    for letter in name:
        after: set[int] = set()
        for at in reached:
            if at < len(pieces):
                after |= _step(at, pieces[at], letter)
        reached = _skipping(after, pieces)
    return len(pieces) in reached


def _step(at: int, piece: _Piece, letter: str) -> set[int]:
    """Where one letter of the name leads to."""
    kind, character = piece
    if character is None:
        return {at} if kind == "**" or letter != "/" else set()
    if not character.fullmatch(letter):
        return set()
    return {at, at + 1} if kind == "+" else {at + 1}


def _skipping(places: set[int], pieces: tuple[_Piece, ...]) -> set[int]:
    """With the places behind pieces that may match nothing."""
    found = set(places)
    for at in range(len(pieces)):
        if at in found and pieces[at][0] in ("*", "**", "?"):
            found.add(at + 1)
    return found
