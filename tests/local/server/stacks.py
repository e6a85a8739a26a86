"""A stack with every kind of resource that FSD's own stacks have, and how to apply it."""

from __future__ import annotations

import json
from typing import Any

from tests.waiting import eventually

Template = dict[str, Any]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
READS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}],
}
TAGS = [{"Key": "fsd:service", "Value": "app"}]
VPC = "vpc-00000001"


def make_template(*, health_path: str = "/health", retention: int = 30) -> Template:
    """Roles, an inline policy, a log group, security groups, a load balancer and its parts."""
    elb = "AWS::ElasticLoadBalancingV2"
    resources: dict[str, Template] = {
        "Role": _resource(
            "AWS::IAM::Role",
            RoleName="app-dev-task",
            Path="/fsd/",
            AssumeRolePolicyDocument=TRUST,
            ManagedPolicyArns=[
                "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
            ],
            Policies=[{"PolicyName": "inline", "PolicyDocument": READS}],
            Tags=TAGS,
        ),
        "Policy": _resource(
            "AWS::IAM::Policy",
            PolicyName="more",
            Roles=[{"Ref": "Role"}],
            PolicyDocument=READS,
        ),
        "Logs": {
            **_resource(
                "AWS::Logs::LogGroup",
                LogGroupName="/ecs/app-dev",
                RetentionInDays=retention,
                Tags=TAGS,
            ),
            "DeletionPolicy": "Delete",
        },
        "BalancerGroup": _resource(
            "AWS::EC2::SecurityGroup",
            GroupDescription="load balancer",
            VpcId=VPC,
            SecurityGroupIngress=[_rule(80, CidrIp="10.0.0.0/8")],
            Tags=TAGS,
        ),
        "TaskGroup": _resource(
            "AWS::EC2::SecurityGroup",
            GroupDescription="tasks",
            VpcId=VPC,
            SecurityGroupIngress=[
                _rule(8000, SourceSecurityGroupId={"Fn::GetAtt": ["BalancerGroup", "GroupId"]})
            ],
        ),
        "ToTasks": _resource(
            "AWS::EC2::SecurityGroupEgress",
            GroupId={"Fn::GetAtt": ["BalancerGroup", "GroupId"]},
            **_rule(8000, DestinationSecurityGroupId={"Fn::GetAtt": ["TaskGroup", "GroupId"]}),
        ),
        "Balancer": _resource(
            f"{elb}::LoadBalancer",
            Name="app-dev",
            Scheme="internal",
            Subnets=["subnet-00000001", "subnet-00000002"],
            SecurityGroups=[{"Fn::GetAtt": ["BalancerGroup", "GroupId"]}],
            LoadBalancerAttributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "30"}],
            Tags=TAGS,
        ),
        "Targets": _resource(
            f"{elb}::TargetGroup",
            Name="app-dev",
            VpcId=VPC,
            Port=8000,
            Protocol="HTTP",
            TargetType="ip",
            HealthCheckPath=health_path,
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
            Matcher={"HttpCode": "200"},
            TargetGroupAttributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
            Tags=TAGS,
        ),
        "Listener": _resource(
            f"{elb}::Listener",
            LoadBalancerArn={"Ref": "Balancer"},
            Port=80,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
            Tags=TAGS,
        ),
    }
    return {
        "Resources": resources,
        "Outputs": {
            "Url": {"Value": {"Fn::Sub": "http://${Balancer.DNSName}"}},
            "TargetGroup": {"Value": {"Ref": "Targets"}},
            "LoadBalancer": {"Value": {"Ref": "Balancer"}},
        },
    }


def add_wait(template: Template) -> Template:
    """Make an operation take two seconds, and then fail."""
    added = {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": _resource(
            "AWS::CloudFormation::WaitCondition", Handle={"Ref": "Handle"}, Timeout="2"
        ),
    }
    return {**template, "Resources": {**template["Resources"], **added}}


def _resource(kind: str, **properties: Any) -> Template:
    return {"Type": kind, "Properties": properties}


def _rule(port: int, **more: Any) -> Template:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **more}


def start(client: Any, template: Template, *, name: str = "app", kind: str = "CREATE") -> None:
    """Create a change set and execute it."""
    create_change_set(client, template, name=name, kind=kind)
    client.execute_change_set(StackName=name, ChangeSetName="change")


def create_change_set(
    client: Any, template: Template, *, name: str = "app", kind: str = "CREATE"
) -> None:
    client.create_change_set(
        StackName=name,
        ChangeSetName="change",
        ChangeSetType=kind,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    eventually(
        lambda: (
            client.describe_change_set(StackName=name, ChangeSetName="change")["Status"]
            == "CREATE_COMPLETE"
        )
    )


def status(client: Any, name: str = "app") -> str:
    return str(client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])


def apply(client: Any, template: Template, *, name: str = "app", kind: str = "CREATE") -> str:
    """Start it and wait for its end; the stack's status."""
    start(client, template, name=name, kind=kind)
    eventually(lambda: not status(client, name).endswith("_IN_PROGRESS"), seconds=30)
    client.delete_change_set(StackName=name, ChangeSetName="change")
    return status(client, name)


def outputs(client: Any, name: str = "app") -> dict[str, str]:
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def delete(client: Any, name: str = "app") -> None:
    identifier = client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    client.delete_stack(StackName=name)
    eventually(lambda: status(client, identifier) == "DELETE_COMPLETE", seconds=30)
