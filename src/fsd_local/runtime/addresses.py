"""An address for each task: 127.77.x.y, as if it had a network interface of its own.

All of 127/8 is the loopback interface on Linux, so nothing has to be set up. Instances on one
machine share the range: an address is taken by holding a socket on it, and free when its holder is
gone, however it ended.
"""

from __future__ import annotations

import errno
import socket
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fsd_local.ports import LaunchError
from fsd_local.runtime import messages

_LOCK_PORT = 17077  # UDP, so that it takes no port from a task
_LISTENS = "0A"
_HOSTS = 254
_NUMBER = 256 * _HOSTS
_ATTEMPTS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """`loopback` is what 127.0.0.1 is to the task: nobody else is told of it."""

    address: str
    loopback: str
    lock: socket.socket

    def release(self) -> None:
        self.lock.close()


class Addresses:
    """Thread-safe. Goes round, so that an address rests before it is another task's."""

    def __init__(self, instance: str) -> None:
        self._next = zlib.crc32(instance.encode()) % _NUMBER
        self._guard = threading.Lock()

    def take(self, ports: Sequence[int]) -> Lease:
        """An address on which all the ports are free. Raises LaunchError where there is none."""
        for _ in range(_ATTEMPTS):
            lease = _try(self._number(), ports)
            if lease is not None:
                return lease
        raise LaunchError(messages.no_address())

    def _number(self) -> int:
        with self._guard:
            number = self._next
            self._next = (number + 1) % _NUMBER
        return number


def _try(number: int, ports: Sequence[int]) -> Lease | None:
    tail = f"{number // _HOSTS}.{number % _HOSTS + 1}"
    lease = Lease(
        address=f"127.77.{tail}",
        loopback=f"127.78.{tail}",
        lock=socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    )
    try:
        lease.lock.bind((lease.address, _LOCK_PORT))
    except OSError as error:
        lease.release()
        if error.errno != errno.EADDRINUSE:
            raise LaunchError(messages.no_address()) from error
        return None
    if all(_is_free(lease.address, port) for port in ports):
        return lease
    lease.release()
    return None


def _is_free(address: str, port: int) -> bool:
    """Whether nobody listens there; a privileged port cannot be asked for, and counts as free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def is_listening(*addresses: str) -> bool:
    """Whether a socket listens at one of them, on any port, as the kernel's table has it.

    https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
    """
    numbers = [socket.inet_aton(address)[::-1].hex().upper() for address in addresses]
    wanted = {*numbers, *(f"0000000000000000FFFF0000{number}" for number in numbers)}
    for name in ("tcp", "tcp6"):
        try:
            rows = Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        except OSError:
            continue
        fields = (row.split() for row in rows)
        if any(f[3] == _LISTENS and f[1].partition(":")[0] in wanted for f in fields):
            return True
    return False
