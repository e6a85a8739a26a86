"""Lifecycle hooks: Lambda functions and pauses, stage by stage; as text, and through the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from fsd_local.ecs import hooks
from fsd_local.ecs.model import HookRun, HookStatus, ServiceDeployment
from tests.local.ecs.cloud import ApiFault, Cloud
from tests.local.ecs.fakes import ACCOUNT, REGION
from tests.local.ecs.test_advanced import PRODUCTION, balancers, configuration, shifting
from tests.local.ecs.test_shifting import make
from tests.local.ecs.timeline import ALTERNATE, TARGET_GROUP, Timeline
from tests.waiting import eventually

__all__ = ["shifting"]  # a fixture

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:smoke-test"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/hooks"
EVERY = (
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
)


WAITS: dict[str, Any] = {"hookStatus": "IN_PROGRESS"}


def repr_of(delay: float) -> str:
    return f"{delay!r:.8}"


def function(*stages: str, **more: Any) -> dict[str, Any]:
    return {
        "hookTargetArn": FUNCTION,
        "roleArn": ROLE,
        "lifecycleStages": list(stages or EVERY),
        **more,
    }


def pause(stage: str = "POST_TEST_TRAFFIC_SHIFT", **timeout: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"targetType": "PAUSE", "lifecycleStages": [stage]}
    return found | ({"timeoutConfiguration": timeout} if timeout else {})


def current(timeline: Timeline) -> ServiceDeployment:
    return timeline.service.service_deployments[0]


def hooked(hook: dict[str, Any], strategy: str = "BLUE_GREEN") -> Timeline:
    """A second deployment with a hook."""
    timeline = make(strategy).running()
    return timeline.configure(lifecycleHooks=[hook]).deploy("v2")


def until_pending(timeline: Timeline) -> HookRun:
    for _ in range(300):
        timeline.advance(1)
        for run in current(timeline).traffic.hooks:
            if run.is_pending:
                return run
    raise AssertionError(timeline.text)


# Which hook runs when.


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY", "LINEAR"])
def test_hooks__every_stage__in_order_and_at_each_step_of_the_traffic(strategy: str) -> None:
    timeline = hooked(function(), strategy)
    seen = []
    for _ in range(400):
        timeline.advance(1)
        for run in current(timeline).traffic.hooks:
            if run.is_pending:
                seen.append((run.stage, current(timeline).traffic.production))
                hooks.answered(run, {"hookStatus": "SUCCEEDED"}, timeline.now, speed=1)

    steps = {"BLUE_GREEN": [100.0], "CANARY": [10.0, 100.0], "LINEAR": [50.0, 100.0]}[strategy]
    around = [
        pair
        for before, after in zip([0.0, *steps], steps, strict=False)
        for pair in (
            ("PRE_PRODUCTION_TRAFFIC_SHIFT", before),
            ("PRODUCTION_TRAFFIC_SHIFT", after),
        )
    ]
    assert seen == [
        *((stage, 0.0) for stage in EVERY[:4]),
        *around,
        ("POST_PRODUCTION_TRAFFIC_SHIFT", 100.0),
    ]
    assert timeline.statuses[0] == "SUCCESSFUL"


@pytest.mark.parametrize("stage", EVERY)
def test_hook__fails_at_a_stage__rolled_back_in_one_shift(stage: str) -> None:
    timeline = hooked(function(stage))
    run = until_pending(timeline)

    hooks.answered(run, {"hookStatus": "FAILED"}, timeline.now, speed=1)
    timeline.advance(1)
    for again in current(timeline).traffic.hooks:  # those of the rollback
        hooks.answered(again, {"hookStatus": "SUCCEEDED"}, timeline.now, speed=1)
    timeline.advance(20)

    assert timeline.statuses[0] == "ROLLBACK_SUCCESSFUL"
    assert timeline.shifts in ([0], [0, 0], [0, 100, 0])
    assert timeline.rules["rule/production"] == {ALTERNATE: 0, TARGET_GROUP: 100}
    rollback = current(timeline).rollback
    assert rollback is not None
    assert rollback.reason == (
        f"Service deployment rolled back because {stage} lifecycle hook(s) failed. Lifecycle hook "
        f"target {FUNCTION} returned FAILED status."
    )


@pytest.mark.parametrize("delay", [float("nan"), float("inf"), -1, 86_401, 10**400], ids=repr_of)
def test_hook__delay_that_is_none__failed(delay: float) -> None:
    timeline = hooked(function("POST_SCALE_UP"))
    run = until_pending(timeline)

    hooks.answered(run, WAITS | {"callBackDelay": delay}, timeline.now, speed=1)

    assert run.status is HookStatus.FAILED
    assert "callBackDelay must be between" in run.reason


@pytest.mark.parametrize("status", [HookStatus.TIMED_OUT, HookStatus.FAILED, HookStatus.SUCCEEDED])
def test_hook__answer_after_its_end__changes_nothing(status: HookStatus) -> None:
    timeline = hooked(function("POST_SCALE_UP"))
    run = until_pending(timeline)
    run.status = status

    hooks.answered(run, {"hookStatus": "SUCCEEDED"}, timeline.now, speed=1)
    hooks.answered(run, {"hookStatus": "FAILED"}, timeline.now, speed=1)
    hooks.failed(run, "late")

    assert (run.status, run.reason) == (status, "")


def test_hook__rollback__shifts_are_told_to_their_hooks() -> None:
    timeline = hooked(function("PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"))
    run = until_pending(timeline)
    hooks.answered(run, {"hookStatus": "SUCCEEDED"}, timeline.now, speed=1)
    run = until_pending(timeline)
    hooks.failed(run, "no")
    again = until_pending(timeline)

    assert again.stage == "PRODUCTION_TRAFFIC_SHIFT"
    found = hooks.event(again, current(timeline), "service")
    assert found["executionDetails"]["productionTrafficWeights"] == {
        "revision/v2": 0.0,
        "revision/v1": 100.0,
    }


# Pauses.


def test_pause__nobody_answers__rolled_back_when_its_time_is_over() -> None:
    timeline = hooked(pause(timeoutInMinutes=1))
    until_pending(timeline)

    timeline.advance(80)

    rollback = current(timeline).rollback
    assert timeline.statuses[0] == "ROLLBACK_SUCCESSFUL"
    assert rollback is not None
    assert rollback.reason == (
        "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT pause hook timed out."
    )


def test_pause__nobody_answers__continues_where_it_says_so() -> None:
    timeline = hooked(pause(timeoutInMinutes=1, action="CONTINUE"))
    until_pending(timeline)

    timeline.advance(150)

    assert timeline.statuses[0] == "SUCCESSFUL"


def test_pause__longer_than_a_day__does_not_count_as_a_stage_that_hangs() -> None:
    timeline = hooked(pause(timeoutInMinutes=20_160))
    run = until_pending(timeline)
    timeline.speed = 28_800.0  # a day is 3 s

    timeline.advance(20)

    assert run.status is HookStatus.AWAITING_ACTION
    assert timeline.statuses[0] == "IN_PROGRESS"


def test_pause__rollback_asked_for_meanwhile__rolled_back() -> None:
    timeline = hooked(pause())
    until_pending(timeline)

    timeline.ask_for_rollback().advance(20)

    assert timeline.statuses[0] == "ROLLBACK_SUCCESSFUL"


# Through the API.


def waiting(cloud: Cloud, arn: str) -> dict[str, Any]:
    """The pause that waits."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        details = cloud.deployment(arn).get("lifecycleHookDetails") or [{}]
        found[:] = [one for one in details if one.get("status") == "AWAITING_ACTION"]
        return bool(found)

    eventually(look)
    return found[0]


