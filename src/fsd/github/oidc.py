"""The workflow's identity: GitHub's OIDC token, fetched when it is needed.

A token lives for minutes and a rollout for longer, so AWS's session asks for a new one for each
renewal. It goes nowhere but to STS: masked before it is returned, never logged, never stored.

https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import IO

from fsd.errors import CallFailedError, ErrorCode
from fsd.release.ports import Clock

AUDIENCE = "sts.amazonaws.com"
REQUEST_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"

_TIMEOUT = 10.0  # seconds, of each try
_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 4))
_LIMIT = 64 * 1024  # bytes of an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokens:
    """Where tokens come from. Called, it fetches one."""

    url: str
    request_token: str = field(repr=False)
    mask: Callable[[str], None]
    clock: Clock

    def __call__(self) -> str:
        """A new token for STS. Raises CallFailedError."""
        for pause in _PAUSES:
            try:
                return self._fetch()
            except _TransientError:
                self.clock.wait(pause)
        try:
            return self._fetch()
        except _TransientError as error:
            raise _failed(str(error)) from error

    def _fetch(self) -> str:
        if not self.url.lower().startswith(("https://", "http://")):
            raise _failed("its address is no URL of the web")
        try:
            request = urllib.request.Request(
                _with_audience(self.url),
                headers={
                    "Authorization": f"Bearer {self.request_token}",
                    "Accept": "application/json",
                },
            )
            with _OPENER.open(request, timeout=_TIMEOUT) as answer:
                content = answer.read(_LIMIT)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 429 or error.code >= 500:
                raise _TransientError(f"HTTP {error.code}") from error
            raise _failed(f"HTTP {error.code}") from error
        except (OSError, http.client.HTTPException) as error:
            raise _TransientError(str(error)) from error
        except ValueError as error:  # an address that is none
            raise _failed(str(error)) from error
        token = _read_value(content)
        self.mask(token)
        return token


def find_id_tokens(
    environ: Mapping[str, str], *, mask: Callable[[str], None], clock: Clock
) -> IdTokens | None:
    """None where the job may not ask for a token."""
    url, request_token = environ.get(REQUEST_URL, ""), environ.get(REQUEST_TOKEN, "")
    if not url or not request_token:
        return None
    mask(request_token)
    return IdTokens(url=url, request_token=request_token, mask=mask, clock=clock)


class _TransientError(Exception):
    """Worth another try."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """urllib would send the Authorization header on to wherever it is told to go."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        del req, fp, code, msg, headers, newurl


_OPENER = urllib.request.build_opener(_NoRedirects)


def _with_audience(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    query = [*urllib.parse.parse_qsl(parts.query, keep_blank_values=True), ("audience", AUDIENCE)]
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))


def _read_value(content: bytes) -> str:
    try:
        answer: object = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _failed("the answer is not JSON") from error
    value = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        raise _failed("the answer has no token")
    return value


def _failed(why: str) -> CallFailedError:
    return CallFailedError(
        f"GitHub did not issue an identity token: {why}",
        where=REQUEST_URL,
        fix="run the job again; see https://www.githubstatus.com where it stays",
        code=ErrorCode.IDENTITY_TOKEN_FAILED,
    )
