"""Real HTTP servers to be targets, and a bounded wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Target(ThreadingHTTPServer):
    """Answers every GET and POST with `status` and its name; the path `/slow` waits for `go`."""

    daemon_threads = True

    def __init__(self, name: str = "target", *, address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), _Handler)
        self.name = name
        self.status = 200
        self.go = threading.Event()
        self.entered = threading.Event()
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Target

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.command, self.path, headers, body))
        if self.path == "/slow":
            self.server.entered.set()
            self.server.go.wait(10)
        answer = self.server.name.encode() + body
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Custom", "kept")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def serving(name: str = "target", *, address: str = "127.0.0.1") -> Iterator[Target]:
    target = Target(name, address=address)
    thread = threading.Thread(target=target.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield target
    finally:
        target.go.set()
        target.shutdown()
        target.server_close()
        thread.join()
