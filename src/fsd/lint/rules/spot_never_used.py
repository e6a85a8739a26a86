"""Spot tasks are asked for, and every task is kept on demand."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.container import Spot

SPOT = ("service", "resources", "spot")


def check(subject: Subject) -> Iterator[Problem]:
    resources = subject.service.resources
    spot = resources.spot_tasks
    if spot is None or not isinstance(resources.spot, Spot):
        return
    most = resources.maximum if subject.service.auto_scaling is not None else resources.desired
    if spot.percent == 0 or (most and spot.base >= most):
        yield Problem(
            at=SPOT,
            message=f"no task is a Spot task: base is {spot.base}, percent is {spot.percent}, and "
            f"there are at most {most}",
            fix="lower `base`, raise `percent`, or remove `spot`",
            on_key=True,
            uses=(
                ("service", "resources", "desiredCount"),
                ("service", "resources", "maxCapacity"),
            ),
        )
