"""The target groups of the embedded AWS: registration, real HTTP health checks, draining.

MiniStack calls every target healthy. Here a target is what its own answers make it, so that a
rollout waits for, and fails by, what the service really does. Checks run on one thread of their
own: a slow API call never delays them, and a slow target never delays an API call.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fsd_local.health import (
    CHECKING,
    DRAINING,
    FAILED,
    HEALTHY,
    NOT_IN_USE,
    NOT_REGISTERED,
    PASSED,
    TIMED_OUT,
    Probe,
    TargetGroupCheck,
    TargetHealthState,
    advance,
    judge,
)
from fsd_local.http2 import Http2Request, ResponseHead
from fsd_local.ports import TargetState

_TICK = 0.1  # how soon a change of the group, or of the registration, is seen
_SHORTEST_INTERVAL = 0.1
_SHORTEST_TIMEOUT = 1.0  # an answer takes real time, whatever the speed
# A process starts in real time, whatever the speed: refusals that early prove nothing.
_START_ALLOWANCE = 2.0
_EAGER_RETRY = 0.25  # the first pass is what a rollout waits for
_LONGEST_STATUS_LINE = 4096
_EMPTY_MESSAGE = bytes(5)  # not compressed, of no bytes

_FAILS_ON_PURPOSE = 503  # what a target that is told to fail seems to answer


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """What the health checks need of a target group."""

    arn: str
    check: TargetGroupCheck
    deregistration_delay: float  # seconds, not yet divided by the speed
    attached: bool  # a listener or a rule forwards to it
    target_type: str = "ip"


class GroupDirectory(Protocol):
    """Where target groups are looked up; asked often, so a change takes effect at once."""

    def find(self, arn: str) -> TargetGroup | None: ...

    def weights(self, rule_arn: str) -> Mapping[str, int] | None: ...

    def set_weights(self, rule_arn: str, weights: Mapping[str, int]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class GroupMember:
    group: str
    address: str
    port: int


@dataclass(slots=True, kw_only=True)
class _Registration:
    """One stay of a target in its group; registering again makes a new one."""

    health: TargetHealthState = field(default_factory=TargetHealthState)
    since: float = field(default_factory=time.monotonic)
    counted: float = 0.0  # when a failure last counted
    draining_until: float | None = None


class ElasticLoadBalancing:
    """Implements the `LoadBalancers` port. Thread-safe."""

    def __init__(self, groups: GroupDirectory, *, speed: float) -> None:
        self._groups = groups
        self._speed = speed
        self._lock = threading.Lock()
        self._targets: dict[GroupMember, _Registration] = {}
        self._failing: set[str] = set()  # addresses whose checks fail on purpose
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="elb-health", daemon=True)
        self._thread.start()

    # ---- the port

    def exists(self, target_group_arn: str) -> bool:
        return self._groups.find(target_group_arn) is not None

    def is_attached(self, target_group_arn: str) -> bool:
        group = self._groups.find(target_group_arn)
        return group is not None and group.attached

    def target_type(self, target_group_arn: str) -> str:
        group = self._groups.find(target_group_arn)
        return group.target_type if group is not None else ""

    def register(self, target_group_arn: str, address: str, port: int) -> None:
        """Registering a registered target changes nothing; a draining one starts anew."""
        target = GroupMember(group=target_group_arn, address=address, port=port)
        with self._lock:
            present = self._targets.get(target)
            if present is not None and present.draining_until is None:
                return
            registration = self._targets[target] = _Registration()
        asyncio.run_coroutine_threadsafe(self._follow(target, registration), self._loop)

    def deregister(self, target_group_arn: str, address: str, port: int) -> None:
        self.set_failing(address, is_failing=False)  # the next task may have the address
        group = self._groups.find(target_group_arn)
        delay = (group.deregistration_delay if group else 0.0) / self._speed
        with self._lock:
            present = self._targets.get(
                GroupMember(group=target_group_arn, address=address, port=port)
            )
            if present is not None and present.draining_until is None:
                present.draining_until = time.monotonic() + delay

    def state(self, target_group_arn: str, address: str, port: int) -> TargetState:
        return self._state(GroupMember(group=target_group_arn, address=address, port=port))

    def weights(self, rule_arn: str) -> Mapping[str, int] | None:
        return self._groups.weights(rule_arn)

    def shift(self, rule_arn: str, weights: Mapping[str, int]) -> None:
        self._groups.set_weights(rule_arn, weights)

    # ---- for the API and the data plane

    def version(self, target_group_arn: str) -> str:
        """HTTP1, HTTP2 or GRPC."""
        group = self._groups.find(target_group_arn)
        return group.check.version if group is not None else "HTTP1"

    def targets(self, target_group_arn: str) -> Sequence[tuple[GroupMember, TargetState]]:
        """All targets of a group, draining ones included, in a stable order."""
        with self._lock:
            members = sorted(t for t in self._targets if t.group == target_group_arn)
        states = [(target, self._state(target)) for target in members]
        return [(t, s) for t, s in states if s.reason != NOT_REGISTERED.reason]

    def set_failing(self, address: str, *, is_failing: bool) -> None:
        """Let the health checks of an address fail, whatever it answers; or not any longer."""
        with self._lock:
            (self._failing.add if is_failing else self._failing.discard)(address)

    def is_failing(self, address: str) -> bool:
        with self._lock:
            return address in self._failing

    def reset(self) -> None:
        with self._lock:
            self._targets.clear()
            self._failing.clear()

    def close(self) -> None:
        self.reset()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # ---- behind

    def _state(self, target: GroupMember) -> TargetState:
        group = self._groups.find(target.group)
        with self._lock:
            registration = self._targets.get(target)
            if group is None or registration is None:
                return NOT_REGISTERED
            if registration.draining_until is not None:
                over = time.monotonic() >= registration.draining_until
                return NOT_REGISTERED if over else DRAINING
            if not group.attached:
                return NOT_IN_USE
            return registration.health.state if group.check.enabled else HEALTHY

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))

    async def _follow(self, target: GroupMember, registration: _Registration) -> None:
        """Check one target for as long as it is registered."""
        due = 0.0
        seen: TargetGroupCheck | None = None
        while self._is_current(target, registration):
            group = self._groups.find(target.group)
            if group is None or self._is_over(registration):
                self._forget(target, registration)
                return
            if registration.draining_until is None and group.attached and group.check.enabled:
                if group.check != seen:
                    due, seen = 0.0, group.check
                if time.monotonic() >= due:
                    due = await self._check(target, registration, group.check)
            await asyncio.sleep(_TICK)

    async def _check(
        self, target: GroupMember, registration: _Registration, check: TargetGroupCheck
    ) -> float:
        """Probe once and take note; when to probe again."""
        started = time.monotonic()
        interval = max(_SHORTEST_INTERVAL, check.interval / self._speed)
        port = int(check.port) if check.port.isdigit() else target.port
        if self.is_failing(target.address):
            probe = judge(_FAILS_ON_PURPOSE, check.matcher)
        else:
            timeout = max(_SHORTEST_TIMEOUT, check.timeout / self._speed)
            probe = await _probe(target.address, port, check, timeout=timeout)
        with self._lock:
            starting = registration.health.state.state == "initial" and probe.refused
            if starting and not self._counts(registration, started, interval):
                registration.health = TargetHealthState(
                    state=CHECKING, failures=registration.health.failures
                )
            else:
                registration.counted = started
                registration.health = advance(registration.health, probe, check)
        return started + (min(interval, _EAGER_RETRY) if starting else interval)

    def _counts(self, registration: _Registration, now: float, interval: float) -> bool:
        return (
            now - registration.since >= _START_ALLOWANCE and now - registration.counted >= interval
        )

    def _is_current(self, target: GroupMember, registration: _Registration) -> bool:
        with self._lock:
            return self._targets.get(target) is registration

    def _is_over(self, registration: _Registration) -> bool:
        until = registration.draining_until
        return until is not None and time.monotonic() >= until

    def _forget(self, target: GroupMember, registration: _Registration) -> None:
        with self._lock:
            if self._targets.get(target) is registration:
                del self._targets[target]


async def _probe(address: str, port: int, check: TargetGroupCheck, *, timeout: float) -> Probe:
    try:
        if check.protocol == "TCP":
            return await _connect(address, port, timeout=timeout)
        if check.version != "HTTP1":
            return judge(await _ask_http2(address, port, check, timeout=timeout), check.matcher)
        status = await _get_status(address, port, check, timeout=timeout)
    except TimeoutError:
        return TIMED_OUT
    except (OSError, ValueError):
        return FAILED
    return judge(status, check.matcher)


async def _connect(address: str, port: int, *, timeout: float) -> Probe:
    async with asyncio.timeout(timeout):
        _, writer = await asyncio.open_connection(address, port)
    writer.close()
    return PASSED


async def _ask_http2(address: str, port: int, check: TargetGroupCheck, *, timeout: float) -> int:
    """The status of a GET by HTTP/2; with GRPC, of a call with an empty message.

    Raises OSError without an answer, ValueError for one that has no gRPC status.
    """
    is_grpc = check.version == "GRPC"
    writer: asyncio.StreamWriter | None = None
    status, answered = 0, b""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(address, port)
            request = Http2Request(reader, writer)
            await request.start(_http2_headers(address, port, check, is_grpc=is_grpc))
            await request.send(_EMPTY_MESSAGE if is_grpc else b"", ends=True)
            async for part in request.answer(idle=timeout):
                if isinstance(part, bytes):
                    continue
                if isinstance(part, ResponseHead):
                    status = part.status
                answered = dict(part.headers).get(b"grpc-status", answered)
    finally:
        if writer is not None:
            writer.close()
    return int(answered) if is_grpc else status


def _http2_headers(
    address: str, port: int, check: TargetGroupCheck, *, is_grpc: bool
) -> list[tuple[bytes, bytes]]:
    headers = [
        (b":method", b"POST" if is_grpc else b"GET"),
        (b":scheme", b"http"),
        (b":authority", f"{address}:{port}".encode()),
        (b":path", check.path.encode("latin-1", "replace")),
        (b"user-agent", b"ELB-HealthChecker/2.0"),
    ]
    return [*headers, (b"content-type", b"application/grpc"), (b"te", b"trailers")][
        : None if is_grpc else len(headers)
    ]


async def _get_status(address: str, port: int, check: TargetGroupCheck, *, timeout: float) -> int:
    """The status of one GET. Raises OSError without a connection, ValueError for not-HTTP."""
    request = (
        f"GET {check.path} HTTP/1.1\r\nHost: {address}:{port}\r\n"
        "User-Agent: ELB-HealthChecker/2.0\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(
                address, port, limit=_LONGEST_STATUS_LINE, ssl=_tls(check)
            )
            writer.write(request.encode("latin-1", "replace"))
            await writer.drain()
            words = (await reader.readline()).split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/"):
            raise ValueError("not an HTTP answer")
        await _read_rest(reader)
        return int(words[1])
    finally:
        if writer is not None:
            writer.close()


def _tls(check: TargetGroupCheck) -> ssl.SSLContext | None:
    """A load balancer does not look at a target's certificate.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
    """
    return ssl._create_unverified_context() if check.protocol == "HTTPS" else None


async def _read_rest(reader: asyncio.StreamReader) -> None:
    """Let the server finish its answer, so that it does not log a broken pipe for each check."""
    try:
        async with asyncio.timeout(0.5):
            while await reader.read(65536):
                pass
    except (TimeoutError, OSError):
        return
