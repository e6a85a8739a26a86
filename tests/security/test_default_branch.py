"""A branch's own environments file does not open the border of a protected environment in CI."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fsd.app.environments import find_environment, known_environments
from fsd.app.governed import DefaultBranch, decide_environments
from fsd.app.manifest import read_manifest
from fsd.cli.main import run
from fsd.cli.wiring import govern
from fsd.errors import CallFailedError, ExitCode
from fsd.github.commits import Commits
from fsd.github.context import Context, read_context
from fsd.manifest.environments import load_environments
from tests.fakes.github_api import TOKEN, GithubApi, serve_github_api

MANIFEST = (Path(__file__).parent.parent.parent / "examples/services/hello/service.yml").read_text()
PROD = """\
apiVersion: fsd/v1
kind: Environment
metadata: {name: prod}
spec:
  protected: true
  branches: [main]
  account: "111111111111"
  promoteFrom: dev
  overrides: {resources.desiredCount: 3}
"""
DEV = """\
---
apiVersion: fsd/v1
kind: Environment
metadata: {name: dev}
spec: {branches: [staging]}
"""
QA = DEV.replace("dev", "qa")
FILE = ".fsd/environments.yml"


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    answer = subprocess.run(
        ["git", *settings, "-C", folder, *arguments], capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    (folder / ".fsd").mkdir(parents=True)
    (folder / FILE).write_text(PROD + DEV)
    (folder / "service.yml").write_text(MANIFEST)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "checkout", "-q", "-b", "feature")
    return folder


def opened(folder: Path) -> None:
    text = PROD.replace("protected: true", "protected: false").replace("[main]", "[main, feature]")
    (folder / FILE).write_text(text + DEV)


def branch_added(folder: Path) -> None:
    (folder / FILE).write_text(PROD.replace("[main]", "[main, feature]") + DEV)


def account_changed(folder: Path) -> None:
    (folder / FILE).write_text(PROD.replace("1" * 12, "2" * 12) + DEV)


def gate_removed(folder: Path) -> None:
    (folder / FILE).write_text(PROD.replace("  promoteFrom: dev\n", "") + DEV)


def gate_moved(folder: Path) -> None:
    (folder / FILE).write_text(
        PROD.replace("promoteFrom: dev", "promoteFrom: feature")
        + DEV
        + DEV.replace("dev", "feature")
    )


def role_added(folder: Path) -> None:
    role = "protected: true\n  roleArn: arn:aws:iam::111111111111:role/admin"
    (folder / FILE).write_text(PROD.replace("protected: true", role) + DEV)


def cluster_changed(folder: Path) -> None:
    (folder / FILE).write_text(
        PROD.replace("protected: true", "protected: true\n  cluster: x") + DEV
    )


def overrides_changed(folder: Path) -> None:
    (folder / FILE).write_text(PROD.replace("desiredCount: 3", "desiredCount: 1") + DEV)


def source_moved(folder: Path) -> None:
    """The gate's other side: where anything has succeeded."""
    (folder / FILE).write_text(PROD + DEV.replace("spec: {", "spec: {cluster: mine, "))


def document_removed(folder: Path) -> None:
    (folder / FILE).write_text(DEV.removeprefix("---\n"))


def file_removed(folder: Path) -> None:
    (folder / FILE).unlink()


def file_moved(folder: Path) -> None:
    (folder / ".fsd").rename(folder / "elsewhere")


def nearer_file(folder: Path) -> None:
    """The search for the file begins at the manifest."""
    (folder / "services" / ".fsd").mkdir(parents=True)
    (folder / "services" / FILE).write_text(DEV.removeprefix("---\n"))
    (folder / "service.yml").rename(folder / "services" / "service.yml")


CHANGES = (
    opened, branch_added, account_changed, gate_removed, gate_moved, role_added, cluster_changed,
    overrides_changed, source_moved, document_removed, file_removed, file_moved, nearer_file,
)  # fmt: skip


def deep_clone(origin: Path, folder: Path) -> None:
    git(origin.parent, "clone", "-q", "--branch", "feature", str(origin), str(folder))


def shallow_clone(origin: Path, folder: Path) -> None:
    """As actions/checkout makes it: one branch, one commit."""
    depth = ("--depth=1", "--single-branch", "--branch", "feature")
    git(origin.parent, "clone", "-q", *depth, origin.as_uri(), str(folder))


def context_of(api: GithubApi, *, branch: str = "feature", default: str = "main") -> Context:
    environ = {
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REPOSITORY": "org/hello",
        "GITHUB_REF": f"refs/heads/{branch}",
        "GITHUB_API_URL": api.url,
    }
    payload = {"repository": {"default_branch": default}}
    return read_context(environ, event_text=json.dumps(payload))


@pytest.mark.parametrize("clone", [deep_clone, shallow_clone])
@pytest.mark.parametrize("change", CHANGES)
def test_find_environment__branch_changes_the_file__the_default_branchs_counts_and_is_said(
    origin: Path,
    tmp_path: Path,
    clone: Callable[[Path, Path], None],
    change: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change(origin)
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "two")
    clone(origin, tmp_path / "clone")
    monkeypatch.chdir(tmp_path / "clone")
    manifest = next(Path().rglob("service.yml"))
    said: list[str] = []
    with serve_github_api() as api:
        api.files[("main", FILE)] = PROD + DEV
        commits = Commits("org/hello", token=TOKEN, api_url=api.url)
        source = govern(context_of(api), commits, warn=said.append)

        environment = find_environment(manifest, "prod", file=source)
        loaded = read_manifest(manifest, environment="prod", environments_file=source)
        known = dict(known_environments(manifest, file=source))
        known.pop("feature", None)

    assert environment == load_environments(PROD + DEV, path="x")[0]["prod"]
    assert said
    assert all("main" in sentence for sentence in said)
    assert known == load_environments(PROD + DEV, path="x")[0]
    assert loaded.manifest.service.resources.desired_count == 3


