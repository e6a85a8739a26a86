"""`fsd status`."""

from __future__ import annotations

import json
from datetime import timedelta

import click

from fsd.cli.options import make_operation, open_service, service_options


@click.command(epilog="Example:  fsd status --service offer-api --env prod --watch")
@service_options
@click.option("--watch", is_flag=True, help="Show it again until nothing is in flight.")
def command(service: str, env: str, region: str | None, output: str, watch: bool) -> int:
    """Show what runs: release, tasks, targets, and a deployment in flight."""
    from fsd.cli.clock import SystemClock
    from fsd.release.operations import read_status
    from fsd.release.reporter import Silent
    from fsd.report.json_report import status_json
    from fsd.report.tables import status_text

    connection, ref = open_service(service, env, region=region)
    operation = make_operation(connection, ref, reporter=Silent())
    clock = SystemClock()
    while True:
        status = read_status(operation)
        if output == "json":
            click.echo(json.dumps(status_json(status), indent=2))
        else:
            click.echo(status_text(status))
        in_flight = status.deployment is not None and not status.deployment.status.is_final
        if not (watch and in_flight):
            return 0
        clock.wait(connection.pace.after(timedelta(minutes=1)))
