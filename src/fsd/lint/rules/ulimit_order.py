"""A soft limit above its hard limit, or more open files than Fargate has.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

MOST_FILES = 1_048_576


def check(subject: Subject) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, limit in enumerate(subject.service.ulimits):
        at = ("service", "ulimits", index)
        if limit.name in seen:
            yield Problem(
                at=(*at, "name"),
                message=f"`{limit.name}` has a limit already",
                fix="leave one of them",
            )
        seen.add(limit.name)
        if limit.soft_limit > limit.hard_limit:
            yield Problem(
                at=(*at, "softLimit"),
                message=f"softLimit {limit.soft_limit} is above hardLimit {limit.hard_limit}",
                fix=f"use at most {limit.hard_limit}, or raise the hard limit",
                uses=((*at, "hardLimit"),),
            )
        if limit.name == "nofile" and limit.hard_limit > MOST_FILES:
            yield Problem(
                at=(*at, "hardLimit"),
                message=f"hardLimit {limit.hard_limit} is more open files than Fargate allows",
                fix=f"use at most {MOST_FILES}",
            )
