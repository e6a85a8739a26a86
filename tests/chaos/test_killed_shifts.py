"""`kill -9` while traffic shifts, and between the two steps to a strategy that shifts it: the next
`fsd deploy` sets everything right, and nobody who asks the service notices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.chaos.cloud import Cloud
from tests.fakes.plain_aws import plain_aws
from tests.local.cli import Program
from tests.waiting import eventually

STAGES = ("SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP")
BLUE_GREEN = ("deployment.strategy=blueGreen", "deployment.bakeTime=2")
CANARY = (
    "deployment.strategy=canary",
    "deployment.canary={percent: 20, bakeTime: 2}",
    "deployment.bakeTime=2",
)
ENVIRONMENT = "killed"


def overrides(*values: str) -> tuple[str, ...]:
    return tuple(part for value in values for part in ("--override", value))


@pytest.fixture(scope="module")
def _serving(cloud: Cloud) -> None:
    ended = cloud.deploy(ENVIRONMENT, *overrides(*BLUE_GREEN, "environment.GREETING=base"))
    assert ended.code == 0, ended.text


@pytest.mark.usefixtures("_serving")
@pytest.mark.parametrize(
    ("strategy", "stage"),
    [
        pytest.param(BLUE_GREEN, "SCALE_UP", id="blue/green, scale up"),
        pytest.param(BLUE_GREEN, "BAKE_TIME", id="blue/green, bake time"),
        pytest.param(CANARY, "PRODUCTION_TRAFFIC_SHIFT", id="canary, a part of the traffic"),
        pytest.param(CANARY, "CLEAN_UP", id="canary, clean up"),
    ],
)
def test_deploy__killed_in_a_shift__next_run_converges_and_nobody_noticed(
    cloud: Cloud, strategy: tuple[str, ...], stage: str
) -> None:
    options = overrides(*strategy, f"environment.GREETING={stage}-{strategy[0]}")
    before = cloud.service(ENVIRONMENT)

    with cloud.visited(ENVIRONMENT) as visitor:
        with cloud.start(cloud.endpoint, ENVIRONMENT, *options) as killed:
            eventually(lambda: is_in(cloud, before, stage))
            killed.kill()
        again = cloud.deploy(ENVIRONMENT, *options)

    assert_shifted(cloud, again.text)
    assert again.json()["outcome"] in {"succeeded", "unchanged"}, again.text
    assert cloud.service(ENVIRONMENT)["taskDefinition"] != before["taskDefinition"]
    assert visitor.failed == [], (visitor, again.text)
    assert visitor.asked > 0


@dataclass
class KillerAtStrategy:
    """Kills the deployer when it sets the strategy: its second UpdateService."""

    is_carried_out: bool
    updates: list[str] = field(default_factory=list)
    victim: Program | None = None

    def forwards(self, operation: str) -> bool:
        if operation == "UpdateService":
            self.updates.append(operation)
            if len(self.updates) == 2 and not self.is_carried_out:
                self._kill()
        return not self._is_dead()

    def answers(self, operation: str) -> bool:
        if operation == "UpdateService" and len(self.updates) == 2:
            self._kill()
        return not self._is_dead()

    def _kill(self) -> None:
        assert self.victim is not None
        self.victim.kill()
        self.victim.wait(10)

    def _is_dead(self) -> bool:
        return self.victim is not None and self.victim.returncode is not None


@pytest.mark.parametrize("is_carried_out", [False, True], ids=["call is lost", "answer is lost"])
def test_deploy__killed_between_the_two_steps__next_run_sets_the_strategy(
    cloud: Cloud, is_carried_out: bool
) -> None:
    environment = f"steps-{int(is_carried_out)}"
    base = cloud.deploy(environment, *overrides("environment.GREETING=base"))
    assert base.code == 0, base.text
    options = overrides(*BLUE_GREEN, "environment.GREETING=second")
    killer = KillerAtStrategy(is_carried_out)

    with cloud.visited(environment) as visitor:
        with plain_aws(cloud.endpoint, embedded=True, gate=killer) as endpoint:
            killer.victim = cloud.start(endpoint, environment, *options)
            killed = killer.victim.end()
        again = cloud.deploy(environment, *options)

    assert killed.code == -9, killed.text
    assert again.code == 0, again.text
    service = cloud.service(environment)
    assert service["deploymentConfiguration"]["strategy"] == "BLUE_GREEN", again.text
    assert len(cloud.deployments_of(environment, service["taskDefinition"])) == 1
    assert visitor.failed == [], (visitor, again.text)
    cloud.ecs.delete_service(cluster=environment, service=service["serviceName"], force=True)


def is_in(cloud: Cloud, before: Any, stage: str) -> bool:
    """Whether the deployment that began after `before` has reached the stage, or is over."""
    service = cloud.service(ENVIRONMENT)
    if service["taskDefinition"] == before["taskDefinition"]:
        return False
    (newest,) = cloud.ecs.describe_service_deployments(
        serviceDeploymentArns=[service["currentServiceDeployment"]]
    )["serviceDeployments"]
    now = newest.get("lifecycleStage", "")
    is_past = now in STAGES and STAGES.index(now) >= STAGES.index(stage)
    return is_past or newest["status"] not in {"PENDING", "IN_PROGRESS"}


def assert_shifted(cloud: Cloud, text: str) -> None:
    """All requests go to the target group in which all tasks are healthy."""
    balancer = cloud.service(ENVIRONMENT)["loadBalancers"][0]
    advanced = balancer["advancedConfiguration"]
    (rule,) = cloud.elbv2.describe_rules(RuleArns=[advanced["productionListenerRule"]])["Rules"]
    groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
    serving = [group["TargetGroupArn"] for group in groups if group["Weight"]]
    assert [cloud.healthy(group) for group in serving] == [2], text
