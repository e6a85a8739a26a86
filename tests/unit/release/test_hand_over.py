"""A Job's schedule takes over from another tool's: a run is started by one of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fsd.compile.desired import Desired, Json
from fsd.errors import CallFailedError, Interrupted
from fsd.plan.observed import OldSchedule
from fsd.release.hand_over import HandOverFailedError, Timetable, hand_over, until_quiet
from fsd.release.job import deploy_job
from fsd.release.notes import Remark
from fsd.release.ports import JobSchedule
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, Result
from fsd.release.schedule_shape import load_schedule
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


class _Failing:
    """`plan` says how each change ends: ok, fail, lost (done, without an answer) or signal."""

    def __init__(self, *plan: str) -> None:
        self.plan = [*plan]
        self.ours = ""
        self.old = "ENABLED"

    def _end(self) -> str:
        return self.plan.pop(0) if self.plan else "ok"

    def _raise(self, end: str) -> None:
        if end == "signal":
            raise Interrupted("stopped by SIGINT", where="this command", fix="-")
        if end != "ok":
            raise CallFailedError("no answer", where=RULE, fix="-")

    def find(self, name: str) -> JobSchedule | None:
        if not self.ours:
            return None
        return load_schedule({"Name": name, "State": self.ours})

    def put(self, parameters: Json) -> None:
        end = self._end()
        if end in ("ok", "lost"):
            self.ours = str(parameters["State"])
        self._raise(end)

    def switch_old(self, arn: str, *, is_on: bool) -> None:
        assert arn == RULE
        end = self._end()
        if end in ("ok", "lost"):
            self.old = "ENABLED" if is_on else "DISABLED"
        self._raise(end)

    def delete(self, name: str) -> bool:
        del name
        end = self._end()
        if end == "ok":
            self.ours = ""
        self._raise(end)
        return True

    def find_old(self, arn: str) -> OldSchedule:
        return replace(OLD, arn=arn, is_enabled=self.old == "ENABLED")

    def names(self, cluster: str) -> list[str]:
        return [cluster]


def take_over(schedules: _Failing) -> None:
    parameters: Json = {"Name": "web-dev", "State": "ENABLED"}
    hand_over(OLD, parameters, schedules, wait_until_quiet=lambda: None)


@pytest.mark.parametrize(
    "plan",
    [
        ("ok", "ok", "fail", "signal"),  # while the old one is enabled again
        ("ok", "ok", "lost", "ok", "fail"),
        ("ok", "ok", "lost", "ok", "signal"),
        ("ok", "ok", "signal", "fail", "fail", "ok", "fail"),
        ("ok", "lost", "signal"),
    ],
    ids=" ".join,
)
def test_hand_over__restoring_fails_or_is_interrupted__finished(plan: tuple[str, ...]) -> None:
    schedules = _Failing(*plan)

    with pytest.raises((CallFailedError, Interrupted)) as error:
        take_over(schedules)

    assert not isinstance(error.value, HandOverFailedError)
    assert (schedules.old, schedules.ours) == ("ENABLED", "")


@pytest.mark.parametrize(
    ("plan", "states", "fix"),
    [
        (
            ("ok", "ok", "lost", "ok", *["fail"] * 9),
            "nightly enabled, web-dev enabled",
            "aws scheduler delete-schedule --name web-dev",
        ),
        (
            ("ok", "ok", *["fail"] * 9),
            "nightly disabled, web-dev disabled",
            "aws events enable-rule --name nightly",
        ),
    ],
    ids=["two", "none"],
)
def test_hand_over__cannot_be_restored__both_named_with_their_states_and_a_command(
    plan: tuple[str, ...], states: str, fix: str
) -> None:
    with pytest.raises(HandOverFailedError, match=states) as error:
        take_over(_Failing(*plan))

    assert fix in error.value.fix


def test_deploy__cannot_be_restored__the_new_revision_stays() -> None:
    aws = with_rule()

    def gone(arn: str, *, is_on: bool) -> None:
        raise CallFailedError(f"refused: {is_on}", where=arn, fix="-")

    aws.schedules.switch_old = gone  # type: ignore[method-assign] # a scripted answer

    with pytest.raises(HandOverFailedError):
        run(aws, adopting())

    assert starts(aws)
    assert "deregister" not in [name for name, _ in aws.ecs.calls]


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


def test_deploy__new_role_is_known_late__the_wait_comes_after_that() -> None:
    clock, aws = FakeClock(), with_rule(replace(OLD, expression="cron(0 6 * * ? *)"))
    clock.time = datetime(2026, 11, 30, 5, 59, 20, tzinfo=UTC)
    put, switch = aws.schedules.put, aws.schedules.switch_old
    switched: list[datetime] = []

    def slow(parameters: Json) -> None:
        if parameters["State"] == "DISABLED":
            clock.wait(timedelta(seconds=44))
        put(parameters)

    def timed(arn: str, *, is_on: bool) -> None:
        switched.append(clock.now())
        switch(arn, is_on=is_on)

    aws.schedules.put = slow  # type: ignore[method-assign] # slow answers
    aws.schedules.switch_old = timed  # type: ignore[method-assign] # a look at the clock

    deploy_job(make_request(adopting()), aws.aws(), clock=clock, reporter=Silent())

    assert switched == [datetime(2026, 11, 30, 6, 1, tzinfo=UTC)]


def test_deploy__always_due__not_waited_for_and_said() -> None:
    aws, reporter = with_rule(replace(OLD, expression="cron(* * * * ? *)")), _Noting()

    result = deploy_job(make_request(adopting()), aws.aws(), clock=FakeClock(), reporter=reporter)

    assert Remark.SCHEDULE_ALWAYS_DUE in result.notes
    assert not is_on(aws)


@pytest.mark.parametrize(
    ("second", "expression", "zone", "seconds"),
    [
        (0, "cron(0 6 * * ? *)", "UTC", 60),
        (59, "cron(0 6 * * ? *)", "UTC", 1),
        (50, "cron(1 6 * * ? *)", "UTC", 70),  # due in ten seconds
        (30, "cron(1 6 * * ? *)", "UTC", 0),
        (10, "cron(0 7 * * ? *)", "Europe/Berlin", 50),
        (30, "cron(0,1 6 * * ? *)", "UTC", 90),
        (0, "cron(0-18 6 * * ? *)", "UTC", 19 * 60),
        (10, "at(2026-11-30T06:00:00)", "UTC", 50),
        (10, "rate(1 minute)", "UTC", 0),
        (10, "cron(0 6 * * ? *)", "Nowhere/Else", 0),
    ],
)
def test_until_quiet__each(second: int, expression: str, zone: str, seconds: int) -> None:
    now = datetime(2026, 11, 30, 6, 0, second, tzinfo=UTC)

    table = Timetable(expression=expression, zone=zone)

    assert until_quiet([table], now) == timedelta(seconds=seconds)


@pytest.mark.parametrize("expression", ["cron(* * * * ? *)", "cron(0-30 6 * * ? *)"])
def test_until_quiet__not_for_twenty_minutes__none(expression: str) -> None:
    now = datetime(2026, 11, 30, 6, 0, 10, tzinfo=UTC)

    assert until_quiet([Timetable(expression=expression, zone="UTC")], now) is None


def test_until_quiet__two__until_both_are() -> None:
    now = datetime(2026, 11, 30, 6, 0, 30, tzinfo=UTC)
    both = [Timetable(expression=f"cron({at} 6 * * ? *)", zone="UTC") for at in (1, 0)]

    assert until_quiet(both, now) == timedelta(seconds=90)


@pytest.mark.parametrize(("minute", "wait"), [(2, 14), (15, 1), (16, 0)])
def test_until_quiet__flexible_window__until_it_is_over(minute: int, wait: int) -> None:
    now = datetime(2026, 11, 30, 6, minute, tzinfo=UTC)
    table = Timetable(expression="cron(0 6 * * ? *)", zone="UTC", window=15)

    assert until_quiet([table], now) == timedelta(minutes=wait)
