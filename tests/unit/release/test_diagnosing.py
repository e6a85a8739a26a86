from __future__ import annotations

from fsd.release.diagnosing import read_diagnosis
from tests.fakes.aws import FakeAws
from tests.unit.release.test_operations import operation, with_history


def test_read_diagnosis__all_is_well__none() -> None:
    assert read_diagnosis(operation(with_history(41))) is None


def test_read_diagnosis__running_revision_crashes__its_cause_and_log() -> None:
    aws = with_history(41)
    aws.ecs.crash(41, times=1)
    aws.logs.say("out of file handles")

    diagnosis = read_diagnosis(operation(aws))

    assert diagnosis is not None
    assert diagnosis.cause.code == "crashed"
    assert diagnosis.log_lines == ("14:00:00 out of file handles",)


def test_read_diagnosis__newest_deployment_was_stopped__its_reason() -> None:
    aws: FakeAws = with_history(41)
    aws.ecs.take_over(42)
    aws.ecs.end_all("STOPPED")

    diagnosis = read_diagnosis(operation(aws))

    assert diagnosis is not None
    assert diagnosis.cause.code == "rollout-failed"
    assert diagnosis.cause.where == "web-dev:42"