def start(cloud: Cloud, *given: Mapping[str, Any]) -> str:
    cloud.running_service(loadBalancers=balancers(), deploymentConfiguration=configuration())
    return cloud.update(
        cloud.register("app:2"), deploymentConfiguration={"lifecycleHooks": list(given)}
    )


@pytest.mark.parametrize(
    ("action", "status"),
    [({}, "SUCCESSFUL"), ({"action": "ROLLBACK"}, "ROLLBACK_SUCCESSFUL")],
    ids=["continue", "rollback"],
)
def test_continue_service_deployment__pause__goes_on_or_back(
    shifting: Cloud, action: dict[str, str], status: str
) -> None:
    arn = start(shifting, pause())
    found = waiting(shifting, arn)
    assert shifting.deployment(arn)["lifecycleStage"] == "POST_TEST_TRAFFIC_SHIFT"
    assert (found["targetType"], found["timeoutAction"]) == ("PAUSE", "ROLLBACK")
    assert found["hookId"].startswith("ecs-pause-")

    shifting.call(
        "ContinueServiceDeployment", serviceDeploymentArn=arn, hookId=found["hookId"], **action
    )

    shifting.wait_for(status, arn)


def test_continue_service_deployment__what_cannot_be_continued__refused(shifting: Cloud) -> None:
    arn = start(shifting, pause())
    hook = waiting(shifting, arn)["hookId"]

    def refusal(arn: str, hook: str) -> str:
        with pytest.raises(ApiFault) as caught:
            shifting.call("ContinueServiceDeployment", serviceDeploymentArn=arn, hookId=hook)
        return str(caught.value)

    assert "must follow the format: ecs-{hookType}-{id}" in refusal(arn, "hook")
    assert "either completed, unavailable" in refusal(arn, "ecs-pause-other")
    assert refusal(arn[:-1] + "_", hook) == (
        "ServiceDeploymentNotFoundException: The service deployment does not exist."
    )
    shifting.call("ContinueServiceDeployment", serviceDeploymentArn=arn, hookId=hook)
    shifting.wait_for("SUCCESSFUL", arn)
    assert "not allowed for service deployment in terminal states." in refusal(arn, hook)


