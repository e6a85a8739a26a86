"""Who is right about a rollout, and how soon: FSD, ecs-deploy, `aws ecs wait`. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
from tests.fakes.plain_aws import plain_aws
from tests.local.alarm import set_alarm

from fsd_local import instance as local
from fsd_local.instance import Instance
from fsd_local.settings import Settings

ROOT = Path(__file__).parent.parent.parent
SERVICE = ROOT / "tests" / "local" / "table" / "service"
BIN = Path(sys.executable).parent
CLUSTER = "bench"
FINAL = {"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}
LOOK = 0.1  # seconds between two looks of the observer
CAP = 330.0  # seconds; `ecs deploy` gives up after 300 by itself
GOAL = 3.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A change of the service, and what somebody else does meanwhile."""

    name: str
    base: tuple[str, ...] = ()  # overrides of what runs before, and while it changes
    environment: tuple[str, str] = ("GREETING", "hi")
    secret: str = ""  # an ARN
    digest: str = ""  # instead of the image's own
    meddling: str = ""  # supersede, roll back, raise alarm
    says: str = ""  # a regular expression: the planted cause; "" where nothing fails


NO_SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf"
ALARM_OF = "alarm-of-"
WATCHED = (f"deployment.alarms=[{ALARM_OF}SERVICE]", "deployment.bakeTime=3")
NEVER = ("STARTS_AFTER", "never")
SCENARIOS = (
    Scenario(name="good"),
    Scenario(name="slow start", environment=("STARTS_AFTER", "2")),
    Scenario(name="no tasks", base=("resources.desiredCount=0",)),
    Scenario(name="crash", environment=("EXITS", "3"), says=r"exit(ed with)? code:? 3"),
    Scenario(name="exits 0", environment=("EXITS", "0"), says=r"exit(ed with)? code:? 0"),
    Scenario(
        name="crash in bake",
        base=("deployment.bakeTime=3",),
        environment=("EXITS_AFTER", "8"),
        says=r"exit(ed with)? code:? 0",
    ),
    Scenario(name="health 500", environment=("STATUS", "500"), says=r"\[500\]"),
    Scenario(name="health 404", environment=("STATUS", "404"), says=r"\[404\]"),
    Scenario(name="health hangs", environment=("HANGS", "1"), says="timed out"),
    Scenario(name="no listener", environment=NEVER, says="[Hh]ealth check"),
    Scenario(name="no image", digest="sha256:" + "0" * 64, says="CannotPull|image .*not"),
    Scenario(name="no secret", secret=NO_SECRET, says=f"ResourceInit.*{NO_SECRET}"),
    Scenario(
        name="alarm",
        base=WATCHED,
        environment=NEVER,
        meddling="raise alarm",
        says="went off|alarm detected",
    ),
    Scenario(
        name="superseded",
        environment=NEVER,
        meddling="supersede",
        says="another deployment|[Ss]uperseded",
    ),
    Scenario(
        name="rolled back",
        environment=NEVER,
        meddling="roll back",
        says="rollback was requested|ROLLBACK_",
    ),
)
CLIENTS = ("fsd", "ecs deploy", "aws wait")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    scenario: str
    client: str
    exit_code: int | None  # None: it did not end in time
    truth: str  # ECS's status of the deployment, once nothing more happens; "" if there was none
    seconds: float | None  # from that to the client's end
    calls: int
    cause_named: bool | None  # None: there was nothing to name

    @property
    def is_right(self) -> bool:
        return self.exit_code is not None and (self.exit_code == 0) == (self.truth == "SUCCESSFUL")


def _overrides(paths: Sequence[str], name: str) -> list[str]:
    return [part for path in paths for part in ("--override", path.replace("SERVICE", name))]


