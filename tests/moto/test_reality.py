from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber

from fsd.aws.reality import AwsReality
from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.plan.reality import SecurityGroupRule, Seen, SeenGroup
from fsd.release.ports import Stack
from fsd.snapshot import TargetHealth
from tests.moto.conftest import TestClients

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/fsd-web-dev/1"
BALANCER, GROUP = "arn:aws:elb:lb", "arn:aws:elb:tg"
ROLE: Json = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "web-dev-task"}}
LOGS: Json = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/ecs/web-dev"}}


def stack(resources: Json | None = None, *, balanced: bool = True) -> Stack:
    outputs: Json = {
        "LoadBalancerArn": {"Value": {"Ref": "LoadBalancer"}},
        "TargetGroupArn": {"Value": {"Ref": "TargetGroup"}},
    }
    return Stack(
        name="fsd-web-dev",
        id=ID,
        status="CREATE_COMPLETE",
        template={"Resources": resources or {}, "Outputs": outputs if balanced else {}},
        outputs={"LoadBalancerArn": BALANCER, "TargetGroupArn": GROUP} if balanced else {},
        tags={},
    )


@pytest.fixture
def reality(clients: TestClients) -> AwsReality:
    return AwsReality(clients=clients)


@pytest.fixture
def elb(stub: Callable[[str], Stubber]) -> Stubber:
    return stub("elbv2")


@pytest.fixture
def no_groups(stub: Callable[[str], Stubber]) -> None:
    """The stack has no security group."""
    says_groups(stub("ec2"))


def says_groups(ec2: Stubber, *groups: dict[str, Any]) -> None:
    by_stack = [{"Name": "tag:aws:cloudformation:stack-id", "Values": [ID]}]
    ec2.add_response(
        "describe_security_groups", {"SecurityGroups": [*groups]}, {"Filters": by_stack}
    )


def says_listeners(elb: Stubber, *ports: int, forwards: bool = True) -> None:
    action = {"Type": "forward", "TargetGroupArn": GROUP} if forwards else {"Type": "redirect"}
    listeners = [{"Port": port, "DefaultActions": [action]} for port in ports]
    elb.add_response("describe_listeners", {"Listeners": listeners}, {"LoadBalancerArn": BALANCER})


@pytest.mark.usefixtures("no_groups")
def test_look__all_is_there__one_call_of_the_load_balancer(
    reality: AwsReality, elb: Stubber
) -> None:
    says_listeners(elb, 80)

    assert reality.look(stack()) == Seen(
        groups={},
        balancer_exists=True,
        listener_ports=frozenset({80}),
        target_group_exists=True,
        target_group_is_used=True,
    )


def with_listeners(count: int) -> Json:
    listener: Json = {
        "Type": "AWS::ElasticLoadBalancingV2::Listener",
        "Properties": {"LoadBalancerArn": {"Ref": "LoadBalancer"}},
    }
    return {f"Listener{number}": listener for number in range(count)}


def target(state: str) -> TargetHealth:
    return TargetHealth(address="10.0.0.1", port=8000, state=state)


@pytest.mark.usefixtures("no_groups", "elb")
@pytest.mark.parametrize("state", ["healthy", "unhealthy"])
def test_look__a_target_is_checked__no_call_of_the_load_balancer(
    reality: AwsReality, state: str
) -> None:
    seen = reality.look(stack(with_listeners(1)), targets=[target("unused"), target(state)])

    assert seen == Seen(groups={}, target_group_exists=True, target_group_is_used=True)


@pytest.mark.usefixtures("no_groups")
@pytest.mark.parametrize("state", ["unused", "draining", "initial", "unavailable"])
def test_look__no_target_is_checked__asked_all_the_same(
    reality: AwsReality, elb: Stubber, state: str
) -> None:
    says_listeners(elb, 80)

    seen = reality.look(stack(with_listeners(1)), targets=[target(state)])

    assert (seen.listener_ports, seen.target_group_is_used) == (frozenset({80}), True)


@pytest.mark.usefixtures("no_groups")
def test_look__two_listeners__which_of_them_is_there_is_asked(
    reality: AwsReality, elb: Stubber
) -> None:
    says_listeners(elb, 443, forwards=False)

    seen = reality.look(stack(with_listeners(2)), targets=[target("healthy")])

    assert (seen.listener_ports, seen.target_group_is_used) == (frozenset({443}), True)


