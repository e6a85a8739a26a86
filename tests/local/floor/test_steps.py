"""Tasks that run once, by the real CLI: before and after a rollout, and by `fsd run`."""

from __future__ import annotations

from pathlib import Path

from tests.local.cli import Fsd
from tests.local.conftest import commit

DEPLOY = ("deploy", "--env", "local", "--format", "json")
BEFORE = """\
  beforeDeploy:
    command: >-
      echo "migrating $VERSION"; exit "$CODE"
    environment: {CODE: "0"}
  afterDeploy:
    command: ["python", "-c", "print('smoke'); raise SystemExit(5)"]
"""


def with_steps(folder: Path) -> None:
    manifest = folder / "service.yml"
    manifest.write_text(manifest.read_text() + BEFORE)
    commit(folder, "steps")


def test_deploy__before_and_after__run_once_and_a_failure_changes_nothing(
    fsd: Fsd, hello: Path
) -> None:
    with_steps(hello)

    first = fsd.ok(*DEPLOY, "--version", "v1")
    failed = fsd.run(*DEPLOY, "--version", "v2", "--override", "beforeDeploy.environment.CODE=3")
    again = fsd.ok(*DEPLOY, "--version", "v3")
    unchanged = fsd.ok(*DEPLOY, "--version", "v3")

    assert first.json()["outcome"] == "succeeded"
    assert "beforeDeploy | migrating v1" in first.err
    assert any("`afterDeploy` ended with exit code 5" in note for note in first.json()["notes"])
    assert failed.code == 6, failed.text
    told = failed.json()
    assert "`beforeDeploy` ended with exit code 3" in told["message"]
    assert "migrating v2" in "\n".join(told["diagnosis"]["logLines"])
    assert told["running"]["version"] == "v1"
    assert again.json()["running"]["version"] == "v3"
    assert "beforeDeploy |" not in unchanged.err
    history = fsd.ok("history", "--service", "hello", "--env", "local", "--format", "json").json()
    assert [release["version"] for release in history] == ["v3", "v1"]


def test_run__command__its_lines_and_its_exit_code(fsd: Fsd) -> None:
    fsd.ok(*DEPLOY, "--version", "v1")
    run = ("run", "--service", "hello", "--env", "local")

    ended = fsd.run(
        *run, "--", "python", "-c", "import os; print(os.environ['SERVICE_NAME']); os._exit(7)"
    )
    late = fsd.run(*run, "--timeout", "2s", "--", "python", "-c", "import time; time.sleep(60)")

    assert (ended.code, ended.out) == (7, "hello\n"), ended.text
    assert late.code == 9, late.text
    assert "had not ended after 2 s" in late.err
    assert fsd.run("run", "--service", "nobody", "--env", "local").code == 2
