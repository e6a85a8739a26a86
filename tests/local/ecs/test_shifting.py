"""BLUE_GREEN, LINEAR and CANARY as text: each stage with each outcome, and the traffic's weights.

A task reaches RUNNING 2 s after its launch and turns healthy 3 s later; it drains for 5 s.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest

from fsd_local.ecs import describe
from fsd_local.ecs.model import StopCode
from fsd_local.ecs.shifting import percentages, weights
from tests.local.ecs.timeline import ALTERNATE, PRODUCTION, TARGET_GROUP, TEST, Timeline, breaker

ALARMS = {"alarms": {"alarmNames": ["5xx"], "enable": True, "rollback": True}}
CANARY = {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1}
LINEAR = {"stepPercent": 50.0, "stepBakeTimeInMinutes": 1}


def make(strategy: str = "BLUE_GREEN", **more: Any) -> Timeline:
    members = {"CANARY": {"canaryConfiguration": CANARY}, "LINEAR": {"linearConfiguration": LINEAR}}
    configuration = {
        "strategy": strategy,
        "bakeTimeInMinutes": 1,
        **breaker(),
        **members.get(strategy, {}),
        **more,
    }
    return Timeline(configuration=configuration)


def assert_timeline(timeline: Timeline, expected: str) -> None:
    assert dedent(timeline.text) == dedent(expected).rstrip()


def reached(strategy: str, stage: str) -> Timeline:
    """A second deployment that has just come to the stage."""
    timeline = make(strategy, **ALARMS).alarm("5xx", "OK").running().deploy("v2")
    for _ in range(300):
        timeline.advance(1)
        if timeline.service.service_deployments[0].traffic.stage == stage:
            return timeline
    raise AssertionError(timeline.text)


# A rollout that is good.


def test_blue_green__second_deployment__one_shift_then_bake_then_old_tasks_end() -> None:
    timeline = make().running().deploy("v2").advance(80)

    assert_timeline(
        timeline,
        """\
           0  v1 2 healthy | v2 2 starting  IN_PROGRESS SCALE_UP 0%
           2  v1 2 healthy | v2 2 running  IN_PROGRESS SCALE_UP 0%
           5  v1 2 healthy | v2 2 healthy  IN_PROGRESS BAKE_TIME 100%
          65  v1 2 draining | v2 2 healthy  IN_PROGRESS CLEAN_UP 100%
          70  v1 2 stopping | v2 2 healthy  IN_PROGRESS CLEAN_UP 100%
          71  v2 2 healthy  SUCCESSFUL CLEAN_UP 100%
        """,
    )
    assert timeline.shifts == [0, 100]
    assert timeline.rules[TEST] == timeline.rules[PRODUCTION] == {ALTERNATE: 100, TARGET_GROUP: 0}


def test_blue_green__third_deployment__comes_back_to_the_first_target_group() -> None:
    timeline = make().running().deploy("v2").advance(80).deploy("v3").advance(80)

    assert timeline.shifts == [0, 100, 100, 0]
    assert timeline.statuses[:2] == ["SUCCESSFUL", "SUCCESSFUL"]
    tasks = timeline.service.tasks.values()
    assert {r.target_group_arn for task in tasks for r in task.registrations} == {TARGET_GROUP}


def test_canary__second_deployment__a_part_waits_then_the_rest() -> None:
    timeline = make("CANARY").running().deploy("v2").advance(150)

    assert_timeline(
        timeline,
        """\
           0  v1 2 healthy | v2 2 starting  IN_PROGRESS SCALE_UP 0%
           2  v1 2 healthy | v2 2 running  IN_PROGRESS SCALE_UP 0%
           5  v1 2 healthy | v2 2 healthy  IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 10%
          65  v1 2 healthy | v2 2 healthy  IN_PROGRESS BAKE_TIME 100%
         125  v1 2 draining | v2 2 healthy  IN_PROGRESS CLEAN_UP 100%
         130  v1 2 stopping | v2 2 healthy  IN_PROGRESS CLEAN_UP 100%
         131  v2 2 healthy  SUCCESSFUL CLEAN_UP 100%
        """,
    )
    assert timeline.shifts == [0, 10, 100]


def test_linear__second_deployment__equal_steps() -> None:
    timeline = make("LINEAR").running().deploy("v2").advance(150)

    assert timeline.shifts == [0, 50, 100]
    assert timeline.statuses[0] == "SUCCESSFUL"


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY", "LINEAR"])
def test_first_deployment__nothing_to_shift_from__all_traffic_at_once(strategy: str) -> None:
    timeline = make(strategy).deploy("v1").advance(80)

    assert timeline.statuses == ["SUCCESSFUL"]
    assert timeline.shifts == [0]
    assert timeline.rules[PRODUCTION] == {TARGET_GROUP: 100, ALTERNATE: 0}


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"strategy": "BLUE_GREEN"}, (100.0,)),
        ({"strategy": "CANARY"}, (5.0, 100.0)),
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 100.0}}, (100.0,)),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 25.0}}, (25, 50, 75, 100)),
        (
            {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 33.3}},
            (33.3, 66.6, 99.9, 100.0),
        ),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 60.0}}, (60.0, 100.0)),
    ],
)
def test_percentages(configuration: dict[str, Any], expected: tuple[float, ...]) -> None:
    assert percentages(configuration) == expected


def test_weights__tenths_of_a_percent__within_what_a_rule_can_have() -> None:
    assert [weights(p) for p in (0, 5.0, 100.0, 0.1, 99.9)] == [
        (0, 100),
        (5, 95),
        (100, 0),
        (1, 999),
        (999, 1),
    ]


# Each stage × each outcome.


def ask(timeline: Timeline) -> None:
    timeline.ask_for_rollback()


def alarm(timeline: Timeline) -> None:
    timeline.alarm("5xx", "ALARM")


def crash(timeline: Timeline) -> None:
    """Each task of the new revision ends as soon as it runs."""
    timeline.turn("v2", exits=0)


def unhealthy(timeline: Timeline) -> None:
    timeline.turn("v2", unhealthy=0, healthy=None)


STAGES = [
    ("BLUE_GREEN", "SCALE_UP", [0]),
    ("BLUE_GREEN", "BAKE_TIME", [0, 100, 0]),
    ("CANARY", "SCALE_UP", [0]),
    ("CANARY", "PRODUCTION_TRAFFIC_SHIFT", [0, 10, 0]),
    ("CANARY", "BAKE_TIME", [0, 10, 100, 0]),
    ("LINEAR", "SCALE_UP", [0]),
    ("LINEAR", "PRODUCTION_TRAFFIC_SHIFT", [0, 50, 0]),
    ("LINEAR", "BAKE_TIME", [0, 50, 100, 0]),
]


@pytest.mark.parametrize("outcome", [ask, alarm, crash, unhealthy], ids=lambda o: o.__name__)
@pytest.mark.parametrize(("strategy", "stage", "shifts"), STAGES)
def test_failure__before_clean_up__one_shift_back_and_the_old_tasks_serve_on(
    strategy: str, stage: str, shifts: list[int], outcome: Callable[[Timeline], None]
) -> None:
    timeline = reached(strategy, stage)
    before = [t.id for t in timeline.service.tasks.values() if t.revision_arn == "revision/v1"]

    outcome(timeline)
    timeline.advance(58)

    assert timeline.statuses[0] == "ROLLBACK_SUCCESSFUL"
    assert timeline.shifts == (shifts if shifts[-1] == 0 and len(shifts) > 1 else [0])
    assert timeline.rules[PRODUCTION] == {ALTERNATE: 0, TARGET_GROUP: 100}
    assert timeline.rules[TEST] == {ALTERNATE: 0, TARGET_GROUP: 100}
    assert [t.id for t in timeline.service.tasks.values()] == before
    assert timeline.service.is_steady


@pytest.mark.parametrize("outcome", [ask, alarm], ids=lambda o: o.__name__)
@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY", "LINEAR"])
def test_failure__in_clean_up__too_late(strategy: str, outcome: Callable[[Timeline], None]) -> None:
    timeline = reached(strategy, "CLEAN_UP")

    outcome(timeline)
    timeline.advance(20)

    assert timeline.statuses[0] == "SUCCESSFUL"
    assert timeline.rules[PRODUCTION] == {ALTERNATE: 100, TARGET_GROUP: 0}


@pytest.mark.parametrize(("strategy", "stage", "_"), STAGES)
def test_superseded__at_any_stage__traffic_first_goes_back_to_what_was_completed(
    strategy: str, stage: str, _: list[int]
) -> None:
    timeline = reached(strategy, stage)
    before = len(timeline.shifts)

    timeline.deploy("v3").advance(200)

    assert timeline.statuses[:2] == ["SUCCESSFUL", "STOPPED"]
    assert timeline.shifts[before] == 0
    assert timeline.rules[PRODUCTION] == {ALTERNATE: 100, TARGET_GROUP: 0}
    assert {t.revision_arn for t in timeline.service.tasks.values()} == {"revision/v3"}


def test_scale_up__never_healthy_without_breaker__rolled_back_after_24_hours() -> None:
    timeline = make(**breaker(enable=False)).running()
    timeline.speed = 2880.0  # 24 hours are 30 s
    timeline.deploy("v2", healthy=None).advance(60)

    assert timeline.statuses[0] == "ROLLBACK_SUCCESSFUL"
    rollback = timeline.service.service_deployments[0].rollback
    assert rollback is not None
    assert rollback.reason == (
        "Service deployment rolled back because a lifecycle stage took longer than 24 hours."
    )


def test_first_deployment__crashes__has_no_way_back() -> None:
    timeline = make().deploy("v1", exits=0).advance(60)

    assert timeline.statuses == ["ROLLBACK_FAILED"]
    assert timeline.shifts == []


def test_alarm__without_rollback__stops_and_leaves_both_sides() -> None:
    alarms = {"alarms": {**ALARMS["alarms"], "rollback": False}}
    timeline = make("CANARY", **alarms).alarm("5xx", "OK").running().deploy("v2").advance(20)
    timeline.alarm("5xx", "ALARM").advance(20)

    assert timeline.statuses[0] == "STOPPED"
    assert timeline.lines[-1].split("  ")[-2:] == [
        "v1 2 healthy | v2 2 healthy",
        "STOPPED PRODUCTION_TRAFFIC_SHIFT 10%",
    ]


def test_source__task_ends_during_the_bake__is_replaced() -> None:
    timeline = make().running().deploy("v2").advance(20)
    old = [t for t in timeline.service.tasks.values() if t.revision_arn == "revision/v1"]
    old[0].stop_code, old[0].desired_status = StopCode.CONTAINER_EXITED, "STOPPED"
    timeline.turn("v1", exits=30 + 120)
    timeline.advance(30)

    kept = [t for t in timeline.service.tasks.values() if t.revision_arn == "revision/v1"]
    assert len([t for t in kept if t.is_wanted]) == 2
    assert timeline.statuses[0] == "IN_PROGRESS"


def test_scaled__during_the_bake__both_sides() -> None:
    timeline = make().running().deploy("v2").advance(20).scale(3).advance(10)

    assert timeline.lines[-1].endswith("v1 3 healthy | v2 3 healthy  IN_PROGRESS BAKE_TIME 100%")


# Switching.


def test_rolling_after_blue_green__stays_in_the_target_group_that_serves() -> None:
    timeline = make().running().deploy("v2").advance(80)
    balancers = timeline.service.load_balancers
    timeline.configure(strategy="ROLLING")
    timeline.service.load_balancers = balancers
    timeline.deploy("v3").advance(80)

    assert timeline.statuses[0] == "SUCCESSFUL"
    tasks = timeline.service.tasks.values()
    assert {r.target_group_arn for task in tasks for r in task.registrations} == {ALTERNATE}
    assert timeline.shifts == [0, 100]


def test_blue_green_after_rolling__shifts_from_the_first_target_group() -> None:
    timeline = Timeline().running()
    timeline.configure(strategy="BLUE_GREEN", bakeTimeInMinutes=0).deploy("v2").advance(30)

    assert timeline.statuses[0] == "SUCCESSFUL"
    assert timeline.shifts == [0, 100]


def test_headless__no_load_balancer__goes_through_the_same_stages() -> None:
    timeline = make()
    timeline.service.load_balancers = []
    timeline.deploy("v1").advance(160).deploy("v2").advance(160)

    assert timeline.statuses == ["SUCCESSFUL", "SUCCESSFUL"]
    assert timeline.shifts == []


# What the API says.


def test_describe__canary_under_way__stage_and_weights_of_both_sides() -> None:
    timeline = reached("CANARY", "PRODUCTION_TRAFFIC_SHIFT")

    found = describe.service_deployment(timeline.service.service_deployments[0], timeline.service)

    assert found["lifecycleStage"] == "PRODUCTION_TRAFFIC_SHIFT"
    sides = (found["targetServiceRevision"], *found["sourceServiceRevisions"])
    assert [
        (side["requestedTestTrafficWeight"], side["requestedProductionTrafficWeight"])
        for side in sides
    ] == [(100.0, 10.0), (0.0, 90.0)]
    revision = timeline.service.revisions["revision/v2"]
    assert describe.service_revision(revision, timeline.service)["resolvedConfiguration"] == {
        "loadBalancers": [{"targetGroupArn": ALTERNATE, "productionListenerRule": PRODUCTION}]
    }


def test_superseded__while_old_tasks_end__shifts_from_what_serves_by_now() -> None:
    timeline = reached("BLUE_GREEN", "CLEAN_UP")

    timeline.deploy("v3").advance(10)

    assert timeline.shifts == [0, 100, 100, 0]
    assert timeline.lines[-1].split("  ")[-2].startswith("v2 2 healthy | v3 2 healthy")
    timeline.ask_for_rollback().advance(20)
    assert {t.revision_arn for t in timeline.service.tasks.values()} == {"revision/v2"}


def test_superseded__while_it_is_rolled_back__the_old_tasks_serve_on() -> None:
    timeline = reached("BLUE_GREEN", "BAKE_TIME").ask_for_rollback().advance(2)
    before = [t.id for t in timeline.service.tasks.values() if t.revision_arn == "revision/v1"]

    timeline.deploy("v3").advance(10)

    tasks = timeline.service.tasks.values()
    kept = [t for t in tasks if t.revision_arn == "revision/v1" and t.is_wanted]
    assert [t.id for t in kept] == before
    assert timeline.statuses[:2] == ["IN_PROGRESS", "ROLLBACK_FAILED"]
