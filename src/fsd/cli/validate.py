"""`fsd validate`: offline, without credentials, every finding at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.options import FILE, OVERRIDE
from fsd.errors import ExitCode, ManifestError

if TYPE_CHECKING:
    from fsd.spec.load import Loaded


@click.command()
@FILE
@click.option("--env", "-e", "environment", help="Check for this environment, with its overrides.")
@OVERRIDE
@click.option("--strict", is_flag=True, help="Warnings end with exit code 3 too.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["terminal", "json", "github"]),
    default="terminal",
    show_default=True,
    help="github: annotations on the lines.",
)
def command(
    file: Path, environment: str | None, overrides: tuple[str, ...], strict: bool, output: str
) -> int:
    """Check a Service YAML: exit code 0, or 3 where there are errors."""
    from fsd.cli.manifest import check_manifest
    from fsd.spec.finding import Severity

    try:
        loaded = check_manifest(file, environment=environment, overrides=overrides)
    except ManifestError as error:
        if output == "terminal":
            raise
        click.echo(_render_error(error, file=file, output=output))
        return ExitCode.INVALID_MANIFEST
    click.echo(_render(loaded, output=output))
    stopping = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    wrong = any(finding.severity in stopping for finding in loaded.findings)
    return ExitCode.INVALID_MANIFEST if wrong else ExitCode.OK


def _render(loaded: Loaded, *, output: str) -> str:
    from fsd.cli.manifest import sources_of
    from fsd.report.findings import render_github, render_json, render_terminal

    match output:
        case "json":
            return render_json(loaded.findings, subject=loaded.path)
        case "github":
            return render_github(loaded.findings, subject=loaded.path)
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return render_terminal(
        loaded.findings, sources=sources_of(loaded), subject=loaded.path, color=color
    )


def _render_error(error: ManifestError, *, file: Path, output: str) -> str:
    """A file that cannot be read, as a finding: what reads JSON gets JSON always."""
    from fsd.cli.manifest import InvalidFileError
    from fsd.report.findings import render_github, render_json
    from fsd.spec.finding import Finding, Severity

    findings: tuple[Finding, ...] = (
        Finding(
            id=error.id,
            severity=Severity.ERROR,
            where=error.where,
            message=error.what,
            fix=error.fix,
        ),
    )
    if isinstance(error, InvalidFileError):
        findings = error.findings
    render = render_json if output == "json" else render_github
    return render(findings, subject=str(file))
