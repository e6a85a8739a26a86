"""Tasks as processes: no Docker engine, the same lifecycle.

Each task has an address of its own, each container a root file system unpacked from its image, a
process group, and a pipe for its output. It is no sandbox: it runs the user's own code as the user.
What differs from a container: the user, the memory limit and a read-only root are not enforced.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Literal

from fsd_local.image.interpreters import own_python
from fsd_local.image.layers import link_files
from fsd_local.ports import (
    ContainerSpec,
    ContainerState,
    LaunchError,
    LogSink,
    RegistryLogin,
    TaskSpec,
    Terminal,
    VolumeMount,
)
from fsd_local.rootfs import link_volume, unpack
from fsd_local.runtime import messages, orphans
from fsd_local.runtime.addresses import Addresses, Lease, is_listening
from fsd_local.runtime.binds import LAUNCHER, VIEW, answer_binds
from fsd_local.runtime.images import (
    Images,
    ProcessImage,
    own_login,
    require_loopback,
    resolve_digest,
)
from fsd_local.runtime.limits import with_limits
from fsd_local.runtime.lines import Lines
from fsd_local.runtime.names import NameFiles
from fsd_local.runtime.order import start_all
from fsd_local.runtime.program import (
    ContainerPlace,
    StartedProgram,
    make_command,
    make_program,
    with_localhost,
    write_wrappers,
)
from fsd_local.runtime.terminals import PtyTerminal

_BLOCK = 1 << 16
_LAST_WORDS = 5.0  # seconds in which the output must end once every process is gone
_KILLED = 5.0  # seconds until a killed process must be gone
_TIMED_OUT, _NOT_RUNNING, _NOT_FOUND = 124, 1, 127


class Processes:
    """Implements the `Runtime` port. `state` is a folder that is this instance's alone."""

    def __init__(
        self, *, logs: LogSink, state: Path, instance: str, registry_password: str = ""
    ) -> None:
        self._logs = logs
        self._state = state
        self._instance = instance
        self._password = registry_password
        self._images = Images(state / "images", password=registry_password)
        self._addresses = Addresses(instance)
        self._names = NameFiles(state / "names")
        self._lock = threading.Lock()
        self._tasks: dict[str, _ProcessTask] = {}
        self._guard: orphans.Guard | None = None
        orphans.sweep(instance)
        shutil.rmtree(state, ignore_errors=True)
        write_wrappers(self._wrappers)

    @property
    def name(self) -> Literal["container", "process"]:
        return "process"

    def resolve(self, image: str, *, login: RegistryLogin | None = None) -> str:
        return resolve_digest(require_loopback(image), login or own_login(self._password))

    def launch(self, task: TaskSpec) -> str:
        images = [self._pull(container) for container in task.containers]
        ports = sorted({port for container in task.containers for port in container.ports})
        self._ensure_guard()
        found = _ProcessTask(
            folder=self._state / "run" / task.id,
            lease=self._addresses.take(ports),
            mark=orphans.mark(self._instance, task.id),
            names=self._names_for(task),
            volumes=self._state / "volumes",
            wrappers=self._wrappers,
            logs=self._logs,
            images=dict(zip([one.name for one in task.containers], images, strict=True)),
        )
        with contextlib.ExitStack() as undo:
            undo.callback(found.stop)
            start_all(task.containers, found)
            undo.pop_all()
        with self._lock:
            self._tasks[task.id] = found
        return found.lease.address

    def inspect(self, task_id: str) -> Sequence[ContainerState]:
        task = self._find(task_id)
        return task.states() if task else ()

    def execute(self, task_id: str, container: str, command: Sequence[str], timeout: float) -> int:
        task = self._find(task_id)
        found = task.containers.get(container) if task else None
        if found is None or not found.is_running:
            return _NOT_RUNNING
        return found.execute(command, timeout)

    def open_terminal(self, task_id: str, container: str, command: Sequence[str]) -> Terminal:
        task = self._find(task_id)
        found = task.containers.get(container) if task else None
        if found is None or not found.is_running:
            raise LaunchError(messages.not_running(container))
        return found.open_terminal(command)

    def set_names(self, namespace: str, names: Mapping[str, Sequence[str]]) -> None:
        self._names.write(namespace, names)

    def stop(self, task_id: str) -> Sequence[ContainerState]:
        with self._lock:
            task = self._tasks.pop(task_id, None)
        return task.stop() if task else ()

    def close(self) -> None:
        with self._lock:
            tasks, self._tasks = list(self._tasks.values()), {}
        stopping = [threading.Thread(target=task.stop) for task in tasks]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        with self._lock:
            guard, self._guard = self._guard, None
        if guard is not None:
            guard.close()
        shutil.rmtree(self._state, ignore_errors=True)

    @property
    def _wrappers(self) -> Path:
        return self._state / "bin"

    def _names_for(self, task: TaskSpec) -> Mapping[str, str]:
        if not task.known_names:
            return {}
        return {
            "FSD_LOCAL_NAMES": ",".join(task.known_names),
            "FSD_LOCAL_NAMES_FILE": str(self._names.path(task.namespace)),
        }

    def _find(self, task_id: str) -> _ProcessTask | None:
        with self._lock:
            return self._tasks.get(task_id)

    def _pull(self, container: ContainerSpec) -> ProcessImage:
        try:
            return self._images.pull(container.image, container.login)
        except LaunchError as error:
            raise LaunchError(error.reason, container=container.name) from error

    def _ensure_guard(self) -> None:
        with self._lock:
            if self._guard is None:
                self._guard = orphans.Guard(self._instance)


