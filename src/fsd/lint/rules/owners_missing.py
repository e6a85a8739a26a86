"""A failed deployment names the owners in its comment, if there are any."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.finding import Problem, Rule, Severity, Subject

OWNERS = ("metadata", "owners")


def check(subject: Subject) -> Iterator[Problem]:
    if not subject.manifest.metadata.owners:
        yield Problem(
            at=OWNERS,
            message="nobody is named when a deployment fails",
            fix='add `owners: ["@user"]` or `["@org/team"]` to metadata',
            on_key=True,
        )


RULE = Rule(
    id="owners-missing",
    severity=Severity.WARNING,
    summary="the manifest names no owners",
    check=check,
)
