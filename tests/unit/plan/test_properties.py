from __future__ import annotations

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from fsd.compile.desired import Json
from fsd.plan.properties import CREATE_ONLY, PropertyChange, diff_properties


def template(kind: str, **properties: object) -> Json:
    return {"Resources": {"One": {"Type": kind, "Properties": properties}}}  # type: ignore[dict-item] # plain values


@pytest.mark.parametrize("kind", sorted(CREATE_ONLY))
def test_create_only__every_type__as_cloudformations_schema_has_it(kind: str) -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema

    names = {path.removeprefix("/properties/") for path in schema["createOnlyProperties"]}

    assert CREATE_ONLY[kind] == names


@pytest.mark.parametrize(
    ("kind", "old", "new", "expected"),
    [
        (
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            {"HealthCheckPath": "/health", "VpcId": "vpc-1"},
            {"HealthCheckPath": "/alive", "VpcId": "vpc-2"},
            [("HealthCheckPath", "/health", "/alive", False), ("VpcId", "vpc-1", "vpc-2", True)],
        ),
        (
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {"Attributes": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]},
            {"Attributes": [{"Key": "b", "Value": "3"}, {"Key": "a", "Value": "1"}]},
            [("Attributes[b].Value", "2", "3", False)],
        ),
        (
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {"Subnets": ["subnet-b", "subnet-a"]},
            {"Subnets": ["subnet-a", "subnet-c"]},
            [("Subnets", "subnet-b", None, False), ("Subnets", None, "subnet-c", False)],
        ),
        (
            "AWS::IAM::Role",
            {"Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": [{"Sid": "A"}]}}]},
            {"Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": [{"Sid": "B"}]}}]},
            [
                ("Policies[p].PolicyDocument.Statement", '{"Sid": "A"}', None, False),
                ("Policies[p].PolicyDocument.Statement", None, '{"Sid": "B"}', False),
            ],
        ),
        (
            "AWS::ElasticLoadBalancingV2::Listener",
            {"LoadBalancerArn": {"Ref": "Old"}},
            {"LoadBalancerArn": {"Ref": "New"}, "Port": 80},
            [("LoadBalancerArn", "Old", "New", True), ("Port", None, "80", False)],
        ),
    ],
    ids=["values", "named-entries", "entries", "statements", "references"],
)
def test_diff_properties__one_resource__old_and_new_of_each(
    kind: str,
    old: dict[str, object],
    new: dict[str, object],
    expected: list[tuple[str, str | None, str | None, bool]],
) -> None:
    found = diff_properties(template(kind, **old), template(kind, **new))

    assert [(one.path, one.before, one.after, one.replaces) for one in found] == expected


def test_diff_properties__another_type__replaces_the_resource() -> None:
    found = diff_properties(template("AWS::IAM::Role"), template("AWS::Logs::LogGroup"))

    assert found == (
        PropertyChange(
            resource="One",
            path="Type",
            before="AWS::IAM::Role",
            after="AWS::Logs::LogGroup",
            replaces=True,
        ),
    )


def test_diff_properties__order_of_keys_and_lists__nothing() -> None:
    one = template("AWS::IAM::Role", Tags=["a", "b"], Path="/fsd/")
    other = template("AWS::IAM::Role", Path="/fsd/", Tags=["b", "a"])

    assert diff_properties(one, other) == ()
