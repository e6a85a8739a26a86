"""A boundary for roles that FSD does not make, or permissions for one of them."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

ROLES = ("service", "roles")


def check(subject: Subject) -> Iterator[Problem]:
    service, roles = subject.service, subject.service.roles
    if roles is None:
        return
    if roles.boundary is not None and roles.task is not None and roles.execution is not None:
        yield Problem(
            at=(*ROLES, "boundary"),
            message="`boundary` has no effect, because both roles already exist and FSD creates "
            "none",
            fix="remove `boundary`, or one of the roles",
            uses=((*ROLES, "task"), (*ROLES, "execution")),
        )
    if roles.task is not None and service.exec:
        yield Problem(
            at=("service", "exec"),
            message=f"`exec` needs permissions that FSD does not add to {roles.task}",
            fix="grant that role ssmmessages:CreateControlChannel, CreateDataChannel, "
            "OpenControlChannel and OpenDataChannel",
            uses=((*ROLES, "task"),),
        )
