"""Tasks as containers of a Docker engine, pulled by digest from the embedded AWS's registry.

As with awsvpc, a task has one address and its containers share localhost: they join the network
namespace of the first essential one. Everything made here carries the instance's label, so that
what a killed server leaves behind is found again.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

import docker
import docker.errors
import requests
from docker.context import ContextAPI
from docker.types import LogConfig, Ulimit

from fsd_local.errors import LocalCode, LocalError
from fsd_local.ports import (
    ContainerSpec,
    ContainerState,
    LaunchError,
    LogSink,
    RegistryLogin,
    TaskSpec,
    Terminal,
)
from fsd_local.runtime import loopback_ports, messages, orphans
from fsd_local.runtime.images import own_login, resolve_digest
from fsd_local.runtime.lines import Lines
from fsd_local.runtime.loopback_ports import LoopbackPort, LoopbackPorts
from fsd_local.runtime.names import write_hosts
from fsd_local.runtime.order import ends_before_others, start_all
from fsd_local.runtime.reference import ImageReference, parse_reference
from fsd_local.runtime.terminals import SocketTerminal

_DEFAULT_HOST = "unix:///var/run/docker.sock"
_LABEL = "fsd.local"
_TASK_LABEL = "fsd.local.task"
_SOON = 2  # seconds
_PATIENT = 30  # where containers are asked for
_CALL_TIMEOUT = 120
_CONNECTIONS = 64  # each container's log holds one
_LAST_WORDS = 5.0  # seconds in which the log must end once the container has
_POLL = 0.05
_ROOT = "0"
_PIECE = 16 * 1024  # bytes at which the engine cuts a line
_TIMED_OUT, _NOT_RUNNING, _NOT_FOUND, _NOT_EXECUTABLE = 124, 1, 127, 126
# For a container that ended before it could be asked for its address: nobody answers there.
# https://www.rfc-editor.org/rfc/rfc5737
_NOWHERE = "192.0.2.1"

_DockerErrors = (docker.errors.DockerException, requests.RequestException)


def find_engine(timeout: int = _SOON) -> docker.DockerClient | None:
    """The engine of DOCKER_HOST, else of the CLI's current context; None where it is silent."""
    url = os.environ.get("DOCKER_HOST") or _host_of_context()
    try:
        _knock(url or _DEFAULT_HOST, timeout)
        engine = _client(url, timeout)
    except (*_DockerErrors, OSError):
        return None
    try:
        engine.ping()
    except _DockerErrors:
        engine.close()
        return None
    engine.api.timeout = _CALL_TIMEOUT
    return engine


def require_engine() -> docker.DockerClient:
    """Raises LocalError (docker-unavailable) where none answers."""
    engine = find_engine(_PATIENT)
    if engine is not None:
        return engine
    raise LocalError(
        "no Docker engine answers",
        where=os.environ.get("DOCKER_HOST") or _DEFAULT_HOST,
        fix="start Docker, or use --runtime process",
        code=LocalCode.DOCKER_UNAVAILABLE,
    )


def sweep(instance: str, engine: docker.DockerClient) -> int:
    """Remove every container of an instance; how many there were."""
    found = engine.api.containers(all=True, filters={"label": f"{_LABEL}={instance}"})
    for container in found:
        with contextlib.suppress(docker.errors.APIError):
            engine.api.remove_container(container["Id"], force=True, v=True)
    volumes = engine.api.volumes(filters={"label": f"{_LABEL}={instance}"})["Volumes"] or ()
    for volume in volumes:
        with contextlib.suppress(docker.errors.APIError):
            engine.api.remove_volume(volume["Name"], force=True)
    return len(found)


