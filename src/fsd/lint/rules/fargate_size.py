"""Fargate runs tasks in fixed sizes only; ECS refuses to register any other.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest import fargate

CPU = ("service", "resources", "cpu")
MEMORY = ("service", "resources", "memory")
_MOST_VCPUS = 32
_MOST_GB = 244


def check(subject: Subject) -> Iterator[Problem]:
    cpu, memory = subject.service.resources.cpu, subject.service.resources.memory
    if cpu not in fargate.MEMORY_BY_CPU:
        # `cpu: 2` and `memory: 4` are vCPUs and GB to people who come from Compose or the console.
        units = cpu * 1024 if cpu <= _MOST_VCPUS else cpu
        size = fargate.nearest_size(units, memory * 1024 if memory <= _MOST_GB else memory)
        yield Problem(
            at=CPU,
            message=f"Fargate has no cpu {cpu}; it counts CPU units, 1024 is one vCPU",
            fix=f"use {size[0]} with memory {size[1]}; cpu can be {fargate.describe_cpus()}",
            uses=(MEMORY,),
        )
    elif memory <= _MOST_GB:
        yield Problem(
            at=MEMORY,
            message=f"{_said(subject, CPU, cpu)} cannot be combined with memory {memory}; "
            "it counts MiB",
            fix=f"use `memory: {fargate.nearest_memory(cpu, memory * 1024)}`; "
            f"with cpu {cpu}, memory can be {fargate.describe_memories(cpu)}",
            uses=(CPU, MEMORY),
        )
    elif not fargate.is_size(cpu, memory):
        nearest = fargate.nearest_memory(cpu, memory)
        yield Problem(
            at=MEMORY if subject.is_written(*MEMORY) else CPU,
            message=f"{_said(subject, CPU, cpu)} cannot be combined with "
            f"{_said(subject, MEMORY, memory).removesuffix(',')}",
            fix=f"use `memory: {nearest}`; with cpu {cpu}, memory can be "
            f"{fargate.describe_memories(cpu)}",
            uses=(CPU, MEMORY),
        )


def _said(subject: Subject, path: tuple[str, ...], units: int) -> str:
    """`cpu 512`, or `cpu 512, the default,` of a key that the file does not have."""
    default = "" if subject.is_written(*path) else ", the default,"
    return f"{path[-1]} {units}{default}"
