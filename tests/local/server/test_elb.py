from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fsd_local.elb import ElasticLoadBalancing, TargetGroup
from fsd_local.health import TargetGroupCheck
from tests.local.server.grpc_target import GrpcTarget
from tests.local.server.targets import serving
from tests.waiting import eventually

ARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/app/1"
GROUP = TargetGroup(
    arn=ARN,
    check=TargetGroupCheck(path="/health", interval=5, timeout=2, healthy_threshold=2),
    deregistration_delay=30,
    attached=True,
)
SPEED = 50.0  # the interval is then 0.1 s, and the delay 0.6 s


class Groups:
    def __init__(self, group: TargetGroup | None = GROUP) -> None:
        self.group = group

    def find(self, arn: str) -> TargetGroup | None:
        return self.group if self.group and self.group.arn == arn else None

    def weights(self, rule_arn: str) -> Mapping[str, int] | None:
        del rule_arn
        return None

    def set_weights(self, rule_arn: str, weights: Mapping[str, int]) -> None:
        del rule_arn, weights


@pytest.fixture
def groups() -> Groups:
    return Groups()


@pytest.fixture
def balancing(groups: Groups) -> Iterator[ElasticLoadBalancing]:
    balancing = ElasticLoadBalancing(groups, speed=SPEED)
    yield balancing
    balancing.close()


def state(balancing: ElasticLoadBalancing, port: int) -> str:
    return balancing.state(ARN, "127.0.0.1", port).state


def test_register__answering_target__becomes_healthy(balancing: ElasticLoadBalancing) -> None:
    with serving() as target:
        balancing.register(ARN, "127.0.0.1", target.server_port)
        eventually(lambda: state(balancing, target.server_port) == "healthy")
    _, path, headers, _ = target.requests[0]
    assert (path, headers["user-agent"]) == ("/health", "ELB-HealthChecker/2.0")


def test_state__right_after_registration__is_initial(balancing: ElasticLoadBalancing) -> None:
    balancing.register(ARN, "127.0.0.1", 9)
    assert balancing.state(ARN, "127.0.0.1", 9).state == "initial"


def test_state__target_answers_500__is_unhealthy_and_says_so(
    balancing: ElasticLoadBalancing,
) -> None:
    with serving() as target:
        target.status = 500
        balancing.register(ARN, "127.0.0.1", target.server_port)
        eventually(lambda: state(balancing, target.server_port) == "unhealthy")
        found = balancing.state(ARN, "127.0.0.1", target.server_port)
        target.status = 200
        eventually(lambda: state(balancing, target.server_port) == "healthy")
    assert found.description == "Health checks failed with these codes: [500]"


