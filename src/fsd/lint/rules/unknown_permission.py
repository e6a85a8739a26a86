"""IAM takes a policy with a misspelt action without a word, and the service is denied later.

AWS adds actions every week. Once the list that FSD has is old, an action that is not on it is as
likely new as misspelt: then it is granted, with a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from fsd.lint.rule import Problem, Subject
from fsd.manifest.dependencies import KINDS, data_date, expand, may_be_newer
from fsd.manifest.finding import Severity
from fsd.manifest.permissions import describe_unknown

_OLD = timedelta(days=180)


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        for number, permission in enumerate(dependency.permissions):
            if expand(permission):
                continue
            kind = KINDS.get(dependency.type)
            message, fix = describe_unknown(permission, kind)
            age = _age(subject) if kind and may_be_newer(kind, permission) else timedelta()
            is_old = age > _OLD
            if is_old:
                message = f"{message} that FSD knows; its list is {age.days} days old"
                fix = (
                    f"{fix}; or update FSD, which then knows more actions" if fix else "update FSD"
                )
            yield Problem(
                at=("dependencies", index, "permissions", number),
                message=message,
                fix=fix or "write `service:Action`, as in the IAM reference",
                uses=(("dependencies", index, "type"),),
                severity=Severity.WARNING if is_old else None,
            )


def _age(subject: Subject) -> timedelta:
    return subject.today - data_date() if subject.today else timedelta()
