"""Every way in which a rollout can end, by the real CLI: exit code, outcome, the planted cause.

The cases of a group go side by side in one embedded AWS, each in an environment of its own, so each
has a service of its own. What ECS itself makes of them is in `table`.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.fakes.python_image import ensure_python_image
from tests.local.alarm import set_alarm
from tests.local.cli import Ended, Fsd
from tests.local.conftest import SPEED, commit
from tests.local.site import Site

SERVICE = Path(__file__).parent / "table" / "service"
AT_ONCE = 4
NO_DIGEST = "@sha256:" + "0" * 64
NO_SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf"
ALARM = "errors"

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is planted, and what has to come of it."""

    play: Callable[[Site], Ended]
    code: int
    outcome: str
    cause: str = ""  # as `fsd explain` takes it
    says: str = ""  # what was planted, in the diagnosis; without one in the whole result
    serves: str = "old"  # old, new, theirs: who is in place in the end


# ---- how a case is played


def after_base(*overrides: str, base: tuple[str, ...] = ()) -> Callable[[Site], Ended]:
    """Version 1 serves; then the planted version."""
    return lambda site: site.with_base(*base).deploy(*overrides)


def fails(
    *overrides: str, cause: str, says: str, base: tuple[str, ...] = (), code: int = 6
) -> Case:
    outcome = "rolled-back" if code == 6 else "rollback-failed"
    return Case(
        play=after_base(*overrides, base=base), code=code, outcome=outcome, cause=cause, says=says
    )


def succeeds(*overrides: str, says: str = "", base: tuple[str, ...] = ()) -> Case:
    return Case(
        play=after_base(*overrides, base=base),
        code=0,
        outcome="succeeded",
        says=says,
        serves="new",
    )


def first(*overrides: str, cause: str, says: str) -> Case:
    """Nothing serves before it, so there is nothing to go back to."""
    return Case(
        play=lambda site: site.deploy(*overrides),
        code=7,
        outcome="rollback-failed",
        cause=cause,
        says=says,
        serves="new",
    )


LONG = ("environment.STARTS_AFTER=never", "healthCheck.gracePeriod=2000")
SLOW = ("environment.STARTS_AFTER=8", "healthCheck.gracePeriod=600")
EARLY, LATE = "rollout", "2 of 2 healthy"  # what is told at the start, and when all are in place
BAKES = ("environment.GREETING=baked", "deployment.bakeTime=600")
WORKER = ("port=null", "healthCheck=null", "networking.loadBalancer=null")
UNBALANCED = ("networking.loadBalancer=null",)
EXITS = "environment.EXITS=3"
HI = "environment.GREETING=hi"
BLUE_GREEN = ("deployment.strategy=blueGreen", "deployment.bakeTime=1")
CANARY = (
    "deployment.strategy=canary",
    "deployment.bakeTime=1",
    "deployment.canary={percent: 20, bakeTime: 1}",
)
LONG_CANARY = (*CANARY[:2], "deployment.canary={percent: 20, bakeTime: 1440}")
APPROVAL = (*BLUE_GREEN, "deployment.approval={timeout: 24h}")
SHORT_APPROVAL = (*BLUE_GREEN, "deployment.approval={timeout: 1m}")
# However soon the rollout is over: FSD looks for as long as the tasks live, from its end on.
ENDS_LATE = (
    "environment.EXITS=5",
    "environment.EXITS_AFTER=25",
    f"deployment.steadyFor={25 * int(SPEED)}",
)
HTTPS = (
    "networking.loadBalancer.certificateArn=arn:aws:acm:us-east-1:000000000000:certificate/"
    "11111111-1111-1111-1111-111111111111"
)
LONG_BAKE = (BLUE_GREEN[0], "deployment.bakeTime=1440")
PAUSED = "pauses the deployment"
LINEAR = (
    "deployment.strategy=linear",
    "deployment.bakeTime=0",
    "deployment.linear={stepPercent: 50, stepBakeTime: 1}",
)
NO_ROOM = "minimumHealthyPercent"


