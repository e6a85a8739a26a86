from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from fsd.aws.scaling import ApplicationAutoScaling
from fsd.compile.desired import Scaling
from fsd.errors import CallFailedError
from fsd.release.ports import PermissionDenied, ScalingState
from tests.fakes.clock import FakeClock
from tests.moto.conftest import TestClients

RESOURCE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/demo/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
SCALING = Scaling(
    minimum=2, maximum=10, cpu=70, memory=80, scale_in_cooldown=300, scale_out_cooldown=60
)
METRICS = {"cpu": "ECSServiceAverageCPUUtilization", "memory": "ECSServiceAverageMemoryUtilization"}
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def scaling(clients: TestClients) -> ApplicationAutoScaling:
    return ApplicationAutoScaling(clients=clients, clock=FakeClock())


@pytest.fixture
def aws(stub: Callable[[str], Stubber]) -> Stubber:
    return stub("application-autoscaling")


def tracking(metric: str, percent: float) -> dict[str, Any]:
    return {
        "TargetValue": percent,
        "PredefinedMetricSpecification": {"PredefinedMetricType": METRICS[metric]},
        "ScaleInCooldown": 300,
        "ScaleOutCooldown": 60,
    }


def says_target(aws: Stubber, minimum: int = 2, maximum: int = 10) -> None:
    target = {**RESOURCE, "MinCapacity": minimum, "MaxCapacity": maximum}
    target |= {"RoleARN": "arn", "CreationTime": NOW}
    aws.add_response(
        "describe_scalable_targets",
        {"ScalableTargets": [target]},
        {
            "ServiceNamespace": "ecs",
            "ResourceIds": ["service/demo/web"],
            "ScalableDimension": "ecs:service:DesiredCount",
        },
    )


def says_policies(aws: Stubber, **percents: float) -> None:
    aws.add_response(
        "describe_scaling_policies",
        {"ScalingPolicies": [policy(f"web-{m}", tracking(m, p)) for m, p in percents.items()]},
        RESOURCE,
    )


def policy(name: str, configuration: dict[str, Any]) -> dict[str, Any]:
    return {
        **RESOURCE,
        "PolicyARN": f"arn:{name}",
        "PolicyName": name,
        "PolicyType": "TargetTrackingScaling",
        "CreationTime": NOW,
        "TargetTrackingScalingPolicyConfiguration": configuration,
    }


def expect_register(aws: Stubber, minimum: int = 2, maximum: int = 10) -> None:
    aws.add_response(
        "register_scalable_target",
        {},
        {**RESOURCE, "MinCapacity": minimum, "MaxCapacity": maximum},
    )


def expect_policy(aws: Stubber, metric: str, percent: float) -> None:
    aws.add_response(
        "put_scaling_policy",
        {"PolicyARN": "arn"},
        {
            **RESOURCE,
            "PolicyName": f"web-{metric}",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": tracking(metric, percent),
        },
    )


def test_find__target_and_policies__as_one_value(
    scaling: ApplicationAutoScaling, aws: Stubber
) -> None:
    says_target(aws)
    says_policies(aws, cpu=70.0, memory=80.0)

    assert scaling.find("demo", "web") == ScalingState(
        scaling=SCALING, policy_names=("web-cpu", "web-memory")
    )


def test_find__policy_of_somebody_else__not_ours(
    scaling: ApplicationAutoScaling, aws: Stubber
) -> None:
    says_target(aws)
    aws.add_response(
        "describe_scaling_policies", {"ScalingPolicies": [policy("other", tracking("cpu", 50))]}
    )

    found = scaling.find("demo", "web")

    assert found is not None
    assert (found.policy_names, found.scaling.cpu) == ((), None)


def test_find__no_target__none(scaling: ApplicationAutoScaling, aws: Stubber) -> None:
    aws.add_response("describe_scalable_targets", {"ScalableTargets": []})

    assert scaling.find("demo", "web") is None


def test_apply__nothing_yet__target_and_both_policies(
    scaling: ApplicationAutoScaling, aws: Stubber
) -> None:
    aws.add_response("describe_scalable_targets", {"ScalableTargets": []})
    expect_register(aws)
    expect_policy(aws, "cpu", 70.0)
    expect_policy(aws, "memory", 80.0)

    scaling.apply("demo", "web", SCALING)


def test_apply__unchanged__no_write(scaling: ApplicationAutoScaling, aws: Stubber) -> None:
    says_target(aws)
    says_policies(aws, cpu=70.0, memory=80.0)

    scaling.apply("demo", "web", SCALING)


