"""Two target groups, of which one has the traffic: no stack may ever send requests to the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fsd.change import BareRemark
from fsd.compile.desired import Desired, Json
from fsd.compile.service import create_parameters, ended_settings, update_parameters
from fsd.plan.notes import HealthCheckMoves, ShiftsLater
from fsd.plan.observed import Observed
from fsd.plan.planner import plan_release
from fsd.plan.rule_weights import with_weights
from fsd.plan.serving import as_served
from fsd.plan.steps import ApplyStack, Plan, ReturnTraffic, SetStrategy, UpdateService
from fsd.release.ports import PermissionDenied
from fsd.release.reporter import Silent
from fsd.release.stack_change import StackChange
from fsd.report.changes import step_text
from fsd.snapshot import DeploymentStatus, ServiceDeployment
from tests.fakes.aws import FakeAws
from tests.unit.compile.shapes import assert_valid_input, lint_template
from tests.unit.floor.test_floor import OUTPUTS, REVISION, as_deployed, compiled

FIRST, SECOND = OUTPUTS["TargetGroupArn"], OUTPUTS["TargetGroupArn"].replace("/a/", "/b/")
PAIR = {
    **OUTPUTS,
    "AlternateTargetGroupArn": SECOND,
    "ProductionRuleArn": "arn:aws:elasticloadbalancing:us-east-1:1:listener-rule/app/a/1/2/3",
    "InfrastructureRoleArn": "arn:aws:iam::123456789012:role/fsd/offer-api-dev-infrastructure",
}
OWN, SHARED = "ProductionRule", "ListenerRule"
TO_FIRST, TO_SECOND = [100, 0], [0, 100]


def service(strategy: str, balancer: str = "{}", more: str = "") -> Desired:
    return compiled(
        f"{{networking: {{loadBalancer: {balancer}}}, deployment: {{strategy: {strategy}}}{more}}}"
    )


def shared(strategy: str, path: str = "/api/*") -> Desired:
    return service(strategy, f"{{shared: main, paths: ['{path}']}}")


def served(desired: Desired, by: str) -> Observed:
    """As it is after releases that succeeded; `by` is the target group that has the traffic."""
    found = as_deployed(desired)
    assert found.service is not None
    assert found.stack is not None
    now = replace(found.service, target_group_arns=(FIRST,), target_groups=((FIRST, SECOND),))
    divided = {FIRST: 100 if by == FIRST else 0, SECOND: 100 if by == SECOND else 0}
    return replace(found, service=now, weights=divided, stack=replace(found.stack, outputs=PAIR))


def weights(template: Json, rule: str) -> list[int]:
    resources: Any = template["Resources"]
    (action,) = resources[rule]["Properties"]["Actions"]
    return [group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]]


def stacks(desired: Desired, observed: Observed) -> list[ApplyStack]:
    return [s for s in plan_release(desired, observed).steps if isinstance(s, ApplyStack)]


def check_path(step: ApplyStack, group: str) -> str:
    resources: Any = step.template["Resources"]
    return str(resources[group]["Properties"]["HealthCheckPath"])


@pytest.mark.parametrize(
    ("strategy", "settings"),
    [
        ("blueGreen", {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}),
        (
            "canary",
            {
                "strategy": "CANARY",
                "bakeTimeInMinutes": 5,
                "canaryConfiguration": {"canaryPercent": 5, "canaryBakeTimeInMinutes": 10},
            },
        ),
        (
            "linear, linear: {stepPercent: 25, stepBakeTime: 1}, bakeTime: 2",
            {
                "strategy": "LINEAR",
                "bakeTimeInMinutes": 2,
                "linearConfiguration": {"stepPercent": 25, "stepBakeTimeInMinutes": 1},
            },
        ),
    ],
    ids=["blue/green", "canary", "linear"],
)
def test_compile__strategy__aws_takes_it(strategy: str, settings: Json) -> None:
    desired = service(strategy)

    parameters: Any = create_parameters(
        desired, outputs=PAIR, task_definition_arn=REVISION, client_token="t"
    )

    assert_valid_input("ecs", "CreateService", parameters)
    assert lint_template(desired.template) == []
    assert settings.items() <= parameters["deploymentConfiguration"].items()
    (balancer,) = parameters["loadBalancers"]
    assert balancer["advancedConfiguration"] == {
        "alternateTargetGroupArn": SECOND,
        "productionListenerRule": PAIR["ProductionRuleArn"],
        "roleArn": PAIR["InfrastructureRoleArn"],
    }


def test_compile__shared_load_balancer__its_rule_divides_the_requests() -> None:
    assert weights(shared("blueGreen").template, SHARED) == TO_FIRST


@pytest.mark.parametrize("by", [FIRST, SECOND])
def test_plan__nothing_changes__nothing_to_do_whoever_serves(by: str) -> None:
    desired = service("blueGreen")

    assert plan_release(desired, served(desired, by)).is_empty


@pytest.mark.parametrize(("by", "to"), [(FIRST, TO_FIRST), (SECOND, TO_SECOND)])
def test_plan__rule_changes__says_the_weights_of_now(by: str, to: list[int]) -> None:
    before, after = shared("blueGreen"), shared("blueGreen", "/other/*")

    (step,) = stacks(after, served(before, by))

    assert weights(step.template, SHARED) == to


def test_plan__rule_changes_in_a_shift__weights_as_they_are() -> None:
    before, after = shared("linear"), shared("linear", "/other/*")
    observed = replace(served(before, FIRST), weights={FIRST: 32, SECOND: 68})

    (step,) = stacks(after, observed)

    assert weights(step.template, SHARED) == [32, 68]


@pytest.mark.parametrize(
    "after", [shared("blueGreen", "/other/*"), shared("rolling")], ids=["rule", "strategy"]
)
def test_plan__rule_may_not_be_read__refused_where_it_matters(after: Desired) -> None:
    before = shared("blueGreen")
    denied = PermissionDenied("AccessDenied", where="DescribeRules", fix="allow it")
    observed = replace(served(before, SECOND), weights={}, weights_unread=denied)

    assert plan_release(before, observed).is_empty
    with pytest.raises(PermissionDenied):
        plan_release(after, observed)


@pytest.mark.parametrize(
    ("by", "serving", "idle"),
    [
        (FIRST, "TargetGroup", "AlternateTargetGroup"),
        (SECOND, "AlternateTargetGroup", "TargetGroup"),
    ],
)
def test_plan__health_check_moves__old_tasks_are_asked_what_they_were(
    by: str, serving: str, idle: str
) -> None:
    before = service("blueGreen")
    after = service("blueGreen", more=", healthCheck: {path: /helth}")

    plan = plan_release(after, served(before, by))

    first, last = (step for step in plan.steps if isinstance(step, ApplyStack))
    assert (check_path(first, serving), check_path(first, idle)) == ("/health", "/helth")
    assert (check_path(last, serving), check_path(last, idle)) == ("/helth", "/helth")
    assert last.cleans_up
    assert plan.notes == ()


def test_plan__rolling_to_blue_green__second_group_and_traffic_stays() -> None:
    desired, before = service("blueGreen"), as_deployed(service("rolling"))

    plan = plan_release(desired, before)

    (stack,) = (step for step in plan.steps if isinstance(step, ApplyStack))
    assert weights(stack.template, OWN) == TO_FIRST
    update, strategy = of_service(plan)
    assert isinstance(update, UpdateService)
    assert (update.rolls_out, update.in_place) == (True, True)
    said = [(c.what, c.before, c.after, c.remark) for c in update.changes]
    assert said == [("second target group", None, None, BareRemark.ADDED)]
    assert isinstance(strategy, SetStrategy)
    assert strategy.is_after
    assert strategy.configuration["strategy"] == "BLUE_GREEN"
    assert [(c.before, c.after) for c in strategy.changes] == [("ROLLING", "BLUE_GREEN")]
    assert plan.notes == (ShiftsLater(strategy="BLUE_GREEN"),)


def astray(desired: Desired) -> Observed:
    """The rule says the second target group; the tasks that run are in the first one."""
    return replace(served(desired, SECOND), healthy={FIRST: 2, SECOND: 0})


def test_plan__requests_go_to_an_empty_target_group__returned_before_anything_else() -> None:
    before, after = shared("blueGreen"), shared("blueGreen", "/other/*")

    first, *rest = plan_release(after, astray(before)).steps

    assert isinstance(first, ReturnTraffic)
    assert first.group == FIRST
    stack = next(step for step in rest if isinstance(step, ApplyStack))
    assert weights(stack.template, SHARED) == TO_FIRST
    (alone,) = plan_release(before, astray(before)).steps
    assert alone == first
    assert step_text(first) == "traffic b → a (all requests)"


def test_plan__requests_go_to_an_empty_target_group_in_a_shift__left_to_ecs() -> None:
    desired = service("blueGreen")

    plan = plan_release(desired, replace(astray(desired), in_flight=flight()))

    assert not any(isinstance(step, ReturnTraffic) for step in plan.steps)


def flight() -> ServiceDeployment:
    return ServiceDeployment(
        arn="arn:1",
        status=DeploymentStatus.IN_PROGRESS,
        task_definition_arn="",
        created_at=datetime(2026, 7, 31, 12, tzinfo=UTC),
    )


def of_service(plan: Plan) -> list[SetStrategy | UpdateService]:
    return [step for step in plan.steps if isinstance(step, SetStrategy | UpdateService)]


def attached(by: str, strategy: str = "rolling", *, first: str = FIRST) -> Observed:
    """A service that has both target groups, and another strategy than its stack is for."""
    observed = served(service("blueGreen"), by)
    assert observed.service is not None
    pair = (first, *({FIRST, SECOND} - {first}))
    now = replace(
        observed.service,
        target_group_arns=(first,),
        target_groups=(pair,),
        deployment_configuration={**service(strategy).service.deployment_configuration},
    )
    return replace(observed, service=now)


@pytest.mark.parametrize("first", [FIRST, SECOND])
def test_plan__second_target_group_is_attached__strategy_first_and_without_a_deployment(
    first: str,
) -> None:
    """An earlier run was killed before it could set it."""
    (only,) = of_service(plan_release(service("blueGreen"), attached(first, first=first)))

    assert isinstance(only, SetStrategy)
    assert not only.is_after


def test_plan__second_target_group_is_attached_and_a_release__shifts() -> None:
    release = service("blueGreen", more=", environment: {A: b}")

    strategy, update = of_service(plan_release(release, attached(FIRST)))

    assert isinstance(strategy, SetStrategy)
    assert isinstance(update, UpdateService)
    assert (strategy.is_after, update.in_place) == (False, False)


def test_plan__own_rolling_deployment_in_flight__strategy_once_it_is_over() -> None:
    observed = replace(attached(FIRST), in_flight=flight())

    plan = plan_release(service("blueGreen"), observed)

    (strategy,) = of_service(plan)
    assert isinstance(strategy, SetStrategy)
    assert strategy.is_after
    assert plan.attach_to == "arn:1"


def test_plan__blue_green_to_rolling__strategy_before_the_deployment() -> None:
    observed = attached(SECOND, strategy="blueGreen")

    strategy, update = of_service(plan_release(service("rolling"), observed))

    assert isinstance(strategy, SetStrategy)
    assert not strategy.is_after
    assert strategy.configuration["strategy"] == "ROLLING"
    assert strategy.configuration["bakeTimeInMinutes"] == 0
    assert isinstance(update, UpdateService)
    assert update.rolls_out


def test_plan__rolling_to_blue_green_and_the_check_moves__old_tasks_are_asked_first() -> None:
    """Both are in one target group this time, so the new check judges both."""
    after = service("blueGreen", more=", healthCheck: {path: /ready}")

    plan = plan_release(after, as_deployed(service("rolling")))

    (stack,) = (step for step in plan.steps if isinstance(step, ApplyStack))
    assert check_path(stack, "TargetGroup") == "/ready"
    assert any(isinstance(note, HealthCheckMoves) for note in plan.notes)


@pytest.mark.parametrize("first", [FIRST, SECOND])
def test_update_parameters__pair__its_first_target_group_stays_the_first(first: str) -> None:
    parameters: Any = update_parameters(
        service("blueGreen"),
        outputs=PAIR,
        task_definition_arn=REVISION,
        ends={},
        first_group=first,
    )

    (balancer,) = parameters["loadBalancers"]
    assert balancer["targetGroupArn"] == first
    assert balancer["advancedConfiguration"]["alternateTargetGroupArn"] in {FIRST, SECOND} - {first}
    assert_valid_input("ecs", "UpdateService", parameters)


@pytest.mark.parametrize(
    ("by", "attached", "rule_goes"),
    [(FIRST, "TargetGroup", True), (SECOND, "AlternateTargetGroup", False)],
)
def test_plan__blue_green_to_rolling__stays_in_the_group_that_serves(
    by: str, attached: str, *, rule_goes: bool
) -> None:
    desired, observed = service("rolling"), served(service("blueGreen"), by)

    steps = stacks(desired, observed)

    for step in steps:
        outputs: Any = step.template["Outputs"]
        assert outputs["TargetGroupArn"]["Value"] == {"Ref": attached}
    last = steps[-1]
    resources: Any = last.template["Resources"]
    assert (OWN in resources) is not rule_goes
    assert "InfrastructureRole" not in resources
    assert lint_template(last.template) == []
    if not rule_goes:
        assert observed.stack is not None
        before: Any = observed.stack.template["Resources"]
        assert resources[OWN] == before[OWN]


def test_plan__rolling_in_the_second_group__nothing_to_do() -> None:
    desired, observed = service("rolling"), served(service("blueGreen"), SECOND)
    assert observed.stack is not None
    *_, last = stacks(desired, observed)
    rolled = as_deployed(desired)
    assert rolled.service is not None
    outputs = {**PAIR, "TargetGroupArn": SECOND}
    observed = replace(
        rolled,
        service=replace(rolled.service, target_group_arns=(SECOND,), target_groups=((SECOND,),)),
        stack=replace(observed.stack, template=last.template, outputs=outputs),
    )

    assert plan_release(desired, observed).is_empty
    # And from there on to blue/green once more, with the traffic where it is.
    first, *_ = stacks(service("blueGreen"), observed)
    again: Any = first.template["Resources"]
    assert observed.stack is not None
    before: Any = observed.stack.template["Resources"]
    assert again[OWN] == before[OWN]


def test_plan__blue_green_to_rolling_as_applied__nothing_to_do() -> None:
    """A rule that only ECS has changed keeps its text in the stack, whatever the plan had said."""
    desired, observed = service("rolling"), served(service("blueGreen"), SECOND)
    assert observed.stack is not None
    *_, last = stacks(desired, observed)
    now = {"TargetGroup": 0, "AlternateTargetGroup": 100}
    applied = with_weights(last.template, observed.stack.template, now)
    rolled = as_deployed(desired)
    assert rolled.service is not None
    observed = replace(
        rolled,
        service=replace(rolled.service, target_group_arns=(SECOND,), target_groups=((SECOND,),)),
        stack=replace(observed.stack, template=applied, outputs={**PAIR, "TargetGroupArn": SECOND}),
        weights={FIRST: 0, SECOND: 100},
    )

    assert plan_release(desired, observed).is_empty


def test_plan__blue_green_to_rolling_and_the_rule_changes__traffic_stays() -> None:
    observed = served(shared("blueGreen"), SECOND)

    for step in stacks(shared("rolling", "/other/*"), observed):
        assert weights(step.template, SHARED) == TO_SECOND


def test_plan__rolling_in_the_second_group__scaling_counts_its_requests() -> None:
    more = (
        ", autoScaling: {targetRequestsPerTask: 100}, "
        "resources: {cpu: 256, memory: 512, minCapacity: 1, maxCapacity: 4}"
    )

    for step in stacks(service("rolling", more=more), served(service("blueGreen"), SECOND)):
        outputs: Any = step.template["Outputs"]
        _, (_, group) = outputs["RequestCountLabel"]["Value"]["Fn::Join"]
        assert group == {"Fn::GetAtt": ["AlternateTargetGroup", "TargetGroupFullName"]}


def test_claim__rolling_in_the_second_group__nobody_has_changed_the_stack() -> None:
    desired, observed = service("rolling"), served(service("blueGreen"), SECOND)
    (first, *_) = stacks(desired, observed)
    aws = FakeAws()
    aws.stacks.apply(desired.stack_name, template=first.template, tags={})
    aws.stacks.applied.clear()
    change = StackChange(stacks=aws.stacks, desired=desired, reporter=Silent())

    clash = change.claim(
        aws.stacks.find(desired.stack_name), own=as_served(desired, observed).template
    )

    assert clash is None
    assert aws.stacks.applied == []


def test_ended_settings__bake_time_of_a_shift__ends_with_it() -> None:
    now, wanted = (
        service(strategy).service.deployment_configuration for strategy in ("blueGreen", "rolling")
    )

    assert ended_settings(now, wanted) == {"bakeTimeInMinutes": 0}


HTTPS = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-1111-1111-1111-111111111111"


def test_plan__https__ecs_is_told_the_new_rule() -> None:
    before, after = service("blueGreen"), service("blueGreen", f"{{certificateArn: '{HTTPS}'}}")

    (update,) = updates(after, served(before, SECOND))

    assert update.rolls_out
    assert [one.what for one in update.changes] == ["listener rule"]


def test_plan__service_has_a_rule_that_is_gone__ecs_is_told_the_one_of_the_stack() -> None:
    desired = service("blueGreen")
    observed = served(desired, SECOND)
    assert observed.service is not None
    stale = replace(observed.service, production_rule="arn:gone")

    (update,) = updates(desired, replace(observed, service=stale))

    assert update.rolls_out
    assert [one.what for one in update.changes] == ["listener rule"]


def updates(desired: Desired, observed: Observed) -> list[UpdateService]:
    return [s for s in plan_release(desired, observed).steps if isinstance(s, UpdateService)]
