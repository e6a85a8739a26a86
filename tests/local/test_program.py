"""A program of a test that hangs: the test says what it was doing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.local import cli

HANGS = "import signal\ndef stuck(): signal.pause()\nprint(flush=True)\nstuck()"


def test_end__program_that_hangs__its_stacks_and_those_of_the_embedded_aws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsd = cli.Fsd(state=tmp_path / "state", cwd=tmp_path)
    fsd.ok("local", "up", "--runtime", "process")
    hanging = cli.Program(
        [sys.executable, "-X", "faulthandler", "-c", HANGS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    hanging.state = fsd.state
    assert hanging.stdout is not None
    assert hanging.stdout.readline() == "\n"  # so it has started
    monkeypatch.setattr(cli, "TIMEOUT", 3)

    with pytest.raises(subprocess.TimeoutExpired) as raised:
        hanging.end()

    (note,) = raised.value.__notes__
    assert "in stuck" in note
    assert "ecs/engine.py" in note.partition("the embedded AWS")[2]
