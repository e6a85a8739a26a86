"""Why a health check fails or a program ends, as `fsd deploy` says it, for services that do so.

All go side by side in one embedded AWS; `answers/service/app.py` is the service.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.local.cli import Fsd
from tests.local.conftest import SPEED, commit

SERVICE = Path(__file__).parent / "answers" / "service"
AT_ONCE = 3
UNBALANCED = ("networking.loadBalancer=null",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    fault: str
    code: str
    summary: str  # its end
    advice: str  # its beginning
    log: str = ""  # in one of the lines
    overrides: tuple[str, ...] = ()
    timeout: str = "10m"
    exit_code: int = 7


CASES = [
    Case(
        fault="host",
        code="health-check-failed",
        summary="tasks): status 400",
        advice="make the health path answer regardless of the Host header",
        log="Invalid HTTP_HOST header",
    ),
    Case(
        fault="redirect",
        code="health-check-failed",
        summary="tasks): status 301",
        advice="`/health` redirects: if only the slash at the end is missing, set "
        "`healthCheck.path` to `/health/`",
        log="running on http://0.0.0.0:8000",
    ),
    Case(
        fault="loopback",
        code="health-check-failed",
        summary="no HTTP answer from port 8000",
        advice="the log says that the service listens on 127.0.0.1:8000, where only its own "
        "container reaches it: bind 0.0.0.0",
        log="running on http://127.0.0.1:8000",
    ),
    Case(
        fault="port",
        code="health-check-failed",
        summary="no HTTP answer from port 8000",
        advice="the log says that the service listens on 0.0.0.0:8001, but the health check uses "
        "port 8000: set `service.port` (or `healthCheck.port`) to 8001, or make the service listen "
        "on 8000",
        log="running on http://0.0.0.0:8001",
    ),
    Case(
        fault="never",
        code="health-check-failed",
        summary="no HTTP answer from port 8000",
        advice="make the service answer HTTP on port 8000: it may listen on another port, bind "
        "127.0.0.1 instead of 0.0.0.0, or start more slowly than `healthCheck.gracePeriod` "
        "allows; its log names no port",
        log="loading the model",
    ),
    Case(
        fault="silence",
        code="health-check-failed",
        summary="no HTTP answer from port 8000",
        advice="make the service answer HTTP on port 8000: it may listen on another port, bind "
        "127.0.0.1 instead of 0.0.0.0, or start more slowly than `healthCheck.gracePeriod` "
        "allows; the task wrote no log lines",
    ),
    Case(
        fault="error",
        code="health-check-failed",
        summary="status 500, after RuntimeError: the model is not loaded",
        advice="make the health path answer 200",
        log="RuntimeError",
    ),
    Case(
        fault="import",
        code="crashed",
        summary="exit code 1): ModuleNotFoundError: No module named 'package_that_is_not_there'",
        advice="add the missing module to the image",
        log="Traceback",
    ),
    Case(
        fault="variable",
        code="crashed",
        summary="exit code 1): KeyError: 'DATABASE_URL'",
        advice="if `DATABASE_URL` is an environment variable, set it in `service.environment`",
        log="Traceback",
    ),
    Case(
        fault="silent-end",
        code="crashed",
        summary="exit code 3)",
        advice="run the image locally (`docker run`) to see why it exits",
    ),
    Case(
        fault="missing",
        code="container-health-check-failed",
        summary="the service answered 404",
        advice="set `healthCheck.path` to a path that the service serves",
        log='"GET /health HTTP/1.1" 404',
        overrides=UNBALANCED,
    ),
    Case(
        fault="port",
        code="container-health-check-failed",
        summary="tasks)",
        advice="the log says that the service listens on 0.0.0.0:8001, but the health check uses "
        "port 8000",
        log="running on http://0.0.0.0:8001",
        overrides=UNBALANCED,
    ),
    Case(  # within the grace period, so that no task ends
        fault="port",
        code="health-check-failed",
        summary="no HTTP answer from port 8000 yet",
        advice="the log says that the service listens on 0.0.0.0:8001, but the health check uses "
        "port 8000",
        log="running on http://0.0.0.0:8001",
        overrides=("healthCheck.gracePeriod=7000",),
        timeout="20s",
        exit_code=9,
    ),
]


def play(fsd: Fsd, number: int, case: Case) -> Any:
    """The first deployment of the service to an environment of its own."""
    faulty = (*case.overrides, f"environment.FAULT={case.fault}")
    options = [part for one in faulty for part in ("--override", one)]
    deploy = ("deploy", "--env", f"e{number}", "--format", "json", "--timeout", case.timeout)
    ended = fsd.run(*deploy, *options)
    assert ended.code == case.exit_code, ended.text
    return json.loads(ended.out)["diagnosis"]


@pytest.fixture(scope="module")
def diagnoses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Any]]:
    folder = tmp_path_factory.mktemp("answers")
    shutil.copytree(SERVICE, folder / "service")
    commit(folder / "service", "first")
    owner = Fsd(state=folder / "state", cwd=folder / "service")
    owner.ok("local", "up", "--runtime", "process", "--speed", SPEED)
    try:
        fsd = Fsd(state=owner.state, cwd=owner.cwd, extra=owner.aws_environment())
        fsd.ok("deploy", "--env", "sound")  # builds the image, once for all
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield list(pool.map(lambda pair: play(fsd, *pair), enumerate(CASES, 1)))
    finally:
        owner.ok("local", "down")


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=[f"{c.fault}-{c.exit_code}" for c in CASES]
)
def test_deploy__service_with_a_fault__its_cause_and_what_to_do(
    diagnoses: list[Any], number: int
) -> None:
    case, diagnosis = CASES[number], diagnoses[number]
    cause = diagnosis["causes"][0]

    assert cause["code"] == case.code
    assert cause["summary"].endswith(case.summary)
    assert cause["advice"].startswith(case.advice)
    assert any(case.log in line for line in diagnosis["logLines"]) is bool(diagnosis["logLines"])
    assert bool(diagnosis["logLines"]) is bool(case.log)
