"""`fsd validate`: the command line, and how findings are shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.options import OVERRIDE, complete_environment
from fsd.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from fsd.app.fixes import FixedFile
    from fsd.app.validate import ValidateRequest
    from fsd.report.findings import FileFindings

_DEFAULT = "service.yml"
_STDIN = "-"


@click.command(
    epilog="""\b
Examples:
  fsd validate                            service.yml in this folder
  fsd validate --file services/           every Service YAML in a folder and below
  fsd validate --file 'services/*.yml' --env prod --strict
  fsd validate --watch services/          checks again at every save
  fsd validate --fix                      fixes what is safe to fix
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
    help="A Service YAML, a pattern, a folder, or - for standard input. Can be repeated; `--file` "
    "itself can be left out.  [default: service.yml]",
)
@click.option(
    "--env",
    "-e",
    "environment",
    shell_complete=complete_environment,
    help="Check for this environment, with its overrides.",
)
@OVERRIDE
@click.option(
    "--workflows",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Check a GitHub workflow file, or all workflows in a folder; can be repeated. Service "
    "YAMLs are checked as well if you name them.",
)
@click.option(
    "--fix", is_flag=True, help="Fix every finding that is safe to fix, and show the changes."
)
@click.option("--diff", is_flag=True, help="Show what --fix would change, without changing it.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
@click.option("--strict", is_flag=True, help="Exit with 3 for warnings too.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["terminal", "json", "github", "sarif", "markdown"]),
    default="terminal",
    show_default=True,
    help="github: annotations on the lines; sarif: for code scanning; markdown: a list.",
)
def command(
    files: tuple[str, ...],
    named: tuple[str, ...],
    environment: str | None,
    overrides: tuple[str, ...],
    workflows: tuple[Path, ...],
    fix: bool,
    diff: bool,
    watch: bool,
    strict: bool,
    output: str,
) -> int:
    """Check Service YAMLs. The exit code is 0, or 3 if one of them has errors."""
    names = (*named, *files)
    _refuse_what_cannot_be(names, fix=fix and not diff, watch=watch)
    from fsd.app.validate import Fixes, ValidateRequest, list_inputs

    fixes = Fixes.SHOW if diff else Fixes.WRITE if fix else Fixes.LEAVE
    request = ValidateRequest(
        names=names if names or workflows else (_DEFAULT,),
        workflows=workflows,
        environment=environment,
        overrides=overrides,
        fixes=fixes,
        raises=output == "terminal",
    )
    if watch:
        from fsd.app.clock import SystemClock
        from fsd.cli.validate_watch import watch as watch_files

        watch_files(
            lambda: _validate(request, strict=strict, output=output),
            files=lambda: list_inputs(request),
            clock=SystemClock(),
            clear=sys.stdout.isatty(),
        )
    return _validate(request, strict=strict, output=output)


def _validate(request: ValidateRequest, *, strict: bool, output: str) -> int:
    from fsd.app.validate import run_validate

    def show(file: FixedFile) -> None:
        from fsd.cli.fixes import ShownFixes

        is_terminal = output == "terminal"
        ShownFixes(to_stderr=not is_terminal, color=is_terminal and _is_colored()).show(file)

    found = run_validate(request, show=show)
    subject = ", ".join(str(path) for path in request.workflows)
    if request.names:
        subject = found[0].path if len(found) == 1 else f"{len(found)} files"
    click.echo(_render(found, subject=subject, output=output))
    return _exit_code(found, strict=strict)


def _refuse_what_cannot_be(names: Sequence[str], *, fix: bool, watch: bool) -> None:
    if fix and _STDIN in names:
        raise UsageError(
            "there is no file to write the fixes to",
            where="--file -",
            fix="use --diff, which shows them",
        )
    if watch and (fix or _STDIN in names):
        what = "--watch cannot be combined with --fix"
        what = what if fix else "standard input can be read only once"
        raise UsageError(what, where="--watch", fix="use --diff" if fix else "name a file")


def _is_colored() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _exit_code(files: Sequence[FileFindings], *, strict: bool) -> int:
    from fsd.manifest.finding import Severity

    stopping = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    wrong = any(finding.severity in stopping for file in files for finding in file.findings)
    return ExitCode.INVALID_MANIFEST if wrong else ExitCode.OK


def _render(files: Sequence[FileFindings], *, subject: str, output: str) -> str:
    if output in ("json", "sarif"):
        return _document(files, output=output)
    # What is wrong with the environments file is wrong for every file: said once.
    findings = list(dict.fromkeys(finding for file in files for finding in file.findings))
    if output == "markdown":
        from fsd.report.plan_markdown import render_findings

        return render_findings(findings, subject=subject)
    from fsd.report.findings import render_github, render_terminal

    if output == "github":
        return render_github(findings, subject=subject)
    sources = {path: lines for file in files for path, lines in file.sources.items()}
    return render_terminal(findings, sources=sources, subject=subject, color=_is_colored())


def _document(files: Sequence[FileFindings], *, output: str) -> str:
    if output == "json":
        from fsd.report.findings import render_json

        return render_json(files)
    from fsd.report.sarif import render_sarif

    return render_sarif(files, root=Path.cwd())
