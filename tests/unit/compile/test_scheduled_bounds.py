"""A deployment leaves the bounds that a schedule has set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.compile.desired import Scaling, ScheduledBounds
from fsd.compile.scaling import with_scheduled_bounds

MORNING = ScheduledBounds(
    name="morning", expression="cron(0 8 * * ? *)", time_zone="UTC", minimum=6, maximum=None
)
SCALING = Scaling(
    minimum=2,
    maximum=9,
    cpu=60,
    memory=None,
    scale_in_cooldown=300,
    scale_out_cooldown=300,
    schedules=(MORNING,),
)


@pytest.mark.parametrize(
    ("now", "bounds"),
    [
        ((6, 9), (6, 9)),  # the schedule's
        ((2, 9), (2, 9)),
        ((3, 9), (2, 9)),  # somebody else's
        ((6, 7), (2, 9)),
    ],
)
def test_with_scheduled_bounds__what_holds_now__stays_where_a_schedule_set_it(
    now: tuple[int, int], bounds: tuple[int, int]
) -> None:
    found = with_scheduled_bounds(SCALING, now)

    assert (found.minimum, found.maximum) == bounds


def test_with_scheduled_bounds__no_schedules__the_manifest_s() -> None:
    found = with_scheduled_bounds(replace(SCALING, schedules=()), (6, 9))

    assert (found.minimum, found.maximum) == (2, 9)
