from __future__ import annotations

import pytest

from fsd.compile.desired import Json
from fsd.plan.moved_check import TargetCheck, find_moved_checks

GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
HEALTH = TargetCheck(path="/health", matcher="200-299")


def template(**properties: object) -> Json:
    check = {"HealthCheckPath": "/health", "Matcher": {"HttpCode": "200-299"}, **properties}
    return {"Resources": {"TargetGroup": {"Type": GROUP, "Properties": check}}}  # type: ignore[dict-item] # plain values


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"HealthCheckPath": "/helth"}, "GET /helth (currently GET /health)"),
        ({"HealthCheckPort": "8081"}, "GET /health on port 8081 (currently GET /health)"),
        ({"HealthCheckProtocol": "HTTPS"}, "GET /health by HTTPS (currently GET /health)"),
        (
            {"Matcher": {"HttpCode": "201"}},
            "GET /health, expecting 201 (currently GET /health, expecting 200-299)",
        ),
        (
            {"HealthCheckTimeoutSeconds": 2},
            "GET /health within 2 s (currently GET /health within 5 s)",
        ),
        (
            {"Matcher": {"GrpcCode": "12"}},
            "gRPC /health, expecting 12 (currently GET /health, expecting 200-299)",
        ),
        ({"HealthCheckProtocol": "TCP"}, "a TCP connection (currently GET /health)"),
    ],
)
def test_find_moved_checks__other_question__moved(properties: dict[str, object], says: str) -> None:
    (moved,) = find_moved_checks(template(), template(**properties))

    assert moved.target_group == "TargetGroup"
    assert moved.before == HEALTH
    assert moved.change == says


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"HealthCheckIntervalSeconds": 5, "UnhealthyThresholdCount": 2},
        {"HealthCheckTimeoutSeconds": 20},
        {"HealthCheckPort": "traffic-port", "HealthCheckProtocol": "HTTP"},  # ELB's defaults
        {"TargetGroupAttributes": []},
    ],
)
def test_find_moved_checks__same_question__none(properties: dict[str, object]) -> None:
    assert find_moved_checks(template(), template(**properties)) == ()


@pytest.mark.parametrize(
    "after",
    [
        {},
        {"Resources": None},
        {"Resources": {"PublicTargetGroup": {"Type": GROUP, "Properties": {}}}},
        {"Resources": {"TargetGroup": {"Type": "AWS::Logs::LogGroup"}}},
        {"Resources": {"TargetGroup": None}},
    ],
)
def test_find_moved_checks__no_target_group_on_both_sides__none(after: Json) -> None:
    assert find_moved_checks(template(), after) == ()
