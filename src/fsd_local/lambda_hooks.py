"""Lifecycle hooks: a command of this machine answers for a Lambda function.

Nothing runs Lambda functions here. `fsd-local hook` registers a command for a function, and the
command is run for each of its invocations: the event on its standard input, the answer on its
standard output.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsd_local.ports import HookError

# A synchronous invocation of a Lambda function takes no longer.
_LONGEST = 15 * 60.0
_KEPT = ("HOME", "LANG", "PATH", "TMPDIR")  # of our variables: those that name no secret
_QUOTED = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class HookCommand:
    argv: tuple[str, ...]
    folder: str


class LocalHooks:
    """Implements the `LambdaHooks` port. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commands: dict[str, HookCommand] = {}
        self._running: set[subprocess.Popen[str]] = set()
        self._is_stopped = False

    def register(self, function: str, argv: Sequence[str], folder: str) -> None:
        """For a function's ARN or its name; no words take the registration back."""
        with self._lock:
            if argv:
                self._commands[function] = HookCommand(argv=tuple(argv), folder=folder)
            else:
                self._commands.pop(function, None)

    def reset(self) -> None:
        with self._lock:
            self._commands.clear()

    def invoke(self, function_arn: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        command = self._find(function_arn)
        if command is None:
            raise HookError(
                f"ECS was unable to invoke hook target {function_arn} due to Function not found: "
                f"{function_arn}"
            )
        return _load(function_arn, self._run(function_arn, command, json.dumps(event)))

    def _find(self, function_arn: str) -> HookCommand | None:
        name = function_arn.partition(":function:")[2].partition(":")[0]
        with self._lock:
            return self._commands.get(function_arn) or self._commands.get(name)

    def stop(self) -> None:
        """End what runs; nothing runs afterwards."""
        with self._lock:
            self._is_stopped = True
            running = list(self._running)
        for process in running:
            _kill(process)

    def _run(self, function_arn: str, command: HookCommand, event: str) -> str:
        with self._begin(function_arn, command) as process:
            try:
                output, errors = process.communicate(event, timeout=_LONGEST)
            except subprocess.TimeoutExpired:
                raise _failed(function_arn, "Task timed out after 900.00 seconds") from None
            finally:
                _kill(process)
                with self._lock:
                    self._running.discard(process)
        if process.returncode:
            last = errors.strip().rpartition("\n")[2][-_QUOTED:]
            raise _failed(function_arn, last or f"exit {process.returncode}")
        return output

    def _begin(self, function_arn: str, command: HookCommand) -> subprocess.Popen[str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with self._lock:
            if self._is_stopped:
                raise _failed(function_arn, "the embedded AWS stops")
            try:
                process = subprocess.Popen(
                    command.argv,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=command.folder,
                    env=kept,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:  # ValueError: a null character
                raise _failed(function_arn, str(error)) from error
            self._running.add(process)
        return process


def _kill(process: subprocess.Popen[str]) -> None:
    """With all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failed(function_arn: str, why: str) -> HookError:
    return HookError(f"ECS was unable to invoke hook target {function_arn} due to {why}")


def _load(function_arn: str, text: str) -> Mapping[str, Any]:
    """The last line that is an object: a program may print before it."""
    for line in [text, *reversed(text.splitlines())]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):  # text of no end of brackets
            continue
        if isinstance(found, dict):
            return found
    raise HookError(
        f"ECS was unable to parse the response from {function_arn} due to HookStatus must not be "
        "null"
    )
