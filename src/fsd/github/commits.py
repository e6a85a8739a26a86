"""What GitHub knows of a repository's commits, and a checkout of depth 1 does not."""

from __future__ import annotations

import json
from urllib.parse import quote

from fsd.errors import CallFailedError, ErrorCode
from fsd.github.api import get
from fsd.release.concurrency.in_flight import CommitOrder

# https://docs.github.com/en/rest/commits/commits#compare-two-commits: the head against the base.
_ORDERS = {
    "ahead": CommitOrder.NEWER,
    "behind": CommitOrder.OLDER,
    "identical": CommitOrder.SAME,
    "diverged": CommitOrder.DIVERGED,
}
_OK, _NOT_FOUND = 200, 404


class Commits:
    """A repository's commits, as one token sees them (`contents: read`)."""

    def __init__(self, repository: str, *, token: str, api_url: str) -> None:
        self._url = f"{api_url.rstrip('/')}/repos/{repository}"
        self._token = token

    def order(self, ours: str, theirs: str) -> CommitOrder:
        """UNKNOWN where GitHub does not say, whatever it answers instead."""
        if not (ours and theirs):
            return CommitOrder.UNKNOWN
        # One commit a page, and none of them is wanted: the answer is in the status.
        names = f"{quote(theirs, safe='')}...{quote(ours, safe='')}"
        url = f"{self._url}/compare/{names}?per_page=1&page=2"
        status, body = get(url, token=self._token, accept="application/vnd.github+json")
        try:
            answer: object = json.loads(body) if status == _OK else None
        except (ValueError, RecursionError):
            answer = None
        found = answer.get("status") if isinstance(answer, dict) else None
        return _ORDERS.get(str(found), CommitOrder.UNKNOWN)

    def read_file(self, path: str, *, branch: str) -> str | None:
        """A file's text on a branch; None where it has none. Raises CallFailedError.

        https://docs.github.com/en/rest/repos/contents#get-repository-content
        """
        url = f"{self._url}/contents/{quote(path)}?ref={quote(branch, safe='')}"
        status, body = get(url, token=self._token, accept="application/vnd.github.raw+json")
        if status == _NOT_FOUND:
            return None
        try:
            if status == _OK:
                return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
        said = f"GitHub answered {status}" if status else "GitHub does not answer"
        raise CallFailedError(
            said if status != _OK else "it is not UTF-8",
            where=f"{path} on {branch}",
            fix="permit the job to read the file: `permissions: contents: read`",
            code=ErrorCode.GITHUB_CALL_FAILED,
        )
