"""`fsd history`."""

from __future__ import annotations

import json

import click

from fsd.app.operate import open_service
from fsd.cli.options import service_options
from fsd.cli.wiring import connect


@click.command(epilog="Example:  fsd history --service offer-api --env prod")
@service_options
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    metavar="N",
    default=20,
    show_default=True,
    help="How many rows to list, at most 100.",
)
def command(service: str, env: str, region: str | None, output: str, limit: int) -> int:
    """List releases, rollbacks, restarts and scaling, newest first, and how each ended.

    `>` marks the release that is running.
    """
    from fsd.release.existing_service import require_service
    from fsd.release.history import read_rows
    from fsd.release.jobs import find_job, read_job_rows

    connection, ref = open_service(connect, service, env, region=region, start=False)
    job = find_job(connection.aws, ref)
    ecs = connection.aws.ecs
    if job is None:
        rows = read_rows(ecs, cluster=ref.cluster, service=ref.name, family=ref.family, limit=limit)
    else:
        rows = read_job_rows(ecs, ref, job, limit=limit)
    if not rows and job is None:
        require_service(connection.aws, ref)
    if output == "json":
        from fsd.report.json_report import row_json

        click.echo(json.dumps([row_json(row) for row in rows], indent=2))
        return 0
    from fsd.report.tables import history_table

    click.echo(history_table(rows) if rows else f"no releases of {ref.name}")
    return 0
