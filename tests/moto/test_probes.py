from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from fsd.aws.probes import TargetGroupProbes
from fsd.errors import CallFailedError
from fsd.plan.moved_check import TargetCheck
from fsd.release.ports import PermissionDenied, TargetGroupGone
from fsd.snapshot import TargetHealth
from tests.fakes.aws import FakeClock
from tests.moto.conftest import TestClients

CHECK = TargetCheck(protocol="HTTPS", port="8081", path="/ready", matcher="200,204", timeout=10)
TARGETS = [TargetHealth(address="10.0.0.4", port=8000, state="healthy")]
TAGS = {"fsd:probe": "fsd-web-dev", "fsd:service": "web"}
NAME = "fsd-probe-1"
PROBE = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/fsd-probe-1/2"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/3"
LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/web/3/4"

# Before AWS shows that a rule forwards to it.
NOT_YET = {"TargetGroupArn": PROBE, "LoadBalancerArns": list[str]()}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def probes(clients: TestClients, clock: FakeClock) -> TargetGroupProbes:
    return TargetGroupProbes(clients=clients, clock=clock, poll=timedelta(seconds=2))


@pytest.fixture
def elbv2(clients: TestClients, in_moto: None) -> Any:
    del in_moto
    return clients.client("elbv2")


@pytest.fixture
def group(elbv2: Any, clients: TestClients) -> str:
    """The target group of a service behind a load balancer."""
    ec2 = clients.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
    made = elbv2.create_target_group(
        Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
    )
    arn = str(made["TargetGroups"][0]["TargetGroupArn"])
    balancer = elbv2.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    return arn


def rules(elbv2: Any) -> list[dict[str, Any]]:
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    (listener,) = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    found = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    return [rule for rule in found if not rule["IsDefault"]]


def names(elbv2: Any) -> list[str]:
    return [group["TargetGroupName"] for group in elbv2.describe_target_groups()["TargetGroups"]]


def start(probes: TargetGroupProbes, group: str) -> str:
    return probes.start(NAME, like=group, check=CHECK, targets=TARGETS, tags=TAGS)


def test_start__asks_what_the_check_asks_in_a_group_of_the_same_kind(
    probes: TargetGroupProbes, elbv2: Any, group: str
) -> None:
    arn = start(probes, group)

    (made,) = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    (like,) = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    for key in ("VpcId", "TargetType", "Protocol", "Port"):
        assert made[key] == like[key]
    assert made["HealthCheckProtocol"] == "HTTPS"
    assert made["HealthCheckPort"] == "8081"
    assert made["HealthCheckPath"] == "/ready"
    assert made["Matcher"] == {"HttpCode": "200,204"}
    assert (made["HealthCheckIntervalSeconds"], made["HealthCheckTimeoutSeconds"]) == (11, 10)
    assert (made["HealthyThresholdCount"], made["UnhealthyThresholdCount"]) == (2, 2)
    (described,) = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert described["Target"] == {"Id": "10.0.0.4", "Port": 8000}
    (tags,) = elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert {tag["Key"]: tag["Value"] for tag in tags["Tags"]} == TAGS


def test_start__rule_that_no_request_matches(
    probes: TargetGroupProbes, elbv2: Any, group: str
) -> None:
    arn = start(probes, group)

    (rule,) = rules(elbv2)
    assert rule["Priority"] == "50000"
    assert [action["TargetGroupArn"] for action in rule["Actions"]] == [arn]
    host, source = rule["Conditions"]
    assert host["HostHeaderConfig"]["Values"][0].endswith(".invalid")
    assert source["SourceIpConfig"]["Values"] == ["192.0.2.0/24"]


def test_start__more_targets_than_one_call_takes__all_are_asked(
    probes: TargetGroupProbes, elbv2: Any, group: str
) -> None:
    many = [replace(TARGETS[0], address=f"10.0.{n // 250}.{n % 250}") for n in range(251)]

    arn = probes.start(NAME, like=group, check=CHECK, targets=many, tags=TAGS)

    found = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert len(found) == 251


