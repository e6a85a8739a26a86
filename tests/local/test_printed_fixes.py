"""A repository that fails, and the edit that the printed fix names: then it is deployed."""

from __future__ import annotations

import io
import os
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.wheels import make_wheel
from tests.local.cli import Fsd
from tests.local.conftest import commit
from tests.local.test_installed import MANIFEST, SERVER

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
# As setup.py of old packages begins; setuptools 46 took Feature away.
BACKEND = """\
import zipfile
from setuptools import Feature

INFO = "old_server-1.0.dist-info"
FILES = {
    "METADATA": "Metadata-Version: 2.1\\nName: old-server\\nVersion: 1.0\\n",
    "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "RECORD": "",
}


def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "old_server-1.0-py3-none-any.whl"
    with open("old_server.py") as module, zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("old_server.py", module.read())
        for file, text in FILES.items():
            wheel.writestr(f"{INFO}/{file}", text)
    return name
"""
PROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "backend"
backend-path = ["."]
[project]
name = "old-server"
version = "1.0"
"""


def make_source(folder: Path) -> None:
    """A release of `old-server` that has to be built."""
    files = {"pyproject.toml": PROJECT, "backend.py": BACKEND, "old_server.py": SERVER}
    info = "Metadata-Version: 2.1\nName: old-server\nVersion: 1.0\n"
    with tarfile.open(folder / "old_server-1.0.tar.gz", "w:gz") as archive:
        for name, text in {**files, "PKG-INFO": info}.items():
            entry = tarfile.TarInfo(f"old_server-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))


@pytest.fixture
def fsd(tmp_path: Path) -> Iterator[Fsd]:
    wheels, folder = tmp_path / "wheels", tmp_path / "orders"
    for each in (wheels, folder):
        each.mkdir()
    (folder / "service.yml").write_text(MANIFEST)
    (folder / "index.html").write_text("here\n")
    make_source(wheels)
    make_wheel(wheels, "a-server", modules={"a_server.py": SERVER}, script="a_server:main")
    for version, text in (("45.3.0", "Feature = None\n"), ("80.9.0", "")):
        make_wheel(wheels, "setuptools", version, modules={"setuptools/__init__.py": text})
    client = Fsd(state=tmp_path / "state", cwd=folder)
    client.extra = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_CONFIG_FILE": os.devnull,
    }
    client.ok("local", "up", "--runtime", "process", "--speed", "10")
    yield client
    client.ok("local", "down")


def failed_with(fsd: Fsd, *, code: int) -> str:
    """What the deployment says to do, on one line."""
    commit(fsd.cwd, "a change")
    ended = fsd.run("deploy", "--env", "local")
    assert ended.code == code, ended.text
    found = re.search(r"^  fix: (.*(?:\n       .*)*)", ended.out + ended.err, re.MULTILINE)
    assert found, ended.text
    return " ".join(found[1].split())


def deployed(fsd: Fsd) -> bool:
    commit(fsd.cwd, "as the fix says")
    return bool(
        fsd.ok("deploy", "--env", "local", "--format", "json").json()["outcome"] == "succeeded"
    )


def test_fix__package_written_for_an_older_setuptools__is_followed(fsd: Fsd) -> None:
    step = "RUN pip install old-server"
    lines = [f"FROM python:{VERSION}-slim", "WORKDIR /srv", "COPY index.html .", step,
             'CMD ["python", "-c", "import old_server; old_server.main()"]']  # fmt: skip
    (fsd.cwd / "Dockerfile").write_text("\n".join(lines) + "\n")

    fix = failed_with(fsd, code=5)

    text, file, *above = re.findall(r"`([^`]+)`", fix)
    assert [each.partition(" ")[0] for each in above] == ["COPY", "ENV"]
    (fsd.cwd / file).write_text(f"{text}\n")
    lines[lines.index(step) : lines.index(step)] = above
    (fsd.cwd / "Dockerfile").write_text("\n".join(lines) + "\n")
    assert deployed(fsd)


def test_fix__script_that_may_not_be_run__is_followed(fsd: Fsd) -> None:
    script = fsd.cwd / "start.sh"
    script.write_text("#!/bin/sh\nexec a-server\n")
    script.chmod(0o644)
    lines = [f"FROM python:{VERSION}-slim", "WORKDIR /srv", "RUN pip install a-server", "COPY . .",
             'CMD ["./start.sh"]']  # fmt: skip
    (fsd.cwd / "Dockerfile").write_text("\n".join(lines) + "\n")

    fix = failed_with(fsd, code=7)

    (run,) = re.findall(r"`(RUN [^`]+)`", fix)
    lines.insert(lines.index("COPY . .") + 1, run)
    (fsd.cwd / "Dockerfile").write_text("\n".join(lines) + "\n")
    assert deployed(fsd)


def test_fix__script_that_may_not_be_run__or_the_file_itself(fsd: Fsd) -> None:
    script = fsd.cwd / "start.sh"
    script.write_text("#!/bin/sh\nexec a-server\n")
    script.chmod(0o644)
    lines = (f"FROM python:{VERSION}-slim", "WORKDIR /srv", "RUN pip install a-server", "COPY . .",
             'CMD ["./start.sh"]')  # fmt: skip
    (fsd.cwd / "Dockerfile").write_text("\n".join(lines) + "\n")

    assert "make `./start.sh` executable: `chmod +x` the file and commit it" in failed_with(
        fsd, code=7
    )

    script.chmod(0o755)
    assert deployed(fsd)
