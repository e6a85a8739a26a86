"""Below `fsd.report` there are values, and no sentences: a test that fails where one appears."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import fsd.plan
import fsd.release
import fsd.rollout
from fsd.change import Change
from fsd.plan.steps import Plan
from fsd.release import follow_ups, messages, notes
from fsd.release.concurrency.races import LostRace
from fsd.release.outcome import Ending
from fsd.release.reporter import Reporter
from fsd.release.result import Result
from fsd.release.rollback_target import RolledBackTo
from fsd.rollout import advice, summaries
from fsd.rollout.cause import Cause

SOURCE = Path(__file__).parents[3] / "src" / "fsd"
BELOW = ("plan", "rollout", "release", "image", "app", "action", "cli")
# What somebody else said, and what is a name in AWS or in a file.
WORDS_OF_OTHERS = {"Quoted", "OutputLine", "AdvisedFix"}
# The rows of the tables of failures: see ADVICE.
ROWS = {"Failure"}
TOLD = [
    (Change, "remark"),
    (Cause, "summary"),
    (Cause, "advice"),
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


VALUES = (
    {
        *kinds(notes.Note),
        *kinds(messages.Message),
        *kinds(messages.CutOff),
        *kinds(follow_ups.FollowUp),
        *kinds(summaries.Summary),
        *kinds(advice.Advice),
    }
    - WORDS_OF_OTHERS
    - ROWS
)


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


# --- every dataclass, and every literal -----------------------------------------------------------

FACTS = (fsd.plan, fsd.rollout, fsd.release)
# What a failure is called and what to do about it is written once, like an error's what and fix.
ADVICE = {
    "Failure": "a row of the tables of failures: how it is known, what it means and what to do, "
    "said once, like an ErrorCode; `fsd explain` and docs/failures.md show it as it is",
    "Change": "the name of what differs, in AWS's words; its remark is a value (`fsd.change`)",
    "Known": "what a failure means, by the answer of a registry or a builder",
    "CheckoutState": "where a checkout stands, in the what of an error",
}
# Modules of patterns, and the tables of failures.
ADVISING = {
    "rollout/event_failures.py": "the table of failures, and its patterns",
    "rollout/image_failures.py": "the table of failures, and its patterns",
    "rollout/start_failures.py": "the table of failures, and its patterns",
    "rollout/failure.py": "patterns, and advice that several rows of the table share",
    "rollout/log_signs.py": "patterns",
    "rollout/reasons.py": "patterns",
    "rollout/surroundings.py": "patterns",
    "release/secret_blocks.py": "patterns",
    "release/secret_forms.py": "patterns",
    "release/secret_names.py": "words that are no secrets",
    "release/secret_values.py": "words that are no secrets",
    "release/mask.py": "patterns",
}
# An error says what and fix where it is raised (docs/style.md): here in a variable or a helper of
# the function that raises it.
OF_ERRORS = {
    "release/border.py::",
    "release/border.py::check_image",
    "release/border.py::check_rollback",
    "release/border.py::check_checkout",
    "release/rollback_to_version.py::_require_port",
    "release/existing_service.py::_check",
    "release/existing_service.py::_near",
    "release/make_plan.py::_may_go_on",
    "release/deploy_step.py::_failure",
    "release/probe.py::_could_not_try",
    "release/promotion.py::_what_did",
    "release/provenance.py::_cut",
    "release/redeploy.py::_refuse_in_flight",
    "release/rollback_stack.py::apply_stack_of_before",
}
# Functions that still make words, or look for those of others. Take one out when it gives a value;
# add none: what is new gives a value from the beginning, and its words are in fsd.report.
STILL = {
    "plan/jobs.py::": "stands in a schedule for a value that the stack gives later",
    "release/one_off.py::": "the reason of StopTask, which ECS shows",
    "rollout/denials.py::": "what AWS calls the kinds of policies, and who may change one",
    "rollout/denials.py::advise_denial": "the fix of errors of aws/ and image/, which report/ is "
    "beside; a cause has the denial as a value",
}


@cache
def parsed(file: Path) -> tuple[ast.Module, dict[ast.AST, ast.AST]]:
    """The tree, and the parent of each node."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return tree, {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def sources(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((SOURCE / package).rglob("*.py"))


def dataclass_names() -> set[str]:
    """Of all that the packages of facts define."""
    found: set[str] = set()
    for package in FACTS:
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            members = vars(importlib.import_module(info.name)).values()
            found |= {
                member.__name__
                for member in members
                if isinstance(member, type)
                and is_dataclass(member)
                and member.__module__ == info.name
            }
    return found


def is_prose(node: ast.AST) -> bool:
    """Three words or more."""
    if isinstance(node, ast.JoinedStr):
        text = "".join(str(v.value) if isinstance(v, ast.Constant) else "X" for v in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    else:
        return False
    return text.count(" ") >= 2 and len(re.findall(r"[A-Za-z']{2,}", text)) >= 3


@cache
def given_prose() -> dict[str, list[str]]:
    """Where a class is called with a sentence, by the class's name."""
    found: dict[str, list[str]] = {}
    for file in sources(*BELOW):
        for call in ast.walk(parsed(file)[0]):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                continue
            if any(is_prose(word.value) for word in call.keywords):
                place = f"{file.relative_to(SOURCE)}:{call.lineno}"
                found.setdefault(call.func.id, []).append(place)
    return found


@pytest.mark.parametrize("name", sorted(dataclass_names() - set(ADVICE)))
def test_dataclasses__of_plan_rollout_and_release__are_given_no_sentence(name: str) -> None:
    assert given_prose().get(name, []) == []


def owners(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> tuple[str, list[str]]:
    """The function that a node is in, and what is called with it; `raise` for an error."""
    calls: list[str] = []
    while node in parents:
        node = parents[node]
        if isinstance(node, ast.Call):
            calls.append(ast.unparse(node.func))
        elif isinstance(node, ast.Raise):
            calls.append("raise")
        elif isinstance(node, ast.FunctionDef):
            return node.name, calls
    return "", calls


def is_error(call: str) -> bool:
    return call == "raise" or call.endswith("Error") or call.startswith("re.") or call in ADVICE


@cache
def prose_places() -> dict[str, list[int]]:
    """The sentences of the packages of facts, by file and function; without docstrings, errors,
    patterns and the advice of failures."""
    found: dict[str, list[int]] = {}
    for file in sources("plan", "rollout", "release"):
        place = str(file.relative_to(SOURCE))
        tree, parents = parsed(file)
        for node in ast.walk(tree):
            is_part = isinstance(parents.get(node), ast.JoinedStr | ast.Expr)
            if is_part or not is_prose(node):
                continue
            function, calls = owners(node, parents)
            if not any(map(is_error, calls)):
                found.setdefault(f"{place}::{function}", []).append(getattr(node, "lineno", 0))
    return found


def test_sentences__plan_rollout_and_release__only_where_the_list_says_why() -> None:
    known = {place for place in prose_places() if place.startswith(tuple(ADVISING))}

    assert {
        p: n for p, n in prose_places().items() if p not in known | STILL.keys() | OF_ERRORS
    } == {}
    assert (STILL.keys() | OF_ERRORS) - prose_places().keys() == set()


def test_still__words_below_report__get_no_more() -> None:
    """A new one gives a value; where one is taken out, lower the number."""
    assert len(STILL) <= 4
