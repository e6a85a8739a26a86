"""No success that nothing proves, by the real CLI against the embedded AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local.cli import Fsd
from tests.local.conftest import commit

pytestmark = pytest.mark.parametrize("runtime", ["process"], indirect=True)

DEPLOY = ("deploy", "--env", "local", "--format", "json")
CRASH = ("--override", "environment.HELLO_CRASH=1")
COUNT_0 = ("--override", "resources.desiredCount=0")
SCALED = (
    "--override",
    "autoScaling.targetCPUUtilization=60",
    "--override",
    "resources.maxCapacity=4",
)
SERVICE = ("--service", "hello", "--env", "local")


def test_deploy__first_one_fails_on_a_scaled_service__the_next_is_judged_again(fsd: Fsd) -> None:
    first = fsd.run(*DEPLOY, "--version", "v1", *SCALED, *CRASH)
    again = fsd.run(
        *DEPLOY, "--version", "v2", *SCALED, *CRASH, "--override", "environment.GREETING=hi"
    )
    good = fsd.run(*DEPLOY, "--version", "v3", *SCALED)

    assert first.code == again.code == 7, first.text + again.text
    assert again.json()["diagnosis"]["causes"][0]["code"] == "crashed"
    assert good.code == 0, good.text
    assert (good.json()["outcome"], good.json()["desiredCount"]) == ("succeeded", 2)


def test_deploy__count_0__not_started_until_something_judges_it(fsd: Fsd) -> None:
    deployed = fsd.run(*DEPLOY, "--version", "v1", *COUNT_0)
    history = fsd.ok("history", *SERVICE, "--format", "json").json()
    text = fsd.ok("deploy", "--env", "local", "--version", "v2", *COUNT_0, *CRASH).out
    crashed = fsd.run("scale", *SERVICE, "--count", "2", "--format", "json")
    fixed = fsd.run(*DEPLOY, "--version", "v3")

    assert (deployed.code, deployed.json()["outcome"]) == (0, "deployed-not-started")
    assert [release["outcome"] for release in history] == ["not started"]
    started = "Deployed but not started (the deployment of hello v2 to local)"
    assert text.startswith(f"{started}: the desired count is 0")
    assert crashed.code == 7, crashed.text
    assert crashed.json()["diagnosis"]["causes"][0]["code"] == "crashed"
    assert fixed.code == 0, fixed.text
    assert fixed.json()["outcome"] == "succeeded"


# --- workers -----------------------------------------------------------------------------------

WORKER = """\
apiVersion: fsd/v1
kind: Service
metadata: {name: hello, pack: jobs, owners: ["@org/jobs"]}
service:
  type: ecs
  resources: {cpu: 256, memory: 512, desiredCount: 2}
  environment: {VERSION: "${VERSION}"}
  observability: {logs: {retention: 30}}
"""
PROGRAM = """\
import os, pathlib, signal, sys, time

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
alive = pathlib.Path(os.environ.get("ALIVE", "/tmp/fsd-never"))
print("polling", flush=True)
time.sleep(float(os.environ.get("AFTER", "3600")))
print("KeyError: 'QUEUE_URL'", flush=True)
sys.exit(int(os.environ.get("CODE", "1")))
"""


@pytest.fixture
def worker(hello: Path) -> Path:
    """The folder of a service without a port, which ends AFTER seconds with CODE."""
    (hello / "service.yml").write_text(WORKER)
    (hello / "app.py").write_text(PROGRAM)
    commit(hello, "a worker")
    return hello


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("code", ["1", "0"])
def test_deploy__worker_ends_after_the_rollout__failed_and_rolled_back(fsd: Fsd, code: str) -> None:
    """Also with code 0: a service whose tasks end is started anew, for ever."""
    ending = ("--override", "environment.AFTER=4", "--override", f"environment.CODE={code}")
    window = ("--override", "deployment.steadyFor=400")  # 10 s at the speed of these tests
    good = fsd.run(*DEPLOY, "--version", "v1")
    bad = fsd.run(*DEPLOY, "--version", "v2", *ending, *window)
    history = fsd.ok("history", *SERVICE, "--format", "json").json()

    assert (good.code, good.json()["outcome"]) == (0, "succeeded"), good.text
    assert bad.code == 6, bad.text
    assert "KeyError: 'QUEUE_URL'" in bad.json()["diagnosis"]["logLines"][-1]
    assert bad.json()["running"]["version"] == "v1"
    assert [r["outcome"] for r in history if r["version"] == "v2"] == ["failed"]


@pytest.mark.usefixtures("worker")
def test_deploy__worker_with_a_command__ecs_judges_it(fsd: Fsd, tmp_path: Path) -> None:
    quick = ("--override", "healthCheck.interval=10", "--override", "healthCheck.gracePeriod=0")
    alive = tmp_path / "alive"
    alive.touch()
    good = fsd.run(*DEPLOY, "--override", f"healthCheck.command=test -e {alive}", *quick)
    bad = fsd.run(*DEPLOY, "--override", f"healthCheck.command=test -e {tmp_path}/no", *quick)

    assert good.code == 0, good.text
    assert bad.code == 6, bad.text
    assert bad.json()["diagnosis"]["causes"][0]["code"] == "container-health-check-failed"
    assert "steadyFor" not in good.err + bad.err


# --- time --------------------------------------------------------------------------------------


def test_deploy__drain_longer_than_the_timeout__said_before_and_what_is_true_after(
    fsd: Fsd,
) -> None:
    drain = ("--override", "deployment.deregistrationDelay=3600")  # 90 s at this speed
    fsd.ok(*DEPLOY, "--version", "v1", *drain)
    late = fsd.run(*DEPLOY, "--version", "v2", *drain, "--timeout", "20s")

    assert late.code == 9, late.text
    result = late.json()
    assert "deregistrationDelay: 3600 s on AWS, 40 times as fast here" in " ".join(result["notes"])
    assert late.err.index("--timeout is 20s") < late.err.index("· rollout")
    message = result["message"]
    assert (
        "2 of 2 new tasks are healthy and serving; connections to the old ones drain until"
        in message
    )
    assert "draining old connections took" in message
    assert "circuit breaker" not in message


def test_deploy__early_success__does_not_wait_for_the_drain(fsd: Fsd) -> None:
    drain = ("--override", "deployment.deregistrationDelay=3600")
    early = ("--override", "deployment.earlySuccess.healthyPercent=100")
    fsd.ok(*DEPLOY, "--version", "v1", *drain, *early)
    second = fsd.run(*DEPLOY, "--version", "v2", *drain, *early, "--timeout", "40s")

    assert second.code == 0, second.text
    assert second.json()["outcome"] == "succeeded"
    assert second.json()["healthyCount"] == 2
