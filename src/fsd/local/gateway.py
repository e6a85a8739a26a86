"""What answers on the embedded AWS's one port, in this order:

/_fsd/credentials/…           a task role's credentials, for the task that has the URL
/_fsd/…                       status, reset, placeholders (FSD's own, for its CLI)
<lb>.elb.localhost, /_alb/…   a load balancer's data plane
all else                      the AWS APIs and the container registry
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fsd.local.dataplane import DataPlane, Message, Receive, Send, find_address
from fsd.local.roles import CREDENTIALS_PATH

Application = Callable[[Message, Receive, Send], Awaitable[None]]
# Called on a worker thread with the request's JSON; answers JSON.
Call = Callable[[dict[str, Any]], dict[str, Any]]

_MINISTACK_RESET = "/_ministack/reset"
_LONGEST_BODY = 1024 * 1024


class Gateway:
    """The ASGI application."""

    def __init__(
        self,
        *,
        calls: Mapping[tuple[str, str], Call],  # (method, path) → what to do
        credentials: Callable[[str], dict[str, Any] | None],  # by the end of the URL
        reset: Callable[[], None],
        data_plane: DataPlane,
        aws: Application,
        ready: Callable[[], Awaitable[None]],  # returns once the AWS APIs are loaded
    ) -> None:
        self._calls = calls
        self._credentials = credentials
        self._reset = reset
        self._data_plane = data_plane
        self._aws = aws
        self._ready = ready

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        address = find_address(scope) if scope["type"] == "http" else None
        if address is not None:
            await self._data_plane.serve(address, scope, receive, send)
            return
        await self._ready()
        route = (scope.get("method", ""), scope["path"])
        call = self._calls.get(route)
        if scope["path"].startswith(CREDENTIALS_PATH):
            await self._hand_out(scope, send)
            return
        if call is not None and _is_from_a_page(scope):
            await _send(send, 403, {"error": "not for web pages"})
            return
        if call is not None:
            await _answer(call, receive, send)
            return
        if route == ("POST", _MINISTACK_RESET):
            await asyncio.to_thread(self._reset)
        await self._aws(scope, receive, send)

    async def _hand_out(self, scope: Message, send: Send) -> None:
        found = self._credentials(scope["path"].removeprefix(CREDENTIALS_PATH))
        if scope["method"] != "GET" or _is_from_a_page(scope):
            await _send(send, 403, {"error": "only for the task"})
        elif found is None:
            await _send(send, 404, {"code": "NoIdInRequest", "message": "no such credentials"})
        else:
            await _send(send, 200, found)


async def _lifespan(receive: Receive, send: Send) -> None:
    """MiniStack's own start-up and shutdown are not for us; `seams.services.start` says why."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _answer(call: Call, receive: Receive, send: Send) -> None:
    try:
        parameters = json.loads(await _body(receive) or b"{}")
        answer, status = await asyncio.to_thread(call, parameters), 200
    except ValueError as error:
        answer, status = {"error": str(error)}, 400
    await _send(send, status, answer)


async def _send(send: Send, status: int, answer: Mapping[str, Any]) -> None:
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _is_from_a_page(scope: Message) -> bool:
    """A browser says where a script comes from; no page on the web may empty our AWS."""
    return any(name == b"origin" for name, _ in scope["headers"])


async def _body(receive: Receive) -> bytes:
    body = b""
    while len(body) <= _LONGEST_BODY:
        message = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return body
    raise ValueError("the request is too long")
