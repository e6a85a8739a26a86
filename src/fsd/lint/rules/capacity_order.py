"""Auto scaling refuses bounds that cross, and moves a count that is outside of them at once."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

RESOURCES = ("service", "resources")
DESIRED = (*RESOURCES, "desiredCount")
MINIMUM = (*RESOURCES, "minCapacity")
MAXIMUM = (*RESOURCES, "maxCapacity")


def check(subject: Subject) -> Iterator[Problem]:
    resources = subject.service.resources
    desired, low, high = resources.desired_count, resources.min_capacity, resources.max_capacity
    every = (DESIRED, MINIMUM, MAXIMUM)
    if low is not None and high is not None and low > high:
        yield Problem(
            at=MINIMUM,
            message=f"minCapacity {low} is more than maxCapacity {high}",
            fix=f"use `minCapacity: {high}` or `maxCapacity: {low}`",
            uses=every,
        )
    elif desired is not None and low is not None and desired < low:
        yield Problem(
            at=DESIRED,
            message=f"desiredCount {desired} is less than minCapacity {low}",
            fix=f"use `desiredCount: {low}` or `minCapacity: {desired}`",
            uses=every,
        )
    elif desired is not None and high is not None and desired > high:
        yield Problem(
            at=DESIRED,
            message=f"desiredCount {desired} is more than maxCapacity {high}",
            fix=f"use `desiredCount: {high}` or `maxCapacity: {desired}`",
            uses=every,
        )
