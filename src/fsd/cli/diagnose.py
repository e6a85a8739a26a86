"""`fsd diagnose`."""

from __future__ import annotations

import json

import click

from fsd.app.operate import make_operation
from fsd.cli.options import CLUSTER, EXIT_ZERO, FORMAT, OPTIONAL_ENV, REGION, SERVICE
from fsd.cli.service_command import open_to_look


@click.command(
    epilog="""\b
Examples:
  fsd diagnose --service offer-api --env prod
  fsd diagnose --cluster main --service web      any ECS service, by its exact name"""
)
@SERVICE
@OPTIONAL_ENV
@CLUSTER
@REGION
@FORMAT
@EXIT_ZERO
def command(
    service: str,
    env: str | None,
    cluster: str | None,
    region: str | None,
    output: str,
    exit_zero: bool,
) -> int:
    """Explain what is wrong with a service now, and how its last rollout went.

    The exit code is 0 if all is well and 6 if something is wrong.
    """
    from fsd.release.diagnose_service import examine
    from fsd.release.jobs import find_job, look_at_job
    from fsd.release.reporter import Silent
    from fsd.report.condition import diagnosis_text, exit_code

    connection, ref = open_to_look(service, env, cluster=cluster, region=region)
    job = find_job(connection.aws, ref)
    if job is not None:
        from fsd.app.clock import SystemClock
        from fsd.report.jobs import job_diagnosis_text, job_json

        look = look_at_job(connection.aws, ref, job, now=SystemClock().now(), explain=True)
        job_code = 0 if exit_zero else int(look.exit_code)
        is_json = output == "json"
        click.echo(
            json.dumps(job_json(look), indent=2)
            if is_json
            else job_diagnosis_text(look, code=job_code)
        )
        return job_code
    examination = examine(make_operation(connection, ref, reporter=Silent()))
    code = 0 if exit_zero else int(exit_code(examination))
    if output == "json":
        from fsd.report.json_report import examination_json

        click.echo(json.dumps(examination_json(examination), indent=2))
    else:
        click.echo(diagnosis_text(examination, code=code))
    return code
