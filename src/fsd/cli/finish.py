"""Print a result where it belongs, and turn it into the exit code."""

from __future__ import annotations

import json

import click

from fsd.errors import ExitCode
from fsd.release.result import Outcome, Result


def finish(result: Result, *, output: str, interrupted_as: ExitCode) -> int:
    """The result on stdout; returns the exit code, 130 or 143 after a signal."""
    if output == "json":
        from fsd.report.json_report import result_json

        click.echo(json.dumps(result_json(result), indent=2))
    else:
        from fsd.report.render import terminal_result

        click.echo(terminal_result(result))
    if result.outcome is Outcome.INTERRUPTED:
        return int(interrupted_as)
    return int(result.outcome.exit_code)