@pytest.mark.parametrize("clone", [deep_clone, shallow_clone])
def test_find_environment__what_is_not_protected__is_the_branchs_own(
    origin: Path,
    tmp_path: Path,
    clone: Callable[[Path, Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (origin / FILE).write_text(PROD + DEV + QA.replace("[staging]", "[staging], protected: true"))
    git(origin, "commit", "-q", "-a", "-m", "two")
    clone(origin, tmp_path / "clone")
    monkeypatch.chdir(tmp_path / "clone")
    said: list[str] = []
    with serve_github_api() as api:
        api.files[("main", FILE)] = PROD + DEV + QA
        commits = Commits("org/hello", token=TOKEN, api_url=api.url)
        source = govern(context_of(api), commits, warn=said.append)

        found = known_environments(Path("service.yml"), file=source)

    assert found["qa"].protected  # stricter is fine
    assert said == []


@pytest.mark.parametrize("status", [0, 301, 401, 403, 418, 429, 500, 502, 503])
def test_find_environment__default_branch_cannot_be_read__said_once_and_the_checkout_counts(
    origin: Path, tmp_path: Path, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow_clone(origin, tmp_path / "clone")
    monkeypatch.chdir(tmp_path / "clone")
    said: list[str] = []

    def read(path: str) -> str | None:
        raise CallFailedError(f"GitHub answered {status}", where=path, fix="x")

    source = DefaultBranch(name="main", root=Path.cwd(), read=read, warn=said.append)

    for _ in range(3):
        assert find_environment(Path("service.yml"), "prod", file=source).protected
    assert len(said) == 1
    assert str(status) in said[0]


@pytest.mark.parametrize("text", ["{", "a: b", "\x00", "- 1", PROD.replace("[main]", "7")])
def test_find_environment__default_branchs_file_is_not_valid__said(
    origin: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(origin)
    said: list[str] = []
    source = DefaultBranch(name="main", root=origin, read=lambda _: text, warn=said.append)

    assert find_environment(Path("service.yml"), "prod", file=source).protected
    assert len(said) == 1


def test_govern__the_default_branch_itself__asks_nobody(
    origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(origin)
    with serve_github_api() as api:
        commits = Commits("org/hello", token=TOKEN, api_url=api.url)
        on_main = replace(context_of(api, branch="main"), sha=git(origin, "rev-parse", "HEAD"))

        assert govern(on_main, commits, warn=print) is None
        assert govern(context_of(api, default=""), commits, warn=print) is None
        assert api.asked == []


@pytest.mark.parametrize("how", ["another commit", "changed files", "workflow_run"])
def test_govern__a_run_on_the_default_branch_with_other_code__is_governed(
    how: str, origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`on: workflow_dispatch` on main, and actions/checkout with the `ref` of somebody's branch."""
    folder = tmp_path / "clone"
    main = git(origin, "rev-parse", "main")
    deep_clone(origin, folder)
    opened(folder)
    if how == "another commit":
        git(folder, "commit", "-q", "-a", "-m", "open the border")
    monkeypatch.chdir(folder)
    with serve_github_api() as api:
        context = replace(context_of(api, branch="main"), sha=main)
        if how == "workflow_run":
            context = replace(context, event=how)
        source = govern(context, None, warn=lambda _: None)

    assert find_environment(Path("service.yml"), "prod", file=source).protected


def test_decide_environments__the_same__says_nothing() -> None:
    same, _ = load_environments(PROD + DEV, path="x")

    assert decide_environments(same, same, branch="main") == (same, ())


COMMANDS = {
    "deploy": ["deploy", "--env", "prod"],
    "push": ["push", "--env", "prod"],
    "restart": ["restart", "--env", "prod", "--service", "hello"],
    "scale": ["scale", "--env", "prod", "--service", "hello", "--count", "0"],
    "delete": ["delete", "--env", "prod", "--service", "hello", "--yes"],
    "promote": ["promote", "--from", "dev", "--to", "prod", "--service", "hello"],
    "run": ["run", "--env", "prod", "--service", "hello", "--", "env"],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("change", CHANGES)
def test_command__in_a_workflows_run_of_a_branch__refused(
    origin: Path,
    tmp_path: Path,
    name: str,
    change: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(origin)
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "two")
    deep_clone(origin, tmp_path / "clone")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"repository": {"default_branch": "main"}}))
    monkeypatch.chdir(tmp_path / "clone")
    for variable, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF": "refs/heads/feature",
        "GITHUB_REPOSITORY": "org/hello",
        "GITHUB_EVENT_PATH": str(event),
    }.items():
        monkeypatch.setenv(variable, value)
    manifest = next(Path().rglob("service.yml"))
    file = ["--file", str(manifest)] if name in ("deploy", "push") else []

    assert run([*COMMANDS[name], *file]) == ExitCode.REFUSED
    assert "error[environment-protected]" in capsys.readouterr().err
