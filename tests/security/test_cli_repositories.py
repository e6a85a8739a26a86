"""`fsd validate` and `fsd plan` as people start them, in repositories that mean harm or are huge.

What the functions below do with such repositories is tested beside this; here it is the whole
program, with its own environment: it ends in time, with success or an error that is documented, and
runs nothing of the repository's.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fsd.error_codes import ErrorCode
from fsd.lint.pages import page_ids
from tests.local.cli import Ended, Fsd
from tests.security.test_hostile_repositories import ATTACKS, Repository, git

SERVICE = """\
apiVersion: fsd/v1
kind: Service
metadata: {name: api, pack: p, owners: ["@org/p"]}
service:
  type: ecs
"""
DOCUMENTED = {*ErrorCode, *page_ids()}
EXITS = {0, 2, 3, 4, 5}  # of commands that change nothing; see docs/commands.md
FILES = 100_000
SOON = 60  # seconds for one command; a hundred thousand files take 25 on a busy machine
LATE = 170


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fsd]:
    """An embedded AWS, for the plans."""
    folder = tmp_path_factory.mktemp("cloud")
    fsd = Fsd(state=folder / "state", cwd=folder)
    fsd.ok("local", "up", "--runtime", "process")
    try:
        yield fsd
    finally:
        fsd.ok("local", "down")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "checkout"
    api = folder / "services" / "api"
    api.mkdir(parents=True)
    (api / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (api / "app.py").write_text("print(1)\n")
    (api / "service.yml").write_text(SERVICE)
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    return folder


def run(cloud: Fsd, folder: Path, *arguments: str, seconds: int = SOON) -> Ended:
    """Raises TimeoutExpired where the command does not end; nothing of it is left behind."""
    fsd = Fsd(state=cloud.state, cwd=folder, extra={"HOME": str(folder.parent)})
    process = fsd.start(*arguments)
    with process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Ended(process.returncode, out, err)


def is_documented(ended: Ended) -> bool:
    """Success, or an error of ours with a code that `fsd explain` knows."""
    if "Traceback" in ended.err or ended.code not in EXITS:
        return False
    codes = set(re.findall(r"^error\[([a-z0-9-]+)\]", ended.out + ended.err, re.MULTILINE))
    return codes <= DOCUMENTED and bool(codes) is (ended.code != 0)


@pytest.mark.parametrize("attack", ATTACKS)
def test_cli__hostile_repository__answers_and_runs_nothing_of_it(
    cloud: Fsd,
    template: Path,
    tmp_path: Path,
    attack: str,
    count_inputs: Callable[[int], None],
) -> None:
    count_inputs(2)
    checkout = tmp_path / "checkout"
    shutil.copytree(template, checkout)
    repository = Repository(checkout, tmp_path / "sung")
    ATTACKS[attack](repository)
    repository.touch_all()

    checked = run(cloud, checkout, "validate", "services/", "--env", "local")
    planned = run(cloud, checkout, "plan", "--env", "local", "--file", "services/api/service.yml")

    assert checked.code == 0, checked.text
    assert is_documented(checked), checked.text
    assert is_documented(planned), planned.text
    assert not repository.canary.exists()


@pytest.mark.parametrize("suffix", [".txt", ".yml"])
def test_cli__hundred_thousand_files__success_in_time(
    cloud: Fsd, tmp_path: Path, suffix: str, count_inputs: Callable[[int], None]
) -> None:
    count_inputs(2)
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (folder / "service.yml").write_text(SERVICE)
    for number in range(FILES):
        (folder / f"f{number}{suffix}").write_text("x: 1\n")

    checked = run(cloud, folder, "validate", ".", seconds=LATE)
    planned = run(cloud, folder, "plan", "--env", "local", seconds=LATE)

    assert (checked.code, planned.code) == (0, 0), checked.text + planned.text
