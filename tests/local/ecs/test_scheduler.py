"""Rollouts as text: seconds, tasks by revision, the newest service deployment's status.

`Timeline` has a task reach RUNNING 2 s after its launch and turn healthy 3 s later, drains 5 s, and
stops a task within a second, unless a test says otherwise.
"""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from fsd_local.ecs import describe
from fsd_local.ecs.model import StopCode, TaskHealth, TaskStatus
from tests.local.ecs.timeline import Timeline, breaker

HALF_IN_PLACE = {"minimumHealthyPercent": 50, "maximumPercent": 100}


def assert_timeline(timeline: Timeline, expected: str) -> None:
    assert dedent(timeline.text) == dedent(expected).rstrip()


def rollout_states(timeline: Timeline) -> list[tuple[str, str]]:
    return [(d.status, str(d.rollout_state)) for d in timeline.service.deployments]


def test_decide__protected_task__outlives_the_deployment_until_its_protection_ends() -> None:
    timeline = Timeline(desired=1).running()
    (task,) = timeline.service.tasks.values()
    task.protected_until = timeline.now + 60

    timeline.deploy("v2").advance(59)
    assert task.is_wanted
    assert timeline.service.service_deployments[0].status == "IN_PROGRESS"

    timeline.advance(20)
    assert task.is_stopped
    assert timeline.service.service_deployments[0].status == "SUCCESSFUL"


# A rollout that is good.


def test_decide__first_deployment__completes_when_every_task_is_healthy() -> None:
    timeline = Timeline(desired=2).deploy("v1").advance(20)

    assert_timeline(
        timeline,
        """\
           0  v1 2 starting  IN_PROGRESS
           2  v1 2 running  IN_PROGRESS
           5  v1 2 healthy  SUCCESSFUL
        """,
    )
    assert timeline.messages == [
        "(service app) has started 2 tasks: (task T) (task T).",
        "(service app) registered 2 targets in (target-group TG)",
        "(service app) (deployment ecs-svc/N) deployment completed.",
        "(service app) has reached a steady state.",
    ]


def test_decide__four_tasks_at_100_and_200__doubles_then_drains_before_success() -> None:
    timeline = Timeline(desired=4).running().deploy("v2").advance(30)

    assert_timeline(
        timeline,
        """\
           0  v1 4 healthy | v2 4 starting  IN_PROGRESS
           2  v1 4 healthy | v2 4 running  IN_PROGRESS
           5  v1 4 draining | v2 4 healthy  IN_PROGRESS
          10  v1 4 stopping | v2 4 healthy  IN_PROGRESS
          11  v2 4 healthy  SUCCESSFUL
        """,
    )
    assert rollout_states(timeline) == [("PRIMARY", "COMPLETED")]
    assert timeline.messages[2:5] == [
        "(service app) has stopped 4 running tasks: (task T) (task T) (task T) (task T).",
        "(service app) deregistered 4 targets in (target-group TG)",
        "(service app) has begun draining connections on 4 tasks.",
    ]


def test_decide__50_and_100__replaces_in_two_batches_within_the_same_room() -> None:
    timeline = Timeline(desired=4, configuration=HALF_IN_PLACE).running().deploy("v2").advance(30)

    assert_timeline(
        timeline,
        """\
           0  v1 2 healthy 2 draining | v2 2 starting  IN_PROGRESS
           2  v1 2 healthy 2 draining | v2 2 running  IN_PROGRESS
           5  v1 2 draining 2 stopping | v2 2 starting 2 healthy  IN_PROGRESS
           6  v1 2 draining | v2 2 starting 2 healthy  IN_PROGRESS
           7  v1 2 draining | v2 2 running 2 healthy  IN_PROGRESS
          10  v1 2 stopping | v2 4 healthy  IN_PROGRESS
          11  v2 4 healthy  SUCCESSFUL
        """,
    )