def test_apply__one_policy_differs__only_that_is_put(
    scaling: ApplicationAutoScaling, aws: Stubber
) -> None:
    says_target(aws)
    says_policies(aws, cpu=50.0, memory=80.0)
    expect_policy(aws, "cpu", 70.0)

    scaling.apply("demo", "web", SCALING)


def test_apply__limits_differ__registered_again(
    scaling: ApplicationAutoScaling, aws: Stubber
) -> None:
    says_target(aws, minimum=1)
    expect_register(aws)
    says_policies(aws, cpu=70.0, memory=80.0)

    scaling.apply("demo", "web", SCALING)


def test_apply__memory_no_longer_wanted__its_policy_goes(
    scaling: ApplicationAutoScaling, aws: Stubber
) -> None:
    says_target(aws)
    says_policies(aws, cpu=70.0, memory=80.0)
    aws.add_response("delete_scaling_policy", {}, {**RESOURCE, "PolicyName": "web-memory"})

    scaling.apply("demo", "web", replace(SCALING, memory=None))


def test_apply__policy_gone_meanwhile__fine(scaling: ApplicationAutoScaling, aws: Stubber) -> None:
    says_target(aws)
    says_policies(aws, cpu=70.0, memory=80.0)
    aws.add_client_error("delete_scaling_policy", "ObjectNotFoundException", "No scaling policy")

    scaling.apply("demo", "web", replace(SCALING, memory=None))


def test_apply__refused__awss_sentence(scaling: ApplicationAutoScaling, aws: Stubber) -> None:
    aws.add_response("describe_scalable_targets", {"ScalableTargets": []})
    aws.add_client_error(
        "register_scalable_target", "ValidationException", "ECS service doesn't exist"
    )

    with pytest.raises(CallFailedError) as caught:
        scaling.apply("demo", "web", SCALING)

    assert caught.value.what == "ValidationException: ECS service doesn't exist"
    assert caught.value.where == "RegisterScalableTarget demo/web"


def test_remove__there__true(scaling: ApplicationAutoScaling, aws: Stubber) -> None:
    aws.add_response("deregister_scalable_target", {}, RESOURCE)

    assert scaling.remove("demo", "web") is True


def test_remove__absent__false(scaling: ApplicationAutoScaling, aws: Stubber) -> None:
    aws.add_client_error("deregister_scalable_target", "ObjectNotFoundException", "No target")

    assert scaling.remove("demo", "web") is False


def test_find__policies_of_others_too__named_apart(
    scaling: ApplicationAutoScaling, aws: Stubber
) -> None:
    says_target(aws)
    policies = [policy(name, tracking("cpu", 59.6)) for name in ("web-cpu", "theirs")]
    aws.add_response("describe_scaling_policies", {"ScalingPolicies": policies})

    found = scaling.find("demo", "web")

    assert found is not None
    assert (found.policy_names, found.other_names) == (("web-cpu",), ("theirs",))
    assert found.scaling.cpu == 59.6


def test_scheduled_actions__their_names(scaling: ApplicationAutoScaling, aws: Stubber) -> None:
    action = {
        **RESOURCE,
        "ScheduledActionName": "night",
        "ScheduledActionARN": "arn:night",
        "Schedule": "cron(0 22 * * ? *)",
        "CreationTime": NOW,
    }
    aws.add_response("describe_scheduled_actions", {"ScheduledActions": [action]}, RESOURCE)

    assert scaling.scheduled_actions("demo", "web") == ["night"]


def test_scheduled_actions__denied__not_taken_for_none(
    scaling: ApplicationAutoScaling, aws: Stubber
) -> None:
    aws.add_client_error("describe_scheduled_actions", "AccessDeniedException", "no")

    with pytest.raises(PermissionDenied, match="DescribeScheduledActions"):
        scaling.scheduled_actions("demo", "web")


def test_end_policies__target_stays(scaling: ApplicationAutoScaling, aws: Stubber) -> None:
    policies = [policy("web-cpu", tracking("cpu", 50)), policy("web-memory", tracking("memory", 5))]
    aws.add_response("describe_scaling_policies", {"ScalingPolicies": policies})
    aws.add_response("delete_scaling_policy", {}, {**RESOURCE, "PolicyName": "web-cpu"})
    aws.add_client_error("delete_scaling_policy", "ObjectNotFoundException", "No scaling policy")

    scaling.end_policies("demo", "web")
