"""An override that says what the manifest says makes two environments look different.

Whoever changes the manifest later finds that one environment did not follow. A note only: the
environments file may serve other manifests, where the override does change something.
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject


def check(subject: Subject) -> Iterator[Problem]:
    if not subject.unused:
        return
    from fsd.manifest.overrides import key_path

    for override in subject.unused:
        yield Problem(
            at=key_path(override.path) or (),
            message=f"the override `{override.path}` of {subject.environment} changes nothing: "
            f"{subject.manifest.metadata.name} already has this value",
            fix="remove it, or set the value that you meant",
            written=override,
        )