def test_state__nothing_listens__is_unhealthy_after_a_start_allowance(
    balancing: ElasticLoadBalancing,
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        balancing.register(ARN, "127.0.0.1", port)
        eventually(
            lambda: balancing.state(ARN, "127.0.0.1", port).reason == "Elb.InitialHealthChecking"
        )
        eventually(lambda: state(balancing, port) == "unhealthy")
    assert balancing.state(ARN, "127.0.0.1", port).reason == "Target.FailedHealthChecks"


def test_state__target_does_not_answer__is_a_timeout(balancing: ElasticLoadBalancing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        balancing.register(ARN, "127.0.0.1", port)
        eventually(lambda: state(balancing, port) == "unhealthy")
    assert balancing.state(ARN, "127.0.0.1", port).reason == "Target.Timeout"


def test_state__health_check_changes__takes_effect_at_once(
    groups: Groups, balancing: ElasticLoadBalancing
) -> None:
    long = replace(GROUP, check=replace(GROUP.check, interval=300, matcher="200"))
    groups.group = long  # the next check would be 6 s away
    with serving() as target:
        balancing.register(ARN, "127.0.0.1", target.server_port)
        eventually(lambda: state(balancing, target.server_port) == "healthy")
        groups.group = replace(long, check=replace(GROUP.check, matcher="204"))
        eventually(lambda: state(balancing, target.server_port) == "unhealthy", seconds=3)


def test_deregister__target__drains_and_then_is_unused(balancing: ElasticLoadBalancing) -> None:
    with serving() as target:
        port = target.server_port
        balancing.register(ARN, "127.0.0.1", port)
        eventually(lambda: state(balancing, port) == "healthy")
        balancing.deregister(ARN, "127.0.0.1", port)
        draining = balancing.state(ARN, "127.0.0.1", port)
        eventually(lambda: state(balancing, port) == "unused")
    assert draining.reason == "Target.DeregistrationInProgress"
    assert balancing.state(ARN, "127.0.0.1", port).reason == "Target.NotRegistered"
    assert balancing.targets(ARN) == []


def test_register__draining_target__starts_anew(balancing: ElasticLoadBalancing) -> None:
    balancing.register(ARN, "127.0.0.1", 9)
    balancing.deregister(ARN, "127.0.0.1", 9)
    balancing.register(ARN, "127.0.0.1", 9)
    assert state(balancing, 9) == "initial"


def test_state__group_without_a_listener__is_not_in_use(
    groups: Groups, balancing: ElasticLoadBalancing
) -> None:
    groups.group = replace(GROUP, attached=False)
    balancing.register(ARN, "127.0.0.1", 9)
    assert balancing.state(ARN, "127.0.0.1", 9).reason == "Target.NotInUse"
    assert not balancing.is_attached(ARN)


def test_targets__group_is_deleted__are_forgotten(
    groups: Groups, balancing: ElasticLoadBalancing
) -> None:
    balancing.register(ARN, "127.0.0.1", 9)
    groups.group = None
    assert not balancing.exists(ARN)
    assert balancing.state(ARN, "127.0.0.1", 9).state == "unused"
    assert balancing.targets(ARN) == []


def test_state__check_by_https__plain_http_fails_and_tls_passes(
    groups: Groups, balancing: ElasticLoadBalancing, tmp_path: Path
) -> None:
    check = replace(GROUP.check, protocol="HTTPS")
    groups.group = replace(GROUP, check=check)
    with serving() as plain, serving() as secure:
        secure.socket = self_signed(tmp_path).wrap_socket(secure.socket, server_side=True)
        for target in (plain, secure):
            balancing.register(ARN, "127.0.0.1", target.server_port)
        eventually(lambda: state(balancing, secure.server_port) == "healthy")
        eventually(lambda: state(balancing, plain.server_port) == "unhealthy")


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate that nobody trusts."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ("-subj", "/CN=target", "-days", "1")
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes")
    command = (*new, "-keyout", str(key), "-out", str(certificate), *subject)
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@contextmanager
def grpc_serving(status: int = 0) -> Iterator[GrpcTarget]:
    target = GrpcTarget(("127.0.0.1", 0), status)
    thread = threading.Thread(target=target.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield target
    finally:
        target.shutdown()
        target.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("matcher", "status", "expected", "description"),
    [
        ("0", 0, "healthy", ""),
        ("0,12", 12, "healthy", ""),
        ("0-99", 99, "healthy", ""),
        ("0", 12, "unhealthy", "Health checks failed with these codes: [12]"),
    ],
)
def test_check__grpc__the_status_in_the_trailers_counts(
    balancing: ElasticLoadBalancing,
    groups: Groups,
    matcher: str,
    status: int,
    expected: str,
    description: str,
) -> None:
    check = replace(GROUP.check, version="GRPC", path="/grpc.health.v1.Health/Check")
    groups.group = replace(GROUP, check=replace(check, matcher=matcher))
    with grpc_serving(status) as target:
        balancing.register(ARN, "127.0.0.1", target.port)
        eventually(lambda: state(balancing, target.port) == expected)
        assert balancing.state(ARN, "127.0.0.1", target.port).description == description


@pytest.mark.parametrize(("version", "expected"), [("GRPC", "unhealthy"), ("HTTP2", "unhealthy")])
def test_check__http2_of_a_server_that_has_only_http_1__unhealthy(
    balancing: ElasticLoadBalancing, groups: Groups, version: str, expected: str
) -> None:
    groups.group = replace(GROUP, check=replace(GROUP.check, version=version))
    with serving() as target:
        balancing.register(ARN, "127.0.0.1", target.server_port)
        eventually(lambda: state(balancing, target.server_port) == expected)


def test_check__http2__the_status_counts(balancing: ElasticLoadBalancing, groups: Groups) -> None:
    groups.group = replace(GROUP, check=replace(GROUP.check, version="HTTP2"))
    with grpc_serving() as target:
        balancing.register(ARN, "127.0.0.1", target.port)
        eventually(lambda: state(balancing, target.port) == "healthy")
