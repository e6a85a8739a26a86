"""The service of the table: a web server whose faults are planted by its environment.

EXITS=3              ends at once with this code
EXITS_AFTER=4        ends, with that code, when so many health checks were answered
STARTS_AFTER=3       seconds until it listens; `never` for one that does not
STATUS=500           what /health answers
HANGS=1              /health gets no answer
EATS=1               takes all memory that it can get
VERSION=v1           is in the header Version of each answer
"""

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EXITS = int(os.environ.get("EXITS", "0"))
EXITS_AFTER = int(os.environ.get("EXITS_AFTER", "0"))
FOREVER = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answered = 0

    def do_GET(self) -> None:
        if os.environ.get("HANGS"):
            FOREVER.wait()
        status = 200 if self.path == "/" else 404
        self.send_response(
            int(os.environ.get("STATUS", "200")) if self.path == "/health" else status
        )
        self.send_header("Content-Length", "0")
        self.send_header("Version", os.environ.get("VERSION", ""))
        self.end_headers()
        Handler.answered += self.path == "/health"
        if EXITS_AFTER and Handler.answered >= EXITS_AFTER:
            os._exit(EXITS)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A health check that hangs up is no news."""


def main() -> None:
    if "EXITS" in os.environ and not EXITS_AFTER:
        sys.exit(EXITS)
    if os.environ.get("EATS"):
        eaten = []
        while True:
            eaten.append(b"x" * 10_000_000)
    starts_after = os.environ.get("STARTS_AFTER", "0")
    FOREVER.wait(None if starts_after == "never" else float(starts_after))
    Server(("0.0.0.0", 8000), Handler).serve_forever()


if __name__ == "__main__":
    main()
