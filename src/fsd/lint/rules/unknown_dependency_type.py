"""A type that FSD does not know has no ARN, so nothing can be granted on it."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.dependencies import KINDS


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        if dependency.type in KINDS:
            continue
        from difflib import get_close_matches

        close = get_close_matches(dependency.type, KINDS, n=1, cutoff=0.5)
        meant = f"did you mean `{close[0]}`? " if close else ""
        yield Problem(
            at=("dependencies", index, "type"),
            message=f"`{dependency.type}` is not a type of dependency",
            fix=f"{meant}known: {', '.join(sorted(KINDS))}",
        )