@dataclass(slots=True)
class Counter:
    """A gate that lets everything through."""

    calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def forwards(self, operation: str) -> bool:
        del operation
        with self._lock:
            self.calls += 1
        return True

    def answers(self, operation: str) -> bool:
        del operation
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    instance: Instance
    ecs: Any
    cloudwatch: Any
    folder: Path

    def environment(self, endpoint: str) -> dict[str, str]:
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        return {
            **kept,
            "FSD_LOCAL_STATE": os.environ["FSD_LOCAL_STATE"],
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": self.instance.region,
            "AWS_DEFAULT_REGION": self.instance.region,
            "AWS_ACCESS_KEY_ID": self.instance.account,
            "AWS_SECRET_ACCESS_KEY": self.instance.secret,
        }

    def make(self, name: str, scenario: Scenario) -> str:
        """A service that runs; its image by digest."""
        folder = self.folder / name
        shutil.copytree(SERVICE, folder)
        manifest = folder / "service.yml"
        text = manifest.read_text().replace("name: planted", f"name: {name}")
        manifest.write_text(text.replace("gracePeriod: 15", "gracePeriod: 40"))
        set_alarm(self.cloudwatch, f"{ALARM_OF}{name}", "OK")
        first = self._fsd("--version", "v1", *_overrides(scenario.base, name))
        ended = self.run(first, self.instance.endpoint, name)
        if ended.returncode:
            raise SystemExit(ended.stdout + ended.stderr)
        return str(json.loads(ended.stdout)["image"])

    def run(
        self, command: Sequence[str], endpoint: str, name: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder / name,
            env=self.environment(endpoint),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CAP,
            check=False,
        )

    def commands(self, client: str, name: str, scenario: Scenario, image: str) -> list[list[str]]:
        """What its user types for this change. `image` is the scenario's."""
        key, value = scenario.environment
        service = f"{name}-{CLUSTER}"
        if client == "fsd":
            overrides = [*scenario.base, f"environment.{key}={value}"]
            if scenario.secret:
                overrides.append(f"secrets=[{{name: KEY, valueFrom: '{scenario.secret}'}}]")
            options = ("--version", "v2", "--image", image, *_overrides(overrides, name))
            return [self._fsd(*options)]
        if client == "ecs deploy":
            change = ["-e", name, key, value, "-i", name, image]
            if scenario.secret:
                change += ["-s", name, "KEY", scenario.secret]
            return [[str(BIN / "ecs"), "deploy", CLUSTER, service, *change]]
        definition = self._changed(service, scenario, image)
        aws, where = str(BIN / "aws"), ("--cluster", CLUSTER)
        register = [aws, "ecs", "register-task-definition", "--cli-input-json", definition]
        update = [aws, "ecs", "update-service", *where, "--service", service]
        return [
            register,
            [*update, "--task-definition", service],
            [aws, "ecs", "wait", "services-stable", *where, "--services", service],
        ]

    def _fsd(self, *options: str) -> list[str]:
        command = [sys.executable, "-m", "fsd.cli.main", "deploy", "--env", CLUSTER]
        return [*command, "--format", "json", *options]

    def _changed(self, service: str, scenario: Scenario, image: str) -> str:
        """The task definition with the scenario's change, as input of the AWS CLI."""
        found = self.ecs.describe_task_definition(taskDefinition=service)["taskDefinition"]
        (container,) = found["containerDefinitions"]
        key, value = scenario.environment
        container["environment"] = [*container["environment"], {"name": key, "value": value}]
        container["image"] = image
        if scenario.secret:
            container["secrets"] = [{"name": "KEY", "valueFrom": scenario.secret}]
        kept = (
            "family", "networkMode", "requiresCompatibilities", "cpu", "memory", "taskRoleArn",
            "executionRoleArn", "containerDefinitions",
        )  # fmt: skip
        return json.dumps({field: found[field] for field in kept})


