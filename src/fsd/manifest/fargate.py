"""The task sizes that Fargate has, and what to say about one that it has not.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

from __future__ import annotations

from collections.abc import Mapping

# CPU units → MiB that go with them, both as in a task definition.
MEMORY_BY_CPU: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
    32768: (61440, 122880, 249856),
}


def is_size(cpu: int, memory: int) -> bool:
    return memory in MEMORY_BY_CPU.get(cpu, ())


def nearest_cpu(cpu: int) -> int:
    """The smallest CPU that is enough, or the largest there is."""
    return next((size for size in MEMORY_BY_CPU if size >= cpu), max(MEMORY_BY_CPU))


def nearest_memory(cpu: int, memory: int) -> int:
    """The smallest memory of this CPU that is enough, or its largest. `cpu` must be a size."""
    sizes = MEMORY_BY_CPU[cpu]
    return next((size for size in sizes if size >= memory), sizes[-1])


def nearest_size(cpu: int, memory: int) -> tuple[int, int]:
    """A size that exists and is nearest to both: memory moves before CPU does."""
    known = cpu if cpu in MEMORY_BY_CPU else nearest_cpu(cpu)
    return known, nearest_memory(known, memory)


def describe_cpus() -> str:
    return ", ".join(str(cpu) for cpu in MEMORY_BY_CPU)


def describe_memories(cpu: int) -> str:
    """`512, 1024 or 2048`; `2048, 3072, … 8192` where there are more than four."""
    sizes = MEMORY_BY_CPU[cpu]
    if len(sizes) <= 4:
        first = ", ".join(str(size) for size in sizes[:-1])
        return f"{first} or {sizes[-1]}"
    return f"{sizes[0]}, {sizes[1]}, … {sizes[-1]}"
