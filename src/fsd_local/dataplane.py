"""The load balancers' data plane: from a client's request to a healthy target, and back.

Requests stream both ways; nothing is read whole. Each request has its own connection to its
target: a rollout is then never served by a connection to a task that is gone.

What an Application Load Balancer answers by itself, and when:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import secrets
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, TypeAlias
from urllib.parse import parse_qs

import h11

from fsd_local.balancing.access_logs import AccessEntry
from fsd_local.balancing.checks import choose_group, forward_groups, stickiness
from fsd_local.balancing.rules import BalancedRequest
from fsd_local.elb import GroupMember
from fsd_local.http2 import Http2Request, ResponseHead, ResponseTrailers
from fsd_local.ports import TargetState

Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

PATH_PREFIX = "/_alb/"
HOST_SUFFIXES = (".elb.localhost", ".alb.localhost")  # ours, and MiniStack's

_CONNECT_TIMEOUT = 10.0
_IDLE_TIMEOUT = 60.0
_CHUNK = 64 * 1024
# The client's version of HTTP is not the target group's.
_INCOMPATIBLE = 464
# https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
_HOP_BY_HOP = {
    b"connection",
    b"expect",  # answered already, by the server that the client talks to
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_REASONS = {
    400: "Bad Request",
    404: "Not Found",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """The listener that answers a request, with the actions of the rule that matched."""

    port: int
    protocol: str
    actions: Sequence[Mapping[str, Any]]
    balancer: str = ""  # ARN


# LookupError: no load balancer has this name
ChooseListener = Callable[[str, BalancedRequest], "Listener | None"]
Targets = Callable[[str], Sequence[tuple[GroupMember, TargetState]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Which load balancer a request is for, and what is left of its path."""

    name: str
    raw_path: bytes
    port: int = 0  # of its listener, where the address says one


def find_address(
    scope: Mapping[str, Any], *, find_alias: Callable[[str], str] = lambda _host: ""
) -> Address | None:
    """None for a request that is not for a load balancer. `find_alias` says the load balancer's
    name of a host; "" where it has none."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    if raw_path.startswith(PATH_PREFIX.encode()):
        label, slash, rest = raw_path[len(PATH_PREFIX) :].partition(b"/")
        name, _, port = label.decode("latin-1").partition(":")
        number = int(port) if port.isdecimal() else 0
        return Address(name=name, raw_path=slash + rest or b"/", port=number)
    host = _header(scope["headers"], b"host").partition(":")[0].lower()
    for suffix in HOST_SUFFIXES:
        if host.endswith(suffix):
            return Address(name=host.removesuffix(suffix), raw_path=raw_path)
    balancer = find_alias(host) if host.endswith(".localhost") else ""
    return Address(name=balancer, raw_path=raw_path) if balancer else None


class DataPlane:
    def __init__(
        self,
        choose_listener: ChooseListener,
        targets: Targets,
        version: Callable[[str], str] = lambda _group: "HTTP1",
        log: Callable[[str, AccessEntry], None] = lambda _balancer, _entry: None,
    ) -> None:
        self._choose_listener = choose_listener
        self._targets = targets
        self._version = version  # of a target group: HTTP1, HTTP2 or GRPC
        self._log = log  # of a load balancer's ARN
        self._turn: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)

    async def serve(self, address: Address, scope: Message, receive: Receive, send: Send) -> None:
        try:
            listener = self._choose_listener(address.name, _balanced(address, scope))
        except LookupError:
            await _answer(send, 404, f"no load balancer is named {address.name}")
            return
        if listener is None:
            await _answer(send, 503)
            return
        seen = _Seen(send)
        asked: Message = {**scope, _SEEN: seen}
        began = time.time()
        try:
            await self._act(listener, address, asked, receive, seen)
        finally:
            self._log(listener.balancer, _entry(listener, address, scope, seen, began=began))

    async def _act(
        self, listener: Listener, address: Address, scope: Message, receive: Receive, send: Send
    ) -> None:
        for action in listener.actions:
            match action.get("Type"):
                case "forward":
                    await self._forward(action, listener, address, scope, receive, send)
                    return
                case "redirect":
                    await _redirect(send, _location(action, listener, address, scope), action)
                    return
                case "fixed-response":
                    config = action.get("FixedResponseConfig") or {}
                    body = str(config.get("MessageBody", ""))
                    kind = str(config.get("ContentType") or "text/plain")
                    await _answer(send, int(config.get("StatusCode", 200)), body, kind=kind)
                    return
        await _answer(send, 503)

    async def _forward(
        self,
        action: Mapping[str, Any],
        listener: Listener,
        address: Address,
        scope: Message,
        receive: Receive,
        send: Send,
    ) -> None:
        group = self._choose_group(dict(action), _header(scope["headers"], b"cookie"))
        seconds = stickiness(dict(action))
        if seconds and group and _SEEN in scope:
            scope[_SEEN].cookies = _cookies(group, seconds)
        by_http2 = self._version(group) != "HTTP1"
        order = self._order(group)
        if by_http2 and scope.get("http_version") != "2":
            await _answer(send, _INCOMPATIBLE)
            return
        if not order:
            await _answer(send, 503)
            return
        for target in order:
            try:
                async with asyncio.timeout(_CONNECT_TIMEOUT):
                    streams = await asyncio.open_connection(target.address, target.port)
            except (OSError, TimeoutError):
                continue  # nothing was sent yet, so another target may have it
            if _SEEN in scope:
                scope[_SEEN].target, scope[_SEEN].group = f"{target.address}:{target.port}", group
            if by_http2:
                exchange = Http2Exchange(*streams, has_trailers=_takes_trailers(scope))
                await exchange.run(_http2_request(listener, address, scope), receive, send)
            else:
                request = _request(listener, address, scope)
                await _Exchange(*streams).run(request, receive, send)
            return
        await _answer(send, 502)

    def _choose_group(self, action: dict[str, Any], cookie: str) -> str:
        """A client that is kept at a target group has it in a cookie; without weight it moves."""
        if stickiness(action):
            for arn, weight in forward_groups(action):
                if weight and f"{_STICKY}={_token(arn)}" in cookie:
                    return arn
        groups = "|".join(arn for arn, _ in forward_groups(action))
        return choose_group(action, next(self._turn[f"forward to {groups}"]))

    def _order(self, group: str) -> list[GroupMember]:
        """The targets to try, the one whose turn it is first.

        With no healthy target all that are not draining are tried: a load balancer fails open.
        """
        members = self._targets(group)
        healthy = [target for target, state in members if state.state == "healthy"]
        pool = healthy or [t for t, state in members if state.state in ("unhealthy", "initial")]
        if not pool:
            return []
        first = next(self._turn[group]) % len(pool)
        return pool[first:] + pool[:first]


_STICKY = "AWSALBTG"  # the cookie
_SEEN = "fsd.seen"  # of a scope: what becomes of its request


class _Seen:
    """Passes an answer on, and remembers what an access log says of it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.sent = 0
        self.target = ""
        self.group = ""
        self.cookies: Headers = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            message = {**message, "headers": [*message.get("headers", ()), *self.cookies]}
        elif message["type"] == "http.response.body":
            self.sent += len(message.get("body", b""))
        await self._send(message)


