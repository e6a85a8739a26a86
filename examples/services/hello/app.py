"""A small HTTP service with nothing but the standard library: FSD's example, demo and test.

    GET /          who answers: {"service": "hello", "version": "v1", "task": "127.77.0.2:8000"}
    GET /health    200, or 500 with the reason

HOST and PORT say where it listens, VERSION what it calls itself. To see what a bad release looks
like, HELLO_BROKEN_HEALTH=1 makes /health fail and HELLO_CRASH=1 makes the start fail.
"""

from __future__ import annotations

import json
import os
import signal
import socketserver
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from types import FrameType


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    host: str
    port: int
    service: str
    version: str
    database: str
    breaks_health: bool
    breaks_start: bool


def load_settings(environment: Mapping[str, str]) -> Settings:
    return Settings(
        host=environment.get("HOST", "0.0.0.0"),
        port=int(environment.get("PORT", "8000")),
        service=environment.get("SERVICE_NAME", "hello"),
        version=environment.get("VERSION", "dev"),
        database=environment.get("DATABASE_HOST", "db.internal:5432"),
        breaks_health=environment.get("HELLO_BROKEN_HEALTH") == "1",
        breaks_start=environment.get("HELLO_CRASH") == "1",
    )


class Server(socketserver.ThreadingTCPServer):
    """Its threads are not daemons, so `server_close` waits for the requests in flight."""

    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__((settings.host, settings.port), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 10  # seconds that a silent client may hold a thread, and with it the shutdown

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/":
            self._answer(HTTPStatus.OK, self._greeting())
        elif path == "/health":
            self._answer_health()
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"no such path: {path}"})

    def _greeting(self) -> dict[str, str]:
        settings = self.server.settings
        host, port = self.connection.getsockname()[:2]
        return {
            "service": settings.service,
            "version": settings.version,
            "task": f"{host}:{port}",
        }

    def _answer_health(self) -> None:
        settings = self.server.settings
        try:
            check_database(settings.database, broken=settings.breaks_health)
        except ConnectionError as error:
            log(f"health: {type(error).__name__}: {error}")
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"status": "failing"})
        else:
            self._answer(HTTPStatus.OK, {"status": "ok"})

    def _answer(self, status: HTTPStatus, body: Mapping[str, str]) -> None:
        payload = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        del size
        number = code.value if isinstance(code, HTTPStatus) else code
        log(f"{self.client_address[0]} {self.command} {self.path} {number}")

    def log_message(self, format: str, *args: object) -> None:
        log(format % args)


def check_database(host: str, *, broken: bool) -> None:
    """Stands for what a real health check looks at; refuses where it was asked to be broken."""
    if broken:
        raise ConnectionRefusedError(f'connection to server at "{host}" failed: refused')


def log(text: str) -> None:
    sys.stdout.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")
    sys.stdout.flush()


def serve(settings: Settings) -> None:
    """Answer until SIGTERM or SIGINT, then finish the requests in flight and return."""
    check_database(settings.database, broken=settings.breaks_start)
    with Server(settings) as server:

        def stop(number: int, frame: FrameType | None) -> None:
            del frame
            log(f"{signal.Signals(number).name}: finishing the requests in flight")
            # shutdown() waits for serve_forever, which this very thread is running.
            threading.Thread(target=server.shutdown).start()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        host, port = server.server_address[:2]
        log(f"{settings.service} {settings.version} listens on {host!s}:{port}")
        server.serve_forever(poll_interval=0.1)
    log("stopped")


if __name__ == "__main__":
    serve(load_settings(os.environ))
