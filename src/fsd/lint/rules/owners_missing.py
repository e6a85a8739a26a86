"""A failed deployment names the owners in its comment, if there are any.

Asked for in production only: elsewhere whoever pushed is told, and that is who broke it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.production import is_production
from fsd.lint.rule import Problem, Subject

OWNERS = ("metadata", "owners")


def check(subject: Subject) -> Iterator[Problem]:
    if is_production(subject.environment) and not subject.manifest.metadata.owners:
        yield Problem(
            at=OWNERS,
            message=f"nobody is notified if a deployment to {subject.environment} fails",
            fix='add `owners: ["@user"]` or `["@org/team"]` to metadata',
            on_key=True,
        )