def _cookies(group: str, seconds: int) -> Headers:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html"""
    expires = formatdate(time.time() + seconds, usegmt=True)
    found = f"{_token(group)}; Expires={expires}; Path=/"
    return [
        (b"set-cookie", f"{_STICKY}={found}".encode()),
        (b"set-cookie", f"{_STICKY}CORS={found}; SameSite=None; Secure".encode()),
    ]


def _token(group: str) -> str:
    return hashlib.sha256(group.encode()).hexdigest()[:32]


def _entry(
    listener: Listener, address: Address, scope: Message, seen: _Seen, *, began: float
) -> AccessEntry:
    headers: Headers = scope["headers"]
    query: bytes = scope["query_string"]
    host = _header(headers, b"host").partition(":")[0]
    path = (address.raw_path + (b"?" + query if query else b"")).decode("latin-1")
    scheme = "https" if listener.protocol == "HTTPS" else "http"
    version = scope.get("http_version", "1.1")
    spoken = "h2" if version == "2" else scheme
    client, port = scope.get("client") or ("127.0.0.1", 0)
    return AccessEntry(
        began=began,
        ended=time.time(),
        protocol=spoken,
        client=f"{client}:{port}",
        target=seen.target,
        group=seen.group,
        status=seen.status,
        sent=seen.sent,
        request=f"{scope['method']} {scheme}://{host}:{listener.port}{path} HTTP/{version}",
        user_agent=_header(headers, b"user-agent"),
        trace=_header(headers, b"x-amzn-trace-id"),
        host=host,
        action=next((str(each.get("Type")) for each in listener.actions), ""),
    )


def _balanced(address: Address, scope: Message) -> BalancedRequest:
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
    return BalancedRequest(
        method=scope["method"],
        path=address.raw_path.decode("latin-1"),
        host=headers.get("host", "").partition(":")[0],
        headers=headers,
        query=parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        client=(scope.get("client") or ("127.0.0.1", 0))[0],
        port=address.port,
    )


def _request(listener: Listener, address: Address, scope: Message) -> h11.Request:
    query: bytes = scope["query_string"]
    target = address.raw_path + (b"?" + query if query else b"")
    return h11.Request(
        method=scope["method"],
        target=target,
        headers=_forwarded(scope, listener),
    )


def _http2_request(listener: Listener, address: Address, scope: Message) -> Headers:
    query: bytes = scope["query_string"]
    kept = [
        (name.lower(), value)
        for name, value in _forwarded(scope, listener)
        if name.lower() not in {b"host", b"connection", b"transfer-encoding"}
    ]
    return [
        (b":method", scope["method"].encode()),
        (b":scheme", b"http"),
        (b":authority", _header(scope["headers"], b"host").encode("latin-1")),
        (b":path", address.raw_path + (b"?" + query if query else b"")),
        *kept,
        *([(b"te", b"trailers")] if _takes_trailers(scope) else []),
    ]


def _takes_trailers(scope: Message) -> bool:
    return _header(scope["headers"], b"te") == "trailers" and "http.response.trailers" in (
        scope.get("extensions") or {}
    )


def _forwarded(scope: Message, listener: Listener) -> Headers:
    """The client's headers, with what a load balancer adds for its targets."""
    received: Headers = scope["headers"]
    client = (scope.get("client") or ("127.0.0.1", 0))[0]
    chain = _header(received, b"x-forwarded-for")
    dropped = _HOP_BY_HOP | {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-port"}
    headers = [(k, v) for k, v in received if k.lower() not in dropped]
    if _header(received, b"transfer-encoding") and not _header(received, b"content-length"):
        headers.append((b"transfer-encoding", b"chunked"))
    if not _header(received, b"x-amzn-trace-id"):
        root = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
        headers.append((b"x-amzn-trace-id", root.encode()))
    return [
        *headers,
        (b"x-forwarded-for", (f"{chain}, {client}" if chain else client).encode("latin-1")),
        (b"x-forwarded-proto", b"https" if listener.protocol == "HTTPS" else b"http"),
        (b"x-forwarded-port", str(listener.port).encode()),
        (b"connection", b"close"),
    ]


def _header(headers: Headers, name: bytes) -> str:
    values = [value.decode("latin-1") for key, value in headers if key.lower() == name]
    return ", ".join(values)


class _TargetFailed(Exception):
    """The target went away or spoke no HTTP before its answer was complete."""


class _Exchange:
    """One request to one target, on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(our_role=h11.CLIENT)
        self._answered = False

    async def run(self, request: h11.Request, receive: Receive, send: Send) -> None:
        self._write(request)
        upload = asyncio.create_task(self._upload(receive))
        answer = asyncio.create_task(self._download(send))
        try:
            # The upload ends with the client's disconnection, and then the answer is for nobody.
            await asyncio.wait({upload, answer}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                await answer
        except TimeoutError:
            await self._fail(send, 504)
        except (_TargetFailed, OSError):
            await self._fail(send, 502)
        finally:
            for task in (upload, answer):
                task.cancel()
            await asyncio.gather(upload, answer, return_exceptions=True)
            await self._close()

    async def _upload(self, receive: Receive) -> None:
        """Send the client's body, then wait for its disconnection."""
        complete = False
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            if complete:
                continue
            complete = not message.get("more_body", False)
            try:
                self._write(h11.Data(data=message.get("body", b"")))
                if complete:
                    self._write(h11.EndOfMessage())
                await self._writer.drain()
            except (OSError, h11.LocalProtocolError):
                # The target has answered early and closed: its answer is what counts.
                complete = True

    def _write(self, event: h11.Event) -> None:
        sent = self._http.send(event)
        if sent:
            self._writer.write(sent)

    async def _download(self, send: Send) -> None:
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Response):
                self._answered = True
                headers = [(k, v) for k, v in event.headers if k not in _HOP_BY_HOP]
                await send(
                    {
                        "type": "http.response.start",
                        "status": event.status_code,
                        "headers": headers,
                    }
                )
            elif isinstance(event, h11.Data):
                await send(
                    {"type": "http.response.body", "body": bytes(event.data), "more_body": True}
                )
            elif isinstance(event, h11.EndOfMessage):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return

    async def _next_event(self) -> h11.Event:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise _TargetFailed from error
            if event is h11.NEED_DATA:
                async with asyncio.timeout(_IDLE_TIMEOUT):
                    self._http.receive_data(await self._reader.read(_CHUNK))
            elif not isinstance(event, h11.Event) or isinstance(event, h11.ConnectionClosed):
                raise _TargetFailed
            else:
                return event

    async def _fail(self, send: Send, status: int) -> None:
        """Answer for the target, or, in the middle of its answer, break off."""
        if self._answered:
            raise ConnectionResetError("the target broke off its answer")
        await _answer(send, status)

    async def _close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class Http2Exchange:
    """One request to one target by HTTP/2, streamed both ways, with the trailers that gRPC has."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, has_trailers: bool
    ) -> None:
        self._target = Http2Request(reader, writer)
        self._writer = writer
        self._has_trailers = has_trailers
        self._answered = False

    async def run(self, headers: Headers, receive: Receive, send: Send) -> None:
        upload: asyncio.Task[None] | None = None
        try:
            await self._target.start(headers)
            upload = asyncio.create_task(self._upload(receive))
            answer = asyncio.create_task(self._download(send))
            await asyncio.wait({upload, answer}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                await answer
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)
        except TimeoutError:
            await self._fail(send, 504)
        except OSError:
            await self._fail(send, 502)
        finally:
            if upload is not None:
                upload.cancel()
                await asyncio.gather(upload, return_exceptions=True)
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    async def _upload(self, receive: Receive) -> None:
        """Send the client's body, then wait for its disconnection."""
        is_over = False
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            if is_over:
                continue
            is_over = not message.get("more_body", False)
            try:
                await self._target.send(message.get("body", b""), ends=is_over)
            except OSError:
                is_over = True  # the target has answered early: its answer is what counts

    async def _download(self, send: Send) -> None:
        trailers: Headers = []
        async for part in self._target.answer(idle=_IDLE_TIMEOUT):
            match part:
                case bytes():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                case ResponseTrailers():
                    trailers = part.headers
                case ResponseHead():
                    headers, trailers = _split_status(part.headers)
                    self._answered = True
                    await send(
                        {
                            "type": "http.response.start",
                            "status": part.status,
                            "headers": headers,
                            "trailers": self._has_trailers,
                        }
                    )
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        if self._has_trailers:
            await send(
                {"type": "http.response.trailers", "headers": trailers, "more_trailers": False}
            )

    async def _fail(self, send: Send, status: int) -> None:
        if self._answered:
            raise ConnectionResetError("the target broke off its answer")
        await _answer(send, status)


