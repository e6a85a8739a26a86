"""Every way in which a rollout can end, by the real CLI: exit code, and the planted cause.

One embedded AWS and one service for all; each case begins with version 1 in place.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.local.cli import Fsd
from tests.local.conftest import SPEED, commit

SERVICE = Path(__file__).parent / "table" / "service"
NAME = "planted-local"
DEPLOY = ("deploy", "--env", "local")
NO_DIGEST = "@sha256:" + "0" * 64


@pytest.fixture(scope="module")
def fsd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fsd]:
    folder = tmp_path_factory.mktemp("verdicts")
    shutil.copytree(SERVICE, folder / "planted")
    commit(folder / "planted", "first")
    client = Fsd(state=folder / "state", cwd=folder / "planted")
    client.ok("local", "up", "--runtime", "process", "--speed", SPEED)
    yield client
    client.ok("local", "down")


@pytest.fixture
def running(fsd: Fsd) -> str:
    """Version 1 serves; its revision."""
    fsd.ok(*DEPLOY)
    return revision(fsd)


def revision(fsd: Fsd) -> str:
    who = ("--service", "planted", "--env", "local")
    found: str = fsd.ok("status", *who, "--format", "json").json()["running"]["revision"]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    overrides: tuple[str, ...]
    cause: str  # its code, as `fsd explain` takes it
    says: str  # what was planted


FAILING = {
    "crash at once": Case(overrides=("environment.EXITS=3",), cause="crashed", says="exit code 3"),
    "crash at once, breaker at a count of 1": Case(
        overrides=("environment.EXITS=3", "deployment.circuitBreaker.threshold=1"),
        cause="crashed",
        says="exit code 3",
    ),
    "crash at once, desired count 4": Case(
        overrides=("environment.EXITS=3", "resources.desiredCount=4"),
        cause="crashed",
        says="exit code 3",
    ),
    "exits 0": Case(overrides=("environment.EXITS=0",), cause="exited-at-once", says="exit code 0"),
    "crash in the bake time": Case(
        overrides=("environment.EXITS=5", "environment.EXITS_AFTER=8", "deployment.bakeTime=600"),
        cause="crashed",
        says="exit code 5",
    ),
    "shell finds no program": Case(
        overrides=('entryPoint=["/bin/sh","-c","no-such-program"]',),
        cause="command-not-found",
        says="no-such-program",
    ),
    "entry point missing": Case(
        overrides=('entryPoint=["/no/such/program"]',),
        cause="command-not-found",
        says="/no/such/program",
    ),
    "path answers 500": Case(
        overrides=("environment.STATUS=500",), cause="health-check-failed", says="[500]"
    ),
    "path answers 404": Case(
        overrides=("environment.STATUS=404",), cause="health-check-failed", says="[404]"
    ),
    "path does not answer": Case(
        overrides=("environment.HANGS=1",), cause="health-check-failed", says="Request timed out"
    ),
    "connection refused": Case(
        overrides=("environment.STARTS_AFTER=never",),
        cause="health-check-failed",
        says="Health checks failed",
    ),
    "registry unreachable": Case(
        overrides=(f"image=127.0.0.1:1/planted{NO_DIGEST}",),
        cause="network-unreachable",
        says="127.0.0.1:1/planted",
    ),
    "no room": Case(
        overrides=(
            "environment.GREETING=hi",
            "deployment.minimumHealthyPercent=100",
            "deployment.maximumPercent=100",
        ),
        cause="no-room-to-deploy",
        says="minimumHealthyPercent",
    ),
}


def deploy(*overrides: str) -> tuple[str, ...]:
    return (*DEPLOY, *(part for one in overrides for part in ("--override", one)))


@pytest.mark.parametrize("name", FAILING)
def test_deploy__planted_fault__is_rolled_back_and_named(fsd: Fsd, running: str, name: str) -> None:
    case = FAILING[name]

    ended = fsd.run(*deploy(*case.overrides))

    assert ended.code == 6, ended.text
    assert f"error[{case.cause}]" in ended.err + ended.out
    assert case.says in ended.err + ended.out
    assert f"Rolled back: {running}" in ended.err + ended.out
    assert revision(fsd) == running


GOOD = {
    "slow start within the grace period": (
        "environment.STARTS_AFTER=3",
        "healthCheck.gracePeriod=600",
    ),
    "bake time": ("environment.GREETING=baked", "deployment.bakeTime=2"),
    "50 and 100 percent": (
        "environment.GREETING=halves",
        "deployment.minimumHealthyPercent=50",
        "deployment.maximumPercent=100",
    ),
    "desired count 0": ("resources.desiredCount=0",),
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.usefixtures("running")
def test_deploy__nothing_wrong__succeeds(fsd: Fsd, name: str) -> None:
    ended = fsd.run(*deploy(*GOOD[name]))

    assert ended.code == 0, ended.text


@pytest.fixture
def ecs(fsd: Fsd) -> Iterator[Any]:
    """Somebody else's client."""
    with fsd.client("ecs") as client:
        yield client


def test_deploy__superseded_by_somebody__exit_8_and_theirs_goes_on(
    fsd: Fsd, running: str, ecs: Any
) -> None:
    process = fsd.start(*deploy("environment.STARTS_AFTER=never", "healthCheck.gracePeriod=600"))
    with process:
        assert process.stderr is not None
        wait_for_rollout(process.stderr)
        ecs.update_service(cluster="local", service=NAME, taskDefinition=running)
        out, err = process.communicate(timeout=60)

    assert process.returncode == 8, out + err
    assert "superseded" in (out + err).lower()
    assert revision(fsd) == running


def test_deploy__rolled_back_by_somebody__exit_6_and_says_so(
    fsd: Fsd, running: str, ecs: Any
) -> None:
    process = fsd.start(*deploy("environment.STARTS_AFTER=never", "healthCheck.gracePeriod=600"))
    with process:
        assert process.stderr is not None
        wait_for_rollout(process.stderr)
        newest = ecs.list_service_deployments(cluster="local", service=NAME)["serviceDeployments"]
        ecs.stop_service_deployment(
            serviceDeploymentArn=newest[0]["serviceDeploymentArn"], stopType="ROLLBACK"
        )
        out, err = process.communicate(timeout=60)

    assert process.returncode == 6, out + err
    assert "a rollback was requested" in out + err
    assert revision(fsd) == running


def wait_for_rollout(lines: Iterator[str]) -> None:
    for line in lines:
        if "rollout" in line and "started" in line:
            return
    raise AssertionError("the rollout did not start")
