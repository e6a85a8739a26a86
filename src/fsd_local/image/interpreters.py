"""The Python that FROM names, where this machine has it or uv can get it.

A base image is not at hand, so its interpreter is this machine's. Never FSD's own environment: the
Python that it was made with, at most.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fsd_local.image.children import quiet_environment

HOME_OF_PYTHON = "usr/local"  # in an image
# python:3.12-slim, uv:python3.12-bookworm, lambda/python:3.11, python3-debian12 has none.
_NAMED = re.compile(r"python[-:]?v?(3\.\d+)")
_TIMEOUT = 20  # seconds, of a program that only says its version
_DOWNLOAD = 300
_AGAIN = 3600  # seconds until a download that failed is tried again
_FARTHEST = 4  # minor versions; code for one farther away does not run anyway
_OLDEST = 8  # what the embedded AWS puts into tasks runs on 3.8
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable, sep='\\n')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    path: Path
    version: str  # 3.12
    wanted: str  # what FROM names; "" where it names none

    @property
    def note(self) -> str:
        """What is to be known of it; "" where it is the one that FROM names."""
        if not self.wanted or self.wanted == self.version:
            return ""
        return (
            f"Python {self.wanted} of FROM is not on this machine: tasks run on Python "
            f"{self.version}; `uv python install {self.wanted}` gets it"
        )


def named_version(image: str) -> str:
    """3.12 of `python:3.12-slim`; "" where the reference names none."""
    found = _NAMED.search(image.rpartition("/")[2]) or _NAMED.search(image)
    return found[1] if found else ""


def find_interpreter(image: str, *, cache: Path) -> Interpreter:
    """That of a base image; else the one that this program was made with."""
    wanted = named_version(image)
    found = find_python(wanted, cache) if wanted else None
    if found is not None:
        return Interpreter(path=found, version=wanted, wanted=wanted)
    for version in _near(wanted) if wanted else ():
        near = find_local_python(version)
        if near is not None:
            return Interpreter(path=near, version=version, wanted=wanted)
    return Interpreter(path=own_python(), version=_own_version(), wanted=wanted)


def _near(version: str) -> Iterator[str]:
    """Newer ones first, as they run most of what an older one does; then older ones."""
    minor = int(version.removeprefix("3."))
    steps = range(1, _FARTHEST + 1)
    yield from (f"3.{minor + step}" for step in steps)
    yield from (f"3.{minor - step}" for step in steps if minor - step >= _OLDEST)


def own_python() -> Path:
    """Outside of any virtual environment: its packages are not for services."""
    return Path(getattr(sys, "_base_executable", "") or sys.executable)


def find_uv() -> str | None:
    """The one of this installation, else the machine's."""
    try:
        from uv import find_uv_bin
    except ImportError:
        return shutil.which("uv")
    try:
        return str(find_uv_bin())
    except FileNotFoundError:
        return shutil.which("uv")


def _own_version() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


@cache
def find_python(version: str, cache: Path) -> Path | None:
    """The machine's, or uv's, which it may have to download."""
    return find_local_python(version) or _from_uv(version, cache)


@cache
def find_local_python(version: str) -> Path | None:
    if version == _own_version():
        return own_python()
    return next(filter(None, (_ask(each, version) for each in _candidates(version))), None)


def _candidates(version: str) -> Iterator[Path]:
    name = f"python{version}"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder and (Path(folder) / name).is_file():
            yield Path(folder) / name
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(root.glob(f"versions/{version}.*/bin/{name}"), reverse=True)
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    kept = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python")
    yield from sorted(kept.glob(f"cpython-{version}.*/bin/{name}"), reverse=True)


def _ask(candidate: Path, version: str) -> Path | None:
    """Where it really is: a version manager's shim may lead nowhere, or to another."""
    said = _run([str(candidate), "-I", "-c", _VERSION], timeout=_TIMEOUT)
    lines = said.split("\n") if said else []
    return Path(lines[1]) if len(lines) > 1 and lines[0] == version else None


def _from_uv(version: str, cache: Path) -> Path | None:
    uv, failed = find_uv(), cache / f"no-python-{version}"
    if uv is None:
        return None
    found = _run([uv, "python", "find", "--no-python-downloads", version], timeout=_TIMEOUT)
    if not found and not _is_recent(failed):
        _run([uv, "python", "install", "--quiet", version], timeout=_DOWNLOAD)
        found = _run([uv, "python", "find", "--no-python-downloads", version], timeout=_TIMEOUT)
        if not found:
            cache.mkdir(parents=True, exist_ok=True)
            failed.touch()
    return _ask(Path(found), version) if found else None


def _is_recent(marker: Path) -> bool:
    try:
        return time.time() - marker.stat().st_mtime < _AGAIN
    except OSError:
        return False


def _run(command: list[str], *, timeout: float) -> str:
    """What it says; "" where it fails. It gets no variable of ours but those of `children`."""
    try:
        ended = subprocess.run(
            command,
            env={**quiet_environment(), "UV_HTTP_RETRIES": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
            cwd="/",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""
