"""One request by HTTP/2 without TLS, on a connection of its own: what a target group of HTTP2 or
GRPC sends to its targets.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-group-protocol-version
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeAlias

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

Headers: TypeAlias = list[tuple[bytes, bytes]]

_STREAM = 1  # the first that a client may open
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHead:
    status: int
    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTrailers:
    headers: Headers


ResponsePart: TypeAlias = ResponseHead | bytes | ResponseTrailers


class Http2Request:
    """Raises OSError where the target goes away, or speaks no HTTP/2."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._has_room = asyncio.Event()

    async def start(self, headers: Headers) -> None:
        self._http.initiate_connection()
        self._http.send_headers(_STREAM, headers)
        await self._flush()

    async def send(self, body: bytes, *, ends: bool) -> None:
        """Waits for room where the target reads slowly."""
        try:
            while body:
                self._has_room.clear()
                window = self._http.local_flow_control_window(_STREAM)
                size = min(window, self._http.max_outbound_frame_size)
                if size <= 0:
                    await self._has_room.wait()
                    continue
                self._http.send_data(_STREAM, body[:size])
                body = body[size:]
                await self._flush()
            if ends:
                self._http.end_stream(_STREAM)
                await self._flush()
        except ProtocolError as error:
            raise ConnectionResetError(str(error)) from error

    async def answer(self, *, idle: float) -> AsyncIterator[ResponsePart]:
        """Ends with the answer; `idle` are seconds without a byte, then TimeoutError."""
        while True:
            async with asyncio.timeout(idle):
                received = await self._reader.read(_CHUNK)
            if not received:
                raise ConnectionResetError("the target closed the connection")
            for event in await self._take(received):
                match event:
                    case ResponseReceived():
                        yield _head(event.headers or [])
                    case TrailersReceived():
                        yield ResponseTrailers(headers=list(event.headers or []))
                    case DataReceived():
                        yield bytes(event.data or b"")
                    case StreamEnded():
                        return
                    case StreamReset() | ConnectionTerminated():
                        raise ConnectionResetError("the target reset the request")

    async def _take(self, received: bytes) -> list[Event]:
        try:
            events = self._http.receive_data(received)
            for event in events:
                if isinstance(event, DataReceived) and event.flow_controlled_length:
                    length = event.flow_controlled_length
                    self._http.acknowledge_received_data(length, _STREAM)
        except ProtocolError as error:
            raise ConnectionResetError(f"not HTTP/2: {error}") from error
        self._has_room.set()
        await self._flush()
        return events

    async def _flush(self) -> None:
        self._writer.write(self._http.data_to_send())
        await self._writer.drain()


def _head(headers: Headers) -> ResponseHead:
    status = next((value for name, value in headers if name == b":status"), b"0")
    others = [(name, value) for name, value in headers if not name.startswith(b":")]
    return ResponseHead(status=int(status), headers=others)
