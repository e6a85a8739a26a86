"""The agent's end of a data channel: a WebSocket here, a terminal in the container there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from fsd_local.ports import LaunchError, Terminal
from fsd_local.sessions import messages
from fsd_local.sessions.messages import (
    ChannelMessage,
    MalformedMessageError,
    MessageType,
    PayloadType,
)
from fsd_local.sessions.store import DATA_CHANNEL, Session, Sessions

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
OpenTerminal = Callable[[Session], Terminal]  # blocks; raises LaunchError

_AGENT_VERSION = "3.3.0.0"
_RESEND_AFTER = 0.2  # seconds: a client that is not ready yet acknowledges nothing
_POLICY_VIOLATION = 1008
_QUEUED = 64  # blocks of output that wait for the client


class DataChannels:
    """Serves the WebSockets at `DATA_CHANNEL`."""

    def __init__(self, sessions: Sessions, open_terminal: OpenTerminal) -> None:
        self._sessions = sessions
        self._open_terminal = open_terminal

    async def serve(self, scope: Message, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        first = await receive()
        token = messages.token_of(first.get("text") or "")
        session = self._sessions.take(scope["path"].removeprefix(DATA_CHANNEL), token)
        if session is None:
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        await _Channel(session, receive, send).run(self._open_terminal)


class _Channel:
    """One session, from the handshake to its end."""

    def __init__(self, session: Session, receive: Receive, send: Send) -> None:
        self._session = session
        self._receive = receive
        self._send = send
        self._sent = 0  # messages of the output's stream
        self._expected = 0  # the next of the input's stream
        self._acknowledged = asyncio.Event()
        self._shaken = asyncio.Event()
        self._begun = asyncio.Event()  # the terminal is there
        self._opening: asyncio.Future[Terminal] | None = None
        self._terminal: Terminal | None = None

    async def run(self, open_terminal: OpenTerminal) -> None:
        reading = asyncio.create_task(self._read())
        talking = asyncio.create_task(self._talk(open_terminal))
        try:
            await asyncio.wait((reading, talking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reading, talking):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            terminal = await self._opened()
            if terminal is not None:
                await asyncio.to_thread(terminal.close)

    async def _opened(self) -> Terminal | None:
        """Also the one that was still being opened when the client left."""
        if self._opening is None:
            return None
        with contextlib.suppress(LaunchError):
            return await self._opening
        return None

    # ---- to the client

    async def _talk(self, open_terminal: OpenTerminal) -> None:
        await self._deliver(PayloadType.HANDSHAKE_REQUEST, _handshake_request())
        await self._shaken.wait()
        await self._deliver(PayloadType.HANDSHAKE_COMPLETE, _handshake_complete())
        try:
            self._opening = asyncio.ensure_future(asyncio.to_thread(open_terminal, self._session))
            self._terminal = await asyncio.shield(self._opening)
        except LaunchError as error:
            await self._close(error.reason)
            return
        self._begun.set()
        output = _follow(self._terminal)
        while content := await output.get():
            for start in range(0, len(content), messages.MOST_OUTPUT):
                block = content[start : start + messages.MOST_OUTPUT]
                await self._deliver(PayloadType.OUTPUT, block)
        await self._close("")

    async def _deliver(self, payload_type: PayloadType, payload: bytes) -> None:
        """One message, again and again until the client says that it has it."""
        message = ChannelMessage(
            type=MessageType.OUTPUT,
            sequence=self._sent,
            payload_type=payload_type,
            payload=payload,
            id=uuid.uuid4(),
        )
        self._acknowledged.clear()
        while not self._acknowledged.is_set():
            await self._write(message)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._acknowledged.wait(), _RESEND_AFTER)
        self._sent += 1

    async def _close(self, output: str) -> None:
        """`output` is why the session did not begin; the client prints it."""
        content = {
            "MessageId": str(uuid.uuid4()),
            "CreatedDate": str(_milliseconds()),
            "DestinationId": self._session.id,
            "SessionId": self._session.id,
            "MessageType": MessageType.CLOSED,
            "SchemaVersion": 1,
            "Output": output,
        }
        payload = json.dumps(content).encode()
        await self._write(ChannelMessage(type=MessageType.CLOSED, payload=payload, id=uuid.uuid4()))
        await self._send({"type": "websocket.close", "code": 1000})

    async def _write(self, message: ChannelMessage) -> None:
        content = messages.encode(message, created_at=_milliseconds())
        await self._send({"type": "websocket.send", "bytes": content})

    # ---- from the client

    async def _read(self) -> None:
        """Until the client is gone, or ends the session."""
        while (received := await self._receive())["type"] == "websocket.receive":
            try:
                message = messages.decode(received.get("bytes") or b"")
            except MalformedMessageError:
                continue  # as the agent does: what was not acknowledged comes again
            if message.type == MessageType.ACKNOWLEDGE:
                if messages.acknowledged_sequence(message) == self._sent:
                    self._acknowledged.set()
            elif message.type == MessageType.INPUT:
                await self._write(messages.acknowledge(message, new_id=uuid.uuid4()))
                if message.sequence != self._expected:
                    continue  # it came before
                self._expected += 1
                if await self._take(message):
                    return

    async def _take(self, message: ChannelMessage) -> bool:
        """Whether the client ends the session with it."""
        if message.payload_type == PayloadType.HANDSHAKE_RESPONSE:
            self._shaken.set()
        elif message.payload_type == PayloadType.FLAG:
            return message.payload == messages.TERMINATE_SESSION
        else:
            await self._begun.wait()
            await asyncio.to_thread(self._use_terminal, message)
        return False

    def _use_terminal(self, message: ChannelMessage) -> None:
        if self._terminal is None:
            return
        if message.payload_type == PayloadType.OUTPUT:
            self._terminal.write(message.payload)
        elif message.payload_type == PayloadType.SIZE:
            size = messages.terminal_size(message.payload)
            if size is not None:
                self._terminal.resize(*size)


def _follow(terminal: Terminal) -> asyncio.Queue[bytes]:
    """What the terminal prints, then b"" once. Read in a thread of its own."""
    loop = asyncio.get_running_loop()
    output: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED)

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            while content := terminal.read():
                asyncio.run_coroutine_threadsafe(output.put(content), loop).result()
            asyncio.run_coroutine_threadsafe(output.put(b""), loop).result()

    threading.Thread(target=read, name="session output", daemon=True).start()
    return output


def _handshake_request() -> bytes:
    session_type = {
        "ActionType": "SessionType",
        "ActionParameters": {"SessionType": "InteractiveCommands", "Properties": {}},
    }
    content = {"AgentVersion": _AGENT_VERSION, "RequestedClientActions": [session_type]}
    return json.dumps(content).encode()


def _handshake_complete() -> bytes:
    return json.dumps({"HandshakeTimeToComplete": 0, "CustomerMessage": ""}).encode()


def _milliseconds() -> int:
    return int(time.time() * 1000)
