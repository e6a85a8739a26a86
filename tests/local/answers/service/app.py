"""A small service that does what people's services do wrong; FAULT says which.

It says where it listens in the words of the servers that do it so.
"""

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULT = os.environ.get("FAULT", "")
STATUS = {"host": 400, "redirect": 301, "login": 401, "missing": 404, "error": 500}


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        host = self.headers.get("Host", "")
        status = STATUS.get(FAULT, 200)
        if status == 400:  # Django, with ALLOWED_HOSTS = ["example.com"]
            say(f"Invalid HTTP_HOST header: '{host}'. You may need to add it to ALLOWED_HOSTS.")
        if status == 500:
            say('Traceback (most recent call last):\n  File "/app/app.py", line 9')
            say("RuntimeError: the model is not loaded")
        self.send_response(status)
        if status == 301:
            self.send_header("Location", self.path + "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        del format
        say(f'INFO: 10.0.0.1:4000 - "{self.command} {self.path} HTTP/1.1" {args[1]}')


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A health check that hangs up is no news."""


def main() -> None:
    if FAULT == "import":
        __import__("package_that_is_not_there")
    if FAULT == "variable":
        os.environ["DATABASE_URL"]
    if FAULT == "silent-end":
        sys.exit(3)
    if FAULT == "never":
        say("loading the model")
        threading.Event().wait()
    if FAULT == "silence":
        threading.Event().wait()
    host = "127.0.0.1" if FAULT == "loopback" else "0.0.0.0"
    port = 8001 if FAULT == "port" else 8000
    server = Server((host, port), Handler)
    say(f"INFO:     Uvicorn running on http://{host}:{port} (Press CTRL+C to quit)")
    server.serve_forever()


if __name__ == "__main__":
    main()
