from __future__ import annotations

import pytest

from fsd.compile.compile import compile_service
from fsd.compile.desired import Desired, DesiredService, Json, Target
from fsd.compile.service import (
    compile_desired_service,
    create_parameters,
    ended_settings,
    update_parameters,
)
from fsd.errors import CallFailedError
from fsd.manifest.models import Manifest
from tests.builders import make_image, make_manifest, make_release, make_target
from tests.unit.compile.manifests import (
    MANIFESTS,
    api,
    every_feature,
    without_load_balancer,
    worker,
)
from tests.unit.compile.shapes import assert_valid_input

REVISION = "arn:aws:ecs:us-east-1:123456789012:task-definition/offer-api-dev:42"
TARGET_GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/fsd-o/6d0e"
OUTPUTS = {"TaskSecurityGroupId": "sg-1", "TargetGroupArn": TARGET_GROUP}


def compiled(manifest: Manifest, target: Target | None = None) -> Desired:
    image = make_image(manifest.metadata.name)
    return compile_service(
        manifest, target=target or make_target(), image=image, release=make_release()
    )


def test_compile_desired_service__every_feature__is_the_whole_service() -> None:
    assert compile_desired_service(every_feature(), target=make_target()) == DesiredService(
        name="category-service-dev",
        cluster="dev",
        desired_count=2,
        subnets=("subnet-0a0a0a0a", "subnet-0b0b0b0b"),
        assign_public_ip=False,
        container="category-service",
        port=8000,
        has_load_balancer=True,
        grace_period=45,
        deployment_configuration={
            "strategy": "ROLLING",
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {
                "enable": True,
                "rollback": True,
                "thresholdConfiguration": {"type": "COUNT", "value": 2},
            },
            "alarms": {"alarmNames": ["errors", "latency"], "enable": True, "rollback": True},
            "bakeTimeInMinutes": 5,
        },
        tags={
            "fsd:service": "category-service",
            "fsd:environment": "dev",
            "fsd:pack": "consumer-agent",
            "fsd:owners": "@anna @org/consumer",
        },
    )


def test_compile_desired_service__early_success__all_that_ecs_asks_for() -> None:
    manifest = make_manifest(deployment={"earlySuccess": {}})

    service = compile_desired_service(manifest, target=make_target())

    assert service.deployment_configuration["earlySuccessCriteria"] == {
        "enable": True,
        "healthyPercent": 100,
        "sourceServiceRevisionCleanup": "DEFERRED",
    }
    assert ended_settings(service.deployment_configuration, {}) == {
        "earlySuccessCriteria": {"enable": False}
    }


def test_compile_desired_service__worker__has_no_check_and_no_grace() -> None:
    service = compile_desired_service(worker(), target=make_target())

    assert (service.grace_period, service.has_load_balancer, service.port) == (None, False, None)
    assert service.assign_public_ip


def test_compile_desired_service__only_a_container_check__has_no_grace_period() -> None:
    """ECS: "Health check grace period is only valid for services configured to use load
    balancers"."""
    service = compile_desired_service(without_load_balancer(), target=make_target())

    assert (service.grace_period, service.has_load_balancer) == (None, False)


def test_create_parameters__api__is_the_whole_input() -> None:
    parameters = create_parameters(
        compiled(api()), outputs=OUTPUTS, task_definition_arn=REVISION, client_token="t" * 32
    )

    assert parameters == {
        "cluster": "dev",
        "serviceName": "offer-api-dev",
        "taskDefinition": REVISION,
        "desiredCount": 2,
        "launchType": "FARGATE",
        "schedulingStrategy": "REPLICA",
        "deploymentConfiguration": {
            "strategy": "ROLLING",
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
        "healthCheckGracePeriodSeconds": 60,
        "loadBalancers": [
            {
                "targetGroupArn": TARGET_GROUP,
                "containerName": "offer-api",
                "containerPort": 8000,
            }
        ],
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-0a0a0a0a", "subnet-0b0b0b0b"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": "DISABLED",
            }
        },
        "enableExecuteCommand": False,
        "propagateTags": "SERVICE",
        "enableECSManagedTags": True,
        "clientToken": "t" * 32,
        "tags": [
            {"key": "fsd:environment", "value": "dev"},
            {"key": "fsd:pack", "value": "pack-digdog"},
            {"key": "fsd:service", "value": "offer-api"},
        ],
    }


def test_update_parameters__no_count_and_what_is_gone_ends() -> None:
    """UpdateService keeps load balancers and alarms that are not mentioned."""
    parameters = update_parameters(
        compiled(without_load_balancer()),
        outputs=OUTPUTS,
        task_definition_arn=REVISION,
        ends={"bakeTimeInMinutes": 0},
    )

    assert parameters == {
        "cluster": "dev",
        "service": "data-processor-dev",
        "taskDefinition": REVISION,
        "deploymentConfiguration": {
            "strategy": "ROLLING",
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "bakeTimeInMinutes": 0,
        },
        "loadBalancers": [],
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-0a0a0a0a", "subnet-0b0b0b0b"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": "DISABLED",
            }
        },
        "enableExecuteCommand": False,
        "propagateTags": "SERVICE",
        "enableECSManagedTags": True,
    }


def test_ended_settings__alarms_and_bake_time_gone_from_the_manifest__are_switched_off() -> None:
    alarms: Json = {"alarmNames": ["errors"], "enable": True, "rollback": True}
    current: Json = {"strategy": "ROLLING", "alarms": alarms, "bakeTimeInMinutes": 5}

    assert ended_settings(current, {"strategy": "ROLLING"}) == {
        "alarms": {"alarmNames": [], "enable": False, "rollback": False},
        "bakeTimeInMinutes": 0,
    }
    assert ended_settings(current, {"alarms": alarms, "bakeTimeInMinutes": 1}) == {}
    assert ended_settings({"alarms": {"enable": False}, "bakeTimeInMinutes": 0}, {}) == {}


def test_update_parameters__scaled__leaves_the_count_to_auto_scaling() -> None:
    parameters = update_parameters(
        compiled(every_feature()), outputs=OUTPUTS, task_definition_arn=REVISION, ends={}
    )

    assert "desiredCount" not in parameters
    configuration = parameters["deploymentConfiguration"]
    assert isinstance(configuration, dict)
    assert configuration["alarms"] == {
        "alarmNames": ["errors", "latency"],
        "enable": True,
        "rollback": True,
    }


@pytest.mark.parametrize("name", MANIFESTS)
def test_parameters__any_manifest__are_what_the_api_takes(name: str) -> None:
    desired = compiled(MANIFESTS[name])

    created = create_parameters(
        desired, outputs=OUTPUTS, task_definition_arn=REVISION, client_token="t" * 32
    )
    updated = update_parameters(desired, outputs=OUTPUTS, task_definition_arn=REVISION, ends={})

    assert_valid_input("ecs", "CreateService", created)
    assert_valid_input("ecs", "UpdateService", updated)


def test_update_parameters__stack_without_target_group__says_which_output() -> None:
    with pytest.raises(CallFailedError) as error:
        update_parameters(
            compiled(api()),
            outputs={"TaskSecurityGroupId": "sg-1"},
            task_definition_arn=REVISION,
            ends={},
        )

    assert error.value.what == "the stack fsd-offer-api-dev has no output TargetGroupArn"


def test_compile_desired_service__subnets_in_another_order__are_the_same() -> None:
    target = make_target(task_subnets=("subnet-0b0b0b0b", "subnet-0a0a0a0a"))

    assert compile_desired_service(make_manifest(), target=target) == compile_desired_service(
        make_manifest(), target=make_target()
    )