def test_decide__image_by_tag__starts_one_task_until_the_digest_is_known() -> None:
    timeline = Timeline(desired=3).running().deploy("v2", tagged=True).advance(30)

    assert_timeline(
        timeline,
        """\
           0  v1 3 healthy | v2 1 starting  IN_PROGRESS
           2  v1 3 healthy | v2 2 starting 1 running  IN_PROGRESS
           4  v1 3 healthy | v2 3 running  IN_PROGRESS
           5  v1 2 healthy 1 draining | v2 2 running 1 healthy  IN_PROGRESS
           7  v1 3 draining | v2 3 healthy  IN_PROGRESS
          10  v1 2 draining 1 stopping | v2 3 healthy  IN_PROGRESS
          11  v1 2 draining | v2 3 healthy  IN_PROGRESS
          12  v1 2 stopping | v2 3 healthy  IN_PROGRESS
          13  v2 3 healthy  SUCCESSFUL
        """,
    )


def test_decide__slow_start_within_the_grace_period__is_waited_for() -> None:
    timeline = Timeline(desired=1, grace=20).running()
    timeline.deploy("v2", healthy=None, unhealthy=2).advance(12)
    timeline.turn("v2", healthy=9).advance(20)

    assert_timeline(
        timeline,
        """\
           0  v1 1 healthy | v2 1 starting  IN_PROGRESS
           2  v1 1 healthy | v2 1 running  IN_PROGRESS
          12  v1 1 draining | v2 1 healthy  IN_PROGRESS
          17  v1 1 stopping | v2 1 healthy  IN_PROGRESS
          18  v2 1 healthy  SUCCESSFUL
        """,
    )
    assert timeline.messages[2] == (
        "(service app) (port 8000) is unhealthy in (target-group TG) due to "
        "(reason Health checks failed with these codes: [500])."
    )


def test_decide__nothing_to_check__healthy_after_forty_seconds() -> None:
    timeline = Timeline(desired=1, has_load_balancer=False).deploy("v1").advance(60)

    assert_timeline(
        timeline,
        """\
           0  v1 1 starting  IN_PROGRESS
           2  v1 1 running  IN_PROGRESS
          42  v1 1 healthy  SUCCESSFUL
        """,
    )


def test_decide__desired_zero__completes_at_once() -> None:
    timeline = Timeline(desired=0).deploy("v1", tagged=True).advance(2)

    assert_timeline(timeline, "   0  no tasks  SUCCESSFUL")
    assert timeline.service.is_steady


def test_decide__bake_time__holds_the_success_back() -> None:
    configuration = breaker() | {"bakeTimeInMinutes": 1}
    timeline = Timeline(desired=1, configuration=configuration).deploy("v1").advance(90)

    assert timeline.lines[-2:] == [
        "   5  v1 1 healthy  IN_PROGRESS",
        "  65  v1 1 healthy  SUCCESSFUL",
    ]


def test_decide__rollback_in_the_bake_time__is_not_baked_again() -> None:
    configuration = breaker() | {"bakeTimeInMinutes": 60}
    timeline = Timeline(desired=1, configuration=configuration)
    timeline.deploy("v1").advance(3700).deploy("v2").advance(30).ask_for_rollback().advance(30)

    assert timeline.statuses == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]


def test_decide__early_success_with_deferred_cleanup__does_not_wait_for_the_drain() -> None:
    criteria = {
        "enable": True,
        "healthyPercent": 100,
        "sourceServiceRevisionCleanup": "DEFERRED",
    }
    timeline = Timeline(
        desired=2, drain=30, configuration=breaker() | {"earlySuccessCriteria": criteria}
    )
    timeline.running().deploy("v2").advance(50)

    assert timeline.lines[-3:] == [
        "   5  v1 2 draining | v2 2 healthy  SUCCESSFUL",
        "  35  v1 2 stopping | v2 2 healthy  SUCCESSFUL",
        "  36  v2 2 healthy  SUCCESSFUL",
    ]


# The breaker.


