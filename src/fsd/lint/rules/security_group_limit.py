"""A task has at most five security groups, and FSD's own is one of them.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

_MOST = 5


def check(subject: Subject) -> Iterator[Problem]:
    groups = subject.service.networking.own_groups
    if groups is None or groups.only or len(set(groups.ids)) < _MOST:
        return
    yield Problem(
        at=("service", "networking", "securityGroups"),
        message=f"{len(groups.ids)} security groups and FSD's own are more than the {_MOST} that "
        "a task can have",
        fix="remove one, or write `{ids: […], only: true}` to do without FSD's",
    )
