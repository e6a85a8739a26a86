"""`fsd restart`."""

from __future__ import annotations

from datetime import timedelta

import click

from fsd.cli.options import NO_WAIT, TIMEOUT, force_option, service_options


@click.command(epilog="Example:  fsd restart --service offer-api --env prod")
@service_options
@TIMEOUT
@NO_WAIT
@force_option
def command(
    service: str,
    env: str,
    region: str | None,
    output: str,
    timeout: timedelta,
    no_wait: bool,
    force: bool,
) -> int:
    """Replace the tasks, keeping the same revision: for example, after a secret was rotated."""
    from fsd.cli.service_command import operate
    from fsd.release.redeploy import restart

    return operate(
        restart,
        service=service,
        env=env,
        region=region,
        output=output,
        timeout=timeout,
        no_wait=no_wait,
        force=force,
        stands="restart",
    )
