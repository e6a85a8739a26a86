"""`fsd plan`: the dry run. It observes and plans, and there is nothing in it that applies."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fsd.cli.options import CONTEXT, DOCKERFILE, ENV, FILE, FORMAT, OVERRIDE, REGION
from fsd.errors import ExitCode, RefusedError
from fsd.streams import not_a_command, printable, say


def _refuse(refusals: tuple[RefusedError, ...]) -> int:
    """The exit code is the one with which the deployment would end."""
    for refusal in refusals:
        for line in str(refusal).split("\n"):
            say(not_a_command(printable(line)), err=True)
    return int(refusals[0].exit_code)


@click.command(
    epilog="""\b
Examples:
  fsd plan --env prod --file service.yml --detailed-exitcode   (0: no changes, 10: changes)
  fsd plan --env prod --file service.yml --out plan.json"""
)
@FILE
@ENV
@click.option("--image", help="Plan with this image.  [default: the current image]")
@CONTEXT
@DOCKERFILE
@click.option("--version", help="A label for the release.")
@OVERRIDE
@REGION
@click.option(
    "--no-rollback",
    is_flag=True,
    help="Plan a deployment that leaves a failure as it is, as `fsd deploy --no-rollback` does.",
)
@click.option(
    "--drift",
    is_flag=True,
    help="Also compare every resource in the stack with the stack's template.",
)
@click.option(
    "--adopt",
    is_flag=True,
    help="Plan to take over resources that another pack or repository created.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Also save the plan to this file, for `fsd deploy --plan`.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with code 10 if there are changes.")
@FORMAT
def command(
    file: Path,
    env: str,
    image: str | None,
    context: Path | None,
    dockerfile: Path | None,
    version: str | None,
    overrides: tuple[str, ...],
    region: str | None,
    no_rollback: bool,
    drift: bool,
    adopt: bool,
    out: Path | None,
    detailed_exitcode: bool,
    output: str,
) -> int:
    """Show what a deployment would change, and why."""
    from fsd.app.deployment import DeployOptions
    from fsd.app.plan import run_plan
    from fsd.cli.wiring import connect
    from fsd.release.reporter import Silent
    from fsd.report.plans import plan_json, plan_text

    if image and (context or dockerfile):
        raise click.UsageError("`--image` cannot be combined with `--context` or `--dockerfile`")
    options = DeployOptions(
        file=file,
        environment=env,
        image=image,
        context=context,
        dockerfile=dockerfile,
        version=version,
        overrides=overrides,
        region=region,
        rollback=not no_rollback,
        adopt=adopt,
    )
    planned = run_plan(options, connect, reporter=Silent(), drift=drift, out=out)
    if output == "json":
        click.echo(json.dumps(plan_json(planned), indent=2))
    else:
        click.echo(plan_text(planned))
    if planned.refusals:
        return _refuse(planned.refusals)
    has_changes = not planned.plan.is_empty
    return int(ExitCode.PLAN_HAS_CHANGES) if detailed_exitcode and has_changes else 0