class Containers:
    """Implements the `Runtime` port. Takes over the client, and closes it."""

    def __init__(
        self,
        *,
        logs: LogSink,
        instance: str,
        engine: docker.DockerClient | None = None,
        registry_password: str = "",
        aws_port: int | None = None,
    ) -> None:
        """`aws_port` of this machine's loopback is reached from every task, where that can be."""
        client = engine or require_engine()
        self._engine = client
        self._logs = logs
        self._instance = instance
        self._password = registry_password
        self._lock = threading.Lock()
        self._tasks: dict[str, _DockerTask] = {}
        self._names: dict[str, Mapping[str, Sequence[str]]] = {}
        self._images: set[str] = set()  # of registries on this machine
        self._loopback_ports = (
            LoopbackPorts(aws_port) if aws_port and loopback_ports.are_possible() else None
        )
        sweep(instance, client)
        self._guard = orphans.Guard(instance, command=_sweeping(instance))

    @property
    def name(self) -> Literal["container", "process"]:
        return "container"

    def resolve(self, image: str, *, login: RegistryLogin | None = None) -> str:
        reference = parse_reference(image)
        if reference.is_loopback:
            return resolve_digest(reference, login or own_login(self._password))
        try:
            data = self._engine.images.get_registry_data(image, auth_config=_as_docker(login))
            return str(data.id)
        except _DockerErrors as error:
            raise LaunchError(_pull_reason(image, error)) from error

    def launch(self, task: TaskSpec) -> str:
        for container in task.containers:
            self._pull(container)
        found = _DockerTask(
            self._engine,
            task,
            logs=self._logs,
            ways=self._loopback_ports,
            labels=self._labels(task),
        )
        found.prefix = f"fsd-{self._instance}-"
        with contextlib.ExitStack() as undo:
            undo.callback(found.stop)
            start_all(_owner_first(task.containers), found)
            found.write_names(self._names.get(task.namespace, {}))
            address = found.keep_address()
            undo.pop_all()
        found.order = tuple(spec.name for spec in task.containers)
        with self._lock:
            self._tasks[task.id] = found
        return address

    def inspect(self, task_id: str) -> Sequence[ContainerState]:
        task = self._find(task_id)
        return task.states() if task else ()

    def execute(self, task_id: str, container: str, command: Sequence[str], timeout: float) -> int:
        task = self._find(task_id)
        found = task.containers.get(container) if task else None
        return found.execute(command, timeout) if found else _NOT_RUNNING

    def open_terminal(self, task_id: str, container: str, command: Sequence[str]) -> Terminal:
        task = self._find(task_id)
        found = task.containers.get(container) if task else None
        if found is None:
            raise LaunchError(messages.not_running(container))
        return found.open_terminal(command)

    def set_names(self, namespace: str, names: Mapping[str, Sequence[str]]) -> None:
        with self._lock:
            self._names[namespace] = names
            tasks = [task for task in self._tasks.values() if task.namespace == namespace]
        for task in tasks:
            task.write_names(names)

    def stop(self, task_id: str) -> Sequence[ContainerState]:
        with self._lock:
            task = self._tasks.pop(task_id, None)
        return task.stop() if task else ()

    def close(self) -> None:
        with self._lock:
            tasks, self._tasks = list(self._tasks.values()), {}
        if tasks:
            with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
                list(pool.map(_DockerTask.stop, tasks))
        with contextlib.suppress(*_DockerErrors):
            sweep(self._instance, self._engine)
            self._forget_images()
        if self._loopback_ports is not None:
            self._loopback_ports.close()
        self._guard.close()
        self._engine.close()

    def _find(self, task_id: str) -> _DockerTask | None:
        with self._lock:
            return self._tasks.get(task_id)

    def _labels(self, task: TaskSpec) -> dict[str, str]:
        return {_LABEL: self._instance, _TASK_LABEL: task.id}

    def _pull(self, container: ContainerSpec) -> None:
        """Also what the engine has already, as Fargate does; layers that are there stay there."""
        reference = parse_reference(container.image)
        name = container.image.partition("@")[0]
        repository = name.removesuffix(f":{reference.tag}") if reference.tag else name
        try:
            for event in self._engine.api.pull(
                repository,
                tag=reference.version,
                stream=True,
                decode=True,
                auth_config=_as_docker(container.login or self._login(reference)),
            ):
                if "error" in event:
                    raise docker.errors.APIError(str(event["error"]))
        except _DockerErrors as error:
            reason = _pull_reason(container.image, error)
            raise LaunchError(reason, container=container.name) from error
        if reference.is_loopback:
            with self._lock:
                self._images.add(container.image)

    def _login(self, reference: ImageReference) -> RegistryLogin | None:
        """None: with what the engine's user has stored."""
        return own_login(self._password) if reference.is_loopback else None

    def _forget_images(self) -> None:
        """Names in a registry that is gone with this instance; images with other names stay."""
        for image in self._images:
            host = f"{parse_reference(image).host}/"
            try:
                attributes = self._engine.images.get(image).attrs
            except docker.errors.APIError:
                continue
            names = [*(attributes.get("RepoTags") or ()), *(attributes.get("RepoDigests") or ())]
            for name in names:
                if name.startswith(host):
                    with contextlib.suppress(docker.errors.APIError):
                        self._engine.api.remove_image(name)