def test_decide__crash_at_start__three_failures_then_rollback_without_a_gap() -> None:
    timeline = Timeline(desired=2).running().deploy("v2", exits=1).advance(60)

    assert_timeline(
        timeline,
        """\
           0  v1 2 healthy | v2 2 starting  IN_PROGRESS
           2  v1 2 healthy | v2 2 running  IN_PROGRESS
           3  v1 2 healthy | v2 2 stopping  IN_PROGRESS (2 failed)
           4  v1 2 healthy  IN_PROGRESS (2 failed)
           8  v1 2 healthy | v2 2 starting  IN_PROGRESS (2 failed)
          10  v1 2 healthy | v2 2 running  IN_PROGRESS (2 failed)
          11  v1 2 healthy | v2 2 stopping  ROLLBACK_IN_PROGRESS (3 failed)
          12  v1 2 healthy  ROLLBACK_SUCCESSFUL (3 failed)
        """,
    )
    assert timeline.messages[-4:] == [
        "(service app) (deployment ecs-svc/N) deployment failed: tasks failed to start.",
        "(service app) rolling back to deployment ecs-svc/N.",
        "(service app) (deployment ecs-svc/N) deployment completed.",
        "(service app) has reached a steady state.",
    ]


def test_decide__rollback__is_a_new_deployment_of_the_completed_revision() -> None:
    timeline = Timeline(desired=2).running()
    completed = timeline.service.deployments[0]
    timeline.deploy("v2", healthy=None, unhealthy=3)
    failed = timeline.service.deployments[0]

    timeline.advance(12)

    rollback, *older = timeline.service.deployments
    assert rollback.id not in {completed.id, failed.id}
    assert rollback.revision is completed.revision
    assert rollback.reason == (
        f"ECS deployment circuit breaker: rolling back to deploymentId {completed.id}."
    )
    assert [d.id for d in older] == [failed.id]
    assert failed.reason == "ECS deployment circuit breaker: tasks failed to start."
    assert rollout_states(timeline) == [("PRIMARY", "IN_PROGRESS"), ("ACTIVE", "FAILED")]
    assert timeline.service.task_definition is completed.revision.task_definition

    timeline.advance(20)

    assert rollout_states(timeline) == [("PRIMARY", "COMPLETED")]
    assert timeline.service.last_completed is rollback


def test_decide__never_running__backs_off_longer_each_time() -> None:
    timeline = Timeline(desired=1).running()
    timeline.deploy("v2", fails_to_start="CannotPullContainerError: x: not found").advance(60)

    assert_timeline(
        timeline,
        """\
           0  v1 1 healthy | v2 1 starting  IN_PROGRESS
           2  v1 1 healthy  IN_PROGRESS (1 failed)
          12  v1 1 healthy | v2 1 starting  IN_PROGRESS (1 failed)
          14  v1 1 healthy  IN_PROGRESS (2 failed)
          34  v1 1 healthy | v2 1 starting  IN_PROGRESS (2 failed)
          36  v1 1 healthy  ROLLBACK_SUCCESSFUL (3 failed)
        """,
    )
    impaired = "(service app) is unable to consistently start tasks successfully."
    assert impaired in timeline.messages


def test_decide__targets_unhealthy__drains_the_new_tasks_and_keeps_the_old() -> None:
    timeline = Timeline(desired=4).running().deploy("v2", healthy=None, unhealthy=6).advance(30)

    assert_timeline(
        timeline,
        """\
           0  v1 4 healthy | v2 4 starting  IN_PROGRESS
           2  v1 4 healthy | v2 4 running  IN_PROGRESS
           8  v1 4 healthy | v2 4 draining  ROLLBACK_IN_PROGRESS (3 failed)
          13  v1 4 healthy | v2 4 stopping  ROLLBACK_IN_PROGRESS (3 failed)
          14  v1 4 healthy  ROLLBACK_SUCCESSFUL (3 failed)
        """,
    )


def test_decide__grace_period_over__unhealthy_tasks_are_stopped() -> None:
    timeline = Timeline(desired=1, grace=10).running()
    timeline.deploy("v2", healthy=None, unhealthy=2).advance(14)

    assert timeline.lines[1:3] == [
        "   2  v1 1 healthy | v2 1 running  IN_PROGRESS",
        "  12  v1 1 healthy | v2 1 starting 1 draining  IN_PROGRESS (1 failed)",
    ]


