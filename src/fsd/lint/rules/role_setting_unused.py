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
            message="FSD makes no role that the boundary could limit: both are given",
            fix="remove `boundary`, or one of the roles",
            uses=((*ROLES, "task"), (*ROLES, "execution")),
        )
    if roles.task is not None and service.exec:
        yield Problem(
            at=("service", "exec"),
            message=f"`exec` needs permissions that FSD does not give {roles.task}",
            fix="allow that role ssmmessages:CreateControlChannel, CreateDataChannel, "
            "OpenControlChannel and OpenDataChannel",
            uses=((*ROLES, "task"),),
        )
