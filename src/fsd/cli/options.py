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


class RegularExpression(click.ParamType["re.Pattern[str]"]):
    """A regular expression of Python's."""

    name = "pattern"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> re.Pattern[str]:
        if isinstance(value, re.Pattern):
            return value
        try:
            return re.compile(str(value))
        except re.error as error:
            self.fail(f"`{value}` is not a regular expression: {error}", param, ctx)


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

    from fsd.app.environments import known_environments
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
    help="An ECS cluster. --service is then the exact name of any service in it, even one "
    "that FSD did not deploy.",
)
EXIT_ZERO = click.option(
    "--exit-zero", is_flag=True, help="Exit with 0 even if something is wrong."
)
SERVICE = click.option("--service", "-s", required=True, help="The service's name.")
CONTEXT = click.option(
    "--context",
    type=click.Path(path_type=Path),
    help="The build context.  [default: the manifest's folder]",
)
DOCKERFILE = click.option(
    "--dockerfile",
    type=click.Path(path_type=Path),
    help="The Dockerfile.  [default: Dockerfile in the build context]",
)
ALLOW_RUN = click.option(
    "--allow-run",
    is_flag=True,
    help="When FSD builds without Docker, also run the RUN commands that it would leave out, on "
    "this machine as your user.",
)
VERSION = click.option(
    "--version", help="A label for the release, such as v1.3.0.  [default: the short commit]"
)
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
    help="How long to wait.  [default: 20m, or more if the rollout is expected to take longer]",
)
NO_WAIT = click.option(
    "--no-wait", is_flag=True, help="Return as soon as ECS has accepted the change."
)


FORCE_HELP = "Override the protection of an environment; FSD's release ledger records who did it."


def force_option(command: Command) -> Command:
    return click.option("--force", is_flag=True, help=FORCE_HELP)(command)


def service_options(command: Command) -> Command:
    """--service, --env, --region, --format."""
    for option in (FORMAT, REGION, ENV, SERVICE):
        command = option(command)
    return command


def release_folders(file: Path, context: Path | None, dockerfile: Path | None) -> tuple[Path, ...]:
    """All that goes into the release must be the branch's, and each may be of another checkout."""
    from fsd.image.context import find_dockerfile

    context = context or file.parent
    return tuple(dict.fromkeys((file.parent, context, find_dockerfile(context, dockerfile).parent)))
