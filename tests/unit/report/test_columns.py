"""A narrow terminal: nothing is wider than it, and no word is broken."""

from __future__ import annotations

from contextvars import copy_context

import pytest

from fsd.report.render import terminal_result
from fsd.streams import columns, fit_columns
from tests.unit.report.results import make_first_failed, make_result, make_rolled_back


def rendered(available: int, text: str) -> str:
    def render() -> str:
        fit_columns(available)
        result = {"failed": make_rolled_back, "first": make_first_failed, "good": make_result}
        return terminal_result(result[text]())

    return copy_context().run(render)


def plain(text: str) -> str:
    """Without what only sets lines and commands apart."""
    return text.replace("|", " ").replace("·", " ")


@pytest.mark.parametrize("text", ["failed", "first", "good"])
@pytest.mark.parametrize("available", [60, 61, 80, 100])
def test_terminal_result__any_width__fits_and_breaks_no_word(available: int, text: str) -> None:
    narrow, wide = rendered(available, text), rendered(100, text)

    words = plain(narrow).split()
    assert words == plain(wide).split()
    long = {line for line in narrow.splitlines() if len(line) > available}
    assert [line for line in long if len(max(line.split(), key=len)) < available - 20] == []


@pytest.mark.parametrize(
    ("available", "used"), [(20, 60), (60, 60), (72, 72), (100, 100), (300, 100)]
)
def test_fit_columns__terminal__from_60_to_100(available: int, used: int) -> None:
    def fit() -> int:
        fit_columns(available)
        return columns()

    assert copy_context().run(fit) == used
    assert columns() == 100
