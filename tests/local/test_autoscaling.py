"""Target tracking by the real CLI: a metric that is put moves the count, and a deploy keeps it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.cli import Fsd
from tests.local.test_main_job import DEPLOY
from tests.waiting import eventually

SCALED = (
    "--override",
    "resources.minCapacity=1",
    "--override",
    "resources.maxCapacity=4",
    "--override",
    "autoScaling.targetCPUUtilization=70",
)


@pytest.fixture
def runtime() -> str:
    """What runs the tasks makes no difference to how many there should be."""
    return "process"


@pytest.fixture
def cloudwatch(fsd: Fsd) -> Iterator[Any]:
    with fsd.client("cloudwatch") as client:
        yield client


def put_cpu(cloudwatch: Any, percent: float, *, minutes: int) -> None:
    """The last minutes of the service's average CPU."""
    now = time.time()
    dimensions = [
        {"Name": "ClusterName", "Value": "local"},
        {"Name": "ServiceName", "Value": "hello-local"},
    ]
    cloudwatch.put_metric_data(
        Namespace="AWS/ECS",
        MetricData=[
            {
                "MetricName": "CPUUtilization",
                "Dimensions": dimensions,
                "Timestamp": now - 60 * minute,
                "Value": percent,
            }
            for minute in range(minutes)
        ],
    )


def desired(fsd: Fsd) -> int:
    (service,) = fsd.status()["services"]
    return int(service["desired"])


def test_deploy__count_set_by_auto_scaling__stays(fsd: Fsd, cloudwatch: Any) -> None:
    fsd.ok(*DEPLOY, "--version", "v1", *SCALED)
    assert desired(fsd) == 2

    put_cpu(cloudwatch, 100.0, minutes=3)
    eventually(lambda: desired(fsd) == 3, seconds=30)
    ended = fsd.ok(*DEPLOY, "--version", "v2", *SCALED, "--override", "environment.GREETING=hi")

    assert ended.json()["desiredCount"] == 3
    assert ended.json()["runningCount"] == 3
    assert desired(fsd) == 3
