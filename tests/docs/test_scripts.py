"""`scripts/setup` on a copy of the checkout; a stand-in for uv makes an empty environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

# Writes down how it was called, and makes what `uv sync` would: an environment with a Python.
FAKE_UV = """#!/usr/bin/env bash
echo "$*" >>"$UV_CALLS"
"$REAL_PYTHON" -m venv --without-pip "$UV_PROJECT_ENVIRONMENT"
"""


@dataclass(frozen=True)
class Checkout:
    folder: Path
    path: str

    def setup(self, *arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "scripts" / "setup", *arguments],
            cwd="/",
            env={
                "PATH": path or self.path,
                "UV_CALLS": str(self.folder / "calls"),
                "REAL_PYTHON": sys.executable,
                "PYTHON": sys.executable,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def syncs(self) -> list[str]:
        """One a setup: the second call, which builds FSD itself."""
        return [call for call in self.calls() if call.endswith(" --no-build-isolation")]

    def calls(self) -> list[str]:
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder, tools = tmp_path / "a checkout", tmp_path / "tools"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup", folder / "scripts")
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    for name in ("uv.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    tools.mkdir()
    (tools / "uv").write_text(FAKE_UV)
    (tools / "uv").chmod(0o755)
    return Checkout(folder, f"{tools}:{os.environ['PATH']}")


def test_setup__fresh_checkout__uv_makes_all_of_it(checkout: Checkout) -> None:
    ended = checkout.setup()

    assert ended.returncode == 0, ended.stderr
    locked, built = checkout.calls()
    assert locked.startswith("sync --quiet --frozen --inexact --all-extras --group dev --python ")
    assert built == locked.replace("--no-install-project", "--no-build-isolation")
    assert (checkout.folder / ".venv" / "bin" / "python").exists()


def test_setup__again__silent_and_nothing_done(checkout: Checkout) -> None:
    checkout.setup()

    again = checkout.setup()

    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert len(checkout.syncs()) == 1


def test_setup__lock_changed__done_again(checkout: Checkout) -> None:
    checkout.setup()
    with (checkout.folder / "uv.lock").open("a") as lock:
        lock.write("# changed\n")

    checkout.setup()

    assert len(checkout.syncs()) == 2


def test_setup__runtime_only__without_the_development_tools(checkout: Checkout) -> None:
    checkout.setup("--runtime-only")
    checkout.setup("--runtime-only")

    (call,) = checkout.syncs()
    assert "--no-dev" in call


def test_setup__runtime_only_was_made__everything_is_added(checkout: Checkout) -> None:
    checkout.setup("--runtime-only")
    checkout.setup()
    checkout.setup("--runtime-only")

    first, second = checkout.syncs()
    assert "--no-dev" in first
    assert "--group dev" in second


def test_setup__environment_broken__made_again(checkout: Checkout) -> None:
    checkout.setup()
    shutil.rmtree(checkout.folder / ".venv" / "bin")

    checkout.setup()

    assert len(checkout.syncs()) == 2


def test_setup__unknown_option__exit_2_and_the_known_one(checkout: Checkout) -> None:
    ended = checkout.setup("--fast")

    assert ended.returncode == 2
    assert ended.stderr == "scripts/setup: unknown option --fast (there is --runtime-only)\n"


def test_setup__old_python_only__says_what_is_needed(checkout: Checkout, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for tool in ("bash", "git", "env", "cat", "dirname", "mktemp", "rm"):
        (old / tool).symlink_to(str(shutil.which(tool)))
    (old / "python3").write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 || exit 1\n')
    (old / "python3").chmod(0o755)
    script = checkout.folder / "scripts" / "setup"

    ended = subprocess.run(
        [script], env={"PATH": str(old)}, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert "Python 3.11 or newer is needed; found: Python 3.9.2" in ended.stderr
    assert not (checkout.folder / ".venv").exists()