def _as_docker(login: RegistryLogin | None) -> dict[str, str] | None:
    return {"username": login.user, "password": login.password} if login is not None else None


class _DockerTask:
    def __init__(
        self,
        engine: docker.DockerClient,
        spec: TaskSpec,
        *,
        logs: LogSink,
        ways: LoopbackPorts | None,
        labels: dict[str, str],
    ) -> None:
        self._engine = engine
        self._spec, self._logs, self._ways, self._labels = spec, logs, ways, labels
        self.prefix = ""  # of the names of containers and volumes
        self._owner = ""  # whose network the others join
        self._volumes: set[str] = set()  # that end with the task
        self.namespace, self._known = spec.namespace, spec.known_names
        self.containers: dict[str, _DockerContainer] = {}  # in the order of their start
        self.order: tuple[str, ...] = ()
        self._loopback_port: LoopbackPort | None = None
        self._address, self._is_stopping = "", False

    def start_one(self, spec: ContainerSpec) -> None:
        """One that ends before others begin has a network of its own: theirs must outlive it."""
        ends_early = ends_before_others(spec, self._spec.containers)
        owner = None if ends_early else self.containers.get(self._owner)
        try:
            container = self._started(spec, joins=owner)
        except LaunchError:
            if owner is None or owner.is_running():
                raise
            # On Fargate the task's network outlives its first container; an engine's ends with it.
            self.containers[spec.name].remove()
            container = self._started(spec, joins=None)
        if not self._owner and not ends_early:
            self._owner = spec.name
            if self._ways is not None:
                self._loopback_port = container.open_loopback_port(self._ways)

    def _started(self, spec: ContainerSpec, *, joins: _DockerContainer | None) -> _DockerContainer:
        container = self.containers[spec.name] = _DockerContainer.create(
            self._engine,
            spec,
            name=f"{self.prefix}{self._spec.id[:12]}-{spec.name}",
            labels=self._labels,
            network=f"container:{joins.id}" if joins else "bridge",
            binds=self._binds(spec),
        )
        container.start(self._logs)
        return container

    def state_of(self, name: str) -> ContainerState:
        return self.containers[name].state()

    def check(self, name: str, command: Sequence[str], timeout: float) -> int:
        return self.containers[name].execute(command, timeout)

    def _binds(self, spec: ContainerSpec) -> list[str]:
        """Volumes of the engine, which fills an empty one with what the image has there."""
        binds = []
        for mount in spec.mounts:
            name = f"{self.prefix}{mount.key}"
            self._engine.api.create_volume(name, labels=self._labels)
            self._volumes |= set() if mount.is_kept else {name}
            binds.append(f"{name}:{mount.path}:{'ro' if mount.is_read_only else 'rw'}")
        return binds

    def write_names(self, names: Mapping[str, Sequence[str]]) -> None:
        """All of the task's containers share the hosts file of the network's owner."""
        owner = self.containers[self._owner]
        if self._known and (path := str(owner.attributes().get("HostsPath") or "")):
            write_hosts(Path(path), names, known=self._known)

    def keep_address(self) -> str:
        self._address = self._find_address()
        return self._address

    def _find_address(self) -> str:
        owner = self.containers[self._owner]
        settings = owner.attributes()["NetworkSettings"]
        networks = [*(settings.get("Networks") or {}).values(), settings]
        found = (str(network.get("IPAddress") or "") for network in networks)
        return next((address for address in found if address), _NOWHERE)

    def states(self) -> tuple[ContainerState, ...]:
        names = self.order or tuple(self.containers)
        return tuple(self._restarted(self.containers[name].state()) for name in names)

    def _restarted(self, state: ContainerState) -> ContainerState:
        """The state after what the container's restart policy says."""
        container, is_owner = self.containers[state.name], state.name == self._owner
        # The others would stay in the network that the engine ends with its owner.
        is_bound = is_owner and len(self.containers) > 1
        if state.running or self._is_stopping or is_bound or not container.should_restart(state):
            return state
        try:
            container.start(self._logs, since=time.time())
        except LaunchError:
            return state
        if is_owner and self._find_address() != self._address:
            container.stop()  # the engine gave its address away
            return state
        if self._ways is not None and self._loopback_port is not None and is_owner:
            self._loopback_port.close()
            self._loopback_port = container.open_loopback_port(self._ways)
        return ContainerState(name=state.name, running=True)

    def stop(self) -> tuple[ContainerState, ...]:
        """All at once; the owner of the network is removed last."""
        self._is_stopping = True
        if self._loopback_port is not None:
            self._loopback_port.close()
        if self.containers:
            with ThreadPoolExecutor(max_workers=len(self.containers)) as pool:
                list(pool.map(_DockerContainer.stop, self.containers.values()))
        states = self.states()
        for container in reversed(self.containers.values()):
            container.remove()
        for volume in self._volumes:
            with contextlib.suppress(*_DockerErrors):
                self._engine.api.remove_volume(volume, force=True)
        return states


