"""`fsd reject`."""

from __future__ import annotations

import click

from fsd.cli.answer import answer
from fsd.cli.options import force_option, service_options


@click.command(epilog="Example:  fsd reject --service offer-api --env prod")
@service_options
@force_option
def command(service: str, env: str, region: str | None, output: str, force: bool) -> int:
    """Roll back a deployment that is waiting for approval."""
    return answer(service, env, region=region, output=output, force=force, goes_on=False)