def percent(minimum: int, maximum: int) -> tuple[str, str]:
    return (
        f"deployment.minimumHealthyPercent={minimum}",
        f"deployment.maximumPercent={maximum}",
    )


def raise_alarm(site: Site) -> None:
    set_alarm(site.client("cloudwatch"), f"{ALARM}-{site.env}", "ALARM")


def alarmed(site: Site, *overrides: str, when: str) -> Ended:
    set_alarm(site.client("cloudwatch"), f"{ALARM}-{site.env}", "OK")
    watched = (f"deployment.alarms=[{ALARM}-{site.env}]", "deployment.bakeTime=600", *overrides)
    return site.with_base().deploy_and(raise_alarm, *watched, when=when)


def answers(command: str) -> Callable[[Site], None]:
    def answer(site: Site) -> None:
        who = ("--service", "planted", "--env", site.env)
        ended = site.fsd.run(command, *who, "--format", "json")
        assert ended.code == 0, ended.text
        assert ended.json()["stage"] == "POST_SCALE_UP", ended.text

    return answer


def roll_back(site: Site) -> None:
    """By somebody else, while the deployment still watches."""
    who = ("--service", "planted", "--env", site.env)
    ended = site.fsd.run("rollback", *who, "--format", "json")
    assert ended.code == 0, ended.text
    assert ended.json()["release"]["revision"] == site.running, ended.text
    assert ended.json()["running"]["revision"] == site.running, ended.text


def scale_to(count: int) -> Callable[[Site], None]:
    def scale(site: Site) -> None:
        site.until_a_task_runs()
        site.update(desiredCount=count)

    return scale


def supersede(site: Site) -> None:
    site.until_a_task_runs()
    site.update(taskDefinition=site.running)


def crash_afterwards(site: Site) -> Ended:
    """The verdict is on the rollout; what comes later is `diagnose`'s."""
    ended = site.with_base().deploy("environment.EXITS=5", "environment.EXITS_AFTER=40")
    found: list[Ended] = []

    def is_diagnosed() -> bool:
        found.append(site.diagnose())
        return "exit code 5" in found[-1].out

    site.until(is_diagnosed)
    return ended


def fails_after_approval(site: Site) -> Ended:
    """The way back neither waits for anybody nor for a canary; the service keeps its strategy."""
    site = site.with_base(*LONG_CANARY)
    before = site.configuration()
    ended = site.deploy_and(answers("approve"), *APPROVAL, *ENDS_LATE, when=PAUSED)
    assert before == site.configuration(), ended.text
    return ended


