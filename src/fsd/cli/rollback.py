"""`fsd rollback`."""

from __future__ import annotations

from datetime import timedelta

import click

from fsd.cli.options import NO_WAIT, TIMEOUT, force_option, service_options


@click.command(
    epilog="""\b
Examples:
  fsd rollback --service offer-api --env prod
  fsd rollback --service offer-api --env prod --to-version v1.2.3"""
)
@service_options
@click.option(
    "--to-version",
    help="Version label, commit (7+ characters), digest or revision.  "
    "[default: the last good release]",
)
@TIMEOUT
@NO_WAIT
@force_option
def command(
    service: str,
    env: str,
    region: str | None,
    output: str,
    to_version: str | None,
    timeout: timedelta,
    no_wait: bool,
    force: bool,
) -> int:
    """Return to an earlier release, and wait for the verdict."""
    from fsd.cli.service_command import operate
    from fsd.release.rollback_to_version import roll_back

    return operate(
        lambda operation: roll_back(operation, to_version),
        service=service,
        env=env,
        region=region,
        output=output,
        timeout=timeout,
        no_wait=no_wait,
        force=force,
    )
