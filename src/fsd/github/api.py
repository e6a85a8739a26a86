"""One question to GitHub's API, where the answer decides nothing that may not be guessed.

No retry: who asks goes on without the answer.
"""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException, HTTPMessage
from typing import IO

from fsd.errors import CallFailedError
from fsd.github.deadline import within

_TIMEOUT = 10  # seconds, between two bytes
_WHOLE = 20.0  # seconds, for the whole answer
_LONGEST_ANSWER = 20_000_000  # bytes
_NEXT = re.compile(r'<([^<>]*)>\s*;\s*rel="next"')


def get(url: str, *, token: str, accept: str) -> tuple[int, bytes]:
    """(status, body); (0, b"") where there is no answer. Without a token, nobody is told who asks:
    an address that GitHub has signed may be of another host."""
    status, body, _ = get_page(url, token=token, accept=accept)
    return status, body


def get_page(url: str, *, token: str, accept: str) -> tuple[int, bytes, str]:
    """As `get`, with the address of the list's next page; "" after the last one.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    headers = {
        "Accept": accept,
        "User-Agent": "fsd",
        "X-GitHub-Api-Version": "2022-11-28",
        **({"Authorization": f"Bearer {token}"} if token else {}),
    }
    try:
        return within(_WHOLE, lambda: _get(url, headers), where=url)
    except (CallFailedError, OSError, HTTPException, ValueError):
        return 0, b"", ""


def _get(url: str, headers: dict[str, str]) -> tuple[int, bytes, str]:
    try:
        request = urllib.request.Request(url, headers=headers)
        with _OPENER.open(request, timeout=_TIMEOUT) as answer:
            link = answer.headers.get("Link") or ""
            return answer.status, answer.read(_LONGEST_ANSWER), _next_page(url, link)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b"", ""


def _next_page(url: str, link: str) -> str:
    """ "" for one of another host, too: it would be sent the token."""
    found = _NEXT.search(link)
    after = urllib.request.Request(urllib.parse.urljoin(url, found[1] if found else ""))
    own = urllib.request.Request(url)
    is_same_host = (after.type, after.host) == (own.type, own.host)
    return after.full_url if found and is_same_host else ""


class _SameHost(urllib.request.HTTPRedirectHandler):
    """urllib would send the token on to wherever it is told to go; a renamed repository is there
    where the old one was.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
    """

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        target = urllib.request.Request(newurl)
        if (target.type, target.host) != (req.type, req.host):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_SameHost)
