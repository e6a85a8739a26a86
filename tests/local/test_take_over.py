"""A service that another tool made, with its load balancer and its roles: imported, taken over
under load, rolled back to what ran before, and deleted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.local.cli import HELLO, Fsd
from tests.local.conftest import SPEED, commit
from tests.local.test_main_job import asking

NAME = "shop-local-api-Service-Ab1Cd2"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
WHO = ("--service", "shop-local-api", "--env", "local")
CONTAINER = "api"  # FSD's is called like the service


@dataclass(frozen=True)
class Shop:
    """`api` runs behind a listener, made with nothing of FSD."""

    fsd: Fsd
    url: str
    group: str

    def service(self) -> Any:
        with self.fsd.client("ecs") as ecs:
            (found,) = ecs.describe_services(cluster="local", services=[NAME])["services"]
            return found

    def family(self) -> str:
        return str(self.service()["taskDefinition"]).rpartition("/")[2].partition(":")[0]

    def manifest(self) -> Any:
        return yaml.safe_load((self.fsd.cwd / "service.yml").read_text())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    first = tmp_path / "first"
    shutil.copytree(HELLO, first)
    commit(first, "first")
    folder = tmp_path / "shop"
    folder.mkdir()
    fsd = Fsd(state=tmp_path / "state", cwd=folder)
    fsd.ok("local", "up", "--runtime", "process", "--speed", SPEED)
    try:
        fsd = Fsd(state=fsd.state, cwd=folder, extra=fsd.aws_environment())
        yield make_shop(fsd, first)
    finally:
        fsd.ok("local", "down")


def make_shop(fsd: Fsd, first: Path) -> Shop:
    """What Copilot, Terraform or a person would have made."""
    Fsd(state=fsd.state, cwd=first).ok("deploy", "--env", "local")
    with fsd.client("ecs") as ecs, fsd.client("elbv2") as elb, fsd.client("iam") as iam:
        (theirs,) = ecs.describe_services(cluster="local", services=["hello-local"])["services"]
        network = theirs["networkConfiguration"]
        task = ecs.describe_task_definition(taskDefinition=theirs["taskDefinition"])
        image = task["taskDefinition"]["containerDefinitions"][0]["image"]
        subnets = network["awsvpcConfiguration"]["subnets"]
        vpc = elb.describe_target_groups()["TargetGroups"][0]["VpcId"]
        group = elb.create_target_group(
            Name="shop-api", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip",
            HealthCheckPath="/health", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2, UnhealthyThresholdCount=2, Matcher={"HttpCode": "200"},
        )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
        balancer = elb.create_load_balancer(Name="shop", Subnets=subnets, Scheme="internal")
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
            Protocol="HTTP", Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )  # fmt: skip
        roles = {
            key: iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
            for key, name in (("taskRoleArn", "shop-task"), ("executionRoleArn", "shop-execution"))
        }
        arn = ecs.register_task_definition(
            family="shop-api", networkMode="awsvpc", requiresCompatibilities=["FARGATE"],
            cpu="256", memory="512", **roles,
            containerDefinitions=[
                {
                    "name": CONTAINER, "image": image, "essential": True,
                    "portMappings": [{"containerPort": 8000}],
                    "environment": [{"name": "SERVICE_NAME", "value": "shop"}],
                    "linuxParameters": {"initProcessEnabled": True},
                }
            ],
        )["taskDefinition"]["taskDefinitionArn"]  # fmt: skip
        ecs.create_service(
            cluster="local", serviceName=NAME, taskDefinition=arn, desiredCount=2,
            launchType="FARGATE", networkConfiguration=network,
            loadBalancers=[
                {"targetGroupArn": group, "containerName": CONTAINER, "containerPort": 8000}
            ],
            deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 200},
        )  # fmt: skip
        ecs.get_waiter("services_stable").wait(
            cluster="local", services=[NAME], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    services = {each["name"]: each for each in fsd.status()["services"]}
    return Shop(fsd=fsd, url=services[NAME]["urls"][-1], group=group)


def test_deploy__service_of_another_tool__taken_over_and_back_without_a_failed_request(
    shop: Shop,
) -> None:
    fsd = shop.fsd
    fsd.ok("import", "--cluster", "local", "--service", NAME, "--env", "local")
    there = shop.manifest()["environments"]["local"]
    crash = ("--override", "environment.HELLO_CRASH=1")

    with asking(shop.url) as failures:
        refused = fsd.run("deploy", "--env", "local")
        planned = fsd.ok("plan", "--env", "local", "--adopt")
        failed = fsd.run("deploy", "--env", "local", "--adopt", *crash)
        after_failure = shop.family()
        still = fsd.run("deploy", "--env", "local")
        fsd.ok("deploy", "--env", "local", "--adopt")
        taken = shop.family()
        again = fsd.ok("deploy", "--env", "local")
        fsd.ok("rollback", *WHO)
        back = shop.family()
        fsd.ok("deploy", "--env", "local")
        forth = shop.family()
    gone = fsd.ok("delete", *WHO, "--yes")

    assert there["existingService"] == NAME
    assert there["networking"]["loadBalancer"]["targetGroupArn"] == shop.group
    assert [*there["roles"]] == ["task", "execution"]
    assert (refused.code, still.code) == (4, 4), still.text
    assert f"{NAME} in the cluster local was made by another tool" in refused.err
    said = " ".join(planned.out.split())
    (group,) = there["networking"]["securityGroups"]["ids"]
    keeps = (
        f"target group shop-api, its security group {group}, its task role shop-task, its "
        "execution role shop-execution"
    )
    assert f"taken over from another tool: keeps its {keeps}" in said
    assert "leave the security groups" not in said
    assert "shop-api:1 serves until the new tasks are healthy" in said
    assert "load balancer replaced" not in said
    assert failed.code == 6, failed.text
    assert "FSD kept the new stack fsd-shop-local-api-local" in " ".join(failed.out.split())
    assert "Nothing to change" in again.out
    families = ("shop-api", "shop-local-api-local", "shop-api", "shop-local-api-local")
    assert (after_failure, taken, back, forth) == families
    assert "kept target group shop-api, its listener and its load balancer" in gone.out
    assert "kept role shop-task: not created by FSD" in gone.out
    assert failures == []
