"""Traffic that shifts: real requests through the load balancer, while and after it does."""

from __future__ import annotations

import http.client
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fsd_local import instance as local
from fsd_local.instance import Instance
from tests.local.table.stage import CLUSTER, NETWORK, PORT, ROLE, Stage

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:smoke-test"
# A day: the tests end it.
CANARY = {"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 1440}


@dataclass
class Pair:
    """A service with two target groups, a production rule and a rule for the header `Test: 1`."""

    stage: Stage
    instance: Instance

    def __post_init__(self) -> None:
        elbv2 = self.stage.elbv2
        self.groups = [self._make_group(name) for name in ("blue", "green")]
        (balancer,) = elbv2.create_load_balancer(
            Name="app", Subnets=["subnet-00000001", "subnet-00000002"]
        )["LoadBalancers"]
        self.host = balancer["DNSName"]
        (listener,) = elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[
                {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
            ],
        )["Listeners"]
        header = {"HttpHeaderName": "Test", "Values": ["1"]}
        self.test = self._make_rule(
            listener, 1, {"Field": "http-header", "HttpHeaderConfig": header}
        )
        self.production = self._make_rule(listener, 2, {"Field": "path-pattern", "Values": ["*"]})

    def _make_group(self, name: str) -> str:
        (group,) = self.stage.elbv2.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=PORT,
            VpcId="vpc-00000001",
            TargetType="ip",
            HealthCheckPath="/health",
            HealthCheckIntervalSeconds=10,
            HealthCheckTimeoutSeconds=2,
            UnhealthyThresholdCount=2,
        )["TargetGroups"]
        arn = str(group["TargetGroupArn"])
        self.stage.elbv2.modify_target_group_attributes(
            TargetGroupArn=arn,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}],
        )
        return arn

    def _make_rule(self, listener: Any, priority: int, condition: dict[str, Any]) -> str:
        groups = [
            {"TargetGroupArn": arn, "Weight": weight}
            for arn, weight in zip(self.groups, (1, 0), strict=True)
        ]
        (rule,) = self.stage.elbv2.create_rule(
            ListenerArn=listener["ListenerArn"],
            Priority=priority,
            Conditions=[condition],
            Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
        )["Rules"]
        return str(rule["RuleArn"])

    def running(self, **configuration: Any) -> Pair:
        """Steady on v1."""
        advanced = {
            "alternateTargetGroupArn": self.groups[1],
            "productionListenerRule": self.production,
            "testListenerRule": self.test,
            "roleArn": ROLE,
        }
        self.stage.ecs.create_service(
            cluster=CLUSTER,
            serviceName="app",
            taskDefinition=self.stage.register(environment={"VERSION": "v1"}),
            desiredCount=2,
            launchType="FARGATE",
            networkConfiguration=NETWORK,
            deploymentConfiguration={
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
                **configuration,
            },
            loadBalancers=[
                {
                    "targetGroupArn": self.groups[0],
                    "containerName": "app",
                    "containerPort": PORT,
                    "advancedConfiguration": advanced,
                }
            ],
            healthCheckGracePeriodSeconds=400,
        )
        self.stage.until(status("SUCCESSFUL"))
        assert self.ask(10) == {"200 v1": 10}
        return self

    def deploy(self, **variables: str) -> Pair:
        self.stage.deploy(environment={"VERSION": "v2", **variables})
        return self

    def until(self, condition: Callable[[Stage], object]) -> Pair:
        self.stage.until(condition)
        return self

    def ask(self, times: int, **headers: str) -> dict[str, int]:
        """Statuses and versions of so many requests."""
        return dict(Counter(self._ask(headers) for _ in range(times)))

    def _ask(self, headers: dict[str, str]) -> str:
        parts = urlsplit(self.instance.endpoint)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        try:
            connection.request("GET", "/", headers={"Host": self.host, **headers})
            answer = connection.getresponse()
            answer.read()
            return f"{answer.status} {answer.getheader('Version')}"
        finally:
            connection.close()

    def weights(self) -> list[int]:
        (rule,) = self.stage.elbv2.describe_rules(RuleArns=[self.production])["Rules"]
        groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        by_arn = {group["TargetGroupArn"]: group["Weight"] for group in groups}
        return [by_arn[arn] for arn in self.groups]


