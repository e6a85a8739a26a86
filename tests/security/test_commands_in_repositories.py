"""Commands that ask git, or read a folder, in repositories that mean harm run nothing of them.

`fsd validate` and `fsd plan` have their own test, as whole programs.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fsd.cli.main import run
from tests.security.test_hostile_repositories import ATTACKS, Repository, git

SERVICE = """\
apiVersion: fsd/v1
kind: Service
metadata: {name: api, pack: p, owners: ["@org/p"]}
service: {type: ecs}
"""
ENVIRONMENTS = """\
apiVersion: fsd/v1
kind: Environment
metadata: {name: prod}
spec: {protected: true, branches: [main]}
"""
COMPOSE = "services: {web: {build: ., ports: ['8000:8000']}}\n"
OF_PROD = ["--env", "prod", "--service", "api"]
# (the command, the codes that it may end with): the border asks git, and then refuses.
COMMANDS = (
    (["init", "services/api", "--yes", "--dry-run"], {0, 4}),
    (["import", "services/api", "--dry-run"], {0}),
    (["iam", "--env", "prod", "--service", "api", "--repo", "o/r"], {0}),
    (["validate", "services/api/service.yml", "--env", "prod"], {0}),
    (["deploy", "--env", "prod", "--file", "services/api/service.yml"], {3, 4}),
    (["push", "--env", "prod", "--file", "services/api/service.yml"], {3, 4}),
    (["restart", *OF_PROD], {3, 4}),
    (["scale", *OF_PROD, "--count", "2"], {3, 4}),
    (["delete", *OF_PROD, "--yes"], {3, 4}),
    (["run", *OF_PROD, "--", "env"], {3, 4}),
    (["promote", "--from", "prod", "--to", "prod", "--service", "api"], {2, 3, 4}),
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "checkout"
    api = folder / "services" / "api"
    api.mkdir(parents=True)
    (api / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (api / "app.py").write_text("print(1)\n")
    (api / "service.yml").write_text(SERVICE)
    (api / "compose.yml").write_text(COMPOSE)
    (folder / ".fsd").mkdir()
    (folder / ".fsd" / "environments.yml").write_text(ENVIRONMENTS)
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    return folder


@pytest.mark.parametrize("attack", ATTACKS)
def test_command__hostile_repository__runs_nothing_of_it(
    template: Path,
    tmp_path: Path,
    attack: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    count_inputs: Callable[[int], None],
) -> None:
    count_inputs(len(COMMANDS))
    checkout = tmp_path / "checkout"
    shutil.copytree(template, checkout)
    repository = Repository(checkout, tmp_path / "sung")
    ATTACKS[attack](repository)
    repository.touch_all()
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    ended = {" ".join(command): (run(command), codes) for command, codes in COMMANDS}

    said = capsys.readouterr().err
    assert {name: code for name, (code, codes) in ended.items() if code not in codes} == {}, said
    assert not repository.canary.exists()
