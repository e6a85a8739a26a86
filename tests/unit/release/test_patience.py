from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from fsd.errors import CallFailedError
from fsd.release.patience import PATIENCE, Patience
from fsd.release.ports import PermissionDenied, Throttled
from fsd.release.reporter import Silent
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


def patience(clock: FakeClock, *, speed: float = 1.0) -> Patience:
    return Patience(clock=clock, reporter=Silent(), speed=speed)


def test_ask__answered_at_once__no_wait() -> None:
    clock = FakeClock()

    assert patience(clock).ask(failing()) == "done"
    assert clock.waits == 0


def test_ask__throttled_and_lost__asked_again_later_and_later() -> None:
    clock = FakeClock()
    errors = [Throttled("slow down", where="ecs", fix="wait"), lost(), lost()]

    assert patience(clock).ask(failing(*errors)) == "done"
    assert clock.now() - START == timedelta(seconds=2 + 4 + 8)


def test_ask__never_answered__gives_up_after_minutes() -> None:
    clock = FakeClock()

    with pytest.raises(CallFailedError, match="connection reset"):
        patience(clock).ask(failing(*(lost() for _ in range(99))))

    assert PATIENCE <= clock.now() - START < PATIENCE + timedelta(minutes=1)


def test_ask__time_runs_faster__so_does_patience() -> None:
    clock = FakeClock()

    with pytest.raises(CallFailedError):
        patience(clock, speed=10).ask(failing(*(lost() for _ in range(99))))

    assert clock.now() - START < PATIENCE / 5


@pytest.mark.parametrize(
    "error",
    [
        PermissionDenied("not authorized", where="ecs", fix="allow it"),
        CallFailedError("no such service", where="ecs", fix="deploy"),
    ],
    ids=["denied", "refused"],
)
def test_ask__what_does_not_pass__raised_at_once(error: CallFailedError) -> None:
    clock = FakeClock()

    with pytest.raises(type(error)):
        patience(clock).ask(failing(error))

    assert clock.waits == 0


def test_with_aws__a_call_is_lost__made_again_with_its_arguments() -> None:
    aws, clock = FakeAws(), FakeClock()
    aws.ecs.declare_running(41)
    aws.ecs.fail("find_service", lost())

    found = patience(clock).with_aws(aws.aws()).ecs.find_service("dev", "web-dev")

    assert found == aws.ecs.services["web-dev"]
    assert clock.waits == 1
