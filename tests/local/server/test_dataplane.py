from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from fsd_local.balancing.rules import BalancedRequest
from fsd_local.dataplane import Address, DataPlane, Listener, find_address
from fsd_local.elb import GroupMember
from fsd_local.health import DRAINING, HEALTHY, REGISTERING
from fsd_local.ports import TargetState
from tests.local.server.targets import Target as Server
from tests.local.server.targets import serving
from tests.waiting import eventually

GROUP = "group"
FORWARD = {"Type": "forward", "TargetGroupArn": GROUP}
HTTP = Listener(port=80, protocol="HTTP", actions=(FORWARD,))
UNHEALTHY = TargetState(state="unhealthy", reason="Target.Timeout")


@dataclass
class Balancer:
    """A load balancer `app` with one listener."""

    listener: Listener | None = HTTP
    members: list[tuple[GroupMember, TargetState]] = field(default_factory=list)

    def add(self, port: int, state: TargetState = HEALTHY) -> None:
        self.members.append((GroupMember(group=GROUP, address="127.0.0.1", port=port), state))

    def plane(self) -> DataPlane:
        return DataPlane(self._choose, self._targets)

    def _choose(self, name: str, request: BalancedRequest) -> Listener | None:
        del request
        if name != "app":
            raise LookupError(name)
        return self.listener

    def _targets(self, group: str) -> Sequence[tuple[GroupMember, TargetState]]:
        return self.members if group == GROUP else []


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False


def ask(
    plane: DataPlane,
    path: str = "/",
    *,
    method: str = "GET",
    chunks: Sequence[bytes] = (b"",),
    headers: Sequence[tuple[bytes, bytes]] = ((b"host", b"app.elb.localhost:4566"),),
) -> Answer:
    """One request, as hypercorn would hand it over."""
    raw, _, query = path.encode().partition(b"?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": raw,
        "query_string": query,
        "headers": list(headers),
        "client": ("10.1.2.3", 5),
    }
    answer = Answer()

    async def run() -> None:
        messages = [
            {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
            for index, chunk in enumerate(chunks)
        ]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop(0)
            return await asyncio.Future()

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                answer.body += message["body"]
                answer.complete = not message["more_body"]

        address = find_address(scope)
        assert address is not None
        await plane.serve(address, scope, receive, send)

    asyncio.run(run())
    return answer


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("app.elb.localhost:4566", b"/a%20b", Address(name="app", raw_path=b"/a%20b")),
        ("APP.alb.localhost", b"/", Address(name="app", raw_path=b"/")),
        ("127.0.0.1:4566", b"/_alb/app/x/y", Address(name="app", raw_path=b"/x/y")),
        ("127.0.0.1:4566", b"/_alb/app", Address(name="app", raw_path=b"/")),
        ("127.0.0.1:4566", b"/_alb/app:8080/x", Address(name="app", raw_path=b"/x", port=8080)),
        ("127.0.0.1:4566", b"/_alb/app:x/", Address(name="app", raw_path=b"/")),
        ("ecs.us-east-1.amazonaws.com", b"/", None),
    ],
)
def test_find_address__host_or_path__names_the_load_balancer(
    host: str, path: bytes, expected: Address | None
) -> None:
    scope = {"path": path.decode(), "raw_path": path, "headers": [(b"host", host.encode())]}
    assert find_address(scope) == expected


def test_serve__healthy_target__passes_the_request_and_the_answer_through() -> None:
    balancer = Balancer()
    with serving("one") as server:
        balancer.add(server.server_port)
        answer = ask(
            balancer.plane(),
            "/a?b=c%20d",
            headers=[(b"host", b"app.elb.localhost"), (b"x-own", b"1"), (b"connection", b"x")],
        )
    method, path, headers, _ = server.requests[0]
    assert (answer.status, answer.body, answer.headers["x-custom"]) == (200, b"one", "kept")
    assert (method, path) == ("GET", "/a?b=c%20d")
    assert headers["host"] == "app.elb.localhost"
    assert headers["x-own"] == "1"
    assert headers["x-forwarded-for"] == "10.1.2.3"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("http", "80")
    assert headers["x-amzn-trace-id"].startswith("Root=1-")


