"""A permission on a resource where its action does not work grants nothing."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.dependencies import KINDS
from fsd.manifest.permissions import PermissionFault, describe_elsewhere, read_permission


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        kind = KINDS.get(dependency.type)
        if kind is None:
            continue
        for number, permission in enumerate(dependency.permissions):
            _, fault = read_permission(kind, permission)
            if fault is PermissionFault.ELSEWHERE:
                message, fix = describe_elsewhere(permission, kind)
                yield Problem(
                    at=("dependencies", index, "permissions", number),
                    message=message,
                    fix=fix,
                    uses=(("dependencies", index, "type"),),
                )
