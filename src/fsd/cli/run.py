"""`fsd run`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import click

from fsd.app.operate import open_service
from fsd.cli.options import ENV, REGION, SERVICE, Duration, force_option
from fsd.cli.wiring import connect, govern_in_workflow, is_in_workflow, who_forces
from fsd.streams import log_text


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog="""\b
Examples:
  fsd run --service offer-api --env dev -- python manage.py migrate
  fsd run --service offer-api --env dev --timeout 1h -- python backfill.py --since 2025-01-01""",
)
@SERVICE
@ENV
@REGION
@click.option("--image", help="The URI of the image to run.  [default: the service's image]")
@click.option(
    "--timeout",
    type=Duration(),
    default="1h",
    show_default=True,
    help="Stop the task after this time.",
)
@force_option
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def command(
    service: str,
    env: str,
    region: str | None,
    image: str | None,
    timeout: timedelta,
    force: bool,
    words: tuple[str, ...],
) -> int:
    """Run a command once, in a separate task.

    `fsd run` exits with the command's exit code. The task has the service's image, variables,
    secrets, roles and network. The command replaces the image's CMD, not its ENTRYPOINT. If you
    give none, the task runs the service's own command.
    In a protected environment, FSD accepts this command only from a clean working tree at a commit
    that has been pushed to one of the environment's branches.
    """
    from fsd.app.border import GuardedAction, require_allowed
    from fsd.app.clock import SystemClock
    from fsd.release.run_once import RunRequest, run_once
    from fsd.report.job_runs import run_start_text
    from fsd.report.words import log_remark_text

    environments = govern_in_workflow()
    action = GuardedAction(name="run a command", forced_by=who_forces(force), image=image or "")
    forced = require_allowed(None, env, action, environments_file=environments)
    connection, ref = open_service(
        connect, service, env, region=region, environments_file=environments, start=False
    )
    request = RunRequest(ref=ref, command=words, timeout=timeout, image=image or "", forced=forced)
    show = _shown_where_it_is_read()
    ended = run_once(
        request,
        connection.aws,
        clock=SystemClock(),
        speed=connection.pace.speed,
        on_line=show,
        on_remark=lambda remark: show(f"({log_remark_text(remark)})"),
        on_start=lambda revision, said: click.echo(run_start_text(revision, said), err=True),
    )
    click.echo(f"task {ended.task} ended with exit code {ended.exit_code}", err=True)
    return ended.exit_code


def _shown_where_it_is_read() -> Callable[[str], None]:
    if is_in_workflow():
        from fsd.cli.workflow_log import WorkflowLog

        log = WorkflowLog()
        return lambda line: log.show([line])
    show = partial(log_text, is_colored=sys.stdout.isatty(), in_workflow=False)
    return lambda line: click.echo(show(line))
