from __future__ import annotations

import pytest

from fsd.compile.desired import Json, JsonValue
from fsd.plan.transition import is_same_template, left_behind, transition_template


def template(**resources: Json) -> Json:
    return {"Outputs": {}, "Resources": dict(resources)}


def group(*ports: int) -> Json:
    ingress: list[JsonValue] = [{"IpProtocol": "tcp", "FromPort": port} for port in ports]
    return {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"VpcId": "vpc-1", "SecurityGroupIngress": ingress},
    }


def role(*actions: str, policy: str = "dependencies") -> Json:
    statements: list[JsonValue] = [{"Effect": "Allow", "Action": action} for action in actions]
    document: Json = {"Version": "2012-10-17", "Statement": statements}
    policies: list[JsonValue] = [{"PolicyName": policy, "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "web", "Policies": policies}}


def log_group(days: int) -> Json:
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}}


def listener(port: int, protocol: str = "TCP", **more: JsonValue) -> Json:
    forward: list[JsonValue] = [{"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}]
    properties: Json = {"Port": port, "Protocol": protocol, "DefaultActions": forward, **more}
    return {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": properties}


@pytest.mark.parametrize("after", [listener(9000), listener(8000, "TLS", SslPolicy="strict")])
def test_transition_template__listener_of_tcp_moves__stays_for_its_clients(after: Json) -> None:
    before = template(Listener=listener(8000))

    both = transition_template(before, template(Listener=after))

    assert both == before
    assert transition_template(both, template(Listener=after)) == both


def test_transition_template__listener_at_the_same_port__is_changed() -> None:
    after = template(Listener=listener(8000, ListenerAttributes=[{"Key": "a", "Value": "1"}]))

    assert transition_template(template(Listener=listener(8000)), after) == after


def test_transition_template__nothing_goes_away__the_new_one() -> None:
    after = template(Tasks=group(8000, 9090), Role=role("s3:GetObject"), Logs=log_group(30))

    assert transition_template(template(Tasks=group(8000), Logs=log_group(7)), after) == after


def test_transition_template__another_port__both_are_open() -> None:
    both = transition_template(template(Tasks=group(8000)), template(Tasks=group(9000)))

    assert both == template(Tasks=group(9000, 8000))


def test_transition_template__permission_withdrawn__old_tasks_keep_it() -> None:
    before, after = template(Role=role("s3:GetObject")), template(Role=role("sqs:SendMessage"))

    both = transition_template(before, after)

    assert both == template(Role=role("sqs:SendMessage", "s3:GetObject"))


def test_transition_template__all_permissions_withdrawn__old_tasks_keep_them() -> None:
    bare: Json = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "web"}}

    both = transition_template(template(Role=role("s3:GetObject")), template(Role=bare))

    assert both == template(Role=role("s3:GetObject"))


def test_transition_template__both_are_more_than_iam_takes__the_new_ones() -> None:
    before = template(Role=role("s3:GetObject" + "1" * 6000))
    after = template(Role=role("s3:GetObject" + "2" * 6000))

    assert transition_template(before, after) == after


def test_transition_template__resource_removed__stays() -> None:
    both = transition_template(template(Old=log_group(7)), template(New=log_group(7)))

    assert both == template(Old=log_group(7), New=log_group(7))


def test_transition_template__applied_to_its_own_result__no_change() -> None:
    before = template(Tasks=group(8000), Role=role("a:B", "c:D"), Old=log_group(7))
    after = template(Tasks=group(9000), Role=role("e:F"), New=log_group(7))
    both = transition_template(before, after)

    assert transition_template(both, after) == both
    assert is_same_template(transition_template(after, both), both)


def test_transition_template__outputs__of_the_new_one() -> None:
    before, after = template(), template()
    before["Outputs"], after["Outputs"] = {"A": {"Value": "1"}}, {"A": {"Value": "2"}}

    assert transition_template(before, after)["Outputs"] == {"A": {"Value": "2"}}


def test_is_same_template__order_of_rules__means_nothing() -> None:
    assert is_same_template(template(Tasks=group(1, 2)), template(Tasks=group(2, 1)))
    assert not is_same_template(template(Tasks=group(1, 2)), template(Tasks=group(1, 3)))


def test_transition_template__output_that_goes__stays_with_its_resource() -> None:
    """So that a stack from which something only goes is not changed before the rollout."""
    before, after = template(Balancer=log_group(7)), template()
    before["Outputs"] = {"Url": {"Value": {"Ref": "Balancer"}}}

    assert transition_template(before, after) == before


def test_left_behind__what_a_release_made_and_the_good_one_lacks() -> None:
    good, made = template(Logs=log_group(7)), template(Logs=log_group(7), New=log_group(7))
    now = template(Logs=log_group(7), New=log_group(30), Theirs=log_group(7))

    assert left_behind(now, good, made) == ("New",)
