"""`fsd logs`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import timedelta

import click

from fsd.app.operate import open_service
from fsd.cli.options import Duration, service_options
from fsd.cli.wiring import connect, is_in_workflow
from fsd.streams import log_text, printable


@click.command(
    epilog="""\b
Examples:
  fsd logs --service offer-api --env dev --since 10m
  fsd logs --service offer-api --env dev --task 7f3a --follow"""
)
@service_options
@click.option(
    "--since", type=Duration(), default="10m", show_default=True, help="How far back to look."
)
@click.option("--follow", is_flag=True, help="Keep printing new lines until Ctrl-C.")
@click.option("--task", default="", help="Only tasks whose ID starts with this.")
def command(
    service: str,
    env: str,
    region: str | None,
    output: str,
    since: timedelta,
    follow: bool,
    task: str,
) -> int:
    """Show a service's log lines, oldest first.

    A terminal gets them as they are. In a workflow, whose log others read, secrets are hidden.
    """
    from fsd.app.clock import SystemClock
    from fsd.release.jobs import find_job
    from fsd.release.logs import LogReader
    from fsd.release.masking import mask_lines
    from fsd.release.operations import require_service

    connection, ref = open_service(connect, service, env, region=region, start=False)
    clock = SystemClock()
    reader = LogReader(
        logs=connection.aws.logs, group=ref.log_group, start=clock.now() - since, task=task
    )
    lines = reader.read()
    if not lines and find_job(connection.aws, ref) is None:
        # Lines outlive their service; without any, a name that is mistyped is no silence.
        require_service(connection.aws, ref)
    in_workflow, is_colored = is_in_workflow(), sys.stdout.isatty()
    while True:
        if in_workflow:
            shown = mask_lines(line.text for line in lines)
            lines = [replace(line, text=text) for line, text in zip(lines, shown, strict=True)]
        for line in lines:
            short = line.stream.rpartition("/")[2][:4]
            if output == "json":
                entry = {"at": line.at.isoformat(), "stream": line.stream, "text": line.text}
                click.echo(json.dumps(entry))
            else:
                text = log_text(line.text, is_colored=is_colored, in_workflow=in_workflow)
                click.echo(f"{line.at:%H:%M:%S} {printable(short)}… {text}")
        if not follow:
            return 0
        clock.wait(timedelta(seconds=2 / min(connection.pace.speed, 4)))
        lines = reader.read()
