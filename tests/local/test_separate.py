"""Two products in one distribution: FSD works without the embedded AWS, and that without FSD."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fsd.errors import ErrorCode
from fsd_files.errors import FileCode
from fsd_local.errors import LocalCode
from tests.local.cli import ROOT, Fsd

# Imports every module of a package whose sources are elsewhere, and says what could not be.
IMPORT_ALL = """\
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, f"{sys.argv[1]}."):
    if module.name not in {"fsd.cli.local", "fsd_local.runtime.payload.sitecustomize"}:
        importlib.import_module(module.name)
print(sorted(name for name in sys.modules if name.partition(".")[0] in sys.argv[2:]))
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """By this Python, with the packages of `folder` instead of this checkout's."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(folder)}
    # Ours is installed as an editable one; -P and PYTHONPATH put the folder before it.
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def take(folder: Path, *packages: str) -> Path:
    """The packages alone; in the place of the others is one that cannot be imported."""
    folder.mkdir()
    for name in ("fsd", "fsd_files", "fsd_local"):
        if name in packages:
            (folder / name).symlink_to(ROOT / "src" / name)
        else:
            forbid(folder, name)
    return folder


def forbid(folder: Path, name: str) -> None:
    (folder / f"{name}.py").write_text(f"raise ModuleNotFoundError({name!r}, name={name!r})\n")


@pytest.fixture
def without_local(tmp_path: Path) -> Path:
    """As the Action has it: neither the embedded AWS nor what only it needs."""
    folder = take(tmp_path / "packages", "fsd", "fsd_files")
    for name in ("ministack", "hypercorn", "h11"):
        forbid(folder, name)
    return folder


def test_fsd__without_the_embedded_aws__every_module_is_imported(without_local: Path) -> None:
    ended = run(without_local, "-c", IMPORT_ALL, "fsd", "fsd_local", "ministack", "hypercorn")

    assert (ended.stdout, ended.returncode) == ("[]\n", 0), ended.stderr


def test_fsd__without_the_embedded_aws__commands_of_aws_work(without_local: Path) -> None:
    manifest = str(ROOT / "examples" / "services" / "hello" / "service.yml")
    ended = run(without_local, "-m", "fsd.cli.main", "validate", "--file", manifest)

    assert ended.returncode == 0, ended.stderr
    assert run(without_local, "-m", "fsd.cli.main", "--help").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("local", "up"),
        ("local", "status"),
        ("deploy", "--env", "local", "--file", "examples/services/hello/service.yml"),
    ],
)
def test_fsd__without_the_embedded_aws__what_needs_it_says_what_to_install(
    without_local: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    ended = run(without_local, "-m", "fsd.cli.main", *arguments)

    assert (ended.returncode, ended.stdout) == (5, "")
    assert ended.stderr.endswith(
        "error[local-extra-missing]: the embedded AWS is not a part of this installation\n"
        "  --> fsd local\n"
        "  fix: pip install 'fsd-deploy[local]'\n"
    )


@pytest.mark.parametrize("code", [*FileCode, *LocalCode])
def test_code__of_what_fsd_tells_of_others__is_one_of_its_own(code: str) -> None:
    assert ErrorCode.from_id(code) is not None


def test_fsd_local__without_fsd__every_module_is_imported(tmp_path: Path) -> None:
    folder = take(tmp_path / "packages", "fsd_files", "fsd_local")

    ended = run(folder, "-c", IMPORT_ALL, "fsd_local", "fsd")

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "[]\n"


def test_fsd_local__its_whole_life__by_its_own_words(tmp_path: Path) -> None:
    local = Fsd(state=tmp_path / "state", cwd=tmp_path, module="fsd_local.cli")
    started = local.ok("start", "--runtime", "process")
    try:
        again = local.run("up", "--speed", "3")
        status = local.ok("status")
    finally:
        stopped = local.ok("stop")
    afterwards = local.run("env")

    assert "fsd-local status          shows what is running, and its URLs" in started.out
    assert "fsd local" not in started.out
    assert (again.code, again.err.splitlines()[-1]) == (2, "  fix: fsd-local down first")
    assert "  stored    nothing\n" in status.out
    assert stopped.out == "The embedded AWS is down; it left nothing behind\n"
    assert (afterwards.code, afterwards.err.splitlines()[-1]) == (5, "  fix: fsd-local up")


@pytest.mark.parametrize("arguments", [("--help",), ("up", "--help"), ("reset", "-h")])
def test_fsd_local__help__has_an_example(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    local = Fsd(state=tmp_path / "state", cwd=tmp_path, module="fsd_local.cli")

    assert "Example:  fsd-local " in local.ok(*arguments).out


def test_fsd_local__no_such_command__is_a_usage_error(tmp_path: Path) -> None:
    local = Fsd(state=tmp_path / "state", cwd=tmp_path, module="fsd_local.cli")

    assert local.run("statsu").code == 2


def test_requirements__of_the_action__have_nothing_of_the_embedded_aws() -> None:
    pinned = (ROOT / "requirements" / "action.txt").read_text()

    assert not [name for name in ("ministack==", "hypercorn==", "h11==") if name in pinned]
