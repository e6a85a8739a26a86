from __future__ import annotations

import pytest

from fsd_local.health import (
    CHECKING,
    FAILED,
    HEALTHY,
    PASSED,
    Probe,
    TargetGroupCheck,
    TargetHealthState,
    advance,
    judge,
    matches,
)

CHECK = TargetGroupCheck(healthy_threshold=3, unhealthy_threshold=2)
BAD = judge(500, "200")


def after(probes: list[Probe], start: TargetHealthState | None = None) -> TargetHealthState:
    health = start or TargetHealthState()
    for probe in probes:
        health = advance(health, probe, CHECK)
    return health


def test_advance__first_pass_of_a_new_target__is_enough() -> None:
    assert after([PASSED]).state == HEALTHY


def test_advance__one_failure_of_a_new_target__stays_initial() -> None:
    assert after([BAD]).state == CHECKING


def test_advance__failures_below_the_threshold__leave_it_healthy() -> None:
    assert after([PASSED, BAD, PASSED, BAD]).state == HEALTHY


def test_advance__failures_in_a_row__make_it_unhealthy_and_say_why() -> None:
    state = after([PASSED, BAD, BAD]).state
    assert (state.state, state.reason, state.description) == (
        "unhealthy",
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [500]",
    )


def test_advance__an_unhealthy_target__names_its_latest_failure() -> None:
    assert after([BAD, BAD, FAILED]).state.reason == "Target.FailedHealthChecks"


@pytest.mark.parametrize(("passes", "state"), [(2, "unhealthy"), (3, "healthy")])
def test_advance__an_unhealthy_target__needs_the_healthy_threshold(passes: int, state: str) -> None:
    assert after([BAD, BAD, *[PASSED] * passes]).state.state == state


@pytest.mark.parametrize(
    ("status", "matcher", "expected"),
    [
        (200, "200", True),
        (204, "200", False),
        (204, "200-299", True),
        (302, "200,302", True),
        (301, "200, 300-399", True),
        (404, "200-299,301", False),
    ],
)
def test_matches__codes_lists_and_ranges__as_elb(status: int, matcher: str, expected: bool) -> None:
    assert matches(status, matcher) is expected
