"""What a reviewer must not overlook: for each change of a service, what is replaced, what users
notice, and what costs more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fsd.compile.compile import compile_service
from fsd.compile.desired import Desired
from fsd.errors import ErrorCode, RefusedError
from fsd.plan.observed import Observed, ObservedRevision, ObservedStack
from fsd.plan.planner import plan_release
from fsd.plan.steps import Plan
from fsd.release.make_plan import refuse_replacement
from fsd.report.effects import effect_label, effect_text
from fsd.report.plan_markdown import Proposal, render_plan_comment
from fsd.report.plans import PlanReport, plan_text
from tests.builders import make_image, make_manifest, make_release, make_target
from tests.fakes.aws import FakeAws
from tests.unit.plan.test_planner import NOTHING

NOW = datetime(2026, 3, 4, 14, tzinfo=UTC)
BALANCED: dict[str, Any] = {"port": 8000, "networking": {"load_balancer": {"internal": True}}}
PUBLIC: dict[str, Any] = {"port": 8000, "networking": {"load_balancer": {"internal": False}}}


def compiled(service: dict[str, Any], *, vpc: str = "vpc-1") -> Desired:
    return compile_service(
        make_manifest(**service),
        target=make_target(vpc_id=vpc),
        image=make_image(),
        release=make_release(),
    )


def running(desired: Desired, *, tasks: int = 2) -> Observed:
    """What stands after `desired` was deployed."""
    aws = FakeAws()
    aws.ecs.declare_running(41)
    revision = ObservedRevision(arn="arn:r:41", definition=desired.task_definition, tags={})
    (service,) = aws.ecs.services.values()
    stack = ObservedStack(
        status="CREATE_COMPLETE",
        template=desired.template,
        tags=desired.stack_tags,
        outputs={},
    )
    return replace(
        NOTHING,
        cluster_exists=True,
        stack=stack,
        service=replace(service, desired=tasks),
        running=revision,
        latest=revision,
    )


def plan_of(before: Desired, after: Desired, *, tasks: int = 2) -> Plan:
    return plan_release(after, running(before, tasks=tasks))


def said(plan: Plan) -> list[str]:
    return [f"{effect_label(one)}: {effect_text(one)}" for one in plan.effects]


SIZE: dict[str, Any] = {"cpu": 256, "memory": 512, "desired_count": 2}
ADDRESS = "downtime: the load balancer's DNS name changes: clients of the old one lose the service"
CASES = {
    "scheme": (
        compiled(BALANCED),
        compiled(PUBLIC),
        [
            "replaces: LoadBalancer by PublicLoadBalancer; deploy with --allow-replacement",
            "replaces: TargetGroup by PublicTargetGroup; deploy with --allow-replacement",
            ADDRESS,
        ],
    ),
    "vpc": (
        compiled(BALANCED),
        compiled(BALANCED, vpc="vpc-2"),
        [
            "replaces: TargetGroup, as VpcId cannot be changed; deploy with --allow-replacement",
            "downtime: the new target group is empty until new tasks are healthy",
        ],
    ),
    "no load balancer any more": (
        compiled(BALANCED),
        compiled({"port": 8000}),
        [
            "downtime: the load balancer is removed: clients of its DNS name lose the service",
            "cost: lower (load balancers 1 → 0)",
        ],
    ),
    "larger": (
        compiled({"resources": SIZE}),
        compiled({"resources": SIZE | {"cpu": 1024, "memory": 2048}}),
        ["cost: higher (vCPU 0.5 → 2, memory 1 → 4 GiB)"],
    ),
    "more memory, less cpu": (
        compiled({"resources": SIZE | {"cpu": 512, "memory": 1024}}),
        compiled({"resources": SIZE | {"memory": 2048}}),
        ["cost: partly higher, partly lower (vCPU 1 → 0.5, memory 2 → 4 GiB)"],
    ),
    "none left": (
        compiled({"resources": SIZE}),
        compiled({"resources": SIZE | {"desired_count": 0}}),
        [
            "downtime: no task will be running afterwards",
            "cost: lower (vCPU 0.5 → 0, memory 1 → 0 GiB)",
        ],
    ),
    "old tasks first": (
        compiled({"resources": SIZE, "deployment": {"minimum_healthy_percent": 0}}),
        compiled(
            {
                "resources": SIZE,
                "deployment": {"minimum_healthy_percent": 0},
                "environment": {"A": "1"},
            }
        ),
        ["downtime: all old tasks may stop before a new one is running"],
    ),
    "another path": (
        compiled(BALANCED),
        compiled(BALANCED | {"health_check": {"path": "/alive"}}),
        [],
    ),
    "nothing": (compiled(BALANCED), compiled(BALANCED), []),
}


@pytest.mark.parametrize("name", CASES)
def test_plan_release__a_change__says_what_a_reviewer_must_know(name: str) -> None:
    before, after, expected = CASES[name]

    assert said(plan_of(before, after)) == expected


def test_plan_release__first_deployment__says_what_will_be_billed() -> None:
    plan = plan_release(compiled(BALANCED | {"resources": SIZE}), NOTHING)

    assert said(plan) == ["cost: higher (vCPU 0 → 0.5, memory 0 → 1 GiB, load balancers 0 → 1)"]


@pytest.mark.parametrize("name", ["scheme", "vpc"])
def test_refuse_replacement__replaces_a_guarded_resource__refused_with_its_names(name: str) -> None:
    before, after, _ = CASES[name]

    with pytest.raises(RefusedError, match="the plan replaces") as caught:
        refuse_replacement(plan_of(before, after))

    assert caught.value.code is ErrorCode.REPLACEMENT_REFUSED
    assert "TargetGroup" in caught.value.what
    assert "--allow-replacement" in caught.value.fix


@pytest.mark.parametrize("name", sorted(CASES.keys() - {"scheme", "vpc"}))
def test_refuse_replacement__nothing_replaced__passes(name: str) -> None:
    before, after, _ = CASES[name]

    refuse_replacement(plan_of(before, after))


def test_plan_text__a_property_changes__old_and_new_below_its_name() -> None:
    before, after, _ = CASES["vpc"]
    planned = PlanReport(service="web", environment="dev", plan=plan_of(before, after))

    text, comment = (
        plan_text(planned),
        render_plan_comment(
            Proposal(service="web", plans=(planned,)), run_url="https://x.example/1", updated_at=NOW
        ),
    )

    assert (
        "TargetGroup.VpcId (replaces it)\n"
        "                     - vpc-1\n"
        "                     + vpc-2\n"
    ) in text
    assert "  TargetGroup.VpcId (replaces it)\n-   vpc-1\n+   vpc-2\n" in comment
    assert "- ⚠️ Replaces: TargetGroup, as VpcId cannot be changed" in comment
