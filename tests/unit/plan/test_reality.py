from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fsd.change import BareRemark, Change, Sign
from fsd.compile.compile import compile_service
from fsd.compile.desired import Json
from fsd.plan.observed import Observed
from fsd.plan.planner import plan_release
from fsd.plan.reality import (
    EGRESS,
    INGRESS,
    MissingResource,
    SecurityGroupRule,
    Seen,
    SeenGroup,
    find_lacks,
    without,
)
from fsd.plan.steps import ApplyStack, UpdateService
from fsd.report.changes import remark_text
from tests.builders import make_image, make_manifest, make_release, make_target
from tests.unit.plan.test_planner import deployed

DESIRED = compile_service(
    make_manifest(name="web", networking={"loadBalancer": {"type": "application"}}),
    target=make_target(),
    image=make_image(),
    release=make_release(),
)
TEMPLATE = DESIRED.template
CLIENTS = SecurityGroupRule(protocol="tcp", first=80, last=80, peer="10.0.0.0/16")
TO_TASKS = SecurityGroupRule(protocol="tcp", first=8000, last=8000, peer="10.0.0.0/16")
FROM_BALANCER = SecurityGroupRule(protocol="tcp", first=8000, last=8000, peer="sg-lb")
ANYWHERE = SecurityGroupRule(protocol="-1", first=None, last=None, peer="0.0.0.0/0")
BALANCER_GROUP = SeenGroup(id="sg-lb", ingress=frozenset({CLIENTS}), egress=frozenset({TO_TASKS}))
TASK_GROUP = SeenGroup(id="sg-1", ingress=frozenset({FROM_BALANCER}), egress=frozenset({ANYWHERE}))
ALL = Seen(
    groups={"LoadBalancerSecurityGroup": BALANCER_GROUP, "TaskSecurityGroup": TASK_GROUP},
    roles={"web-dev-task": True, "web-dev-execution": True},
    log_groups={"/ecs/web-dev": True},
    balancer_exists=True,
    listener_ports=frozenset({80}),
    target_group_exists=True,
    target_group_is_used=True,
)


def lacks(**changes: Any) -> dict[str, str]:
    found = find_lacks(TEMPLATE, replace(ALL, **changes))
    return {lack.resource: remark_text(lack.remark) for lack in found}


def resources(template: Json) -> set[str]:
    found = template["Resources"]
    assert isinstance(found, dict)
    return {*found}


def test_find_lacks__all_is_there__none() -> None:
    assert lacks() == {}


def test_find_lacks__nothing_could_be_looked_at__none() -> None:
    assert find_lacks(TEMPLATE, Seen()) == ()


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({"roles": {"web-dev-task": False}}, {"TaskRole": "missing"}),
        ({"log_groups": {"/ecs/web-dev": False}}, {"LogGroup": "missing"}),
        ({"listener_ports": frozenset()}, {"HttpListener": "missing"}),
        ({"listener_ports": frozenset({443})}, {"HttpListener": "missing"}),
        ({"target_group_is_used": False}, {"HttpListener": "forwards elsewhere"}),
        (
            {"target_group_exists": False, "target_group_is_used": False},
            {"HttpListener": "forwards elsewhere", "TargetGroup": "missing"},
        ),
        (
            {"balancer_exists": False, "listener_ports": frozenset()},
            {"HttpListener": "missing", "LoadBalancer": "missing"},
        ),
    ],
)
def test_find_lacks__gone(seen: dict[str, Any], expected: dict[str, str]) -> None:
    assert lacks(**seen) == expected


def test_find_lacks__rule_is_gone__named_by_what_it_lets_through() -> None:
    bare = replace(TASK_GROUP, ingress=frozenset({ANYWHERE}))

    assert lacks(groups={**(ALL.groups or {}), "TaskSecurityGroup": bare}) == {
        "TaskSecurityGroup": "lacks tcp 8000 in"
    }


def test_find_lacks__rule_to_all_is_gone__named() -> None:
    bare = replace(TASK_GROUP, egress=frozenset())

    assert lacks(groups={**(ALL.groups or {}), "TaskSecurityGroup": bare}) == {
        "TaskSecurityGroup": "lacks all out"
    }


def test_find_lacks__group_is_gone__the_rules_that_name_it_are_no_lack_of_their_own() -> None:
    assert lacks(groups={"TaskSecurityGroup": TASK_GROUP}) == {
        "LoadBalancerSecurityGroup": "missing"
    }