GROUPS: dict[str, dict[str, Case]] = {
    "good": {
        "create": Case(play=lambda site: site.deploy(), code=0, outcome="succeeded", serves="new"),
        "update": succeeds("environment.GREETING=hi"),
        "worker": succeeds(*WORKER, "environment.GREETING=hi", base=WORKER),
        "container check": succeeds(*UNBALANCED, "environment.GREETING=hi", base=UNBALANCED),
        "nothing changed": Case(
            play=after_base(), code=0, outcome="unchanged", says="unchanged", serves="old"
        ),
        "slow start within the grace period": succeeds(
            "environment.STARTS_AFTER=3", "healthCheck.gracePeriod=600"
        ),
        "bake time": succeeds("environment.GREETING=baked", "deployment.bakeTime=2"),
        "scaled up during a rollout": Case(
            play=lambda site: site.with_base().deploy_and(scale_to(4), *SLOW),
            code=0,
            outcome="succeeded",
            says='"desiredCount": 4',
            serves="new",
        ),
        "scaled down during a rollout": Case(
            play=lambda site: site.with_base("resources.desiredCount=4").deploy_and(
                scale_to(2),
                *SLOW,
                "resources.desiredCount=4",
            ),
            code=0,
            outcome="succeeded",
            says='"desiredCount": 2',
            serves="new",
        ),
        "desired count 0": Case(
            play=after_base("resources.desiredCount=0", EXITS),
            code=0,
            outcome="deployed-not-started",
            says="no task ran",
            serves="new",
        ),
        "created with desired count 0": Case(
            play=lambda site: site.deploy("resources.desiredCount=0"),
            code=0,
            outcome="deployed-not-started",
            says="no task ran",
            serves="new",
        ),
    },
    "the program": {
        "crash at once": fails(EXITS, cause="crashed", says="exit code 3"),
        "crash at once, first deployment": first(EXITS, cause="crashed", says="exit code 3"),
        "crash at once, worker": fails(
            *WORKER, EXITS, base=WORKER, cause="crashed", says="exit code 3"
        ),
        "exits 0": fails("environment.EXITS=0", cause="exited-at-once", says="exit code 0"),
        "crash after healthy, in the bake time": fails(
            "environment.EXITS=5",
            "environment.EXITS_AFTER=8",
            "deployment.bakeTime=600",
            cause="crashed",
            says="exit code 5",
        ),
        "crash after the rollout": Case(
            play=crash_afterwards, code=0, outcome="succeeded", serves="new"
        ),
        "shell finds no program": fails(
            'entryPoint=["/bin/sh","-c","no-such-program"]',
            cause="command-not-found",
            says="no-such-program",
        ),
        "entry point missing": fails(
            'entryPoint=["/no/such/program"]', cause="command-not-found", says="/no/such/program"
        ),
    },
    "health checks": {
        "path answers 500": fails(
            "environment.STATUS=500", cause="health-check-failed", says="[500]"
        ),
        "path answers 404": fails(
            "environment.STATUS=404", cause="health-check-failed", says="[404]"
        ),
        "path does not answer": fails(
            "environment.HANGS=1", cause="health-check-failed", says="Request timed out"
        ),
        "connection refused": fails(
            "environment.STARTS_AFTER=never",
            "healthCheck.gracePeriod=0",
            cause="health-check-failed",
            says="Health checks failed",
        ),
        "slow start beyond the grace period": fails(
            "environment.STARTS_AFTER=60",
            "healthCheck.gracePeriod=40",
            cause="health-check-failed",
            says="Health checks failed",
        ),
        "path answers 500, first deployment": first(
            "environment.STATUS=500", cause="health-check-failed", says="[500]"
        ),
        "container check fails": fails(
            *UNBALANCED,
            "environment.STATUS=500",
            base=UNBALANCED,
            cause="container-health-check-failed",
            says="failed container health checks",
        ),
    },
    "what a task needs": {
        "registry unreachable": fails(
            f"image=127.0.0.1:1/planted{NO_DIGEST}",
            cause="network-unreachable",
            says="127.0.0.1:1/planted",
        ),
        "image missing": Case(
            play=lambda site: site.with_base().deploy(f"image={registry(site)}/none{NO_DIGEST}"),
            code=6,
            outcome="rolled-back",
            cause="image-not-found",
            says="/none@sha256:0000",
        ),
        "tag missing": Case(
            play=lambda site: site.with_base().deploy(f"image={registry(site)}/none:v9"),
            code=6,
            outcome="rolled-back",
            cause="image-not-found",
            says="/none:v9",
        ),
        "secret missing": fails(
            f"secrets=[{{name: KEY, valueFrom: '{NO_SECRET}'}}]",
            cause="secret-not-found",
            says=NO_SECRET,
        ),
        "secret missing, first deployment": first(
            f"secrets=[{{name: KEY, valueFrom: '{NO_SECRET}'}}]",
            cause="secret-not-found",
            says=NO_SECRET,
        ),
    },
    "the breaker": {
        "count of 1": fails(
            EXITS, "deployment.circuitBreaker.threshold=1", cause="crashed", says="exit code 3"
        ),
        "desired count 1": fails(
            EXITS,
            "resources.desiredCount=1",
            base=("resources.desiredCount=1",),
            cause="crashed",
            says="exit code 3",
        ),
        "desired count 4": fails(
            EXITS,
            "resources.desiredCount=4",
            base=("resources.desiredCount=4",),
            cause="crashed",
            says="exit code 3",
        ),
        "desired count 10": fails(
            EXITS,
            "resources.desiredCount=10",
            base=("resources.desiredCount=10",),
            cause="crashed",
            says="exit code 3",
        ),
    },
    "others": {
        "superseded by a good one": Case(
            play=lambda site: site.with_base().deploy_and(supersede, *LONG, when=EARLY),
            code=8,
            outcome="superseded",
            says="took over",
        ),
        "superseded by a bad one": Case(
            play=lambda site: site.with_base().deploy_and(supersede_badly, *LONG, when=EARLY),
            code=8,
            outcome="superseded",
            says="took over",
            serves="",
        ),
        "rolled back early": Case(
            play=lambda site: site.with_base().deploy_and(Site.stop_deployment, *LONG, when=EARLY),
            code=6,
            outcome="rolled-back",
            cause="rollback-requested",
            says="a rollback was requested",
        ),
        "rolled back in the bake time": Case(
            play=lambda site: site.with_base().deploy_and(Site.stop_deployment, *BAKES, when=LATE),
            code=6,
            outcome="rolled-back",
            cause="rollback-requested",
            says="a rollback was requested",
        ),
        "alarm at the start": Case(
            play=lambda site: alarmed(site, *LONG, when=EARLY),
            code=6,
            outcome="rolled-back",
            cause="alarm-triggered",
            says=f"CloudWatch alarm {ALARM}-",
        ),
        "alarm in the bake time": Case(
            play=lambda site: alarmed(site, "environment.GREETING=hi", when=LATE),
            code=6,
            outcome="rolled-back",
            cause="alarm-triggered",
            says=f"CloudWatch alarm {ALARM}-",
        ),
    },
    "traffic shifts": {
        "first deployment": Case(
            play=lambda site: site.deploy(*BLUE_GREEN), code=0, outcome="succeeded", serves="new"
        ),
        "blue/green": succeeds(*BLUE_GREEN, HI, base=BLUE_GREEN),
        "blue/green, back to the first target group": Case(
            play=lambda site: (
                site.with_base(*BLUE_GREEN)
                .with_base(*BLUE_GREEN, "environment.GREETING=second")
                .deploy(*BLUE_GREEN, HI)
            ),
            code=0,
            outcome="succeeded",
            serves="new",
        ),
        "canary": succeeds(*CANARY, HI, base=CANARY),
        "linear": succeeds(*LINEAR, HI, base=LINEAR),
        "rolling to blue/green": succeeds(*BLUE_GREEN, HI),
        "blue/green to rolling": succeeds(HI, base=BLUE_GREEN),
        "blue/green to rolling, in the second target group": Case(
            play=lambda site: (
                site.with_base(*BLUE_GREEN)
                .with_base(*BLUE_GREEN, "environment.GREETING=second")
                .deploy(HI)
            ),
            code=0,
            outcome="succeeded",
            serves="new",
        ),
        "blue/green, with HTTPS from the second release on": Case(
            play=lambda site: (
                site.with_base(*BLUE_GREEN)
                .with_base(*BLUE_GREEN, HTTPS)
                .deploy(*BLUE_GREEN, HTTPS, HI)
            ),
            code=0,
            outcome="succeeded",
            serves="new",
        ),
        "approved": Case(
            play=lambda site: site.with_base(*BLUE_GREEN).deploy_and(
                answers("approve"), *APPROVAL, HI, when=PAUSED
            ),
            code=0,
            outcome="succeeded",
            says="fsd approve",
            serves="new",
        ),
        "rejected": Case(
            play=lambda site: site.with_base(*BLUE_GREEN).deploy_and(
                answers("reject"), *APPROVAL, HI, when=PAUSED
            ),
            code=6,
            outcome="rolled-back",
            cause="rollback-requested",
            says="a rollback was requested",
        ),
        "taken back in the bake time by fsd rollback": Case(
            play=lambda site: site.with_base(*BLUE_GREEN).deploy_and(
                roll_back, *LONG_BAKE, HI, when="100 % of the traffic"
            ),
            code=6,
            outcome="rolled-back",
            cause="rollback-requested",
            says="a rollback was requested",
        ),
        "not answered": Case(
            play=lambda site: site.with_base(*BLUE_GREEN).deploy(*SHORT_APPROVAL, HI),
            code=6,
            outcome="rolled-back",
            cause="rollout-failed",
            says="pause hook timed out",
        ),
        "blue/green, crash at once": fails(
            *BLUE_GREEN, EXITS, base=BLUE_GREEN, cause="crashed", says="exit code 3"
        ),
        "blue/green, crash after the rollout": fails(
            *BLUE_GREEN, *ENDS_LATE, base=BLUE_GREEN, cause="crashed", says="exit code 5"
        ),
        "canary for a day, crash after an approved rollout": Case(
            play=fails_after_approval,
            code=6,
            outcome="rolled-back",
            cause="crashed",
            says="exit code 5",
        ),
        "rolling to blue/green, crash after the rollout": fails(
            *BLUE_GREEN, *ENDS_LATE, cause="crashed", says="exit code 5"
        ),
        "blue/green, path answers 500": fails(
            *BLUE_GREEN,
            "environment.STATUS=500",
            base=BLUE_GREEN,
            cause="health-check-failed",
            says="[500]",
        ),
        "canary, crash while it has a part of the traffic": fails(
            *LONG_CANARY,
            "environment.EXITS=5",
            "environment.EXITS_AFTER=8",
            base=LONG_CANARY,
            cause="crashed",
            says="exit code 5",
        ),
        "rolling to blue/green, crash at once": fails(
            *BLUE_GREEN, EXITS, cause="crashed", says="exit code 3"
        ),
        "blue/green, first deployment, crash at once": first(
            *BLUE_GREEN, EXITS, cause="crashed", says="exit code 3"
        ),
    },
    "room to move": {
        "50 and 100 percent": succeeds("environment.GREETING=hi", *percent(50, 100)),
        "0 and 100 percent": succeeds("environment.GREETING=hi", *percent(0, 100)),
        "100 and 150 percent": succeeds("environment.GREETING=hi", *percent(100, 150)),
        "50 and 100 percent, crash at once": fails(
            EXITS, *percent(50, 100), cause="crashed", says="exit code 3"
        ),
        "100 and 150 percent at desired count 1, no room": fails(
            "environment.GREETING=hi",
            "resources.desiredCount=1",
            *percent(100, 150),
            base=("resources.desiredCount=1",),
            cause="no-room-to-deploy",
            says=NO_ROOM,
        ),
    },
}

