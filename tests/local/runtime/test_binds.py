"""Servers that Python's sitecustomize does not see: two tasks, one port, an address each.

`python -I -S` reads neither PYTHONPATH nor sitecustomize: it binds as a program in C does.
"""

from __future__ import annotations

import socket
import sys

import pytest

from tests.local.runtime.lab import Lab

RAW = ("/usr/local/bin/python3", "-I", "-S", "-c")
SERVER = """
import os, socket, sys
listening = socket.socket(socket.{family})
{options}
listening.bind(({host!r}, 8000))
listening.listen()
print("up", flush=True)
while True:
    connection, _ = listening.accept()
    connection.sendall(str(os.getpid()).encode())
    connection.close()
"""
SHARED = "listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)"
BOTH = "listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")


def ask(address: str, port: int = 8000) -> str:
    with socket.create_connection((address, port), timeout=10) as connection:
        return connection.recv(64).decode()


@LINUX
@pytest.mark.parametrize(
    ("family", "host", "options"),
    [
        ("AF_INET", "0.0.0.0", ""),
        ("AF_INET", "0.0.0.0", SHARED),
        ("AF_INET6", "::", BOTH),
        ("AF_INET6", "::", f"{SHARED}; {BOTH}"),
    ],
)
def test_bind__two_tasks_that_listen_everywhere__each_at_its_own_address(
    processes: Lab, family: str, host: str, options: str
) -> None:
    program = SERVER.format(family=family, host=host, options=options)
    addresses = []
    for name in ("one", "two"):
        _, address = processes.launch(processes.spec(program, entry_point=RAW, name=name))
        addresses.append(address)
    processes.await_line("up", 2)

    first, second = (ask(address) for address in addresses)

    assert first != second
    assert {ask(addresses[0]) for _ in range(8)} == {first}
    with pytest.raises(OSError, match=r"refused"):
        ask("127.0.0.1")


@LINUX
def test_bind__child_of_a_shell__is_at_the_tasks_address_too(processes: Lab) -> None:
    program = SERVER.format(family="AF_INET", host="0.0.0.0", options="")
    script = f"echo begins; python3 -I -S -c '{program.replace(chr(39), chr(34))}'"
    _, address = processes.launch(processes.spec(script))
    processes.await_line("up")

    assert ask(address)


@LINUX
def test_bind__only_on_localhost__is_not_reached_from_outside(processes: Lab) -> None:
    program = SERVER.format(family="AF_INET", host="127.0.0.1", options="")
    _, address = processes.launch(processes.spec(program, entry_point=RAW))
    processes.await_line("up")

    with pytest.raises(OSError, match=r"refused"):
        ask(address)


@LINUX
def test_bind__any_port_of_localhost__is_as_it_was_asked_for(processes: Lab) -> None:
    """uWSGI's router connects to 127.0.0.1, whatever the socket says of itself."""
    program = (
        "import socket; a = socket.socket(); a.bind(('127.0.0.1', 0)); a.listen()\n"
        "host, port = a.getsockname(); socket.create_connection(('127.0.0.1', port)); print(host)"
    )

    assert processes.run(program, entry_point=RAW) == (0, ["127.0.0.1"])


@LINUX
def test_bind__port_that_is_taken__fails_as_everywhere(processes: Lab) -> None:
    program = (
        "import socket; a, b = socket.socket(), socket.socket(); a.bind(('', 8000)); a.listen()\n"
        "try: b.bind(('', 8000))\nexcept OSError as error: print(error)\n"
        "u = socket.socket(socket.AF_UNIX); u.bind('here.sock'); print('unix', flush=True)"
    )

    code, lines = processes.run(program, entry_point=RAW)

    assert (code, lines) == (0, ["[Errno 98] Address already in use", "unix"])
