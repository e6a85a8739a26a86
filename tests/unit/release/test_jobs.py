"""A Job that is deployed: its runs, its way back, its end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.compile.desired import Json
from fsd.errors import UsageError
from fsd.release.delete import delete_service
from fsd.release.jobs import find_job, look_at_job, read_job_rows
from fsd.release.operation import Operation, ServiceRef
from fsd.release.redeploy import restart
from fsd.release.reporter import Silent
from fsd.release.result import Outcome
from fsd.release.rollback_to_version import roll_back
from fsd.snapshot import StoppedContainer, StoppedTask
from tests.fakes.aws import START, FakeAws, FakeClock

REF = ServiceRef(
    service="web", environment="dev", cluster="dev", name="web-dev", stack_name="fsd-web-dev",
    log_group="/ecs/web-dev", schedule="web-dev",
)  # fmt: skip


def deployed(*versions: str) -> FakeAws:
    """A Job whose schedule starts the last of the versions."""
    aws = FakeAws()
    for version in versions:
        tags = {"fsd:version": version}
        made = aws.ecs.register({"family": "web-dev", "containerDefinitions": []}, tags=tags)
        parameters: Json = {
            "Name": "web-dev",
            "State": "ENABLED",
            "ScheduleExpression": "rate(1 hour)",
            "Target": {
                "Arn": "arn:aws:ecs:us-east-1:123456789012:cluster/dev",
                "EcsParameters": {"TaskDefinitionArn": made.arn},
            },
        }
        aws.schedules.put(parameters)
    return aws


def run(aws: FakeAws, **codes: int | None) -> StoppedTask:
    """A run of what is deployed; exit codes by container."""
    job = find_job(aws.aws(), REF)
    assert job is not None
    return StoppedTask(
        id="7f3a" * 8,
        task_definition_arn=job.task_definition_arn,
        stop_code="EssentialContainerExited",
        stopped_reason="Essential container in task exited",
        containers=tuple(StoppedContainer(name=n, exit_code=code) for n, code in codes.items()),
        stopped_at=START,
    )


def operation(aws: FakeAws) -> Operation:
    return Operation(aws=aws.aws(), ref=REF, clock=FakeClock(), reporter=Silent())


@pytest.mark.parametrize(
    ("codes", "words", "exit_code"),
    [
        ({"web": 0, "job_timeout": 143}, "exit code 0", 0),
        ({"web": 3, "job_timeout": 143}, "exit code 3", 6),
        ({"web": 143, "job_timeout": 0}, "stopped by its timeout", 6),
        ({"web": None}, "did not run: Essential container in task exited", 6),
    ],
)
def test_look_at_job__last_run__how_it_ended(
    codes: dict[str, int | None], words: str, exit_code: int
) -> None:
    aws = deployed("v1")
    aws.ecs.stopped = [run(aws, **codes)]

    look = look_at_job(aws.aws(), REF)

    assert (look.runs[0].words, int(look.exit_code)) == (words, exit_code)


def test_look_at_job__newest_run_decides() -> None:
    aws = deployed("v1")
    older = replace(run(aws, web=1), stopped_at=START.replace(hour=1))
    aws.ecs.stopped = [older, run(aws, web=0)]

    assert int(look_at_job(aws.aws(), REF).exit_code) == 0


def test_read_job_rows__releases_and_runs__the_deployed_one_marked() -> None:
    aws = deployed("v1", "v2")
    aws.ecs.stopped = [run(aws, web=2)]
    job = find_job(aws.aws(), REF)
    assert job is not None

    rows = read_job_rows(aws.ecs, REF, job, limit=10)

    told = {(row.action, row.release.version, row.release.outcome, row.runs) for row in rows}
    assert told == {
        ("deploy", "v1", "succeeded", False),
        ("deploy", "v2", "succeeded", True),
        ("run", "v2", "failed", False),
    }


def test_roll_back__job__the_schedule_starts_the_one_before() -> None:
    aws = deployed("v1", "v2", "v3")

    back = roll_back(operation(aws), None)
    named = roll_back(operation(aws), "v1")
    again = roll_back(operation(aws), "v1")

    assert back.running is not None
    assert back.running.version == "v2"
    assert named.running is not None
    assert named.running.version == "v1"
    assert again.outcome is Outcome.UNCHANGED


def test_roll_back__job_with_one_release__error() -> None:
    with pytest.raises(UsageError) as error:
        roll_back(operation(deployed("v1")), None)

    assert error.value.code == "nothing-to-roll-back-to"


def test_restart__job__says_that_it_is_one() -> None:
    with pytest.raises(UsageError, match="web is a Job"):
        restart(operation(deployed("v1")))


def test_delete_service__job__with_its_schedule() -> None:
    aws = deployed("v1")

    removed = delete_service(aws.aws(), REF, reporter=Silent()).removed

    assert removed[0] == "schedule web-dev"
    assert aws.schedules.schedules == {}


def test_find_job__role_may_not_read_schedules__none() -> None:
    aws = deployed("v1")
    aws.schedules.is_denied = True

    assert find_job(aws.aws(), REF) is None
