"""`fsd changed`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.options import ENV, OVERRIDE, REGION
from fsd.errors import UsageError
from fsd.streams import say

if TYPE_CHECKING:
    from fsd.report.changed import ServiceChange

_MOST_JOBS = 256  # of one matrix


@click.command(
    epilog="""\b
Examples:
  fsd changed --env dev                          every Service YAML below this folder
  fsd changed --env prod 'services/*/service.yml'
  matrix=$(fsd changed --env prod --format github-matrix services/)"""
)
@click.argument("files", nargs=-1, metavar="[FILES]...", type=click.Path())
@click.option(
    "--file",
    "-f",
    "named",
    multiple=True,
    type=click.Path(),
    metavar="PATH",
    help="A Service YAML, a pattern, or a folder. Can be repeated; `--file` itself can be left "
    "out.  [default: the current folder]",
)
@ENV
@OVERRIDE
@REGION
@click.option(
    "--format",
    "output",
    type=click.Choice(["terminal", "json", "github-matrix"]),
    default="terminal",
    show_default=True,
    help="json prints one document; github-matrix prints a matrix for a workflow, on one line.",
)
def command(
    files: tuple[str, ...],
    named: tuple[str, ...],
    env: str,
    overrides: tuple[str, ...],
    region: str | None,
    output: str,
) -> int:
    """List the services that changed since the last release of each.

    A service counts as changed if a deployment would change it: its settings, or anything that goes
    into its image. A new commit or version alone is no change. FSD reads, and changes nothing.
    """
    from fsd.app.changed import find_changes
    from fsd.app.deployment import DeployOptions
    from fsd.cli.wiring import connect

    names = (*named, *files)
    if any(not name for name in names):
        raise click.UsageError("the name of a file is empty; name a file, a pattern or a folder")
    options = DeployOptions(file=Path(), environment=env, overrides=overrides, region=region)
    say(_render(find_changes(names or (".",), options, connect), output))
    return 0


def _render(found: Sequence[ServiceChange], output: str) -> str:
    from fsd.report.changed import changed_json, changed_matrix, changed_text

    match output:
        case "json":
            return json.dumps(changed_json(found), indent=2)
        case "github-matrix":
            _require_a_matrix(found)
            return changed_matrix(found)
        case _:
            return changed_text(found)


def _require_a_matrix(found: Sequence[ServiceChange]) -> None:
    """https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations"""
    count = sum(1 for each in found if each.why)
    if count > _MOST_JOBS:
        raise UsageError(
            f"{count} services changed, and GitHub runs at most {_MOST_JOBS} jobs of a matrix",
            where="fsd changed",
            fix="split the folders into several matrices, or deploy all in one job by the "
            "Action's service-file, which takes a pattern",
        )