def test_lambda_hook__in_progress_then_succeeded__called_again_with_what_it_returned(
    shifting: Cloud,
) -> None:
    shifting.hooks.answers = [
        {"hookStatus": "IN_PROGRESS", "callBackDelay": 20, "hookDetails": {"seen": 1}},
        {"hookStatus": "SUCCEEDED"},
    ]
    arn = start(shifting, function("POST_TEST_TRAFFIC_SHIFT", hookDetails={"seen": 0}))

    shifting.wait_for("SUCCESSFUL", arn)

    first, second = shifting.hooks.events
    assert first["lifecycleStage"] == "POST_TEST_TRAFFIC_SHIFT"
    assert first["resourceArn"] == arn
    assert first["executionDetails"]["serviceArn"] == shifting.service()["serviceArn"]
    assert first["executionDetails"]["testTrafficWeights"] == {}
    assert [event["hookDetails"] for event in (first, second)] == [{"seen": 0}, {"seen": 1}]
    assert first["executionId"] == second["executionId"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"hookStatus": "FAILED"}, "returned FAILED status."),
        ({}, "due to HookStatus must not be null"),
        ("ECS was unable to invoke hook target", "ECS was unable to invoke hook target"),
        (RuntimeError("out of order"), f"hook target {FUNCTION} due to RuntimeError: out of order"),
        (WAITS | {"callBackDelay": 10**400}, "due to callBackDelay must be between 0 and 86400"),
    ],
    ids=["failed", "no status", "no function", "unforeseen", "endless delay"],
)
def test_lambda_hook__does_not_succeed__traffic_stays(
    shifting: Cloud, answer: dict[str, Any] | str | Exception, reason: str
) -> None:
    shifting.hooks.answers = [answer]
    arn = start(shifting, function("POST_TEST_TRAFFIC_SHIFT"))

    found = shifting.wait_for("ROLLBACK_SUCCESSFUL", arn)

    assert found["statusReason"].startswith(
        "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT lifecycle hook(s) failed. "
    )
    assert reason in found["statusReason"]
    rule = shifting.load_balancers.rules[PRODUCTION]
    assert rule[balancers()[0]["targetGroupArn"]] == 100


@pytest.mark.parametrize(
    ("hook", "message"),
    [
        (pause("PRODUCTION_TRAFFIC_SHIFT"), "Invalid lifecycle stage provided for Pause Hook"),
        (pause() | {"roleArn": ROLE}, "not applicable for PAUSE hooks."),
        (pause(timeoutInMinutes=20_161), "timeoutInMinutes must be between 1 and 20160."),
        (function() | {"lifecycleStages": []}, "lifecycleStages must not be empty."),
        (function() | {"hookTargetArn": "smoke-test"}, "the ARN of a Lambda function."),
        (function() | {"roleArn": "hooks"}, "the ARN of an IAM role."),
    ],
    ids=["stage", "role of a pause", "two weeks", "no stage", "no function", "no role"],
)
def test_create_service__hook_that_cannot_run__refused(
    shifting: Cloud, hook: dict[str, Any], message: str
) -> None:
    task_definition = shifting.cluster().register()

    with pytest.raises(ApiFault, match="InvalidParameterException") as caught:
        shifting.create(
            task_definition,
            loadBalancers=balancers(),
            deploymentConfiguration=configuration(lifecycleHooks=[hook]),
        )

    assert message in caught.value.message
