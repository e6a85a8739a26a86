"""Attestations that GitHub keeps of what a repository's workflows built."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from fsd.github.api import get, get_page
from fsd.github.snappy import uncompress

_OK = 200
_MOST_PAGES = 20


def find_attestations(repository: str, digest: str, *, token: str, api_url: str) -> Iterator[str]:
    """Sigstore bundles, as JSON, each fetched when it is asked for; none where GitHub has none, or
    does not show them to this token (`attestations: read`).

    https://docs.github.com/en/rest/repos/attestations#list-attestations
    """
    path = f"repos/{repository}/attestations/{quote(digest, safe=':')}?per_page=100"
    url = f"{api_url.rstrip('/')}/{path}"
    for _ in range(_MOST_PAGES):
        status, body, url = get_page(url, token=token, accept="application/vnd.github+json")
        for entry in _entries(status, body):
            yield from _bundle(entry, scheme=urlsplit(api_url).scheme)
        if not url:
            return


def _entries(status: int, body: bytes) -> list[dict[str, object]]:
    try:
        answer: object = json.loads(body) if status == _OK else None
    except (ValueError, RecursionError):
        answer = None
    listed = answer.get("attestations") if isinstance(answer, dict) else None
    return [one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)]


def _bundle(entry: dict[str, object], *, scheme: str) -> Iterator[str]:
    """In the answer itself, or at an address that GitHub has signed for a few minutes.

    GitHub gives the address alone since July 2026: https://github.com/aaif-goose/goose/pull/10557
    """
    if isinstance(entry.get("bundle"), dict):
        yield json.dumps(entry["bundle"])
        return
    url = entry.get("bundle_url")
    if not isinstance(url, str) or _scheme(url) not in {"https", scheme}:
        return
    status, body = get(url, token="", accept="*/*")
    if status != _OK:
        return
    try:
        yield (body if body.lstrip()[:1] == b"{" else uncompress(body)).decode("utf-8")
    except ValueError:
        return


def _scheme(url: str) -> str:
    """ "" of what is no address: urlsplit raises ValueError for `https://[`."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""
