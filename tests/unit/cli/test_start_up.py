"""What the start of a command loads: nothing that only a failed deployment needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

PATTERNS = {f"fsd.rollout.{name}" for name in ("log_signs", "surroundings", "failures", "explain")}


@pytest.mark.parametrize("command", ["logs", "status", "history"])
def test_start_up__command_that_explains_nothing__compiles_no_patterns_of_logs(
    command: str,
) -> None:
    program = f"import sys, fsd.cli.{command}; print(sorted({PATTERNS} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