@dataclass(slots=True)
class Observer:
    """Looks at a service all the time: when its next deployment is over. Meddles where asked to."""

    ecs: Any
    cloudwatch: Any
    service: str
    meddling: str
    has_begun: bool = False
    status: str = ""
    ended_at: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        before = {one["serviceDeploymentArn"] for one in self._list()}
        good = self._service()["taskDefinition"]
        arn, has_meddled = "", not self.meddling
        while not self._over.wait(LOOK) and not self.ended_at:
            new = [one for one in self._list() if one["serviceDeploymentArn"] not in before]
            arn = arn or (new[-1]["serviceDeploymentArn"] if new else "")
            mine = next((one for one in new if one["serviceDeploymentArn"] == arn), None)
            if mine is None:
                continue
            self.has_begun = True
            if mine["status"] in FINAL:
                self.status, self.ended_at = mine["status"], time.monotonic()
            elif not has_meddled and self._has_started():
                has_meddled = True
                self._meddle(arn, good)

    def _has_started(self) -> bool:
        return bool(self._service()["deployments"][0]["runningCount"])

    def _meddle(self, arn: str, good: str) -> None:
        if self.meddling == "supersede":
            self.ecs.update_service(cluster=CLUSTER, service=self.service, taskDefinition=good)
        elif self.meddling == "raise alarm":
            name = self.service.removesuffix(f"-{CLUSTER}")
            set_alarm(self.cloudwatch, f"{ALARM_OF}{name}", "ALARM")
        else:
            self.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")

    def _list(self) -> list[dict[str, Any]]:
        answer = self.ecs.list_service_deployments(cluster=CLUSTER, service=self.service)
        found: list[dict[str, Any]] = answer["serviceDeployments"]
        return found

    def _service(self) -> Any:
        return self.ecs.describe_services(cluster=CLUSTER, services=[self.service])["services"][0]

    @contextmanager
    def looking(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
            if self.has_begun:
                # A client that errs on the early side is measured too.
                thread.join(CAP)
        finally:
            self._over.set()
            thread.join()


def measure(bench: Bench, scenario: Scenario, client: str, name: str, image: str) -> Measured:
    wanted = f"{image.partition('@')[0]}@{scenario.digest}" if scenario.digest else image
    service = f"{name}-{CLUSTER}"
    observer = Observer(bench.ecs, bench.cloudwatch, service, scenario.meddling)
    counter = Counter()
    code: int | None = 0
    said = ""
    with observer.looking():
        with plain_aws(bench.instance.endpoint, gate=counter) as endpoint:
            for command in bench.commands(client, name, scenario, wanted):
                try:
                    ended = bench.run(command, endpoint, name)
                except subprocess.TimeoutExpired:
                    code = None
                    break
                code, said = ended.returncode, said + ended.stdout + ended.stderr
                if code:
                    break
        ended_at = time.monotonic()
    return Measured(
        scenario=scenario.name,
        client=client,
        exit_code=code,
        truth=observer.status or ("not over" if observer.has_begun else ""),
        seconds=ended_at - observer.ended_at if observer.ended_at else None,
        calls=counter.calls,
        cause_named=bool(re.search(scenario.says, said)) if scenario.says else None,
    )


def run(bench: Bench, scenarios: Sequence[Scenario]) -> Iterator[Measured]:
    """The clients of one scenario at once, each with a service of its own."""
    cases = [(scenario, client) for scenario in scenarios for client in CLIENTS]
    names = {case: f"service-{number}" for number, case in enumerate(cases)}
    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        made = pool.map(lambda case: bench.make(names[case], case[0]), cases)
        images = dict(zip(cases, made, strict=True))
        for scenario in scenarios:

            def one(client: str, scenario: Scenario = scenario) -> Measured:
                case = (scenario, client)
                return measure(bench, scenario, client, names[case], images[case])

            yield from pool.map(one, CLIENTS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal")
    parser.add_argument("--only", choices=[s.name for s in SCENARIOS], help="one scenario")
    parser.add_argument("--speed", type=float, default=10)
    options = parser.parse_args()
    scenarios = [s for s in SCENARIOS if options.only in (None, s.name)]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FSD_LOCAL_STATE"] = str(Path(folder) / "state")
        instance = local.ensure(Settings(runtime="process", speed=options.speed))
        try:
            session = boto3.Session(instance.account, instance.secret, region_name=instance.region)
            ecs, cloudwatch = (
                session.client(name, endpoint_url=instance.endpoint)
                for name in ("ecs", "cloudwatch")
            )
            bench = Bench(instance=instance, ecs=ecs, cloudwatch=cloudwatch, folder=Path(folder))
            measured = []
            for one in run(bench, scenarios):
                measured.append(one)
                if options.format == "terminal":
                    sys.stdout.write(line(one))
                    sys.stdout.flush()
        finally:
            local.down()
    if options.format == "json":
        found = [asdict(one) | {"is_right": one.is_right} for one in measured]
        json.dump({"versions": versions(), "measured": found}, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0 if holds(measured) else 1
    return report(measured)


def line(one: Measured) -> str:
    code = "none" if one.exit_code is None else str(one.exit_code)
    named = {None: "", True: "cause named", False: "no cause"}[one.cause_named]
    verdict = "right" if one.is_right else "WRONG"
    after = "" if one.seconds is None else f"{one.seconds:.1f} s"
    return (
        f"{one.scenario:<13} {one.client:<11} exit {code:<4} {one.truth or 'not begun':<20} "
        f"{verdict:<6} {after:>7} {one.calls:>4} calls  {named}\n"
    )


def report(measured: Sequence[Measured]) -> int:
    sys.stdout.write("\n")
    for client in CLIENTS:
        mine = [one for one in measured if one.client == client]
        right = sum(one.is_right for one in mine)
        failed = [one for one in mine if one.cause_named is not None]
        sys.stdout.write(
            f"{client:<11} right {right} of {len(mine)}, median {median(mine):.1f} s after the "
            f"event, {statistics.median(one.calls for one in mine):.0f} calls, "
            f"cause named {sum(bool(one.cause_named) for one in failed)} of {len(failed)}\n"
        )
    sys.stdout.write(f"{', '.join(f'{name} {number}' for name, number in versions().items())}\n")
    sys.stdout.write(
        f"goal: fsd right everywhere, median below {GOAL:g} s: "
        f"{'holds' if holds(measured) else 'MISSED'}\n"
    )
    return 0 if holds(measured) else 1


def holds(measured: Sequence[Measured]) -> bool:
    mine = [one for one in measured if one.client == "fsd"]
    return all(one.is_right for one in mine) and median(mine) < GOAL


def median(measured: Sequence[Measured]) -> float:
    return statistics.median(one.seconds for one in measured if one.seconds is not None)


def versions() -> dict[str, str]:
    return {name: version(name) for name in ("ecs-deploy", "awscli")}


if __name__ == "__main__":
    sys.exit(main())
