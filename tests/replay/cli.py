"""The real `fsd` against a replayed answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.local.cli import Ended, Fsd
from tests.replay.server import replaying

HERE = Path(__file__).parent
CLUSTER = "main"
CASES = sorted(path.stem for path in (HERE / "answers").glob("*.json"))


def read_case(name: str) -> Any:
    """Its answers, by operation."""
    return json.loads((HERE / "answers" / f"{name}.json").read_text())["answers"]


def service_of(answers: Any) -> str:
    return str(answers["DescribeServices"]["services"][0]["serviceName"])


def named(service: str) -> tuple[str, ...]:
    """How an operator names it: FSD's own by environment, any other by its cluster."""
    name, _, environment = service.rpartition("-")
    if environment == "dev":
        return ("--service", name, "--env", environment)
    return ("--service", service, "--cluster", CLUSTER)


def environment_of(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }


def run(tmp_path: Path, command: str, answers: Any, *more: str) -> Ended:
    with replaying(answers) as replay:
        fsd = Fsd(state=tmp_path, cwd=tmp_path, extra=environment_of(replay.endpoint))
        return fsd.run(command, *named(service_of(answers)), *more)
