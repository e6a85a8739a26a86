"""How many AWS calls a run makes, and how many of them wait for another. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.chaos.cloud import CRASH, Cloud, open_cloud
from tests.fakes.plain_aws import plain_aws
from tests.local.cli import TIMEOUT

BIN = Path(sys.executable).parent
ENVIRONMENT = "calm"
SERVICE = f"hello-{ENVIRONMENT}"
CASES = ("no change", "image only", "failing", "plan", "doctor", "first")
FIRST = "first"  # the environment of that case: its cluster and its stack are not there yet
ALONE = {"plan", "doctor", FIRST}  # no other client has such a thing, or changes so much
REGISTERED = (
    "family", "networkMode", "requiresCompatibilities", "cpu", "memory", "taskRoleArn",
    "executionRoleArn", "containerDefinitions",
)  # fmt: skip


@dataclass(slots=True)
class Delay:
    """A gate behind which each call takes `seconds` longer, and which knows when each was made."""

    seconds: float
    calls: list[tuple[str, float]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def forwards(self, operation: str) -> bool:
        with self._lock:
            self.calls.append((operation, time.monotonic()))
        threading.Event().wait(self.seconds)
        return True

    def answers(self, operation: str) -> bool:
        del operation
        return True

    def round_trips(self) -> int:
        """The most calls of which each began when the one before was over."""
        count, over = 0, 0.0
        for _, began in self.calls:
            if began >= over:
                count, over = count + 1, began + self.seconds
        return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    case: str
    client: str
    exit_code: int
    calls: int
    round_trips: int
    seconds: float
    repeated: dict[str, int]  # operations that were called more than once
    made: list[tuple[str, float]]  # every call, in order, and after how many seconds it began

    @property
    def budget(self) -> float | None:
        """How many calls the run may make; None where nothing is said."""
        if self.client != "fsd":
            return None
        return {
            "no change": 12,
            "image only": 20 + 0.5 * self.seconds,
            "plan": 14,
            "doctor": 30,
            "first": 30,
        }.get(self.case)

    @property
    def holds(self) -> bool:
        is_quick = self.case != "no change" or (self.round_trips <= 4 and self.seconds <= 1.5)
        return self.budget is None or (self.calls <= self.budget and is_quick)

    def text(self) -> str:
        goal = "" if self.budget is None else f"budget {self.budget:.0f}"
        kept = "" if self.holds else "  MISSED"
        again = ", ".join(f"{name} {times} ×" for name, times in self.repeated.items())
        return (
            f"{self.case:<11} {self.client:<16} exit {self.exit_code}  {self.calls:>3} calls "
            f"{self.round_trips:>3} round trips {self.seconds:>5.1f} s  {goal}{kept}\n"
            f"            {again}\n"
        )

    def every_call(self) -> str:
        """A line for each, with the seconds after the start of the process."""
        return "".join(f"            {at:>5.2f} s  {name}\n" for name, at in self.made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    cloud: Cloud
    delay: float
    action: Path | None  # a checkout of the official action

    def measure(self, case: str, client: str, start: Callable[[str], Sequence[str]]) -> Measured:
        gate = Delay(self.delay)
        with plain_aws(self.cloud.endpoint, gate=gate) as endpoint:
            command = start(endpoint)
            began = time.monotonic()
            ended = subprocess.run(
                command,
                cwd=self.cloud.fsd.cwd,
                env=self.environment(endpoint),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
            seconds = time.monotonic() - began
        names = Counter(operation for operation, _ in gate.calls)
        return Measured(
            case=case,
            client=client,
            exit_code=ended.returncode,
            calls=len(gate.calls),
            round_trips=gate.round_trips(),
            seconds=seconds,
            repeated={name: times for name, times in names.most_common() if times > 1},
            made=[(name, round(at - began, 2)) for name, at in gate.calls],
        )

    def environment(self, endpoint: str) -> dict[str, str]:
        fsd = self.cloud.fsd
        folder = fsd.cwd.parent
        return {
            **fsd.environment(),
            "AWS_ENDPOINT_URL": endpoint,
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "INPUT_TASK-DEFINITION": str(folder / "task-definition.json"),
            "INPUT_SERVICE": SERVICE,
            "INPUT_CLUSTER": ENVIRONMENT,
            "INPUT_WAIT-FOR-SERVICE-STABILITY": "true",
        }

    def fsd(
        self, command: str, *options: str, environment: str = ENVIRONMENT
    ) -> Callable[[str], Sequence[str]]:
        words = [sys.executable, "-m", "fsd.cli.main", command, "--env", environment, *options]
        return lambda _: words

    def ecs_deploy(self, *options: str) -> Callable[[str], Sequence[str]]:
        return lambda _: [str(BIN / "ecs"), "deploy", ENVIRONMENT, SERVICE, *options]

    def official(self, image: str, *, crashes: bool) -> Callable[[str], Sequence[str]]:
        """The official action, as its `action.yml` starts it."""
        found = self.cloud.ecs.describe_task_definition(taskDefinition=SERVICE)["taskDefinition"]
        (container,) = found["containerDefinitions"]
        container["image"] = image
        if crashes:
            container["environment"] = [{"name": "HELLO_CRASH", "value": "1"}]
        kept = {key: found[key] for key in REGISTERED if key in found}
        folder = self.cloud.fsd.cwd.parent
        (folder / "task-definition.json").write_text(json.dumps(kept))
        for name in ("output", "summary"):
            (folder / name).touch()
        return lambda _: ["node", str(self.action) + "/dist/index.js"]

    def run(self, cases: Sequence[str]) -> Iterator[Measured]:
        change, images = self.cloud.change(), []
        for environment in ("other", ENVIRONMENT):
            ended = self.cloud.deploy(environment, *change.options)
            if ended.code:
                raise SystemExit(ended.text)
            images.append(ended.json()["image"])
            if environment == "other":
                self.cloud.change()
        other, now = images
        for case in cases:
            image = other if case == "image only" else now
            yield from self.of_case(case, image, change.options)
            restored = self.cloud.deploy(ENVIRONMENT, *change.options, "--image", now)
            if restored.code:
                raise SystemExit(restored.text)

    def of_fsd(self, case: str, words: Sequence[str]) -> Callable[[str], Sequence[str]]:
        match case:
            case "plan":
                return self.fsd("plan", *words)
            case "doctor":
                return self.fsd("doctor", "--file", "service.yml")
            case "first":
                return self.fsd("deploy", *words, environment=FIRST)
            case _:
                return self.fsd("deploy", *words)

    def of_case(self, case: str, image: str, options: Sequence[str]) -> Iterator[Measured]:
        crashes = case == "failing"
        words = (*options, "--image", image, *(CRASH if crashes else ()))
        yield self.measure(case, "fsd", self.of_fsd(case, words))
        if case in ALONE:
            return
        planted = ("-e", "hello", "HELLO_CRASH", "1") if crashes else ()
        changed = ("-i", "hello", image, "--timeout", "60", "--no-deregister", *planted)
        yield self.measure(case, "ecs-deploy", self.ecs_deploy(*changed))
        if self.action is not None:
            yield self.measure(case, "official action", self.official(image, crashes=crashes))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal")
    parser.add_argument("--only", choices=CASES)
    parser.add_argument("--delay", type=float, default=0.1, help="seconds that a call takes longer")
    parser.add_argument("--calls", action="store_true", help="also print every call, in order")
    parser.add_argument(
        "--action",
        type=Path,
        help="a checkout of https://github.com/aws-actions/amazon-ecs-deploy-task-definition",
    )
    options = parser.parse_args()
    if options.action is not None and shutil.which("node") is None:
        parser.error("the official action needs node")
    cases = [case for case in CASES if options.only in (None, case)]
    found: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder, open_cloud(Path(folder)) as cloud:
        bench = Bench(cloud=cloud, delay=options.delay, action=options.action)
        for one in bench.run(cases):
            found.append(one)
            if options.format == "terminal":
                sys.stdout.write(one.text())
                sys.stdout.write(one.every_call() if options.calls else "")
                sys.stdout.flush()
    if options.format == "json":
        listed: list[dict[str, Any]] = [asdict(one) | {"holds": one.holds} for one in found]
        json.dump({"ecs-deploy": version("ecs-deploy"), "measured": listed}, sys.stdout, indent=2)
        sys.stdout.write(os.linesep)
    return 0 if all(one.holds for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
