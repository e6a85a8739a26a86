"""Answers the binds of a task: what would listen everywhere listens at the task's own address.

For programs that Python's `sitecustomize` does not see: servers in C, Go and Rust. Each bind(2) to
a wildcard address or to localhost is done here, on a duplicate of the program's socket, at the
address that the task has; two tasks can listen on one port, also with SO_REUSEPORT. All other
binds go on as they are.
https://man7.org/linux/man-pages/man2/pidfd_getfd.2.html
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

from fsd_local.runtime.addresses import Lease

LAUNCHER = Path(__file__).with_name("launcher.py")
VIEW = Path(__file__).with_name("view.py")
_RECEIVE, _SEND = 0xC0502100, 0xC0182101  # ioctl(2)
_REQUEST = struct.Struct("=QII iIQ 6Q")  # struct seccomp_notif
_ANSWER = struct.Struct("=Qq iI")  # struct seccomp_notif_resp
_CONTINUE = 1
_PIDFD_GETFD = 438
_LONGEST = 128  # bytes of struct sockaddr_storage
_ANYWHERE = {b"\0" * 4, b"\0" * 16}
_LOCALHOST = {b"\x7f\0\0\1", b"\0" * 15 + b"\1"}
_NOWHERE = ("::1", 0, 0, 0)  # the twin of an IPv4 socket: a task has no IPv6 address


@dataclass(frozen=True, slots=True, kw_only=True)
class _BindRequest:
    id: int
    pid: int
    descriptor: int
    address: bytes  # as the program gave it


def answer_binds(listener: int, lease: Lease) -> None:
    """In a thread, until the last process with the filter is gone. Closes the descriptor."""
    threading.Thread(
        target=_serve, args=(listener, lease), name=f"binds of {lease.address}", daemon=True
    ).start()


def _serve(listener: int, lease: Lease) -> None:
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    try:
        while True:
            ((_, events),) = waiting.poll()
            if not events & select.POLLIN:
                return
            with contextlib.suppress(FileNotFoundError):  # it was killed meanwhile
                _answer(listener, lease)
    except OSError:
        return  # the kernel lets the binds fail then
    finally:
        os.close(listener)


def _answer(listener: int, lease: Lease) -> None:
    request = bytearray(_REQUEST.size)
    fcntl.ioctl(listener, _RECEIVE, request)
    found = _REQUEST.unpack(request)
    identifier, pid, descriptor = found[0], found[1], found[6]
    failed, flags = 0, _CONTINUE
    try:
        address = _read(pid, place=found[7], length=found[8])
        wanted = _BindRequest(id=identifier, pid=pid, descriptor=descriptor, address=address)
        if _is_everywhere(address) and not _is_of_its_own(address):
            failed, flags = _bind(wanted, lease), 0
    except OSError:
        pass  # nothing of it can be read: the kernel says what is wrong with it
    answer = _ANSWER.pack(identifier, 0, -failed, flags)
    fcntl.ioctl(listener, _SEND, bytearray(answer))


def _read(pid: int, *, place: int, length: int) -> bytes:
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(place)
        return memory.read(min(length, _LONGEST)) or b""


def _is_everywhere(address: bytes) -> bool:
    return _host(address) in _ANYWHERE | _LOCALHOST


def _is_of_its_own(address: bytes) -> bool:
    """Any free port of localhost: for its own processes, which connect to what they asked for
    (uWSGI's router does)."""
    return _host(address) in _LOCALHOST and address[2:4] == bytes(2)


def _host(address: bytes) -> bytes:
    """The bytes of an internet address; none of another."""
    if len(address) < 8:
        return b""
    family = int.from_bytes(address[:2], "little")
    if family == socket.AF_INET:
        return address[4:8]
    if family == socket.AF_INET6 and len(address) >= 24:
        return address[8:24]
    return b""


def _bind(request: _BindRequest, lease: Lease) -> int:
    """errno; 0 where it is bound."""
    with socket.socket(fileno=_duplicate(request)) as theirs:
        port = int.from_bytes(request.address[2:4], "big")
        host = lease.address if _host(request.address) in _ANYWHERE else lease.loopback
        try:
            theirs.bind(_place(theirs, host, port))
        except OSError as error:
            return error.errno or errno.EADDRNOTAVAIL
    return 0


def _place(
    theirs: socket.socket, host: str, port: int
) -> tuple[str, int] | tuple[str, int, int, int]:
    if theirs.family != socket.AF_INET6:
        return host, port
    if theirs.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
        return _NOWHERE
    return f"::ffff:{host}", port, 0, 0


def _duplicate(request: _BindRequest) -> int:
    """Raises OSError."""
    handle = os.pidfd_open(_leader(request.pid))
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        found = int(libc.syscall(_PIDFD_GETFD, handle, ctypes.c_int(request.descriptor), 0))
        if found < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return found
    finally:
        os.close(handle)


def _leader(thread: int) -> int:
    """The process that a thread is of."""
    status = Path(f"/proc/{thread}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("Tgid:"))
    return int(line.split()[1])
