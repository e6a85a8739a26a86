"""The embedded AWS behind a proxy that hides what only it has: to FSD it is just an AWS."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def plain_aws(
    endpoint: str, *, denied: frozenset[str] | set[str] = frozenset(), embedded: bool = False
) -> Iterator[str]:
    """Yield an endpoint that answers AWS's APIs, and 404 below /_fsd unless `embedded`.

    Operations in `denied` are answered as IAM does.
    """
    upstream = endpoint.removeprefix("http://")

    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._forward()

        def do_GET(self) -> None:
            self._forward()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

        def _forward(self) -> None:
            if self.path.startswith("/_fsd") and not embedded:
                self.send_error(404)
                return
            operation = self.headers.get("x-amz-target", "").rpartition(".")[2]
            if operation in denied:
                self._deny(operation)
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            connection = http.client.HTTPConnection(upstream, timeout=30)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _deny(self, operation: str) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            message = f"User: me is not authorized to perform: ecs:{operation}"
            content = json.dumps({"__type": "AccessDeniedException", "message": message}).encode()
            self.send_response(400)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
