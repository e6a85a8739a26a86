"""`fsd doctor`: what would stop a deployment, before there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.options import ENV, REGION
from fsd.errors import ExitCode
from fsd.streams import say

if TYPE_CHECKING:
    from fsd.app.doctor import AccountExamination


@click.command(
    epilog="""\b
Examples:
  fsd doctor --env dev                       the account alone
  fsd doctor --env dev --file service.yml    and everything that the service needs from it"""
)
@ENV
@click.option("--file", "-f", type=click.Path(path_type=Path), help="The Service YAML.")
@REGION
@click.option(
    "--read-secrets",
    is_flag=True,
    help="Read the values of secrets to check that their JSON keys exist. No value is shown.",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["terminal", "json", "markdown"]),
    default="terminal",
    show_default=True,
    help="Output format.",
)
def command(
    env: str, file: Path | None, region: str | None, read_secrets: bool, output: str
) -> int:
    """Check for problems that would stop a deployment, and change nothing.

    The exit code is 4 if there is an error, and 0 if there are only warnings.
    """
    from fsd.app.doctor import DoctorRequest, run_doctor
    from fsd.cli.wiring import connect_preflight
    from fsd.manifest.finding import Severity

    request = DoctorRequest(environment=env, file=file, region=region, reads_secrets=read_secrets)
    found = run_doctor(request, connect_preflight)
    say(_rendered(found, output))
    has_errors = any(one.severity is Severity.ERROR for one in found.findings)
    return int(ExitCode.REFUSED if has_errors else ExitCode.OK)


def _rendered(found: AccountExamination, output: str) -> str:
    from fsd.report.doctor import doctor_json, doctor_markdown, doctor_text

    match output:
        case "json":
            document = doctor_json(found.wants, found.findings, who=found.who, role=found.role)
            return json.dumps(document, indent=2)
        case "markdown":
            return doctor_markdown(found.wants, found.findings)
        case _:
            return doctor_text(found.wants, found.findings, who=found.who, role=found.role)
