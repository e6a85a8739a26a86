"""Deployment alarms, by the real CLI: in the bake time, at the start, and quiet ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.cli import Fsd
from tests.local.conftest import SPEED, commit
from tests.local.test_main_job import DEPLOY, get, load_balancer_url

ALARM = "hello-5xx"
WATCHED = ("--override", f"deployment.alarms=[{ALARM}]", "--override", "environment.GREETING=hi")
BAKE = (*WATCHED, "--override", "deployment.bakeTime=2")  # 3 s at the speed of the tests
LONG_BAKE = (*WATCHED, "--override", "deployment.bakeTime=60")


@pytest.fixture
def runtime() -> str:
    """What runs the tasks makes no difference to what CloudWatch says."""
    return "process"


@pytest.fixture
def cloudwatch(fsd: Fsd) -> Iterator[Any]:
    with fsd.client("cloudwatch") as client:
        client.put_metric_alarm(
            AlarmName=ALARM,
            Namespace="Hello",
            MetricName="Errors",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=5.0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )
        yield client


def put(cloudwatch: Any, errors: float) -> None:
    cloudwatch.put_metric_data(
        Namespace="Hello", MetricData=[{"MetricName": "Errors", "Value": errors}]
    )


def state_of(fsd: Fsd) -> dict[str, Any]:
    """The newest service deployment, as ECS describes it."""
    with fsd.client("ecs") as ecs:
        listed = ecs.list_service_deployments(cluster="local", service="hello-local")
        arn = listed["serviceDeployments"][0]["serviceDeploymentArn"]
        described = ecs.describe_service_deployments(serviceDeploymentArns=[arn])
    found: dict[str, Any] = described["serviceDeployments"][0]
    return found


def test_deploy__alarm_goes_off_in_the_bake_time__exit_6_and_the_old_revision_serves(
    fsd: Fsd, hello: Path, cloudwatch: Any
) -> None:
    fsd.ok(*DEPLOY, "--version", "v1")
    commit(hello, "second")
    process = fsd.start(*DEPLOY, "--version", "v2", *LONG_BAKE)
    with process:
        for line in process.stderr or ():
            if "2 of 2 healthy" in line:  # all are in place: it bakes
                put(cloudwatch, errors=9.0)
                break
        out, _ = process.communicate(timeout=60)

    result = json.loads(out)
    assert process.returncode == 6, out
    assert result["outcome"] == "rolled-back"
    assert result["running"]["version"] == "v1"
    (cause,) = result["diagnosis"]["causes"]
    assert cause["code"] == "alarm-triggered"
    assert cause["summary"] == f"CloudWatch alarm {ALARM} went off"
    assert [e["source"] for e in cause["evidence"]] == ["ECS", f"alarm {ALARM}"]
    assert get(load_balancer_url(fsd))["service"] == "hello"
    found = state_of(fsd)
    assert found["status"] == "ROLLBACK_SUCCESSFUL"
    assert found["alarms"]["triggeredAlarmNames"] == [ALARM]


def test_deploy__alarm_in_alarm_already__warns_and_succeeds(fsd: Fsd, cloudwatch: Any) -> None:
    fsd.ok(*DEPLOY, "--version", "v1")
    put(cloudwatch, errors=9.0)

    ended = fsd.ok(*DEPLOY, "--version", "v2", *BAKE)

    (note,) = ended.json()["notes"]
    assert note.startswith(f"CloudWatch alarm {ALARM} is already in ALARM: ECS ignores all alarms")
    assert note in ended.err
    assert ended.json()["running"]["version"] == "v2"


def test_deploy__alarm_stays_quiet__succeeds_after_the_bake_time(fsd: Fsd, cloudwatch: Any) -> None:
    put(cloudwatch, errors=1.0)
    fsd.ok(*DEPLOY, "--version", "v1", *BAKE)

    found = state_of(fsd)
    took = (found["finishedAt"] - found["startedAt"]).total_seconds()
    assert found["status"] == "SUCCESSFUL"
    assert found["alarms"]["status"] == "MONITORING_COMPLETE"
    assert took >= 2 * 60 / int(SPEED)
