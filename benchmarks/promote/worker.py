"""One copy, or one download that is hashed, in a process of its own, so that its memory is its own.

`python -m benchmarks.promote.worker copy|floor DIGEST SOURCE TARGET REPOSITORY` prints JSON.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from fsd.image.copying import ImageCopy
from fsd.image.push_retries import PushRetries
from fsd.image.registry_api import PIECE, RegistryApi

KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    seconds: float
    sent: int  # bytes of layers that went through this machine
    mounted: int  # layers that the registry took from the other repository
    grown: int  # bytes of memory, at the most


def copy(digest: str, source: str, target: str, repository: str) -> Done:
    made = ImageCopy(
        source=_api(source, "hello"),
        target=_api(target, repository),
        retries=PushRetries(wait=lambda _: None),
    )
    before, began = _peak(), time.monotonic()
    made.run(digest)
    seconds = time.monotonic() - began
    return Done(seconds=seconds, sent=made.sent, mounted=made.mounted, grown=_peak() - before)


def floor(digest: str, source: str) -> Done:
    """Every byte is read and hashed, and sent nowhere."""
    before, began, sent = _peak(), time.monotonic(), 0
    manifest = json.loads(b"".join(_pieces(source, f"manifests/{digest}")))
    for part in (manifest["config"], *manifest["layers"]):
        hashed = hashlib.sha256()
        for piece in _pieces(source, f"blobs/{part['digest']}"):
            hashed.update(piece)
            sent += len(piece)
        if f"sha256:{hashed.hexdigest()}" != part["digest"]:
            raise SystemExit("the registry gave other bytes")
    seconds = time.monotonic() - began
    return Done(seconds=seconds, sent=sent, mounted=0, grown=_peak() - before)


def _pieces(endpoint: str, path: str) -> Iterator[bytes]:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc)
    connection.request("GET", f"/v2/hello/{path}")
    answer = connection.getresponse()
    while piece := answer.read(PIECE):
        yield piece
    connection.close()


def _api(endpoint: str, repository: str) -> RegistryApi:
    return RegistryApi(endpoint=endpoint, repository=repository, log_in=lambda: ("AWS", "x"))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB


def main() -> None:
    what, digest, source, target, repository = sys.argv[1:]
    done = copy(digest, source, target, repository) if what == "copy" else floor(digest, source)
    print(json.dumps(asdict(done)))


if __name__ == "__main__":
    main()
