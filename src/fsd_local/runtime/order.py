"""Starts the containers of a task in the order that `dependsOn` asks for.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from fsd_local.ports import ContainerSpec, ContainerState, LaunchError

_POLL = 0.05
_CHECK_POLL = 0.5
_START_TIMEOUT = 180.0  # seconds: Fargate's startTimeout, where none is said
_CHECK_TIMEOUT = 5.0


class Starter(Protocol):
    """What starts, and tells of, the containers of one task."""

    def start_one(self, spec: ContainerSpec) -> None: ...

    def state_of(self, name: str) -> ContainerState: ...

    def check(self, name: str, command: Sequence[str], timeout: float) -> int: ...


def in_order(specs: Sequence[ContainerSpec]) -> list[ContainerSpec]:
    """What others wait for comes first; else as written. A circle was refused before."""
    done: list[ContainerSpec] = []
    left = list(specs)
    while left:
        names = {spec.name for spec in left}
        ready = [s for s in left if not any(name in names for name, _ in s.depends_on)]
        done += ready or left
        left = [spec for spec in left if spec not in done]
    return done


def ends_before_others(spec: ContainerSpec, specs: Sequence[ContainerSpec]) -> bool:
    """Whether somebody waits for its end: it is an init container."""
    return any((spec.name, end) in other.depends_on for other in specs for end in _ENDS)


_ENDS = ("COMPLETE", "SUCCESS")


def start_all(specs: Sequence[ContainerSpec], starter: Starter) -> None:
    """Raises LaunchError where a condition is not met, or not in time."""
    by_name = {spec.name: spec for spec in specs}
    for spec in in_order(specs):
        for name, condition in spec.depends_on:
            _await(by_name[name], condition, starter, wanted_by=spec.name)
        starter.start_one(spec)


def _await(spec: ContainerSpec, condition: str, starter: Starter, *, wanted_by: str) -> None:
    deadline, pause = time.monotonic() + _START_TIMEOUT, threading.Event()
    is_met = _CONDITIONS[condition]
    while not is_met(spec, starter, wanted_by):
        if time.monotonic() >= deadline:
            raise _unmet(wanted_by, spec.name, condition)
        pause.wait(_CHECK_POLL if condition == "HEALTHY" else _POLL)


def _has_started(spec: ContainerSpec, starter: Starter, wanted_by: str) -> bool:
    del spec, starter, wanted_by  # it was started before
    return True


def _has_ended(spec: ContainerSpec, starter: Starter, wanted_by: str) -> bool:
    del wanted_by
    return not starter.state_of(spec.name).running


def _has_succeeded(spec: ContainerSpec, starter: Starter, wanted_by: str) -> bool:
    state = starter.state_of(spec.name)
    if not state.running and state.exit_code != 0:
        raise _unmet(wanted_by, spec.name, "SUCCESS")
    return not state.running


def _is_healthy(spec: ContainerSpec, starter: Starter, wanted_by: str) -> bool:
    if not starter.state_of(spec.name).running:
        raise _unmet(wanted_by, spec.name, "HEALTHY")
    return starter.check(spec.name, spec.check_command, _CHECK_TIMEOUT) == 0


_CONDITIONS: dict[str, Callable[[ContainerSpec, Starter, str], bool]] = {
    "START": _has_started,
    "COMPLETE": _has_ended,
    "SUCCESS": _has_succeeded,
    "HEALTHY": _is_healthy,
}


def _unmet(container: str, name: str, condition: str) -> LaunchError:
    reason = f"dependency graph: container {container}: dependency {name} was not {condition}"
    return LaunchError(f"TaskFailedToStart: {reason}", container=container)
