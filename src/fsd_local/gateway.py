"""What answers on the embedded AWS's one port, in this order:

fsd.localhost                 the page, for who has opened its link
/_fsd/credentials/…           a task role's credentials, for the task that has the URL
/_fsd/…                       status, reset, placeholders (FSD's own, for who has the secret)
/v1/data-channel/…            the WebSockets of ECS Exec, for who has the session's token
<lb>.elb.localhost, /_alb/…   a load balancer's data plane; so is a name that a record leads there
all else                      the AWS APIs and the container registry
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fsd_local import doorkeeper
from fsd_local.dataplane import DataPlane, Message, Receive, Send, find_address
from fsd_local.page.live_page import LivePage, is_for_page
from fsd_local.roles import CREDENTIALS_PATH
from fsd_local.sessions.channel import DataChannels
from fsd_local.sessions.store import DATA_CHANNEL

Application = Callable[[Message, Receive, Send], Awaitable[None]]
# Called on a worker thread with the request's JSON; answers JSON.
Call = Callable[[dict[str, Any]], dict[str, Any]]
Answer = tuple[int, Mapping[str, str], bytes]  # status, headers, body

TRUSTED = "trusted"  # the parameter of a call that says whether the caller had the secret
PUBLIC = ("GET", "/_fsd/status")
_OWN = "/_fsd/"
_REGISTRY = "/v2/"  # has a login of its own
_MINISTACK_RESET = ("POST", "/_ministack/reset")
_LONGEST_BODY = 1024 * 1024
_LONGEST_CALL = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsApis:
    serve: Application
    find_fault: Callable[[Message, bytes], Answer | None]  # of a call, with its body
    ready: Callable[[], Awaitable[None]]  # returns once they are loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Who may have what."""

    secret: str = field(repr=False)  # of the instance
    credentials: Callable[[str], dict[str, Any] | None]  # of tasks, by the end of the URL


class Gateway:
    """The ASGI application."""

    def __init__(
        self,
        *,
        calls: Mapping[tuple[str, str], Call],  # (method, path) → what to do
        reset: Callable[[], None],
        data_plane: DataPlane,
        find_alias: Callable[[str], str],  # host → load balancer's name
        channels: DataChannels,
        aws: AwsApis,
        page: LivePage,
        admission: Admission,
    ) -> None:
        self._calls = calls
        self._credentials = admission.credentials
        self._reset = reset
        self._data_plane = data_plane
        self._find_alias = find_alias
        self._aws = aws
        self._page = page
        self._channels = channels
        self._secret = admission.secret

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
            return
        refusal = doorkeeper.refuse_host(scope["headers"])
        if refusal:
            await _send(send, 421, {"error": refusal})
            return
        if is_for_page(scope["headers"]):
            await self._page.serve(scope, receive, send)
            return
        address = find_address(scope, find_alias=self._find_alias)
        if address is not None:
            await self._data_plane.serve(address, scope, receive, send)
            return
        refusal = doorkeeper.refuse_page(scope["headers"])
        if refusal:
            await _send(send, 403, {"error": refusal})
            return
        await self._aws.ready()
        await self._serve_api(scope, receive, send)

    async def _serve_socket(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        if doorkeeper.refuse_host(headers) or doorkeeper.refuse_page(headers):
            await _refuse_socket(receive, send)
        elif scope["path"].startswith(DATA_CHANNEL):
            await self._channels.serve(scope, receive, send)
        else:
            await _refuse_socket(receive, send)

    async def _serve_api(self, scope: Message, receive: Receive, send: Send) -> None:
        route = (scope.get("method", ""), scope["path"])
        call = self._calls.get(route)
        if scope["path"].startswith(CREDENTIALS_PATH):
            await self._hand_out(scope, send)
            return
        is_trusted = self._has_secret(scope)
        if call is not None and (is_trusted or route == PUBLIC):
            await _answer(call, receive, send, is_trusted=is_trusted)
            return
        if scope["path"].startswith(_OWN) or (route == _MINISTACK_RESET and not is_trusted):
            await _send(send, 403, {"error": "only for whoever has the instance's secret"})
            return
        if route == _MINISTACK_RESET:
            await asyncio.to_thread(self._reset)
        elif not scope["path"].startswith(_REGISTRY):
            try:
                body = await _body(receive, most=_LONGEST_CALL, announced=_length_of(scope))
            except ValueError as error:
                await _send(send, 413, {"error": str(error)})
                return
            fault = await asyncio.to_thread(self._aws.find_fault, scope, body)
            if fault is not None:
                await _send_raw(send, *fault)
                return
            receive = _again(body)
        await self._aws.serve(scope, receive, _without_cors(send))

    def _has_secret(self, scope: Message) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, b"Bearer " + self._secret.encode())

    async def _hand_out(self, scope: Message, send: Send) -> None:
        found = self._credentials(scope["path"].removeprefix(CREDENTIALS_PATH))
        if scope["method"] != "GET":
            await _send(send, 403, {"error": "only for the task"})
        elif found is None:
            await _send(send, 404, {"code": "NoIdInRequest", "message": "no such credentials"})
        else:
            await _send(send, 200, found)


async def _lifespan(receive: Receive, send: Send) -> None:
    """MiniStack's own start-up and shutdown are not for us; `patches.services.start` says why."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _answer(call: Call, receive: Receive, send: Send, *, is_trusted: bool) -> None:
    try:
        parameters = json.loads(await _body(receive) or b"{}") if is_trusted else {}
        parameters[TRUSTED] = is_trusted
        answer, status = await asyncio.to_thread(call, parameters), 200
    except ValueError as error:
        answer, status = {"error": str(error)}, 400
    await _send(send, status, answer)


async def _send(send: Send, status: int, answer: Mapping[str, Any]) -> None:
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _send_raw(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    found = [(name.encode(), value.encode()) for name, value in headers.items()]
    found.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": found})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _refuse_socket(receive: Receive, send: Send) -> None:
    if (await receive())["type"] == "websocket.connect":
        await send({"type": "websocket.close", "code": 1008})


def _without_cors(send: Send) -> Send:
    async def send_without(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = doorkeeper.without_cors(message.get("headers", ()))
            message = {**message, "headers": headers}
        await send(message)

    return send_without


def _again(body: bytes) -> Receive:
    """A request whose body was read already; after it the client is as it is."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def _length_of(scope: Message) -> int:
    """What the request says of its own length; 0 where it says nothing."""
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


async def _body(receive: Receive, *, most: int = _LONGEST_BODY, announced: int = 0) -> bytes:
    """Raises ValueError for one that is longer, where it says so before any of it is read."""
    body = bytearray()
    while max(len(body), announced) <= most:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            return bytes(body)
    raise ValueError(f"the request is longer than {most} bytes")
