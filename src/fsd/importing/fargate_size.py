"""Fargate's sizes, for those that other machines have."""

from __future__ import annotations

from fsd.manifest.fargate import MEMORY_BY_CPU

# CPU units and MiB.
LARGEST = max((size, max(memories)) for size, memories in MEMORY_BY_CPU.items())


def least_size(cpu: float, memory: float) -> tuple[int, int] | None:
    """CPU units and MiB of the least task that has room; None where none is large enough."""
    return next(
        (
            (size, memory_)
            for size, memories in sorted(MEMORY_BY_CPU.items())
            for memory_ in memories
            if size >= cpu and memory_ >= memory
        ),
        None,
    )
