"""`fsd status`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import click

from fsd.app.operate import make_operation, open_environment
from fsd.cli.options import CLUSTER, EXIT_ZERO, FORMAT, OPTIONAL_ENV, REGION
from fsd.cli.service_command import open_to_look
from fsd.cli.wiring import connect

if TYPE_CHECKING:
    from fsd.app.account import Connection
    from fsd.release.jobs import JobLook
    from fsd.release.operation import ServiceRef
    from fsd.release.ports import Aws, JobSchedule


@click.command(
    epilog="""\b
Examples:
  fsd status --service offer-api --env prod --watch
  fsd status --env prod                          all services of the environment
  fsd status --cluster main --service web        any ECS service, by its exact name"""
)
@click.option(
    "--service", "-s", help="The service's name.  [default: all services of the environment]"
)
@OPTIONAL_ENV
@CLUSTER
@REGION
@FORMAT
@EXIT_ZERO
@click.option("--watch", is_flag=True, help="Refresh until no deployment is in flight.")
def command(
    service: str | None,
    env: str | None,
    cluster: str | None,
    region: str | None,
    output: str,
    exit_zero: bool,
    watch: bool,
) -> int:
    """Show what a service is running: its release, tasks, targets, and any deployment in flight.

    Without --service, list all services. For a Job, show its schedule, its latest runs, and why
    the most recent one failed.

    For one service, the exit code is 0 if all is well and 6 if something is wrong.
    """
    is_json = output == "json"
    if service is None:
        if cluster is not None:
            raise click.UsageError("`--cluster` needs `--service`")
        if env is None:
            raise click.UsageError("`--service` is missing, or `--env` to list all services")
        _show_all(env, region=region, is_json=is_json, watch=watch)
        return 0
    connection, ref = open_to_look(service, env, cluster=cluster, region=region)
    return _show_one(connection, ref, is_json=is_json, watch=watch, exit_zero=exit_zero)


def _show_one(
    connection: Connection, ref: ServiceRef, *, is_json: bool, watch: bool, exit_zero: bool
) -> int:
    from fsd.release.diagnose_service import examine
    from fsd.release.jobs import find_job
    from fsd.release.reporter import Silent
    from fsd.report.condition import exit_code
    from fsd.report.json_report import status_json
    from fsd.report.tables import status_text

    job = find_job(connection.aws, ref)
    if job is not None:
        pause = connection.pace.interval(timedelta(minutes=1))
        look_at = partial(_look_at_job, connection.aws, ref, job)
        return _show_job(look_at, pause=pause, is_json=is_json, watch=watch, exit_zero=exit_zero)
    operation = make_operation(connection, ref, reporter=Silent())
    codes: list[int] = []

    def look() -> bool:
        found = examine(operation, explain=False)
        codes.append(0 if exit_zero else int(exit_code(found)))
        click.echo(
            json.dumps(status_json(found), indent=2)
            if is_json
            else status_text(found, code=codes[-1])
        )
        return found.is_settled

    _repeat(look, pause=connection.pace.interval(timedelta(minutes=1)), watch=watch)
    return codes[-1]


def _look_at_job(aws: Aws, ref: ServiceRef, first: JobSchedule) -> JobLook:
    from fsd.app.clock import SystemClock
    from fsd.release.jobs import find_again, look_at_job

    job = find_again(aws, ref, first)
    return look_at_job(aws, ref, job, now=SystemClock().now(), explain=True)


def _show_job(
    look_at: Callable[[], JobLook],
    *,
    pause: timedelta,
    is_json: bool,
    watch: bool,
    exit_zero: bool,
) -> int:
    from fsd.report.jobs import job_json, job_status_text

    codes: list[int] = []

    def look() -> bool:
        found = look_at()
        codes.append(0 if exit_zero else int(found.exit_code))
        click.echo(
            json.dumps(job_json(found), indent=2)
            if is_json
            else job_status_text(found, code=codes[-1])
        )
        return not found.running_tasks

    _repeat(look, pause=pause, watch=watch)
    return codes[-1]


def _show_all(env: str, *, region: str | None, is_json: bool, watch: bool) -> None:
    from fsd.app.clock import SystemClock
    from fsd.release.overview import Overview, read_overview
    from fsd.report.json_report import overview_json
    from fsd.report.tables import overview_text

    connection, cluster = open_environment(connect, env, region=region, start=False)
    shown: list[Overview] = []

    def look() -> bool:
        # Which services there are is asked once.
        names = [service.name for service in shown[0].services] if shown else None
        found = read_overview(
            connection.aws, environment=env, cluster=cluster, now=SystemClock().now(), names=names
        )
        click.echo(json.dumps(overview_json(found), indent=2) if is_json else overview_text(found))
        shown.append(found)
        return found.is_settled

    _repeat(look, pause=connection.pace.interval(timedelta(minutes=1)), watch=watch)


def _repeat(look: Callable[[], bool], *, pause: timedelta, watch: bool) -> None:
    """Once; with --watch until `look` says that nothing is in flight."""
    from fsd.app.clock import SystemClock

    clock = SystemClock()
    while not look() and watch:
        clock.wait(pause)
