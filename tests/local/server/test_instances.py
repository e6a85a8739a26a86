"""Several instances of one user, as `fsd-local list` shows them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsd_local import instance as local
from fsd_local import instances
from fsd_local.settings import Settings

TIMEOUT = 60  # seconds


@pytest.fixture
def checkouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Path]]:
    """Two checkouts, each with a running instance."""
    monkeypatch.delenv("FSD_LOCAL_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = {name: tmp_path / name for name in ("one", "two")}
    for folder in made.values():
        (folder / ".git").mkdir(parents=True)
        local.ensure(Settings(runtime="process"), root=folder)
    yield made
    for folder in made.values():
        local.down(folder)


def fsd_local(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fsd_local.cli", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=True,
    )


def test_list__two_checkouts__both_without_their_secrets(checkouts: dict[str, Path]) -> None:
    said = fsd_local("list", "--format", "json", cwd=checkouts["one"]).stdout

    assert [found["checkout"] for found in json.loads(said)] == [
        str(checkouts["one"]),
        str(checkouts["two"]),
    ]
    for found in instances.find_all():
        assert found.instance.secret
        assert found.instance.secret not in said
    shown = fsd_local("list", cwd=checkouts["one"]).stdout.splitlines()
    assert [line.split()[-1] for line in shown] == [str(folder) for folder in checkouts.values()]


def test_up__checkout_of_another_instance_is_gone__it_is_removed(
    checkouts: dict[str, Path],
) -> None:
    kept, gone = instances.find_all()
    shutil.rmtree(checkouts["two"])

    ended = fsd_local("up", cwd=checkouts["one"])

    assert f"removed the embedded AWS of {checkouts['two']}, which is gone" in ended.stderr
    assert [found.instance.pid for found in instances.find_all()] == [kept.instance.pid]
    assert not Path(gone.instance.state_dir).exists()


def test_list__none_runs__says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FSD_LOCAL_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert fsd_local("list", cwd=tmp_path).stdout == "No embedded AWS is running\n"
    assert json.loads(fsd_local("list", "--format", "json", cwd=tmp_path).stdout) == []
