"""A signal while AWS keeps silent: it is the answer, not one more try and not a broken line."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes.plain_aws import plain_aws
from tests.local.cli import HELLO, TIMEOUT, Fsd

NOTHING = "http://127.0.0.1:9"  # the discard port: nobody is there
KEYS = {"AWS_ACCESS_KEY_ID": "000000000000", "AWS_SECRET_ACCESS_KEY": "any"}


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(TIMEOUT)
        yield server


def address(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}"


WAITS: dict[str, Callable[[str], dict[str, str]]] = {
    "an answer": lambda url: {**KEYS, "AWS_ENDPOINT_URL": url},
    "a container's credentials": lambda url: {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/credentials",
        "AWS_ENDPOINT_URL": NOTHING,
    },
    "a machine's credentials": lambda url: {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{url}/",
        "AWS_ENDPOINT_URL": NOTHING,
    },
}


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
@pytest.mark.parametrize("waits_for", WAITS)
def test_deploy__signal_while_it_waits_for_aws__says_so_and_asks_nothing_more(
    waits_for: str, number: signal.Signals, code: int, silent: socket.socket, tmp_path: Path
) -> None:
    extra = {**WAITS[waits_for](address(silent)), "AWS_REGION": "us-east-1", "HOME": str(tmp_path)}
    fsd = Fsd(state=tmp_path / "state", cwd=HELLO, extra=extra)

    with fsd.start("deploy", "--env", "dev", "--format", "json") as process:
        asked, _ = silent.accept()
        with asked:
            assert asked.recv(1)
            process.send_signal(number)
            _, err = process.communicate(timeout=TIMEOUT)

    assert process.returncode == code, err
    stopped = (
        f"error[interrupted]: stopped by {number.name} before ECS was asked to change anything"
    )
    assert stopped in " ".join(err.split())
    silent.settimeout(0)
    with pytest.raises(BlockingIOError):
        silent.accept()


@dataclass
class Hanging:
    """A gate that holds one operation until it is told to let go, and counts how often it came."""

    operation: str
    asked: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    rollouts: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def forwards(self, operation: str) -> bool:
        if operation == self.operation:
            self.asked += 1
            self.reached.set()
            self.let_go.wait(TIMEOUT)
            return False
        return True

    def answers(self, operation: str) -> bool:
        if operation == "UpdateService":
            self.rollouts.set()
        return True


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_deploy__signal_when_aws_does_not_take_the_rollback__does_not_wait_for_it(fsd: Fsd) -> None:
    gate = Hanging("StopServiceDeployment")
    with plain_aws(fsd.status()["endpoint"], embedded=True, gate=gate) as endpoint:
        fsd.extra = {**fsd.aws_environment(), "AWS_ENDPOINT_URL": endpoint}
        deploy = ("deploy", "--env", "dev", "--on-cancel", "rollback")
        fsd.ok(*deploy, "--override", "healthCheck.gracePeriod=600")
        wait = (
            "--override",
            "healthCheck.gracePeriod=600",
            "--override",
            "environment.HELLO_BROKEN_HEALTH=1",
        )
        with fsd.start(*deploy, *wait) as process:
            assert gate.rollouts.wait(TIMEOUT)
            process.send_signal(signal.SIGINT)
            try:
                out, err = process.communicate(timeout=TIMEOUT)
            finally:
                gate.let_go.set()

    said = " ".join((out + err).split())
    assert process.returncode == 130, said
    # A read that hangs is given up after half a minute, and asked again.
    assert gate.asked == 1
    assert "FSD could not ask ECS to roll back (no answer within 0.9 s)" in said
    assert "ECS keeps rolling out" in said


PLANNED = "before ECS was asked to change anything"
HELD = {
    "DescribeServices": PLANNED,
    "DescribeSecurityGroups": PLANNED,
    "CreateChangeSet": "while CloudFormation was changing fsd-hello-dev",
    "RegisterTaskDefinition": PLANNED,
    "UpdateService": "just as FSD asked ECS",
    "StopServiceDeployment": "was being rolled back; ECS continues the rollback",
}


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_deploy__signal_while_aws_holds_a_call__says_what_was_asked_and_asks_nothing_more(
    fsd: Fsd,
) -> None:
    endpoint, names = fsd.status()["endpoint"], fsd.aws_environment()
    fsd.extra = names
    fsd.ok("deploy", "--env", "dev", "--version", "v1")

    for operation, said in HELD.items():
        gate = Hanging(operation)
        with plain_aws(endpoint, embedded=True, gate=gate) as proxy:
            fsd.extra = {**names, "AWS_ENDPOINT_URL": proxy}
            # Crashes at once, so that there is a rollback too; and the stack has a change.
            change = ("environment.HELLO_CRASH=1", "healthCheck.timeout=3")
            options = [part for one in change for part in ("--override", one)]
            with fsd.start("deploy", "--env", "dev", "--version", "v2", *options) as process:
                assert gate.reached.wait(TIMEOUT), operation
                process.send_signal(signal.SIGTERM)
                try:
                    out, err = process.communicate(timeout=TIMEOUT)
                finally:
                    gate.let_go.set()

        text = " ".join((out + err).split())
        assert (process.returncode, gate.asked) == (143, 1), f"{operation}: {text}"
        assert said in text, operation