def test_start__answer_to_the_creation_got_lost__the_group_is_used(
    probes: TargetGroupProbes, stub: Callable[[str], Stubber]
) -> None:
    elbv2 = stub("elbv2")
    group = {"TargetGroupArn": "web", "LoadBalancerArns": [BALANCER], "Protocol": "HTTP"}
    elbv2.add_response("describe_target_groups", {"TargetGroups": [group]})
    elbv2.add_response("describe_listeners", {"Listeners": [{"ListenerArn": LISTENER}]})
    elbv2.add_client_error("create_target_group", "DuplicateTargetGroupName", "already exists")
    elbv2.add_response("describe_target_groups", {"TargetGroups": [NOT_YET]}, {"Names": [NAME]})
    elbv2.add_response("describe_rules", {"Rules": []})
    elbv2.add_response("create_rule", {})
    elbv2.add_response("register_targets", {})

    assert start(probes, "web") == PROBE


@pytest.mark.parametrize("removed_before", ["create_rule", "register_targets"])
def test_start__somebody_removes_the_group_meanwhile__gone(
    probes: TargetGroupProbes, stub: Callable[[str], Stubber], removed_before: str
) -> None:
    elbv2 = stub("elbv2")
    group = {"TargetGroupArn": "web", "LoadBalancerArns": [BALANCER], "Protocol": "HTTP"}
    elbv2.add_response("describe_target_groups", {"TargetGroups": [group]})
    elbv2.add_response("describe_listeners", {"Listeners": [{"ListenerArn": LISTENER}]})
    elbv2.add_response("create_target_group", {"TargetGroups": [{"TargetGroupArn": PROBE}]})
    elbv2.add_response("describe_rules", {"Rules": []})
    if removed_before == "register_targets":
        elbv2.add_response("create_rule", {})
    elbv2.add_client_error(removed_before, "TargetGroupNotFound", "not found")

    with pytest.raises(TargetGroupGone):
        start(probes, "web")


def test_names__those_of_the_prefix(probes: TargetGroupProbes, group: str) -> None:
    start(probes, group)

    assert probes.names("fsd-probe-") == [NAME]
    assert probes.names("fsd-probe-2") == []


def test_start__last_priority_is_taken__the_one_before(
    probes: TargetGroupProbes, elbv2: Any, group: str
) -> None:
    start(probes, group)
    other = {"check": CHECK, "targets": TARGETS, "tags": TAGS}
    probes.start("fsd-probe-2", like=group, **other)  # type: ignore[arg-type] # of another service

    assert sorted(rule["Priority"] for rule in rules(elbv2)) == ["49999", "50000"]


def test_remove__group_and_rule_go_and_the_services_own_stays(
    probes: TargetGroupProbes, elbv2: Any, group: str
) -> None:
    start(probes, group)

    assert probes.remove(NAME)

    assert names(elbv2) == ["web"]
    assert rules(elbv2) == []
    assert not probes.remove(NAME)


def test_remove__run_was_killed_before_the_rule__group_goes(
    probes: TargetGroupProbes, elbv2: Any, group: str
) -> None:
    (like,) = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    elbv2.create_target_group(
        Name=NAME, Protocol="HTTP", Port=80, VpcId=like["VpcId"], TargetType="ip"
    )

    assert probes.remove(NAME)

    assert names(elbv2) == ["web"]


def test_start__no_listener__says_so_and_makes_nothing(
    probes: TargetGroupProbes, elbv2: Any, clients: TestClients
) -> None:
    vpc = clients.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    made = elbv2.create_target_group(
        Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
    )

    with pytest.raises(CallFailedError) as caught:
        start(probes, made["TargetGroups"][0]["TargetGroupArn"])

    assert caught.value.code == "health-check-not-tried"
    assert names(elbv2) == ["web"]


def declare_probe(stub: Stubber) -> None:
    """A probe with its rule, as AWS describes them."""
    stub.add_response(
        "describe_target_groups",
        {"TargetGroups": [{"TargetGroupArn": PROBE, "LoadBalancerArns": [BALANCER]}]},
        {"Names": [NAME]},
    )
    stub.add_response(
        "describe_listeners",
        {"Listeners": [{"ListenerArn": LISTENER}]},
        {"LoadBalancerArn": BALANCER},
    )
    action = {
        "Type": "forward",
        "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": PROBE, "Weight": 1}]},
    }
    rules = [
        {"RuleArn": "default", "Priority": "default", "Actions": [{"Type": "fixed-response"}]},
        {"RuleArn": "probe", "Priority": "50000", "Actions": [action]},
    ]
    stub.add_response("describe_rules", {"Rules": rules}, {"ListenerArn": LISTENER})
    stub.add_response("delete_rule", {}, {"RuleArn": "probe"})


