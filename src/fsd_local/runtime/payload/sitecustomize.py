"""On the path of every Python program of a task: gives it the network that it has on AWS.

There a task has an address of its own and a localhost that its containers share. Here that is
127.77.x.y, and 127.78.x.y for localhost: a wildcard bind becomes the one, a bind to 127.0.0.1 the
other, and a connection to localhost goes to whichever listens. So a service that listens only on
localhost is as unreachable from outside as it is on AWS.

Imported by `site` at start. Nothing here may import what a program does not have, or fail; the
program's Python may be as old as 3.6, which reads no annotations of later ones.
"""

import contextlib
import importlib.machinery
import importlib.util
import json
import os
import random
import socket
import sys
from typing import Any

_ADDRESS = os.environ.get("FSD_LOCAL_ADDRESS", "")
_LOOPBACK = os.environ.get("FSD_LOCAL_LOOPBACK", "")
# The embedded AWS itself, which listens on the machine's own 127.0.0.1.
_AWS = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "").split("://")[-1].split("/")[0]
# Of Service Connect: what the task knows, and the file that says where each leads.
_NAMES = frozenset(filter(None, os.environ.get("FSD_LOCAL_NAMES", "").split(",")))
_NAMES_FILE = os.environ.get("FSD_LOCAL_NAMES_FILE", "")
_NOWHERE = "127.255.0.1"
_ANY = {"", "0.0.0.0", "::", "0:0:0:0:0:0:0:0"}
_LOCALHOST = {"127.0.0.1", "localhost", "::1", "0:0:0:0:0:0:0:1"}
_LISTENS = "0A"  # in /proc/net/tcp
_NO_ADDRESS = ("::1", 0, 0, 0)


def _is_taken(host: str, port: int, kind: str) -> bool:
    """Whether a socket listens (tcp) or is bound (udp) there, as the kernel's table has it."""
    number = socket.inet_aton(host)[::-1].hex().upper()
    wanted = {f"{number}:{port:04X}", f"0000000000000000FFFF0000{number}:{port:04X}"}
    for name in (kind, f"{kind}6"):
        try:
            with open(f"/proc/net/{name}", encoding="ascii") as table:
                rows = [line.split() for line in table]
        except OSError:
            continue
        if any(row[1] in wanted and (kind == "udp" or row[3] == _LISTENS) for row in rows):
            return True
    return False


def _local(sock: socket.socket, port: int) -> str:
    kind = "udp" if sock.type == socket.SOCK_DGRAM else "tcp"
    return _LOOPBACK if _is_taken(_LOOPBACK, port, kind) else _ADDRESS


def _with_host(sock: socket.socket, address: Any, host: str) -> Any:
    if sock.family == socket.AF_INET6:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        return (f"::ffff:{host}", *address[1:])
    return (host, *address[1:])


def _is_internet(sock: socket.socket, address: Any) -> bool:
    return (
        sock.family in (socket.AF_INET, socket.AF_INET6)
        and isinstance(address, tuple)
        and len(address) >= 2
        and isinstance(address[0], str)
        and isinstance(address[1], int)
    )


def _is_only_6(sock: socket.socket) -> bool:
    return sock.family == socket.AF_INET6 and bool(
        sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    )


def _bound(sock: socket.socket, address: Any) -> Any:
    if not _is_internet(sock, address) or address[0] not in _ANY | _LOCALHOST:
        return address
    if _is_only_6(sock):
        # The twin of an IPv4 socket: a task has no IPv6 address that anybody could ask for.
        return _NO_ADDRESS
    return _with_host(sock, address, _ADDRESS if address[0] in _ANY else _LOOPBACK)


def _reached(sock: socket.socket, address: Any) -> Any:
    if not _is_internet(sock, address) or address[0] not in _ANY | _LOCALHOST:
        return address
    if f"{address[0]}:{address[1]}" == _AWS:
        return address
    return _with_host(sock, address, _local(sock, address[1]))


def _addresses(name: Any) -> "list[str]":
    """Of a name of Service Connect, in any order; [] for any other name."""
    text = name.decode("ascii", "replace") if isinstance(name, bytes) else name
    if not isinstance(text, str) or text.rstrip(".").lower() not in _NAMES:
        return []
    try:
        with open(_NAMES_FILE, encoding="utf-8") as file:
            found = json.load(file).get(text.rstrip(".").lower(), [])
    except (OSError, ValueError):
        found = []
    random.shuffle(found)
    return found or [_NOWHERE]


def _install_names() -> None:
    kept = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        found = _addresses(host)
        if not found:
            return kept(host, port, *rest, **more)
        return [entry for address in found for entry in kept(address, port, *rest, **more)]

    kept_one = socket.gethostbyname

    def gethostbyname(name: Any) -> str:
        found = _addresses(name)
        return found[0] if found else kept_one(name)

    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = gethostbyname


def _install() -> None:
    kept = {
        name: getattr(socket.socket, name) for name in ("bind", "connect", "connect_ex", "sendto")
    }

    def bind(self: socket.socket, address: Any) -> None:
        kept["bind"](self, _bound(self, address))

    def connect(self: socket.socket, address: Any) -> None:
        kept["connect"](self, _reached(self, address))

    def connect_ex(self: socket.socket, address: Any) -> int:
        return int(kept["connect_ex"](self, _reached(self, address)))

    def sendto(self: socket.socket, content: Any, *rest: Any) -> int:
        *flags, address = rest
        return int(kept["sendto"](self, content, *flags, _reached(self, address)))

    for replacement in (bind, connect, connect_ex, sendto):
        setattr(socket.socket, replacement.__name__, replacement)


def _import_the_next() -> None:
    """The program may have a `sitecustomize` of its own further down the path."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


if _ADDRESS and _LOOPBACK:
    _install()
if _NAMES and _NAMES_FILE:
    _install_names()
_import_the_next()