class _DockerContainer:
    def __init__(self, engine: docker.DockerClient, spec: ContainerSpec, identifier: str) -> None:
        self._engine = engine
        self._spec = spec
        self._log: threading.Thread | None = None
        self._seen_ended = 0.0  # monotonic; 0 while it runs
        self.id = identifier

    @classmethod
    def create(
        cls,
        engine: docker.DockerClient,
        spec: ContainerSpec,
        *,
        name: str,
        labels: dict[str, str],
        network: str,
        binds: list[str],
    ) -> _DockerContainer:
        limit = f"{spec.memory_mib}m" if spec.memory_mib else None
        api = engine.api
        try:
            created = api.create_container(
                spec.image,
                name=name,
                command=_words(spec.command),
                entrypoint=_words(spec.entry_point),
                environment=dict(spec.environment),
                user=spec.user,
                working_dir=spec.working_directory,
                labels={**spec.labels, **labels},
                host_config=api.create_host_config(
                    network_mode=network,
                    binds=binds,
                    mem_limit=limit,
                    memswap_limit=limit,  # the same: no swap, as on Fargate
                    read_only=spec.read_only_root,
                    privileged=False,
                    init=spec.has_init,
                    cap_add=list(spec.capabilities_added),
                    cap_drop=list(spec.capabilities_dropped),
                    ulimits=[
                        Ulimit(name=limit.name, soft=limit.soft, hard=limit.hard)
                        for limit in spec.ulimits
                    ],
                    sysctls=dict(spec.system_controls),
                    log_config=LogConfig(type="json-file", config={"max-size": "20m"}),
                ),
            )
        except _DockerErrors as error:
            raise LaunchError(messages.cannot_create(_said(error)), container=spec.name) from error
        return cls(engine, spec, str(created["Id"]))

    def should_restart(self, state: ContainerState) -> bool:
        policy = self._spec.restart
        if policy is None:
            return False
        found = self.attributes()["State"]
        ran = _milliseconds(found["FinishedAt"]) - _milliseconds(found["StartedAt"])
        return policy.applies(ran=ran / 1000, exit_code=state.exit_code)

    def start(self, logs: LogSink, *, since: float | None = None) -> None:
        """`since`: of its log, only what comes after that time (seconds since the epoch)."""
        self._seen_ended = 0.0
        try:
            self._engine.api.start(self.id)
        except _DockerErrors as error:
            said = _said(error)
            raise LaunchError(
                messages.cannot_start(said), container=self._spec.name, exit_code=_start_code(said)
            ) from error
        if self._spec.log is not None:
            self._log = threading.Thread(
                target=self._follow, args=(logs, since), name=f"{self._spec.name} log", daemon=True
            )
            self._log.start()

    def open_loopback_port(self, ways: LoopbackPorts) -> LoopbackPort | None:
        """None where the container has ended already, or runs on another machine.

        Its program has begun by now: a call in its first milliseconds is refused, and SDKs repeat.
        """
        pid = int(self.attributes()["State"]["Pid"] or 0)
        with contextlib.suppress(OSError):
            if self._is_mine(pid):
                return ways.open(pid)
        return None

    def attributes(self) -> dict[str, Any]:
        found: dict[str, Any] = self._engine.api.inspect_container(self.id)
        return found

    def is_running(self) -> bool:
        return bool(self.attributes()["State"]["Running"])

    def state(self) -> ContainerState:
        """Running until its last line is written, so that whoever sees the end sees the cause."""
        name = self._spec.name
        try:
            found = self.attributes()["State"]
        except docker.errors.NotFound:
            return ContainerState(name=name, running=False)
        if found["Status"] == "created":
            return ContainerState(name=name, running=False)
        if found["Running"] or self._is_still_writing():
            return ContainerState(name=name, running=True)
        return ContainerState(
            name=name,
            running=False,
            exit_code=int(found["ExitCode"]),
            out_of_memory=bool(found["OOMKilled"]),
        )

    def execute(self, command: Sequence[str], timeout: float) -> int:
        api = self._engine.api
        try:
            identifier = api.exec_create(self.id, list(command))["Id"]
            api.exec_start(identifier, detach=True)
            found = self._await_exec(identifier, timeout)
        except docker.errors.APIError as error:
            return _start_code(_said(error)) or _NOT_RUNNING
        except _DockerErrors:
            return _NOT_RUNNING
        if found["Running"]:
            self._kill(int(found.get("Pid") or 0))
            return _TIMED_OUT
        code = found["ExitCode"]
        return _NOT_FOUND if code is None else int(code)

    def open_terminal(self, command: Sequence[str]) -> SocketTerminal:
        """As root, as ECS Exec does. Raises LaunchError."""
        api = self._engine.api
        try:
            identifier: str = api.exec_create(
                self.id, list(command), tty=True, stdin=True, user=_ROOT
            )["Id"]
            connection = api.exec_start(identifier, tty=True, socket=True)
        except _DockerErrors as error:
            raise LaunchError(messages.cannot_start(_said(error))) from error
        # Else the connection has the time limit of an ordinary call.
        raw: socket.socket = getattr(connection, "_sock", None) or cast("socket.socket", connection)
        raw.settimeout(None)
        return SocketTerminal(
            raw,
            read=read_of(connection, raw),
            resize=lambda columns, rows: self._resize(identifier, columns, rows),
            end=lambda: self._end_exec(identifier),
            release=lambda: _release(connection, raw),
        )

    def _resize(self, identifier: str, columns: int, rows: int) -> None:
        with contextlib.suppress(*_DockerErrors):  # it has ended
            self._engine.api.exec_resize(identifier, height=rows, width=columns)

    def _end_exec(self, identifier: str) -> None:
        with contextlib.suppress(*_DockerErrors):
            found = self._engine.api.exec_inspect(identifier)
            if found["Running"]:
                self._kill(int(found.get("Pid") or 0))

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after the stop timeout, both by the engine; then the last lines."""
        with contextlib.suppress(*_DockerErrors):
            self._engine.api.stop(self.id, timeout=math.ceil(self._spec.stop_timeout))
        if self._log is not None:
            self._log.join(_LAST_WORDS)

    def remove(self) -> None:
        with contextlib.suppress(*_DockerErrors):
            self._engine.api.remove_container(self.id, force=True, v=True)

    def _is_still_writing(self) -> bool:
        if self._log is None or not self._log.is_alive():
            return False
        now = time.monotonic()
        self._seen_ended = self._seen_ended or now
        return now - self._seen_ended < _LAST_WORDS

    def _await_exec(self, identifier: str, timeout: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        pause = threading.Event()
        while True:
            found: dict[str, Any] = self._engine.api.exec_inspect(identifier)
            if not found["Running"] or time.monotonic() >= deadline:
                return found
            pause.wait(_POLL)

    def _kill(self, pid: int) -> None:
        """The engine has no call for it."""
        with contextlib.suppress(OSError):
            if self._is_mine(pid):
                os.kill(pid, signal.SIGKILL)

    def _is_mine(self, pid: int) -> bool:
        """The engine may run on another machine, where numbers are others'. Raises OSError."""
        return bool(pid) and self.id in Path(f"/proc/{pid}/cgroup").read_text()

    def _follow(self, logs: LogSink, since: float | None) -> None:
        """Until the container ends, or the engine does."""
        assert self._spec.log is not None
        with contextlib.suppress(*_DockerErrors, ValueError, OSError):
            stream = self._engine.api.logs(
                self.id,
                stdout=True,
                stderr=True,
                stream=True,
                follow=True,
                timestamps=True,
                since=since,
            )
            for at, text in read_log(self._with_the_end(stream)):
                logs.write(self._spec.log, [(at, text)])

    def _with_the_end(self, frames: Iterator[bytes]) -> Iterator[bytes]:
        """Engines may end the stream before a last line that has no end of line."""
        last = b""
        for frame in frames:
            last = frame
            yield frame
        end: bytes = self._engine.api.logs(
            self.id, stdout=True, stderr=True, timestamps=True, tail=1
        )
        if end and not (last and end.endswith(last)):
            yield end


