"""What commands on a deployed service have in common: open it, act, report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import click

from fsd.app.account import Connection
from fsd.app.border import GuardedAction, require_allowed
from fsd.app.clock import catch_signals
from fsd.app.operate import make_operation, open_exact_service, open_service
from fsd.cli.print_result import print_result
from fsd.cli.wiring import connect, govern_in_workflow, who_forces
from fsd.release.operation import Operation, ServiceRef
from fsd.release.result import Result
from fsd.report import open_reporter


def operate(
    act: Callable[[Operation], Result],
    *,
    service: str,
    env: str,
    region: str | None,
    output: str,
    timeout: timedelta,
    no_wait: bool,
    force: bool,
    stands: str = "",
) -> int:
    """Carry out one operation on a service, print how it ended, and return the exit code.

    `stands` names what asks for a checkout of one of a protected environment's branches.
    """
    forced = ""
    environments = govern_in_workflow()
    if stands:
        action = GuardedAction(name=stands, forced_by=who_forces(force))
        forced = require_allowed(None, env, action, environments_file=environments)
    with catch_signals() as signals, open_reporter() as reporter:
        connection, ref = open_service(
            connect, service, env, region=region, environments_file=environments
        )
        result = act(
            make_operation(
                connection,
                ref,
                reporter=reporter,
                timeout=timeout,
                wait=not no_wait,
                force=force,
                forced=forced,
            )
        )
    return print_result(result, output=output, interrupted_as=signals.exit_code)


def open_to_look(
    service: str, env: str | None, *, cluster: str | None, region: str | None
) -> tuple[Connection, ServiceRef]:
    """A service of an environment, or with a cluster any service by its exact name.

    Starts no embedded AWS. Raises click.UsageError without either.
    """
    if cluster is not None:
        return open_exact_service(connect, service, env, cluster=cluster, region=region)
    if env is None:
        raise click.UsageError(
            "`--env` is missing, or `--cluster` to name any service of a cluster"
        )
    return open_service(connect, service, env, region=region, start=False)