@dataclass(slots=True, kw_only=True)
class _ProcessTask:
    """The containers of one task, and what they share. Starts them, as `order.Starter`."""

    folder: Path
    lease: Lease
    mark: str
    names: Mapping[str, str]  # of Service Connect, as variables
    volumes: Path  # that outlive the task
    wrappers: Path
    logs: LogSink
    images: Mapping[str, ProcessImage]  # by container
    containers: dict[str, _ProcessContainer] = field(default_factory=dict)
    listens: bool = False  # on any port, until now

    def start_one(self, spec: ContainerSpec) -> None:
        place, image = self._place(spec), self.images[spec.name]
        _unpack(spec, image, place.root)
        for path, volume in place.mounts.items():
            link_volume(place.root, path, volume)
        program = make_program(spec, image, place)
        self.containers[spec.name] = _start(spec, program, place, self.logs)

    def state_of(self, name: str) -> ContainerState:
        return self.containers[name].state()

    def check(self, name: str, command: Sequence[str], timeout: float) -> int:
        return self.containers[name].execute(command, timeout)

    def _place(self, spec: ContainerSpec) -> ContainerPlace:
        view = self.folder / ".views" / spec.name
        if can_show():
            view.mkdir(parents=True, exist_ok=True)
        return ContainerPlace(
            root=self.folder / spec.name,
            view=str(view) if can_show() else "",
            wrappers=self.wrappers,
            lease=self.lease,
            mark=f"{self.mark}{spec.name}:",
            names=self.names,
            mounts={mount.path: self._volume(mount) for mount in spec.mounts},
        )

    def _volume(self, mount: VolumeMount) -> Path:
        """Of all tasks of the instance, or of this one's folder."""
        folder = self.volumes if mount.is_kept else self.folder / ".volumes"
        (folder / mount.key).mkdir(parents=True, exist_ok=True)
        return folder / mount.key

    def states(self) -> tuple[ContainerState, ...]:
        self.listens = self.listens or is_listening(self.lease.address, self.lease.loopback)
        found = (container.state() for container in self.containers.values())
        return tuple(replace(state, listens=self.listens) for state in found)

    def stop(self) -> tuple[ContainerState, ...]:
        """All at once; every container has its own time to end."""
        for container in self.containers.values():
            container.terminate()
        for container in self.containers.values():
            container.wait()
        orphans.kill_marked(self.mark)
        states = self.states()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lease.release()
        return states


