"""`vpc: false` gives tasks public addresses in public subnets."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

VPC = ("service", "networking", "vpc")


def check(subject: Subject) -> Iterator[Problem]:
    if not subject.service.networking.vpc:
        yield Problem(
            at=VPC,
            message="tasks run in public subnets with public addresses",
            fix="set `vpc: true` to use private subnets without public addresses",
        )