def _split_status(headers: Headers) -> tuple[Headers, Headers]:
    """A call that fails at once has its status in the head; a client reads it in the trailers."""
    status = {b"grpc-status", b"grpc-message", b"grpc-status-details-bin"}
    return (
        [pair for pair in headers if pair[0] not in status | _HOP_BY_HOP],
        [pair for pair in headers if pair[0] in status],
    )


def _location(
    action: Mapping[str, Any], listener: Listener, address: Address, scope: Message
) -> str:
    config = action.get("RedirectConfig") or {}
    host, _, port = _header(scope["headers"], b"host").partition(":")
    known = {
        "#{protocol}": listener.protocol.lower(),
        "#{host}": host,
        "#{port}": port or str(listener.port),
        "#{path}": address.raw_path.decode("latin-1").removeprefix("/"),
        "#{query}": scope["query_string"].decode("latin-1"),
    }

    def fill(name: str, default: str) -> str:
        text = str(config.get(name) or default)
        for placeholder, value in known.items():
            text = text.replace(placeholder, value)
        return text

    query = fill("Query", "#{query}")
    return (
        f"{fill('Protocol', '#{protocol}').lower()}://{fill('Host', '#{host}')}"
        f":{fill('Port', '#{port}')}{fill('Path', '/#{path}')}{'?' + query if query else ''}"
    )


async def _redirect(send: Send, location: str, action: Mapping[str, Any]) -> None:
    code = str((action.get("RedirectConfig") or {}).get("StatusCode", "HTTP_301"))
    status = 302 if code.endswith("302") else 301
    await _answer(send, status, location=location)


async def _answer(
    send: Send, status: int, text: str = "", *, kind: str = "text/html", location: str = ""
) -> None:
    """An answer of the load balancer itself: in shape like AWS's, which clients tell apart."""
    reason = _REASONS.get(status, "")
    shown = text or (f"<html><body><h1>{status} {reason}</h1></body></html>\n" if reason else "")
    body = shown.encode()
    headers = [
        (b"server", b"awselb/2.0"),
        (b"content-type", kind.encode("latin-1")),
        (b"content-length", str(len(body)).encode()),
    ]
    if location:
        headers.append((b"location", location.encode("latin-1", "replace")))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