def test_serve__body_in_pieces__reaches_the_target_whole() -> None:
    balancer = Balancer()
    pieces = [b"x" * 70_000, b"y" * 70_000, b""]
    with serving("one") as server:
        balancer.add(server.server_port)
        answer = ask(
            balancer.plane(),
            method="POST",
            chunks=pieces,
            headers=[(b"host", b"app.elb.localhost"), (b"content-length", b"140000")],
        )
    assert answer.body == b"one" + b"".join(pieces)


def test_serve__https_listener__tells_the_target_so() -> None:
    balancer = Balancer(listener=Listener(port=443, protocol="HTTPS", actions=(FORWARD,)))
    with serving() as server:
        balancer.add(server.server_port)
        ask(balancer.plane())
    headers = server.requests[0][2]
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", "443")


def test_serve__sticky_target_groups__a_client_stays_until_its_group_has_no_weight() -> None:
    groups = [{"TargetGroupArn": "old", "Weight": 1}, {"TargetGroupArn": "new", "Weight": 1}]
    sticky = {"Enabled": True, "DurationSeconds": 60}

    def plane(*weights: int) -> DataPlane:
        shared = [group | {"Weight": weight} for group, weight in zip(groups, weights, strict=True)]
        config = {"TargetGroups": shared, "TargetGroupStickinessConfig": sticky}
        action = {"Type": "forward", "ForwardConfig": config}
        listener = Listener(port=80, protocol="HTTP", actions=(action,))
        return DataPlane(lambda _name, _request: listener, lambda group: members[group])

    with serving("old") as old, serving("new") as new:
        members = {
            name: [(GroupMember(group=name, address="127.0.0.1", port=port), HEALTHY)]
            for name, port in (("old", old.server_port), ("new", new.server_port))
        }
        first = ask(plane(1, 0))
        cookie = first.headers["set-cookie"].partition(";")[0]
        assert cookie.startswith("AWSALBTGCORS=")
        kept = [(b"host", b"app.elb.localhost"), (b"cookie", cookie.replace("CORS", "").encode())]
        stayed = plane(1, 9)
        again = {ask(stayed, headers=kept).body for _ in range(10)}
        moved = ask(plane(0, 1), headers=kept)

    assert first.body == b"old"
    assert "Path=/; SameSite=None; Secure" in first.headers["set-cookie"]
    assert (again, moved.body) == ({b"old"}, b"new")


def test_serve__two_healthy_targets__take_turns() -> None:
    balancer = Balancer()
    with serving("one") as one, serving("two") as two:
        balancer.add(one.server_port)
        balancer.add(two.server_port)
        plane = balancer.plane()
        bodies = [ask(plane).body for _ in range(4)]
    assert sorted(bodies) == [b"one", b"one", b"two", b"two"]
    assert bodies[0] != bodies[1]


@pytest.mark.parametrize("state", [UNHEALTHY, REGISTERING, DRAINING])
def test_serve__one_healthy_target__others_get_nothing(state: TargetState) -> None:
    balancer = Balancer()
    with serving("good") as good, serving("bad") as bad:
        balancer.add(good.server_port)
        balancer.add(bad.server_port, state)
        plane = balancer.plane()
        assert {ask(plane).body for _ in range(4)} == {b"good"}


def test_serve__all_unhealthy__fails_open() -> None:
    balancer = Balancer()
    with serving("bad") as bad:
        balancer.add(bad.server_port, UNHEALTHY)
        assert ask(balancer.plane()).body == b"bad"


def test_serve__only_draining__is_503() -> None:
    balancer = Balancer()
    with serving() as server:
        balancer.add(server.server_port, DRAINING)
        assert ask(balancer.plane()).status == 503


