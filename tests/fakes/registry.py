"""A registry on loopback: real HTTP, the push and pull part of the distribution specification.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fsd.release.ports import RegistryImage, Repository

_BLOB = re.compile(r"/v2/(?P<name>.+)/blobs/(?P<digest>sha256:[0-9a-f]{64})")
_UPLOADS = re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<id>[0-9a-f-]*)")
_MANIFEST = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")


@dataclass
class Manifest:
    media_type: str
    body: bytes


@dataclass
class _Uploaded:
    content: bytearray = field(default_factory=bytearray)


class FakeRegistry(ThreadingHTTPServer):
    """Any repository exists. `password`: what a client must show; "" takes anyone."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[tuple[str, str], Manifest] = {}
        self.uploads: dict[str, _Uploaded] = {}
        self.requests: list[tuple[str, str]] = []
        self.password = ""
        self.denies_pushes = False
        self.failures: list[tuple[str, int]] = []
        self.lock = threading.Lock()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}"

    def deny_pushes(self) -> None:
        self.denies_pushes = True

    def fail(self, method: str, status: int, *, times: int = 1) -> None:
        """The next requests of that method; status 0 ends the connection without an answer."""
        self.failures += [(method, status)] * times

    def require_password(self, password: str) -> None:
        self.password = password

    def digest_of(self, name: str, reference: str) -> str | None:
        found = self.manifests.get((name, reference))
        return _sha256(found.body) if found else None

    def config_of(self, name: str, reference: str) -> Any:
        manifest = json.loads(self.manifests[name, reference].body)
        return json.loads(self.blobs[manifest["config"]["digest"]])

    def layer_of(self, name: str, reference: str) -> bytes:
        """The last layer, compressed."""
        manifest = json.loads(self.manifests[name, reference].body)
        return self.blobs[manifest["layers"][-1]["digest"]]

    def uploaded(self) -> list[str]:
        """Paths of the requests that wrote."""
        return [path for method, path in self.requests if method in ("PUT", "POST", "PATCH")]


@contextmanager
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@dataclass
class FakeEcr:
    """`fsd.release.ports.Registry` over a FakeRegistry."""

    server: FakeRegistry
    user: str = "AWS"
    password: str = "token"
    forgets: bool = False  # whether it says that no image is there
    asked: list[tuple[str, str]] = field(default_factory=list)

    def repository(self, name: str) -> Repository:
        return Repository(name=name, uri=f"{self.server.host}/{name}")

    def find_repository(self, name: str) -> Repository | None:
        return self.repository(name)

    def create_repository(self, name: str, *, tags: Mapping[str, str]) -> Repository:
        del tags
        return self.repository(name)

    def delete_repository(self, name: str) -> None:
        for key in [key for key in self.server.manifests if key[0] == name]:
            del self.server.manifests[key]

    def read_tags(self, repository: Repository) -> Mapping[str, str]:
        del repository
        return {}

    def find_image(
        self, repository: str, tag_or_digest: str, *, account: str = "", region: str = ""
    ) -> RegistryImage | None:
        del account, region
        self.asked.append((repository, tag_or_digest))
        digest = self.server.digest_of(repository, tag_or_digest)
        return None if self.forgets or digest is None else RegistryImage(digest=digest)

    def tag_digest(self, repository: str, *, digest: str, tag: str) -> None:
        self.server.manifests[repository, tag] = self.server.manifests[repository, digest]

    def login(self) -> tuple[str, str, str]:
        return self.user, self.password, self.server.endpoint


