"""Options that several commands share, and the service that they name."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from fsd.app.manifest import EnvironmentsFile
    from fsd.cli.wiring import Connection, WebIdentity
    from fsd.release.operations import Operation, ServiceRef
    from fsd.release.reporter import Reporter

Command = TypeVar("Command", bound=Callable[..., Any])


class Duration(click.ParamType[timedelta]):
    """90s, 20m, 1h30m; a bare number is seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        text = str(value)
        match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text)
        if not text or match is None:
            self.fail(f"`{text}` is not a duration; write 90s, 20m or 1h30m", param, ctx)
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)


FILE = click.option(
    "--file",
    "-f",
    type=click.Path(path_type=Path),
    default=Path("service.yml"),
    show_default=True,
    help="The Service YAML.",
)


def complete_environment(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The names in the environments file, and `local`; nothing from a file that is not valid."""
    from click.shell_completion import CompletionItem

    from fsd.app.manifest import known_environments
    from fsd.errors import FsdError

    del ctx, param
    try:
        names = [*known_environments(), "local"]
    except FsdError:
        names = ["local"]
    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]


ENV = click.option(
    "--env",
    "-e",
    required=True,
    shell_complete=complete_environment,
    help="The environment to use; `local` needs no AWS account.",
)
OPTIONAL_ENV = click.option(
    "--env",
    "-e",
    shell_complete=complete_environment,
    help="The environment to use; `local` needs no AWS account.",
)
CLUSTER = click.option(
    "--cluster",
    help="An ECS cluster. --service is then the exact name of a service in it, whatever deployed "
    "it.",
)
EXIT_ZERO = click.option(
    "--exit-zero", is_flag=True, help="Exit with 0 even if something is wrong."
)
SERVICE = click.option("--service", "-s", required=True, help="The service's name.")
REGION = click.option("--region", help="AWS region.  [default: the environment's]")
OVERRIDE = click.option(
    "--override",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Set a key under `service:`, such as resources.cpu=2048. Can be repeated.",
)
FORMAT = click.option(
    "--format",
    "output",
    type=click.Choice(["terminal", "json"]),
    default="terminal",
    show_default=True,
    help="Output format; json prints one document to stdout.",
)
TIMEOUT = click.option(
    "--timeout", type=Duration(), default="20m", show_default=True, help="How long to wait."
)
# For a command that knows how long its rollout is expected to take.
DEPLOY_TIMEOUT = click.option(
    "--timeout",
    type=Duration(),
    help="How long to wait.  [default: 20m, longer where the rollout takes longer]",
)
NO_WAIT = click.option(
    "--no-wait", is_flag=True, help="Return as soon as ECS has accepted the change."
)


def service_options(command: Command) -> Command:
    """--service, --env, --region, --format."""
    for option in (FORMAT, REGION, ENV, SERVICE):
        command = option(command)
    return command


def open_environment(
    env: str,
    *,
    region: str | None,
    identity: WebIdentity | None = None,
    environments_file: EnvironmentsFile = None,
    start: bool = True,
) -> tuple[Connection, str]:
    """Connect to the environment's account; also the name of its cluster.

    `start` is False for a command that only looks: it starts no embedded AWS.
    """
    from fsd.app.manifest import find_environment
    from fsd.cli.wiring import connect

    environment = find_environment(None, env, file=environments_file)
    connection = connect(environment, region=region, identity=identity, start=start)
    return connection, environment.cluster_name


def open_service(
    service: str,
    env: str,
    *,
    region: str | None,
    identity: WebIdentity | None = None,
    environments_file: EnvironmentsFile = None,
    start: bool = True,
) -> tuple[Connection, ServiceRef]:
    """Connect to the environment's account, and derive the service's names on AWS."""
    from fsd.manifest import names
    from fsd.release.operations import ServiceRef

    connection, cluster = open_environment(
        env,
        region=region,
        identity=identity,
        environments_file=environments_file,
        start=start,
    )
    ref = ServiceRef(
        service=service,
        environment=env,
        cluster=cluster,
        name=names.service_name(service, env),
        stack_name=names.stack(service, env),
        log_group=names.log_group(service, env),
    )
    return connection, ref


def open_any_service(
    service: str, env: str | None, *, cluster: str | None, region: str | None
) -> tuple[Connection, ServiceRef]:
    """For a command that only looks. With a cluster the service is named exactly, and need not be
    FSD's; an environment then only says which account and role. Raises UsageError without either.
    """
    if cluster is None:
        if env is None:
            raise click.UsageError(
                "`--env` is missing, or `--cluster` to name any service of a cluster"
            )
        return open_service(service, env, region=region, start=False)
    from fsd.app.manifest import find_environment
    from fsd.cli.wiring import connect
    from fsd.manifest.environments import default_environment
    from fsd.release.operations import ServiceRef

    environment = find_environment(None, env) if env else default_environment("any")
    ref = ServiceRef(
        service=service,
        environment="",
        cluster=cluster,
        name=service,
        stack_name="",
        log_group="",
    )
    return connect(environment, region=region, start=False), ref


def make_operation(
    connection: Connection,
    ref: ServiceRef,
    *,
    reporter: Reporter,
    timeout: timedelta | None = None,
    wait: bool = True,
    force: bool = False,
    forced: str = "",
) -> Operation:
    from fsd.app.clock import SystemClock
    from fsd.cli.border import border_of
    from fsd.cli.wiring import who_runs
    from fsd.release.operations import Operation
    from fsd.release.waiting_time import SHORTEST

    return Operation(
        aws=connection.aws,
        ref=ref,
        clock=SystemClock(),
        reporter=reporter,
        timeout=SHORTEST if timeout is None else timeout,
        wait=wait,
        pace=connection.pace,
        border=border_of(connection.environment, force=force),
        forced=forced,
        by=who_runs(),
    )
