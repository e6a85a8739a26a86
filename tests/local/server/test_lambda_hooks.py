"""Commands that answer for Lambda functions: real processes, no instance."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import pytest

from fsd_local.lambda_hooks import LocalHooks
from fsd_local.ports import HookError
from tests.waiting import eventually

ARN = "arn:aws:lambda:us-east-1:000000000000:function:smoke-test"


def command(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_invoke__registered_by_name__event_in_and_answer_out(tmp_path: Path) -> None:
    program = (
        "import json, os, sys; event = json.load(sys.stdin); print('looking'); "
        "print(json.dumps({'hookStatus': event['want'], 'at': os.getcwd()}))"
    )
    hooks = LocalHooks()
    hooks.register("smoke-test", command(program), str(tmp_path))

    found = hooks.invoke(ARN, {"want": "SUCCEEDED"})

    assert found == {"hookStatus": "SUCCEEDED", "at": str(tmp_path)}


def test_invoke__environment__has_no_variable_of_ours_beyond_the_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    hooks = LocalHooks()
    program = "import json, os; print(json.dumps({'names': sorted(os.environ)}))"
    hooks.register(ARN, command(program), str(tmp_path))

    names = hooks.invoke(ARN, {})["names"]

    assert "AWS_SECRET_ACCESS_KEY" not in names
    assert "PATH" in names


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "Function not found: " + ARN),
        (command("raise SystemExit('out of order')"), "due to out of order"),
        (command("raise SystemExit(3)"), "due to exit 3"),
        (["/no/such/program"], "No such file or directory"),
        (command("print('SUCCEEDED')"), "due to HookStatus must not be null"),
        (command("print('[' * 100_000)"), "due to HookStatus must not be null"),
        (["true", "a\0b"], "due to embedded null byte"),
    ],
    ids=["not registered", "says why", "exit code", "no program", "no object", "deep", "null"],
)
def test_invoke__no_answer__the_reason(tmp_path: Path, words: list[str], reason: str) -> None:
    hooks = LocalHooks()
    hooks.register(ARN, words, str(tmp_path))

    with pytest.raises(HookError) as caught:
        hooks.invoke(ARN, {})

    assert reason in str(caught.value)


def test_stop__command_that_hangs__is_ended_with_what_it_started(tmp_path: Path) -> None:
    hooks, failures = LocalHooks(), []
    started = tmp_path / "started"
    program = (
        "import pathlib, threading; "
        f"pathlib.Path({json.dumps(str(started))}).touch(); threading.Event().wait()"
    )
    hooks.register(ARN, command(program), str(tmp_path))

    def invoke() -> None:
        try:
            hooks.invoke(ARN, {})
        except HookError as error:
            failures.append(str(error))

    thread = threading.Thread(target=invoke)
    thread.start()
    eventually(started.exists)
    hooks.stop()
    thread.join(30)

    assert len(failures) == 1
    with pytest.raises(HookError, match="the embedded AWS stops"):
        hooks.invoke(ARN, {})
