"""AWS::ECS::Service and its neighbours in a stack, as CDK and hand-written templates have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.local.server import stacks
from tests.local.table.stage import PORT
from tests.waiting import eventually

ELB = "AWS::ElasticLoadBalancingV2"
SCALING = "AWS::ApplicationAutoScaling"
BREAKER = "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'."


def make_template(image: str, **environment: str) -> stacks.Template:
    """What `ApplicationLoadBalancedFargateService` makes, without a network of its own.

    Numbers are text where a parameter would give them.
    """
    container = {
        "Name": "web",
        "Image": image,
        "Essential": True,
        "PortMappings": [{"ContainerPort": str(PORT), "Protocol": "tcp"}],
        "Environment": [{"Name": name, "Value": value} for name, value in environment.items()],
        "DockerLabels": {"com.example.Team": "web"},
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": {"Ref": "Logs"},
                "awslogs-stream-prefix": "web",
                "awslogs-region": {"Ref": "AWS::Region"},
            },
        },
        "StopTimeout": 2,
    }
    resources: dict[str, tuple[str, dict[str, Any]]] = {
        "Cluster": ("AWS::ECS::Cluster", {}),
        "Providers": (
            "AWS::ECS::ClusterCapacityProviderAssociations",
            {
                "Cluster": {"Ref": "Cluster"},
                "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "DefaultCapacityProviderStrategy": [],
            },
        ),
        "Logs": ("AWS::Logs::LogGroup", {}),
        "Role": ("AWS::IAM::Role", {"AssumeRolePolicyDocument": stacks.TRUST}),
        "Balancer": (f"{ELB}::LoadBalancer", {"Subnets": ["subnet-00000001", "subnet-00000002"]}),
        "Targets": (
            f"{ELB}::TargetGroup",
            {
                "Port": 80,
                "Protocol": "HTTP",
                "TargetType": "ip",
                "VpcId": stacks.VPC,
                "HealthCheckPath": "/health",
                "HealthCheckIntervalSeconds": 10,
                "HealthCheckTimeoutSeconds": 2,
                "TargetGroupAttributes": [
                    {"Key": "deregistration_delay.timeout_seconds", "Value": "10"}
                ],
            },
        ),
        "Listener": (
            f"{ELB}::Listener",
            {
                "LoadBalancerArn": {"Ref": "Balancer"},
                "Port": 80,
                "Protocol": "HTTP",
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
            },
        ),
        "Definition": (
            "AWS::ECS::TaskDefinition",
            {
                "ContainerDefinitions": [container],
                "Cpu": 256,
                "Memory": "512",
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
                "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        ),
        "Service": (
            "AWS::ECS::Service",
            {
                "Cluster": {"Ref": "Cluster"},
                "TaskDefinition": {"Ref": "Definition"},
                "DesiredCount": "1",
                "LaunchType": "FARGATE",
                "EnableECSManagedTags": "false",
                "HealthCheckGracePeriodSeconds": 400,
                "DeploymentConfiguration": {
                    "MinimumHealthyPercent": 100,
                    "MaximumPercent": 200,
                    "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
                },
                "LoadBalancers": [
                    {
                        "ContainerName": "web",
                        "ContainerPort": PORT,
                        "TargetGroupArn": {"Ref": "Targets"},
                    }
                ],
                "NetworkConfiguration": {
                    "AwsvpcConfiguration": {
                        "AssignPublicIp": "DISABLED",
                        "Subnets": ["subnet-00000001"],
                    }
                },
                "Tags": [{"Key": "team", "Value": "web"}],
            },
        ),
        "Scale": (
            f"{SCALING}::ScalableTarget",
            {
                "MinCapacity": 1,
                "MaxCapacity": "4",
                "ResourceId": {
                    "Fn::Join": [
                        "",
                        ["service/", {"Ref": "Cluster"}, "/", {"Fn::GetAtt": ["Service", "Name"]}],
                    ]
                },
                "ScalableDimension": "ecs:service:DesiredCount",
                "ServiceNamespace": "ecs",
            },
        ),
        "Policy": (
            f"{SCALING}::ScalingPolicy",
            {
                "PolicyName": "cpu",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Scale"},
                "TargetTrackingScalingPolicyConfiguration": {
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
                    },
                    "TargetValue": "60",
                },
            },
        ),
    }
    made: dict[str, Any] = {
        name: {"Type": kind, "Properties": properties}
        for name, (kind, properties) in resources.items()
    }
    made["Service"]["DependsOn"] = ["Listener"]
    return {
        "Resources": made,
        "Outputs": {"Service": {"Value": {"Ref": "Service"}}, "Name": {"Value": NAME}},
    }


NAME = {"Fn::GetAtt": ["Service", "Name"]}


@dataclass
class Stack:
    """One stack in an account of its own."""

    client: Callable[[str], Any]
    image: str
    template: stacks.Template = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cloudformation, self.ecs = self.client("cloudformation"), self.client("ecs")
        self.template = make_template(self.image)

    def apply(self, *, kind: str = "UPDATE") -> str:
        stacks.start(self.cloudformation, self.template, name="web", kind=kind)
        eventually(
            lambda: not stacks.status(self.cloudformation, "web").endswith("_IN_PROGRESS"),
            seconds=90,
        )
        self.cloudformation.delete_change_set(StackName="web", ChangeSetName="change")
        return stacks.status(self.cloudformation, "web")

    def properties(self, name: str) -> Any:
        return self.template["Resources"][name]["Properties"]

    def service(self) -> Any:
        arn = stacks.outputs(self.cloudformation, "web")["Service"]
        cluster = arn.split("/")[1]
        found = self.ecs.describe_services(cluster=cluster, services=[arn], include=["TAGS"])
        return found["services"][0]

    def exists(self) -> bool:
        found = self.cloudformation.describe_stacks()["Stacks"]
        return "web" in {one["StackName"] for one in found}

    def reasons(self) -> str:
        events = self.cloudformation.describe_stack_events(StackName="web")["StackEvents"]
        return "\n".join(str(event.get("ResourceStatusReason", "")) for event in events)


@pytest.fixture
def stack(client: Callable[[str], Any], image: str) -> Iterator[Stack]:
    made = Stack(client, image)
    yield made
    if made.exists():
        stacks.delete(made.cloudformation, "web")


def test_stack__service_of_a_cdk_shape__is_rolled_out_updated_and_scaled(stack: Stack) -> None:
    assert stack.apply(kind="CREATE") == "CREATE_COMPLETE", stack.reasons()
    made = stack.service()
    first = made["taskDefinition"]
    assert (made["runningCount"], made["deployments"][0]["rolloutState"]) == (1, "COMPLETED")
    assert made["tags"] == [{"key": "team", "value": "web"}]

    container = stack.properties("Definition")["ContainerDefinitions"][0]
    container["Environment"] = [{"Name": "VERSION", "Value": "2"}]
    stack.properties("Service")["Tags"] = [{"Key": "team", "Value": "shop"}]
    assert stack.apply() == "UPDATE_COMPLETE", stack.reasons()

    made = stack.service()
    definition = stack.ecs.describe_task_definition(taskDefinition=made["taskDefinition"])
    (runs,) = definition["taskDefinition"]["containerDefinitions"]
    assert runs["environment"] == [{"name": "VERSION", "value": "2"}]
    assert runs["dockerLabels"] == {"com.example.Team": "web"}
    assert made["tags"] == [{"key": "team", "value": "shop"}]
    old = stack.ecs.describe_task_definition(taskDefinition=first)["taskDefinition"]
    assert old["status"] == "INACTIVE"
    scaling = stack.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 60


@pytest.mark.parametrize("rolls_back", [True, False], ids=["ECS rolls back", "ECS does not"])
def test_stack__new_tasks_crash__the_breaker_fails_the_resource_and_the_stack_goes_back(
    stack: Stack, rolls_back: bool
) -> None:
    assert stack.apply(kind="CREATE") == "CREATE_COMPLETE", stack.reasons()
    before = stack.service()["taskDefinition"]

    breaker = stack.properties("Service")["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
    breaker["Rollback"] = rolls_back
    container = stack.properties("Definition")["ContainerDefinitions"][0]
    container["Environment"] = [{"Name": "EXITS", "Value": "3"}]
    assert stack.apply() == "UPDATE_ROLLBACK_COMPLETE"

    assert BREAKER in stack.reasons()
    assert "HandlerErrorCode: GeneralServiceException" in stack.reasons()
    made = stack.service()
    assert (made["taskDefinition"], made["runningCount"]) == (before, 1)
    assert made["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] is True


def test_stack__first_deployment_crashes__is_rolled_back_and_nothing_is_left(
    stack: Stack,
) -> None:
    container = stack.properties("Definition")["ContainerDefinitions"][0]
    container["Environment"] = [{"Name": "EXITS", "Value": "3"}]

    assert stack.apply(kind="CREATE") == "ROLLBACK_COMPLETE"

    assert BREAKER in stack.reasons()
    assert stack.ecs.list_clusters()["clusterArns"] == []


def test_stack__removed_by_hand__counts_as_deleted(stack: Stack) -> None:
    """A service whose template has no DesiredCount has one task, until somebody deletes it."""
    del stack.properties("Service")["DesiredCount"]
    assert stack.apply(kind="CREATE") == "CREATE_COMPLETE", stack.reasons()
    made = stack.service()
    assert (made["desiredCount"], made["runningCount"]) == (1, 1)

    where = {"cluster": made["clusterArn"]}
    stack.ecs.deregister_task_definition(taskDefinition=made["taskDefinition"])
    stack.ecs.delete_service(**where, service=made["serviceArn"], force=True)
    eventually(lambda: stack.service()["status"] == "INACTIVE", seconds=90)
    stack.ecs.delete_cluster(**where)

    stacks.delete(stack.cloudformation, "web")
    assert not stack.exists()


def test_stack__cancelled_during_a_rollout__goes_back_at_once(stack: Stack) -> None:
    assert stack.apply(kind="CREATE") == "CREATE_COMPLETE", stack.reasons()
    before = stack.service()["taskDefinition"]
    container = stack.properties("Definition")["ContainerDefinitions"][0]
    container["Environment"] = [{"Name": "EXITS", "Value": "3"}]
    settings = stack.properties("Service")["DeploymentConfiguration"]
    settings["DeploymentCircuitBreaker"] = {"Enable": False, "Rollback": False}
    stacks.start(stack.cloudformation, stack.template, name="web", kind="UPDATE")
    eventually(lambda: stack.service()["taskDefinition"] != before, seconds=90)

    stack.cloudformation.cancel_update_stack(StackName="web")
    eventually(
        lambda: stacks.status(stack.cloudformation, "web") == "UPDATE_ROLLBACK_COMPLETE", seconds=90
    )

    assert "Resource update cancelled" in stack.reasons()
    assert "User Initiated" in stack.reasons()
    made = stack.service()
    assert (made["taskDefinition"], made["runningCount"]) == (before, 1)


@pytest.mark.parametrize(
    ("resource", "path", "said"),
    [
        ("Service", ("Colour",), "#: extraneous key [Colour] is not permitted"),
        (
            "Definition",
            ("ContainerDefinitions", 0, "Colour"),
            "#/ContainerDefinitions/0: extraneous key [Colour] is not permitted",
        ),
    ],
    ids=["of a service", "of a container"],
)
def test_stack__property_that_the_type_lacks__is_refused(
    stack: Stack, resource: str, path: tuple[str | int, ...], said: str
) -> None:
    parent = stack.properties(resource)
    for part in path[:-1]:
        parent = parent[part]
    parent[path[-1]] = "blue"

    assert stack.apply(kind="CREATE") == "ROLLBACK_COMPLETE"

    assert said in stack.reasons()


def test_stack__refused_by_ecs__says_it_as_the_handler_does(stack: Stack) -> None:
    stack.properties("Service")["LoadBalancers"][0]["ContainerName"] = "other"

    assert stack.apply(kind="CREATE") == "ROLLBACK_COMPLETE"

    assert "Invalid request provided: CreateService error: " in stack.reasons()
    assert "HandlerErrorCode: InvalidRequest" in stack.reasons()


def test_stack__other_launch_type_of_a_named_service__must_be_renamed(stack: Stack) -> None:
    stack.properties("Service")["ServiceName"] = "web"
    assert stack.apply(kind="CREATE") == "CREATE_COMPLETE", stack.reasons()

    service = stack.properties("Service")
    del service["LaunchType"]
    service["CapacityProviderStrategy"] = [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}]
    assert stack.apply() == "UPDATE_ROLLBACK_COMPLETE"

    assert "when a custom-named resource requires replacing. Rename" in stack.reasons()


def test_stack__service_without_a_name__other_launch_type_makes_another(stack: Stack) -> None:
    assert stack.apply(kind="CREATE") == "CREATE_COMPLETE", stack.reasons()
    before = stack.service()["serviceArn"]

    service = stack.properties("Service")
    del service["LaunchType"]
    service["CapacityProviderStrategy"] = [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}]
    assert stack.apply() == "UPDATE_COMPLETE", stack.reasons()

    made = stack.service()
    assert (made["serviceArn"] != before, made["runningCount"]) == (True, 1)
    services = stack.ecs.list_services(cluster=made["clusterArn"])["serviceArns"]
    assert services == [made["serviceArn"]]


def test_change_set__new_image__replaces_the_task_definition_and_updates_the_service(
    stack: Stack,
) -> None:
    assert stack.apply(kind="CREATE") == "CREATE_COMPLETE", stack.reasons()
    stack.properties("Definition")["Memory"] = "1024"

    stacks.create_change_set(stack.cloudformation, stack.template, name="web", kind="UPDATE")

    found = stack.cloudformation.describe_change_set(StackName="web", ChangeSetName="change")
    changes = {
        change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"].get("Replacement")
        for change in found["Changes"]
    }
    assert changes["Definition"] == "True"
    assert changes["Service"] == "False"