def test_serve__nothing_registered__is_503_by_the_load_balancer() -> None:
    answer = ask(Balancer().plane())
    assert (answer.status, answer.headers["server"]) == (503, "awselb/2.0")


def test_serve__target_refuses__another_one_answers() -> None:
    balancer = Balancer()
    balancer.add(closed_port())
    with serving("good") as good:
        balancer.add(good.server_port)
        plane = balancer.plane()
        assert {ask(plane).body for _ in range(4)} == {b"good"}


def test_serve__every_target_refuses__is_502() -> None:
    balancer = Balancer()
    balancer.add(closed_port())
    assert ask(balancer.plane()).status == 502


@pytest.mark.parametrize("answer", [b"", b"not http\r\n\r\n"])
def test_serve__target_speaks_no_http__is_502(answer: bytes) -> None:
    balancer = Balancer()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_badly() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=answer_badly)
        thread.start()
        balancer.add(listener.getsockname()[1])
        found = ask(balancer.plane())
        thread.join()
    assert found.status == 502


def test_serve__target_starts_draining__its_request_is_completed() -> None:
    balancer = Balancer()
    answers: list[Answer] = []
    with ExitStack() as stack:
        server: Server = stack.enter_context(serving("old"))
        balancer.add(server.server_port)
        plane = balancer.plane()
        client = threading.Thread(target=lambda: answers.append(ask(plane, "/slow")))
        client.start()
        server.entered.wait(10)
        balancer.members[:] = [(balancer.members[0][0], DRAINING)]
        server.go.set()
        eventually(lambda: answers)
        client.join()
    assert (answers[0].status, answers[0].body) == (200, b"old")


def test_serve__unknown_name__is_404() -> None:
    answer = ask(Balancer().plane(), headers=[(b"host", b"other.elb.localhost")])
    assert answer.status == 404


def test_serve__no_listener__is_503() -> None:
    assert ask(Balancer(listener=None).plane()).status == 503


def test_serve__fixed_response__is_given() -> None:
    config = {"StatusCode": "418", "MessageBody": "short", "ContentType": "text/plain"}
    action = {"Type": "fixed-response", "FixedResponseConfig": config}
    answer = ask(Balancer(listener=Listener(port=80, protocol="HTTP", actions=(action,))).plane())
    assert (answer.status, answer.body) == (418, b"short")


@pytest.mark.parametrize(
    ("config", "status", "location"),
    [
        (
            {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
            301,
            "https://app.elb.localhost:443/a?b=c",
        ),
        ({"Path": "/new", "StatusCode": "HTTP_302"}, 302, "http://app.elb.localhost:4566/new?b=c"),
    ],
)
def test_serve__redirect__fills_the_placeholders(
    config: dict[str, str], status: int, location: str
) -> None:
    action = {"Type": "redirect", "RedirectConfig": config}
    plane = Balancer(listener=Listener(port=80, protocol="HTTP", actions=(action,))).plane()
    answer = ask(plane, "/a?b=c")
    assert (answer.status, answer.headers["location"]) == (status, location)


def test_serve__client_goes_away__target_is_let_go() -> None:
    balancer = Balancer()
    with serving() as server:
        balancer.add(server.server_port)
        plane = balancer.plane()
        asyncio.run(_leave_early(plane, server.entered.is_set))
        server.go.set()


async def _leave_early(plane: DataPlane, entered: Callable[[], bool]) -> None:
    scope = {
        "method": "GET",
        "path": "/slow",
        "query_string": b"",
        "headers": [(b"host", b"app.elb.localhost")],
    }
    messages = [{"type": "http.request", "body": b""}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        while not entered():
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError(f"nobody is there for {message}")

    async with asyncio.timeout(5):
        await plane.serve(Address(name="app", raw_path=b"/slow"), scope, receive, send)
