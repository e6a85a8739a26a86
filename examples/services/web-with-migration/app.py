"""Notes in SQLite: how many there are, and whether the table is as this code needs it."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def count_notes() -> int:
    with closing(sqlite3.connect(os.environ["DATABASE"])) as database:
        (count,) = database.execute("SELECT count(title) FROM notes").fetchone()
        return int(count)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            status, body = 200, f"{count_notes()} notes\n".encode()
        except sqlite3.Error as error:
            sys.stdout.write(f"database: {error}\n")
            status, body = 500, b"the database is not ready\n"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are the load balancer's to log."""


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()


if __name__ == "__main__":
    main()
