"""One service in a running embedded AWS, by its public API only, and what became of it as text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.waiting import eventually

CLUSTER = "table"
PATIENCE = 90.0  # seconds for one condition; far more than any needs
PORT = 8000
_PASSING = {"PENDING", "STOP_REQUESTED", "ROLLBACK_REQUESTED"}  # gone before one can look
# How a program ends that is told to stop is its own affair, and PID 1's of a container.
_TOLD_TO_STOP = {0, 137, 143}
_FINAL = {"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}
_SETTINGS: dict[str, Any] = {
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
}
NETWORK = {
    "awsvpcConfiguration": {"subnets": ["subnet-00000001"], "securityGroups": ["sg-00000001"]}
}
ROLE = "arn:aws:iam::000000000000:role/execution"


@dataclass
class Stage:
    """`client` gives boto3 clients of an account that only this stage uses."""

    client: Callable[[str], Any]
    image: str
    desired: int = 2
    balanced: bool = True
    grace: int = 400  # seconds of ECS: ten of ours at the speed of the table
    settings: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    names: dict[str, str] = field(default_factory=dict)  # task definition ARN → v1, v2 …
    statuses: dict[str, list[str]] = field(default_factory=dict)  # by service deployment ARN
    before: set[str] = field(default_factory=set)  # service deployments that are no news
    told: int = 0  # events that are no news

    def __post_init__(self) -> None:
        self.ecs, self.elbv2 = self.client("ecs"), self.client("elbv2")
        self.ecs.create_cluster(clusterName=CLUSTER)
        if self.balanced:
            self.group = self._make_target_group()

    def _make_target_group(self) -> str:
        (group,) = self.elbv2.create_target_group(
            Name="app",
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
        self.elbv2.modify_target_group_attributes(
            TargetGroupArn=arn,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}],
        )
        (balancer,) = self.elbv2.create_load_balancer(
            Name="app", Subnets=["subnet-00000001", "subnet-00000002"]
        )["LoadBalancers"]
        self.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        return arn

    # ---- what one does to a service

    def create(self, **container: Any) -> Stage:
        balancers = [{"targetGroupArn": self.group, "containerName": "app", "containerPort": PORT}]
        more: dict[str, Any] = (
            {"loadBalancers": balancers, "healthCheckGracePeriodSeconds": self.grace}
            if self.balanced
            else {}
        )
        self.ecs.create_service(
            cluster=CLUSTER,
            serviceName="app",
            taskDefinition=self.register(**container),
            desiredCount=self.desired,
            launchType="FARGATE",
            networkConfiguration=NETWORK,
            deploymentConfiguration=_SETTINGS | self.settings,
            **more,
        )
        return self

    def running(self) -> Stage:
        """A service that is steady on v1; what comes to light later starts after that."""
        self.create().settle()
        assert self.service()["deployments"][0]["rolloutState"] == "COMPLETED"
        self.told = len(self.service()["events"])
        self.before = set(self.statuses)
        return self

    def deploy(self, **container: Any) -> Stage:
        """The next version; `environment`, `image`, `entryPoint` … as in a task definition."""
        return self.update(taskDefinition=self.register(**container))

    def update(self, **changes: Any) -> Stage:
        self.ecs.update_service(cluster=CLUSTER, service="app", **changes)
        return self

    def register(self, **changes: Any) -> str:
        environment = changes.pop("environment", {})
        definition = self.ecs.register_task_definition(
            family="app",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            executionRoleArn=ROLE,
            containerDefinitions=[
                {
                    "name": "app",
                    "image": self.image,
                    "portMappings": [{"containerPort": PORT}],
                    "environment": [{"name": k, "value": v} for k, v in environment.items()],
                    "stopTimeout": 2,
                    **changes,
                }
            ],
        )["taskDefinition"]
        arn = str(definition["taskDefinitionArn"])
        self.names[arn] = f"v{definition['revision']}"
        return arn

    def stop_deployment(self) -> Stage:
        newest = self.ecs.list_service_deployments(cluster=CLUSTER, service="app")
        self.ecs.stop_service_deployment(
            serviceDeploymentArn=newest["serviceDeployments"][0]["serviceDeploymentArn"],
            stopType="ROLLBACK",
        )
        return self

    def remove(self) -> None:
        self.ecs.delete_service(cluster=CLUSTER, service="app", force=True)

    def make_alarm(self) -> dict[str, Any]:
        """A CloudWatch alarm of 5xx answers; what a deployment configuration says to heed it."""
        self.client("cloudwatch").put_metric_alarm(
            AlarmName="errors",
            Namespace="AWS/ApplicationELB",
            MetricName="HTTPCode_Target_5XX_Count",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        return {"alarms": {"alarmNames": ["errors"], "enable": True, "rollback": True}}

    def raise_alarm(self) -> Stage:
        self.client("cloudwatch").set_alarm_state(
            AlarmName="errors", StateValue="ALARM", StateReason="somebody says so"
        )
        return self

    # ---- watching

    def until(self, condition: Callable[[Stage], object]) -> Stage:
        def holds() -> object:
            self.look()
            return condition(self)

        eventually(holds, pause=0.05, said=lambda: str(self.outcome()))
        return self

    def look(self) -> None:
        for arn, status in reversed([(d["serviceDeploymentArn"], d["status"]) for d in self.all()]):
            seen = self.statuses.setdefault(arn, [])
            if status not in seen and status not in _PASSING:
                seen.append(status)

    def settle(self) -> Stage:
        """Until nothing moves any more."""
        return self.until(lambda stage: stage.is_at_rest())

    def is_at_rest(self) -> bool:
        if any(d["status"] not in _FINAL for d in self.all()):
            return False
        service, tasks = self.service(), self.tasks("RUNNING")
        is_failed = service["deployments"][0]["rolloutState"] == "FAILED"
        wanted = len(tasks) if is_failed else service["desiredCount"]
        states = [state for state, _ in self.targets()]
        return (
            [task["lastStatus"] for task in tasks] == ["RUNNING"] * wanted
            and all(task["lastStatus"] == "STOPPED" for task in self.tasks("STOPPED"))
            and (not self.balanced or states == ["healthy"] * wanted)
            and (is_failed or "has reached a steady state." in self.events()[-1:])
        )

    def all(self) -> list[Any]:
        """Every service deployment, newest first."""
        listed = self.ecs.list_service_deployments(cluster=CLUSTER, service="app")
        arns = [found["serviceDeploymentArn"] for found in listed["serviceDeployments"]]
        found = self.ecs.describe_service_deployments(serviceDeploymentArns=arns)
        by_arn = {one["serviceDeploymentArn"]: one for one in found["serviceDeployments"]}
        return [by_arn[arn] for arn in arns]

    def service(self) -> Any:
        (found,) = self.ecs.describe_services(cluster=CLUSTER, services=["app"])["services"]
        return found

    def tasks(self, desired_status: str) -> list[Any]:
        arns = self.ecs.list_tasks(cluster=CLUSTER, desiredStatus=desired_status)["taskArns"]
        return list(self.ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]) if arns else []

    def targets(self) -> list[tuple[str, str]]:
        """(state, reason) of every target."""
        if not self.balanced:
            return []
        found = self.elbv2.describe_target_health(TargetGroupArn=self.group)
        health = [target["TargetHealth"] for target in found["TargetHealthDescriptions"]]
        return [(one["State"], one.get("Reason", "")) for one in health]

    def events(self) -> list[str]:
        """In order, without the service's name and with the numbers made equal."""
        told = self.service()["events"][::-1][self.told :]
        return [_plain(event["message"]) for event in told]

    # ---- as text

    def outcome(self) -> str:
        self.look()
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for deployment in reversed(self.all()):
            yield from self._deployment(deployment)
        for line, _ in sorted(Counter(map(self._stopped, self.tasks("STOPPED"))).items()):
            yield f"stopped: {line}"
        for message in dict.fromkeys(self.events()):
            yield f"event: {message}"
        yield from self._now()

    def _deployment(self, found: Any) -> Iterator[str]:
        if found["serviceDeploymentArn"] in self.before:
            return
        seen = self.statuses[found["serviceDeploymentArn"]]
        target = self._version(found["targetServiceRevision"]["arn"])
        reason = f": {_plain(found['statusReason'])}" if found.get("statusReason") else ""
        yield f"{target}: {' → '.join(seen)}{reason}"
        alarms = found.get("alarms", {})
        if alarms.get("alarmNames"):
            went_off = " ".join(alarms.get("triggeredAlarmNames", []))
            yield f"alarms: {alarms['status']} {went_off}".rstrip()
        breaker = found["deploymentCircuitBreaker"]
        if breaker["status"] == "DISABLED":
            yield "breaker: DISABLED"
            return
        yield (f"breaker: {breaker['status']} {breaker['failureCount']} of {breaker['threshold']}")

    def _version(self, revision: str) -> str:
        (found,) = self.ecs.describe_service_revisions(serviceRevisionArns=[revision])[
            "serviceRevisions"
        ]
        return self.names[found["taskDefinition"]]

    def _stopped(self, task: Any) -> str:
        (container,) = task["containers"]
        code = container.get("exitCode")
        is_told = task["stopCode"] == "ServiceSchedulerInitiated" and code in _TOLD_TO_STOP
        exited = "" if code is None or is_told else f", exit {code}"
        why = container.get("reason", "")
        more = f", {_plain(why)}" if why and why != task["stoppedReason"] else ""
        version = self.names[task["taskDefinitionArn"]]
        return f"{version} {task['stopCode']}: {_plain(task['stoppedReason'])}{exited}{more}"

    def _now(self) -> Iterator[str]:
        service = self.service()
        for deployment in service["deployments"]:
            version = self.names[deployment["taskDefinition"]]
            running, desired = deployment["runningCount"], deployment["desiredCount"]
            state = deployment["rolloutState"]
            counts = f" {running} of {desired}" if self.is_at_rest() else ""
            yield f"{deployment['status']}: {version}{counts} {state}"
        if self.balanced and self.is_at_rest():
            counted = Counter(" ".join(filter(None, target)) for target in self.targets())
            told = ", ".join(f"{number} {state}" for state, number in sorted(counted.items()))
            yield f"targets: {told or 'none'}"


def _plain(text: str) -> str:
    text = re.sub(r"^\(service \S+\) ", "", text)
    text = re.sub(r"\b\d+ ((?:running )?tasks?|targets)\b", r"N \1", text)
    text = re.sub(r"\(task \w+\)(?: \(task \w+\))*", "(task T)", text)
    text = re.sub(r"ecs-svc/\d+", "D", text)
    text = re.sub(r"arn:aws:elasticloadbalancing:\S+?(?=\))", "TG", text)
    text = re.sub(r"127\.0\.0\.1:\d+|localhost:\d+", "HOST", text)
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:H", text)
    return text
