"""`fsd import`: the command line, and what is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.errors import ExitCode

if TYPE_CHECKING:
    from fsd.app.import_ import ImportResult
    from fsd.importing.compare import Comparison


@click.command()
@click.argument("source", type=click.Path(path_type=Path), required=False)
@click.option("--cluster", metavar="C", help="The cluster of a running service.")
@click.option("--service", "service_name", metavar="NAME", help="The running service's name.")
@click.option("--env", metavar="E", help="The running service's environment.")
@click.option("--pack", help="The owning team.  [default: the service's name]")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder to write to.  [default: the current folder]",
)
@click.option(
    "--check", is_flag=True, help="Compare with the original, field by field; write nothing."
)
@click.option("--dry-run", is_flag=True, help="Print the Service YAMLs instead of writing them.")
@click.option("--region", help="The running service's AWS region.")
def command(
    source: Path | None,
    cluster: str | None,
    service_name: str | None,
    env: str | None,
    pack: str | None,
    output: Path,
    check: bool,
    dry_run: bool,
    region: str | None,
) -> int:
    """Write a Service YAML for a service that another tool deploys.

    FSD also lists the settings that a Service YAML cannot express. The exit code is 0, or 3 if a
    Service YAML has an error that you have to correct.

    SOURCE is a task definition, a service definition, a CloudFormation template, a Copilot
    manifest, a compose file, an apprunner.yaml, or a folder of them. With --cluster and --service,
    FSD reads a running service instead.
    """
    from fsd.app.import_ import ImportRequest, run_import, write_imported
    from fsd.cli.wiring import read_running_service

    request = ImportRequest(
        source=source,
        cluster=cluster,
        service=service_name,
        environment=env,
        pack=pack,
        output=output,
        region=region,
    )
    result = run_import(request, read_running_service)
    if check:
        return _compare(result)
    if dry_run:
        shown = (f"# --- {path}\n{text}" for path, text in result.files.items())
        click.echo("\n".join(shown), nl=False)
        _print_errors(result)
        return _exit_code(result)
    write_imported(result)
    _print(result)
    return _exit_code(result)


def _exit_code(result: ImportResult) -> ExitCode:
    """3 where a Service YAML has an error that only a person can correct, written or not."""
    has_errors = any(each.errors for each in result.fitted)
    return ExitCode.INVALID_MANIFEST if has_errors else ExitCode.OK


def _print(result: ImportResult) -> None:
    from fsd.importing.write import loss_text

    for path, each in zip(result.files, result.fitted, strict=True):
        click.echo(f" ✔ {path}   from {each.imported.source}")
        for note in each.imported.notes:
            click.echo(f"   ! {note}")
        for loss in each.imported.losses:
            click.echo(f"   - not imported: {loss_text(loss)}")
        for finding in each.errors:
            click.echo(f"   ✘ {finding.message}; {finding.fix}")
    for loss in result.losses:
        click.echo(f" - not imported: {loss_text(loss)}")
    lost = sum(len(each.imported.losses) for each in result.fitted) + len(result.losses)
    click.echo(
        f"\n{_count(len(result.fitted), 'Service YAML')}, {_count(lost, 'setting')} not imported."
    )
    click.echo(f"Next:  fsd validate --file {next(iter(result.files))}")


def _print_errors(result: ImportResult) -> None:
    """Beside what `--dry-run` prints, which is YAML and may be read by a program."""
    for path, each in zip(result.files, result.fitted, strict=True):
        for finding in each.errors:
            click.echo(f" ✘ {path}: {finding.message}; {finding.fix}", err=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _compare(result: ImportResult) -> int:
    """Exit 0 where all fields are the same, 3 where one is not or cannot be compared."""
    from fsd.app.import_ import compare_with_original

    comparisons = compare_with_original(result)
    for name, comparison in comparisons:
        _print_comparison(name, comparison)
    is_same = not any(each.different or each.obstacle for _, each in comparisons)
    return ExitCode.OK if is_same else ExitCode.INVALID_MANIFEST


def _print_comparison(name: str, comparison: Comparison) -> None:
    from fsd.importing.write import loss_text

    if error := comparison.obstacle:
        click.echo(f"{name}: does not compare: {error.message}; {error.fix}")
        return
    total = len(comparison.same) + len(comparison.different)
    click.echo(f"{name}: {len(comparison.same)} of {total} fields are the same")
    for each in comparison.different:
        click.echo(f"  ~ {each.field}: {each.original} → {each.compiled}")
    for loss in comparison.uncompared:
        click.echo(f"  ? not compared: {loss_text(loss)}")
