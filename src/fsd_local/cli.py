"""`fsd-local`: the embedded AWS by hand. Another program can have the same commands as its own."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from fsd_local import instance as local
from fsd_local import instances
from fsd_local.errors import LocalCode, LocalError, LocalUsageError
from fsd_local.settings import Settings
from fsd_local.text import (
    NOT_RUNNING,
    instances_json,
    instances_text,
    status_json,
    status_text,
    up_text,
)

_INTERRUPTED = 130
_ALIASES = {"start": "up", "stop": "down"}


_FORMAT = click.option(
    "--format",
    "output",
    type=click.Choice(["terminal", "json"]),
    default="terminal",
    show_default=True,
    help="Output format; json prints one document to stdout.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandWords:
    """Whose commands they are: what a user types before `up`."""

    name: str = "fsd-local"
    first_steps: tuple[str, ...] = ()  # after `up`, before those of every program
    errors: Callable[[], AbstractContextManager[None]] = (
        nullcontext  # turns LocalError into its own
    )


class Commands(click.Group):
    """`start` and `stop` are other words for `up` and `down`."""

    errors: Callable[[], AbstractContextManager[None]] = nullcontext

    def invoke(self, ctx: click.Context) -> Any:
        with self.errors():
            return super().invoke(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, _ALIASES.get(cmd_name, cmd_name))


def make_commands(program: CommandWords) -> Commands:
    """The command group. Its commands raise LocalError, whose words are `fsd-local`'s."""
    makers = (_up, _down, _status, _list, _env, _reset, _hook)
    commands = [make(program) for make in makers]
    group = Commands(
        "local",
        commands={str(command.name): command for command in commands},
        help="Run the embedded AWS on this machine.\n\nIt emulates the services that FSD uses: ECS "
        "with real tasks, load balancers, a registry and more. It needs no account. Each user and "
        f"checkout has an instance of its own, which runs until `{program.name} down`.",
        epilog="Example:  "
        + " && ".join((f"{program.name} up", *program.first_steps, f"{program.name} status")),
    )
    group.errors = program.errors
    return group


def _up(program: CommandWords) -> click.Command:
    @click.command(
        "up",
        help="Start the embedded AWS, or report that it already runs.",
        epilog=f"Example:  {program.name} up --runtime process --speed 20",
    )
    @click.option(
        "--runtime",
        type=click.Choice(["container", "process"]),
        help="How to run tasks.  [default: container if a Docker engine answers, otherwise "
        "process]",
    )
    @click.option(
        "--speed",
        type=click.FloatRange(min=1, max=1000),
        help="How many times as fast as on AWS health check intervals, grace periods, draining, "
        "bake times and cooldowns pass.  [default: 10]",
    )
    @click.option(
        "--port",
        type=click.IntRange(1, 65535),
        help="The port on 127.0.0.1.  [default: a free one]",
    )
    @click.option(
        "--enforce-iam",
        is_flag=True,
        help="Refuse calls that a role's policies do not allow. By default, all are allowed.",
    )
    @click.option(
        "--slow-stacks",
        type=click.FloatRange(min=0, max=3600),
        metavar="SECONDS",
        help="Let each CloudFormation operation take this long, as on AWS.",
    )
    def up(
        runtime: str | None,
        speed: float | None,
        port: int | None,
        enforce_iam: bool,
        slow_stacks: float | None,
    ) -> None:
        running = local.find()
        settings = Settings(
            runtime=runtime,
            speed=speed,
            port=port,
            enforce_iam=enforce_iam or None,
            slow_stacks=slow_stacks,
        )
        for checkout in instances.sweep_abandoned():
            click.echo(f"removed the embedded AWS of {checkout}, which is gone", err=True)
        instance = local.ensure(settings)
        steps = (
            *program.first_steps,
            f"{program.name} status          shows what is running, and its URLs",
            f'eval "$({program.name} env)"   points aws, boto3 and docker at it',
            f"{program.name} down            stops it and removes everything",
        )
        click.echo(up_text(instance, was_running=running is not None, steps=steps))

    return up


