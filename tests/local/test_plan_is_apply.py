"""What the plan says is what happens, and what a release leaves is what it says: the real CLI
against the embedded AWS, with somebody else at work on the same service."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.local.cli import Fsd

DEPLOY = ("deploy", "--env", "local", "--format", "json")
SCALED = """
  autoScaling:
    targetCPUUtilization: 60
"""
RESOURCE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/local/hello-local",
    "ScalableDimension": "ecs:service:DesiredCount",
}


@pytest.fixture
def runtime() -> str:
    return "process"


@pytest.fixture
def manifests(hello: Path) -> dict[str, str]:
    """The example, by what it says of the count."""
    text = (hello / "service.yml").read_text()
    plain = text.replace("    desiredCount: 2\n", "")
    said = text.replace("    desiredCount: 2\n", "    desiredCount: 2\n    minCapacity: 2\n")
    said = said.replace("    minCapacity: 2\n", "    minCapacity: 2\n    maxCapacity: 8\n")
    return {
        "two": text,
        "none": plain,
        "scaled": said + SCALED,
        "scaled, five": said.replace("desiredCount: 2", "desiredCount: 5") + SCALED,
        "no load balancer": text.replace(
            "    loadBalancer:\n      type: application\n      internal: true\n", ""
        ),
    }


def count(fsd: Fsd) -> int:
    (service,) = fsd.status()["services"]
    return int(service["desired"])


def plan(fsd: Fsd, text: str, hello: Path) -> Any:
    (hello / "service.yml").write_text(text)
    return fsd.ok("plan", "--env", "local", "--version", "v1", "--format", "json").json()


def deploy(fsd: Fsd, text: str, hello: Path, *more: str) -> Any:
    (hello / "service.yml").write_text(text)
    return fsd.ok(*DEPLOY, "--version", "v1", *more).json()


def url(fsd: Fsd) -> str:
    (service,) = fsd.status()["services"]
    return str(service["urls"][-1])


def schemes(fsd: Fsd) -> list[str]:
    with fsd.client("elbv2") as elbv2:
        found = elbv2.describe_load_balancers()["LoadBalancers"]
    return sorted(one["Scheme"] for one in found)


def test_plan__count_and_who_owns_it__is_what_deploy_does(
    fsd: Fsd, hello: Path, manifests: dict[str, str]
) -> None:
    deploy(fsd, manifests["none"], hello)
    fsd.ok("scale", "--service", "hello", "--env", "local", "--count", "4")
    with fsd.client("application-autoscaling") as scaling:
        scaling.register_scalable_target(**RESOURCE, MinCapacity=3, MaxCapacity=10)

        foreign = plan(fsd, manifests["none"], hello)
        deploy(fsd, manifests["none"], hello, "--override", "environment.GREETING=hi")

        assert foreign["steps"] == []
        assert "scalable target without FSD's policies (3 to 10 tasks)" in foreign["notes"][-1]
        assert (foreign["desiredCount"], count(fsd)) == ({"before": 4, "after": 4}, 4)
        assert len(scaling.describe_scalable_targets(**_found())["ScalableTargets"]) == 1

    deploy(fsd, manifests["scaled"], hello)
    fsd.ok("scale", "--service", "hello", "--env", "local", "--count", "6")
    moot = plan(fsd, manifests["scaled, five"], hello)
    ends = plan(fsd, manifests["two"], hello)
    deploy(fsd, manifests["two"], hello)

    assert moot["steps"] == []
    assert moot["notes"] == [
        "desiredCount 5 has no effect: auto scaling controls the count (now 6)"
    ]
    assert [step["kind"] for step in ends["steps"]][-2:] == ["remove-scaling", "set-count"]
    assert (ends["desiredCount"], count(fsd)) == ({"before": 6, "after": 2}, 2)


def _found() -> dict[str, Any]:
    return {"ServiceNamespace": "ecs", "ResourceIds": [RESOURCE["ResourceId"]]}


def test_deploy__scheme_changes__nothing_of_the_other_is_left_and_nobody_is_blamed(
    fsd: Fsd, hello: Path, manifests: dict[str, str]
) -> None:
    public = ("--override", "networking.loadBalancer.internal=false")
    broken = ("--override", "environment.HELLO_BROKEN_HEALTH=1")
    deploy(fsd, manifests["two"], hello)

    asked = fsd.ok("plan", "--env", "local", "--version", "v2", *public)
    refused = fsd.run(*DEPLOY, "--version", "v2", *public)
    assert (refused.code, refused.json()["code"]) == (4, "replacement-refused")
    assert "replaces       LoadBalancer by PublicLoadBalancer" in asked.out
    allowed = (*public, "--allow-replacement")

    failed = fsd.run(*DEPLOY, "--version", "v2", *allowed, *broken)
    restored = "FSD restored the stack; scaling is unchanged"
    assert (failed.code, failed.json()["message"]) == (6, restored)
    assert schemes(fsd) == ["internal"]

    moved = fsd.ok(*DEPLOY, "--version", "v3", *allowed)
    assert schemes(fsd) == ["internet-facing"]
    assert [note for note in moved.json()["notes"] if "stack" in note] == []

    worker = deploy(fsd, manifests["no load balancer"], hello)
    assert schemes(fsd) == []
    assert (worker["outcome"], worker["url"]) == ("succeeded", "")
    assert [note for note in worker["notes"] if "somebody else has changed" in note] == []


def test_deploy__somebody_removed_what_a_rollout_needs__noticed_and_back_in_one_run(
    fsd: Fsd, hello: Path, manifests: dict[str, str]
) -> None:
    """The template is as it was, so that CloudFormation itself sees nothing to do."""
    deploy(fsd, manifests["two"], hello)
    for words, remove in REMOVALS.items():
        remove(fsd)

        (step, *_) = plan(fsd, manifests["two"], hello)["steps"]
        assert words in step["text"]

        result = deploy(fsd, manifests["two"], hello)
        assert (result["outcome"], result["healthyCount"]) == ("succeeded", 2), words
        assert plan(fsd, manifests["two"], hello)["empty"], words
        with urllib.request.urlopen(url(fsd), timeout=10) as answer:
            assert answer.status == 200


def physical(fsd: Fsd, logical: str) -> str:
    with fsd.client("cloudformation") as cloudformation:
        found = cloudformation.describe_stack_resource(
            StackName="fsd-hello-local", LogicalResourceId=logical
        )
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def remove_listener(fsd: Fsd) -> None:
    with fsd.client("elbv2") as elbv2:
        elbv2.delete_listener(ListenerArn=physical(fsd, "HttpListener"))


def remove_target_group(fsd: Fsd) -> None:
    """ELB deletes none that a listener forwards to."""
    remove_listener(fsd)
    with fsd.client("elbv2") as elbv2:
        elbv2.delete_target_group(TargetGroupArn=physical(fsd, "TargetGroup"))


def remove_load_balancer(fsd: Fsd) -> None:
    with fsd.client("elbv2") as elbv2:
        elbv2.delete_load_balancer(LoadBalancerArn=physical(fsd, "LoadBalancer"))


def remove_rule(fsd: Fsd) -> None:
    peer = {"GroupId": physical(fsd, "LoadBalancerSecurityGroup")}
    rule = {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8000, "UserIdGroupPairs": [peer]}
    with fsd.client("ec2") as ec2:
        ec2.revoke_security_group_ingress(
            GroupId=physical(fsd, "TaskSecurityGroup"), IpPermissions=[rule]
        )


def remove_role(fsd: Fsd) -> None:
    name = physical(fsd, "ExecutionRole")
    with fsd.client("iam") as iam:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


def remove_log_group(fsd: Fsd) -> None:
    with fsd.client("logs") as logs:
        logs.delete_log_group(logGroupName=physical(fsd, "LogGroup"))


REMOVALS: dict[str, Callable[[Fsd], None]] = {
    "+HttpListener (missing)": remove_listener,
    "+HttpListener (missing) · +TargetGroup (missing)": remove_target_group,
    "+HttpListener (missing) · +LoadBalancer (missing)": remove_load_balancer,
    "~TaskSecurityGroup (lacks tcp 8000 in)": remove_rule,
    "+ExecutionRole (missing)": remove_role,
    "+LogGroup (missing)": remove_log_group,
}


def test_plan__drift__every_difference_and_what_a_deployment_makes_of_it(
    fsd: Fsd, hello: Path, manifests: dict[str, str]
) -> None:
    deploy(fsd, manifests["two"], hello)
    group, clients = physical(fsd, "LogGroup"), physical(fsd, "LoadBalancerSecurityGroup")
    remove_listener(fsd)
    with fsd.client("logs") as logs, fsd.client("ec2") as ec2:
        logs.put_retention_policy(logGroupName=group, retentionInDays=3653)
        ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
        ec2.authorize_security_group_ingress(
            GroupId=clients, IpPermissions=[{**ssh, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
        )

    ended = fsd.ok("plan", "--env", "local", "--version", "v1", "--drift")

    lines = [line.strip() for line in ended.out.splitlines() if "drift  " in line]
    assert lines[0].endswith("HttpListener is gone; a deployment repairs it")
    assert "LoadBalancerSecurityGroup /SecurityGroupIngress/1" in lines[1]
    assert lines[2].endswith("LogGroup /RetentionInDays 30 → 3653; a deployment does not change it")


def test_deploy__target_group_was_removed_and_the_release_fails__back_with_the_new_one(
    fsd: Fsd, hello: Path, manifests: dict[str, str]
) -> None:
    """ECS alone would go back to the group that is gone, and wait for ever."""
    deploy(fsd, manifests["two"], hello)
    remove_target_group(fsd)

    failed = fsd.run(*DEPLOY, "--version", "v2", "--override", "environment.HELLO_BROKEN_HEALTH=1")

    assert failed.code == 6, failed.text
    result = failed.json()
    assert (result["outcome"], result["healthyCount"]) == ("rolled-back", 2)
    with urllib.request.urlopen(url(fsd), timeout=10) as answer:
        assert answer.status == 200