def test_decide__speed_ten__divides_grace_and_back_off() -> None:
    graceful = Timeline(desired=1, grace=100, speed=10).running()
    graceful.deploy("v2", healthy=None, unhealthy=2).advance(14)
    throttled = Timeline(desired=1, speed=10).running().deploy("v2", fails_to_start="x").advance(9)

    assert "  12  v1 1 healthy | v2 1 starting 1 draining  IN_PROGRESS (1 failed)" in graceful.lines
    assert throttled.lines == [
        "   0  v1 1 healthy | v2 1 starting  IN_PROGRESS",
        "   2  v1 1 healthy  IN_PROGRESS (1 failed)",
        "   3  v1 1 healthy | v2 1 starting  IN_PROGRESS (1 failed)",
        "   5  v1 1 healthy  IN_PROGRESS (2 failed)",
        "   7  v1 1 healthy | v2 1 starting  IN_PROGRESS (2 failed)",
    ]


def test_decide__container_check_fails__each_stopped_task_counts() -> None:
    timeline = Timeline(desired=1, has_container_check=True, has_load_balancer=False).running()
    timeline.deploy("v2", checks_fail=True).advance(60)

    assert_timeline(
        timeline,
        """\
           0  v1 1 healthy | v2 1 starting  IN_PROGRESS
           2  v1 1 healthy | v2 1 running  IN_PROGRESS
          17  v1 1 healthy | v2 1 starting 1 stopping  IN_PROGRESS (1 failed)
          18  v1 1 healthy | v2 1 starting  IN_PROGRESS (1 failed)
          19  v1 1 healthy | v2 1 running  IN_PROGRESS (1 failed)
          34  v1 1 healthy | v2 1 starting 1 stopping  IN_PROGRESS (2 failed)
          35  v1 1 healthy | v2 1 starting  IN_PROGRESS (2 failed)
          36  v1 1 healthy | v2 1 running  IN_PROGRESS (2 failed)
          51  v1 1 healthy | v2 1 stopping  ROLLBACK_IN_PROGRESS (3 failed)
          52  v1 1 healthy  ROLLBACK_SUCCESSFUL (3 failed)
        """,
    )
    assert "(service app) (task T) failed container health checks." in timeline.messages


def test_decide__first_deployment_fails__no_candidate_and_no_more_launches() -> None:
    timeline = Timeline(desired=2).deploy("v1", exits=1).advance(120)

    assert timeline.lines[-2:] == [
        "  11  v1 2 stopping  ROLLBACK_FAILED (3 failed)",
        "  12  no tasks  ROLLBACK_FAILED (3 failed)",
    ]
    assert rollout_states(timeline) == [("PRIMARY", "FAILED")]
    reason = timeline.service.service_deployments[0].reason
    assert reason == "No rollback candidate was found to run the rollback."


def test_decide__rollback_fails_too__ends_and_launches_no_more() -> None:
    in_place = breaker() | {"minimumHealthyPercent": 0, "maximumPercent": 100}
    timeline = Timeline(desired=1, configuration=in_place).running()
    timeline.deploy("v2", healthy=None, unhealthy=2).turn("v1", exits=0).advance(120)

    assert timeline.statuses == ["ROLLBACK_FAILED", "SUCCESSFUL"]
    assert timeline.lines[-1].endswith("no tasks  ROLLBACK_FAILED (3 failed)")
    assert rollout_states(timeline) == [("PRIMARY", "FAILED"), ("ACTIVE", "FAILED")]


def test_decide__breaker_without_rollback__stops_and_keeps_the_old_tasks() -> None:
    threshold = {"type": "COUNT", "value": 1}
    configuration = breaker(rollback=False, thresholdConfiguration=threshold)
    timeline = Timeline(desired=3, configuration=configuration).running()

    timeline.deploy("v2", exits=1).advance(60)

    assert_timeline(
        timeline,
        """\
           0  v1 3 healthy | v2 3 starting  IN_PROGRESS
           2  v1 3 healthy | v2 3 running  IN_PROGRESS
           3  v1 3 healthy | v2 3 stopping  STOPPED (1 failed)
           4  v1 3 healthy  STOPPED (1 failed)
        """,
    )
    assert rollout_states(timeline) == [("PRIMARY", "FAILED"), ("ACTIVE", "COMPLETED")]


