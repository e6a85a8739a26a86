from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fsd.compile.desired import Json
from fsd.release.diagnose_service import Examination, examine
from fsd.release.journal import NOTED
from fsd.report.cause_summaries import summary_text
from fsd.report.condition import diagnosis_text
from fsd.rollout.last_rollout import RolloutStatus
from tests.fakes.aws import FakeAws
from tests.unit.release.test_operations import operation, with_history


def crash(aws: FakeAws, revision: int, *, times: int, ago: timedelta) -> None:
    """So many tasks have ended with exit code 1, the last so long ago."""
    now = operation(aws).clock.now()
    aws.ecs.crash(revision, times=times)
    aws.ecs.stopped = [
        replace(task, stopped_at=now - ago - timedelta(seconds=number))
        for number, task in enumerate(aws.ecs.stopped)
    ]
    aws.ecs.definitions = [
        replace(d, definition={**d.definition, "containerDefinitions": [LOGGING]})
        for d in aws.ecs.definitions
    ]


LOGGING: Json = {
    "name": "web",
    "image": "repo@sha256:1",
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/any/group", "awslogs-stream-prefix": "web"},
    },
}


def text(found: Examination) -> str:
    return diagnosis_text(found, code=0)


def test_examine__all_is_well__says_what_serves() -> None:
    found = examine(operation(with_history(41)))

    assert (found.condition.is_healthy, found.diagnosis) == (True, None)
    assert text(found) == (
        "Nothing is wrong with web in dev\n"
        "  last rollout: web-dev:41 succeeded (began 2026-11-22 14:00:01 UTC)\n"
        "v41 is serving users, 2 of 2 running"
    )


def test_examine__running_revision_crashes_again_and_again__its_cause_and_log() -> None:
    aws = with_history(41)
    crash(aws, 41, times=3, ago=timedelta(seconds=30))
    aws.logs.say("out of file handles", stream=f"web/web/{'0' * 32}")

    found = examine(operation(aws))

    assert found.diagnosis is not None
    assert found.diagnosis.cause.code == "crashed"
    assert summary_text(found.diagnosis.cause.summary).startswith(
        "tasks keep ending: 3 since 13:59:28, the last"
    )
    assert found.diagnosis.log_lines == ("14:00:00 out of file handles",)


def test_examine__a_failed_release_before_the_newest__its_tasks_are_not_counted() -> None:
    aws = with_history(41)
    aws.ecs.crash(40, times=3)
    crash(aws, 41, times=3, ago=timedelta(seconds=30))
    service = aws.ecs.services["web-dev"]
    newest = service.deployments[0]
    old = replace(
        newest,
        id="old",
        status="ACTIVE",
        task_definition_arn=newest.task_definition_arn.replace(":41", ":40"),
        desired=0,
        running=0,
    )
    aws.ecs.services["web-dev"] = replace(service, deployments=(newest, old))

    found = examine(operation(aws))

    (cause,) = found.condition.causes
    assert summary_text(cause.summary).startswith("tasks keep ending: 3 since")


def test_examine__lines_go_by_firelens__are_not_said_to_be_none() -> None:
    aws = with_history(41)
    crash(aws, 41, times=3, ago=timedelta(seconds=30))
    router: Json = {**LOGGING, "name": "log_router", "firelensConfiguration": {"type": "fluentbit"}}
    sent: Json = {"logDriver": "awsfirelens", "options": {"Name": "datadog"}}
    both: Json = {"containerDefinitions": [{**LOGGING, "logConfiguration": sent}, router]}
    aws.ecs.definitions = [
        replace(d, definition={**d.definition, **both}) for d in aws.ecs.definitions
    ]

    said = " ".join(text(examine(operation(aws))).split())

    assert "go through FireLens to datadog" in said
    assert "wrote no log lines" not in said


def test_examine__one_task_ended_and_was_replaced__is_past() -> None:
    aws = with_history(41)
    crash(aws, 41, times=1, ago=timedelta(minutes=20))

    found = examine(operation(aws))

    assert found.condition.is_healthy
    assert "a task ended at 13:40:00 (crashed: " in text(found)


def test_examine__tasks_that_ecs_replaced__did_not_end_by_themselves() -> None:
    aws = with_history(41)
    crash(aws, 41, times=2, ago=timedelta(minutes=20))
    ended = {"stop_code": "ServiceSchedulerInitiated", "containers": ()}
    reason = "Task failed ELB health checks in (target-group arn:x)"
    aws.ecs.stopped = [replace(t, stopped_reason=reason, **ended) for t in aws.ecs.stopped]  # type: ignore[arg-type] # fields of StoppedTask

    said = " ".join(text(examine(operation(aws))).split())

    assert "2 tasks ended in the last hour, the last at 13:40:00 (health-check-failed: " in said
    assert "by itself" not in said
    assert said.count("were replaced") == 1


def test_examine__newest_deployment_was_stopped__said_and_not_that_ecs_ended_it() -> None:
    aws: FakeAws = with_history(41)
    aws.ecs.take_over(42)
    aws.ecs.end_all("STOPPED")

    found = examine(operation(aws))

    assert found.condition.rollout is not None
    assert found.condition.rollout.state is RolloutStatus.STOPPED
    assert "web-dev:42 was stopped (began" in text(found)
    assert "ECS ended" not in text(found)


def test_examine__rolled_back_by_us__the_cause_that_the_ledger_has() -> None:
    aws = with_history(41)
    aws.ecs.take_over(42)
    aws.ecs.tag_task_definition(
        aws.ecs.deployments[0].task_definition_arn,
        tags={NOTED: "crashed: the program ended by itself"},
    )
    aws.ecs.deployments[0] = replace(
        aws.ecs.deployments[0],
        rollback_reason="Service deployment rolled back because a rollback was requested.",
    )
    aws.ecs.end_all("ROLLBACK_SUCCESSFUL")
    aws.ecs.serve(aws.ecs.deployments[1].task_definition_arn)

    found = examine(operation(aws))

    assert found.condition.is_healthy
    assert [c.code for c in found.condition.rollout_causes] == ["crashed"]
    assert text(found).splitlines()[-1] == "v41 is serving users, 2 of 2 running"


def test_examine__tasks_that_ended_before_the_last_rollout_did__are_no_loop() -> None:
    """A rollback of a health check ends tasks of the good revision too."""
    aws = with_history(41)
    now = operation(aws).clock.now()
    crash(aws, 41, times=3, ago=timedelta(seconds=30))
    aws.ecs.deployments[0] = replace(aws.ecs.deployments[0], finished_at=now)

    assert examine(operation(aws)).condition.is_healthy