class _Handler(BaseHTTPRequestHandler):
    server: FakeRegistry
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._read(with_body=True)

    def do_HEAD(self) -> None:
        self._read(with_body=False)

    def do_POST(self) -> None:
        body = self._body()
        if self._is_refused():
            return
        if match := _UPLOADS.fullmatch(urlsplit(self.path).path):
            identifier = str(uuid.uuid4())
            self.server.uploads[identifier] = _Uploaded(bytearray(body))
            self._accepted(match["name"], identifier)
        else:
            self._error(404, "UNSUPPORTED")

    def do_PATCH(self) -> None:
        body = self._body()
        match = _UPLOADS.fullmatch(urlsplit(self.path).path)
        if match is None or match["id"] not in self.server.uploads:
            self._error(404, "BLOB_UPLOAD_UNKNOWN")
            return
        self.server.uploads[match["id"]].content.extend(body)
        self._accepted(match["name"], match["id"])

    def do_PUT(self) -> None:
        body = self._body()
        if self._is_refused():
            return
        path = urlsplit(self.path)
        if match := _UPLOADS.fullmatch(path.path):
            self._finish_upload(match["id"], body, parse_qs(path.query)["digest"][0])
        elif match := _MANIFEST.fullmatch(path.path):
            self._put_manifest(match["name"], match["reference"], body)
        else:
            self._error(404, "UNSUPPORTED")

    def _read(self, *, with_body: bool) -> None:
        path = urlsplit(self.path).path
        self._record()
        if self._is_stranger():
            return
        if path == "/v2/":
            self._answer(200, b"{}", with_body=with_body)
        elif match := _BLOB.fullmatch(path):
            blob = self.server.blobs.get(match["digest"])
            if blob is None:
                self._error(404, "BLOB_UNKNOWN", with_body=with_body)
            else:
                headers = {"Docker-Content-Digest": match["digest"]}
                self._answer(200, blob, headers, with_body=with_body)
        elif match := _MANIFEST.fullmatch(path):
            self._get_manifest(match["name"], match["reference"], with_body=with_body)
        else:
            self._error(404, "UNSUPPORTED", with_body=with_body)

    def _get_manifest(self, name: str, reference: str, *, with_body: bool) -> None:
        found = self.server.manifests.get((name, reference))
        if found is None:
            self._error(404, "MANIFEST_UNKNOWN", with_body=with_body)
            return
        headers = {
            "Content-Type": found.media_type,
            "Docker-Content-Digest": _sha256(found.body),
        }
        self._answer(200, found.body, headers, with_body=with_body)

    def _finish_upload(self, identifier: str, body: bytes, digest: str) -> None:
        content = bytes(self.server.uploads.pop(identifier).content) + body
        if _sha256(content) != digest:
            self._error(400, "DIGEST_INVALID")
            return
        self.server.blobs[digest] = content
        self._answer(201, b"", {"Docker-Content-Digest": digest})

    def _put_manifest(self, name: str, reference: str, body: bytes) -> None:
        parsed = json.loads(body)
        parts = [parsed.get("config"), *parsed.get("layers", [])]
        if any(part and part["digest"] not in self.server.blobs for part in parts):
            self._error(400, "MANIFEST_BLOB_UNKNOWN")
            return
        media_type = self.headers.get("Content-Type", "")
        digest = _sha256(body)
        for key in (reference, digest):
            self.server.manifests[name, key] = Manifest(media_type, body)
        self._answer(201, b"", {"Docker-Content-Digest": digest})

    def _is_refused(self) -> bool:
        if self.server.failures and self.server.failures[0][0] == self.command:
            _, status = self.server.failures.pop(0)
            if status:
                self._error(status, "TOLD_TO_FAIL")
            self.close_connection = True
            return True
        if self.server.denies_pushes:
            self._error(403, "DENIED")
            return True
        return self._is_stranger()

    def _is_stranger(self) -> bool:
        if not self.server.password or self._password() == self.server.password:
            return False
        # An engine shows its password only to a registry that asks for it.
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="registry"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def _password(self) -> str:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return ""
        return base64.b64decode(token).decode().partition(":")[2]

    def _body(self) -> bytes:
        self._record()
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        content = bytearray()
        while size := int(self.rfile.readline().strip() or b"0", 16):
            content.extend(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return bytes(content)

    def _record(self) -> None:
        with self.server.lock:
            self.server.requests.append((self.command, self.path))

    def _accepted(self, name: str, identifier: str) -> None:
        size = len(self.server.uploads[identifier].content)
        headers = {
            "Location": f"/v2/{name}/blobs/uploads/{identifier}",
            "Docker-Upload-UUID": identifier,
            "Range": f"0-{max(0, size - 1)}",
        }
        self._answer(202, b"", headers)

    def _error(self, status: int, code: str, *, with_body: bool = True) -> None:
        body = json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode()
        self._answer(status, body, with_body=with_body)

    def _answer(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        with_body: bool = True,
    ) -> None:
        self.send_response(status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
