"""What ECS makes of a rollout, case by case, in both runtimes: the whole outcome as text.

`outcomes.txt` has what is expected. How many tasks move at once, and whether one is still starting
when its deployment fails, depends on how fast a machine is. So events are without numbers, `NOISE`
may come with every case, and a line behind `?` and a text in `[]` may be there or not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsd_local.instance import Instance
from tests.local.table.stage import Stage

MakeStage = Callable[..., Stage]
OUTCOMES = Path(__file__).parent / "outcomes.txt"
NO_IMAGE = "@sha256:" + "0" * 64
NO_SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf"
OFF = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
NO_ROLLBACK = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
NOISE = re.compile(
    r"event: has stopped N running tasks: \(task T\)\."
    r"|event: \(port 8000\) is unhealthy in .* due to \(reason Health checks failed\)\."
    r"|stopped: v\d ServiceSchedulerInitiated: Scaling activity initiated by \(deployment D\).*"
)
DEADLOCK = "was unable to stop or start tasks"


def env(**variables: str) -> dict[str, Any]:
    return {"environment": variables}


def percent(minimum: int, maximum: int) -> dict[str, int]:
    return {"minimumHealthyPercent": minimum, "maximumPercent": maximum}


def breaker(kind: str, value: int) -> dict[str, Any]:
    threshold = {"type": kind, "value": value}
    return {
        "deploymentCircuitBreaker": {
            "enable": True,
            "rollback": True,
            "thresholdConfiguration": threshold,
        }
    }


CRASH = env(EXITS="3")
LONG = env(STARTS_AFTER="never")  # with a grace period that outlasts the case
CHECK = {"interval": 5, "timeout": 2, "retries": 2}
FAILING_CHECK = {"healthCheck": {"command": ["CMD-SHELL", "exit 1"], **CHECK}}
PASSING_CHECK = {"healthCheck": {"command": ["CMD-SHELL", "exit 0"], **CHECK}}


def first_starts(stage: Stage) -> bool:
    """A task of the newest version runs."""
    return bool(stage.service()["deployments"][0]["runningCount"])


def bakes(stage: Stage) -> bool:
    """All that is left is the bake time."""
    (*newest,) = stage.service()["deployments"]
    return (
        len(newest) == 1
        and newest[0]["runningCount"] == stage.desired
        and not any(task["lastStatus"] != "STOPPED" for task in stage.tasks("STOPPED"))
        and [state for state, _ in stage.targets()] == ["healthy"] * stage.desired
    )


def exited(code: int) -> Callable[[Stage], bool]:
    return lambda stage: any(
        task["containers"][0].get("exitCode") == code for task in stage.tasks("STOPPED")
    )


def told(words: str) -> Callable[[Stage], bool]:
    return lambda stage: any(words in message for message in stage.events())


def failed(count: int) -> Callable[[Stage], bool]:
    return lambda stage: stage.service()["deployments"][0]["failedTasks"] >= count


def bake(stage: Stage, minutes: int, *, alarm: bool = False, **container: Any) -> Stage:
    settings = stage.service()["deploymentConfiguration"] | {"bakeTimeInMinutes": minutes}
    if alarm:
        settings |= stage.make_alarm()
    return stage.update(
        taskDefinition=stage.register(**container), deploymentConfiguration=settings
    )


CASES: dict[str, Callable[[MakeStage], Stage]] = {
    # What is good.
    "good create": lambda stage: stage().create().settle(),
    "good update": lambda stage: stage().running().deploy().settle(),
    "good worker": lambda stage: stage(balanced=False).running().deploy().settle(),
    "good container check": lambda stage: (
        stage(balanced=False).running().deploy(**PASSING_CHECK).settle()
    ),
    "update that changes nothing": lambda stage: (
        stage().running().update(taskDefinition="app:1", desiredCount=2).settle()
    ),
    "forced update": lambda stage: stage().running().update(forceNewDeployment=True).settle(),
    "slow start within the grace period": lambda stage: (
        stage().running().deploy(**env(STARTS_AFTER="3")).settle()
    ),
    "bake time": lambda stage: bake(stage().running(), 1).settle(),
    # Scaling.
    "scaled up during a rollout": lambda stage: (
        stage()
        .running()
        .deploy(**env(STARTS_AFTER="2"))
        .until(first_starts)
        .update(desiredCount=4)
        .settle()
    ),
    "scaled down during a rollout": lambda stage: (
        stage(desired=4)
        .running()
        .deploy(**env(STARTS_AFTER="2"))
        .until(first_starts)
        .update(desiredCount=2)
        .settle()
    ),
    "created with desired count 0": lambda stage: stage(desired=0).create().settle(),
    "update at desired count 0": lambda stage: stage(desired=0).running().deploy(**CRASH).settle(),
    # Faults of the program.
    "crash at once": lambda stage: stage().running().deploy(**CRASH).settle(),
    "crash at once, first deployment": lambda stage: stage().create(**CRASH).settle(),
    "crash at once, worker": lambda stage: stage(balanced=False).running().deploy(**CRASH).settle(),
    "exits 0": lambda stage: stage().running().deploy(**env(EXITS="0")).settle(),
    "crash after the rollout": lambda stage: (
        stage().running().deploy(**env(EXITS="5", EXITS_AFTER="40")).settle().until(exited(5))
    ),
    "crash after healthy, in the bake time": lambda stage: bake(
        stage().running(), 60, **env(EXITS="5", EXITS_AFTER="20")
    ).until(exited(5)),
    "out of memory": lambda stage: stage().running().deploy(memory=32, **env(EATS="1")).settle(),
    "shell finds no program": lambda stage: (
        stage().running().deploy(entryPoint=["/bin/sh", "-c", "no-such-program"]).settle()
    ),
    "entry point missing": lambda stage: (
        stage().running().deploy(entryPoint=["/no/such/program"]).settle()
    ),
    # Health checks.
    "path answers 500": lambda stage: stage(grace=0).running().deploy(**env(STATUS="500")).settle(),
    "path answers 404": lambda stage: stage(grace=0).running().deploy(**env(STATUS="404")).settle(),
    "path does not answer": lambda stage: (
        stage(grace=0).running().deploy(**env(HANGS="1")).settle()
    ),
    "connection refused": lambda stage: stage(grace=0).running().deploy(**LONG).settle(),
    "slow start beyond the grace period": lambda stage: (
        stage(grace=2).running().deploy(**LONG).settle()
    ),
    "path answers 500, first deployment": lambda stage: (
        stage(grace=0).create(**env(STATUS="500")).settle()
    ),
    "container check fails": lambda stage: (
        stage(balanced=False).running().deploy(**FAILING_CHECK).settle()
    ),
    # What a task needs is not there.
    "image missing": lambda stage: no_image(stage().running(), NO_IMAGE).settle(),
    "tag missing": lambda stage: no_image(stage().running(), ":none").settle(),
    "secret missing": lambda stage: (
        stage().running().deploy(secrets=[{"name": "KEY", "valueFrom": NO_SECRET}]).settle()
    ),
    # The circuit breaker.
    "breaker off": lambda stage: no_image(stage(settings=OFF).running(), NO_IMAGE).until(failed(5)),
    "breaker without rollback": lambda stage: (
        stage(settings=NO_ROLLBACK).running().deploy(**CRASH).settle()
    ),
    "breaker at a count of 1": lambda stage: (
        stage(settings=breaker("COUNT", 1)).running().deploy(**CRASH).settle()
    ),
    "breaker at 100 percent, unbounded": lambda stage: (
        stage(desired=1, settings=breaker("UNBOUNDED_PERCENT", 100))
        .running()
        .deploy(**CRASH)
        .settle()
    ),
    "breaker's default at desired count 1": lambda stage: (
        stage(desired=1).running().deploy(**CRASH).settle()
    ),
    "breaker's default at desired count 4": lambda stage: (
        stage(desired=4).running().deploy(**CRASH).settle()
    ),
    "breaker's default at desired count 10": lambda stage: (
        stage(desired=10).running().deploy(**CRASH).settle()
    ),
    # Others step in.
    "superseded by a good one": lambda stage: (
        stage().running().deploy(**LONG).until(first_starts).deploy().settle()
    ),
    "superseded by a bad one": lambda stage: (
        stage().running().deploy(**LONG).until(first_starts).deploy(**CRASH).settle()
    ),
    "stopped early": lambda stage: stage().running().deploy(**LONG).stop_deployment().settle(),
    "stopped when a task runs": lambda stage: (
        stage().running().deploy(**LONG).until(first_starts).stop_deployment().settle()
    ),
    "stopped in the bake time": lambda stage: (
        bake(stage().running(), 60).until(bakes).stop_deployment().settle()
    ),
    "stopped, first deployment": lambda stage: (
        stage(grace=2).create(**LONG).until(first_starts).stop_deployment().settle()
    ),
    # Alarms.
    "alarm that is silent": lambda stage: bake(stage().running(), 1, alarm=True).settle(),
    "alarm at the start": lambda stage: (
        bake(stage().running(), 60, alarm=True, **LONG).until(first_starts).raise_alarm().settle()
    ),
    "alarm in the bake time": lambda stage: (
        bake(stage().running(), 60, alarm=True).until(bakes).raise_alarm().settle()
    ),
    "alarm before the deployment": lambda stage: alarmed_before(stage().running()).settle(),
    # Room to move.
    "50 and 100 percent": lambda stage: (
        stage(desired=4, settings=percent(50, 100)).running().deploy().settle()
    ),
    "0 and 100 percent": lambda stage: stage(settings=percent(0, 100)).running().deploy().settle(),
    "100 and 150 percent": lambda stage: (
        stage(desired=4, settings=percent(100, 150)).running().deploy().settle()
    ),
    "50 and 100 percent, crash at once": lambda stage: (
        stage(desired=4, settings=percent(50, 100)).running().deploy(**CRASH).settle()
    ),
    "100 and 150 percent at desired count 1, no room": lambda stage: (
        stage(desired=1, settings=percent(100, 150)).running().deploy().until(told(DEADLOCK))
    ),
}


def alarmed_before(stage: Stage) -> Stage:
    """ECS ignores an alarm that is in ALARM when the deployment begins."""
    stage.make_alarm()
    return bake(stage.raise_alarm(), 1, alarm=True)


def no_image(stage: Stage, reference: str) -> Stage:
    repository, _, _ = stage.image.partition("@")
    return stage.deploy(image=repository + reference)


def load_outcomes() -> dict[str, list[str]]:
    sections = re.split(r"^== (.+)$", OUTCOMES.read_text(), flags=re.MULTILINE)[1:]
    return {
        name: text.strip().splitlines()
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }


EXPECTED = load_outcomes()


def expected(name: str, found: list[str]) -> list[str]:
    """As `found` would be; what may be there or not is as it is found."""
    lines = []
    for line in EXPECTED[name]:
        is_optional, text = line.startswith("? "), line.removeprefix("? ")
        pattern = re.sub(r"\\\[(.+?)\\\]", r"(?:\1)?", re.escape(text))
        matching = [one for one in found if re.fullmatch(pattern, one)]
        lines += matching[:1] if matching or is_optional else [text]
    return lines


def relevant(name: str, found: list[str]) -> list[str]:
    asked_for = {line.removeprefix("? ") for line in EXPECTED[name]}
    return [line for line in found if line in asked_for or not NOISE.fullmatch(line)]


@pytest.mark.parametrize("name", CASES)
def test_table__case__outcome(name: str, stage: MakeStage, instance: Instance) -> None:
    if name == "out of memory" and instance.runtime == "process":
        pytest.skip("only a container has a limit of memory")
    found = CASES[name](stage).outcome().splitlines()
    assert "\n".join(relevant(name, found)) == "\n".join(expected(name, found))


def test_table__outcomes__are_those_of_the_cases() -> None:
    assert list(EXPECTED) == list(CASES)
