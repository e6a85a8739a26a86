"""Network load balancers: connections from a client's to a healthy target, byte by byte.

Each listener has its own port of this machine, 127.0.0.1 and the listener's, or any free one where
that is taken. TLS does not end here: as with HTTPS, a listener of TLS takes what comes as it is.
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fsd_local.elb import GroupMember
from fsd_local.ports import TargetState

IDLE_TIMEOUT = "tcp.idle_timeout.seconds"  # the attribute of a listener
# Where no attribute says another, and always with TLS.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html
IDLE_SECONDS = 350.0
_HOST = "127.0.0.1"
_LOOK = 0.25  # seconds between two looks at which listeners there are
_CONNECT_TIMEOUT = 10.0
_CHUNK = 64 * 1024

Targets = Callable[[str], Sequence[tuple[GroupMember, TargetState]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkListener:
    port: int
    group: str  # ARN of the target group
    balancer: str  # ARN
    idle_timeout: float = field(default=IDLE_SECONDS, compare=False)  # seconds, in real time


class NetworkPlane:
    """Follows what listeners there are; `listeners` gives them by their ARN."""

    def __init__(
        self, listeners: Callable[[], Mapping[str, NetworkListener]], targets: Targets
    ) -> None:
        self._listeners = listeners
        self._targets = targets
        self._servers: dict[str, tuple[NetworkListener, asyncio.Server]] = {}
        self._turn = itertools.count()
        self._following: asyncio.Task[None] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._following = loop.create_task(self._follow())

    def close(self) -> None:
        """From another thread, while the loop runs: nothing is accepted any more."""
        if self._following is not None:
            self._following.get_loop().call_soon_threadsafe(self._following.cancel)

    def port(self, listener: str) -> int:
        """Where it listens, by its ARN; 0 where it does not yet."""
        found = self._servers.get(listener)
        return int(found[1].sockets[0].getsockname()[1]) if found else 0

    async def _follow(self) -> None:
        try:
            await self._keep_up()
        finally:
            for _, server in self._servers.values():
                server.close()
            self._servers.clear()

    async def _keep_up(self) -> None:
        while True:
            wanted = self._listeners()
            for arn, (known, server) in list(self._servers.items()):
                if wanted.get(arn) != known:
                    server.close()
                    del self._servers[arn]
            for arn, listener in wanted.items():
                if arn not in self._servers:
                    self._servers[arn] = (listener, await self._open(arn, listener))
            await asyncio.sleep(_LOOK)

    async def _open(self, arn: str, listener: NetworkListener) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            now = self._listeners().get(arn, listener)  # its timeout can change while it listens
            await self._serve(now, reader, writer)

        try:
            return await asyncio.start_server(serve, _HOST, listener.port)
        except OSError:
            return await asyncio.start_server(serve, _HOST, 0)

    async def _serve(
        self, listener: NetworkListener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """A client without a target is cut off, as by a load balancer without one; so are both
        sides once neither has sent anything for the listener's time."""
        streams = await self._connect(listener.group)
        if streams is not None:
            idle, now = listener.idle_timeout, asyncio.get_running_loop().time
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(idle) as limit:

                    def heard() -> None:
                        limit.reschedule(now() + idle)

                    await asyncio.gather(
                        _pass(reader, streams[1], heard), _pass(streams[0], writer, heard)
                    )
            await _close(streams[1])
        await _close(writer)

    async def _connect(
        self, group: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """With no healthy target all are tried: a load balancer fails open."""
        members = self._targets(group)
        healthy = [target for target, state in members if state.state == "healthy"]
        pool = healthy or [t for t, state in members if state.state in ("unhealthy", "initial")]
        first = next(self._turn) % len(pool) if pool else 0
        for target in pool[first:] + pool[:first]:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_TIMEOUT):
                    return await asyncio.open_connection(target.address, target.port)
        return None


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Callable[[], None]
) -> None:
    """Until one side ends it; a reset is passed on as an end, or the other side would wait."""
    with contextlib.suppress(OSError):
        while part := await reader.read(_CHUNK):
            heard()
            writer.write(part)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
