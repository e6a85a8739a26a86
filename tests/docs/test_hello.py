"""The example service does what its page and the demo say of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import eventually

HELLO = Path(__file__).parent.parent.parent / "examples" / "services" / "hello"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def start(**environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=HELLO,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(**environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The service on a free port, once it listens."""
    port = free_port()
    process = start(HOST="127.0.0.1", PORT=str(port), **environment)
    with process:
        try:
            assert process.stdout is not None
            assert "listens on" in process.stdout.readline()
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


def get(url: str) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_root__version_given__says_service_version_and_task() -> None:
    with serving(VERSION="v1") as (url, _):
        port = url.rpartition(":")[2]

        assert get(f"{url}/") == (
            200,
            {"service": "hello", "version": "v1", "task": f"127.0.0.1:{port}"},
        )


def test_health__nothing_wrong__200() -> None:
    with serving() as (url, _):
        assert get(f"{url}/health") == (200, {"status": "ok"})


def test_health__broken__500_and_the_reason_in_the_log() -> None:
    with serving(HELLO_BROKEN_HEALTH="1") as (url, process):
        assert get(f"{url}/health") == (500, {"status": "failing"})
        assert process.stdout is not None
        assert "ConnectionRefusedError: connection to server" in process.stdout.readline()
        assert process.stdout.readline().endswith("127.0.0.1 GET /health 500\n")


def test_unknown_path__404() -> None:
    with serving() as (url, _):
        assert get(f"{url}/nowhere?x=1") == (404, {"error": "no such path: /nowhere"})


def test_start__crash_wanted__ends_with_a_traceback() -> None:
    with start(HOST="127.0.0.1", PORT=str(free_port()), HELLO_CRASH="1") as process:
        _, err = process.communicate(timeout=20)

    assert process.returncode == 1
    assert err.startswith("Traceback")
    assert err.splitlines()[-1].startswith("ConnectionRefusedError: connection to server at")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop__request_in_flight__answered_before_exit_0(number: signal.Signals) -> None:
    with serving() as (url, process):
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n")
            # One connection is served after the other's accept: so ours is in a thread by now.
            assert get(f"{url}/health")[0] == 200
            process.send_signal(number)
            eventually(lambda: is_closed(port))
            connection.sendall(b"\r\n")
            answer = connection.makefile("rb").read()

        assert answer.startswith(b"HTTP/1.0 200")
        assert process.wait(timeout=10) == 0


def is_closed(port: int) -> bool:
    """Whether the server has stopped to accept: its queue is not read, so nobody answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.2) as probe:
            probe.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            return probe.recv(1) == b""
    except OSError:
        return True
