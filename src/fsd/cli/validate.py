"""`fsd validate`: offline, without credentials, every finding at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.options import FILE, OVERRIDE
from fsd.errors import ExitCode, ManifestError

if TYPE_CHECKING:
    from fsd.report.findings import Sources
    from fsd.spec.finding import Finding


@click.command()
@FILE
@click.option("--env", "-e", "environment", help="Check for this environment, with its overrides.")
@OVERRIDE
@click.option(
    "--workflows",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Check GitHub workflows instead, a file or a folder of them; can be repeated.",
)
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
    file: Path,
    environment: str | None,
    overrides: tuple[str, ...],
    workflows: tuple[Path, ...],
    strict: bool,
    output: str,
) -> int:
    """Check a Service YAML: exit code 0, or 3 where there are errors."""
    from fsd.cli.manifest import check_manifest, sources_of

    subject = workflows[0] if workflows else file
    try:
        if workflows:
            return _show_workflows(workflows, strict=strict, output=output)
        loaded = check_manifest(file, environment=environment, overrides=overrides)
    except ManifestError as error:
        if output == "terminal":
            raise
        click.echo(_render_error(error, file=subject, output=output))
        return ExitCode.INVALID_MANIFEST
    shown = Shown(findings=loaded.findings, sources=sources_of(loaded), subject=loaded.path)
    return _show(shown, strict=strict, output=output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    findings: Sequence[Finding]
    sources: Sources
    subject: str


def _show_workflows(paths: Sequence[Path], *, strict: bool, output: str) -> int:
    from fsd.cli.workflows import check_workflows

    checked = check_workflows(paths)
    shown = Shown(
        findings=[finding for file in checked for finding in file.findings],
        sources={file.path: file.lines for file in checked},
        subject=", ".join(str(path) for path in paths),
    )
    return _show(shown, strict=strict, output=output)


def _show(shown: Shown, *, strict: bool, output: str) -> int:
    from fsd.spec.finding import Severity

    click.echo(_render(shown, output=output))
    stopping = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    wrong = any(finding.severity in stopping for finding in shown.findings)
    return ExitCode.INVALID_MANIFEST if wrong else ExitCode.OK


def _render(shown: Shown, *, output: str) -> str:
    from fsd.report.findings import render_github, render_json, render_terminal

    match output:
        case "json":
            return render_json(shown.findings, subject=shown.subject)
        case "github":
            return render_github(shown.findings, subject=shown.subject)
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return render_terminal(
        shown.findings, sources=shown.sources, subject=shown.subject, color=color
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