@cache
def can_show() -> bool:
    """Whether this machine lets a process have mounts of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("root", "place"):
            (Path(folder) / name).mkdir()
        words = [str(own_python()), "-I", "-S", str(VIEW), f"{folder}/root", f"{folder}/place"]
        try:
            return (
                subprocess.run(words, capture_output=True, timeout=20, check=False).returncode == 0
            )
        except (OSError, subprocess.TimeoutExpired):
            return False


class _ProcessContainer:
    """One process group. It runs until its first process ended and its last line is written."""

    def __init__(
        self,
        spec: ContainerSpec,
        process: subprocess.Popen[bytes],
        place: ContainerPlace,
        program: StartedProgram,
    ) -> None:
        self._spec = spec
        self._process = process
        self._place = place
        self._program = program
        self._ended = threading.Event()
        self._reaping = threading.Lock()  # held while the process's number must stay its own
        self._exit_code: int | None = None
        self._deadline = 0.0
        self._is_stopping = False
        self._started = time.monotonic()

    @property
    def is_running(self) -> bool:
        return not self._ended.is_set()

    def follow(self, logs: LogSink) -> None:
        """Two threads: one for the output, one for the end."""
        name = self._spec.name
        reader = threading.Thread(
            target=self._read, args=(logs,), name=f"{name} output", daemon=True
        )
        reader.start()
        threading.Thread(
            target=self._await, args=(reader, logs), name=f"{name} end", daemon=True
        ).start()

    def state(self) -> ContainerState:
        if self.is_running:
            return ContainerState(name=self._spec.name, running=True)
        return ContainerState(name=self._spec.name, running=False, exit_code=self._exit_code)

    def terminate(self) -> None:
        """SIGTERM to the first process alone, as a container's gets it."""
        self._deadline = time.monotonic() + self._spec.stop_timeout
        with self._reaping:
            self._is_stopping = True
        self._signal(signal.SIGTERM)

    def wait(self) -> None:
        """Until the end, by SIGKILL once the time is over."""
        if self._ended.wait(max(0.0, self._deadline - time.monotonic())):
            return
        self._signal(signal.SIGKILL)
        self._ended.wait(_KILLED + _LAST_WORDS)

    def execute(self, command: Sequence[str], timeout: float) -> int:
        """What `docker exec` would answer; the output goes nowhere."""
        argv = with_localhost(command, self._place.lease)
        try:
            program = make_command(argv, self._program.environment, self._program.cwd, self._place)
            process = _spawn(program, subprocess.DEVNULL)
        except LaunchError as error:
            return error.exit_code or _NOT_FOUND
        with process:
            try:
                return _exit_code(process.wait(timeout))
            except subprocess.TimeoutExpired:
                return _TIMED_OUT
            finally:
                _kill_group(process)

    def open_terminal(self, command: Sequence[str]) -> PtyTerminal:
        """Raises LaunchError."""
        program = make_command(command, self._program.environment, self._program.cwd, self._place)
        try:
            return PtyTerminal(program)
        except (OSError, ValueError) as error:
            raise _not_started(program, error) from error

    def _signal(self, number: signal.Signals) -> None:
        with self._reaping:
            if self._process.returncode is None:
                os.kill(self._process.pid, number)

    def _read(self, logs: LogSink) -> None:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        lines = Lines(str(self._place.root))
        while content := os.read(descriptor, _BLOCK):
            self._write(logs, lines.feed(content))
        self._write(logs, lines.finish())
        self._process.stdout.close()

    def _write(self, logs: LogSink, texts: Sequence[str]) -> None:
        if texts and self._spec.log is not None:
            now = int(time.time() * 1000)
            logs.write(self._spec.log, [(now, text) for text in texts])

    def _await(self, reader: threading.Thread, logs: LogSink) -> None:
        """The first process ends the container, and takes all others with it."""
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        with self._reaping:
            _kill_group(self._process)
            code = self._process.wait()
        orphans.kill_marked(self._place.mark)
        reader.join(_LAST_WORDS)
        self._exit_code = _exit_code(code)
        if self._has_restarted():
            self.follow(logs)
        else:
            self._ended.set()

    def _has_restarted(self) -> bool:
        """Start the program once more where the container's restart policy says so."""
        policy, ran = self._spec.restart, time.monotonic() - self._started
        if policy is None or not policy.applies(ran=ran, exit_code=self._exit_code):
            return False
        with self._reaping:
            if self._is_stopping:
                return False
            try:
                self._process = _launch(with_limits(self._program, self._spec.ulimits), self._place)
            except LaunchError:
                return False
            self._started = time.monotonic()
        return True