def test_remove__rule_is_shown_late__looked_for_again(
    probes: TargetGroupProbes, clock: FakeClock, stub: Callable[[str], Stubber]
) -> None:
    elbv2 = stub("elbv2")
    elbv2.add_response("describe_target_groups", {"TargetGroups": [NOT_YET]}, {"Names": [NAME]})
    elbv2.add_client_error("delete_target_group", "ResourceInUse", "in use by a rule")
    declare_probe(elbv2)
    elbv2.add_response("delete_target_group", {}, {"TargetGroupArn": PROBE})

    assert probes.remove(NAME)

    assert clock.waits == 1


def test_remove__group_stays_in_use__raises_with_aws_words(
    probes: TargetGroupProbes, stub: Callable[[str], Stubber]
) -> None:
    elbv2 = stub("elbv2")
    for _ in range(5):
        declare_probe(elbv2)
        elbv2.add_client_error("delete_target_group", "ResourceInUse", "in use by a rule")

    with pytest.raises(CallFailedError, match="ResourceInUse: in use by a rule"):
        probes.remove(NAME)


def test_remove__somebody_was_faster__fine(
    probes: TargetGroupProbes, stub: Callable[[str], Stubber]
) -> None:
    elbv2 = stub("elbv2")
    declare_probe(elbv2)
    elbv2.add_client_error("delete_target_group", "TargetGroupNotFound", "not found")

    assert probes.remove(NAME)


def test_remove__denied__permission_denied(
    probes: TargetGroupProbes, stub: Callable[[str], Stubber]
) -> None:
    stub("elbv2").add_client_error("describe_target_groups", "AccessDenied", "no")

    with pytest.raises(PermissionDenied):
        probes.remove(NAME)


def declare_priority_in_use(elbv2: Stubber) -> Stubber:
    """Up to the first rule, whose priority somebody has taken."""
    group = {"TargetGroupArn": "web", "LoadBalancerArns": [BALANCER], "Protocol": "HTTP"}
    elbv2.add_response("describe_target_groups", {"TargetGroups": [group]})
    elbv2.add_response("describe_listeners", {"Listeners": [{"ListenerArn": LISTENER}]})
    elbv2.add_response("create_target_group", {"TargetGroups": [{"TargetGroupArn": PROBE}]})
    elbv2.add_response("describe_rules", {"Rules": []})
    elbv2.add_client_error("create_rule", "PriorityInUse", "Priority '50000' is currently in use")
    return elbv2


def test_start__another_run_takes_the_priority__the_next_one(
    probes: TargetGroupProbes, stub: Callable[[str], Stubber]
) -> None:
    elbv2 = declare_priority_in_use(stub("elbv2"))
    taken = [{"RuleArn": "r", "Priority": "50000", "Actions": [{"Type": "fixed-response"}]}]
    elbv2.add_response("describe_rules", {"Rules": taken})
    expected = dict.fromkeys(("Conditions", "Actions", "Tags"), ANY)
    elbv2.add_response("create_rule", {}, {"ListenerArn": LISTENER, "Priority": 49999, **expected})
    elbv2.add_response("register_targets", {})

    assert start(probes, "web") == PROBE


def test_start__rule_of_an_answer_that_got_lost__is_the_rule(
    probes: TargetGroupProbes, stub: Callable[[str], Stubber]
) -> None:
    elbv2 = declare_priority_in_use(stub("elbv2"))
    action = {"Type": "forward", "TargetGroupArn": PROBE}
    ours = [{"RuleArn": "r", "Priority": "50000", "Actions": [action]}]
    elbv2.add_response("describe_rules", {"Rules": ours})
    elbv2.add_response("register_targets", {})

    assert start(probes, "web") == PROBE
