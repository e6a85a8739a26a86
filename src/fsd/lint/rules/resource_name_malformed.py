"""A name that its type cannot have grants nothing, or something that nobody wrote."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.resource_names import name_fault


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        fault = name_fault(dependency.type, dependency.name)
        if fault is not None:
            yield Problem(
                at=("dependencies", index, "name"),
                message=f"`{subject.resource(index)}` {fault.message} ({dependency.type})",
                fix=fault.fix,
                uses=(("dependencies", index, "type"),),
            )
