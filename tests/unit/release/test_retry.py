from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from fsd.errors import CallFailedError
from fsd.release.ports import PermissionDenied, Throttled
from fsd.release.reporter import Silent
from fsd.release.retry import RETRY_TIME, Retry
from tests.fakes.aws import START, FakeAws, FakeClock


def lost() -> CallFailedError:
    error = CallFailedError("connection reset", where="ecs", fix="again")
    error.may_pass = True
    return error


def failing(*errors: CallFailedError) -> Callable[[], str]:
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


def retry(clock: FakeClock, *, speed: float = 1.0) -> Retry:
    return Retry(clock=clock, reporter=Silent(), speed=speed)


def test_call__answered_at_once__no_wait() -> None:
    clock = FakeClock()

    assert retry(clock).call(failing()) == "done"
    assert clock.waits == 0


def test_call__throttled_and_lost__asked_again_later_and_later() -> None:
    clock = FakeClock()
    errors = [Throttled("slow down", where="ecs", fix="wait"), lost(), lost()]

    assert retry(clock).call(failing(*errors)) == "done"
    assert clock.now() - START == timedelta(seconds=2 + 4 + 8)


def test_call__never_answered__gives_up_after_minutes() -> None:
    clock = FakeClock()

    with pytest.raises(CallFailedError, match="connection reset"):
        retry(clock).call(failing(*(lost() for _ in range(99))))

    assert RETRY_TIME <= clock.now() - START < RETRY_TIME + timedelta(minutes=1)


def test_call__time_runs_faster__so_do_the_pauses() -> None:
    clock = FakeClock()

    with pytest.raises(CallFailedError):
        retry(clock, speed=10).call(failing(*(lost() for _ in range(99))))

    assert clock.now() - START < RETRY_TIME / 5


@pytest.mark.parametrize(
    "error",
    [
        PermissionDenied("not authorized", where="ecs", fix="allow it"),
        CallFailedError("no such service", where="ecs", fix="deploy"),
    ],
    ids=["denied", "refused"],
)
def test_call__what_does_not_pass__raised_at_once(error: CallFailedError) -> None:
    clock = FakeClock()

    with pytest.raises(type(error)):
        retry(clock).call(failing(error))

    assert clock.waits == 0


def test_of__a_call_is_lost__made_again_with_its_arguments() -> None:
    aws, clock = FakeAws(), FakeClock()
    aws.ecs.declare_running(41)
    aws.ecs.fail("find_service", lost())

    found = retry(clock).of(aws.aws()).ecs.find_service("dev", "web-dev")

    assert found == aws.ecs.services["web-dev"]
    assert clock.waits == 1