def _down(program: CommandWords) -> click.Command:
    @click.command(
        "down",
        help="Stop the embedded AWS and remove everything on it.",
        epilog=f"Example:  {program.name} down",
    )
    def down() -> None:
        stopped = local.down()
        gone = "The embedded AWS is down; it left nothing behind"
        click.echo(gone if stopped else NOT_RUNNING.format(program=program.name))

    return down


def _status(program: CommandWords) -> click.Command:
    @click.command(
        "status",
        help="Show its endpoint, what is running on it and what it stores.",
        epilog=f"Example:  {program.name} status --format json | jq -r .endpoint",
    )
    @_FORMAT
    def status(output: str) -> None:
        found = local.status()
        if output == "json":
            click.echo(json.dumps(status_json(found), indent=2))
        else:
            text = status_text(found) if found else NOT_RUNNING.format(program=program.name)
            click.echo(text)

    return status


def _list(program: CommandWords) -> click.Command:
    @click.command(
        "list",
        help="List your running instances, one for each checkout.",
        epilog=f"Example:  {program.name} list",
    )
    @_FORMAT
    def list_instances(output: str) -> None:
        found = instances.find_all()
        if output == "json":
            click.echo(json.dumps(instances_json(found), indent=2))
        else:
            click.echo(instances_text(found))

    return list_instances


def _env(program: CommandWords) -> click.Command:
    @click.command(
        "env",
        help="Print variables that point the AWS CLI and SDKs at it.",
        epilog=f'Example:  eval "$({program.name} env)" && aws ecs list-clusters',
    )
    def env() -> None:
        instance = local.find()
        if instance is None:
            raise LocalError(
                "the embedded AWS is not running",
                where="fsd-local env",
                fix="fsd-local up",
                code=LocalCode.LOCAL_NOT_RUNNING,
            )
        for name, value in local.environment(instance).items():
            click.echo(f"export {name}={shlex.quote(value)}")
        click.echo("unset AWS_PROFILE AWS_SESSION_TOKEN")

    return env


def _reset(program: CommandWords) -> click.Command:
    @click.command(
        "reset",
        help="Remove every task and resource, but keep it running.",
        epilog=f"Example:  {program.name} reset",
    )
    def reset() -> None:
        emptied = local.reset()
        text = "The embedded AWS is empty" if emptied else NOT_RUNNING.format(program=program.name)
        click.echo(text)

    return reset


def _hook(program: CommandWords) -> click.Command:
    @click.command(
        "hook",
        help="Run a command in place of a Lambda lifecycle hook.\n\nFUNCTION is the name or the "
        "ARN of the Lambda function. Each time that ECS invokes it, COMMAND runs on this machine "
        "as your user. It reads the event from standard input and writes the answer, such as "
        '{"hookStatus": "SUCCEEDED"}, to standard output. Without COMMAND, the function is '
        "removed.",
        epilog=f"Example:  {program.name} hook smoke-test python check_green.py",
        # An option after FUNCTION is COMMAND's, also `-h`.
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )
    @click.argument("function")
    @click.argument("command", nargs=-1, type=click.UNPROCESSED)
    def hook(function: str, command: tuple[str, ...]) -> None:
        if not local.register_hook(function, command, folder=Path.cwd()):
            click.echo(NOT_RUNNING.format(program=program.name))
            return
        done = f"runs {shlex.join(command)}" if command else "no longer exists"
        click.echo(f"Lambda function {function} {done}")

    return hook


def run(arguments: Sequence[str]) -> int:
    """Run one command line of `fsd-local`; returns the exit code."""
    commands = make_commands(CommandWords())
    commands.context_settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    try:
        commands.main(args=list(arguments), prog_name="fsd-local", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except click.ClickException as error:
        error.show()
        return LocalUsageError.exit_code
    except LocalError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    except BrokenPipeError:  # the reader (head, less) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
