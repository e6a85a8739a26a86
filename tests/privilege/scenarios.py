"""What is deployed so that every permission is needed by something, and the commands that do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.privilege.account import DEV, Edit, Site
from tests.privilege.commands import Command, commands

DEPLOY = ("deploy", "--env", DEV, "--version", "v{n}", "--override", "environment.N={n}")
_FAILS = "command=[python, -c, 'import sys; print(1); sys.exit(3)']"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`{n}` in a command's words is another number in each try: so that there is a change."""

    name: str
    example: str
    edit: Edit
    steps: Callable[[Site], Iterator[Command]]


def _more(name: str, *overrides: str, code: int = 0) -> Command:
    words = [word for one in overrides for word in ("--override", one)]
    return Command(name=name, words=(*DEPLOY, *words), code=code)


_SCALING = """\
  autoScaling:
    targetCPUUtilization: 60
    schedules:
      - {name: morning, cron: "0 7 ? * MON-FRI *", minCapacity: 2, maxCapacity: 6}
  exec: true
  beforeDeploy:
    command: ["python", "-c", "print('ready')"]
  secrets:
    - {name: URL, valueFrom: /offers/url}
"""


def _everything(text: str) -> str:
    text = text.replace(
        "desiredCount: 2", "desiredCount: 2\n    minCapacity: 1\n    maxCapacity: 4"
    )
    return text.replace("  environment:\n", f"{_SCALING}\n  environment:\n", 1)


def _of_everything(site: Site) -> Iterator[Command]:
    site.root.client("ssm").put_parameter(Name="/offers/url", Value="u", Type="SecureString")
    usual = list(commands(site))
    first, (*rest, promoted, gone_prod, gone) = usual[:2], usual[2:]
    yield from first
    for command in rest:
        yield replace(command, words=DEPLOY) if command.name == "deploy" else command
    yield _more("deploy that fails", _FAILS, code=6)
    yield _more("health check moves", "healthCheck.path=/health?deep={n}")
    yield _more("retention", "observability.logs.retention=60")
    yield _more("drain time", "deployment.deregistrationDelay=20")
    yield _more("idle time", "networking.loadBalancer.idleTimeout=90")
    yield _more("port", "port=9000")
    yield _more(
        "no scaling", "autoScaling=null", "resources.minCapacity=2", "resources.maxCapacity=2"
    )
    yield promoted
    yield gone_prod
    yield gone


def _of_a_job(site: Site) -> Iterator[Command]:
    usual = list(commands(site))
    *rest, promoted, gone_prod, gone = usual
    for command in rest:
        yield replace(command, words=DEPLOY) if command.name == "deploy" else command
    yield _more("schedule", "schedule=cron(0 7 * * ? *)")
    yield promoted
    yield gone_prod
    yield gone


def _plain(text: str) -> str:
    return text


SCENARIOS = (
    Scenario(name="service", example="hello", edit=_everything, steps=_of_everything),
    Scenario(name="job", example="scheduled-job", edit=_plain, steps=_of_a_job),
)
