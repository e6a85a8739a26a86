"""`fsd history`."""

from __future__ import annotations

import json

import click

from fsd.cli.options import open_service, service_options


@click.command(epilog="Example:  fsd history --service offer-api --env prod")
@service_options
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
def command(service: str, env: str, region: str | None, output: str, limit: int) -> int:
    """List the releases, newest first, and how each ended."""
    from fsd.release.ledger import read_history
    from fsd.release.operations import require_service

    connection, ref = open_service(service, env, region=region, start=False)
    releases = read_history(connection.aws.ecs, cluster=ref.cluster, service=ref.name, limit=limit)
    if not releases:
        require_service(connection.aws, ref)
    if output == "json":
        from fsd.report.json_report import release_json

        click.echo(json.dumps([release_json(release) for release in releases], indent=2))
        return 0
    from fsd.report.tables import history_table

    click.echo(history_table(releases) if releases else f"no releases of {ref.name}")
    return 0
