"""`fsd exec`."""

from __future__ import annotations

import shlex

import click

from fsd.app.operate import open_service
from fsd.cli.options import ENV, REGION, SERVICE, force_option
from fsd.cli.wiring import attach_session, connect, govern_in_workflow, who_forces


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog="""\b
Examples:
  fsd exec --service offer-api --env dev
  fsd exec --service offer-api --env dev --task 7f3a -- python manage.py shell""",
)
@SERVICE
@ENV
@REGION
@click.option(
    "--task",
    default="",
    help="A task, by its ID or the first characters of it.  [default: the newest task]",
)
@click.option("--container", default="", help="A container of the task.  [default: the service's]")
@force_option
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def command(
    service: str,
    env: str,
    region: str | None,
    task: str,
    container: str,
    force: bool,
    words: tuple[str, ...],
) -> int:
    """Open a shell, or run a command, in a running task.

    The service needs `exec: true`. On AWS, the session-manager-plugin provides the terminal. A
    session does not report the exit code of its command; if you need it, use `fsd run`.
    In a protected environment, FSD accepts this command only from a clean working tree at a commit
    that has been pushed to one of the environment's branches.
    """
    from fsd.app.border import GuardedAction, require_allowed
    from fsd.release.exec_session import ExecRequest, open_session

    environments = govern_in_workflow()
    action = GuardedAction(name="open a session", forced_by=who_forces(force))
    forced = require_allowed(None, env, action, environments_file=environments)
    connection, ref = open_service(
        connect, service, env, region=region, environments_file=environments, start=False
    )
    request = ExecRequest(
        ref=ref,
        command=shlex.join(words) or "/bin/sh",
        task=task,
        container=container,
        forced=forced,
    )
    return attach_session(connection, lambda: open_session(request, connection.aws))
