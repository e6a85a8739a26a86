"""What a wait that ended too early says: what is true, and what took the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.manifest.rollout_time import Estimate, Part
from fsd.release.messages import RolloutStage
from fsd.release.result import Progress
from fsd.release.rollout_stage import Drain, stage_of, standing_of
from fsd.release.waiting_time import NOT_KNOWN, SHORTEST, default_timeout, too_short_note
from fsd.report.messages import rollout_progress_text
from fsd.report.notes import note_text
from fsd.snapshot import Snapshot
from tests.timeline import snapshot

DRAINING = "event  (service web) has begun draining connections on 2 tasks."
DRAIN = Drain(delay=timedelta(seconds=3600))


def progress(*, healthy: int = 2, running: int = 2, pending: int = 0, old: int = 0) -> Progress:
    return Progress(
        elapsed=timedelta(seconds=40),
        new_revision="web:42",
        new_healthy=healthy,
        new_running=running,
        new_pending=pending,
        desired=2,
        old_revision="web:41",
        old_running=old,
        failed_tasks=0,
        failure_threshold=3,
    )


def seen(text: str = "", *, balanced: bool = True) -> Snapshot:
    found = snapshot(f"deployment  web:42  IN_PROGRESS  2/2\n{text}")
    assert found.service is not None
    groups = ("arn:target-group",) if balanced else ()
    return replace(found, service=replace(found.service, target_group_arns=groups))


@pytest.mark.parametrize(
    ("look", "now", "stage", "said"),
    [
        (
            seen(),
            progress(healthy=0, running=0, pending=2),
            RolloutStage.START,
            "0 of 2 new tasks are running, 2 starting",
        ),
        (
            seen(),
            progress(healthy=1),
            RolloutStage.CHECK,
            "2 of 2 new tasks are running, 1 of them healthy so far",
        ),
        (
            seen(),
            progress(old=2),
            RolloutStage.REPLACE,
            "2 of 2 new tasks are healthy; 2 old ones are still running",
        ),
        (
            seen(DRAINING),
            progress(),
            RolloutStage.DRAIN,
            "2 of 2 new tasks are healthy and serving; connections to the old ones drain until "
            "15:02:00 UTC at the latest (deregistrationDelay 1h00m)",
        ),
        (
            seen(f"{DRAINING}\ntarget  10.0.0.1  draining\ntarget  10.0.0.2  healthy"),
            progress(),
            RolloutStage.DRAIN,
            "2 of 2 new tasks are healthy and serving; connections to the old ones drain until "
            "15:02:00 UTC at the latest (deregistrationDelay 1h00m)",
        ),
        # The last read says that no target drains any more, whatever the event said before.
        (
            seen(f"{DRAINING}\ntarget  10.0.0.2  healthy"),
            progress(),
            RolloutStage.SETTLE,
            "2 of 2 new tasks are healthy",
        ),
        (seen(balanced=False), progress(), RolloutStage.SETTLE, "2 of 2 new tasks are healthy"),
    ],
)
def test_standing_of__stage_by_stage(
    look: Snapshot, now: Progress, stage: RolloutStage, said: str
) -> None:
    assert stage_of(look, now) is stage
    assert rollout_progress_text(standing_of(look, now, DRAIN)) == said


def test_standing_of__delay_not_known__no_time() -> None:
    assert rollout_progress_text(standing_of(seen(DRAINING), progress(), Drain())) == (
        "2 of 2 new tasks are healthy and serving; connections to the old ones drain"
    )


def test_standing_of__embedded_aws__its_own_time() -> None:
    drain = Drain(delay=timedelta(seconds=3600), speed=10)

    assert "until 14:08:00 UTC" in rollout_progress_text(
        standing_of(seen(DRAINING), progress(), drain)
    )


def test_standing_of__times__the_stage_that_took_most() -> None:
    times = {RolloutStage.START: timedelta(seconds=2), RolloutStage.DRAIN: timedelta(seconds=38)}

    stands = standing_of(seen(balanced=False), progress(), Drain(), times=times)

    assert rollout_progress_text(stands) == (
        "2 of 2 new tasks are healthy; draining old connections took 38s of that time"
    )


LONG = Estimate(parts=((Part.DRAIN, 3600), (Part.START, 40)))


@pytest.mark.parametrize(
    ("expected", "speed", "timeout"),
    [
        (Estimate(parts=((Part.START, 40),)), 1.0, SHORTEST),
        (NOT_KNOWN, 1.0, SHORTEST),
        (LONG, 1.0, timedelta(seconds=5760)),
        (LONG, 10.0, SHORTEST),
        (LONG, 2.0, timedelta(seconds=2880)),
    ],
)
def test_default_timeout__longer_than_the_rollout(
    expected: Estimate, speed: float, timeout: timedelta
) -> None:
    assert default_timeout(expected, speed=speed) == timeout


def test_too_short_note__says_what_takes_the_time() -> None:
    note = too_short_note(timedelta(seconds=40), LONG)

    assert note is not None
    assert note_text(note) == (
        "warning: the rollout is expected to take 1h00m (its longest part is deregistrationDelay: "
        "3600 s), but --timeout is 40s: the wait will end before ECS is done"
    )
    assert too_short_note(timedelta(minutes=90), LONG) is None
    assert too_short_note(timedelta(minutes=7), LONG, speed=10) is None
    assert too_short_note(timedelta(seconds=1), NOT_KNOWN) is None
