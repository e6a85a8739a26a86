"""Attestations that GitHub keeps of what a repository's workflows built."""

from __future__ import annotations

import json
from urllib.parse import quote

from fsd.github.api import get

_OK = 200


def find_attestations(repository: str, digest: str, *, token: str, api_url: str) -> tuple[str, ...]:
    """Sigstore bundles, as JSON; () where GitHub has none, or does not show them to this token
    (`attestations: read`).

    https://docs.github.com/en/rest/repos/attestations#list-attestations
    """
    path = f"repos/{repository}/attestations/{quote(digest, safe=':')}?per_page=30"
    url = f"{api_url.rstrip('/')}/{path}"
    status, body = get(url, token=token, accept="application/vnd.github+json")
    try:
        answer: object = json.loads(body) if status == _OK else None
    except (ValueError, RecursionError):
        answer = None
    listed = answer.get("attestations") if isinstance(answer, dict) else None
    return tuple(
        json.dumps(one["bundle"])
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and isinstance(one.get("bundle"), dict)
    )
