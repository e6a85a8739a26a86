from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from fsd.aws.stacks import CloudFormationStacks
from fsd.errors import CallFailedError
from fsd.release.ports import Deviation, Drifted, StackDrift
from tests.fakes.aws import FakeClock
from tests.moto.conftest import TestClients

NAME = "fsd-web-dev"
ID = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{NAME}/1"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def cfn(stub: Callable[[str], Stubber]) -> Stubber:
    stubber = stub("cloudformation")
    started = {"StackDriftDetectionId": "d1"}
    stubber.add_response("detect_stack_drift", started, {"StackName": NAME})
    return stubber


@pytest.fixture
def stacks(clients: TestClients) -> CloudFormationStacks:
    return CloudFormationStacks(
        clients=clients, clock=FakeClock(), poll=timedelta(seconds=2), role_arn=None
    )


def says_status(cfn: Stubber, status: str, reason: str = "") -> None:
    answer: dict[str, Any] = {"StackId": ID, "StackDriftDetectionId": "d1", "Timestamp": NOW}
    answer |= {"DetectionStatus": status, "DetectionStatusReason": reason}
    asked = {"StackDriftDetectionId": "d1"}
    cfn.add_response("describe_stack_drift_detection_status", answer, asked)


def says_resources(
    cfn: Stubber, *resources: tuple[str, str], token: str = "", next: str = ""
) -> None:
    answer: dict[str, Any] = {
        "StackResourceDrifts": [
            {
                "StackId": ID,
                "LogicalResourceId": name,
                "ResourceType": "AWS::Logs::LogGroup",
                "StackResourceDriftStatus": status,
                "PropertyDifferences": [_difference()] if status == "MODIFIED" else [],
                "Timestamp": NOW,
            }
            for name, status in resources
        ]
    }
    if next:
        answer["NextToken"] = next
    asked = {"StackName": NAME, **({"NextToken": token} if token else {})}
    cfn.add_response("describe_stack_resource_drifts", answer, asked)


def _difference() -> dict[str, str]:
    return {
        "PropertyPath": "/RetentionInDays",
        "ExpectedValue": "30",
        "ActualValue": "3653",
        "DifferenceType": "NOT_EQUAL",
    }


def test_drift__waits_and_reads_every_page(cfn: Stubber, stacks: CloudFormationStacks) -> None:
    says_status(cfn, "DETECTION_IN_PROGRESS")
    says_status(cfn, "DETECTION_COMPLETE")
    says_resources(cfn, ("Logs", "MODIFIED"), ("Role", "IN_SYNC"), next="more")
    says_resources(cfn, ("Group", "DELETED"), ("Records", "UNKNOWN"), token="more")

    difference = Deviation(path="/RetentionInDays", expected="30", actual="3653")
    assert stacks.drift(NAME) == StackDrift(
        drifted=(
            Drifted(resource="Group", type="AWS::Logs::LogGroup", is_gone=True),
            Drifted(
                resource="Logs",
                type="AWS::Logs::LogGroup",
                is_gone=False,
                differences=(difference,),
            ),
        ),
        unchecked=("Records",),
    )


def test_drift__one_resource_may_not_be_read__the_others_and_the_reason(
    cfn: Stubber, stacks: CloudFormationStacks
) -> None:
    says_status(cfn, "DETECTION_FAILED", "Failed to detect drift on resource [Role]")
    says_resources(cfn, ("Logs", "DELETED"))

    found = stacks.drift(NAME)

    assert [one.resource for one in found.drifted] == ["Logs"]
    assert found.reason == "Failed to detect drift on resource [Role]"
    assert not found.is_complete


def test_drift__the_rest_is_as_it_should_be__still_not_complete(
    cfn: Stubber, stacks: CloudFormationStacks
) -> None:
    says_status(cfn, "DETECTION_FAILED", "Failed to detect drift on resource [HttpsRule]")
    says_resources(cfn, ("Logs", "IN_SYNC"))

    assert stacks.drift(NAME) == StackDrift(
        is_complete=False, reason="Failed to detect drift on resource [HttpsRule]"
    )


def test_drift__nothing_could_be_compared__an_error(
    cfn: Stubber, stacks: CloudFormationStacks
) -> None:
    says_status(cfn, "DETECTION_FAILED", "access denied")
    says_resources(cfn)

    with pytest.raises(CallFailedError, match="could not compare the stack: access denied"):
        stacks.drift(NAME)
