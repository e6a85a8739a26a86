"""The agent's end of a data channel, with a client and a terminal of the test's own."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from typing import Any

import pytest

from fsd_local.sessions import messages
from fsd_local.sessions.channel import DataChannels
from fsd_local.sessions.messages import ChannelMessage, MessageType, PayloadType
from fsd_local.sessions.store import DATA_CHANNEL, Session, Sessions


class FakeTerminal:
    """Prints nothing until it is closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def read(self) -> bytes:
        self.closed.wait()
        return b""

    def write(self, content: bytes) -> None: ...

    def resize(self, columns: int, rows: int) -> None: ...

    def close(self) -> None:
        self.closed.set()


class Client:
    """Says what it is told to, acknowledges all that comes, and leaves when `gone` is set."""

    def __init__(self, *first: dict[str, Any]) -> None:
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.heard: list[dict[str, Any]] = []
        for message in ({"type": "websocket.connect"}, *first):
            self.said.put_nowait(message)

    async def send(self, message: dict[str, Any]) -> None:
        self.heard.append(message)
        content = message.get("bytes")
        if content is None:
            return
        heard = messages.decode(content)
        if heard.type == MessageType.OUTPUT:
            self._say(messages.acknowledge(heard, new_id=uuid.uuid4()))
        if heard.payload_type == PayloadType.HANDSHAKE_REQUEST:
            self._say(
                ChannelMessage(
                    type=MessageType.INPUT,
                    payload_type=PayloadType.HANDSHAKE_RESPONSE,
                    payload=b"{}",
                    id=uuid.uuid4(),
                )
            )

    def _say(self, message: ChannelMessage) -> None:
        content = messages.encode(message, created_at=0)
        self.said.put_nowait({"type": "websocket.receive", "bytes": content})


def open_session() -> tuple[Sessions, Session]:
    sessions = Sessions("ws://127.0.0.1:1")
    return sessions, sessions.open(task_id="t", container="c", command=("sh",))


def test_serve__client_that_leaves_while_its_terminal_is_opened__the_terminal_is_closed() -> None:
    sessions, session = open_session()
    is_opening, may_open = threading.Event(), threading.Event()
    terminal = FakeTerminal()

    def open_terminal(opened: Session) -> FakeTerminal:
        assert opened == session
        is_opening.set()
        may_open.wait()
        return terminal

    async def leave_early() -> None:
        client = Client(
            {"type": "websocket.receive", "text": json.dumps({"TokenValue": session.token})}
        )
        path = f"{DATA_CHANNEL}{session.id}"
        serving = asyncio.create_task(
            DataChannels(sessions, open_terminal).serve(
                {"path": path}, client.said.get, client.send
            )
        )
        await asyncio.to_thread(is_opening.wait)
        client.said.put_nowait({"type": "websocket.disconnect"})
        await asyncio.sleep(0)
        may_open.set()
        await serving

    asyncio.run(leave_early())

    assert terminal.closed.is_set()


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", "[" * 100_000, '{"TokenValue": 1}', '{"TokenValue": "\\ud800"}',
     '{"TokenValue": "\u00e9"}', '{"TokenValue": ' + "9" * 5_000 + "}"],
)  # fmt: skip
def test_serve__first_message_without_the_token__is_refused(text: str) -> None:
    sessions, session = open_session()

    async def introduce() -> Client:
        client = Client({"type": "websocket.receive", "text": text})
        scope = {"path": f"{DATA_CHANNEL}{session.id}"}
        await DataChannels(sessions, lambda _: FakeTerminal()).serve(
            scope, client.said.get, client.send
        )
        return client

    client = asyncio.run(introduce())

    assert client.heard[-1] == {"type": "websocket.close", "code": 1008}
    assert sessions.take(session.id, session.token) == session
