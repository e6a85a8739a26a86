"""A session whose server has gone when the client still has something to say."""

from __future__ import annotations

import socket
import struct

import pytest
from wsproto.events import Request

from fsd_local.sessions.client import _Client


def test_send__server_reset_the_connection__is_no_broken_output() -> None:
    """Click takes an EPIPE for a closed standard output, and ends with 1 and no word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        client = _Client(f"ws://{address}/session", "token", lambda _: None)
        accepted, _ = server.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()
        with client._socket:
            client._send(Request(host=address, target="/session"))
            with pytest.raises(OSError, match="not connected"):  # it is gone indeed
                client._socket.shutdown(socket.SHUT_RDWR)
