"""`fsd scale`."""

from __future__ import annotations

from datetime import timedelta

import click

from fsd.cli.options import NO_WAIT, TIMEOUT, force_option, service_options


@click.command(epilog="Example:  fsd scale --service offer-api --env prod --count 10")
@service_options
@click.option("--count", type=click.IntRange(0, 5000), required=True, help="Number of tasks.")
@TIMEOUT
@NO_WAIT
@force_option
def command(
    service: str,
    env: str,
    region: str | None,
    output: str,
    count: int,
    timeout: timedelta,
    no_wait: bool,
    force: bool,
) -> int:
    """Set the number of tasks, without a deployment."""
    from fsd.cli.service_command import operate
    from fsd.release.scale import scale

    return operate(
        lambda operation: scale(operation, count),
        service=service,
        env=env,
        region=region,
        output=output,
        timeout=timeout,
        no_wait=no_wait,
        force=force,
        stands="scale",
    )
