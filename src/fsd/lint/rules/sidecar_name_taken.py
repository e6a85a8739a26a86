"""Two containers of a task with one name."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject


def check(subject: Subject) -> Iterator[Problem]:
    seen = {subject.manifest.metadata.name}
    for index, sidecar in enumerate(subject.service.sidecars):
        if sidecar.name in seen:
            yield Problem(
                at=("service", "sidecars", index, "name"),
                message=f"another container of the task already has the name `{sidecar.name}`",
                fix="give it another name; the service's own container is named after "
                "`metadata.name`",
                uses=(("metadata", "name"),),
            )
        seen.add(sidecar.name)
