"""Counts what was tried: a test of many inputs says how many, and the summary adds them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

_INPUTS = "hostile-inputs"


@pytest.fixture
def count_inputs(record_property: Callable[[str, object], None]) -> Callable[[int], None]:
    """Call it with the number of inputs that a test tries, where that is more than one."""
    return lambda number: record_property(_INPUTS, number)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tried: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        path = Path(report.nodeid.partition("::")[0])
        if path.parent.name == "security":
            tried[path.stem] += dict(report.user_properties).get(_INPUTS, 1)
    if tried:
        terminalreporter.section("hostile inputs tried and held")
        for name, number in sorted(tried.items()):
            terminalreporter.write_line(f"{number:7,}  {name.removeprefix('test_')}")
        terminalreporter.write_line(f"{tried.total():7,}  in all")
