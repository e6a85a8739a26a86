"""An API that passes requests on to a table or a bucket mostly waits.

Fargate bills what is reserved, whether it is used or not; auto scaling adds tasks where half a vCPU
is too little. A size that comes from an override was thought about, and is left alone.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.dependencies import KINDS

CPU = ("service", "resources", "cpu")
MEMORY = ("service", "resources", "memory")
_MUCH = 1024
_SIMPLE = frozenset({"aws_dynamodb_table", "aws_s3_bucket"})


def check(subject: Subject) -> Iterator[Problem]:
    resources = subject.service.resources
    if resources.cpu < _MUCH or subject.is_overridden(*CPU) or not _is_simple(subject):
        return
    titles = sorted({KINDS[item.type].title for item in subject.manifest.dependencies})
    only = f"only uses {' and '.join(f'{title}s' for title in titles)}"
    yield Problem(
        at=CPU,
        message=f"cpu {resources.cpu} and memory {resources.memory} for an API that {only}",
        fix="start with `cpu: 512` and `memory: 1024`, and let autoScaling add tasks",
        uses=(MEMORY, ("service", "port"), ("service", "networking"), ("dependencies",)),
    )


def _is_simple(subject: Subject) -> bool:
    """Requests come through a load balancer, and go on to storage and nothing else."""
    types = {item.type for item in subject.manifest.dependencies}
    return subject.has_load_balancer and bool(types) and types <= _SIMPLE
