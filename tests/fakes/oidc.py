"""GitHub's OIDC issuer on loopback: signed tokens for a job, and the keys to check them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.fakes.loopback import serve

REQUEST_TOKEN = "runtime-token-of-the-job"
_KEY_ID = "loopback"


@dataclass(kw_only=True)
class Issuer:
    """The issuer's state. `fail(503)` makes the next requests fail, one each."""

    claims: dict[str, str] = field(
        default_factory=lambda: {
            "sub": "repo:org/hello:environment:dev",
            "repository": "org/hello",
            "ref": "refs/heads/staging",
        }
    )
    url: str = ""
    name: str = ""  # what its tokens say of who issued them; its own address without
    tokens: list[str] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    redirect_to: str = ""
    audiences: list[str] = field(default_factory=list)
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    @property
    def request_url(self) -> str:
        """As the runner gives it: with a query of its own."""
        return f"{self.url}/token?api-version=2.0"

    def fail(self, *statuses: int) -> None:
        self.failures.extend(statuses)

    def issue(self, audience: str) -> str:
        now = int(time.time())
        claims = {
            **self.claims,
            "iss": self.name or self.url,
            "aud": audience,
            "iat": now,
            "exp": now + 300,
        }
        head = _encode({"alg": "RS256", "typ": "JWT", "kid": _KEY_ID})
        signed = f"{head}.{_encode(claims)}"
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        token = f"{signed}.{_text(signature)}"
        self.tokens.append(token)
        return token

    def verify(self, token: str) -> dict[str, str]:
        """The claims; raises where the signature is not this issuer's."""
        signed, _, signature = token.rpartition(".")
        public = self.key.public_key()
        public.verify(_bytes(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        claims: dict[str, str] = json.loads(_bytes(signed.split(".")[1]))
        return claims

    def jwks(self) -> dict[str, object]:
        numbers = self.key.public_key().public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "alg": "RS256",
                    "kid": _KEY_ID,
                    "n": _text(numbers.n.to_bytes(size, "big")),
                    "e": _text(numbers.e.to_bytes(3, "big")),
                }
            ]
        }


@contextmanager
def serve_issuer(issuer: Issuer | None = None) -> Iterator[Issuer]:
    state = issuer or Issuer()
    with serve(_handler(state)) as state.url:
        yield state


Answer = tuple[HTTPStatus, dict[str, object], dict[str, str]]


def _route(issuer: Issuer, target: str, authorization: str) -> Answer:
    parts = urlsplit(target)
    match parts.path:
        case "/.well-known/openid-configuration":
            keys = f"{issuer.url}/.well-known/jwks"
            return HTTPStatus.OK, {"issuer": issuer.url, "jwks_uri": keys}, {}
        case "/.well-known/jwks":
            return HTTPStatus.OK, issuer.jwks(), {}
        case "/token":
            return _token(issuer, parse_qs(parts.query), authorization)
    return HTTPStatus.NOT_FOUND, {}, {}


def _token(issuer: Issuer, query: dict[str, list[str]], authorization: str) -> Answer:
    if issuer.redirect_to:
        return HTTPStatus.FOUND, {}, {"Location": issuer.redirect_to}
    if issuer.failures:
        return HTTPStatus(issuer.failures.pop(0)), {}, {}
    if authorization != f"Bearer {REQUEST_TOKEN}":
        return HTTPStatus.UNAUTHORIZED, {}, {}
    audience = query.get("audience", [""])[0]
    issuer.audiences.append(audience)
    return HTTPStatus.OK, {"value": issuer.issue(audience)}, {}


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, headers = _route(
                issuer, self.path, self.headers.get("Authorization") or ""
            )
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    return Handler


def _encode(value: dict[str, object]) -> str:
    return _text(json.dumps(value).encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
