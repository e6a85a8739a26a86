"""`fsd validate`: offline, without credentials, every finding at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.options import OVERRIDE, complete_environment
from fsd.errors import ExitCode, ManifestError, UsageError

if TYPE_CHECKING:
    from fsd.cli.fixing import Fixing
    from fsd.cli.sources import Check, CheckedFile
    from fsd.manifest.load import Loaded
    from fsd.report.findings import FileFindings

_DEFAULT = "service.yml"
_STDIN = "-"
_WORKFLOW_FOLDERS = (Path(".github", "workflows"), Path("workflows"))


@click.command(
    epilog="""\b
Examples:
  fsd validate                            service.yml in this folder
  fsd validate --file services/           every Service YAML in a folder and below
  fsd validate --file 'services/*.yml' --env prod --strict
  fsd validate --watch services/          beside an editor
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
    help="A Service YAML, a pattern, a folder, or - for standard input; can be repeated, and "
    "given without --file.  [default: service.yml]",
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
    help="Check GitHub workflows, a file or a folder; can be repeated. Service YAMLs are checked "
    "as well if you name them.",
)
@click.option("--fix", is_flag=True, help="Fix what is safe to fix, and show the changes.")
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
    run = _Validation(
        names=names if names or workflows else (_DEFAULT,),
        workflows=workflows,
        environment=environment,
        overrides=overrides,
        fixing=_fixing(output, write=not diff) if fix or diff else None,
        strict=strict,
        output=output,
    )
    if watch:
        from fsd.app.clock import SystemClock
        from fsd.cli.watching import watch as watch_files

        watch_files(run.once, files=run.files, clock=SystemClock(), clear=sys.stdout.isatty())
    return run.once()


def _refuse_what_cannot_be(names: Sequence[str], *, fix: bool, watch: bool) -> None:
    if fix and _STDIN in names:
        raise UsageError(
            "there is no file to write the fixes to",
            where="--file -",
            fix="use --diff, which shows them",
        )
    if watch and (fix or _STDIN in names):
        what = "--watch and --fix do not go together" if fix else "standard input is read once"
        raise UsageError(what, where="--watch", fix="use --diff" if fix else "name a file")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Validation:
    """What the command line asks for."""

    names: Sequence[str]
    workflows: Sequence[Path]
    environment: str | None
    overrides: Sequence[str]
    fixing: Fixing | None
    strict: bool
    output: str

    def once(self) -> int:
        found = list(_workflows(self.workflows, output=self.output)) if self.workflows else []
        subject = ", ".join(str(path) for path in self.workflows)
        if self.names:
            found += _manifests(
                self.names,
                check=_check(self.environment, self.overrides),
                fixing=self.fixing,
                raises=self.output == "terminal" and not self.workflows,
            )
            subject = found[0].path if len(found) == 1 else f"{len(found)} files"
        elif self.environment is not None:
            from fsd.app.manifest import find_environment

            find_environment(None, self.environment)  # a workflow has none, but a wrong one is said
        click.echo(_render(found, subject=subject, output=self.output))
        return _exit_code(found, strict=self.strict)

    def files(self) -> Sequence[Path]:
        """Everything whose change may change the result."""
        from fsd.app.manifest import find_environments_file
        from fsd.cli.sources import list_candidates

        inner = [path / folder for path in self.workflows for folder in _WORKFLOW_FOLDERS]
        found = list_candidates([*self.names, *(str(path) for path in (*self.workflows, *inner))])
        if self.environment is not None:
            folders = {path.parent: path for path in found}
            environments = {find_environments_file(path) for path in folders.values()}
            found += [path for path in environments if path is not None]
        return found


def _check(environment: str | None, overrides: Sequence[str]) -> Check:
    from fsd.app.manifest import check_manifest

    def check(path: str, text: str) -> Loaded:
        return check_manifest(Path(path), environment=environment, overrides=overrides, text=text)

    return check


def _fixing(output: str, *, write: bool) -> Fixing:
    from fsd.cli.fixing import Fixing

    is_terminal = output == "terminal"
    return Fixing(write=write, to_stderr=not is_terminal, color=is_terminal and _is_colored())


def _manifests(
    names: Sequence[str], *, check: Check, fixing: Fixing | None, raises: bool
) -> Sequence[FileFindings]:
    """What was found in each file. `raises`: the error of a file that is the only one."""
    from fsd.cli.sources import check_files, find_files, report_files

    found = list(find_files(names))
    if fixing is None and len(found) > 1:
        return report_files(found, check=check)
    reports: list[FileFindings] = []
    error = None
    for checked in check_files(found, check=check):
        done = checked if fixing is None else _fix(checked, fixing, check)
        error = done.error
        reports.append(done.report())
    if raises and len(reports) == 1 and error is not None:
        raise error
    return reports


def _fix(checked: CheckedFile, fixing: Fixing, check: Check) -> CheckedFile:
    from dataclasses import replace

    if checked.loaded is None:
        return checked
    path = checked.path
    try:
        loaded = fixing.run(path, checked.text, checked.loaded, lambda text: check(path, text))
    except ManifestError as error:
        return replace(checked, loaded=None, error=error)
    return replace(checked, loaded=loaded)


def _is_colored() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


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
