"""`fsd validate` and `fsd plan` as people start them, in repositories that mean harm or are huge.

What the functions below do with such repositories is tested beside this; here it is the whole
command line: it ends in time, with success or an error that is documented, and runs nothing of the
repository's. Each repository meets it in this process, and a part of them meets it as a program of
its own, which takes ten times as long.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fsd.cli.main import run as run_here
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
LINKS = 10_000  # of one file, which may have 65,000 on ext4
AS_PROGRAMS = tuple(ATTACKS)[::4]
VALIDATE = ("validate", "services/", "--env", "local")
PLAN = ("plan", "--env", "local", "--file", "services/api/service.yml")
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


def plant(template: Path, folder: Path, attack: str) -> Repository:
    checkout = folder / "checkout"
    shutil.copytree(template, checkout)
    repository = Repository(checkout, folder / "sung")
    ATTACKS[attack](repository)
    repository.touch_all()
    return repository


@pytest.mark.parametrize("attack", ATTACKS)
def test_cli__hostile_repository__answers_and_runs_nothing_of_it(
    cloud: Fsd,
    template: Path,
    tmp_path: Path,
    attack: str,
    count_inputs: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    count_inputs(2)
    repository = plant(template, tmp_path, attack)
    monkeypatch.chdir(repository.folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FSD_LOCAL_STATE", str(cloud.state))

    checked = Ended(run_here(VALIDATE), *capsys.readouterr())
    planned = Ended(run_here(PLAN), *capsys.readouterr())

    assert_answered(repository, checked=checked, planned=planned)


@pytest.mark.parametrize("attack", AS_PROGRAMS)
def test_program__hostile_repository__answers_and_runs_nothing_of_it(
    cloud: Fsd,
    template: Path,
    tmp_path: Path,
    attack: str,
    count_inputs: Callable[[int], None],
) -> None:
    count_inputs(2)
    repository = plant(template, tmp_path, attack)

    checked = run(cloud, repository.folder, *VALIDATE)
    planned = run(cloud, repository.folder, *PLAN)

    assert_answered(repository, checked=checked, planned=planned)


def assert_answered(repository: Repository, *, checked: Ended, planned: Ended) -> None:
    assert checked.code == 0, checked.text
    assert is_documented(checked), checked.text
    assert is_documented(planned), planned.text
    assert not repository.canary.exists()


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Path]:
    """A folder for very many files, which would otherwise stay for the next three runs."""
    folder = tmp_path / "many"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("suffix", [".txt", ".yml"])
def test_cli__hundred_thousand_files__success_in_time(
    cloud: Fsd, many: Path, suffix: str, count_inputs: Callable[[int], None]
) -> None:
    count_inputs(2)
    (many / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (many / "service.yml").write_text(SERVICE)
    for number in range(FILES):
        name = f"{many}/f{number}{suffix}"
        if number % LINKS == 0:
            first = name
            Path(first).write_text("x: 1\n")
        else:
            os.link(first, name)

    checked = run(cloud, many, "validate", ".", seconds=LATE)
    planned = run(cloud, many, "plan", "--env", "local", seconds=LATE)

    assert (checked.code, planned.code) == (0, 0), checked.text + planned.text
