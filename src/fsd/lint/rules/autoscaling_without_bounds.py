"""Auto scaling moves a count between two bounds; without room between them it does nothing.

`maxCapacity` is what a busy day may cost, so FSD guesses none: it is desiredCount until it is said.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

RESOURCES = ("service", "resources")
MAXIMUM = (*RESOURCES, "maxCapacity")
MINIMUM = (*RESOURCES, "minCapacity")
SCALING = ("service", "autoScaling")


def check(subject: Subject) -> Iterator[Problem]:
    if subject.service.auto_scaling is None:
        return
    resources = subject.service.resources
    uses = (MAXIMUM, MINIMUM, (*RESOURCES, "desiredCount"), SCALING)
    above = max(2 * resources.maximum, 2)
    if resources.max_capacity is None:
        yield Problem(
            at=SCALING,
            message=f"maxCapacity is not set, so there are never more than {resources.maximum} "
            f"task{'' if resources.maximum == 1 else 's'}",
            fix=f"set an upper limit: `maxCapacity: {above}` in service.resources",
            uses=uses,
            on_key=True,
        )
    elif resources.minimum == resources.maximum:
        yield Problem(
            at=MAXIMUM,
            message=f"minCapacity and maxCapacity are both {resources.maximum}, so auto scaling "
            "cannot change the count",
            fix=f"raise the upper limit, for example `maxCapacity: {above}`, or remove "
            "service.autoScaling",
            uses=uses,
        )
