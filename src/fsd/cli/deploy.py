"""`fsd deploy`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.options import (
    ALLOW_RUN,
    CONTEXT,
    DEPLOY_TIMEOUT,
    DOCKERFILE,
    ENV,
    FILE,
    FORMAT,
    NO_WAIT,
    OVERRIDE,
    REGION,
    VERSION,
    force_option,
    release_folders,
)
from fsd.error_codes import DEPLOY_EXITS, INTERRUPTED_EXITS

if TYPE_CHECKING:
    from fsd.release.concurrency.in_flight import InFlight


@click.command(
    epilog="""\b
Examples:
  fsd deploy --env local --file service.yml
  fsd deploy --env dev --file service.yml --override resources.cpu=2048
  fsd deploy --env prod --image 123456789012.dkr.ecr.us-east-1.amazonaws.com/offer-api:4f2c1e9

"""
    + "Exit codes: "
    + "; ".join(f"{int(code)} {code.short}" for code in (*DEPLOY_EXITS, *INTERRUPTED_EXITS))
    + "."
)
@FILE
@ENV
@click.option("--image", help="Deploy this image (tag or digest) instead of building one.")
@CONTEXT
@DOCKERFILE
@ALLOW_RUN
@VERSION
@OVERRIDE
@REGION
@DEPLOY_TIMEOUT
@NO_WAIT
@click.option("--no-rollback", is_flag=True, help="Leave a failed deployment as it is.")
@click.option("--supersede", is_flag=True, help="Take over from a deployment in flight.")
@click.option("--wait-for-lock", is_flag=True, help="Wait for a deployment in flight to end.")
@click.option(
    "--adopt", is_flag=True, help="Take over resources that another pack or repository created."
)
@click.option("--allow-older", is_flag=True, help="Deploy an older commit over a newer one.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    help="Deploy exactly the plan that `fsd plan --out` saved in this file. Also pass the "
    "options that you gave to `fsd plan`.",
)
@click.option(
    "--allow-interruption",
    is_flag=True,
    help="Change the health check without trying it on the running tasks first.",
)
@click.option(
    "--allow-replacement",
    is_flag=True,
    help="Deploy a plan that replaces a load balancer or a target group.",
)
@click.option(
    "--on-cancel",
    type=click.Choice(["leave", "rollback"]),
    default="leave",
    show_default=True,
    help="What Ctrl-C does to the deployment in flight.",
)
@force_option
@FORMAT
def command(
    file: Path,
    env: str,
    image: str | None,
    context: Path | None,
    dockerfile: Path | None,
    allow_run: bool,
    version: str | None,
    overrides: tuple[str, ...],
    region: str | None,
    timeout: timedelta | None,
    no_wait: bool,
    no_rollback: bool,
    supersede: bool,
    wait_for_lock: bool,
    adopt: bool,
    allow_older: bool,
    plan_file: Path | None,
    allow_interruption: bool,
    allow_replacement: bool,
    on_cancel: str,
    force: bool,
    output: str,
) -> int:
    """Deploy a service, and wait for the verdict on this deployment."""
    from fsd.app.border import GuardedAction, require_allowed
    from fsd.app.clock import catch_signals
    from fsd.app.deploy import run_deploy
    from fsd.app.deployment import DeployOptions
    from fsd.app.saved_plan import load_plan
    from fsd.cli.print_result import print_result
    from fsd.cli.wiring import connect, govern_in_workflow, who_forces
    from fsd.release.deploy_request import OnCancel
    from fsd.report import open_reporter

    if supersede and wait_for_lock:
        raise click.UsageError("`--supersede` cannot be combined with `--wait-for-lock`")
    if image and (context or dockerfile):
        raise click.UsageError("`--image` cannot be combined with `--context` or `--dockerfile`")
    environments = govern_in_workflow()
    folders = release_folders(file, context, dockerfile)
    action = GuardedAction(name="deploy", forced_by=who_forces(force), folders=folders)
    forced = require_allowed(file, env, action, environments_file=environments)
    options = DeployOptions(
        file=file,
        environment=env,
        image=image,
        context=context,
        dockerfile=dockerfile,
        allow_run=allow_run,
        version=version,
        overrides=overrides,
        region=region,
        timeout=timeout,
        wait=not no_wait,
        rollback=not no_rollback,
        in_flight=_in_flight(supersede=supersede, wait=wait_for_lock),
        adopt=adopt,
        allow_older=allow_older,
        saved_plan=load_plan(plan_file) if plan_file else None,
        allow_interruption=allow_interruption,
        allow_replacement=allow_replacement,
        on_cancel=OnCancel(on_cancel),
        forced=forced,
        environments_file=environments,
    )
    with catch_signals() as signals, open_reporter() as reporter:
        result = run_deploy(options, connect, reporter=reporter)
    return print_result(result, output=output, interrupted_as=signals.exit_code)


def _in_flight(*, supersede: bool, wait: bool) -> InFlight:
    from fsd.release.concurrency.in_flight import InFlight

    if supersede:
        return InFlight.SUPERSEDE
    return InFlight.WAIT if wait else InFlight.REFUSE
