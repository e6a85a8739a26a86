"""The page `/_fsd/`: what runs on the embedded AWS, live, with buttons that break it on purpose.

It is served at a host of its own (`link.PAGE_HOST`), to whoever opened it with the link's key and
has the cookie since. It may be shown names and log lines that somebody hostile chose: the script
writes them as text only, and the policy of its content allows no other script.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from fsd_local.dataplane import Message, Receive, Send
from fsd_local.doorkeeper import Headers, Host, read_host
from fsd_local.page.link import PAGE_HOST, PAGE_PATH, make_key

Json: TypeAlias = dict[str, Any]

_LOOK = 0.5  # seconds between two looks at what runs
_MOST_SESSIONS = 32
_LONGEST_BODY = 10_000  # bytes
_STATIC = Path(__file__).parent / "static"
_FILES = {
    PAGE_PATH: ("index.html", "text/html; charset=utf-8"),
    f"{PAGE_PATH}page.css": ("page.css", "text/css; charset=utf-8"),
    f"{PAGE_PATH}page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_EVENTS, _LOGS, _ACT = f"{PAGE_PATH}events", f"{PAGE_PATH}logs", f"{PAGE_PATH}act"
_JSON = "application/json"
# https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def is_for_page(headers: Headers) -> bool:
    return _host(headers).name == PAGE_HOST


class LivePage:
    """An ASGI application. `act` gets what to do and the task; it raises ValueError."""

    def __init__(
        self,
        secret: str,
        *,
        look: Callable[[], Json],
        read_logs: Callable[[str], Json],
        act: Callable[[str, str], Json],
    ) -> None:
        self._key = make_key(secret)
        self._look = look
        self._read_logs = read_logs
        self._act = act
        self._sessions: deque[str] = deque(maxlen=_MOST_SESSIONS)

    async def serve(self, scope: Message, receive: Receive, send: Send) -> None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        method, path, headers = scope["method"], scope["path"], scope["headers"]
        key = query.get("key", [""])[0]
        if (method, path) == ("GET", PAGE_PATH) and key:
            await self._enter(key, headers, send)
        elif _comes_from_elsewhere(headers) or not self._is_known(headers):
            said = "open the link that `fsd local status` prints"
            await _answer(send, 403, {"error": said})
        elif method == "GET" and path in _FILES:
            name, kind = _FILES[path]
            await _send(send, 200, (_STATIC / name).read_bytes(), kind)
        elif (method, path) == ("GET", _EVENTS):
            await self._stream(receive, send)
        elif (method, path) == ("GET", _LOGS):
            await _answer(send, 200, await asyncio.to_thread(self._read_logs, _one(query, "task")))
        elif (method, path) == ("POST", _ACT):
            await self._press(headers, receive, send)
        else:
            await _answer(send, 404, {"error": "there is no such page"})

    async def _enter(self, key: str, headers: Headers, send: Send) -> None:
        """The key is in no URL from here on."""
        if not hmac.compare_digest(key.encode(), self._key.encode()):
            await _answer(send, 403, {"error": "the link is another instance's"})
            return
        session = secrets.token_urlsafe(32)
        self._sessions.append(session)
        cookie = f"{_cookie(headers)}={session}; Path={PAGE_PATH}; HttpOnly; SameSite=Strict"
        more = {"location": PAGE_PATH, "set-cookie": cookie}
        await _send(send, 303, b"", "text/plain", more)

    def _is_known(self, headers: Headers) -> bool:
        name = _cookie(headers)
        for pair in _header(headers, b"cookie").split(";"):
            found, _, value = pair.strip().partition("=")
            if found == name and any(
                hmac.compare_digest(value.encode(), session.encode()) for session in self._sessions
            ):
                return True
        return False

    async def _stream(self, receive: Receive, send: Send) -> None:
        """Server-sent events: what runs, whenever it has changed."""
        await send(_start(200, "text/event-stream", {}))
        gone = asyncio.ensure_future(_until_gone(receive))
        last = ""
        try:
            while not gone.done():
                seen = json.dumps(await asyncio.to_thread(self._look))
                if seen != last:
                    body = f"data: {seen}\n\n".encode()
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                    last = seen
                await asyncio.wait({gone}, timeout=_LOOK)
        finally:
            gone.cancel()

    async def _press(self, headers: Headers, receive: Receive, send: Send) -> None:
        """A button: only the page itself has this origin."""
        host = _header(headers, b"host")
        if _header(headers, b"origin") != f"http://{host}":
            await _answer(send, 403, {"error": "only the page itself may do this"})
            return
        try:
            given = json.loads(await _body(receive))
            found = await asyncio.to_thread(self._act, str(given["act"]), str(given["task"]))
        except (ValueError, KeyError, TypeError) as error:
            await _answer(send, 400, {"error": str(error)})
            return
        await _answer(send, 200, found)


def _comes_from_elsewhere(headers: Headers) -> bool:
    """By what browsers say and pages cannot forge."""
    return _header(headers, b"sec-fetch-site") not in ("", "none", "same-origin")


def _cookie(headers: Headers) -> str:
    """Cookies do not tell ports apart, and each instance has one."""
    return f"fsd-page-{_host(headers).port}"


def _host(headers: Headers) -> Host:
    return read_host(_header(headers, b"host"))


def _header(headers: Headers, wanted: bytes) -> str:
    return next((v.decode("latin-1") for name, v in headers if name.lower() == wanted), "")


def _one(query: Mapping[str, list[str]], name: str) -> str:
    return query.get(name, [""])[0]


async def _until_gone(receive: Receive) -> None:
    message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()


async def _body(receive: Receive) -> bytes:
    """Raises ValueError."""
    body = bytearray()
    while len(body) <= _LONGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            return bytes(body)
    raise ValueError("the request is too long")


def _start(status: int, kind: str, more: Mapping[str, str]) -> Message:
    headers = {**_HEADERS, "content-type": kind, **more}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


async def _send(
    send: Send, status: int, body: bytes, kind: str, more: Mapping[str, str] | None = None
) -> None:
    length = {"content-length": str(len(body))}
    await send(_start(status, kind, {**length, **(more or {})}))
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _answer(send: Send, status: int, answer: Json) -> None:
    await _send(send, status, json.dumps(answer).encode(), _JSON)
