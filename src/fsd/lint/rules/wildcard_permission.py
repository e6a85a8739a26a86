"""A star also grants what nobody thought of: s3:* deletes the bucket, and on `*` every bucket."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.dependencies import expand
from fsd.manifest.finding import Severity


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        if re.search(r"[*?]", dependency.name):
            yield Problem(
                at=("dependencies", index, "name"),
                message=f"`{subject.resource(index)}` matches more than one resource",
                fix="write one dependency for each resource",
                severity=Severity.ERROR if subject.is_protected else None,
                needs_reason=subject.is_protected,
            )
        for number, permission in enumerate(dependency.permissions):
            actions = expand(permission) if "*" in permission else ()
            if len(actions) < 2:
                continue
            yield Problem(
                at=("dependencies", index, "permissions", number),
                message=f"`{permission}` stands for {len(actions)} actions, including "
                f"`{actions[0]}`",
                fix="list the actions that the service calls",
            )
