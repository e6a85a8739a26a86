"""Scaling by requests counts a load balancer's; a schedule needs a time and a bound that it sets.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.key_path import KeyPath

SCALING = ("service", "autoScaling")
BALANCER = ("service", "networking", "loadBalancer")
REQUESTS = (*SCALING, "targetRequestsPerTask")


def check(subject: Subject) -> Iterator[Problem]:
    scaling = subject.service.auto_scaling
    if scaling is None:
        return
    if scaling.target_requests_per_task is not None and not subject.has_load_balancer:
        yield Problem(
            at=REQUESTS,
            message="the service has no load balancer that counts requests",
            fix="set `networking.loadBalancer`, or scale by `targetCPUUtilization`",
            uses=(BALANCER, ("service", "port"), ("service", "ports")),
            on_key=True,
        )
    seen: set[str] = set()
    for index, schedule in enumerate(scaling.schedules):
        at: KeyPath = (*SCALING, "schedules", index)
        if schedule.name in seen:
            message = f"`{schedule.name}` is the name of two schedules"
            yield Problem(at=(*at, "name"), message=message, fix="give one of them another name")
        seen.add(schedule.name)
        low, high = schedule.min_capacity, schedule.max_capacity
        if low is None and high is None:
            yield Problem(
                at=at,
                message=f"the schedule `{schedule.name}` sets no bound",
                fix="give it `minCapacity`, `maxCapacity` or both",
            )
        elif low is not None and high is not None and low > high:
            yield Problem(
                at=(*at, "minCapacity"),
                message=f"minCapacity {low} is above maxCapacity {high}",
                fix=f"set `minCapacity: {high}` or less",
                uses=((*at, "maxCapacity"),),
            )
