"""`fsd run`."""

from __future__ import annotations

from datetime import timedelta

import click

from fsd.app.operate import open_service
from fsd.cli.options import ENV, REGION, SERVICE, Duration
from fsd.cli.wiring import connect


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
@click.option("--image", help="Another image, by URI.  [default: the one that the service runs]")
@click.option(
    "--timeout",
    type=Duration(),
    default="1h",
    show_default=True,
    help="The task is stopped after this time.",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def command(
    service: str,
    env: str,
    region: str | None,
    image: str | None,
    timeout: timedelta,
    words: tuple[str, ...],
) -> int:
    """Run a command once, as a task beside the service's, and exit with its exit code.

    The task has the service's image, variables, secrets, roles and network. The command replaces
    the image's CMD, not its ENTRYPOINT; without one the task runs what the service does.
    """
    from fsd.app.clock import SystemClock
    from fsd.release.run_once import RunRequest, run_once

    connection, ref = open_service(connect, service, env, region=region, start=False)
    request = RunRequest(ref=ref, command=words, timeout=timeout, image=image or "")
    ended = run_once(
        request,
        connection.aws,
        clock=SystemClock(),
        speed=connection.pace.speed,
        on_line=click.echo,
        on_start=lambda text: click.echo(text, err=True),
    )
    click.echo(ended.text, err=True)
    return ended.exit_code
