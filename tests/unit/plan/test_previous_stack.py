from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fsd.compile.desired import Json
from fsd.plan.previous_stack import PreviousStack, split_previous, still_needed, with_previous
from fsd.snapshot import DeploymentStatus, ServiceDeployment

NOW: Json = {"Resources": {"Logs": {"Type": "new"}}}
BEFORE: Json = {"Resources": {"Logs": {"Type": {"Fn::Sub": "old"}}}}
MEMORY = PreviousStack(template=BEFORE, deployment_arn="deployment/1")


def deployment(number: int, status: str = "SUCCESSFUL") -> ServiceDeployment:
    return ServiceDeployment(
        arn=f"deployment/{number}",
        status=DeploymentStatus(status),
        task_definition_arn="web:1",
        created_at=datetime(2026, 11, 28, tzinfo=UTC) + timedelta(minutes=number),
        requested=2,
    )


def test_split_memory__of_what_remembers__both_parts_again() -> None:
    assert split_previous(with_previous(NOW, MEMORY)) == (NOW, MEMORY)
    assert split_previous(with_previous(NOW, None)) == (NOW, None)


def test_remember__template_with_functions__cloudformation_sees_only_a_text() -> None:
    kept = with_previous(NOW, MEMORY)["Metadata"]

    assert kept == {
        "fsd:before": {
            "deployment": "deployment/1",
            "template": '{"Resources": {"Logs": {"Type": {"Fn::Sub": "old"}}}}',
        }
    }


@pytest.mark.parametrize(
    "metadata",
    [
        "text",
        {"AWS::CloudFormation::Interface": {}},
        {"fsd:before": "text"},
        {"fsd:before": {}},
        {"fsd:before": {"deployment": "d", "template": "{"}},
        {"fsd:before": {"deployment": "d", "template": "[]"}},
    ],
    ids=str,
)
def test_split_memory__metadata_of_somebody_else__nothing_remembered(metadata: Json) -> None:
    assert split_previous({**NOW, "Metadata": metadata}) == (NOW, None)


@pytest.mark.parametrize(
    ("deployments", "expected"),
    [
        pytest.param([deployment(1)], MEMORY, id="nothing since"),
        pytest.param([deployment(2, "ROLLBACK_SUCCESSFUL"), deployment(1)], MEMORY, id="failed"),
        pytest.param([deployment(2, "IN_PROGRESS"), deployment(1)], MEMORY, id="in flight"),
        pytest.param([deployment(2), deployment(1)], None, id="succeeded since"),
        pytest.param([deployment(1, "STOPPED"), deployment(0)], MEMORY, id="succeeded before"),
        pytest.param([deployment(3, "STOPPED"), deployment(2)], None, id="forgotten by ECS"),
        pytest.param([], None, id="no deployment"),
    ],
)
def test_still_needed__deployments_since__until_one_succeeds(
    deployments: list[ServiceDeployment], expected: PreviousStack | None
) -> None:
    assert still_needed(MEMORY, deployments) == expected
    assert still_needed(None, deployments) is None
