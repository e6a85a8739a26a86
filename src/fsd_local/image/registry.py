"""Pushes an image to the registry of an embedded AWS, where no Docker engine can.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
"""

from __future__ import annotations

import base64
import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO
from urllib.parse import urlencode, urljoin, urlsplit

from fsd_local.errors import LocalCode, LocalError, PassingError

_TIMEOUT = 60.0  # seconds for one answer
_PASSING = {408, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    digest: str  # sha256:…
    size: int
    media_type: str

    def describe(self) -> dict[str, str | int]:
        """As a manifest names it."""
        return {"mediaType": self.media_type, "size": self.size, "digest": self.digest}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryClient:
    """One repository of one registry. `endpoint` has the scheme: ECR's answer names it."""

    endpoint: str
    repository: str  # the name, without the registry's host
    user: str
    password: str = field(repr=False)

    def has_blob(self, digest: str) -> bool:
        url = f"{self._base}/blobs/{digest}"
        return self._call("HEAD", url).status == 200

    def put_blob(self, blob: Blob, content: IO[bytes]) -> None:
        """Raises LocalError (push-failed)."""
        content.seek(0)
        begun = self._call("POST", f"{self._base}/blobs/uploads/", length=0)
        self._expect(begun, 202, f"begin the upload of {blob.digest}")
        location = urljoin(self.endpoint, begun.headers.get("location", ""))
        separator = "&" if urlsplit(location).query else "?"
        done = self._call(
            "PUT",
            f"{location}{separator}{urlencode({'digest': blob.digest})}",
            body=content,
            length=blob.size,
            content_type="application/octet-stream",
        )
        self._expect(done, 201, f"upload {blob.digest}")

    def get(self, path: str) -> bytes:
        """A manifest or a blob. Raises LocalError."""
        answer = self._call("GET", f"{self._base}/{path}")
        self._expect(answer, 200, f"give {path}")
        return answer.body

    def put_manifest(self, manifest: bytes, *, tag: str, media_type: str) -> str:
        """The digest under which the registry keeps it. Raises LocalError."""
        answer = self._call(
            "PUT",
            f"{self._base}/manifests/{tag}",
            body=manifest,
            length=len(manifest),
            content_type=media_type,
        )
        self._expect(answer, 201, f"tag {tag}")
        return answer.headers.get("docker-content-digest", "")

    @property
    def _base(self) -> str:
        return f"{self.endpoint.rstrip('/')}/v2/{self.repository}"

    def _expect(self, answer: Answer, status: int, doing: str) -> None:
        if answer.status == status:
            return
        said = answer.body.decode(errors="replace").strip()[:500] or "no reason given"
        name = http.client.responses.get(answer.status, "")
        raise (PassingError if answer.status in _PASSING else LocalError)(
            f"the registry answered {answer.status} {name} to {doing}: {said}",
            where=f"{self.endpoint} · {self.repository}",
            fix="run it again; what was pushed already is kept",
            code=LocalCode.PUSH_FAILED,
        )

    def _call(
        self,
        method: str,
        url: str,
        *,
        body: IO[bytes] | bytes | None = None,
        length: int | None = None,
        content_type: str = "",
    ) -> Answer:
        parts = urlsplit(url)
        connection_class = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = connection_class(parts.hostname or "", parts.port, timeout=_TIMEOUT)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(method, path, body=body, headers=self._headers(length, content_type))
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(status=answer.status, headers=headers, body=answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise PassingError(
                f"{method} {url}: {error or type(error).__name__}",
                where=self.endpoint,
                fix="check that the registry can be reached, and run it again",
                code=LocalCode.PUSH_FAILED,
            ) from error
        finally:
            connection.close()

    def _headers(self, length: int | None, content_type: str) -> dict[str, str]:
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {token}"}
        if length is not None:
            headers["Content-Length"] = str(length)
        if content_type:
            headers["Content-Type"] = content_type
        return headers
