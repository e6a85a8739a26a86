"""Deploy a Job: what is registered, what the schedule starts, and what a failure leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.compile.desired import Desired, DesiredSchedule, Json, OneOff, Release
from fsd.errors import CallFailedError, Interrupted, RefusedError
from fsd.release.concurrency.in_flight import CommitOrder
from fsd.release.job import deploy_job
from fsd.release.jobs import find_job, job_ref, read_job_releases
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, Result
from fsd.report.render import headline
from tests.fakes.aws import FakeAws, FakeClock
from tests.unit.release.desired import RELEASE, make_desired, make_request

OUTPUTS = {"TaskSecurityGroupId": "sg-1", "ScheduleRoleArn": "arn:role"}
SCHEDULE = DesiredSchedule(
    name="web-dev",
    expression="rate(1 hour)",
    time_zone="UTC",
    is_enabled=True,
    retries=3,
    cluster_arn="arn:aws:ecs:us-east-1:123456789012:cluster/dev",
)


def job(cpu: str = "512", *, before: OneOff | None = None, **schedule: object) -> Desired:
    when = replace(SCHEDULE, **schedule)  # type: ignore[arg-type] # replace checks the names
    tags = {"fsd:version": RELEASE.version, "fsd:commit": RELEASE.commit}
    desired = make_desired(cpu=cpu)
    return replace(desired, schedule=when, before=before, task_definition_tags=tags)


def account() -> FakeAws:
    aws = FakeAws()
    aws.stacks.outputs = OUTPUTS
    return aws


def run(aws: FakeAws, wanted: Desired, **request: object) -> Result:
    asked = make_request(wanted, **request)
    return deploy_job(asked, aws.aws(), clock=FakeClock(), reporter=Silent())


def starts(aws: FakeAws) -> str:
    """The revision that the schedule has."""
    found = aws.schedules.find("web-dev")
    return found.task_definition_arn.rpartition("/")[2] if found else ""


def test_deploy_job__first__stack_revision_and_one_call_for_the_schedule() -> None:
    aws = account()

    result = run(aws, job())

    assert result.outcome is Outcome.SUCCEEDED
    assert [put["State"] for put in aws.schedules.puts] == ["ENABLED"]
    assert starts(aws) == "web-dev:1"
    assert result.running is not None
    assert (result.running.revision, result.schedule) == ("web-dev:1", "rate(1 hour)")


def test_deploy_job__again__nothing_to_change() -> None:
    aws = account()
    run(aws, job())

    result = run(aws, job())

    assert result.outcome is Outcome.UNCHANGED
    assert len(aws.schedules.puts) == 1
    assert headline(result) == "Nothing to change: web-dev:1 (v9), schedule rate(1 hour)"


def test_deploy_job__another_size_and_hour__both_in_one_call() -> None:
    aws = account()
    run(aws, job())

    run(aws, job("1024", expression="rate(2 hours)"))

    assert len(aws.schedules.puts) == 2
    assert aws.schedules.puts[-1]["ScheduleExpression"] == "rate(2 hours)"
    assert starts(aws) == "web-dev:2"


def test_deploy_job__no_schedule__disabled_and_holds_the_revision() -> None:
    aws = account()

    result = run(aws, job(expression="rate(365 days)", is_enabled=False))

    assert aws.schedules.puts[0]["State"] == "DISABLED"
    assert headline(result).startswith("Deployed web v9 to dev")
    assert result.schedule == "by hand"


def test_deploy_job__scheduler_refuses__the_revision_goes_and_the_schedule_stays() -> None:
    aws = account()
    run(aws, job())
    aws.schedules.error = CallFailedError("refused", where="UpdateSchedule", fix="-")

    with pytest.raises(CallFailedError):
        run(aws, job("1024"))

    assert starts(aws) == "web-dev:1"
    assert [one.revision for one in aws.ecs.definitions] == [1]


def test_deploy_job__before_fails__the_schedule_starts_what_it_started() -> None:
    aws = account()
    run(aws, job())
    aws.ecs.ends = [1]

    result = run(aws, job("1024", before=OneOff(command=("migrate",), timeout=60)))

    assert result.outcome is Outcome.ROLLED_BACK
    assert starts(aws) == "web-dev:1"
    assert "the schedule still starts the previous revision" in headline(result)


def test_deploy_job__scheduled__noted_on_the_revision() -> None:
    aws = account()

    run(aws, job())
    run(aws, job(expression="rate(2 hours)"))

    tagged = [call for name, call in aws.ecs.calls if name == "tag_task_definition"]
    assert tagged == [
        {"arn": aws.ecs.definitions[0].arn, "tags": {"fsd:scheduled": "true"}},
    ]


def test_deploy_job__predecessor_without_the_note__gets_it_before_it_goes() -> None:
    aws = account()
    run(aws, job())
    aws.ecs.definitions = [replace(one, tags={}) for one in aws.ecs.definitions]

    run(aws, job("1024"))

    assert [one.tags.get("fsd:scheduled") for one in aws.ecs.definitions] == ["true", "true"]


def test_deploy_job__interrupted_before_the_schedule__is_no_release_that_succeeded() -> None:
    aws = account()
    run(aws, job())
    aws.ecs.on_register = [_raise_interrupted]

    result = run(aws, job("1024"))

    assert result.outcome is Outcome.INTERRUPTED
    ref = job_ref("web", environment="dev", cluster="dev")
    scheduled = find_job(aws.aws(), ref)
    assert scheduled is not None
    outcomes = [one.outcome for one in read_job_releases(aws.aws(), ref, scheduled)]
    assert outcomes == ["not scheduled", "succeeded"]


def test_deploy_job__may_not_tag__says_so_and_is_deployed() -> None:
    aws = account()
    aws.ecs.fail("tag_task_definition", CallFailedError("no", where="TagResource", fix="-"))

    result = run(aws, job())

    assert result.outcome is Outcome.SUCCEEDED
    assert [type(note).__name__ for note in result.notes] == ["CouldNot"]


def _raise_interrupted() -> None:
    raise Interrupted("stopped by SIGINT", where="this command", fix="again")


def test_deploy_job__older_commit__refused() -> None:
    aws = account()
    run(aws, job())
    older = Release(version="v8", commit="8" * 40)

    with pytest.raises(RefusedError) as error:
        run(aws, job("1024"), release=older, order=lambda _: CommitOrder.OLDER)

    assert error.value.code == "older-commit"
    assert starts(aws) == "web-dev:1"


def test_deploy_job__another_run_moved_it_meanwhile__looked_at_again() -> None:
    aws = account()
    run(aws, job())
    find, looks = aws.schedules.find, []

    def moved(name: str) -> object:
        looks.append(name)
        if len(looks) == 2:  # between our look and our change
            theirs: Json = {**aws.schedules.schedules["web-dev"]}
            aws.ecs.register({**job("256").task_definition}, tags={"fsd:commit": RELEASE.commit})
            target = theirs["Target"]
            assert isinstance(target, dict)
            ecs = target["EcsParameters"]
            assert isinstance(ecs, dict)
            arn = aws.ecs.definitions[0].arn
            theirs["Target"] = {**target, "EcsParameters": {**ecs, "TaskDefinitionArn": arn}}
            aws.schedules.schedules["web-dev"] = theirs
        return find(name)

    aws.schedules.find = moved  # type: ignore[method-assign,assignment] # a scripted answer

    result = run(aws, job("1024"))

    assert result.outcome is Outcome.SUCCEEDED
    assert result.running is not None
    assert result.running.cpu == 1024