# A container may take longer to start than the time in which no health check counts.
PATIENT = ("--override", "healthCheck.gracePeriod=2000")

# Whose words are the engine's, or which only a container can end by.
CONTAINERS: dict[str, Case] = {
    "update": GROUPS["good"]["update"],
    "out of memory": fails(
        "environment.EATS=1", "resources.memory=512", cause="out-of-memory", says="OutOfMemoryError"
    ),
    "container check fails": GROUPS["health checks"]["container check fails"],
    "shell finds no program": GROUPS["the program"]["shell finds no program"],
    "entry point missing": GROUPS["the program"]["entry point missing"],
    "crash at once, first deployment": GROUPS["the program"]["crash at once, first deployment"],
    **GROUPS["what a task needs"],
}


def supersede_badly(site: Site) -> None:
    site.until_a_task_runs()
    definition = site.client("ecs").describe_task_definition(taskDefinition=site.running)
    (container,) = definition["taskDefinition"]["containerDefinitions"]
    container["environment"] = [{"name": "EXITS", "value": "3"}]
    kept = (
        "family",
        "networkMode",
        "cpu",
        "memory",
        "executionRoleArn",
        "taskRoleArn",
        "requiresCompatibilities",
    )
    settings = {key: definition["taskDefinition"][key] for key in kept}
    bad = site.client("ecs").register_task_definition(**settings, containerDefinitions=[container])
    site.update(taskDefinition=bad["taskDefinition"]["taskDefinitionArn"])


