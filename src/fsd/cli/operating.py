"""What `rollback`, `restart` and `scale` have in common: open, act, report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from fsd.app.clock import catch_signals
from fsd.app.manifest import find_environment
from fsd.cli.border import require_standing
from fsd.cli.finish import finish
from fsd.cli.options import make_operation, open_service
from fsd.cli.wiring import govern_in_workflow
from fsd.release.operations import Operation
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
        environment = find_environment(None, env, file=environments)
        forced = require_standing(environment, folder=Path.cwd(), force=force, action=stands)
    with catch_signals() as signals, open_reporter() as reporter:
        connection, ref = open_service(service, env, region=region, environments_file=environments)
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
    return finish(result, output=output, interrupted_as=signals.exit_code)
