"""A Job's schedule takes over from another tool's: a run is started by one of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fsd.compile.desired import Desired
from fsd.errors import CallFailedError, Interrupted
from fsd.plan.observed import OldSchedule
from fsd.release.hand_over import until_quiet
from fsd.release.job import deploy_job
from fsd.release.notes import Remark
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, Result
from tests.fakes.aws import FakeAws, FakeClock
from tests.unit.release.desired import make_request
from tests.unit.release.test_job import account, job, run, starts

RULE = "arn:aws:events:us-east-1:123456789012:rule/nightly"
OLD = OldSchedule(arn=RULE, is_enabled=True, expression="cron(0 3 * * ? *)")
REFUSED = CallFailedError("no events:DisableRule", where=RULE, fix="-")


def adopting() -> Desired:
    return job(takes_over=RULE)


def with_rule(old: OldSchedule = OLD) -> FakeAws:
    aws = account()
    aws.schedules.old[RULE] = old
    return aws


def is_on(aws: FakeAws) -> bool:
    return aws.schedules.old[RULE].is_enabled


def test_deploy__old_rule_enabled__disabled_while_ours_waits_and_then_ours_begins() -> None:
    aws = with_rule()

    result = run(aws, adopting())

    assert result.outcome is Outcome.SUCCEEDED
    assert [put["State"] for put in aws.schedules.puts] == ["DISABLED", "ENABLED"]
    assert aws.schedules.switches == [(False, {"web-dev": "DISABLED"})]
    assert [one.what for one in result.changes][-1] == "old rule nightly"


def test_deploy__again__nothing_to_change() -> None:
    aws = with_rule()
    run(aws, adopting())

    assert run(aws, adopting()).outcome is Outcome.UNCHANGED


def test_deploy__old_rule_enabled_again_by_its_tool__disabled_again() -> None:
    aws = with_rule()
    run(aws, adopting())
    aws.schedules.old[RULE] = OLD

    result = run(aws, adopting())

    assert (result.outcome, is_on(aws)) == (Outcome.SUCCEEDED, False)


def test_deploy__old_rule_is_gone__deployed_and_said() -> None:
    aws = account()

    result = run(aws, adopting())

    assert result.outcome is Outcome.SUCCEEDED
    assert RULE in str(result.notes)


def test_deploy__old_rule_may_not_be_disabled__ours_is_gone_and_the_old_one_on() -> None:
    aws = with_rule()
    aws.schedules.stuck = REFUSED

    with pytest.raises(CallFailedError, match="no events:DisableRule"):
        run(aws, adopting())

    assert is_on(aws)
    assert aws.schedules.schedules == {}
    assert starts(aws) == ""


@pytest.mark.parametrize("kind", [CallFailedError, Interrupted])
def test_deploy__ours_does_not_begin__the_old_one_is_on_again(
    kind: type[CallFailedError] | type[Interrupted],
) -> None:
    aws = with_rule()
    error = kind("role cannot be assumed", where="web-dev", fix="-")
    aws.schedules.error_when_enabled = error  # type: ignore[assignment] # a signal comes there too

    if kind is CallFailedError:
        with pytest.raises(CallFailedError, match="cannot be assumed"):
            run(aws, adopting())
    else:
        assert run(aws, adopting()).outcome is Outcome.INTERRUPTED

    assert is_on(aws)
    assert [on for on, _ in aws.schedules.switches] == [False, True]
    assert aws.schedules.schedules == {}


def test_deploy__fails_when_ours_was_there__ours_is_as_it_was() -> None:
    aws = with_rule()
    run(aws, job())
    before = dict(aws.schedules.schedules)
    aws.schedules.stuck = REFUSED

    with pytest.raises(CallFailedError):
        run(aws, adopting())

    assert aws.schedules.schedules == before


def test_deploy__old_one_cannot_be_enabled_again__said_with_what_to_do() -> None:
    aws = with_rule()
    aws.schedules.stuck = REFUSED

    def gone(arn: str, *, is_on: bool) -> None:
        raise CallFailedError(f"refused: {is_on}", where=arn, fix="-")

    aws.schedules.switch_old = gone  # type: ignore[method-assign] # a scripted answer

    with pytest.raises(CallFailedError, match="could not be enabled again") as error:
        run(aws, adopting())

    assert "enable nightly" in error.value.fix


class _Noting(Silent):
    def __init__(self) -> None:
        self.notes: list[object] = []

    def note(self, note: object) -> None:
        self.notes.append(note)


def test_deploy__a_run_is_due_in_this_minute__waited_for_and_said() -> None:
    clock, reporter, aws = FakeClock(), _Noting(), with_rule()
    now = clock.now()
    at = f"cron({now.minute} {now.hour} * * ? *)"
    aws.schedules.old[RULE] = replace(OLD, expression=at)

    result: Result = deploy_job(make_request(adopting()), aws.aws(), clock=clock, reporter=reporter)

    assert result.outcome is Outcome.SUCCEEDED
    assert Remark.SCHEDULE_DUE in reporter.notes
    assert clock.now() >= now.replace(second=0, microsecond=0) + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("second", "expression", "zone", "seconds"),
    [
        (0, "cron(0 6 * * ? *)", "UTC", 60),
        (59, "cron(0 6 * * ? *)", "UTC", 1),
        (50, "cron(1 6 * * ? *)", "UTC", 70),  # due in ten seconds
        (30, "cron(1 6 * * ? *)", "UTC", 0),
        (10, "cron(0 7 * * ? *)", "Europe/Berlin", 50),
        (10, "cron(* * * * ? *)", "UTC", 0),  # always due
        (10, "rate(1 minute)", "UTC", 0),
        (10, "cron(0 6 * * ? *)", "Nowhere/Else", 0),
    ],
)
def test_until_quiet__each(second: int, expression: str, zone: str, seconds: int) -> None:
    now = datetime(2026, 11, 30, 6, 0, second, tzinfo=UTC)

    assert until_quiet([(expression, zone)], now) == timedelta(seconds=seconds)