def read_log(frames: Iterator[bytes]) -> Iterator[tuple[int, str]]:
    """(milliseconds, line). The engine cuts lines at 16 KiB, and stamps each piece."""
    lines, at = Lines(), 0
    for frame in frames:
        stamp, _, content = frame.partition(b" ")
        at = _milliseconds(stamp.decode())
        # Shorter and without an end: the last of its stream; the other one may still go on.
        is_last = not content.endswith(b"\n") and len(content) < _PIECE
        for text in lines.feed(content + b"\n" if is_last else content):
            yield at, text
    for text in lines.finish():
        yield at, text


def _milliseconds(stamp: str) -> int:
    """`2026-01-02T03:04:05.123456789Z`; Python reads six digits."""
    seconds, _, fraction = stamp.removesuffix("Z").partition(".")
    whole = int(datetime.fromisoformat(f"{seconds}+00:00").timestamp())
    return whole * 1000 + int(f"{fraction:0<3}"[:3])


def read_of(connection: Any, raw: socket.socket) -> Callable[[int], bytes]:
    """The SDK hands over the socket below the reader of the engine's answer. What a quick program
    printed may have come with the answer's header: that is in the reader, and nowhere else."""
    response = getattr(connection, "_response", None)
    reader = getattr(getattr(getattr(response, "raw", None), "_fp", None), "fp", None)
    read: Callable[[int], bytes] = getattr(reader, "read1", raw.recv)  # SSH's has none
    return read


