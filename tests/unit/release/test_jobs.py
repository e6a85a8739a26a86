"""A Job that is deployed: its runs, its way back, its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fsd.compile.desired import Json
from fsd.errors import CallFailedError, RefusedError, UsageError
from fsd.release.border import Border
from fsd.release.delete import delete_service
from fsd.release.jobs import (
    find_again,
    find_job,
    look_at_job,
    next_run,
    read_job_releases,
    read_job_rows,
    read_jobs,
)
from fsd.release.operation import Operation, ServiceRef
from fsd.release.overview import read_overview
from fsd.release.ports import JobSchedule
from fsd.release.redeploy import restart
from fsd.release.reporter import Silent
from fsd.release.result import Outcome
from fsd.release.rollback_to_version import roll_back
from fsd.report.cause_advice import advice_text
from fsd.report.cause_summaries import summary_text
from fsd.report.deleted import removed_text
from fsd.report.job_runs import run_text
from fsd.snapshot import StoppedContainer, StoppedTask
from tests.fakes.aws import START, FakeAws, FakeClock

REF = ServiceRef(
    service="web", environment="dev", cluster="dev", name="web-dev", stack_name="fsd-web-dev",
    schedule="web-dev",
)  # fmt: skip


SCHEDULED = {"fsd:scheduled": "true"}


def deployed(*versions: str) -> FakeAws:
    """A Job whose schedule starts the last of the versions."""
    aws = FakeAws()
    for version in versions:
        tags = {"fsd:version": version, **SCHEDULED}
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


def found(aws: FakeAws) -> JobSchedule:
    job = find_job(aws.aws(), REF)
    assert job is not None
    return job


def run(aws: FakeAws, **codes: int | None) -> StoppedTask:
    """A run of what is deployed; exit codes by container."""
    return StoppedTask(
        id="7f3a" * 8,
        task_definition_arn=found(aws).task_definition_arn,
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

    look = look_at_job(aws.aws(), REF, found(aws), now=START)

    assert (run_text(look.runs[0]), int(look.exit_code)) == (words, exit_code)


def test_look_at_job__schedule_cannot_be_read_again__its_runs_are_shown() -> None:
    aws = deployed("v1")
    aws.ecs.stopped = [run(aws, web=0)]
    first = found(aws)
    aws.schedules.denied = {"web-dev"}

    look = look_at_job(aws.aws(), REF, find_again(aws.aws(), REF, first), now=START)

    assert [one.exit_code for one in look.runs] == [0]


def test_look_at_job__newest_run_decides() -> None:
    aws = deployed("v1")
    older = replace(run(aws, web=1), stopped_at=START.replace(hour=1))
    aws.ecs.stopped = [older, run(aws, web=0)]

    assert int(look_at_job(aws.aws(), REF, found(aws), now=START).exit_code) == 0


def test_look_at_job__run_that_is_being_stopped__is_not_over() -> None:
    aws = deployed("v1")
    aws.ecs.stopped = [run(aws, web=0), replace(run(aws, web=3), stopped_at=None)]

    look = look_at_job(aws.aws(), REF, found(aws), now=START)

    assert [task.last_status for task in look.running_tasks] == ["STOPPING"]
    assert [one.exit_code for one in look.runs] == [0]


def test_read_job_rows__releases_and_runs__the_deployed_one_marked() -> None:
    aws = deployed("v1", "v2")
    aws.ecs.stopped = [run(aws, web=2)]
    job = found(aws)

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


def never_scheduled(aws: FakeAws) -> str:
    """One more revision: its deployment was cut short before the schedule got it."""
    return aws.ecs.register(
        {"family": "web-dev", "containerDefinitions": []}, tags={"fsd:version": "cut"}
    ).arn


def test_read_job_releases__never_scheduled__has_not_succeeded() -> None:
    aws = deployed("v1", "v2")
    never_scheduled(aws)
    job = found(aws)

    releases = read_job_releases(aws.aws(), REF, job)
    rows = read_job_rows(aws.ecs, REF, job, limit=10)

    expected = [("cut", "not scheduled"), ("v2", "succeeded"), ("v1", "succeeded")]
    assert [(one.version, one.outcome) for one in releases] == expected
    assert sorted((row.release.version, row.release.outcome) for row in rows) == sorted(expected)


def test_read_job_releases__deployed_before_there_was_the_tag__what_is_scheduled_counts() -> None:
    aws = deployed("v1")
    aws.ecs.definitions = [replace(one, tags={}) for one in aws.ecs.definitions]
    job = found(aws)

    (release,) = read_job_releases(aws.aws(), REF, job)

    assert release.outcome == "succeeded"


@pytest.mark.parametrize(
    ("started_by", "outcome"),
    [
        ("chronos-schedule/web-dev", "failed"),
        ("fsd/run", "failed"),
        ("fsd/command", "succeeded"),
        ("fsd/beforeDeploy", "succeeded"),
        ("fsd/afterDeploy", "succeeded"),
    ],
)
def test_read_job_releases__task_that_failed__only_a_run_of_the_job_counts(
    started_by: str, outcome: str
) -> None:
    aws = deployed("v1")
    aws.ecs.stopped = [replace(run(aws, web=1), started_by=started_by)]
    job = found(aws)

    (release,) = read_job_releases(aws.aws(), REF, job)

    assert release.outcome == outcome


def test_roll_back__job__not_to_what_was_never_scheduled() -> None:
    aws = deployed("v1")
    never_scheduled(aws)
    newest = aws.ecs.register(
        {"family": "web-dev", "containerDefinitions": []}, tags={"fsd:version": "v3"}
    )
    when = aws.schedules.schedules["web-dev"]
    target: Json = {**when["Target"], "EcsParameters": {"TaskDefinitionArn": newest.arn}}  # type: ignore[dict-item] # a dict
    aws.schedules.put({**when, "Target": target})
    guarded = replace(operation(aws), border=Border(environment="dev", is_protected=True))

    with pytest.raises(RefusedError, match="nothing shows that the schedule ever had it"):
        roll_back(guarded, "cut")
    back = roll_back(guarded, None)

    assert back.running is not None
    assert back.running.version == "v1"
    assert [one.tags.get("fsd:scheduled") for one in aws.ecs.definitions] == ["true", None, "true"]


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

    assert removed_text(removed[0]) == "schedule web-dev"
    assert aws.schedules.schedules == {}


def test_find_job__role_may_not_read_schedules__none() -> None:
    aws = deployed("v1")
    aws.schedules.is_denied = True

    assert find_job(aws.aws(), REF) is None


def test_look_at_job__exit_code__is_that_of_the_job_alone() -> None:
    aws = deployed("v1")
    aws.ecs.stopped = [run(aws, web=3, job_timeout=143)]

    look = look_at_job(aws.aws(), REF, found(aws), now=START, explain=True)

    assert look.diagnosis is not None
    assert (
        summary_text(look.diagnosis.cause.summary)
        == "the main process ended (one task, exit code 3)"
    )


def test_look_at_job__stopped_by_its_timeout__that_is_the_cause() -> None:
    aws = deployed("v1")
    aws.ecs.stopped = [run(aws, web=143, job_timeout=0)]

    look = look_at_job(aws.aws(), REF, found(aws), now=START, explain=True)

    assert look.diagnosis is not None
    assert look.diagnosis.cause.code == "timed-out"
    assert "`service.timeout`" in advice_text(look.diagnosis.cause.advice)


@pytest.mark.parametrize(
    ("expression", "zone", "state", "expected"),
    [
        ("cron(0 6 * * ? *)", "Europe/Berlin", "ENABLED", "2026-03-05T05:00:00+00:00"),
        ("cron(0 6 ? * MON *)", None, "ENABLED", "2026-03-09T06:00:00+00:00"),
        ("cron(0 6 * * ? *)", None, "DISABLED", None),
        ("cron(0 6 1 1 ? 2020)", None, "ENABLED", None),
        ("rate(1 hour)", None, "ENABLED", None),
        ("cron(0 6 * * ? *)", "Nowhere/Town", "ENABLED", None),
    ],
)
def test_next_run__schedule__when_aws_starts_it(
    expression: str, zone: str | None, state: str, expected: str | None
) -> None:
    parameters: Json = {
        "Name": "web-dev",
        "State": state,
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": zone,
    }
    job = JobSchedule(name="web-dev", parameters=parameters, task_definition_arn="", cluster="dev")

    found = next_run(job, datetime(2026, 3, 4, 14, tzinfo=UTC))

    assert (found.isoformat() if found else None) == expected


OURS = {"fsd:service": "web", "fsd:environment": "dev"}


def listed(tags: dict[str, str]) -> FakeAws:
    """One more schedule of the cluster, whose revision has these tags."""
    aws = FakeAws()
    made = aws.ecs.register({"family": "web-dev", "containerDefinitions": []}, tags=tags)
    cluster = "arn:aws:ecs:us-east-1:123456789012:cluster/dev"
    target: Json = {"Arn": cluster, "EcsParameters": {"TaskDefinitionArn": made.arn}}
    when: Json = {"Name": "web-dev", "State": "ENABLED", "ScheduleExpression": "rate(1 hour)"}
    aws.schedules.put({**when, "Target": target})
    return aws


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (OURS, ["web"]),
        ({**OURS, "fsd:environment": "prod"}, []),
        ({**OURS, "fsd:service": "other"}, []),
        ({}, []),
    ],
    ids=["ours", "environment", "service", "somebody"],
)
def test_read_jobs__schedules_of_a_cluster__only_what_is_deployed_to_the_environment(
    tags: dict[str, str], expected: list[str]
) -> None:
    looks = read_jobs(listed(tags).aws(), environment="dev", cluster="dev", now=START)

    assert [look.service for look in looks.jobs] == expected
    assert looks.unread is None


def test_read_overview__schedule_that_may_not_be_read__the_others_and_why() -> None:
    """A cluster has Jobs of other repositories, whose schedules the role may not read."""
    aws = listed(OURS)
    aws.schedules.put({**aws.schedules.schedules["web-dev"], "Name": "other-dev"})
    aws.schedules.denied = {"other-dev"}

    overview = read_overview(aws.aws(), environment="dev", cluster="dev", now=START)

    assert [job.service for job in overview.jobs] == ["web"]
    assert [reason.text for reason in overview.unknown] == ["no scheduler:GetSchedule"]


def test_read_jobs__throttled__no_other_is_hidden() -> None:
    aws = listed(OURS)
    throttled = CallFailedError("Rate exceeded", where="DescribeTaskDefinition", fix="-")
    aws.ecs.fail("find_task_definition", throttled)

    looks = read_jobs(aws.aws(), environment="dev", cluster="dev", now=START)

    assert (looks.jobs, looks.unread) == ((), throttled)


def test_read_overview__schedules_may_not_be_listed__services_and_why() -> None:
    aws = listed(OURS)
    aws.schedules.is_denied = True

    overview = read_overview(aws.aws(), environment="dev", cluster="dev", now=START)

    assert overview.jobs == ()
    assert [reason.text for reason in overview.unknown] == ["no scheduler:ListSchedules"]


@pytest.mark.parametrize(("codes", "outcome"), [((0, 1), "succeeded"), ((1, 0), "failed")])
def test_read_job_releases__newest_run_of_a_revision__decides(
    codes: tuple[int, int], outcome: str
) -> None:
    aws = deployed("v1")
    job = found(aws)
    older = replace(run(aws, web=codes[1]), stopped_at=START.replace(hour=1))
    aws.ecs.stopped = [run(aws, web=codes[0]), older]

    (release,) = read_job_releases(aws.aws(), REF, job)

    assert release.outcome == outcome