def test_decide__breaker_off__keeps_trying_and_never_fails() -> None:
    timeline = Timeline(desired=1, configuration={}).running()

    timeline.deploy("v2", fails_to_start="x").advance(300)

    assert timeline.statuses[0] == "IN_PROGRESS"
    assert timeline.lines[-1].endswith("(5 failed)")


def test_decide__three_digest_failures__fail_even_with_the_breaker_off() -> None:
    timeline = Timeline(desired=3, configuration={}).running()

    timeline.deploy("v2", tagged=True, resolves=False).advance(60)

    assert timeline.lines[-1] == "  36  v1 3 healthy  STOPPED (3 failed)"
    assert rollout_states(timeline)[0] == ("PRIMARY", "FAILED")


def test_decide__a_healthy_task__resets_the_count_unless_told_not_to() -> None:
    def failures(**settings: Any) -> int:
        timeline = Timeline(desired=2, configuration=breaker(**settings)).running()
        timeline.deploy("v2", exits=1).advance(5).turn("v2").advance(9)
        return timeline.service.service_deployments[0].failure_count

    assert failures() == 0
    assert failures(resetOnHealthyTask=False) == 2


# Stopping, superseding, scaling.


def test_decide__superseded__stops_the_old_deployment_and_its_starting_tasks() -> None:
    timeline = Timeline(desired=2).running().deploy("v2", healthy=None).advance(6)
    timeline.deploy("v3").advance(30)

    assert_timeline(
        timeline,
        """\
           0  v1 2 healthy | v2 2 starting  IN_PROGRESS
           2  v1 2 healthy | v2 2 running  IN_PROGRESS
           6  v1 2 healthy | v2 2 draining | v3 2 starting  IN_PROGRESS
           8  v1 2 healthy | v2 2 draining | v3 2 running  IN_PROGRESS
          11  v1 2 draining | v2 2 stopping | v3 2 healthy  IN_PROGRESS
          12  v1 2 draining | v3 2 healthy  IN_PROGRESS
          16  v1 2 stopping | v3 2 healthy  IN_PROGRESS
          17  v3 2 healthy  SUCCESSFUL
        """,
    )
    assert timeline.statuses == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]


def test_begin_deployment__while_one_is_under_way__asks_it_to_stop_and_waits() -> None:
    timeline = Timeline(desired=2).running().deploy("v2").advance(3).deploy("v3")

    assert timeline.statuses == ["PENDING", "STOP_REQUESTED", "SUCCESSFUL"]
    sources = [r.arn for r in timeline.service.service_deployments[0].sources]
    assert sources == ["revision/v2", "revision/v1"]


def test_begin_deployment__while_rolling_back__the_rollback_failed() -> None:
    timeline = Timeline(desired=2).running().deploy("v2", healthy=None, unhealthy=3).advance(12)
    timeline.deploy("v3").advance(30)

    assert timeline.statuses == ["SUCCESSFUL", "ROLLBACK_FAILED", "SUCCESSFUL"]


def test_decide__stopped_early__old_tasks_were_never_touched() -> None:
    timeline = Timeline(desired=2).running().deploy("v2", healthy=None).advance(6)
    timeline.ask_for_rollback().advance(30)

    assert_timeline(
        timeline,
        """\
           0  v1 2 healthy | v2 2 starting  IN_PROGRESS
           2  v1 2 healthy | v2 2 running  IN_PROGRESS
           6  v1 2 healthy | v2 2 draining  ROLLBACK_IN_PROGRESS
          11  v1 2 healthy | v2 2 stopping  ROLLBACK_IN_PROGRESS
          12  v1 2 healthy  ROLLBACK_SUCCESSFUL
        """,
    )


def test_decide__stopped_late__starts_the_old_revision_again_before_it_stops_the_new() -> None:
    timeline = Timeline(desired=2).running().deploy("v2").advance(8)
    timeline.ask_for_rollback().advance(30)

    assert_timeline(
        timeline,
        """\
           0  v1 2 healthy | v2 2 starting  IN_PROGRESS
           2  v1 2 healthy | v2 2 running  IN_PROGRESS
           5  v1 2 draining | v2 2 healthy  IN_PROGRESS
           8  v1 2 starting 2 draining | v2 2 healthy  ROLLBACK_IN_PROGRESS
          10  v1 2 running 2 stopping | v2 2 healthy  ROLLBACK_IN_PROGRESS
          11  v1 2 running | v2 2 healthy  ROLLBACK_IN_PROGRESS
          13  v1 2 healthy | v2 2 draining  ROLLBACK_IN_PROGRESS
          18  v1 2 healthy | v2 2 stopping  ROLLBACK_IN_PROGRESS
          19  v1 2 healthy  ROLLBACK_SUCCESSFUL
        """,
    )


