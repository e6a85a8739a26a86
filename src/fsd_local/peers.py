"""Which user of this machine is at the other end of a loopback connection.

Linux says it in /proc/net/tcp: one line a socket, with its addresses and its owner's uid.
https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

Address = tuple[str, int]  # IP address, port

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"
_ROOT = 0


def is_same_user(client: Address, server: Address) -> bool:
    """Whether the client's end of a connection is ours or root's, who may read our secret anyway.

    True too where nobody can say: another system than Linux, or a socket of another network
    namespace, as a container's, which only who runs the engine can connect with us.
    """
    for table in _TABLES:
        try:
            uid = find_uid(table.read_text(), client, server)
        except OSError:
            continue
        if uid is not None:
            return uid in (os.geteuid(), _ROOT)
    return True


def find_uid(table: str, client: Address, server: Address) -> int | None:
    """The owner of the established socket from `client` to `server`; None where none is listed.

    By both ends: sockets in TIME_WAIT are listed as root's, and another user can have one with the
    client's address and port.
    """
    ends = _written(client), _written(server)
    for line in table.splitlines()[1:]:
        fields = line.split()
        is_it = fields[1].endswith(ends[0]) and fields[2].endswith(ends[1])
        if is_it and fields[3] == _ESTABLISHED:
            return int(fields[7])
    return None


def _written(address: Address) -> str:
    """As the kernel prints it: words of four bytes, each in the machine's byte order.

    Of an IPv4 address the last word; IPv6's table shows it behind ::ffff:0:0.
    """
    name = address[0].removeprefix("::ffff:")
    packed = socket.inet_pton(socket.AF_INET6 if ":" in name else socket.AF_INET, name)
    words = (packed[start : start + 4] for start in range(0, len(packed), 4))
    number = "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
    return f"{number}:{address[1]:04X}"
