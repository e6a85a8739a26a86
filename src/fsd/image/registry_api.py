"""One repository of a container registry, over HTTP: what copying an image asks of it.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md

A blob is never held in memory. The password goes to the registry's own host alone: ECR answers the
request for a blob with the address of S3, which needs none and must not get it.
"""

from __future__ import annotations

import base64
import http.client
import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from fsd.errors import CallFailedError, ErrorCode
from fsd.image.push_retries import PassingPushError

TIMEOUT = 60.0  # seconds without a byte
PIECE = 1 << 20  # bytes that are in memory at once
MOST_OF_A_MANIFEST = (
    4 << 20
)  # https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
_REDIRECTS = 3
_MOST_PAGES = 100
_NEXT = re.compile(r'<([^<>]+)>\s*;\s*rel="?next')  # https://www.rfc-editor.org/rfc/rfc8288
_PASSING = {408, 429, 500, 502, 503, 504}
_MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)

LogIn: TypeAlias = Callable[[], tuple[str, str]]  # () → user, password


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundManifest:
    content: bytes
    media_type: str


@dataclass(slots=True, kw_only=True)
class RegistryApi:
    """`log_in` is asked once, and again where the registry no longer takes the password."""

    endpoint: str  # with the scheme
    repository: str  # its path
    log_in: LogIn = field(repr=False)
    _basic: str = field(default="", repr=False)

    @property
    def where(self) -> str:
        return f"{urlsplit(self.endpoint).netloc}/{self.repository}"

    def find_manifest(self, digest: str) -> FoundManifest | None:
        """By its digest, or by a tag."""
        accept = {"Accept": ", ".join(_MANIFEST_TYPES)}
        with self._ask("GET", f"manifests/{digest}", headers=accept) as answer:
            if answer.status == 404:
                return None
            self._expect(answer, {200}, f"read the manifest {digest}")
            content = _read(answer, MOST_OF_A_MANIFEST)
            if len(content) > MOST_OF_A_MANIFEST:
                raise self._error(f"the manifest {digest} is larger than 4 MiB")
            return FoundManifest(content=content, media_type=answer.getheader("Content-Type") or "")

    def has_manifest(self, digest: str) -> bool:
        return self._is_there(f"manifests/{digest}", f"look for the manifest {digest}")

    def has_blob(self, digest: str) -> bool:
        return self._is_there(f"blobs/{digest}", f"look for the layer {digest}")

    def put_manifest(self, digest: str, manifest: FoundManifest, *, tag: str = "") -> None:
        """By its digest, so that no tag is moved; by a tag where one is given."""
        headers = {"Content-Type": manifest.media_type}
        body = manifest.content
        with self._ask("PUT", f"manifests/{tag or digest}", headers=headers, body=body) as answer:
            self._expect(answer, {200, 201}, f"take the manifest {digest}")
            stored = answer.getheader("Docker-Content-Digest") or digest
        if stored != digest:
            raise self._error(f"it stored the manifest {digest} as {stored}")

    def find_referrers(self, digest: str) -> tuple[bytes, ...]:
        """The index of what refers to a manifest (signatures, attestations), in pages; () where the
        registry does not know of such a thing."""
        pages, path = list[bytes](), f"referrers/{digest}"
        while path:
            with self._ask("GET", path) as answer:
                if answer.status in {400, 404, 405}:
                    break
                self._expect(answer, {200}, f"list what refers to {digest}")
                pages.append(_read(answer, MOST_OF_A_MANIFEST))
                after = _NEXT.search(answer.getheader("Link") or "")
            path = urljoin(self._url(path), after[1]) if after else ""
            if path and len(pages) == _MOST_PAGES:
                raise self._error(f"more than {_MOST_PAGES} pages of what refers to {digest}")
        return tuple(pages)

    def mount(self, digest: str, *, source: str) -> str:
        """Take a blob of another repository of this registry, without moving a byte. "" where it
        did, else the address of an upload that the registry has begun in its place."""
        query = urlencode({"mount": digest, "from": source})
        return self._begin(f"blobs/uploads/?{query}", f"mount the layer {digest}")

    def begin_upload(self) -> str:
        """Its address."""
        return self._begin("blobs/uploads/", "begin an upload")

    def upload(self, address: str, digest: str, *, size: int, pieces: Iterator[bytes]) -> None:
        """One request with all of it, and one that ends it. Raises CallFailedError.

        Not in parts: ECR answers 201 to each, where the specification says 202, and drops what
        comes after the first. https://github.com/aws/containers-roadmap/issues/2831
        """
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        with self._ask("PATCH", address, headers=headers, body=pieces) as answer:
            self._expect(answer, {201, 202, 204}, f"take the layer {digest}")
            after = urljoin(self.endpoint, answer.getheader("Location") or address)
        joint = "&" if urlsplit(after).query else "?"
        done = f"{after}{joint}{urlencode({'digest': digest})}"
        with self._ask("PUT", done, headers={"Content-Length": "0"}) as answer:
            self._expect(answer, {201, 204}, f"end the layer {digest}")

    @contextmanager
    def open_blob(self, digest: str, *, start: int) -> Iterator[Iterator[bytes]]:
        """Its bytes from `start` on."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._ask("GET", f"blobs/{digest}", headers=headers) as answer:
            self._expect(answer, {200, 206}, f"give the layer {digest}")
            yield _pieces(answer, skip=start if answer.status == 200 else 0)

    # ---- requests

    def _begin(self, path: str, doing: str) -> str:
        with self._ask("POST", path, headers={"Content-Length": "0"}) as answer:
            if answer.status == 201:
                return ""
            self._expect(answer, {202}, doing)
            return urljoin(self.endpoint, answer.getheader("Location") or "")

    def _is_there(self, path: str, doing: str) -> bool:
        headers = {"Accept": ", ".join(_MANIFEST_TYPES)}
        with self._ask("HEAD", path, headers=headers) as answer:
            if answer.status == 404:
                return False
            self._expect(answer, {200, 307}, doing)
            return True

    @contextmanager
    def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterator[bytes] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """`path` is below the repository, or an address that the registry has named."""
        url = self._url(path)
        may_renew, redirects = bool(self._basic), 0
        while True:
            connection = self._connect(url)
            try:
                connection.request(
                    method,
                    _target(url),
                    body=body,
                    headers={**(headers or {}), **self._authorization(url)},
                )
                answer = connection.getresponse()
                location = answer.getheader("Location")
                if answer.status == 401 and may_renew and not isinstance(body, Iterator):
                    self._basic, may_renew = "", False
                elif answer.status in {302, 303, 307, 308} and method == "GET" and location:
                    url, redirects = urljoin(url, location), redirects + 1
                    if redirects > _REDIRECTS:
                        raise self._error("it sends on and on")
                else:
                    yield answer
                    return
            except (OSError, http.client.HTTPException) as error:
                raise self._error(f"{error or type(error).__name__}", passes=True) from error
            finally:
                connection.close()

    def _connect(self, url: str) -> http.client.HTTPConnection:
        try:
            return _open_connection(url)
        except (OSError, ValueError) as error:
            raise CallFailedError(
                f"the registry was not asked: {error}",
                where=self.where,
                fix="check HTTPS_PROXY and AWS_CA_BUNDLE",
                code=ErrorCode.IMAGE_NOT_COPIED,
            ) from error

    def _url(self, path: str) -> str:
        base = f"{self.endpoint.rstrip('/')}/v2/{quote(self.repository)}/"
        return path if path.startswith(("http://", "https://")) else f"{base}{path}"

    def _authorization(self, url: str) -> dict[str, str]:
        if urlsplit(url)[:2] != urlsplit(self.endpoint)[:2]:
            return {}
        if not self._basic:
            self._basic = base64.b64encode(":".join(self.log_in()).encode()).decode()
        return {"Authorization": f"Basic {self._basic}"}

    def _expect(self, answer: http.client.HTTPResponse, statuses: set[int], doing: str) -> None:
        if answer.status in statuses:
            return
        said = " ".join(answer.read(500).decode(errors="replace").split()) or answer.reason
        # A password that has expired is renewed by the next attempt. ECR may answer 403 to it:
        # https://github.com/convox/rack/issues/678
        is_expired = answer.status == 401 or "token has expired" in said.lower()
        if is_expired:
            self._basic = ""
        passes = answer.status in _PASSING or is_expired
        raise self._error(f"{answer.status} to {doing}: {said}", passes=passes)

    def _error(self, said: str, *, passes: bool = False) -> CallFailedError:
        return (PassingPushError if passes else CallFailedError)(
            f"the registry answered {said}",
            where=self.where,
            fix="run it again: what was copied already is kept; where it denies, the role of that "
            "environment lacks the permission",
            code=ErrorCode.IMAGE_NOT_COPIED,
        )


def _open_connection(url: str) -> http.client.HTTPConnection:
    """Through the proxy and with the authorities that the AWS SDK takes from the environment too.
    Raises OSError and ValueError for ones that are none. Without TLS only the embedded AWS answers,
    which is on this machine.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT)
    trust = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
    address = "" if proxy_bypass(host) else getproxies().get("https", "")
    if not address:
        return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT, context=trust)
    proxy = urlsplit(address if "://" in address else f"http://{address}")
    through = http.client.HTTPSConnection(
        proxy.hostname or "", proxy.port or 80, timeout=TIMEOUT, context=trust
    )
    said = ":".join(unquote(word or "") for word in (proxy.username, proxy.password))
    basic = base64.b64encode(said.encode()).decode()
    headers = {"Proxy-Authorization": f"Basic {basic}"} if proxy.username else {}
    through.set_tunnel(host, parts.port or 443, headers=headers)
    return through


def _target(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _read(answer: http.client.HTTPResponse, most: int) -> bytes:
    return answer.read(most + 1)


def _pieces(answer: http.client.HTTPResponse, *, skip: int) -> Iterator[bytes]:
    """A registry that does not know ranges gives all of it again."""
    while piece := answer.read(PIECE):
        if skip >= len(piece):
            skip -= len(piece)
            continue
        yield piece[skip:]
        skip = 0
