from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fsd.compile.desired import Desired, Scaling
from fsd.plan.counts import PlannedCount, plan_counts
from fsd.plan.observed import Observed
from fsd.plan.planner import plan_release
from fsd.report.plans import PlanReport, plan_json, plan_text
from fsd.snapshot import DeploymentStatus, EcsDeployment, ServiceDeployment
from tests.unit.plan.test_planner import NOTHING, deployed
from tests.unit.release.desired import make_desired

FIRST_FAILED = (
    EcsDeployment(id="1", status="PRIMARY", task_definition_arn="t", rollout_state="FAILED"),
)
SCALING = Scaling(
    minimum=2, maximum=8, cpu=60, memory=None, scale_in_cooldown=300, scale_out_cooldown=300
)
THEIRS = replace(SCALING, minimum=3, maximum=10, cpu=None)
FAILED = ServiceDeployment(
    arn="d1", status=DeploymentStatus.STOPPED, task_definition_arn="t",
    created_at=datetime(2026, 11, 1, tzinfo=UTC),
)  # fmt: skip


def wanted(count: int | None, scaling: Scaling | None = None) -> Desired:
    """As compiled of a manifest with this `desiredCount`; without one it would start with 1."""
    desired = make_desired(count=1 if count is None else count, scaling=scaling)
    return replace(desired, service=replace(desired.service, count_is_said=count is not None))


def seen(
    count: int, scaling: Scaling | None = None, *, ran: bool = True, **more: object
) -> Observed:
    observed = deployed()
    assert observed.service is not None
    deployments = observed.service.deployments if ran else FIRST_FAILED
    last = replace(FAILED, status=DeploymentStatus.SUCCESSFUL) if ran else None
    found = replace(
        observed,
        service=replace(observed.service, desired=count, deployments=deployments),
        scaling=scaling,
        last_deployment=FAILED,
        last_successful=last,
    )
    return replace(found, **more)  # type: ignore[arg-type] # fields of Observed


def screen(desired: Desired, observed: Observed) -> str:
    plan = plan_release(desired, observed)
    return plan_text(PlanReport(service="web", environment="dev", plan=plan, notes=plan.notes))


@pytest.mark.parametrize(
    ("said", "scaling", "observed", "expected"),
    [
        (None, None, seen(4), PlannedCount(before=4, after=4)),
        (2, None, seen(4), PlannedCount(before=4, at_update=2, after=2)),
        (2, None, seen(6, SCALING), PlannedCount(before=6, unscaled=2, after=2)),
        (None, None, seen(6, SCALING), PlannedCount(before=6, after=6)),
        (2, None, seen(4, THEIRS, scaling_is_ours=False), PlannedCount(before=4, after=4)),
        (2, None, seen(6, SCALING, other_policies=("night",)), PlannedCount(before=6, after=6)),
        (5, SCALING, seen(2, SCALING), PlannedCount(before=2, after=2)),
        (5, SCALING, seen(1), PlannedCount(before=1, after=2)),
        (5, SCALING, seen(9, THEIRS), PlannedCount(before=9, after=8)),
        (5, SCALING, seen(9, SCALING), PlannedCount(before=9, after=9)),
        (3, None, seen(0, ran=False), PlannedCount(before=0, at_update=3, after=3)),
        (None, None, seen(0, ran=False), PlannedCount(before=0, at_update=1, after=1)),
        (5, SCALING, seen(0, ran=False), PlannedCount(before=0, at_update=5, after=5)),
        (2, None, seen(2), PlannedCount(before=2, at_update=2, after=2)),
        (None, None, seen(3, ran=False), PlannedCount(before=3, at_update=3, after=3)),
        (None, None, seen(0), PlannedCount(before=0, after=0)),
        (2, SCALING, NOTHING, PlannedCount(before=None, after=2)),
    ],
)
def test_plan_counts(
    said: int | None, scaling: Scaling | None, observed: Observed, expected: PlannedCount
) -> None:
    assert plan_counts(wanted(said, scaling), observed) == expected


def test_plan__operator_has_scaled_and_the_manifest_says_no_count__nothing_to_change() -> None:
    assert screen(wanted(None), seen(4)) == "web → dev    nothing to change"


def test_plan__target_of_somebody_else__named_and_left() -> None:
    observed = seen(4, THEIRS, scaling_is_ours=False, other_policies=("cpu50",))

    assert screen(wanted(None), observed) == (
        "web → dev    nothing to change\n"
        "  note: a scalable target without FSD's policies (3 to 10 tasks; cpu50) scales web-dev; "
        "FSD leaves\n"
        "    it unchanged"
    )


def test_plan__own_auto_scaling_ends__the_count_that_follows_is_in_the_plan() -> None:
    plan = plan_release(wanted(2), seen(6, SCALING))
    report = plan_json(PlanReport(service="web", environment="dev", plan=plan))

    assert screen(wanted(2), seen(6, SCALING)) == (
        "web → dev    1 to change, 1 to remove\n"
        "  - scaling        no longer scaled\n"
        "  ~ service        web-dev   desired count 6 → 2   once auto scaling is gone\n"
        "    cost           lower (vCPU 3 → 1, memory 6 → 2 GiB, maximum number of tasks 8 → 2)"
    )
    assert report["desiredCount"] == {"before": 6, "after": 2}


def test_plan__own_auto_scaling_ends_beside_anothers_policy__target_and_count_stay() -> None:
    observed = seen(6, SCALING, other_policies=("night",))

    assert screen(wanted(2), observed) == (
        "web → dev    1 to remove\n"
        "  - scaling        no longer scaled by FSD's policies; night stays\n"
        "  note: the scalable target of web-dev (2 to 8 tasks) stays: night, which FSD did "
        "not create, needs\n"
        "    it\n"
        "  note: desiredCount 2 has no effect: auto scaling controls the count (now 6)"
    )


def test_plan__desired_count_of_a_scaled_service__a_note() -> None:
    assert screen(wanted(5, SCALING), seen(2, SCALING)) == (
        "web → dev    nothing to change\n"
        "  note: desiredCount 5 has no effect: auto scaling controls the count (now 2)"
    )


def test_plan__range_clamps_the_count__is_in_the_plan() -> None:
    text = screen(wanted(None, SCALING), seen(1))

    assert "cpu target none → 60" in text
    assert "desired count 1 → 2" in text


def test_plan__policy_beside_ours__named() -> None:
    observed = seen(2, SCALING, other_policies=("queue-depth",))

    assert screen(wanted(None, SCALING), observed) == (
        "web → dev    nothing to change\n"
        "  note: queue-depth also scales web-dev; FSD did not create it and does not change it"
    )
