"""Container registries over real HTTP, with planted faults.

Each is a process-wide server of its own on loopback. What it was asked is recorded, so that a test
says what was sent twice and what was not.
https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class OciRegistry:
    """`faults` says what comes before the true answer: each is used up by one request."""

    password: str = "secret"
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    referrers: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    faults: list[tuple[str, str, object]] = field(default_factory=list)  # method, path, what
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, Range
    referrers_a_page: int = 1_000
    elsewhere: str = ""  # where blobs are, as S3 is for ECR
    allows_mount: bool = True
    knows_ranges: bool = True
    patch_status: int = 202  # of an upload's bytes: 201 of ECR, 204 of others
    largest_piece: int = 0
    strangers: list[str] = field(default_factory=list)  # passwords that came where none belongs
    endpoint: str = ""
    _uploads: dict[str, bytes] = field(default_factory=dict)

    def put(self, repository: str, kind: str, tree: dict[str, Any]) -> str:
        content = json.dumps({"schemaVersion": 2, "mediaType": kind, **tree}).encode()
        digest = digest_of(content)
        self.manifests[repository, digest] = (kind, content)
        return digest

    def add_blob(self, repository: str, content: bytes) -> dict[str, Any]:
        digest = digest_of(content)
        self.blobs[repository, digest] = content
        return {"mediaType": "application/octet-stream", "digest": digest, "size": len(content)}

    def add_image(self, repository: str, *layers: bytes, **more: Any) -> str:
        config = self.add_blob(repository, json.dumps({"os": "linux", "n": len(layers)}).encode())
        found = [self.add_blob(repository, layer) for layer in layers]
        return self.put(repository, MANIFEST, {"config": config, "layers": found, **more})

    def describe(self, repository: str, digest: str) -> dict[str, Any]:
        kind, content = self.manifests[repository, digest]
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    def count(self, method: str, path: str) -> int:
        return sum(1 for m, p, _ in self.asked if m == method and re.search(path, p))

    def counts(self) -> Counter[str]:
        return Counter(method for method, _, _ in self.asked)


@contextmanager
def serve(registry: OciRegistry, tls: ssl.SSLContext | None = None) -> Iterator[OciRegistry]:
    class Handler(_Handler):
        of = registry

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    registry.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    of: OciRegistry
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # the base class's name
        """Nothing: what was asked is recorded."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PATCH = do_PUT = do_GET

    def _serve(self) -> None:
        registry, path = self.of, urlsplit(self.path).path
        registry.asked.append((self.command, path, self.headers.get("Range") or ""))
        said = self.headers.get("Authorization") or ""
        if path.startswith("/elsewhere/"):
            registry.strangers += [said] if said else []
            repository, _, digest = path.removeprefix("/elsewhere/").rpartition("/")
            self._give(registry.blobs[repository, digest], 200)
            return
        for fault in registry.faults:
            method, pattern, what = fault
            if method == self.command and re.search(pattern, path):
                registry.faults.remove(fault)
                if self._fail(what):
                    return
                break
        wanted = base64.b64encode(f"AWS:{registry.password}".encode()).decode()
        if said != f"Basic {wanted}":
            self._read_body()
            self._answer(401, b"the token has expired")
            return
        found = re.fullmatch(r"/v2/(.+?)/(blobs/uploads|blobs|manifests|referrers)/(.*)", path)
        assert found is not None, path
        repository, kind, name = found.groups()
        getattr(self, f"_{kind.replace('/', '_')}")(repository, name)

    def _fail(self, what: object) -> bool:
        """Whether that was the answer."""
        match what:
            case int():
                self._read_body()
                self._answer(what, b"planted", {"Retry-After": "0"})
            case "expired":
                self._read_body()
                self._answer(403, b"Your Authorization Token has expired.")
            case "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True
            case ("cut", int(at)):
                self._cut_at = at
                return False
            case ("swap", bytes(content)):
                self._give(content, 200)
            case "expire":
                self.of.password = f"{self.of.password}-renewed"
                return False
        return True

    _cut_at = 0

    def _blobs(self, repository: str, digest: str) -> None:
        content = self.of.blobs.get((repository, digest))
        if content is None:
            self._answer(404)
        elif self.of.elsewhere and self.command == "GET":
            self._answer(307, headers={"Location": f"{self.of.elsewhere}/{repository}/{digest}"})
        else:
            self._give(content, 200)

    def _give(self, content: bytes, status: int) -> None:
        """In pieces, and not all of it where it is to be cut."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if asked and self.of.knows_ranges:
            content, status = content[int(asked[1]) :], 206
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        sent = content[: self._cut_at] if self._cut_at else content
        self.wfile.write(sent)
        if self._cut_at:
            self._cut_at = 0
            self.close_connection = True

    def _manifests(self, repository: str, digest: str) -> None:
        if self.command == "PUT":
            content = self._read_body()
            tree = json.loads(content)
            parts = [tree["config"], *tree["layers"]] if "layers" in tree else tree["manifests"]
            stored = self.of.blobs if "layers" in tree else self.of.manifests
            if any((repository, part["digest"]) not in stored for part in parts):
                self._answer(400, b"MANIFEST_BLOB_UNKNOWN")
                return
            kind = self.headers.get("Content-Type") or ""
            for name in {digest_of(content), digest}:  # which may be a tag
                self.of.manifests[repository, name] = (kind, content)
            self._answer(201, headers={"Docker-Content-Digest": digest_of(content)})
            return
        kind, content = self.of.manifests.get((repository, digest), ("", b""))
        if not kind:
            self._answer(404)
            return
        self._answer(200, content, {"Content-Type": kind})

    def _referrers(self, repository: str, digest: str) -> None:
        found, most = self.of.referrers.get((repository, digest), []), self.of.referrers_a_page
        start = int(parse_qs(urlsplit(self.path).query).get("last", ["0"])[0])
        page = found[start : start + most]
        after = f"/v2/{repository}/referrers/{digest}?last={start + most}"
        headers = {"Link": f'<{after}>; rel="next"'} if start + most < len(found) else {}
        body = json.dumps({"schemaVersion": 2, "manifests": page}).encode()
        self._answer(200, body, headers)

    def _blobs_uploads(self, repository: str, name: str) -> None:
        query = parse_qs(urlsplit(self.path).query)
        body = self._read_body()
        match self.command:
            case "POST":
                mount, source = query.get("mount", [""])[0], query.get("from", [""])[0]
                if mount and self.of.allows_mount and (source, mount) in self.of.blobs:
                    self.of.blobs[repository, mount] = self.of.blobs[source, mount]
                    self._answer(201)
                    return
                name = f"u{len(self.of._uploads)}"
                self.of._uploads[name] = b""
                self._answer(202, headers={"Location": f"/v2/{repository}/blobs/uploads/{name}"})
            case "PATCH":
                self.of._uploads[name] += body
                location = f"/v2/{repository}/blobs/uploads/{name}?s=1"
                self._answer(self.of.patch_status, headers={"Location": location})
            case _:
                content, digest = self.of._uploads.pop(name), query["digest"][0]
                if digest_of(content) != digest:
                    self._answer(400, b"DIGEST_INVALID")
                    return
                self.of.blobs[repository, digest] = content
                self._answer(201)

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
