"""Shell completion and the pre-commit hooks, asked of the real command line."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.local.cli import ROOT, Fsd
from tests.unit.manifest.manifests import KAFKA_CONSUMER

ENVIRONMENTS = "\n---\n".join(
    f"apiVersion: fsd/v1\nkind: Environment\nmetadata: {{name: {name}}}" for name in ("dev", "prod")
)
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def fsd(tmp_path: Path) -> Fsd:
    work = tmp_path / "work"
    (work / ".git").mkdir(parents=True)
    return Fsd(state=tmp_path / "state", cwd=work)


def complete(fsd: Fsd, line: str) -> list[str]:
    """What bash would offer for the last word: `type,value` each."""
    words = line.split(" ")
    fsd.extra = {
        "_FSD_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    return fsd.run().out.splitlines()


def test_completion__commands_and_options__those_that_start_so(fsd: Fsd) -> None:
    assert complete(fsd, "fsd va") == ["plain,validate"]
    assert complete(fsd, "fsd validate --wo") == ["plain,--workflows"]
    assert complete(fsd, "fsd completion z") == ["plain,zsh"]


def test_completion__values__formats_environments_and_files(fsd: Fsd) -> None:
    assert complete(fsd, "fsd validate --format s") == ["plain,sarif"]
    assert complete(fsd, "fsd validate --file ser") == ["file,ser"]
    assert complete(fsd, "fsd deploy --env ") == ["plain,local"]
    (fsd.cwd / ".fsd").mkdir()
    (fsd.cwd / ".fsd" / "environments.yml").write_text(ENVIRONMENTS, encoding="utf-8")
    assert complete(fsd, "fsd deploy --env ") == ["plain,dev", "plain,prod", "plain,local"]
    assert complete(fsd, "fsd validate -e p") == ["plain,prod"]
    (fsd.cwd / ".fsd" / "environments.yml").write_text("a: b: c", encoding="utf-8")
    assert complete(fsd, "fsd validate -e ") == ["plain,local"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion__script__is_one_that_the_shell_reads(fsd: Fsd, shell: str) -> None:
    script = fsd.ok("completion", shell).out

    assert "_FSD_COMPLETE" in script
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=script, text=True, check=False)
        assert checked.returncode == 0


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_pre_commit_hook__its_entry_with_names_behind__runs(fsd: Fsd, hook: dict[str, str]) -> None:
    assert {"id", "name", "entry", "language", "files"} <= set(hook)
    assert hook["language"] == "python"
    name, *arguments = shlex.split(hook["entry"])
    assert name == "fsd"
    (fsd.cwd / "service.yml").write_text(KAFKA_CONSUMER, encoding="utf-8")
    (fsd.cwd / "other.yml").write_text("a: b: c\n", encoding="utf-8")

    assert fsd.run(*arguments, "service.yml").code == 0
    assert fsd.run(*arguments, "service.yml", "other.yml").code == 3


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("service.yml", True),
        ("services/a/service.yaml", True),
        ("microservice.yml", False),
        (".github/workflows/deploy.yml", False),
    ],
)
def test_pre_commit_hook__files__service_yamls(path: str, taken: bool) -> None:
    assert [bool(re.search(hook["files"], path)) for hook in HOOKS] == [taken, taken]
