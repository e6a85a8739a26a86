"""`advancedConfiguration` and the strategies' settings through the API, in AWS's words."""

from __future__ import annotations

from typing import Any

import pytest

from fsd_local.permissions import needed
from tests.local.ecs.cloud import BREAKER, ApiFault, Cloud
from tests.local.ecs.fakes import ACCOUNT, REGION, TARGET_GROUP

ALTERNATE = TARGET_GROUP.replace("/app/", "/other/")
_ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
PRODUCTION = f"{_ELB}:listener-rule/app/app/1/2/3"
TEST = f"{_ELB}:listener-rule/app/app/1/2/4"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/infrastructure"
PAIR = {
    "alternateTargetGroupArn": ALTERNATE,
    "productionListenerRule": PRODUCTION,
    "testListenerRule": TEST,
    "roleArn": ROLE,
}


@pytest.fixture
def shifting(cloud: Cloud) -> Cloud:
    """With a second target group and two rules."""
    cloud.load_balancers.add(ALTERNATE)
    cloud.load_balancers.rules = {PRODUCTION: {TARGET_GROUP: 1}, TEST: {ALTERNATE: 1}}
    return cloud


def balancers(**advanced: Any) -> list[dict[str, Any]]:
    given = {key: value for key, value in (PAIR | advanced).items() if value}
    one = {"targetGroupArn": TARGET_GROUP, "containerName": "app", "containerPort": 8000}
    return [{**one, "advancedConfiguration": given}]


def configuration(strategy: str = "BLUE_GREEN", **more: Any) -> dict[str, Any]:
    return {**BREAKER, "strategy": strategy, **more}


def test_update_service__blue_green__weights_of_the_rules_and_the_revision(
    shifting: Cloud,
) -> None:
    shifting.running_service(loadBalancers=balancers(), deploymentConfiguration=configuration())
    assert shifting.load_balancers.rules[PRODUCTION] == {TARGET_GROUP: 100, ALTERNATE: 0}

    found = shifting.wait_for("SUCCESSFUL", shifting.update(shifting.register("app:2")))

    assert shifting.load_balancers.rules == {
        PRODUCTION: {ALTERNATE: 100, TARGET_GROUP: 0},
        TEST: {ALTERNATE: 100, TARGET_GROUP: 0},
    }
    assert found["lifecycleStage"] == "CLEAN_UP"
    assert found["targetServiceRevision"]["requestedProductionTrafficWeight"] == 100.0


@pytest.mark.parametrize(
    ("advanced", "message"),
    [
        ({"alternateTargetGroupArn": ""}, "alternateTargetGroupArn is required"),
        ({"roleArn": ""}, "roleArn is required"),
        ({"productionListenerRule": ""}, "productionListenerRule is required"),
        (
            {"alternateTargetGroupArn": TARGET_GROUP},
            f"Duplicate targetGroupArn found: {TARGET_GROUP}",
        ),
        (
            {"alternateTargetGroupArn": TARGET_GROUP.replace("/app/", "/none/")},
            "does not exist.",
        ),
        (
            {"productionListenerRule": f"{_ELB}:listener/app/app/1/2"},
            "productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or "
            f"ListenerArn for NLB. Got: {_ELB}:listener/app/app/1/2",
        ),
        ({"productionListenerRule": PRODUCTION[:-1] + "9"}, "One or more rules not found"),
        (
            {"testListenerRule": PRODUCTION},
            "The following rules cannot be used as both production and test listener rules: "
            f"{PRODUCTION}",
        ),
        (
            {"testListenerRule": ""},
            "For Application LoadBalancer, testListenerRule is required when "
            "productionListenerRule is not associated with both targetGroup and "
            "alternateTargetGroup",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(value),
)
def test_create_service__advanced_configuration_that_cannot_work__refused(
    shifting: Cloud, advanced: dict[str, str], message: str
) -> None:
    task_definition = shifting.cluster().register()

    with pytest.raises(ApiFault, match="InvalidParameterException") as caught:
        shifting.create(
            task_definition,
            loadBalancers=balancers(**advanced),
            deploymentConfiguration=configuration(),
        )

    assert message in caught.value.message


def test_create_service__listener_of_a_network_load_balancer__not_here(shifting: Cloud) -> None:
    task_definition = shifting.cluster().register()

    with pytest.raises(ApiFault, match="application load balancers only"):
        shifting.create(
            task_definition,
            loadBalancers=balancers(productionListenerRule=f"{_ELB}:listener/net/app/1/2"),
            deploymentConfiguration=configuration(),
        )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            configuration(linearConfiguration={"stepPercent": 10.0}),
            "linearConfiguration is only valid with the LINEAR deployment strategy.",
        ),
        (
            configuration("LINEAR", linearConfiguration={"stepPercent": 2.0}),
            "stepPercent must be between 3.0 and 100.0.",
        ),
        (
            configuration("CANARY", canaryConfiguration={"canaryBakeTimeInMinutes": 1441}),
            "canaryBakeTimeInMinutes must be between 0 and 1440.",
        ),
        (configuration(bakeTimeInMinutes=1441), "bakeTimeInMinutes must be between 0 and 1440."),
        (
            configuration(earlySuccessCriteria={"enable": True, "healthyPercent": 100}),
            "earlySuccessCriteria is only valid with the ROLLING deployment strategy.",
        ),
    ],
    ids=["another's", "step", "canary bake", "bake", "early success"],
)
def test_create_service__settings_that_cannot_be__refused(
    shifting: Cloud, given: dict[str, Any], message: str
) -> None:
    task_definition = shifting.cluster().register()

    with pytest.raises(ApiFault) as caught:
        shifting.create(task_definition, loadBalancers=balancers(), deploymentConfiguration=given)

    assert caught.value.message == message


def test_update_service__strategy_alone__needs_the_pairs(shifting: Cloud) -> None:
    shifting.running_service()

    with pytest.raises(ApiFault, match="advancedConfiguration field is required"):
        shifting.update(deploymentConfiguration=configuration())

    shifting.update(loadBalancers=balancers(), deploymentConfiguration=configuration("CANARY"))
    found = shifting.service()["deploymentConfiguration"]
    assert found["canaryConfiguration"] == {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}
    with pytest.raises(ApiFault, match="CANARY to ROLLING while a service deployment is in progr"):
        shifting.update(deploymentConfiguration={"strategy": "ROLLING"})
    assert shifting.service()["deploymentConfiguration"]["strategy"] == "CANARY"
    shifting.update(deploymentConfiguration={"strategy": "BLUE_GREEN"})
    assert "canaryConfiguration" not in shifting.service()["deploymentConfiguration"]


def test_needed__roles_of_the_shift_and_of_hooks__are_passed_to_ecs() -> None:
    parameters = {
        "service": "app",
        "loadBalancers": balancers(),
        "deploymentConfiguration": {"lifecycleHooks": [{"roleArn": f"{ROLE}-hooks"}, "odd"]},
    }

    *_, last = needed("ecs", "UpdateService", parameters, account=ACCOUNT, region=REGION)

    assert (last.action, last.resources) == ("iam:PassRole", (ROLE, f"{ROLE}-hooks"))
    assert last.context == {"iam:PassedToService": "ecs.amazonaws.com"}
