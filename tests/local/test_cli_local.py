"""`fsd local …` as a user runs it, but for the process: `run` is what `main` calls."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from fsd.cli.main import run
from fsd_local import instance as local
from fsd_local.page.link import page_url
from tests.golden import golden


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


class Cli:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ended:
        self._capsys.readouterr()
        code = run(["local", *arguments])
        out, err = self._capsys.readouterr()
        return Ended(code, out, err)


@pytest.fixture
def fsd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Cli]:
    monkeypatch.setenv("FSD_LOCAL_STATE", str(tmp_path / "state"))
    yield Cli(capsys)
    local.down()


@pytest.fixture
def running(fsd: Cli) -> Cli:
    assert fsd("up", "--runtime", "process", "--speed", "20").code == 0
    return fsd


def test_up__not_running__says_where_what_and_next(fsd: Cli) -> None:
    ended = fsd("up", "--runtime", "process", "--speed", "20")
    instance = local.find()
    assert instance is not None
    assert (ended.code, ended.err) == (0, "")
    text = ended.out.replace(instance.endpoint, "ENDPOINT")
    text = text.replace(page_url(instance.endpoint, instance.secret), "PAGE")
    assert text == golden("local/up.txt", text)


def test_up__running__says_so(running: Cli) -> None:
    ended = running("up")
    assert ended.code == 0
    assert "is already running" in ended.out


def test_up__running_with_another_speed__is_a_usage_error(running: Cli) -> None:
    ended = running("up", "--speed", "3")
    assert ended.code == 2
    assert "speed 20.0, not 3.0" in ended.err


def test_up__port_in_use__exits_5_and_names_it(fsd: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = fsd("up", "--port", str(port))
    assert ended.code == 5
    assert f"error[port-in-use]: port {port}" in ended.err


@pytest.mark.parametrize(
    "arguments", [("--runtime", "vm"), ("--speed", "0"), ("--port", "0"), ("--port", "x")]
)
def test_up__nonsense__is_a_usage_error(fsd: Cli, arguments: tuple[str, str]) -> None:
    assert fsd("up", *arguments).code == 2


def test_status__running__says_what_is_there(running: Cli) -> None:
    ended = running("status")
    assert ended.code == 0
    assert "  stored    nothing\n" in ended.out
    assert "20 times as fast" in ended.out


def test_status__json__has_the_endpoint_and_the_rest(running: Cli) -> None:
    found = json.loads(running("status", "--format", "json").out)
    instance = local.find()
    assert instance is not None
    assert found["running"] is True
    assert (found["endpoint"], found["region"], found["account"], found["runtime"]) == (
        instance.endpoint,
        "us-east-1",
        "000000000000",
        "process",
    )
    assert (found["services"], found["resources"]["stacks"]) == ([], 0)


def test_status__not_running__says_so_and_is_no_error(fsd: Cli) -> None:
    ended = fsd("status")
    assert (ended.code, ended.out) == (
        0,
        "The embedded AWS is not running; `fsd local up` starts it\n",
    )
    assert json.loads(fsd("status", "--format", "json").out) == {"running": False}


def test_env__in_a_shell__points_clients_at_it(running: Cli) -> None:
    exports = running("env").out
    shell = subprocess.run(
        ["sh", "-c", 'eval "$EXPORTS"; env'],
        env={
            "PATH": os.environ["PATH"],
            "EXPORTS": exports,
            "AWS_PROFILE": "mine",
            "AWS_SESSION_TOKEN": "t",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    lines = (line.partition("=") for line in shell.stdout.splitlines())
    seen = {key: value for key, _, value in lines if key.startswith("AWS_")}
    client = boto3.client(
        "sts",
        endpoint_url=seen["AWS_ENDPOINT_URL"],
        region_name=seen["AWS_REGION"],
        aws_access_key_id=seen["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=seen["AWS_SECRET_ACCESS_KEY"],
    )
    account = client.get_caller_identity()["Account"]
    client.close()
    assert account == "000000000000"
    assert set(seen) == {
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    }


def test_env__not_running__is_an_error_with_the_fix(fsd: Cli) -> None:
    ended = fsd("env")
    assert (ended.code, ended.out) == (5, "")
    assert "fix: fsd local up" in ended.err


def test_reset__running__is_empty(running: Cli) -> None:
    instance = local.find()
    assert instance is not None
    local.ensure_secrets(instance, ["/a"])
    assert "  stored    1 parameter\n" in running("status").out
    assert running("reset").out == "The embedded AWS is empty\n"
    assert "stored    nothing" in running("status").out


def test_hook__running__registers_the_command_and_takes_it_back(running: Cli) -> None:
    registered = running("hook", "smoke-test", "python", "-m", "check", "--all")
    assert registered.out == "Lambda function smoke-test runs python -m check --all\n"
    of_its_own = running("hook", "smoke-test", "pytest", "-h", "--help")
    assert of_its_own.out == "Lambda function smoke-test runs pytest -h --help\n"
    assert running("hook", "smoke-test").out == "Lambda function smoke-test no longer exists\n"


def test_down__running__leaves_nothing(running: Cli, tmp_path: Path) -> None:
    assert running("down").out == "The embedded AWS is down; it left nothing behind\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["down", "reset", "hook smoke-test"])
def test_commands__not_running__say_so(fsd: Cli, command: str) -> None:
    ended = fsd(*command.split())
    assert ended.code == 0
    assert "is not running" in ended.out


@pytest.mark.parametrize("command", ["up", "down", "status", "env", "reset", "hook"])
def test_help__every_command__has_an_example(fsd: Cli, command: str) -> None:
    assert "Example:  " in fsd(command, "--help").out
