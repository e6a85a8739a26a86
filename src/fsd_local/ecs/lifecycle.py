"""How one task moves from PROVISIONING to STOPPED, whoever asks for it. No I/O.

Each function changes the task and returns what has to happen outside.
"""

from __future__ import annotations

from collections.abc import Sequence

from fsd_local.ecs import messages
from fsd_local.ecs.actions import Deregister, Effect, StopInRuntime
from fsd_local.ecs.model import StopCode, Task, TaskStatus
from fsd_local.ports import ContainerState


def launching(task: Task, now: float) -> None:
    task.status = TaskStatus.PENDING
    task.pull_started_at = now
    task.version += 1


def launched(task: Task, address: str, now: float) -> Sequence[Effect]:
    """RUNNING; a task that was told to stop meanwhile goes straight on to stop."""
    task.address = address
    task.pull_stopped_at = task.started_at = now
    task.version += 1
    for container in task.containers:
        container.status = "RUNNING"
    if task.is_wanted:
        task.status = TaskStatus.RUNNING
        return ()
    return release(task)


def failed_to_start(
    task: Task, reason: str, now: float, *, container: str = "", exit_code: int | None = None
) -> None:
    if task.is_wanted:
        task.stop_code, task.stopped_reason = StopCode.FAILED_TO_START, reason
        task.stopping_at = now
    task.pull_stopped_at = now
    for found in task.containers:
        if found.name == container or len(task.containers) == 1:
            found.reason, found.exit_code = reason, exit_code
    _finish(task, now)


def begin_stop(task: Task, reason: str, code: StopCode, now: float) -> Sequence[Effect]:
    """Drain first. A task whose launch is under way stops when the launch has returned."""
    if not task.is_wanted:
        return ()
    task.desired_status = "STOPPED"
    task.stop_code, task.stopped_reason, task.stopping_at = code, reason, now
    task.version += 1
    if task.status is not TaskStatus.RUNNING:
        return ()
    task.status = TaskStatus.DEACTIVATING
    return _deregister(task)


def release(task: Task) -> Sequence[Effect]:
    task.status = TaskStatus.STOPPING
    task.version += 1
    return (StopInRuntime(task=task),)


def observed(task: Task, states: Sequence[ContainerState], now: float) -> Sequence[Effect]:
    """Exits that the runtime saw. () as `states`: the task was removed behind our back."""
    _record(task, states)
    exited = {state.name for state in states if not state.running}
    is_over = not states or any(c.essential and c.name in exited for c in task.containers)
    if not is_over or task.status not in {TaskStatus.RUNNING, TaskStatus.DEACTIVATING}:
        return ()
    if not task.is_wanted:
        return release(task)
    task.desired_status = "STOPPED"
    task.stop_code, task.stopped_reason = StopCode.CONTAINER_EXITED, messages.CONTAINER_EXITED
    task.stopping_at = now
    return (*_deregister(task), *release(task))


def stopped(task: Task, states: Sequence[ContainerState], now: float) -> None:
    _record(task, states)
    _finish(task, now)


def _finish(task: Task, now: float) -> None:
    task.desired_status = "STOPPED"
    task.status = TaskStatus.STOPPED
    task.stopped_at = now
    task.version += 1
    for container in task.containers:
        container.status = "STOPPED"


def _record(task: Task, states: Sequence[ContainerState]) -> None:
    by_name = {state.name: state for state in states if not state.running}
    for container in task.containers:
        state = by_name.get(container.name)
        if state is None:
            continue
        container.status = "STOPPED"
        if container.exit_code is None:
            container.exit_code = state.exit_code
        if state.out_of_memory and not container.reason:
            container.reason = messages.OUT_OF_MEMORY


def _deregister(task: Task) -> Sequence[Effect]:
    effects: list[Effect] = []
    for registration in task.registrations:
        if registration.is_registered and not registration.is_deregistered:
            registration.is_deregistered = True
            registration.state = None  # what was seen before says nothing of the draining
            effects.append(Deregister(task=task, registration=registration))
    return effects