def status(wanted: str) -> Callable[[Stage], bool]:
    return lambda stage: stage.all()[0]["status"] == wanted


def reaches(wanted: str) -> Callable[[Stage], bool]:
    return lambda stage: stage.all()[0].get("lifecycleStage") == wanted


@pytest.fixture
def pair(stage: Callable[..., Stage], instance: Instance) -> Pair:
    return Pair(stage(balanced=False), instance)


def test_canary__stopped_on_the_way__a_share_of_the_requests_then_none(pair: Pair) -> None:
    pair.running(strategy="CANARY", canaryConfiguration=CANARY)
    pair.deploy().until(reaches("PRODUCTION_TRAFFIC_SHIFT")).until(lambda _: pair.weights()[1])

    shares = pair.ask(100)
    tested = pair.ask(10, Test="1")
    assert pair.weights() == [80, 20]
    pair.stage.stop_deployment()
    pair.until(status("ROLLBACK_SUCCESSFUL"))

    assert shares == {"200 v1": 80, "200 v2": 20}
    assert tested == {"200 v2": 10}
    assert pair.ask(20) == pair.ask(20, Test="1") == {"200 v1": 20}
    assert pair.weights() == [100, 0]


def test_blue_green__second_deployment__all_requests_at_once_and_back_the_next_time(
    pair: Pair,
) -> None:
    pair.running(strategy="BLUE_GREEN", bakeTimeInMinutes=0)

    pair.deploy().until(status("SUCCESSFUL"))
    assert pair.ask(20) == {"200 v2": 20}
    assert pair.weights() == [0, 100]

    pair.deploy(VERSION="v3").until(status("SUCCESSFUL"))
    assert pair.ask(20) == {"200 v3": 20}
    assert pair.weights() == [100, 0]


def test_blue_green__new_tasks_unhealthy__no_request_ever_reaches_them(pair: Pair) -> None:
    pair.running(strategy="BLUE_GREEN", bakeTimeInMinutes=0)

    pair.deploy(EXITS="3").until(status("ROLLBACK_SUCCESSFUL"))

    assert pair.ask(20) == {"200 v1": 20}
    assert pair.weights() == [100, 0]


def test_hook__command_that_asks_the_test_rule__decides(pair: Pair, tmp_path: Path) -> None:
    hook = {
        "hookTargetArn": FUNCTION,
        "roleArn": ROLE,
        "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
        "hookDetails": {"host": pair.host, "endpoint": pair.instance.endpoint},
    }
    (tmp_path / "check.py").write_text(
        "import json, sys, urllib.request\n"
        "found = json.load(sys.stdin)['hookDetails']\n"
        "headers = {'Host': found['host'], 'Test': '1'}\n"
        "asked = urllib.request.Request(found['endpoint'] + '/', headers=headers)\n"
        "version = urllib.request.urlopen(asked).headers['Version']\n"
        "print(json.dumps({'hookStatus': 'SUCCEEDED' if version == 'v3' else 'FAILED'}))\n"
    )
    command = {
        "function": "smoke-test",
        "command": [sys.executable, "check.py"],
        "folder": str(tmp_path),
    }
    at = pair.instance
    pair.running(strategy="BLUE_GREEN", bakeTimeInMinutes=0)
    pair.stage.update(deploymentConfiguration={"strategy": "BLUE_GREEN", "lifecycleHooks": [hook]})

    pair.deploy().until(status("ROLLBACK_SUCCESSFUL"))
    assert "Function not found" in pair.stage.all()[0]["statusReason"]
    local.call(at.endpoint, "POST", "/_fsd/hook", command, secret=at.secret)
    pair.deploy().until(status("ROLLBACK_SUCCESSFUL"))
    assert "returned FAILED status." in pair.stage.all()[0]["statusReason"]
    pair.deploy(VERSION="v3").until(status("SUCCESSFUL"))

    assert pair.ask(20) == {"200 v3": 20}
