"""Terminals in running containers, as `ports.Terminal`: a pty of this machine, or the engine's."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import struct
import subprocess
import termios
import threading
from collections.abc import Callable

from fsd_local.image.interpreters import own_python
from fsd_local.runtime.program import StartedProgram

_BLOCK = 1 << 16
# Makes the pty the controlling terminal, so that Ctrl-C reaches the program.
_LOG_IN = "import os, sys; os.login_tty(0); os.execve(sys.argv[1], sys.argv[1:], os.environ)"


class PtyTerminal:
    """A program of the process runtime on a pty."""

    def __init__(self, program: StartedProgram) -> None:
        """Raises OSError."""
        self._pty, inner = os.openpty()
        argv = (str(own_python()), "-I", "-S", "-c", _LOG_IN, *program.argv)
        try:
            self._process = subprocess.Popen(
                argv,
                env={"TERM": "xterm-256color", **program.environment},
                cwd=program.cwd,
                stdin=inner,
                stdout=inner,
                stderr=inner,
                start_new_session=True,
            )
        except OSError:
            os.close(self._pty)
            raise
        finally:
            os.close(inner)

    def read(self) -> bytes:
        try:
            return os.read(self._pty, _BLOCK)
        except OSError:  # EIO: the last program on it is gone
            return b""

    def write(self, content: bytes) -> None:
        with contextlib.suppress(OSError):
            while content:
                content = content[os.write(self._pty, content) :]

    def resize(self, columns: int, rows: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._pty, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        """The program hangs up, as with a modem whose line is cut; then its group is killed."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGHUP)
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(OSError):
            os.close(self._pty)


class SocketTerminal:
    """An exec of a Docker engine with a tty, through the connection that the engine hands over."""

    def __init__(
        self,
        connection: socket.socket,
        *,
        read: Callable[[int], bytes],
        resize: Callable[[int, int], None],
        end: Callable[[], None],
        release: Callable[[], None],
    ) -> None:
        """`read` reads from the connection, `release` closes it; `end` ends the program."""
        self._connection = connection
        self._read = read
        self._resize = resize
        self._end = end
        self._release = release
        self._closing = threading.Lock()
        self._is_closed = False

    def read(self) -> bytes:
        try:
            return self._read(_BLOCK)
        except (OSError, ValueError):  # it was closed
            return b""

    def write(self, content: bytes) -> None:
        with contextlib.suppress(OSError):
            self._connection.sendall(content)

    def resize(self, columns: int, rows: int) -> None:
        self._resize(columns, rows)

    def close(self) -> None:
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
        self._end()
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._release()
