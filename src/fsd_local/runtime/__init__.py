"""Runs the tasks of the embedded AWS: as containers where a Docker engine answers, else as
processes, each on an address of its own.

    choose → Containers  pull by digest → one network namespace a task → logs, exit codes, exec
           → Processes   pull the snapshot → own root file system, address, process group → the same

Neither knows ECS; both keep the promises of `fsd_local.ports.Runtime`, and sweep up what a killed
server left behind.
"""

from __future__ import annotations

from pathlib import Path

from fsd_local.ports import LogSink, Runtime
from fsd_local.runtime import loopback_ports

CONTAINER = "container"
PROCESS = "process"


def reaches_aws(runtime: Runtime) -> bool:
    """Whether a task can call the embedded AWS at the address that it has on this machine."""
    return runtime.name == PROCESS or loopback_ports.are_possible()


def choose(
    name: str | None,
    *,
    logs: LogSink,
    state: Path,
    instance: str,
    registry_password: str = "",
    aws_port: int | None = None,
) -> Runtime:
    """None: containers where an engine answers within two seconds, else processes.

    `state` is a folder of the instance's own; `instance` tells its tasks from another's;
    `registry_password` is for registries on this machine, "" where they ask for none; `aws_port`
    is where the embedded AWS listens. Raises
    LocalError (docker-unavailable) where containers are asked for and no engine answers.
    """
    if name != PROCESS:
        # Only here: the SDK takes a moment to import.
        from fsd_local.runtime.containers import Containers, find_engine

        engine = find_engine()
        if engine is not None or name == CONTAINER:
            return Containers(
                logs=logs,
                instance=instance,
                engine=engine,
                registry_password=registry_password,
                aws_port=aws_port,
            )
    from fsd_local.runtime.processes import Processes

    return Processes(logs=logs, state=state, instance=instance, registry_password=registry_password)