def test_decide__stop_asked_as_it_completes__success_wins_the_race() -> None:
    timeline = Timeline(desired=2).running().deploy("v2").advance(11)

    timeline.ask_for_rollback().advance(1)

    assert timeline.statuses == ["SUCCESSFUL", "SUCCESSFUL"]


def test_decide__stop_asked_of_the_first_deployment__stopped_without_a_candidate() -> None:
    timeline = Timeline(desired=2).deploy("v1", healthy=None).advance(4)

    timeline.ask_for_rollback().advance(10)

    assert timeline.statuses == ["STOPPED"]
    assert rollout_states(timeline) == [("PRIMARY", "FAILED")]


def test_decide__no_room_while_new_tasks_start__is_not_stuck() -> None:
    configuration = {"minimumHealthyPercent": 100, "maximumPercent": 150}
    timeline = Timeline(desired=4, configuration=configuration).running().deploy("v2").advance(60)

    assert timeline.statuses[0] == "SUCCESSFUL"
    assert not [message for message in timeline.messages if "unable to stop or start" in message]


def test_decide__min_100_max_100__says_that_it_is_stuck_once() -> None:
    configuration = {"minimumHealthyPercent": 100, "maximumPercent": 100}
    timeline = Timeline(desired=2, configuration=configuration).running().deploy("v2").advance(60)

    assert_timeline(timeline, "   0  v1 2 healthy  IN_PROGRESS")
    assert timeline.messages == [
        "(service app) was unable to stop or start tasks during a deployment because of the "
        "service deployment configuration. Update the minimumHealthyPercent or maximumPercent "
        "value and try again."
    ]


def test_decide__scaled_in_mid_rollout__ends_with_the_new_count() -> None:
    timeline = Timeline(desired=4).running().deploy("v2").advance(3).scale(1).advance(30)

    assert timeline.lines[-1].endswith("v2 1 healthy  SUCCESSFUL")
    assert (
        timeline.lines[2] == "   3  v1 1 healthy 3 draining | v2 1 running 3 draining  IN_PROGRESS"
    )


def test_decide__scaled_out_mid_rollout__starts_more_of_the_new_revision() -> None:
    timeline = Timeline(desired=2).running().deploy("v2").advance(3).scale(4).advance(30)

    assert timeline.lines[2] == "   3  v1 2 healthy | v2 2 starting 2 running  IN_PROGRESS"
    assert timeline.lines[-1].endswith("v2 4 healthy  SUCCESSFUL")


def test_decide__failed_service_scaled_to_zero__stops_what_still_runs() -> None:
    timeline = Timeline(desired=2).deploy("v1", healthy=None).advance(4)
    timeline.ask_for_rollback().advance(2).scale(0).advance(10)

    assert timeline.lines[-1].endswith("no tasks  STOPPED")


# A service that is steady.


def test_decide__unhealthy_in_steady_state__is_replaced_before_it_is_stopped() -> None:
    timeline = Timeline(desired=2).running().turn("v1", unhealthy=60).advance(20)

    assert_timeline(
        timeline,
        """\
           0  v1 2 starting 2 running  SUCCESSFUL
           2  v1 4 running  SUCCESSFUL
           5  v1 2 healthy 2 draining  SUCCESSFUL
          10  v1 2 healthy 2 stopping  SUCCESSFUL
          11  v1 2 healthy  SUCCESSFUL
        """,
    )
    assert timeline.statuses == ["SUCCESSFUL"]


