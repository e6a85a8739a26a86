from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import botocore.session
import pytest

from fsd.local.autoscaling import ApplicationAutoScaling

ACCOUNT, REGION = "000000000000", "us-east-1"
SERVICE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/dev/app-dev",
    "ScalableDimension": "ecs:service:DesiredCount",
}
POLICY = {
    "PolicyName": "cpu",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
        },
    },
}


@dataclass
class Service:
    desired: int


@dataclass
class Services:
    """An ECS with one service."""

    service: Service = field(default_factory=lambda: Service(1))

    def find_service(self, account: str, region: str, cluster: str, service: str) -> Service | None:
        known = (account, region, cluster, service) == (ACCOUNT, REGION, "dev", "app-dev")
        return self.service if known else None

    def set_desired_count(
        self, account: str, region: str, cluster: str, service: str, count: int
    ) -> None:
        found = self.find_service(account, region, cluster, service)
        assert found is not None
        found.desired = count


class Client:
    """Calls by keyword; raises what AWS would have raised."""

    def __init__(self) -> None:
        self.services = Services()
        self.scaling = ApplicationAutoScaling(self.services)

    def __call__(self, action: str, **parameters: Any) -> dict[str, Any]:
        status, body = self.scaling.handle(action, parameters, account=ACCOUNT, region=REGION)
        if status != 200:
            raise RefusedCall(body["__type"], body["message"])
        return body


class RefusedCall(Exception):
    pass


@pytest.fixture
def call() -> Client:
    return Client()


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "expected"),
    [(1, 2, 4, 2), (3, 2, 4, 3), (9, 2, 4, 4)],
)
def test_register__count_outside_the_range__is_brought_into_it(
    call: Client, desired: int, minimum: int, maximum: int, expected: int
) -> None:
    call.services.service.desired = desired
    call("RegisterScalableTarget", **SERVICE, MinCapacity=minimum, MaxCapacity=maximum)
    assert call.services.service.desired == expected


def test_register__count_was_changed__is_an_activity(call: Client) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=2, MaxCapacity=4)
    (activity,) = call("DescribeScalingActivities", **SERVICE)["ScalingActivities"]
    assert (activity["Description"], activity["Cause"]) == (
        "Setting desired count to 2.",
        "minimum capacity was set to 2",
    )


def test_register__again_with_one_bound__keeps_the_other_and_the_arn(call: Client) -> None:
    first = call("RegisterScalableTarget", **SERVICE, MinCapacity=2, MaxCapacity=4)
    second = call("RegisterScalableTarget", **SERVICE, MaxCapacity=6)
    (target,) = call("DescribeScalableTargets", ServiceNamespace="ecs")["ScalableTargets"]
    assert first == second
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"MinCapacity": 5}, "cannot be less"),
        ({"ResourceId": "service/dev/other"}, "ECS service doesn't exist: service/dev/other"),
        ({"ResourceId": "app-dev"}, "Unsupported"),
        ({"ServiceNamespace": "dynamodb"}, "only ecs"),
    ],
)
def test_register__what_cannot_be__is_a_validation_error(
    call: Client, change: dict[str, Any], message: str
) -> None:
    request = {**SERVICE, "MinCapacity": 1, "MaxCapacity": 4, **change}
    with pytest.raises(RefusedCall, match=f"ValidationException.*{message}"):
        call("RegisterScalableTarget", **request)


def test_register__without_bounds__is_a_validation_error(call: Client) -> None:
    with pytest.raises(RefusedCall, match="Both MinCapacity and MaxCapacity"):
        call("RegisterScalableTarget", **SERVICE)


def test_policies__put_twice__is_one_with_the_same_arn(call: Client) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=4)
    first = call("PutScalingPolicy", **SERVICE, **POLICY)
    changed = {**POLICY["TargetTrackingScalingPolicyConfiguration"], "TargetValue": 50.0}  # type: ignore[dict-item]
    second = call(
        "PutScalingPolicy",
        **SERVICE,
        **{**POLICY, "TargetTrackingScalingPolicyConfiguration": changed},
    )
    (policy,) = call("DescribeScalingPolicies", ServiceNamespace="ecs")["ScalingPolicies"]
    assert first["PolicyARN"] == second["PolicyARN"] == policy["PolicyARN"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50.0


def test_deregister__target__takes_its_policies_along(call: Client) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=4)
    call("PutScalingPolicy", **SERVICE, **POLICY)
    call("DeregisterScalableTarget", **SERVICE)
    assert call("DescribeScalingPolicies", ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert call.scaling.count() == 0


@pytest.mark.parametrize(
    ("action", "extra"),
    [
        ("DeregisterScalableTarget", {}),
        ("PutScalingPolicy", POLICY),
        ("DeleteScalingPolicy", {"PolicyName": "cpu"}),
    ],
)
def test_actions__nothing_registered__are_object_not_found(
    call: Client, action: str, extra: dict[str, Any]
) -> None:
    with pytest.raises(RefusedCall, match="ObjectNotFoundException"):
        call(action, **SERVICE, **extra)


def test_tags__put_and_removed__are_listed(call: Client) -> None:
    arn = call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=4, Tags={"a": "1"})[
        "ScalableTargetARN"
    ]
    call("TagResource", ResourceARN=arn, Tags={"b": "2"})
    call("UntagResource", ResourceARN=arn, TagKeys=["a"])
    assert call("ListTagsForResource", ResourceARN=arn) == {"Tags": {"b": "2"}}


def test_handle__another_account__sees_nothing(call: Client) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=4)
    _, body = call.scaling.handle(
        "DescribeScalableTargets", {"ServiceNamespace": "ecs"}, account="1" * 12, region=REGION
    )
    assert body == {"ScalableTargets": []}


def test_answers__every_member__is_in_the_service_model(call: Client) -> None:
    model = botocore.session.get_session().get_service_model("application-autoscaling")
    call("RegisterScalableTarget", **SERVICE, MinCapacity=2, MaxCapacity=4)
    answers = {
        "PutScalingPolicy": call("PutScalingPolicy", **SERVICE, **POLICY),
        "DescribeScalableTargets": call("DescribeScalableTargets", ServiceNamespace="ecs"),
        "DescribeScalingPolicies": call("DescribeScalingPolicies", ServiceNamespace="ecs"),
        "DescribeScalingActivities": call("DescribeScalingActivities", ServiceNamespace="ecs"),
    }
    for action, body in answers.items():
        assert unknown(body, model.operation_model(action).output_shape) == []


def unknown(value: Any, shape: Any, path: str = "") -> list[str]:
    """Where a value has a member that its shape does not know, or lacks one that it requires."""
    if shape.type_name == "list":
        return [
            e for i, item in enumerate(value) for e in unknown(item, shape.member, f"{path}[{i}]")
        ]
    if shape.type_name != "structure":
        return []
    problems = [f"{path}.{name} is missing" for name in shape.required_members if name not in value]
    for name, member in value.items():
        if name not in shape.members:
            problems.append(f"{path}.{name} is not in the model")
        else:
            problems += unknown(member, shape.members[name], f"{path}.{name}")
    return problems
