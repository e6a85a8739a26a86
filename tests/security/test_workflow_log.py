"""What a task prints reaches a workflow's log as text: `fsd exec` and `fsd run`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from fsd.aws import session_plugin
from fsd.cli.main import run
from fsd.cli.workflow_log import WorkflowLog
from fsd.release.ports import ExecSession
from tests.security.secret_lines import named_lines

HOSTILE = (
    b"::add-mask::x\n",
    b"::stop-commands::x\r\n",
    b"  ::error::x\n",
    b"\x1b[31m::error::x\x1b[0m\n",
    b"##[command]x\n",
    b"\x1b]0;title\x07text\n",
    b"\x1b[2K\x1b[1Adone\n",
    b"one\rtwo\n",
    b"\xe2\x80\xaetxt\n",
    b"\xff\xfe\x80\n",
    b"\x9b31m\n",
    b"\xc2\x9b31m\n",
    b"a\x0b::error::x\n",
    b"\xe2\x80\xa8::error::x\n",
    b"\x00::error::x\n",
    b"::error::without an end",
)


@pytest.mark.parametrize("size", [1, 3, 1_000])
@pytest.mark.parametrize("content", HOSTILE)
def test_write__hostile_output_in_pieces__one_plain_line_that_is_no_command(
    content: bytes, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    log = WorkflowLog()

    for start in range(0, len(content), size):
        log.write(content[start : start + size])
    log.close()

    (line,) = capsys.readouterr().out.removesuffix("\n").split("\n")
    assert line.isprintable()
    assert not line.lstrip().startswith("::")
    assert "##[" not in line


def test_write__no_end_of_line__is_shown_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    log = WorkflowLog()

    for _ in range(10):
        log.write(b"- " * 20_000)
    log.close()

    assert capsys.readouterr().out.count("-") == 200_000


def test_show__secrets_in_lines__none_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    planted = list(named_lines(5))[:60]

    for each in planted:
        log = WorkflowLog()
        for line in each.lines:
            log.show([line])
        assert each.secret not in capsys.readouterr().out, each


def test_show__a_private_key_line_by_line__none_of_it_is_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = [f"{number:02}" + "Ab9+" * 15 for number in range(50)]
    log = WorkflowLog()

    for line in ["-----BEGIN RSA PRIVATE KEY-----", *body, "-----END RSA PRIVATE KEY-----", "up"]:
        log.show([line])

    out = capsys.readouterr().out
    assert "Ab9+" not in out
    assert out.endswith("up\n")


def test_attach__in_a_workflow__the_plugin_prints_through_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "session-manager-plugin"
    lines = json.dumps("::add-mask::x\n\x1b]0;t\x07y\n")
    program.write_text(f"#!{sys.executable}\nprint({lines}, end='')\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    session = ExecSession(id="s", stream_url="wss://x", token="t", target="ecs:a_b_c")
    log = WorkflowLog()

    with open(os.devnull) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        code = session_plugin.attach(
            session,
            region="eu-west-1",
            endpoint_url="https://x",
            environ=os.environ,
            key={},
            show=log.write,
        )
    log.close()

    out = capfd.readouterr().out
    assert code == 0
    assert out.startswith("| ::add-mask::x\n")
    assert "\x1b" not in out


COMMANDS = (
    ["validate", "--file", "{}"],
    ["validate", "--env", "{}"],
    ["validate", "--override", "{}"],
    ["import", "{}"],
    ["plan", "--env", "dev", "--file", "{}"],
    ["explain", "{}"],
    ["{}"],
    ["validate", "--{}"],
    ["schema", "{}"],
    ["logs", "--service", "{}", "--env", "{}"],
)
NAMES = (
    "x\n::error::y",
    "x\n  ::add-mask::y",
    "x\r::stop-commands::y",
    "\n##[group]y",
    "x\u2028::error::y",
)


@pytest.mark.parametrize("number", range(len(NAMES)))
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_error__name_with_a_command_in_it__is_no_command(
    command: list[str],
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    code = run([word.format(NAMES[number]) for word in command])

    said = "".join(capsys.readouterr())
    assert code in (2, 3, 4)
    assert [line for line in said.splitlines() if line.lstrip().startswith(("::", "##["))] == []
