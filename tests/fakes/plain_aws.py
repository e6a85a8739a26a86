"""The embedded AWS behind a proxy that hides what only it has: to FSD it is just an AWS.

A gate may also look at each call, and lose it or its answer.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs


class Gate(Protocol):
    """Asked at both ends of each AWS call; False ends the connection without an answer."""

    def forwards(self, operation: str) -> bool: ...

    def answers(self, operation: str) -> bool: ...


class _Open:
    def forwards(self, operation: str) -> bool:
        del operation
        return True

    answers = forwards


@contextmanager
def plain_aws(
    endpoint: str,
    *,
    denied: frozenset[str] | set[str] = frozenset(),
    refused: dict[str, list[str]] | None = None,
    embedded: bool = False,
    gate: Gate | None = None,
) -> Iterator[str]:
    """Yield an endpoint that answers AWS's APIs, and 404 below /_fsd unless `embedded`.

    Operations in `denied` are answered as IAM does. Each message in `refused` is ECS's answer to
    one call of that operation, an InvalidParameterException; it is taken out of the list.
    """
    server = _Server(endpoint.removeprefix("http://"), frozenset(denied), embedded, gate or _Open())
    server.refused = {} if refused is None else refused
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def __init__(self, upstream: str, denied: frozenset[str], embedded: bool, gate: Gate) -> None:
        super().__init__(("127.0.0.1", 0), _Proxy)
        self.refused: dict[str, list[str]] = {}
        self.upstream = upstream
        self.denied = denied
        self.embedded = embedded
        self.gate = gate

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed, or interrupted, is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Proxy(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.startswith("/_fsd"):
            self._forward_own(body)
            return
        operation = self._operation(body)
        if operation in self.server.denied:
            message = f"User: me is not authorized to perform: ecs:{operation}"
            self._refuse("AccessDeniedException", message)
        elif self.server.refused.get(operation):
            self._refuse("InvalidParameterException", self.server.refused[operation].pop(0))
        elif self.server.gate.forwards(operation):
            answer, content = self._ask(body)
            if self.server.gate.answers(operation):
                self._answer(answer, content)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        del format, args

    def _forward_own(self, body: bytes) -> None:
        if self.server.embedded:
            self._answer(*self._ask(body))
        else:
            self.send_error(404)

    def _operation(self, body: bytes) -> str:
        """The JSON protocols' header, or the query protocols' field."""
        target = self.headers.get("x-amz-target", "").rpartition(".")[2]
        return str(target) or parse_qs(body.decode("latin-1")).get("Action", [""])[0]

    def _ask(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(self.server.upstream, timeout=120)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def _answer(self, answer: http.client.HTTPResponse, content: bytes) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, code: str, message: str) -> None:
        content = json.dumps({"__type": code, "message": message}).encode()
        self.send_response(400)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
