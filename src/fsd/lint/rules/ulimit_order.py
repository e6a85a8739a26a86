"""A soft limit above its hard limit, or more open files than Fargate has.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fsd.lint.rule import Problem, Subject
from fsd.manifest.container import Ulimit
from fsd.manifest.key_path import KeyPath

MOST_FILES = 1_048_576


def check(subject: Subject) -> Iterator[Problem]:
    yield from _check(("service", "ulimits"), subject.service.ulimits)
    for index, sidecar in enumerate(subject.service.sidecars):
        yield from _check(("service", "sidecars", index, "ulimits"), sidecar.ulimits)


def _check(place: KeyPath, limits: Sequence[Ulimit]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, limit in enumerate(limits):
        at = (*place, index)
        if limit.name in seen:
            yield Problem(
                at=(*at, "name"),
                message=f"there already is a limit for `{limit.name}`",
                fix="remove one of them",
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