def test_decide__a_task_crashes_in_steady_state__is_replaced_and_steady_again() -> None:
    timeline = Timeline(desired=2).running()
    crashed = next(iter(timeline.service.tasks.values()))
    crashed.desired_status, crashed.status = "STOPPED", TaskStatus.STOPPED
    crashed.stop_code = StopCode.CONTAINER_EXITED

    timeline.advance(20)

    assert timeline.lines == [
        "   0  v1 1 healthy  SUCCESSFUL",
        "   5  v1 1 starting 1 healthy  SUCCESSFUL",
        "   7  v1 1 running 1 healthy  SUCCESSFUL",
        "  10  v1 2 healthy  SUCCESSFUL",
    ]
    assert timeline.messages[-1] == "(service app) has reached a steady state."


def test_decide__task_with_an_unknown_check__is_not_healthy_yet() -> None:
    timeline = Timeline(desired=1, has_container_check=True).deploy("v1", healthy=0).advance(6)

    assert timeline.lines[-1] == "   2  v1 1 running  IN_PROGRESS"
    (task,) = timeline.service.tasks.values()
    assert task.containers[0].health is TaskHealth.UNKNOWN


# Deployment alarms.


def alarms(*, rollback: bool = True, bake: int = 1) -> dict[str, Any]:
    watched = {"alarmNames": ["5xx", "slow"], "enable": True, "rollback": rollback}
    return breaker() | {"alarms": watched, "bakeTimeInMinutes": bake}


def described(timeline: Timeline) -> Any:
    service = timeline.service
    return describe.service_deployment(service.service_deployments[0], service)


def test_decide__alarm_in_the_bake_time__rolls_back() -> None:
    timeline = Timeline(desired=2, configuration=alarms()).alarm("5xx", "OK").running()
    timeline.deploy("v2").advance(40).alarm("5xx", "ALARM").advance(20)

    assert_timeline(
        timeline,
        """\
           0  v1 2 healthy | v2 2 starting  IN_PROGRESS
           2  v1 2 healthy | v2 2 running  IN_PROGRESS
           5  v1 2 draining | v2 2 healthy  IN_PROGRESS
          10  v1 2 stopping | v2 2 healthy  IN_PROGRESS
          11  v2 2 healthy  IN_PROGRESS
          40  v1 2 starting | v2 2 healthy  ROLLBACK_IN_PROGRESS
          42  v1 2 running | v2 2 healthy  ROLLBACK_IN_PROGRESS
          45  v1 2 healthy | v2 2 draining  ROLLBACK_IN_PROGRESS
          50  v1 2 healthy | v2 2 stopping  ROLLBACK_IN_PROGRESS
          51  v1 2 healthy  ROLLBACK_SUCCESSFUL
        """,
    )
    assert timeline.messages[5:7] == [
        "(service app) (deployment ecs-svc/N) deployment failed: alarm detected.",
        "(service app) rolling back to deployment ecs-svc/N.",
    ]
    found = described(timeline)
    assert found["statusReason"] == "Service deployment rolled back: alarm detected."
    assert found["rollback"]["reason"] == found["statusReason"]
    assert found["alarms"] == {
        "status": "TRIGGERED",
        "alarmNames": ["5xx", "slow"],
        "triggeredAlarmNames": ["5xx"],
    }
    assert found["deploymentCircuitBreaker"]["status"] == "MONITORING_COMPLETE"


def test_decide__alarm_while_tasks_are_replaced__rolls_back_at_once() -> None:
    timeline = Timeline(desired=2, configuration=alarms()).alarm("5xx", "OK").running()
    timeline.deploy("v2").advance(3).alarm("5xx", "ALARM").advance(10)

    assert_timeline(
        timeline,
        """\
           0  v1 2 healthy | v2 2 starting  IN_PROGRESS
           2  v1 2 healthy | v2 2 running  IN_PROGRESS
           3  v1 2 healthy | v2 2 draining  ROLLBACK_IN_PROGRESS
           8  v1 2 healthy | v2 2 stopping  ROLLBACK_IN_PROGRESS
           9  v1 2 healthy  ROLLBACK_SUCCESSFUL
        """,
    )


