"""A gRPC server of the standard library only, as a task or a test may run it.

It understands what a client says as far as it must: where a request ends. Every call is answered
with the message that health services call SERVING, and with the status that it is told to answer.
"""

from __future__ import annotations

import os
import socket
import socketserver
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING = 0, 1, 4, 6
END_STREAM, END_HEADERS, ACK = 1, 4, 1
SERVING = b"\x00\x00\x00\x00\x02\x08\x01"


def literal(name: bytes, value: bytes) -> bytes:
    """A header that is not indexed, without Huffman codes: RFC 7541, section 6.2.2."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return (
        struct.pack(">I", len(payload))[1:]
        + bytes([kind, flags])
        + struct.pack(">I", stream)
        + payload
    )


def answer(stream: int, status: int) -> bytes:
    head = b"\x88" + literal(b"content-type", b"application/grpc")  # \x88 is `:status: 200`
    trailers = literal(b"grpc-status", str(status).encode())
    return (
        frame(HEADERS, END_HEADERS, stream, head)
        + frame(DATA, 0, stream, SERVING)
        + frame(HEADERS, END_HEADERS | END_STREAM, stream, trailers)
    )


class Connection(socketserver.BaseRequestHandler):
    server: GrpcTarget

    def handle(self) -> None:
        if self._read(len(PREFACE)) != PREFACE:
            return
        self.request.sendall(frame(SETTINGS, 0, 0, b""))
        while header := self._read(9):
            length, kind, flags = int.from_bytes(header[:3], "big"), header[3], header[4]
            stream = int.from_bytes(header[5:9], "big")
            payload = self._read(length)
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.request.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
            elif kind in (DATA, HEADERS) and flags & END_STREAM:
                self.server.calls += 1
                self.request.sendall(answer(stream, self.server.status))

    def _read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            more = self.request.recv(size - len(found))
            if not more:
                return b""
            found += more
        return found


class GrpcTarget(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], status: int = 0) -> None:
        super().__init__(address, Connection)
        self.status = status
        self.calls = 0

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Without the error of a client that closed first."""
        self.close_request(request)


if __name__ == "__main__":
    GrpcTarget(
        ("0.0.0.0", int(os.environ.get("PORT", "50051"))),
        int(os.environ.get("GRPC_STATUS", "0")),
    ).serve_forever()