def registry(site: Site) -> str:
    (repository,) = site.client("ecr").describe_repositories()["repositories"]
    return str(repository["repositoryUri"]).rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Field:
    """An embedded AWS with the image of the service in its registry."""

    fsd: Fsd
    client: Callable[[str], Any]
    more: tuple[str, ...] = ()

    def site(self) -> Site:
        return Site(fsd=self.fsd, env=f"e{next(_numbers)}", client=self.client, more=self.more)


def start(folder: Path, runtime: str, *, more: tuple[str, ...] = ()) -> Iterator[Field]:
    shutil.copytree(SERVICE, folder / "planted")
    commit(folder / "planted", "first")
    owner = Fsd(state=folder / "state", cwd=folder / "planted")
    owner.ok("local", "up", "--runtime", runtime, "--speed", SPEED)
    keys = owner.aws_environment()
    session = boto3.Session(
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region_name=keys["AWS_REGION"],
    )
    address, config = keys["AWS_ENDPOINT_URL"], Config(retries={"total_max_attempts": 1})
    made: dict[str, Any] = {
        name: session.client(name, endpoint_url=address, config=config)
        for name in ("ecs", "ecr", "cloudwatch")
    }
    field = Field(Fsd(state=owner.state, cwd=owner.cwd, extra=keys), made.__getitem__, more)
    first_of_all = field.site()
    first_of_all.with_base()  # builds the image, once for all
    first_of_all.remove()
    yield field
    for one in made.values():
        one.close()
    owner.ok("local", "down")


