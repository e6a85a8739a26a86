"""One task means an outage whenever it is replaced: a crash, a host's retirement, a deployment."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.production import is_production
from fsd.lint.rule import Problem, Subject

RESOURCES = ("service", "resources")


def check(subject: Subject) -> Iterator[Problem]:
    if subject.manifest.is_job or not is_production(subject.environment):
        return
    resources, scaled = subject.service.resources, subject.service.auto_scaling is not None
    count = resources.minimum if scaled else resources.desired
    if count >= 2:
        return
    key = "minCapacity" if scaled else "desiredCount"
    yield Problem(
        at=(*RESOURCES, key),
        message=f"{subject.environment} may run {count} task{'' if count == 1 else 's'}",
        fix=f"set `{key}: 2`, or use `--override resources.{key}=2` for {subject.environment} only",
        uses=((*RESOURCES, "desiredCount"), (*RESOURCES, "minCapacity")),
    )
