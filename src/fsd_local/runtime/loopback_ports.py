"""A way from a container to the embedded AWS, which listens on this machine's loopback only.

A socket stays in the network namespace that it was made in, whoever holds it. So a thread enters
the container's, listens on the loopback there, and what connects is passed on to ours: the task
finds the embedded AWS at the very address that it has here. Entering takes Linux and root.
https://man7.org/linux/man-pages/man7/network_namespaces.7.html
https://man7.org/linux/man-pages/man2/setns.2.html
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

_LOOPBACK = "127.0.0.1"
_CLONE_NEWNET = 0x40000000
_BACKLOG = 64
_PIECE = 64 * 1024


def are_possible() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


class LoopbackPorts:
    """To one port of this machine. Thread-safe."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._inside: set[asyncio.StreamWriter] = set()  # the tasks' ends of connections
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="loopback_ports", daemon=True
        )
        self._thread.start()

    def open(self, pid: int) -> LoopbackPort:
        """Into the network namespace of a process. Raises OSError."""
        listening = _listen(pid, self._port)
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._enter, sock=listening), self._loop
        ).result()
        return LoopbackPort(server, self._loop)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._inside.add(writer)
        try:
            with contextlib.suppress(OSError):
                inner = await asyncio.open_connection(_LOOPBACK, self._port)
                await _join((reader, writer), inner)
        finally:
            self._inside.discard(writer)
            writer.close()

    async def _hang_up(self) -> None:
        while self._inside:
            for writer in self._inside:
                writer.transport.abort()
            await asyncio.sleep(0)  # each is passed on to its end


class LoopbackPort:
    """One that is open."""

    def __init__(self, server: asyncio.Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(one: _Stream, other: _Stream) -> None:
    """Pass on both ways until both sides have ended."""
    try:
        await asyncio.gather(_copy(one[0], other[1]), _copy(other[0], one[1]))
    finally:
        other[1].close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _listen(pid: int, port: int) -> socket.socket:
    """In a thread of its own: it is the thread that changes its namespace, and then ends."""
    future: Future[socket.socket] = Future()

    def enter() -> None:
        try:
            _set_network_namespace(pid)
            future.set_result(socket.create_server((_LOOPBACK, port), backlog=_BACKLOG))
        except OSError as error:
            future.set_exception(error)

    threading.Thread(target=enter, name="loopback_port").start()
    return future.result()


def _set_network_namespace(pid: int) -> None:
    """`os.setns` is there from Python 3.12 on."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
        if libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
