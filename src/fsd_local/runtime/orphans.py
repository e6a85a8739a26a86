"""Finds and kills the processes of tasks whose server is gone. Needs nothing but the standard
library: it also runs alone, as the guard of a server that may be killed at any moment.

Each process of a task carries a mark in its environment, which its children inherit, also those
that leave the process group; the kernel keeps it, so no file can be stale and no number be wrong.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

MARK = "FSD_LOCAL_TASK"  # <instance>:<task>:<container>
_PAUSE = 0.05
_PAUSES = 200  # pauses
_CLEAN_END = b"done"
# How Python finds its libraries and this package, and how Docker is found.
_KEPT = {"LD_LIBRARY_PATH", "PYTHONPATH", "PATH", "HOME"} | {
    f"DOCKER_{name}" for name in ("HOST", "CONTEXT", "CONFIG", "TLS_VERIFY", "CERT_PATH")
}


def mark(instance: str, *parts: str) -> str:
    """The value, or with fewer parts its beginning."""
    return ":".join((instance, *parts)) + ":"


def kill_marked(value: str) -> int:
    """SIGKILL to every process with such a mark; how many there were."""
    killed = 0
    for pid in _find(value):
        killed += _kill(pid, value)
    return killed


def sweep(instance: str) -> int:
    """All processes of an instance, also those that were being started; how many there were."""
    total, quiet, pause = 0, 0, threading.Event()
    for _ in range(_PAUSES):
        killed = kill_marked(mark(instance))
        total += killed
        quiet = 0 if killed else quiet + 1
        if quiet == 2:
            break
        pause.wait(_PAUSE)
    return total


class Guard:
    """A process that outlives its parent just long enough to sweep. `close` ends it in peace.

    `command` is what it becomes for that; without one it kills the instance's processes.
    """

    def __init__(self, instance: str, *, command: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, instance, *command],
            env={n: v for n, v in os.environ.items() if n in _KEPT},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def close(self) -> None:
        """Again is fine."""
        if self._process.returncode is not None:
            return
        with self._process, contextlib.suppress(BrokenPipeError):
            self._process.communicate(_CLEAN_END)


def _find(value: str) -> Iterator[int]:
    for name in os.listdir("/proc"):
        if name.isdigit() and _is_marked(int(name), value):
            yield int(name)


def _is_marked(pid: int, value: str) -> bool:
    wanted = f"{MARK}={value}".encode()
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return any(word.startswith(wanted) for word in file.read().split(b"\0"))
    except OSError:
        return False  # gone, or another user's


def _kill(pid: int, value: str) -> bool:
    """By a handle: between the look and the signal the number could become another process's."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not _is_marked(pid, value):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def _guard(instance: str, command: Sequence[str]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.stdin.buffer.read() == _CLEAN_END:
        return
    if command:
        os.execv(command[0], list(command))
    sweep(instance)


if __name__ == "__main__":
    _guard(sys.argv[1], sys.argv[2:])
