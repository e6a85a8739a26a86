"""`fsd validate`: offline, without credentials, every finding at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.options import OVERRIDE
from fsd.errors import ExitCode, ManifestError

if TYPE_CHECKING:
    from fsd.report.findings import FileFindings

_DEFAULT = "service.yml"


@click.command(
    epilog="""\b
Examples:
  fsd validate                            service.yml in this folder
  fsd validate --file services/           every Service YAML in a folder and below
  fsd validate --file 'services/*.yml' --env prod --strict
  git show HEAD:service.yml | fsd validate --file -"""
)
@click.argument("files", nargs=-1, metavar="[FILES]...", type=click.Path())
@click.option(
    "--file",
    "-f",
    "named",
    multiple=True,
    type=click.Path(),
    metavar="PATH",
    help="A Service YAML, a pattern, a folder, or - for standard input; can be repeated, and "
    "given without --file.  [default: service.yml]",
)
@click.option("--env", "-e", "environment", help="Check for this environment, with its overrides.")
@OVERRIDE
@click.option(
    "--workflows",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Check GitHub workflows, a file or a folder of them; can be repeated. Service YAMLs are "
    "checked too where they are named.",
)
@click.option("--strict", is_flag=True, help="Warnings end with exit code 3 too.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["terminal", "json", "github", "sarif", "markdown"]),
    default="terminal",
    show_default=True,
    help="github: annotations on the lines; sarif: for code scanning; markdown: a table.",
)
def command(
    files: tuple[str, ...],
    named: tuple[str, ...],
    environment: str | None,
    overrides: tuple[str, ...],
    workflows: tuple[Path, ...],
    strict: bool,
    output: str,
) -> int:
    """Check Service YAMLs: exit code 0, or 3 where there are errors in one of them."""
    names = (*named, *files)
    found = list(_workflows(workflows, output=output)) if workflows else []
    subject = ", ".join(str(path) for path in workflows)
    if names or not workflows:
        names = names or (_DEFAULT,)
        found += _manifests(names, environment=environment, overrides=overrides, output=output)
        subject = found[0].path if len(found) == 1 else f"{len(found)} files"
    click.echo(_render(found, subject=subject, output=output))
    return _exit_code(found, strict=strict)


def _manifests(
    names: Sequence[str], *, environment: str | None, overrides: Sequence[str], output: str
) -> Sequence[FileFindings]:
    from fsd.cli.sources import check_files

    checked = list(check_files(names, environment=environment, overrides=overrides))
    if output == "terminal" and len(checked) == 1 and checked[0].error is not None:
        raise checked[0].error
    return [file.report() for file in checked]


def _workflows(paths: Sequence[Path], *, output: str) -> Sequence[FileFindings]:
    from fsd.cli.sources import error_report
    from fsd.cli.workflows import check_workflows
    from fsd.report.findings import FileFindings

    try:
        checked = check_workflows(paths)
    except ManifestError as error:
        if output == "terminal":
            raise
        return [error_report(error, path=str(paths[0]))]
    return [
        FileFindings(path=file.path, findings=file.findings, sources={file.path: file.lines})
        for file in checked
    ]


def _exit_code(files: Sequence[FileFindings], *, strict: bool) -> int:
    from fsd.spec.finding import Severity

    stopping = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    wrong = any(finding.severity in stopping for file in files for finding in file.findings)
    return ExitCode.INVALID_MANIFEST if wrong else ExitCode.OK


def _render(files: Sequence[FileFindings], *, subject: str, output: str) -> str:
    if output in ("json", "sarif"):
        return _document(files, output=output)
    # What is wrong with the environments file is wrong for every file: said once.
    findings = list(dict.fromkeys(finding for file in files for finding in file.findings))
    if output == "markdown":
        from fsd.report.markdown import render_findings

        return render_findings(findings, subject=subject)
    from fsd.report.findings import render_github, render_terminal

    if output == "github":
        return render_github(findings, subject=subject)
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    sources = {path: lines for file in files for path, lines in file.sources.items()}
    return render_terminal(findings, sources=sources, subject=subject, color=color)


def _document(files: Sequence[FileFindings], *, output: str) -> str:
    if output == "json":
        from fsd.report.findings import render_json

        return render_json(files)
    from fsd.report.sarif import render_sarif

    return render_sarif(files, root=Path.cwd())
