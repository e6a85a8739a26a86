from __future__ import annotations

from fsd.compile.desired import Json
from fsd.plan.security_diff import GrantChange, RuleChange, diff_security


def template(
    *statements: Json, ingress: Json | None = None, group: str = "TaskSecurityGroup"
) -> Json:
    policy: Json = {"PolicyName": "p", "PolicyDocument": {"Statement": list(statements)}}
    role: Json = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}
    rules: Json = {"SecurityGroupIngress": [ingress]} if ingress else {}
    return {
        "Resources": {
            "TaskRole": role,
            group: {"Type": "AWS::EC2::SecurityGroup", "Properties": rules},
        }
    }


def allow(action: str, *resources: str) -> Json:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources)}


RULE: Json = {
    "IpProtocol": "tcp",
    "FromPort": 8000,
    "ToPort": 8000,
    "SourceSecurityGroupId": {"Fn::GetAtt": ["LoadBalancerSecurityGroup", "GroupId"]},
}


def test_diff_security__same__nothing() -> None:
    one = template(allow("s3:GetObject", "a"), ingress=RULE)

    assert diff_security(one, one) == ()


def test_diff_security__statements_split_or_joined__nothing() -> None:
    before = template(allow("s3:GetObject", "a"), allow("s3:GetObject", "b"))

    assert diff_security(before, template(allow("s3:GetObject", "b", "a"))) == ()


def test_diff_security__an_action_moves__granted_and_taken_away() -> None:
    before, after = template(allow("s3:GetObject", "a")), template(allow("s3:PutObject", "a"))

    assert diff_security(before, after) == (
        GrantChange(role="TaskRole", resource="a", actions=("s3:PutObject",), is_granted=True),
        GrantChange(role="TaskRole", resource="a", actions=("s3:GetObject",), is_granted=False),
    )


def test_diff_security__port__the_new_rule_then_the_old() -> None:
    before, after = template(ingress=RULE), template(ingress={**RULE, "FromPort": 9, "ToPort": 9})
    rule = RuleChange(
        group="TaskSecurityGroup",
        peer="LoadBalancerSecurityGroup",
        protocol="tcp",
        first=9,
        last=9,
        is_ingress=True,
    )

    added, removed = diff_security(before, after)

    assert added == rule
    assert isinstance(removed, RuleChange)
    assert (removed, removed.first) == (
        RuleChange(
            group="TaskSecurityGroup",
            peer="LoadBalancerSecurityGroup",
            protocol="tcp",
            first=8000,
            last=8000,
            is_ingress=True,
            is_added=False,
        ),
        8000,
    )


def test_diff_security__first_template__all_of_it() -> None:
    found = diff_security({}, template(allow("s3:GetObject", "a"), ingress=RULE))

    assert [type(change) for change in found] == [GrantChange, RuleChange]
