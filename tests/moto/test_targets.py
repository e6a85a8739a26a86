from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.stub import Stubber

from fsd.aws.targets import TargetHealthReader
from fsd.release.ports import PermissionDenied
from fsd.snapshot import TargetHealth
from tests.moto.conftest import TestClients

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/1"


@pytest.fixture
def targets(clients: TestClients) -> TargetHealthReader:
    return TargetHealthReader(clients=clients)


def test_health__healthy_and_unhealthy__reason_and_description(
    targets: TargetHealthReader, stub: Callable[[str], Stubber]
) -> None:
    stub("elbv2").add_response(
        "describe_target_health",
        {
            "TargetHealthDescriptions": [
                {"Target": {"Id": "10.0.0.1", "Port": 8000}, "TargetHealth": {"State": "healthy"}},
                {
                    "Target": {"Id": "10.0.0.2", "Port": 8000},
                    "TargetHealth": {
                        "State": "unhealthy",
                        "Reason": "Target.ResponseCodeMismatch",
                        "Description": "Health checks failed with these codes: [500]",
                    },
                },
            ]
        },
        {"TargetGroupArn": ARN},
    )

    assert list(targets.health(ARN)) == [
        TargetHealth(address="10.0.0.1", port=8000, state="healthy"),
        TargetHealth(
            address="10.0.0.2",
            port=8000,
            state="unhealthy",
            reason="Target.ResponseCodeMismatch",
            description="Health checks failed with these codes: [500]",
        ),
    ]


def test_health__no_targets__empty(
    targets: TargetHealthReader, stub: Callable[[str], Stubber]
) -> None:
    stub("elbv2").add_response("describe_target_health", {})

    assert list(targets.health(ARN)) == []


@pytest.mark.usefixtures("in_moto")
def test_health__group_is_gone__empty(targets: TargetHealthReader) -> None:
    assert list(targets.health(ARN)) == []


def test_health__denied__permission_denied(
    targets: TargetHealthReader, stub: Callable[[str], Stubber]
) -> None:
    stub("elbv2").add_client_error("describe_target_health", "AccessDenied", "no")

    with pytest.raises(PermissionDenied):
        targets.health(ARN)
