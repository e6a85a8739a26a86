"""How two commits stand to each other, as GitHub knows it: a checkout of depth 1 does not.

What GitHub does not answer is not known, and stops no deployment.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import quote

from fsd.release.turn import CommitOrder

_TIMEOUT = 10  # seconds
_LONGEST_ANSWER = 50_000_000  # bytes; GitHub lists up to 300 changed files with their patches

# https://docs.github.com/en/rest/commits/commits#compare-two-commits: the head against the base.
_ORDERS = {
    "ahead": CommitOrder.NEWER,
    "behind": CommitOrder.OLDER,
    "identical": CommitOrder.SAME,
    "diverged": CommitOrder.DIVERGED,
}


class Commits:
    """A repository's commits, as one token sees them (`contents: read`)."""

    def __init__(self, repository: str, *, token: str, api_url: str) -> None:
        self._repository = repository
        self._token = token
        self._api_url = api_url.rstrip("/")

    def order(self, ours: str, theirs: str) -> CommitOrder:
        """UNKNOWN where GitHub does not say, whatever it answers instead."""
        if not (ours and theirs):
            return CommitOrder.UNKNOWN
        # One commit a page, and none of them is wanted: the answer is in the status.
        path = f"/compare/{quote(theirs, safe='')}...{quote(ours, safe='')}?per_page=1&page=2"
        answer = self._get(path)
        status = answer.get("status") if isinstance(answer, dict) else None
        return _ORDERS.get(str(status), CommitOrder.UNKNOWN)

    def _get(self, path: str) -> object:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token}",
            "User-Agent": "fsd",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        try:
            url = f"{self._api_url}/repos/{self._repository}{path}"
            request = urllib.request.Request(url, headers=headers)
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                return json.loads(answer.read(_LONGEST_ANSWER))
        except (OSError, HTTPException, ValueError, RecursionError):
            return None