def _start(
    spec: ContainerSpec, program: StartedProgram, place: ContainerPlace, logs: LogSink
) -> _ProcessContainer:
    try:
        process = _launch(with_limits(program, spec.ulimits), place)
    except LaunchError as error:
        raise LaunchError(error.reason, container=spec.name, exit_code=error.exit_code) from error
    container = _ProcessContainer(spec, process, place, program)
    container.follow(logs)
    return container


def _launch(program: StartedProgram, place: ContainerPlace) -> subprocess.Popen[bytes]:
    """The main program of a container, which sees its image's files at their own paths, and whose
    binds are answered. Raises LaunchError."""
    here, there = socket.socketpair()
    with here, there:
        launcher = (str(own_python()), "-I", "-S", str(LAUNCHER), str(there.fileno()))
        argv = (*launcher, str(place.root), place.view, *program.argv)
        process = _spawn(replace(program, argv=argv), subprocess.PIPE, pass_fds=(there.fileno(),))
        there.close()
        try:
            _, listeners, _, _ = socket.recv_fds(here, 1, 1)
            number = here.recv(16)  # nothing, once the program runs
        except OSError:
            listeners, number = [], b""
        for listener in listeners:
            answer_binds(listener, place.lease)
        if number:
            with process:
                process.wait()
            raise _not_started(program, OSError(int(number), os.strerror(int(number))))
    return process


def _spawn(
    program: StartedProgram, output: int, *, pass_fds: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Raises LaunchError with what the kernel said."""
    try:
        return subprocess.Popen(
            program.argv,
            env=dict(program.environment),
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=pass_fds,
            bufsize=0,
        )
    except (OSError, ValueError) as error:
        raise _not_started(program, error) from error


def _not_started(program: StartedProgram, error: OSError | ValueError) -> LaunchError:
    if isinstance(error, FileNotFoundError):
        return LaunchError(messages.no_program(program.argv[0]), exit_code=_NOT_FOUND)
    if isinstance(error, PermissionError):
        return LaunchError(messages.not_executable(program.argv[0]), exit_code=126)
    # ENOEXEC, an argument list that is too long, a null byte in a variable.
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return LaunchError(messages.cannot_start(f"exec: {said.lower()}"))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Before the leader is reaped, so that its number is still the group's."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _exit_code(code: int) -> int:
    """As a shell has it: 128 and the signal's number."""
    return 128 - code if code < 0 else code


def _unpack(container: ContainerSpec, image: ProcessImage, root: Path) -> None:
    try:
        unpack(image.layers, root)
        for names in image.references:
            link_files(json.loads(names.read_bytes()), root)
    except FileNotFoundError as error:
        gone = messages.gone_from_cache(str(error.filename))
        raise LaunchError(gone, container=container.name) from error
    except (OSError, tarfile.TarError) as error:
        raise LaunchError(messages.cannot_create(str(error)), container=container.name) from error
