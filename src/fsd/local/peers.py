"""Which user of this machine is at the other end of a loopback connection.

Linux says it in /proc/net/tcp: one line a socket, with its addresses and its owner's uid.
https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ROOT = 0


def is_same_user(client: tuple[str, int]) -> bool:
    """Whether the socket at (address, port) is ours or root's, who may read our secret anyway.

    True too where nobody can say: another system than Linux, or a socket of another network
    namespace, as a container's, which only who runs the engine can connect with us.
    """
    uid = _find_uid(*client)
    return uid is None or uid in (os.geteuid(), _ROOT)


def _find_uid(address: str, port: int) -> int | None:
    wanted = f"{_hex_address(address)}:{port:04X}"
    for table in _TABLES:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[1].endswith(wanted):
                return int(fields[7])
    return None


def _hex_address(address: str) -> str:
    """As the kernel prints it: words of four bytes, each in the machine's byte order.

    Of an IPv4 address the last word; IPv6's table shows it behind ::ffff:0:0.
    """
    address = address.removeprefix("::ffff:")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    words = (packed[start : start + 4] for start in range(0, len(packed), 4))
    return "".join(
        f"{int.from_bytes(word, sys.byteorder):08X}" for word in words
    )  # fmt: skip