def _release(connection: Any, raw: socket.socket) -> None:
    """The SDK's wrappers around the socket hold it open, each by itself."""
    with contextlib.suppress(OSError):
        response = getattr(connection, "_response", None)
        if response is not None:
            response.close()
        connection.close()
        raw.close()


def _owner_first(containers: Sequence[ContainerSpec]) -> list[ContainerSpec]:
    return sorted(containers, key=lambda spec: not spec.essential)


def _words(found: tuple[str, ...] | None) -> list[str] | None:
    return list(found) if found else None


def _pull_reason(image: str, error: Exception) -> str:
    said = _said(error)
    missing = ("manifest unknown", "not found", "name unknown", "does not exist")
    if "no matching manifest" not in said and any(part in said for part in missing):
        return messages.image_not_found(image)
    if "dial tcp" in said or "connection refused" in said:
        return messages.registry_unreachable(image, said)
    return messages.cannot_pull(image, said)


def _said(error: Exception) -> str:
    if isinstance(error, docker.errors.APIError):
        return str(error.explanation or error)
    return str(error)


def _start_code(said: str) -> int | None:
    """What a shell answers for a program that cannot be started."""
    if "not found" in said or "no such file" in said:
        return _NOT_FOUND
    return _NOT_EXECUTABLE if "permission denied" in said else None


def _knock(url: str, timeout: int) -> None:
    """The SDK leaves its socket open where nobody answers. Raises OSError."""
    if url.startswith("unix://"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(timeout)
            probe.connect(url.removeprefix("unix://"))


def _client(url: str | None, timeout: int) -> docker.DockerClient:
    if url and not os.environ.get("DOCKER_TLS_VERIFY"):
        return docker.DockerClient(base_url=url, timeout=timeout, max_pool_size=_CONNECTIONS)
    return docker.from_env(timeout=timeout, max_pool_size=_CONNECTIONS)


def _host_of_context() -> str | None:
    """The SDK does not follow `docker context use`, which Docker Desktop relies on."""
    try:
        context = ContextAPI.get_current_context()
    except (docker.errors.DockerException, OSError, ValueError, KeyError):
        return None
    host = str(context.Host or "") if context is not None else ""
    return host if "://" in host and not host.startswith("http") else None


def _sweeping(instance: str) -> list[str]:
    return [sys.executable, "-m", "fsd_local.runtime.containers", instance]


def _sweep_alone(instance: str) -> None:
    engine = find_engine(_PATIENT)
    if engine is None:
        return
    with contextlib.closing(engine):
        # Twice: the killed server's last request may still be under way.
        for _ in range(2):
            sweep(instance, engine)
            threading.Event().wait(1)


if __name__ == "__main__":
    _sweep_alone(sys.argv[1])
