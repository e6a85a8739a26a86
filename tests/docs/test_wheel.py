"""What is built is what one gets: the wheel in empty environments, with the extra and without.

The dependencies are those of requirements/, by hash: from uv's cache, where scripts/setup has put
them, or from the index.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.local.cli import HELLO, ROOT

TIMEOUT = 300  # seconds


@dataclass(frozen=True)
class Installed:
    folder: Path
    home: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        program, *arguments = command
        environment = {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.home),
            "FSD_LOCAL_STATE": str(self.home / "state"),
            **{name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
        }
        return subprocess.run(
            [str(self.folder / "bin" / program), *arguments],
            env=environment, cwd=self.home, capture_output=True, text=True, timeout=TIMEOUT,
            check=False,
        )  # fmt: skip

    def ok(self, *command: str) -> str:
        ended = self.run(*command)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=TIMEOUT)
    (found,) = out.glob("*.whl")
    return found


PYTEST = ("pytest", "iniconfig", "packaging", "pluggy", "pygments")
# What pytest loads of ours for a project whose tests do not ask for it.
LOADED = """
import sys
import pytest
pytest.main(["-q", "-p", "no:terminal"])
print(*sorted(name for name in sys.modules if name.partition(".")[0] in ("fsd", "fsd_local")))
"""


def install(
    wheel: Path, requirements: str, tmp_path: Path, *, extra: Sequence[str] = ()
) -> Installed:
    """`extra` are names of requirements/dev.txt."""
    folder, home = tmp_path / "environment", tmp_path / "home"
    home.mkdir()
    uv = find_uv_bin()
    pip = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    by_hash = ["--require-hashes", "-r", str(ROOT / "requirements" / requirements)]
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [*pip, "--no-deps", *by_hash],
        [*pip, "--no-deps", "--require-hashes", "-r", str(pinned(extra, tmp_path))],
        [*pip, "--no-deps", "--offline", str(wheel)],
    ):
        ended = subprocess.run(
            command, cwd=home, capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
        assert ended.returncode == 0, ended.stderr
    return Installed(folder, home)


def pinned(names: Sequence[str], folder: Path) -> Path:
    """Requirements with the hashes of requirements/dev.txt."""
    text = (ROOT / "requirements" / "dev.txt").read_text()
    blocks = re.findall(r"^[a-z0-9-]+==.*(?:\n    .*)*", text, re.MULTILINE)
    path = folder / "extra.txt"
    path.write_text("\n".join(b for b in blocks if b.partition("==")[0] in names) + "\n")
    return path


def test_wheel__without_the_extra__commands_of_aws_work_and_the_rest_says_what_is_missing(
    wheel: Path, tmp_path: Path
) -> None:
    installed = install(wheel, "action.txt", tmp_path)

    assert "validate" in installed.ok("fsd", "--help")
    assert installed.ok("fsd", "validate", "--file", str(HELLO / "service.yml")) is not None
    assert "Example:  fsd-local up" in installed.ok("fsd-local", "--help")
    assert installed.ok("fsd-local", "status").startswith("The embedded AWS is not running")
    for command in (("fsd", "local", "up"), ("fsd-local", "start")):
        ended = installed.run(*command)
        assert ended.returncode == 5, ended.stdout
        assert "error[local-extra-missing]: the embedded AWS needs ministack and" in ended.stderr
        assert "fix: pip install 'fsd-deploy[local]'" in ended.stderr


STRANGERS_TESTS = """
import boto3
import pytest

KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "of-another-account"}


@pytest.fixture(autouse=True)
def settings_of_the_project(monkeypatch):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(**KEYS, region_name="eu-west-1"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "absent")


def test_cluster(fsd_local):
    ecs = fsd_local.client("ecs")
    ecs.create_cluster(clusterName="mine")
    assert len(ecs.list_clusters()["clusterArns"]) == 1


def test_empty_again(fsd_local):
    assert fsd_local.client("ecs").list_clusters()["clusterArns"] == []


def test_environment(fsd_local):
    for client in (boto3.client("ecs"), boto3.client("s3")):
        assert client.meta.endpoint_url == fsd_local.endpoint
        assert client.meta.region_name == fsd_local.region
    bucket = boto3.client("s3")
    bucket.create_bucket(Bucket="mine")
    assert [found["Name"] for found in bucket.list_buckets()["Buckets"]] == ["mine"]


def test_without_it():
    assert boto3.DEFAULT_SESSION.get_credentials().access_key == "AKIDEXAMPLE"
"""


def test_wheel__pytest_of_another_project__has_the_fixture(wheel: Path, tmp_path: Path) -> None:
    installed = install(wheel, "local.txt", tmp_path, extra=PYTEST)
    (installed.home / "test_mine.py").write_text(STRANGERS_TESTS)

    said = installed.ok("pytest", "-q", "-o", "fsd_local_runtime=process")
    assert "4 passed" in said
    assert not list(installed.home.glob("**/instance.json"))

    (installed.home / "test_mine.py").write_text("def test_nothing():\n    pass\n")
    loaded = installed.ok("python", "-c", LOADED)
    assert loaded.split() == ["fsd_local", "fsd_local.pytest_plugin"]


def test_wheel__with_the_extra__deploys_to_the_embedded_aws(wheel: Path, tmp_path: Path) -> None:
    installed = install(wheel, "local.txt", tmp_path)
    deploy = ("fsd", "deploy", "--env", "local", "--file", str(HELLO / "service.yml"))

    installed.ok("fsd-local", "start", "--runtime", "process", "--speed", "40")
    try:
        assert "Deployed hello" in installed.ok(*deploy)
        assert "hello-local" in installed.ok("fsd", "local", "status")
    finally:
        installed.ok("fsd-local", "stop")
