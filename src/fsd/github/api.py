"""One question to GitHub's API, where the answer decides nothing that may not be guessed.

No retry: who asks goes on without the answer.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException

_TIMEOUT = 10  # seconds
_LONGEST_ANSWER = 20_000_000  # bytes


def get(url: str, *, token: str, accept: str) -> tuple[int, bytes]:
    """(status, body); (0, b"") where there is no answer."""
    headers = {
        "Accept": accept,
        "Authorization": f"Bearer {token}",
        "User-Agent": "fsd",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    try:
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            return answer.status, answer.read(_LONGEST_ANSWER)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""
    except (OSError, HTTPException, ValueError):
        return 0, b""