def test_without__load_balancer__its_listeners_and_outputs_go_with_it() -> None:
    there = without(TEMPLATE, [MissingResource(resource="LoadBalancer")])

    assert resources(TEMPLATE) - resources(there) == {"LoadBalancer", "HttpListener"}
    assert there["Outputs"] == {
        key: value
        for key, value in TEMPLATE["Outputs"].items()  # type: ignore[union-attr] # a dict
        if key in {"TargetGroupArn", "TaskSecurityGroupId"}
    }


def test_without__target_group__the_listener_that_forwards_to_it_goes_with_it() -> None:
    there = without(TEMPLATE, [MissingResource(resource="TargetGroup")])

    assert resources(TEMPLATE) - resources(there) == {"TargetGroup", "HttpListener"}


def test_without__group__its_peers_keep_their_other_rules() -> None:
    there = without(TEMPLATE, [MissingResource(resource="LoadBalancerSecurityGroup")])
    group = there["Resources"]["TaskSecurityGroup"]["Properties"]  # type: ignore[index, call-overload] # dicts

    assert "TaskSecurityGroup" in resources(there)
    assert (group[INGRESS], len(group[EGRESS])) == ([], 1)  # type: ignore[index, call-overload, arg-type] # as above


def test_without__rule__only_that() -> None:
    bare = replace(TASK_GROUP, ingress=frozenset())
    seen = replace(ALL, groups={**(ALL.groups or {}), "TaskSecurityGroup": bare})

    there = without(TEMPLATE, find_lacks(TEMPLATE, seen))

    assert find_lacks(there, seen) == ()
    assert resources(there) == resources(TEMPLATE)


def test_without__nothing_lacks__the_template_itself() -> None:
    assert without(TEMPLATE, ()) is TEMPLATE


def observed(*found: MissingResource) -> Observed:
    """What stands after DESIRED was deployed, less what `found` says."""
    seen = deployed()
    assert seen.stack is not None
    assert seen.service is not None
    assert seen.running is not None
    outputs = {"TargetGroupArn": "arn:tg", "TaskSecurityGroupId": "sg-1"}
    wanted = DESIRED.service
    return replace(
        seen,
        stack=replace(
            seen.stack,
            template=TEMPLATE,
            tags=DESIRED.stack_tags,
            outputs=outputs,
            lacks=found,
        ),
        service=replace(
            seen.service,
            desired=1,
            subnets=wanted.subnets,
            security_groups=("sg-1",),
            target_group_arns=("arn:tg",),
            container_port=8000,
            grace_period=60,
            deployment_configuration={**wanted.deployment_configuration},
        ),
        running=replace(seen.running, definition=DESIRED.task_definition),
    )


def test_plan_release__nothing_lacks__empty() -> None:
    assert plan_release(DESIRED, observed()).is_empty


def test_plan_release__listener_is_gone__the_stack_gets_it_back_without_a_rollout() -> None:
    plan = plan_release(DESIRED, observed(MissingResource(resource="HttpListener")))

    (step,) = plan.steps
    assert isinstance(step, ApplyStack)
    assert step.changes == (Change(what="HttpListener", sign=Sign.ADD, remark=BareRemark.MISSING),)
    assert step.actual is not None
    assert "HttpListener" not in resources(step.actual)
    assert resources(step.template) == resources(TEMPLATE)


def test_plan_release__target_group_is_gone__the_service_moves_to_the_new_one() -> None:
    plan = plan_release(DESIRED, observed(MissingResource(resource="TargetGroup")))

    stack, service = plan.steps
    assert isinstance(stack, ApplyStack)
    assert isinstance(service, UpdateService)
    assert service.changes == (Change(what="load balancer", remark=BareRemark.REPLACED),)
    assert service.rolls_out


def test_plan_release__what_is_gone_is_no_longer_wanted__not_made_again() -> None:
    worker = compile_service(
        make_manifest(name="web"),
        target=make_target(),
        image=make_image(),
        release=make_release(),
    )

    plan = plan_release(worker, observed(MissingResource(resource="HttpListener")))

    stacks = [step for step in plan.steps if isinstance(step, ApplyStack)]
    assert all("HttpListener" not in resources(step.template) for step in stacks)