@pytest.fixture
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """One for each group: together they have more load balancers than an account may, which is 50.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
    """
    yield from start(tmp_path_factory.mktemp("verdicts"), "process")


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory, docker_engine: Any) -> Iterator[Field]:
    ensure_python_image(docker_engine)
    yield from start(tmp_path_factory.mktemp("verdicts"), "container", more=PATIENT)


def played(field: Field, cases: dict[str, Case]) -> dict[str, str]:
    """What is wrong, by the name of the case."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        wrong = pool.map(lambda case: find_wrong(case, field.site()), cases.values())
        return {name: text for name, text in zip(cases, wrong, strict=True) if text}


def find_wrong(case: Case, site: Site) -> str:
    """ "" where all is as it should be. The service goes: its health checks cost the others."""
    try:
        return _wrong(case, site, case.play(site))
    except AssertionError as error:
        return str(error)
    finally:
        site.remove()


def _wrong(case: Case, site: Site, ended: Ended) -> str:
    if ended.code != case.code or ended.json()["outcome"] != case.outcome:
        return f"not {case.code}, {case.outcome}: {ended.text}"
    result = ended.json()
    causes = result["diagnosis"]["causes"] if result["diagnosis"] else []
    codes = [cause["code"] for cause in causes]
    if codes[:1] != ([case.cause] if case.cause else []):
        return f"not {case.cause} but {codes}: {ended.text}"
    if case.says not in (str(result["diagnosis"]) if causes else ended.out):
        return f"{case.says} is not said: {ended.text}"
    return _find_wrong_service(case, site, result)


def _find_wrong_service(case: Case, site: Site, result: Any) -> str:
    """What ECS has in place in the end."""
    if not case.serves:
        return ""
    release, previous = result["release"], result["previous"]
    wanted = (release if case.serves == "new" else previous)["revision"]
    found = site.serves()
    return "" if found == wanted else f"{found} is in place, not {wanted}"


@pytest.mark.parametrize("group", GROUPS)
def test_deploy__every_case__right_outcome_and_the_planted_cause(
    group: str, processes: Field
) -> None:
    wrong = played(processes, GROUPS[group])
    assert not wrong, "\n\n".join(f"{name}: {text}" for name, text in wrong.items())


@pytest.mark.docker
def test_deploy__every_case_of_a_container__right_outcome_and_the_planted_cause(
    containers: Field,
) -> None:
    assert played(containers, CONTAINERS) == {}
