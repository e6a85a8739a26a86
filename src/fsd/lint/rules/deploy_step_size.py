"""A task before or after the rollout has a size of its own, and Fargate must have that.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.fargate import is_size, nearest_size


def check(subject: Subject) -> Iterator[Problem]:
    service = subject.service
    steps = (("beforeDeploy", service.before_deploy), ("afterDeploy", service.after_deploy))
    for name, step in steps:
        size = step.resources if step is not None else None
        if size is None or is_size(size.cpu, size.memory):
            continue
        at = ("service", name, "resources")
        cpu, memory = nearest_size(size.cpu, size.memory)
        yield Problem(
            at=(*at, "memory"),
            message=f"cpu {size.cpu} cannot be combined with memory {size.memory}",
            fix=f"`cpu: {cpu}` with `memory: {memory}`",
            uses=((*at, "cpu"),),
        )
