"""A control plane over fakes, with verbs: every answer is checked against botocore's model."""

from __future__ import annotations

from typing import Any

from fsd_local.ecs import EcsService
from fsd_local.ports import Neighbours
from tests.local.ecs.fakes import (
    ACCOUNT,
    REGION,
    TARGET_GROUP,
    FakeAlarms,
    FakeHooks,
    FakeLoadBalancers,
    FakeLogs,
    FakeRoles,
    FakeRuntime,
    FakeSecrets,
    FakeSurroundings,
)
from tests.local.ecs.shapes import Shapes
from tests.waiting import eventually

Json = dict[str, Any]
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
DIGEST = "sha256:" + "b" * 64
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fsd/execution"


class ApiFault(Exception):
    """What boto3 would raise as ClientError."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Cloud:
    def __init__(self, *, speed: float = 200.0) -> None:
        self.runtime = FakeRuntime()
        self.load_balancers = FakeLoadBalancers(serves=self.runtime.serves)
        self.logs = FakeLogs()
        self.secrets = FakeSecrets()
        self.roles = FakeRoles()
        self.alarms = FakeAlarms()
        self.surroundings = FakeSurroundings()
        self.hooks = FakeHooks()
        self.shapes = Shapes()
        self.ecs = EcsService(
            neighbours=Neighbours(
                runtime=self.runtime,
                logs=self.logs,
                secrets=self.secrets,
                roles=self.roles,
                load_balancers=self.load_balancers,
                alarms=self.alarms,
                surroundings=self.surroundings,
                hooks=self.hooks,
            ),
            speed=speed,
        )

    def close(self) -> None:
        self.runtime.gate.set()
        self.ecs.close()

    def call(
        self, action: str, /, *, account: str = ACCOUNT, region: str = REGION, **p: Any
    ) -> Json:
        status, body = self.ecs.handle(action, p, account=account, region=region)
        if status == 200:
            self.shapes.check_answer(action, body)
            return body
        self.shapes.check_error(status, body)
        raise ApiFault(body["__type"], body["message"])

    # Scenario verbs.

    def cluster(self) -> Cloud:
        self.call("CreateCluster", clusterName="dev")
        return self

    def register(
        self,
        image: str = f"app@{DIGEST}",
        *,
        family: str = "app",
        task_role: str = "",
        **container: Any,
    ) -> str:
        """A Fargate task definition with one container on port 8000; its ARN."""
        answer = self.call(
            "RegisterTaskDefinition",
            family=family,
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            executionRoleArn=ROLE,
            **({"taskRoleArn": task_role} if task_role else {}),
            containerDefinitions=[
                {
                    "name": "app",
                    "image": image,
                    "portMappings": [{"containerPort": 8000}],
                    **container,
                }
            ],
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def create(self, task_definition: str, *, desired: int = 2, **more: Any) -> Json:
        request = {
            "cluster": "dev",
            "serviceName": "app",
            "taskDefinition": task_definition,
            "desiredCount": desired,
            "launchType": "FARGATE",
            "networkConfiguration": NETWORK,
            "deploymentConfiguration": BREAKER,
            "loadBalancers": [
                {"targetGroupArn": TARGET_GROUP, "containerName": "app", "containerPort": 8000}
            ],
            **more,
        }
        service: Json = self.call("CreateService", **request)["service"]
        return service

    def running_service(
        self, image: str = f"app@{DIGEST}", *, task_role: str = "", **more: Any
    ) -> Json:
        """A service that is steady on its first revision."""
        self.cluster().create(self.register(image, task_role=task_role), **more)
        self.wait_for("SUCCESSFUL")
        return self.service()

    def update(self, task_definition: str = "", **more: Any) -> str:
        """The ARN of the service deployment that is current then."""
        if task_definition:
            more["taskDefinition"] = task_definition
        answer = self.call("UpdateService", cluster="dev", service="app", **more)
        return str(answer["service"]["currentServiceDeployment"])

    # Looks.

    def service(self) -> Json:
        answer = self.call("DescribeServices", cluster="dev", services=["app"], include=["TAGS"])
        service: Json = answer["services"][0]
        return service

    def deployment(self, arn: str = "") -> Json:
        wanted = arn or self.service()["currentServiceDeployment"]
        answer = self.call("DescribeServiceDeployments", serviceDeploymentArns=[wanted])
        found: Json = answer["serviceDeployments"][0]
        return found

    def tasks(self, status: str = "RUNNING") -> list[Json]:
        arns = self.call("ListTasks", cluster="dev", desiredStatus=status)["taskArns"]
        if not arns:
            return []
        answer = self.call("DescribeTasks", cluster="dev", tasks=arns, include=["TAGS"])
        found: list[Json] = answer["tasks"]
        return found

    def events(self) -> list[str]:
        """Oldest first."""
        return [event["message"] for event in reversed(self.service()["events"])]

    def wait_for(self, status: str, arn: str = "") -> Json:
        """Until the service deployment has this status."""
        wanted = arn or self.service()["currentServiceDeployment"]
        eventually(lambda: self.deployment(wanted)["status"] == status)
        return self.deployment(wanted)
