"""`fsd status`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import click

from fsd.cli.options import ENV, FORMAT, REGION, make_operation, open_environment, open_service


@click.command(
    epilog="Example:  fsd status --service offer-api --env prod --watch  ·  fsd status --env prod"
)
@click.option("--service", "-s", help="The service's name; all of the environment without it.")
@ENV
@REGION
@FORMAT
@click.option("--watch", is_flag=True, help="Show it again until nothing is in flight.")
def command(service: str | None, env: str, region: str | None, output: str, watch: bool) -> int:
    """Show what runs: release, tasks, targets, and a deployment in flight; or all services."""
    is_json = output == "json"
    if service is None:
        _show_all(env, region=region, is_json=is_json, watch=watch)
    else:
        _show_one(service, env, region=region, is_json=is_json, watch=watch)
    return 0


def _show_one(service: str, env: str, *, region: str | None, is_json: bool, watch: bool) -> None:
    from fsd.release.operations import read_status
    from fsd.release.reporter import Silent
    from fsd.report.json_report import status_json
    from fsd.report.tables import status_text

    connection, ref = open_service(service, env, region=region, start=False)
    operation = make_operation(connection, ref, reporter=Silent())

    def look() -> bool:
        status = read_status(operation)
        click.echo(json.dumps(status_json(status), indent=2) if is_json else status_text(status))
        return status.deployment is None or status.deployment.status.is_final

    _repeat(look, pause=connection.pace.after(timedelta(minutes=1)), watch=watch)


def _show_all(env: str, *, region: str | None, is_json: bool, watch: bool) -> None:
    from fsd.release.operations import Overview, read_overview
    from fsd.report.json_report import overview_json
    from fsd.report.tables import overview_text

    connection, cluster = open_environment(env, region=region, start=False)
    shown: list[Overview] = []

    def look() -> bool:
        # Which services there are is asked once.
        names = [service.name for service in shown[0].services] if shown else None
        found = read_overview(connection.aws, environment=env, cluster=cluster, names=names)
        click.echo(json.dumps(overview_json(found), indent=2) if is_json else overview_text(found))
        shown.append(found)
        return found.is_settled

    _repeat(look, pause=connection.pace.after(timedelta(minutes=1)), watch=watch)


def _repeat(look: Callable[[], bool], *, pause: timedelta, watch: bool) -> None:
    """Once; with --watch until `look` says that nothing is in flight."""
    from fsd.cli.clock import SystemClock

    clock = SystemClock()
    while not look() and watch:
        clock.wait(pause)
