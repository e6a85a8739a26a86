"""IAM takes a policy with a misspelt action without a word, and the service is denied later."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.finding import Problem, Rule, Severity, Subject
from fsd.spec.dependencies import KINDS, expand, nearest_actions


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        for number, permission in enumerate(dependency.permissions):
            if expand(permission):
                continue
            kind = KINDS.get(dependency.type)
            near = nearest_actions(permission, kind=kind)
            yield Problem(
                at=("dependencies", index, "permissions", number),
                message=_message(permission),
                fix=" or ".join(f"`{action}`" for action in near)
                or "write `service:Action`, as in the IAM reference",
            )


def _message(permission: str) -> str:
    if permission.replace("*", "").replace(":", "") == "":
        return f"`{permission}` would allow everything"
    return f"`{permission}` is not an IAM action"


RULE = Rule(
    id="unknown-permission",
    severity=Severity.ERROR,
    summary="a permission is not an IAM action",
    check=check,
)
