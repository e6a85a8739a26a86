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


def _more(name: str, *overrides: str, code: int | None = 0) -> Command:
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
    text = text.replace("  deployment:\n", "  deployment:\n    alarms: [errors]\n")
    text = text.replace(
        "desiredCount: 2", "desiredCount: 2\n    minCapacity: 1\n    maxCapacity: 4"
    )
    return text.replace("  environment:\n", f"{_SCALING}\n  environment:\n", 1)


def _of_everything(site: Site) -> Iterator[Command]:
    site.root.client("ssm").put_parameter(Name="/offers/url", Value="u", Type="SecureString")
    site.root.client("cloudwatch").put_metric_alarm(
        AlarmName="errors", Namespace="offers", MetricName="errors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )  # fmt: skip
    usual = {command.name: command for command in commands(site)}
    last = [usual.pop(name) for name in ("promote", "delete in prod", "delete")]
    yield usual.pop("plan of a first deployment")
    yield replace(last[0], name="promote what is not there", code=None, undo=())
    for command in usual.values():
        yield replace(command, words=DEPLOY) if command.name == "deploy" else command
    drift = usual["plan --drift"]
    yield replace(drift, name="plan --drift with the deploy role", role="deploy")
    slow = ("run", "--service", site.service, "--env", DEV, "--timeout", "2s", "--", "sleep", "600")
    yield Command(name="run that takes too long", words=slow, code=None)
    yield _more("deploy that fails", _FAILS, code=6)
    yield _more("health check moves", "healthCheck.path=/health?deep={n}")
    yield _more("retention", "observability.logs.retention=60")
    yield _more("drain time", "deployment.deregistrationDelay={n}")
    yield _more("idle time", "networking.loadBalancer.idleTimeout={n}")
    yield _more("port", "port=9000")
    yield _more("another scaling", "autoScaling={targetMemoryUtilization: 70}")
    yield from last


def _at_rest(site: Site) -> Iterator[Command]:
    """Nothing runs: a plan has to look at the load balancer itself."""
    usual = {command.name: command for command in commands(site)}
    yield usual["first deploy"]
    scale = usual["scale"]
    yield replace(scale, name="scale to nothing", words=(*scale.words[:-1], "0"))
    yield replace(usual["plan"], name="plan of what is at rest")
    yield usual["delete"]


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
    Scenario(name="at rest", example="hello", edit=_plain, steps=_at_rest),
    Scenario(name="job", example="scheduled-job", edit=_plain, steps=_of_a_job),
)