def test_decide__alarm_at_start__ignores_them_all_for_the_whole_deployment() -> None:
    timeline = Timeline(desired=1, configuration=alarms()).running()
    timeline.alarm("5xx", "ALARM").deploy("v2").advance(20)
    timeline.alarm("5xx", "OK").alarm("slow", "ALARM").advance(80)

    assert timeline.lines[-2:] == [
        "  11  v2 1 healthy  IN_PROGRESS",
        "  71  v2 1 healthy  SUCCESSFUL",
    ]
    assert described(timeline)["alarms"] == {
        "status": "DISABLED",
        "alarmNames": ["5xx", "slow"],
        "triggeredAlarmNames": [],
    }


def test_decide__alarm_without_rollback__stops_and_leaves_the_tasks() -> None:
    timeline = Timeline(desired=1, configuration=alarms(rollback=False)).running()
    timeline.deploy("v2").advance(20).alarm("slow", "ALARM").advance(30)

    assert timeline.lines[-2:] == [
        "  11  v2 1 healthy  IN_PROGRESS",
        "  20  v2 1 healthy  STOPPED",
    ]
    assert described(timeline)["statusReason"] == "Service deployment stopped: alarm detected."
    assert rollout_states(timeline) == [("PRIMARY", "FAILED")]


def test_decide__alarm_in_a_first_deployment__has_nothing_to_roll_back_to() -> None:
    timeline = Timeline(desired=1, configuration=alarms()).deploy("v1")
    timeline.advance(8).alarm("5xx", "ALARM").advance(5)

    assert timeline.statuses == ["ROLLBACK_FAILED"]
    assert described(timeline)["statusReason"] == (
        "No rollback candidate was found to run the rollback."
    )


def test_decide__alarm_in_the_last_instant_of_the_bake_time__still_counts() -> None:
    timeline = Timeline(desired=1, configuration=alarms()).running()
    timeline.deploy("v2").advance(71).alarm("5xx", "ALARM").advance(1)

    assert timeline.statuses[0] == "ROLLBACK_IN_PROGRESS"


def test_decide__alarm_after_the_bake_time__changes_nothing() -> None:
    timeline = Timeline(desired=1, configuration=alarms()).running()
    timeline.deploy("v2").advance(72).alarm("5xx", "ALARM").advance(30)

    assert timeline.statuses[0] == "SUCCESSFUL"
    assert described(timeline)["alarms"]["status"] == "MONITORING_COMPLETE"


def test_decide__alarms_that_do_not_exist__never_go_off() -> None:
    timeline = Timeline(desired=1, configuration=alarms()).running().deploy("v2").advance(80)

    assert timeline.statuses[0] == "SUCCESSFUL"


def test_decide__alarm_during_a_rollback__is_not_heeded() -> None:
    timeline = Timeline(desired=1, configuration=alarms()).running()
    timeline.deploy("v2").advance(20).ask_for_rollback().advance(2)
    timeline.alarm("5xx", "ALARM").advance(20)

    assert timeline.statuses[0] == "ROLLBACK_SUCCESSFUL"
    assert described(timeline)["alarms"]["status"] == "MONITORING_COMPLETE"


@pytest.mark.parametrize(("window", "expected"), [(120.0, 131), (900.0, 311)])
def test_decide__no_bake_time__is_computed_from_the_alarms(window: float, expected: int) -> None:
    timeline = Timeline(desired=1, configuration=alarms(bake=0)).running()
    timeline.alarm("5xx", "OK", window=60).alarm("slow", "OK", window=window)
    timeline.deploy("v2").advance(320)

    assert timeline.lines[-1] == f"{expected:>4}  v2 1 healthy  SUCCESSFUL"


def test_decide__bake_time_at_speed_20__is_a_twentieth() -> None:
    timeline = Timeline(desired=1, speed=20, configuration=alarms()).running()
    timeline.deploy("v2").advance(20)

    assert timeline.lines[-1] == "  14  v2 1 healthy  SUCCESSFUL"


def test_decide__alarms_not_enabled__are_not_watched() -> None:
    off = breaker() | {"alarms": {"alarmNames": ["5xx"], "enable": False, "rollback": True}}
    timeline = Timeline(desired=1, configuration=off).running()
    timeline.deploy("v2").advance(3).alarm("5xx", "ALARM", window=300).advance(20)

    assert timeline.statuses[0] == "SUCCESSFUL"
    assert described(timeline)["alarms"]["status"] == "DISABLED"
