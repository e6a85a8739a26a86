"""The ulimits of a process task: set by util-linux's prlimit, which then becomes the program.

A hard limit cannot be raised by a user who may not, so it is what the machine gives, at most.
https://man7.org/linux/man-pages/man1/prlimit.1.html
"""

from __future__ import annotations

import resource
import shutil
from collections.abc import Sequence
from dataclasses import replace

from fsd_local.ports import ResourceLimit
from fsd_local.runtime.program import StartedProgram


def with_limits(program: StartedProgram, limits: Sequence[ResourceLimit]) -> StartedProgram:
    """The same program where there is nothing to limit, or nothing to do it with."""
    tool = shutil.which("prlimit") if limits else None
    if tool is None:
        return program
    options = (f"--{limit.name}={_pair(limit)}" for limit in limits)
    return replace(program, argv=(tool, *options, *program.argv))


def _pair(limit: ResourceLimit) -> str:
    number = getattr(resource, f"RLIMIT_{limit.name.upper()}", None)
    most = resource.getrlimit(number)[1] if number is not None else resource.RLIM_INFINITY
    if most == resource.RLIM_INFINITY:
        return f"{limit.soft}:{limit.hard}"
    return f"{min(limit.soft, most)}:{min(limit.hard, most)}"
