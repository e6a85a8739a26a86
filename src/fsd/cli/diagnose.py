"""`fsd diagnose`."""

from __future__ import annotations

import json

import click

from fsd.cli.options import make_operation, open_service, service_options


@click.command(epilog="Example:  fsd diagnose --service offer-api --env prod")
@service_options
def command(service: str, env: str, region: str | None, output: str) -> int:
    """Say what is wrong with a service: the cause, the evidence, the next action."""
    from fsd.release.diagnosing import read_diagnosis
    from fsd.release.reporter import Silent

    connection, ref = open_service(service, env, region=region, start=False)
    diagnosis = read_diagnosis(make_operation(connection, ref, reporter=Silent()))
    if output == "json":
        from fsd.report.json_report import diagnosis_json

        click.echo(json.dumps(diagnosis_json(diagnosis) if diagnosis else None, indent=2))
    elif diagnosis is None:
        click.echo(f"Nothing is wrong with {ref.name}: all tasks run, and none has failed")
    else:
        from fsd.report.render import diagnosis_lines

        click.echo("\n".join(diagnosis_lines(diagnosis, service=service, environment=env)))
    return 0
