"""`fsd promote`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click

from fsd.cli.options import (
    DEPLOY_TIMEOUT,
    FILE,
    FORMAT,
    NO_WAIT,
    SERVICE,
    complete_environment,
    force_option,
)


@click.command(
    epilog="""\b
Examples:
  fsd promote --service offer-api --from staging --to prod
  fsd promote --service offer-api --from staging --to prod --version v1.2.3"""
)
@SERVICE
@click.option(
    "--from",
    "source",
    required=True,
    shell_complete=complete_environment,
    help="The environment where the release is running.",
)
@click.option(
    "--to",
    "target",
    required=True,
    shell_complete=complete_environment,
    help="The environment to deploy the release to.",
)
@FILE
@click.option(
    "--version",
    help="Promote this release (version, digest or revision).  [default: the one that is running]",
)
@click.option("--commit", help="Promote the release of this commit.")
@DEPLOY_TIMEOUT
@NO_WAIT
@click.option(
    "--allow-replacement",
    is_flag=True,
    help="Deploy even if that replaces a load balancer or a target group.",
)
@force_option
@FORMAT
def command(
    service: str,
    source: str,
    target: str,
    file: Path,
    version: str | None,
    commit: str | None,
    timeout: timedelta | None,
    no_wait: bool,
    allow_replacement: bool,
    force: bool,
    output: str,
) -> int:
    """Deploy the release running in one environment to another.

    The other environment gets the same image digest, never a rebuild. Only a release that succeeded
    can be promoted. The Service YAML must be the one in the release's commit; FSD fills in the
    values of the environment that it deploys to.
    """
    from fsd.app.border import GuardedAction, require_allowed
    from fsd.app.clock import catch_signals
    from fsd.app.deploy import run_deploy
    from fsd.app.promote import PromoteRequest, prepare_promotion
    from fsd.cli.print_result import print_result
    from fsd.cli.wiring import connect, govern_in_workflow, who_forces
    from fsd.report import open_reporter

    if version and commit:
        raise click.UsageError("`--version` cannot be combined with `--commit`")
    environments = govern_in_workflow()
    action = GuardedAction(name="deploy", forced_by=who_forces(force), folders=(file.parent,))
    forced = require_allowed(file, target, action, environments_file=environments)
    request = PromoteRequest(
        service=service,
        source=source,
        target=target,
        file=file,
        wanted=version or commit or "",
        environments_file=environments,
    )
    with catch_signals() as signals, open_reporter() as reporter:
        promoted = prepare_promotion(request, connect, reporter=reporter)
        options = replace(
            promoted,
            timeout=timeout,
            wait=not no_wait,
            forced=forced,
            allow_replacement=allow_replacement,
        )
        result = run_deploy(options, connect, reporter=reporter)
    return print_result(result, output=output, interrupted_as=signals.exit_code)
