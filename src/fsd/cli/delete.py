"""`fsd delete`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import click

from fsd import embedded_aws
from fsd.app.operate import open_service
from fsd.cli.options import force_option, service_options
from fsd.cli.wiring import connect, who_forces
from fsd.errors import ErrorCode, RefusedError
from fsd.streams import say


@click.command(epilog="Example:  fsd delete --service offer-api --env dev")
@service_options
@force_option
@click.option("--yes", is_flag=True, help="Do not ask for the service's name.")
def command(service: str, env: str, region: str | None, output: str, force: bool, yes: bool) -> int:
    """Remove a service and everything that was created for it."""
    from fsd.app.border import GuardedAction, require_allowed
    from fsd.app.environments import known_environments
    from fsd.cli.wiring import govern_in_workflow
    from fsd.manifest.environments import LOCAL
    from fsd.release.delete import Removed, ServicePart, delete_service
    from fsd.report import open_reporter
    from fsd.report.deleted import deleted_json

    environments = govern_in_workflow()
    action = GuardedAction(name="delete", forced_by=who_forces(force))
    require_allowed(None, env, action, environments_file=environments)
    if not yes:
        _ask(service, env)
    with open_reporter() as reporter:
        connection, ref = open_service(
            connect, service, env, region=region, environments_file=environments
        )
        others = tuple(name for name in known_environments() if name not in {env, LOCAL})
        deleted = delete_service(connection.aws, ref, reporter=reporter, other_environments=others)
    if env == LOCAL:
        placeholders = embedded_aws.remove_placeholder_secrets(service)
        more = (Removed(what=ServicePart.PLACEHOLDER, name=name) for name in placeholders)
        deleted = replace(deleted, removed=(*deleted.removed, *more))
    lines = deleted_json(deleted)
    if output == "json":
        say(json.dumps(lines, indent=2))
        return 0
    for line in lines["removed"]:
        say(f" - {line}")
    for line in lines["kept"]:
        say(f"   kept {line}")
    say(f"Deleted {service} from {env}" if deleted.removed else f"{service} is not in {env}")
    return 0


def _ask(service: str, env: str) -> None:
    """Like GitHub's: typing the name is harder to do by accident than y."""
    if not sys.stdin.isatty():
        raise RefusedError(
            f"deleting {service} from {env} asks for its name, which needs a terminal",
            where="fsd delete",
            fix="run it at a terminal, or with --yes",
            code=ErrorCode.CONFIRMATION_NEEDED,
        )
    typed = click.prompt(f"This removes {service} from {env}. Type the service's name", err=True)
    if typed != service:
        raise RefusedError(
            f"`{typed}` is not `{service}`; nothing was removed",
            where="fsd delete",
            fix="type the service's name, or use --yes",
            code=ErrorCode.CONFIRMATION_NEEDED,
        )
