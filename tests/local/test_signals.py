"""A signal while AWS keeps silent: it is the answer, not one more try and not a broken line."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
    assert f"error[interrupted]: stopped by {number.name}" in err
    silent.settimeout(0)
    with pytest.raises(BlockingIOError):
        silent.accept()
