"""A terminal in a running container: the same promises in both runtimes."""

from __future__ import annotations

import socket
import threading
from typing import Any

import docker
import pytest

from fsd_local.ports import LaunchError, Terminal
from fsd_local.runtime.containers import read_of
from tests.local.runtime.lab import PATIENCE, Lab


def read_until(terminal: Terminal, wanted: bytes) -> bytes:
    """Everything until then. A read that hangs ends the test by closing the terminal."""
    giving_up = threading.Timer(PATIENCE, terminal.close)
    giving_up.start()
    found = b""
    try:
        while wanted not in found:
            content = terminal.read()
            assert content, f"the terminal ended after {found!r}"
            found += content
    finally:
        giving_up.cancel()
    return found


def read_to_the_end(terminal: Terminal) -> bytes:
    return b"".join(iter(terminal.read, b""))


@pytest.fixture
def task(lab: Lab) -> str:
    task_id, _ = lab.launch(lab.spec("echo started; exec sleep 600", environment={"SAID": "here"}))
    lab.await_line("started")
    return task_id


def test_open_terminal__a_command__has_the_container_s_environment(lab: Lab, task: str) -> None:
    terminal = lab.runtime.open_terminal(task, "main", ["sh", "-c", "echo $SAID $COLOUR"])

    try:
        assert b"here red" in read_to_the_end(terminal)
    finally:
        terminal.close()


def test_open_terminal__typed_text__reaches_the_shell(lab: Lab, task: str) -> None:
    terminal = lab.runtime.open_terminal(task, "main", ["/bin/sh"])

    try:
        terminal.write(b"echo $((40+2))\n")
        read_until(terminal, b"42")
        terminal.write(b"exit\n")
        read_to_the_end(terminal)
    finally:
        terminal.close()


def test_open_terminal__control_c__reaches_the_program_alone(lab: Lab, task: str) -> None:
    script = "trap 'echo interrupted; exit' INT; echo ready; while :; do sleep 0.1; done"
    terminal = lab.runtime.open_terminal(task, "main", ["sh", "-c", script])

    try:
        read_until(terminal, b"ready")
        terminal.write(b"\x03")
        read_until(terminal, b"interrupted")
    finally:
        terminal.close()
    assert [state.running for state in lab.runtime.inspect(task)] == [True]


def test_open_terminal__unknown_program__says_so(lab: Lab, task: str) -> None:
    """Either before the terminal is there or on it, as the engine likes it."""
    try:
        terminal = lab.runtime.open_terminal(task, "main", ["no-such-program"])
    except LaunchError as error:
        said = error.reason
    else:
        said = read_to_the_end(terminal).decode()
        terminal.close()

    assert "no-such-program" in said


def test_open_terminal__container_that_is_not_there__is_refused(lab: Lab, task: str) -> None:
    with pytest.raises(LaunchError):
        lab.runtime.open_terminal(task, "another", ["sh"])


def test_close__a_session_in_use__ends_its_program_and_not_the_task(lab: Lab, task: str) -> None:
    terminal = lab.runtime.open_terminal(task, "main", ["/bin/sh"])
    terminal.write(b"echo re''ady\n")
    read_until(terminal, b"ready")

    terminal.close()

    assert [state.running for state in lab.runtime.inspect(task)] == [True]


def test_stop__a_task_with_a_session__ends_the_session(lab: Lab, task: str) -> None:
    terminal = lab.runtime.open_terminal(task, "main", ["/bin/sh"])
    terminal.write(b"echo re''ady\n")
    read_until(terminal, b"ready")

    lab.runtime.stop(task)

    try:
        read_to_the_end(terminal)
    finally:
        terminal.close()


def test_read_of__output_that_came_with_the_engines_answer__is_read_first() -> None:
    """A program that ends within milliseconds, on a busy machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            accepted, _ = server.accept()
            with accepted:
                while not accepted.recv(4096).endswith(b"}"):
                    pass
                accepted.sendall(
                    b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhi\r\n"
                )

        thread = threading.Thread(target=serve)
        thread.start()
        engine = docker.APIClient(f"tcp://127.0.0.1:{server.getsockname()[1]}", version="1.41")
        connection: Any = engine.exec_start("e", tty=True, socket=True)
        read = read_of(connection, connection._sock)

        assert b"".join(iter(lambda: read(4096), b"")) == b"hi\r\n"

        thread.join()
        connection._response.close()
        connection.close()
        engine.close()
