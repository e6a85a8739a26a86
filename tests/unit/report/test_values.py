"""Below `fsd.report` there are values, and no sentences: a test that fails where one appears."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from fsd.plan.steps import Plan
from fsd.release import follow_ups, messages, notes
from fsd.release.concurrency.races import LostRace
from fsd.release.outcome import Ending
from fsd.release.reporter import Reporter
from fsd.release.result import Result
from fsd.release.rollback_target import RolledBackTo

SOURCE = Path(__file__).parents[3] / "src" / "fsd"
BELOW = ("plan", "rollout", "release", "image", "app", "action", "cli")
# What somebody else said, and what is a name in AWS or in a file.
WORDS_OF_OTHERS = {"Quoted", "OutputLine", "AdvisedFix"}
TOLD = [
    (Result, "message"),
    (Result, "notes"),
    (Result, "next_steps"),
    (Plan, "notes"),
    (Ending, "message"),
    (Ending, "next_steps"),
    (LostRace, "message"),
    (RolledBackTo, "message"),
    (RolledBackTo, "next"),
]


def kinds(union: object) -> Iterator[str]:
    yield from (member.__name__ for member in get_args(union))


VALUES = {
    *kinds(notes.Note),
    *kinds(messages.Message),
    *kinds(messages.CutOff),
    *kinds(follow_ups.FollowUp),
} - WORDS_OF_OTHERS


def leaves(hint: object) -> Iterator[object]:
    members = get_args(hint)
    if not members:
        yield hint
    for member in members:
        yield from leaves(member)


@pytest.mark.parametrize(("model", "name"), TOLD, ids=[f"{m.__name__}.{n}" for m, n in TOLD])
def test_fields__what_is_told__takes_no_text(model: type, name: str) -> None:
    assert str not in set(leaves(get_type_hints(model)[name]))


def test_reporter__note__takes_no_text() -> None:
    assert str not in set(leaves(get_type_hints(Reporter.note)["note"]))


def is_sentence(node: ast.expr) -> bool:
    """A literal of several words, with or without values in it."""
    if isinstance(node, ast.JoinedStr):
        parts = [part.value for part in node.values if isinstance(part, ast.Constant)]
        return any(" " in str(part).strip() for part in parts) or "  " in "x".join(map(str, parts))
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value


def sentences(source: str) -> list[int]:
    """The lines in which a value is given a sentence."""
    return [
        call.lineno
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in VALUES
        and any(is_sentence(word.value) for word in call.keywords)
    ]


def test_sentences__one_in_a_value__found() -> None:
    assert sentences('Forced(entry=f"it was {x} by force")') == [1]
    assert sentences("Forced(entry=name)\nForced(entry='x')") == []


@pytest.mark.parametrize("package", BELOW)
def test_values__made_below_report__hold_no_sentence(package: str) -> None:
    found = {
        f"{file.relative_to(SOURCE)}:{line}"
        for file in sorted((SOURCE / package).rglob("*.py"))
        for line in sentences(file.read_text(encoding="utf-8"))
    }

    assert found == set()