@pytest.mark.usefixtures("no_groups")
@pytest.mark.parametrize(("balancers", "is_used"), [([BALANCER], True), ([], False)])
def test_look__no_default_action_forwards__a_rule_may(
    reality: AwsReality, elb: Stubber, balancers: list[str], is_used: bool
) -> None:
    says_listeners(elb, 80, forwards=False)
    found = [{"TargetGroupArn": GROUP, "LoadBalancerArns": balancers}]
    elb.add_response(
        "describe_target_groups", {"TargetGroups": found}, {"TargetGroupArns": [GROUP]}
    )

    seen = reality.look(stack())

    assert (seen.target_group_exists, seen.target_group_is_used) == (True, is_used)


@pytest.mark.usefixtures("no_groups")
def test_look__load_balancer_and_target_group_are_gone(reality: AwsReality, elb: Stubber) -> None:
    elb.add_client_error("describe_listeners", "LoadBalancerNotFound", "gone")
    elb.add_client_error("describe_target_groups", "TargetGroupNotFound", "gone")

    seen = reality.look(stack())

    assert (seen.balancer_exists, seen.listener_ports) == (False, frozenset())
    assert (seen.target_group_exists, seen.target_group_is_used) == (False, False)


@pytest.mark.usefixtures("no_groups")
def test_look__no_listener__the_load_balancer_itself_is_asked_for(
    reality: AwsReality, elb: Stubber
) -> None:
    says_listeners(elb)
    elb.add_response("describe_load_balancers", {"LoadBalancers": []})
    elb.add_client_error("describe_target_groups", "TargetGroupNotFound", "gone")

    seen = reality.look(stack())

    assert (seen.balancer_exists, seen.listener_ports) == (True, frozenset())


def test_look__denied__unknown(
    reality: AwsReality, elb: Stubber, stub: Callable[[str], Stubber]
) -> None:
    for operation in ("describe_listeners", "describe_target_groups"):
        elb.add_client_error(operation, "AccessDenied", "no")
    stub("ec2").add_client_error("describe_security_groups", "UnauthorizedOperation", "no")
    stub("iam").add_client_error("get_role", "AccessDenied", "no")
    stub("logs").add_client_error("describe_log_groups", "AccessDeniedException", "no")

    assert reality.look(stack({"TaskRole": ROLE, "LogGroup": LOGS})) == Seen(
        roles={"web-dev-task": True}, log_groups={"/ecs/web-dev": True}
    )


def test_look__another_error__raised(reality: AwsReality, elb: Stubber) -> None:
    elb.add_client_error("describe_listeners", "ValidationError", "no such thing")

    with pytest.raises(CallFailedError, match="ValidationError"):
        reality.look(stack())


@pytest.mark.usefixtures("no_groups")
def test_look__role_and_log_group__by_name(
    reality: AwsReality, stub: Callable[[str], Stubber]
) -> None:
    stub("iam").add_client_error("get_role", "NoSuchEntity", "gone")
    others = [{"logGroupName": "/ecs/web-dev-2"}]
    stub("logs").add_response("describe_log_groups", {"logGroups": others})

    seen = reality.look(stack({"TaskRole": ROLE, "LogGroup": LOGS}, balanced=False))

    assert (seen.roles, seen.log_groups) == ({"web-dev-task": False}, {"/ecs/web-dev": False})


def test_look__security_groups__by_the_tag_of_cloudformation(
    reality: AwsReality, stub: Callable[[str], Stubber]
) -> None:
    open_to = {"IpRanges": [{"CidrIp": "10.0.0.0/16"}], "UserIdGroupPairs": [{"GroupId": "sg-2"}]}
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81, **open_to}
    everywhere = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    says_groups(
        stub("ec2"),
        {
            "GroupId": "sg-1",
            "IpPermissions": [permission],
            "IpPermissionsEgress": [everywhere],
            "Tags": [{"Key": "aws:cloudformation:logical-id", "Value": "TaskSecurityGroup"}],
        },
    )

    assert reality.look(stack(balanced=False)).groups == {
        "TaskSecurityGroup": SeenGroup(
            id="sg-1",
            ingress=frozenset(
                SecurityGroupRule(protocol="tcp", first=80, last=81, peer=peer)
                for peer in ("10.0.0.0/16", "sg-2")
            ),
            egress=frozenset(
                {SecurityGroupRule(protocol="-1", first=None, last=None, peer="0.0.0.0/0")}
            ),
        )
    }
