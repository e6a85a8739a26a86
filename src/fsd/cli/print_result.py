"""Print a result where it belongs, and turn it into the exit code."""

from __future__ import annotations

import json
import sys

from fsd.errors import ExitCode
from fsd.release.result import Outcome, Result
from fsd.streams import write_or_detach


def print_result(result: Result, *, output: str, interrupted_as: ExitCode) -> int:
    """The result on stdout; returns the exit code, 130 or 143 after a signal."""
    if result.diagnosis is not None and sys.stdout.isatty() and sys.stderr.isatty():
        write_or_detach(sys.stderr, "\n")  # between the phases and why they failed
    write_or_detach(sys.stdout, f"{_text(result, output)}\n")
    if result.outcome is Outcome.INTERRUPTED:
        return int(interrupted_as)
    return int(result.outcome.exit_code)


def _text(result: Result, output: str) -> str:
    if output == "json":
        from fsd.report.json_report import result_json

        return json.dumps(result_json(result), indent=2)
    from fsd.report.render import terminal_result

    return terminal_result(result)
