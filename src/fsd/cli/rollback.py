"""`fsd rollback`."""

from __future__ import annotations

from datetime import timedelta

import click

from fsd.cli.options import NO_WAIT, TIMEOUT, make_operation, open_service, service_options


@click.command(
    epilog="""\b
Examples:
  fsd rollback --service offer-api --env prod
  fsd rollback --service offer-api --env prod --to-version v1.2.3"""
)
@service_options
@click.option(
    "--to-version",
    help="Version label, commit (7+ characters), digest or revision; else the last good one.",
)
@TIMEOUT
@NO_WAIT
def command(
    service: str,
    env: str,
    region: str | None,
    output: str,
    to_version: str | None,
    timeout: timedelta,
    no_wait: bool,
) -> int:
    """Release an earlier revision again, and wait for the verdict."""
    from fsd.cli.clock import catch_signals
    from fsd.cli.finish import finish
    from fsd.release.operations import roll_back
    from fsd.report import open_reporter

    with catch_signals() as signals, open_reporter() as reporter:
        connection, ref = open_service(service, env, region=region)
        operation = make_operation(
            connection, ref, reporter=reporter, timeout=timeout, wait=not no_wait
        )
        result = roll_back(operation, to_version)
    return finish(result, output=output, interrupted_as=signals.exit_code)
