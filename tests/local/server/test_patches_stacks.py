"""One contract test for each patch of MiniStack's CloudFormation and its load balancing."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fsd_local import instance as local
from fsd_local.instance import Instance
from tests.local.server import stacks
from tests.local.server.conftest import Clients
from tests.local.server.targets import serving
from tests.waiting import eventually


@pytest.fixture
def cloudformation(aws: Clients) -> Any:
    return aws("cloudformation")


@pytest.fixture
def elbv2(aws: Clients) -> Any:
    return aws("elbv2")


def state_of(elbv2: Any, group: str) -> str:
    (found,) = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return str(found["TargetHealth"]["State"])


def test_stack__created_updated_and_deleted__leaves_nothing(
    cloudformation: Any, aws: Clients, elbv2: Any, instance: Instance
) -> None:
    def resources() -> dict[str, int]:
        found = local.probe(instance.endpoint)
        assert found is not None
        return dict(found.resources)

    before = resources()
    assert stacks.apply(cloudformation, stacks.make_template()) == "CREATE_COMPLETE"
    changed = stacks.make_template(health_path="/other", retention=7)
    assert stacks.apply(cloudformation, changed, kind="UPDATE") == "UPDATE_COMPLETE"
    (group,) = elbv2.describe_target_groups()["TargetGroups"]
    (logs,) = aws("logs").describe_log_groups()["logGroups"]
    assert (group["HealthCheckPath"], logs["retentionInDays"]) == ("/other", 7)
    stacks.delete(cloudformation)
    assert resources() == before


def test_change_set__of_the_outputs_alone__is_executed(cloudformation: Any) -> None:
    """An update in which nothing changes is still refused."""
    template = stacks.make_template()
    stacks.apply(cloudformation, template)
    template["Outputs"]["Group"] = template["Outputs"].pop("TargetGroup")

    assert stacks.apply(cloudformation, template, kind="UPDATE") == "UPDATE_COMPLETE"

    assert set(stacks.outputs(cloudformation)) == {"Url", "Group", "LoadBalancer"}
    again = {"StackName": "app", "ChangeSetName": "again"}
    capabilities = ["CAPABILITY_NAMED_IAM"]
    cloudformation.create_change_set(
        **again, TemplateBody=json.dumps(template), Capabilities=capabilities
    )
    unchanged = cloudformation.describe_change_set(**again)
    assert unchanged["Status"] == "FAILED"
    assert "didn't contain changes" in unchanged["StatusReason"]


def test_stack__load_balancer__has_a_reachable_name(
    cloudformation: Any, elbv2: Any, instance: Instance, account: str
) -> None:
    stacks.apply(cloudformation, stacks.make_template())
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    port = instance.endpoint.rpartition(":")[2]
    assert balancer["DNSName"] == f"app-dev.us-east-1.{account}.elb.localhost:{port}"
    assert stacks.outputs(cloudformation)["Url"] == f"http://{balancer['DNSName']}"


def test_rule__priority_is_taken__is_refused(cloudformation: Any, elbv2: Any) -> None:
    stacks.apply(cloudformation, stacks.make_template())
    made = stacks.outputs(cloudformation)
    (listener,) = elbv2.describe_listeners(LoadBalancerArn=made["LoadBalancer"])["Listeners"]
    rule = {
        "ListenerArn": listener["ListenerArn"],
        "Conditions": [{"Field": "path-pattern", "Values": ["/x"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": made["TargetGroup"]}],
        "Priority": 7,
    }
    elbv2.create_rule(**rule)

    with pytest.raises(ClientError, match=r"PriorityInUse.*'7' is currently in use"):
        elbv2.create_rule(**rule)


GROUP = {
    "Name": "tried",
    "TargetType": "ip",
    "Protocol": "HTTP",
    "Port": 80,
    "VpcId": stacks.VPC,
}


def test_target_group__made_again__the_same_where_it_is_the_same_call(elbv2: Any) -> None:
    wanted = {**GROUP, "HealthCheckPath": "/ready"}
    (first,) = elbv2.create_target_group(**wanted)["TargetGroups"]

    (again,) = elbv2.create_target_group(**wanted)["TargetGroups"]

    assert again["TargetGroupArn"] == first["TargetGroupArn"]
    with pytest.raises(ClientError, match=r"DuplicateTargetGroupName"):
        elbv2.create_target_group(**wanted | {"HealthCheckPath": "/other"})


def test_target_group__rule_forwards_to_it__is_the_load_balancers_for_so_long(
    cloudformation: Any, elbv2: Any
) -> None:
    def balancers() -> list[str]:
        (found,) = elbv2.describe_target_groups(Names=["tried"])["TargetGroups"]
        return list(found["LoadBalancerArns"])

    stacks.apply(cloudformation, stacks.make_template())
    balancer = stacks.outputs(cloudformation)["LoadBalancer"]
    (listener,) = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    (group,) = elbv2.create_target_group(**GROUP)["TargetGroups"]
    assert balancers() == []
    (rule,) = elbv2.create_rule(
        ListenerArn=listener["ListenerArn"],
        Conditions=[{"Field": "path-pattern", "Values": ["/x"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
        Priority=7,
    )["Rules"]
    assert balancers() == [balancer]
    elbv2.delete_rule(RuleArn=rule["RuleArn"])
    assert balancers() == []


def test_stack__attributes__are_complete(cloudformation: Any, elbv2: Any) -> None:
    stacks.apply(cloudformation, stacks.make_template())
    made = stacks.outputs(cloudformation)
    group = elbv2.describe_target_group_attributes(TargetGroupArn=made["TargetGroup"])
    balancer = elbv2.describe_load_balancer_attributes(LoadBalancerArn=made["LoadBalancer"])
    attributes = {a["Key"]: a["Value"] for a in group["Attributes"] + balancer["Attributes"]}
    assert attributes["deregistration_delay.timeout_seconds"] == "30"
    assert attributes["load_balancing.algorithm.type"] == "round_robin"
    assert attributes["idle_timeout.timeout_seconds"] == "30"
    assert attributes["deletion_protection.enabled"] == "false"


def test_stack__rule_of_its_own__is_in_the_security_group(
    cloudformation: Any, aws: Clients
) -> None:
    stacks.apply(cloudformation, stacks.make_template())
    groups = aws("ec2").describe_security_groups()["SecurityGroups"]
    (group,) = [group for group in groups if group["Description"] == "load balancer"]
    rules = [rule for rule in group["IpPermissionsEgress"] if rule["IpProtocol"] == "tcp"]
    assert [rule["FromPort"] for rule in rules] == [8000]


def test_create_change_set__role_without_capability__is_refused(cloudformation: Any) -> None:
    with pytest.raises(ClientError, match=r"InsufficientCapabilities.*CAPABILITY_NAMED_IAM"):
        cloudformation.create_change_set(
            StackName="app",
            ChangeSetName="change",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps(stacks.make_template()),
        )


def test_create_change_set__stack_is_being_updated__is_refused(cloudformation: Any) -> None:
    stacks.apply(cloudformation, stacks.make_template())
    stacks.start(cloudformation, stacks.add_wait(stacks.make_template()), kind="UPDATE")
    with pytest.raises(ClientError, match=r"is in UPDATE_IN_PROGRESS state and can not be updated"):
        cloudformation.create_change_set(
            StackName="app",
            ChangeSetName="second",
            TemplateBody=json.dumps(stacks.make_template(retention=7)),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    with pytest.raises(ClientError, match="cannot be deleted while in status UPDATE_"):
        cloudformation.delete_stack(StackName="app")
    eventually(lambda: stacks.status(cloudformation) == "UPDATE_ROLLBACK_COMPLETE")


def test_stack__same_request_again_with_its_token__same_answer_and_done_once(
    cloudformation: Any,
) -> None:
    request = {
        "StackName": "app",
        "ChangeSetName": "change",
        "ChangeSetType": "CREATE",
        "ClientToken": "t-1",
        "TemplateBody": json.dumps(stacks.make_template()),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    made = [cloudformation.create_change_set(**request)["Id"] for _ in range(2)]
    for _ in range(2):
        cloudformation.execute_change_set(ChangeSetName=made[0], ClientRequestToken="t-2")
    eventually(lambda: stacks.status(cloudformation) == "CREATE_COMPLETE")
    assert made[0] == made[1]
    with pytest.raises(ClientError, match="already exists"):
        cloudformation.create_change_set(**request | {"ClientToken": "t-3"})


def test_create_change_set__two_that_create_one_stack__are_of_the_same_stack(
    cloudformation: Any,
) -> None:
    def create(change_set: str, template: object) -> Any:
        return cloudformation.create_change_set(
            StackName="app",
            ChangeSetName=change_set,
            ChangeSetType="CREATE",
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )

    first = create("first", stacks.make_template())
    second = create("second", stacks.make_template(retention=7))
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        create("third", {"Resources": {"S": {"Type": "AWS::No::Such"}}})
    cloudformation.execute_change_set(ChangeSetName=first["Id"])
    eventually(lambda: stacks.status(cloudformation, first["StackId"]) == "CREATE_COMPLETE")

    assert second["StackId"] == first["StackId"]
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        cloudformation.execute_change_set(ChangeSetName=second["Id"])


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("UPDATE", "is in ROLLBACK_COMPLETE state and can not be updated"),
        ("CREATE", "already exists and cannot be created again with the changeSet"),
    ],
)
def test_create_change_set__first_creation_failed__has_to_be_deleted(
    cloudformation: Any, kind: str, message: str
) -> None:
    failed = stacks.apply(cloudformation, stacks.add_wait(stacks.make_template()))
    assert failed == "ROLLBACK_COMPLETE"
    with pytest.raises(ClientError, match=message):
        stacks.create_change_set(cloudformation, stacks.make_template(), kind=kind)
    stacks.delete(cloudformation)
    assert stacks.apply(cloudformation, stacks.make_template()) == "CREATE_COMPLETE"


def test_stack__names_are_taken__rolls_back_and_says_which(cloudformation: Any) -> None:
    stacks.apply(cloudformation, stacks.make_template())
    second = stacks.apply(cloudformation, stacks.make_template(), name="second")
    events = cloudformation.describe_stack_events(StackName="second")["StackEvents"]
    reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
    assert second == "ROLLBACK_COMPLETE"
    assert "already exists" in reasons
    assert stacks.status(cloudformation) == "CREATE_COMPLETE"


def test_stack__name_is_too_long__rolls_back(cloudformation: Any) -> None:
    template = stacks.make_template()
    template["Resources"]["Balancer"]["Properties"]["Name"] = "b" * 33
    assert stacks.apply(cloudformation, template) == "ROLLBACK_COMPLETE"


def test_stack__ecs_cluster__is_one_of_our_control_plane(cloudformation: Any, aws: Clients) -> None:
    template = {
        "Resources": {"C": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "blue"}}}
    }
    stacks.apply(cloudformation, template)
    made = aws("ecs").describe_clusters(clusters=["blue"])["clusters"]
    stacks.delete(cloudformation)
    assert [cluster["status"] for cluster in made] == ["ACTIVE"]


def test_stack__ecs_cluster__has_what_the_template_gives_it(
    cloudformation: Any, aws: Clients
) -> None:
    properties: dict[str, Any] = {"ClusterName": "blue"}
    template = {"Resources": {"C": {"Type": "AWS::ECS::Cluster", "Properties": properties}}}
    stacks.apply(cloudformation, template)
    properties["ServiceConnectDefaults"] = {"Namespace": "green"}
    properties["CapacityProviders"] = ["FARGATE", "FARGATE_SPOT"]
    properties["DefaultCapacityProviderStrategy"] = [{"CapacityProvider": "FARGATE", "Weight": 1}]
    properties["ClusterSettings"] = [{"Name": "containerInsights", "Value": "enabled"}]
    stacks.apply(cloudformation, template, kind="UPDATE")
    (made,) = aws("ecs").describe_clusters(clusters=["blue"], include=["SETTINGS"])["clusters"]
    stacks.delete(cloudformation)
    assert made["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert made["defaultCapacityProviderStrategy"][0]["capacityProvider"] == "FARGATE"
    assert ":namespace/" in made["serviceConnectDefaults"]["namespace"]
    assert made["settings"] == [{"name": "containerInsights", "value": "enabled"}]


def listener_with(**action: Any) -> dict[str, Any]:
    return {"LoadBalancerArn": "x", "Port": 80, "Protocol": "HTTP", "DefaultActions": [action]}


@pytest.mark.parametrize(
    ("kind", "properties", "reason"),
    [
        (
            "Logs::LogGroup",
            {"RetentionInDays": 2},
            "Properties validation failed for resource R with message:\n[#/RetentionInDays: failed "
            "validation constraint for keyword [enum]]",
        ),
        ("Logs::LogGroup", {"Retention": 7}, "Encountered unsupported property Retention"),
        (
            "Logs::LogGroup",
            {"Tags": [{"Key": "a", "Val{ue": "b"}]},
            "Properties validation failed for resource R with message:\n[#/Tags/0: extraneous key "
            "[Val{ue] is not permitted]",
        ),
        (
            "Logs::LogGroup",
            {"DeletionProtectionEnabled": True},
            "The embedded AWS does not act on DeletionProtectionEnabled.",
        ),
        (
            "ElasticLoadBalancingV2::Listener",
            listener_with(Type="forwards"),
            "Properties validation failed for resource R with message:\n[#/DefaultActions/0/Type: "
            "failed validation constraint for keyword [enum]]",
        ),
    ],
)
def test_stack__property_that_aws_does_not_take__rolled_back_in_its_words(
    cloudformation: Any, kind: str, properties: dict[str, Any], reason: str
) -> None:
    template = {"Resources": {"R": {"Type": f"AWS::{kind}", "Properties": properties}}}

    ended = stacks.apply(cloudformation, template)

    events = cloudformation.describe_stack_events(StackName="app")["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"] == "CREATE_FAILED"]
    assert ended == "ROLLBACK_COMPLETE"
    assert [e["ResourceStatusReason"] for e in failed] == [reason]


def test_change_set__retention_as_text__same_resource_and_in_place(cloudformation: Any) -> None:
    template = stacks.make_template()
    logs = template["Resources"] = {"Logs": template["Resources"]["Logs"]}
    template.pop("Outputs")
    stacks.apply(cloudformation, template)
    logs["Logs"]["Properties"]["RetentionInDays"] = "90"

    stacks.create_change_set(cloudformation, template, kind="UPDATE")

    (change,) = cloudformation.describe_change_set(StackName="app", ChangeSetName="change")[
        "Changes"
    ]
    assert change["ResourceChange"]["Replacement"] == "False"


def test_stack__task_set__is_refused_before_anything_is_made(cloudformation: Any) -> None:
    template = {"Resources": {"S": {"Type": "AWS::ECS::TaskSet", "Properties": {}}}}
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        stacks.create_change_set(cloudformation, template)


def test_target_health__real_answers__decide(cloudformation: Any, elbv2: Any) -> None:
    stacks.apply(cloudformation, stacks.make_template())
    group = stacks.outputs(cloudformation)["TargetGroup"]
    with serving() as target:
        wanted = [{"Id": "127.0.0.1", "Port": target.server_port}]
        elbv2.register_targets(TargetGroupArn=group, Targets=wanted)
        elbv2.get_waiter("target_in_service").wait(
            TargetGroupArn=group, Targets=wanted, WaiterConfig={"Delay": 1, "MaxAttempts": 10}
        )
        target.status = 500
        eventually(lambda: state_of(elbv2, group) == "unhealthy")
        elbv2.deregister_targets(TargetGroupArn=group, Targets=wanted)
        elbv2.get_waiter("target_deregistered").wait(
            TargetGroupArn=group, Targets=wanted, WaiterConfig={"Delay": 1, "MaxAttempts": 10}
        )


def test_target_health__aws_cli_waiter__sees_it(
    cloudformation: Any, elbv2: Any, instance: Instance, account: str
) -> None:
    stacks.apply(cloudformation, stacks.make_template())
    group = stacks.outputs(cloudformation)["TargetGroup"]
    with serving() as target:
        elbv2.register_targets(
            TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": target.server_port}]
        )
        eventually(lambda: state_of(elbv2, group) == "healthy")
        ended = subprocess.run(
            [
                Path(sys.executable).with_name("aws"),
                *("elbv2", "wait", "target-in-service", "--target-group-arn", group),
            ],
            env={
                "PATH": os.environ["PATH"],
                "AWS_ENDPOINT_URL": instance.endpoint,
                "AWS_ACCESS_KEY_ID": account,
                "AWS_SECRET_ACCESS_KEY": instance.secret,
                "AWS_DEFAULT_REGION": "us-east-1",
            },
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_load_balancer__two_listeners__answers_with_the_one_that_forwards(
    cloudformation: Any, elbv2: Any, instance: Instance
) -> None:
    template = stacks.make_template()
    listener = template["Resources"]["Listener"]["Properties"]
    template["Resources"]["Secure"] = {
        "Type": "AWS::ElasticLoadBalancingV2::Listener",
        "Properties": {
            **listener,
            "Port": 443,
            "Protocol": "HTTPS",
            "Certificates": [{"CertificateArn": "arn:aws:acm:us-east-1:1:certificate/x"}],
        },
    }
    template["Resources"]["Listener"]["Properties"] = {
        **listener,
        "DefaultActions": [
            {
                "Type": "redirect",
                "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
            }
        ],
    }
    template["Resources"]["Balancer"]["Properties"]["Name"] = "two-listeners"
    stacks.apply(cloudformation, template)
    group = stacks.outputs(cloudformation)["TargetGroup"]
    with serving("secure") as target:
        elbv2.register_targets(
            TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": target.server_port}]
        )
        eventually(lambda: state_of(elbv2, group) == "healthy")
        status, body = get(instance, "/_alb/two-listeners/x")
        by_port = [get(instance, f"/_alb/two-listeners:{port}/x")[0] for port in (80, 443, 8080)]
    found = local.call(instance.endpoint, "GET", "/_fsd/status", secret=instance.secret)
    assert (status, body) == (200, b"secure")
    assert by_port == [301, 200, 503]
    assert any("HTTPS" in note for note in found["notes"])


def get(instance: Instance, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(instance.endpoint.removeprefix("http://"))
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


# ---- the ELBv2 API by itself


@pytest.fixture
def group(elbv2: Any) -> str:
    made = elbv2.create_target_group(
        Name="g", Protocol="HTTP", Port=80, VpcId=stacks.VPC, TargetType="ip"
    )
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def balancer_for(elbv2: Any, group: str) -> str:
    """A load balancer with a listener that forwards to the group; its ARN."""
    made = elbv2.create_load_balancer(Name="b", Subnets=["subnet-00000001", "subnet-00000002"])
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.create_listener(
        LoadBalancerArn=arn,
        Port=80,
        Protocol="HTTP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(arn)


def test_create_load_balancer__by_api__has_a_reachable_name(
    elbv2: Any, group: str, instance: Instance, account: str
) -> None:
    balancer_for(elbv2, group)
    (found,) = elbv2.describe_load_balancers()["LoadBalancers"]
    port = instance.endpoint.rpartition(":")[2]
    assert found["DNSName"] == f"b.us-east-1.{account}.elb.localhost:{port}"


def test_delete_target_group__in_use__is_refused_until_its_load_balancer_is_gone(
    elbv2: Any, group: str
) -> None:
    arn = balancer_for(elbv2, group)
    with pytest.raises(elbv2.exceptions.ResourceInUseException):
        elbv2.delete_target_group(TargetGroupArn=group)
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    elbv2.delete_target_group(TargetGroupArn=group)
    with pytest.raises(elbv2.exceptions.TargetGroupNotFoundException):
        elbv2.describe_target_groups(Names=["g"])


def test_register_targets__no_address__is_an_invalid_target(elbv2: Any, group: str) -> None:
    with pytest.raises(elbv2.exceptions.InvalidTargetException):
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "i-1"}])


def test_describe_target_health__group_without_a_listener__is_unused(
    elbv2: Any, group: str
) -> None:
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": 9}])
    (found,) = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert found["TargetHealth"]["Reason"] == "Target.NotInUse"


def test_describe_target_health__group_is_missing__is_an_error(elbv2: Any, group: str) -> None:
    with pytest.raises(elbv2.exceptions.TargetGroupNotFoundException):
        elbv2.describe_target_health(TargetGroupArn=group + "0")
