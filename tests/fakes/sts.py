"""STS on a loopback port, answering from a script; it keeps what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    parameters: dict[str, str]
    headers: dict[str, str]

    @property
    def is_signed(self) -> bool:
        return "authorization" in self.headers

    @property
    def access_key(self) -> str:
        """Of the signature: `… Credential=<key>/…`."""
        return self.headers.get("authorization", "").partition("Credential=")[2].partition("/")[0]


@dataclass(slots=True)
class FakeSts:
    """Answers each request with the next of the script; the last one stays."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    script: list[tuple[int, str]] = field(default_factory=list)
    hang: threading.Event | None = None

    def will_say(self, *answers: tuple[int, str]) -> None:
        self.script = list(answers)

    def next(self) -> tuple[int, str]:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def session(
    action: str, key: str, *, lasting: timedelta = timedelta(hours=1), arn: str = ""
) -> tuple[int, str]:
    """The answer of AssumeRole or AssumeRoleWithWebIdentity; it names its user where `arn` does."""
    user = f"<AssumedRoleUser><Arn>{arn}</Arn></AssumedRoleUser>" if arn else ""
    expires = (datetime.now(UTC) + lasting).strftime("%Y-%m-%dT%H:%M:%SZ")
    return 200, (
        f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result><Credentials>'
        f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey>"
        f"<SessionToken>session-of-{key}</SessionToken><Expiration>{expires}</Expiration>"
        f"</Credentials>{user}</{action}Result></{action}Response>"
    )


def identity(account: str, arn: str) -> tuple[int, str]:
    return 200, (
        f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}"><GetCallerIdentityResult>'
        f"<Arn>{arn}</Arn><UserId>U</UserId><Account>{account}</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )


def refusal(code: str, message: str, *, status: int = 403) -> tuple[int, str]:
    return status, (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{message}</Message></Error></ErrorResponse>"
    )


@contextmanager
def serve() -> Iterator[FakeSts]:
    fake = FakeSts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = parse_qs(self.rfile.read(length).decode())
            fake.asked.append(
                Asked(
                    parameters={key: values[0] for key, values in body.items()},
                    headers={key.lower(): value for key, value in self.headers.items()},
                )
            )
            if fake.hang is not None:
                fake.hang.wait(20)
                self.close_connection = True
                return
            status, text = fake.next()
            payload = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        if fake.hang is not None:
            fake.hang.set()
        server.shutdown()
        server.server_close()
        thread.join()
