"""A client of a data channel, for whoever has no session-manager-plugin."""

from __future__ import annotations

import contextlib
import json
import math
import os
import selectors
import shutil
import socket
import sys
import termios
import time
import tty
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    RejectConnection,
    Request,
    TextMessage,
)

from fsd_local.errors import LocalCode, LocalError
from fsd_local.sessions import messages
from fsd_local.sessions.messages import ChannelMessage, MessageType, PayloadType

Show = Callable[[bytes], None]

_BLOCK = 1 << 16
_END_OF_LINE = b"\n"
_END_OF_INPUT = b"\x04"  # what a terminal's user types to end a shell
# Seconds from one end of the input to the next, doubled each time up to the most.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_LOOK_AT_SIZE = 0.5  # seconds between two looks at the terminal's size
_DEFAULT_SIZE = (300, 100)  # as the session-manager-plugin has it where there is no terminal


def attach(*, stream_url: str, token: str, show: Show | None = None) -> None:
    """Connect this process's terminal to the session until it ends.

    `show` gets what the session prints, instead of standard output. Raises LocalError where the
    session does not begin.
    """
    _Client(stream_url, token, show or _print).run()


class _Client:
    def __init__(self, stream_url: str, token: str, show: Show) -> None:
        self._show = show
        self._url = urlsplit(stream_url)
        self._token = token
        self._socket = socket.create_connection(
            (self._url.hostname or "127.0.0.1", self._url.port or 80)
        )
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._sent = 0
        self._expected = 0
        self._is_open = True
        self._is_ready = False  # the session has begun
        self._size: os.terminal_size | None = None  # as it was told
        self._waiting: list[bytes] = []  # parts of a message
        self._last = b""  # of what was typed, one byte
        self._end_at = math.inf  # when the end of the input is typed
        self._pause = _FIRST_PAUSE

    def run(self) -> None:
        # Not epoll: it does not take a file or /dev/null as standard input.
        with self._socket, _raw_terminal(), selectors.SelectSelector() as selector:
            self._send(Request(host=self._url.netloc, target=f"{self._url.path}?{self._url.query}"))
            selector.register(self._socket, selectors.EVENT_READ)
            while self._is_open:
                for key, _ in selector.select(_LOOK_AT_SIZE):
                    if key.fileobj is self._socket:
                        self._read_socket(selector)
                    else:
                        self._read_terminal(selector)
                self._send_size()
                self._send_end()

    # ---- the terminal

    def _read_terminal(self, selector: selectors.BaseSelector) -> None:
        content = os.read(sys.stdin.fileno(), messages.MOST_OUTPUT)
        if content:
            self._last = content[-1:]
        else:
            selector.unregister(sys.stdin)
            self._end_at = time.monotonic()
            content = b"" if self._last in (b"", _END_OF_LINE) else _END_OF_LINE
        if content:
            self._deliver(PayloadType.OUTPUT, content)

    def _send_end(self) -> None:
        """Again until the session ends. A terminal gives the end to one reader only, so that `cat`
        takes it from the shell that started it; and one that is typed while no shell reads is lost,
        because a shell that edits its line switches the terminal's mode.
        https://man7.org/linux/man-pages/man3/termios.3.html (canonical and noncanonical mode)
        """
        now = time.monotonic()
        if self._is_open and now >= self._end_at:
            self._deliver(PayloadType.OUTPUT, _END_OF_INPUT)
            self._end_at, self._pause = now + self._pause, min(2 * self._pause, _LONGEST_PAUSE)

    def _send_size(self) -> None:
        size = shutil.get_terminal_size(_DEFAULT_SIZE)
        if self._is_ready and self._is_open and size != self._size:
            self._size = size
            content = {"cols": size.columns, "rows": size.lines}
            self._deliver(PayloadType.SIZE, json.dumps(content).encode())

    # ---- the socket

    def _read_socket(self, selector: selectors.BaseSelector) -> None:
        try:
            content = self._socket.recv(_BLOCK)
        except OSError:
            content = b""
        self._connection.receive_data(content or None)
        for event in self._connection.events():
            self._handle(event, selector)
        if not content:
            self._is_open = False

    def _handle(self, event: Event, selector: selectors.BaseSelector) -> None:
        if isinstance(event, AcceptConnection):
            self._send(TextMessage(data=self._introduction()))
        elif isinstance(event, RejectConnection | CloseConnection):
            if not self._is_ready:
                raise _not_begun("the embedded AWS does not know the session")
            self._is_open = False
        elif isinstance(event, BytesMessage):
            self._waiting.append(bytes(event.data))
            if event.message_finished:
                whole, self._waiting = b"".join(self._waiting), []
                self._take(messages.decode(whole), selector)

    def _take(self, message: ChannelMessage, selector: selectors.BaseSelector) -> None:
        if message.type == MessageType.CLOSED:
            self._is_open = False
            said = json.loads(message.payload).get("Output")
            if said:
                raise _not_begun(said)
        elif message.type == MessageType.OUTPUT:
            self._write(messages.acknowledge(message, new_id=uuid.uuid4()))
            if message.sequence == self._expected:
                self._expected += 1
                self._take_output(message, selector)

    def _take_output(self, message: ChannelMessage, selector: selectors.BaseSelector) -> None:
        if message.payload_type == PayloadType.OUTPUT:
            self._show(message.payload)
        elif message.payload_type == PayloadType.HANDSHAKE_REQUEST:
            self._deliver(PayloadType.HANDSHAKE_RESPONSE, _handshake_response())
        elif message.payload_type == PayloadType.HANDSHAKE_COMPLETE:
            self._is_ready = True
            self._send_size()
            selector.register(sys.stdin, selectors.EVENT_READ)

    def _introduction(self) -> str:
        return json.dumps(
            {
                "MessageSchemaVersion": "1.0",
                "RequestId": str(uuid.uuid4()),
                "TokenValue": self._token,
                "ClientId": str(uuid.uuid4()),
                "ClientVersion": "1.2.0.0",
            }
        )

    def _deliver(self, payload_type: PayloadType, payload: bytes) -> None:
        message = ChannelMessage(
            type=MessageType.INPUT,
            sequence=self._sent,
            payload_type=payload_type,
            payload=payload,
            id=uuid.uuid4(),
        )
        self._sent += 1
        self._write(message)

    def _write(self, message: ChannelMessage) -> None:
        content = messages.encode(message, created_at=int(time.time() * 1000))
        self._send(Message(data=content))

    def _send(self, event: Event) -> None:
        """A server that closed the session has said why, and that is still to be read."""
        content = self._connection.send(event)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(content)


@contextlib.contextmanager
def _raw_terminal() -> Iterator[None]:
    """Every key goes to the session, Ctrl-C too. Where there is no terminal, nothing changes."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor, termios.TCSADRAIN)  # what was typed already counts
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _print(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _handshake_response() -> bytes:
    done = {"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": None, "Error": ""}
    content = {"ClientVersion": "1.2.0.0", "ProcessedClientActions": [done], "Errors": []}
    return json.dumps(content).encode()


def _not_begun(reason: str) -> LocalError:
    return LocalError(
        f"the session did not begin: {reason}",
        where="ecs:ExecuteCommand",
        fix="check the command, and that the task still runs",
        code=LocalCode.SESSION_NOT_BEGUN,
    )
