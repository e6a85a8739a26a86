"""`fsd validate --watch` as a process: it sees every change, and ends by Ctrl-C."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.local.cli import Fsd
from tests.unit.manifest.manifests import KAFKA_CONSUMER

BAD = KAFKA_CONSUMER.replace("type: ecs", "type: lambda")
Watch = Callable[..., "Watching"]


@pytest.fixture
def fsd(tmp_path: Path) -> Fsd:
    work = tmp_path / "work"
    (work / ".git").mkdir(parents=True)
    return Fsd(state=tmp_path / "state", cwd=work)


class Watching:
    """A running command, and its lines as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, text: str) -> str:
        """What came up to a line with the text; fails where it does not come."""
        seen = ""
        while text not in seen:
            seen += self._lines.get(timeout=60)
        return seen

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        self._reader.join(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def watch(fsd: Fsd) -> Iterator[Watch]:
    started: list[Watching] = []

    def start(*arguments: str) -> Watching:
        process = subprocess.Popen(
            [sys.executable, "-m", "fsd.cli.main", "validate", "--watch", *arguments],
            cwd=fsd.cwd,
            env=fsd.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A test run in the background has SIGINT ignored, and hands that on.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        started.append(Watching(process))
        return started[-1]

    yield start
    for each in started:
        each.end()


def write(fsd: Fsd, name: str, text: str) -> None:
    """As editors do: a new file takes the place of the old one."""
    path = fsd.cwd / name
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + "~")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)


def test_watch__a_file_changes_goes_and_comes_back__checked_each_time(
    fsd: Fsd, watch: Watch
) -> None:
    write(fsd, "service.yml", BAD)
    watching = watch()

    assert "error[wrong-value]" in watching.until("service.yml: 1 error, 0 warnings")
    watching.until("watching 1 file; Ctrl-C stops it")
    write(fsd, "service.yml", KAFKA_CONSUMER)
    assert "\x1b" not in watching.until("service.yml: 0 errors, 0 warnings")
    (fsd.cwd / "service.yml").unlink()
    watching.until("error[manifest-unreadable]: there is no such file")
    watching.until("watching 0 files")
    write(fsd, "service.yml", BAD)
    watching.until("service.yml: 1 error, 0 warnings")

    assert watching.end() == 130


def test_watch__a_folder_and_its_environments__new_files_and_overrides_count(
    fsd: Fsd, watch: Watch
) -> None:
    environment = "apiVersion: fsd/v1\nkind: Environment\nmetadata: {name: dev}\n"
    write(fsd, ".fsd/environments.yml", environment)
    write(fsd, "s/a.yml", KAFKA_CONSUMER)
    watching = watch("s", "--env", "dev")

    watching.until("s/a.yml: 0 errors, 0 warnings")
    write(fsd, "s/b.yml", BAD)
    watching.until("2 files: 1 error, 0 warnings")
    write(fsd, ".fsd/environments.yml", environment + "spec: {overrides: {type: ecs}}\n")
    watching.until("2 files: 0 errors")


def test_watch__what_cannot_be_watched__refused(fsd: Fsd) -> None:
    assert "standard input can be read only once" in fsd.run("validate", "--watch", "-").err
    ended = fsd.run("validate", "--watch", "--fix")

    assert (ended.code, "use --diff" in ended.err) == (2, True)
