"""`fsd local`: the embedded AWS by hand. `--env local` starts it where it is needed."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from fsd.durations import duration_text
from fsd.errors import ErrorCode

if TYPE_CHECKING:
    from fsd_local.instance import Instance, Status

_WHERE = {
    "container": "containers, in the Docker engine of this machine",
    "process": "processes of this machine, each on an address of its own (127.77.x.y)",
}


@click.group(
    epilog="Example:  fsd local up && fsd deploy --env local --file service.yml && fsd local status"
)
def command() -> None:
    """The embedded AWS: ECS with real tasks, load balancers, a registry; no account needed.

    There is one for each user and checkout, and it runs until `fsd local down`.
    """


@command.command(epilog="Example:  fsd local up --runtime process --speed 20")
@click.option(
    "--runtime",
    type=click.Choice(["container", "process"]),
    help="How tasks run; containers where a Docker engine answers, else processes.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=1, max=1000),
    help="Divides health check intervals, grace periods, draining, bake times and cooldowns.  "
    "[default: 10]",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The port on 127.0.0.1.  [default: a free one]"
)
@click.option(
    "--enforce-iam",
    is_flag=True,
    help="Refuse what a role's policies do not allow; otherwise everything is allowed.",
)
@click.option(
    "--slow-stacks",
    type=click.FloatRange(min=0, max=3600),
    metavar="SECONDS",
    help="How long each CloudFormation operation is in progress, to rehearse waiting.",
)
def up(
    runtime: str | None,
    speed: float | None,
    port: int | None,
    enforce_iam: bool,
    slow_stacks: float | None,
) -> None:
    """Start the embedded AWS; if it runs already, say so."""
    from fsd_local import instance as local

    running = local.find()
    instance = local.ensure(
        runtime=runtime,
        speed=speed,
        port=port,
        enforce_iam=enforce_iam or None,
        slow_stacks=slow_stacks,
    )
    click.echo(_up_text(instance, was_running=running is not None))


@command.command(epilog="Example:  fsd local down")
def down() -> None:
    """Stop it with all its tasks; nothing stays behind."""
    from fsd_local import instance as local

    stopped = local.down()
    click.echo("The embedded AWS is down; nothing is left of it" if stopped else _NOT_RUNNING)


@command.command(epilog="Example:  fsd local status --format json | jq -r .endpoint")
@click.option(
    "--format",
    "output",
    type=click.Choice(["terminal", "json"]),
    default="terminal",
    show_default=True,
    help="Output format; json prints one document to stdout.",
)
def status(output: str) -> None:
    """Show where it listens, what runs on it and what is stored in it."""
    from fsd_local import instance as local

    found = local.status()
    if output == "json":
        click.echo(json.dumps(_status_json(found), indent=2))
    else:
        click.echo(_status_text(found) if found else _NOT_RUNNING)


@command.command(epilog='Example:  eval "$(fsd local env)" && aws ecs list-clusters')
def env() -> None:
    """Print what points the AWS CLI and SDKs at it, for `eval` in a shell."""
    from fsd.errors import CallFailedError
    from fsd_local import instance as local

    instance = local.find()
    if instance is None:
        raise CallFailedError(
            "the embedded AWS is not running",
            where="fsd local env",
            fix="fsd local up",
            code=ErrorCode.LOCAL_NOT_RUNNING,
        )
    for name, value in _environment(instance).items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo("unset AWS_PROFILE AWS_SESSION_TOKEN")


@command.command(epilog="Example:  fsd local reset")
def reset() -> None:
    """Stop every task and remove every resource; it runs on, empty, at the same endpoint."""
    from fsd_local import instance as local

    emptied = local.reset()
    click.echo("The embedded AWS is empty" if emptied else _NOT_RUNNING)


_ENFORCED = "enforced: roles may do only what their policies say"
_NOT_RUNNING = "The embedded AWS is not running; `fsd local up` starts it"


def _environment(instance: Instance) -> dict[str, str]:
    from fsd_local.instance import credentials

    keys = credentials(instance)
    return {
        "AWS_ENDPOINT_URL": instance.endpoint,
        "AWS_REGION": instance.region,
        "AWS_DEFAULT_REGION": instance.region,
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
    }


def _up_text(instance: Instance, *, was_running: bool) -> str:
    verb = "runs already" if was_running else "is up"
    iam = f"\n  iam       {_ENFORCED}" if instance.enforce_iam else ""
    return f"""\
The embedded AWS {verb} at {instance.endpoint}
  account   {instance.account} · {instance.region}
  tasks     {_WHERE[instance.runtime]}
  speed     health checks, grace periods and draining are {instance.speed:g} times as fast{iam}
Next:
  fsd deploy --env local --file service.yml
  fsd local status          what runs, and its URLs
  eval "$(fsd local env)"   points aws, boto3 and docker at it
  fsd local down            stops it and removes everything"""


def _status_json(found: Status | None) -> dict[str, Any]:
    if found is None:
        return {"running": False}
    instance = found.instance
    return {
        "running": True,
        **asdict(instance),
        "started_at": instance.started_at.isoformat(),
        "uptime": found.uptime,
        "services": [dict(service) for service in found.services],
        "resources": dict(found.resources),
        "notes": list(found.notes),
    }


def _status_text(found: Status) -> str:
    instance, up = found.instance, timedelta(seconds=found.uptime)
    lines = [
        f"The embedded AWS at {instance.endpoint}, up for {duration_text(up)}",
        f"  account   {instance.account} · {instance.region}",
        f"  tasks     {_WHERE[instance.runtime]}",
        _wrapped("  stored    ", ", ".join(_stored(found.resources)) or "nothing"),
        *(_wrapped("  note      ", note) for note in found.notes),
        *(line for service in found.services for line in _service_lines(service)),
    ]
    return "\n".join(lines)


def _stored(resources: Mapping[str, int]) -> list[str]:
    """2 log groups, 1 repository …"""
    return [f"{count} {_noun(kind, count)}" for kind, count in resources.items() if count]


def _noun(kind: str, count: int) -> str:
    plural = kind.replace("_", " ")
    if count != 1:
        return plural
    return plural.removesuffix("ies") + "y" if plural.endswith("ies") else plural.removesuffix("s")


def _wrapped(label: str, text: str) -> str:
    return textwrap.fill(text, width=100, initial_indent=label, subsequent_indent=" " * len(label))


def _service_lines(service: Mapping[str, Any]) -> list[str]:
    title = f"{service['cluster']}/{service['name']}   {service['task_definition']}"
    return [
        f"{title}   {service['running']} of {service['desired']} running",
        *(f"  {url}" for url in service["urls"]),
        *(_task_line(task) for task in service["tasks"]),
    ]


def _task_line(task: Mapping[str, Any]) -> str:
    places = ", ".join(f"{task['address']}:{port}" for port in task["ports"]) or task["address"]
    return f"  task {task['id'][:8]}   {task['status']}   {places}"
