"""Each outcome is known wherever one must be: by a row here, or by a `match` that mypy checks."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from fsd.release.result import OUTCOME_FACTS, Outcome
from fsd.report.markdown import render_summary
from fsd.report.outcome_styles import OUTCOME_STYLES
from fsd.report.render import headline
from tests.unit.report.results import make_result

SOURCE = Path(__file__).parents[3] / "src" / "fsd"


def test_styles__every_outcome__has_one() -> None:
    assert set(OUTCOME_STYLES) == set(Outcome)
    assert set(OUTCOME_FACTS) == set(Outcome)


@pytest.mark.parametrize("outcome", list(Outcome), ids=str)
def test_styles__icon__success_only_where_the_exit_code_is_0(outcome: Outcome) -> None:
    icon = OUTCOME_STYLES[outcome].icon

    assert icon in {"✅", "⏸️", "🚀", "📋", "⏭️"} if not outcome.exit_code else icon in {"❌", "⚠️"}


@pytest.mark.parametrize("outcome", list(Outcome), ids=str)
def test_reports__every_outcome__has_its_words(outcome: Outcome) -> None:
    result = make_result(outcome=outcome)

    assert headline(result)
    assert render_summary(result).startswith(f"### {OUTCOME_STYLES[outcome].icon} ")


def is_member(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="Outcome")):
            return True
        case ast.Call(func=ast.Name(id="str"), args=[argument]):
            return is_member(argument)
    return False


def choices(tree: ast.Module) -> list[int]:
    """The lines of a set or a tuple of several outcomes: one that is new is forgotten there."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Set | ast.Tuple | ast.List) and sum(map(is_member, node.elts)) > 1
    ]


# Of what a rollout or a way back can come to: the tests of rescue.py try each outcome.
OF_A_VERDICT = {"release/outcome.py", "release/rescue.py", "report/markdown.py"}


def test_outcomes__several_of_them__in_a_match_and_in_no_set() -> None:
    found = {
        str(file.relative_to(SOURCE))
        for file in sorted(SOURCE.rglob("*.py"))
        if choices(ast.parse(file.read_text(encoding="utf-8")))
    }

    assert found == OF_A_VERDICT


def test_choices__a_set_and_a_tuple__found() -> None:
    assert choices(ast.parse("x in {Outcome.A, Outcome.B}")) == [1]
    assert choices(ast.parse("x in (str(Outcome.A), str(Outcome.B))")) == [1]
    assert choices(ast.parse("x is Outcome.A")) == []
