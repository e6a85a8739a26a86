"""`fsd scale`."""

from __future__ import annotations

from datetime import timedelta

import click

from fsd.cli.options import NO_WAIT, TIMEOUT, make_operation, open_service, service_options


@click.command(epilog="Example:  fsd scale --service offer-api --env prod --count 10")
@service_options
@click.option("--count", type=click.IntRange(0, 5000), required=True, help="Number of tasks.")
@TIMEOUT
@NO_WAIT
def command(
    service: str,
    env: str,
    region: str | None,
    output: str,
    count: int,
    timeout: timedelta,
    no_wait: bool,
) -> int:
    """Set the number of tasks, without a deployment."""
    from fsd.cli.clock import catch_signals
    from fsd.cli.finish import finish
    from fsd.release.operations import scale
    from fsd.report import open_reporter

    with catch_signals() as signals, open_reporter() as reporter:
        connection, ref = open_service(service, env, region=region)
        operation = make_operation(
            connection, ref, reporter=reporter, timeout=timeout, wait=not no_wait
        )
        result = scale(operation, count)
    return finish(result, output=output, interrupted_as=signals.exit_code)
