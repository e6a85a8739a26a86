"""A registry in a process of its own, which makes up the bytes that it gives and keeps none that it
takes: `python -m benchmarks.promote.registry SIZE` prints its port and its image's digest.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PIECE = 1 << 20
MOST_A_LAYER = 250_000_000  # bytes: an image of 1 GB is four layers
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_NOISE = random.Random(7).randbytes(PIECE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    number: int
    size: int

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """Noise, with the layer's number at its beginning."""
        at = start
        while at < self.size:
            first = at % PIECE
            piece = _NOISE[first : first + self.size - at]
            if at < 8:
                piece = (self.number.to_bytes(8) + _NOISE[8:])[first : first + self.size - at]
            yield piece
            at += len(piece)

    @property
    def digest(self) -> str:
        hashed = hashlib.sha256()
        for piece in self.pieces():
            hashed.update(piece)
        return f"sha256:{hashed.hexdigest()}"


@dataclass
class Store:
    """What each repository has: blobs by their size only, manifests whole."""

    made_up: dict[str, Layer] = field(default_factory=dict)
    small: dict[str, bytes] = field(default_factory=dict)
    has: set[tuple[str, str]] = field(default_factory=set)  # (repository, digest)
    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)  # by name, the digest of what came

    def add_image(self, repository: str, size: int) -> str:
        config = json.dumps({"os": "linux", "architecture": "amd64"}).encode()
        self.small[digest_of(config)] = config
        parts = [{"digest": digest_of(config), "size": len(config)}]
        for number, at in enumerate(range(0, size, MOST_A_LAYER)):
            layer = Layer(number=number, size=min(MOST_A_LAYER, size - at))
            digest = layer.digest
            self.made_up[digest] = layer
            parts.append({"digest": digest, "size": layer.size})
        self.has |= {(repository, str(part["digest"])) for part in parts}
        tree = {"schemaVersion": 2, "mediaType": MANIFEST, "config": parts[0], "layers": parts[1:]}
        content = json.dumps(tree).encode()
        self.manifests[repository, digest_of(content)] = content
        return digest_of(content)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    store: Store
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # the base class's name
        """Nothing."""

    def do_GET(self) -> None:
        found = re.fullmatch(r"/v2/(.+?)/(blobs/uploads|blobs|manifests|referrers)/(.*)", self.path)
        if found is None:
            self._answer(404)
            return
        repository, kind, name = found.groups()
        match kind:
            case "blobs":
                self._blob(repository, name)
            case "manifests":
                self._manifest(repository, name)
            case "blobs/uploads":
                self._upload(repository, urlsplit(name).path, parse_qs(urlsplit(name).query))
            case _:
                self._answer(404)

    do_HEAD = do_POST = do_PATCH = do_PUT = do_GET

    def _blob(self, repository: str, digest: str) -> None:
        store = self.store
        if (repository, digest) not in store.has:
            self._answer(404)
            return
        layer = store.made_up.get(digest)
        if layer is None:
            self._answer(200, store.small[digest])
            return
        self.send_response(200)
        self.send_header("Content-Length", str(layer.size))
        self.end_headers()
        for piece in layer.pieces() if self.command == "GET" else ():
            self.wfile.write(piece)

    def _manifest(self, repository: str, digest: str) -> None:
        manifests = self.store.manifests
        if self.command == "PUT":
            content = b"".join(self._body())
            manifests[repository, digest_of(content)] = content
            self._answer(201, headers={"Docker-Content-Digest": digest_of(content)})
        elif (repository, digest) in manifests:
            self._answer(200, manifests[repository, digest], {"Content-Type": MANIFEST})
        else:
            self._answer(404)

    def _upload(self, repository: str, name: str, query: dict[str, list[str]]) -> None:
        store, at = self.store, f"/v2/{repository}/blobs/uploads/"
        match self.command:
            case "POST":
                mount, source = query.get("mount", [""])[0], query.get("from", [""])[0]
                if (source, mount) in store.has:
                    store.has.add((repository, mount))
                    self._answer(201)
                    return
                self._answer(202, headers={"Location": f"{at}u{len(store.uploads)}"})
                store.uploads[f"u{len(store.uploads)}"] = ""
            case "PATCH":
                hashed = hashlib.sha256()
                for piece in self._body():
                    hashed.update(piece)
                store.uploads[name] = f"sha256:{hashed.hexdigest()}"
                self._answer(202, headers={"Location": f"{at}{name}"})
            case _:
                digest = query["digest"][0]
                is_it = store.uploads.get(name) == digest
                store.has |= {(repository, digest)} if is_it else set()
                self._answer(201 if is_it else 400)

    def _body(self) -> Iterator[bytes]:
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            piece = self.rfile.read(min(PIECE, left))
            left -= len(piece)
            yield piece

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


def main() -> None:
    store = Store()
    digest = store.add_image("hello", int(sys.argv[1])) if len(sys.argv) > 1 else ""
    Handler.store = store
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, digest, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
