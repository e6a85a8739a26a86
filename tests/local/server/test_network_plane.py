"""Connections through a listener of TCP to what is registered behind it."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from fsd_local.elb import GroupMember
from fsd_local.network_plane import NetworkListener, NetworkPlane
from fsd_local.ports import TargetState
from tests.waiting import eventually

ARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/net/app/1/2"
LISTENER = NetworkListener(port=0, group="group", balancer="balancer")  # any free port
UNUSED = ("draining", "unused")


@dataclass
class Behind:
    """What a test lets the load balancer have."""

    listeners: dict[str, NetworkListener] = field(default_factory=lambda: {ARN: LISTENER})
    members: list[tuple[GroupMember, TargetState]] = field(default_factory=list)

    def targets(self, group: str) -> Sequence[tuple[GroupMember, TargetState]]:
        return self.members if group == LISTENER.group else []

    def add(self, target: socket.socket, state: str = "healthy") -> None:
        address, port = target.getsockname()
        member = GroupMember(group=LISTENER.group, address=address, port=port)
        self.members.append((member, TargetState(state=state)))


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def plane(behind: Behind) -> Iterator[NetworkPlane]:
    loop = asyncio.new_event_loop()
    plane = NetworkPlane(lambda: behind.listeners, behind.targets)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    loop.call_soon_threadsafe(plane.start, loop)
    eventually(lambda: plane.port(ARN) > 0)
    yield plane
    plane.close()
    eventually(lambda: plane.port(ARN) == 0)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def listen() -> Iterator[Callable[[], socket.socket]]:
    made: list[socket.socket] = []

    def one() -> socket.socket:
        made.append(socket.create_server(("127.0.0.1", 0)))
        made[-1].settimeout(20)
        return made[-1]

    yield one
    for each in made:
        each.close()


def connect(plane: NetworkPlane) -> socket.socket:
    return socket.create_connection(("127.0.0.1", plane.port(ARN)), timeout=20)


def test_connection__healthy_target__gets_all_bytes_and_the_end_of_each_side(
    plane: NetworkPlane, behind: Behind, listen: Callable[[], socket.socket]
) -> None:
    target = listen()
    behind.add(listen(), "unhealthy")
    behind.add(target)

    with connect(plane) as client:
        client.sendall(b"\x00ask" * 50_000)
        client.shutdown(socket.SHUT_WR)
        there, _ = target.accept()
        with there, there.makefile("rb") as asked:
            got = asked.read()
            there.sendall(b"answer")
        with client.makefile("rb") as answered:
            answer = answered.read()

    assert got == b"\x00ask" * 50_000
    assert answer == b"answer"


def test_connection__reset_by_the_client__ends_at_the_target_too(
    plane: NetworkPlane, behind: Behind, listen: Callable[[], socket.socket]
) -> None:
    target = listen()
    behind.add(target)
    client = connect(plane)
    there, _ = target.accept()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    client.close()

    with there:
        there.settimeout(20)
        assert there.recv(1) == b""


@pytest.mark.parametrize("state", UNUSED)
def test_connection__no_target_in_use__is_cut_off(
    plane: NetworkPlane, behind: Behind, listen: Callable[[], socket.socket], state: str
) -> None:
    behind.add(listen(), state)

    with connect(plane) as client:
        assert client.recv(1) == b""


def test_connection__no_healthy_target__is_tried_all_the_same(
    plane: NetworkPlane, behind: Behind, listen: Callable[[], socket.socket]
) -> None:
    target = listen()
    behind.add(target, "unhealthy")

    with connect(plane):
        there, _ = target.accept()
        there.close()


def test_listener__gone__nothing_listens_any_more(plane: NetworkPlane, behind: Behind) -> None:
    port = plane.port(ARN)

    behind.listeners = {}
    eventually(lambda: plane.port(ARN) == 0)

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=20)


def test_connection__silent_for_the_idle_timeout__ends_and_a_busy_one_does_not(
    plane: NetworkPlane, behind: Behind, listen: Callable[[], socket.socket]
) -> None:
    target = listen()
    behind.add(target)
    behind.listeners[ARN] = replace(LISTENER, idle_timeout=0.5)

    with connect(plane) as silent, connect(plane) as busy:
        accepted = [target.accept()[0] for _ in range(2)]
        for _ in range(10):
            busy.sendall(b"x")
            threading.Event().wait(0.1)
        ended = silent.recv(1)
        heard = [each for each in accepted if each.recv(1)]
    for each in accepted:
        each.close()

    assert ended == b""
    assert len(heard) == 1
