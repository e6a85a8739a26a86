"""`fsd restart`."""

from __future__ import annotations

from datetime import timedelta

import click

from fsd.cli.options import NO_WAIT, TIMEOUT, make_operation, open_service, service_options


@click.command(epilog="Example:  fsd restart --service offer-api --env prod")
@service_options
@TIMEOUT
@NO_WAIT
def command(
    service: str, env: str, region: str | None, output: str, timeout: timedelta, no_wait: bool
) -> int:
    """Start new tasks of the same revision: after a secret was rotated, for instance."""
    from fsd.cli.clock import catch_signals
    from fsd.cli.finish import finish
    from fsd.release.operations import restart
    from fsd.report import open_reporter

    with catch_signals() as signals, open_reporter() as reporter:
        connection, ref = open_service(service, env, region=region)
        operation = make_operation(
            connection, ref, reporter=reporter, timeout=timeout, wait=not no_wait
        )
        result = restart(operation)
    return finish(result, output=output, interrupted_as=signals.exit_code)
