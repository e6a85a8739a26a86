"""Repositories that run a program when somebody only looks at them, below each folder that is read.

Each plants a canary: a program that writes a file. FSD asks its questions; no canary may sing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from fsd.errors import CallFailedError, FsdError
from fsd.image.context import count_commits, order_commits, read_head, read_source, show_file
from fsd.image.git import run_git

GIT = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "PATH": os.environ["PATH"],
}
HOOKS = (
    "post-index-change", "post-checkout", "pre-commit", "fsmonitor-watchman",
    "reference-transaction", "pre-auto-gc", "post-rewrite", "sendemail-validate",
    "update", "pre-receive",
)  # fmt: skip


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=GIT, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "checkout"
    (folder / "services" / "api").mkdir(parents=True)
    (folder / "services" / "api" / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (folder / "services" / "api" / "app.py").write_text("print(1)\n")
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    return folder


class Repository:
    """A checkout with a canary that a kind of attack would run."""

    def __init__(self, folder: Path, canary: Path) -> None:
        self.folder, self.canary = folder, canary
        self.program = canary.parent / "sing.sh"
        self.program.write_text(f"#!/bin/sh\ntouch {canary}\ncat\n")
        self.program.chmod(0o755)

    def set(self, *pairs: tuple[str, str]) -> None:
        for key, value in pairs:
            git(self.folder, "config", "--add", key, value)

    def write(self, path: str, text: str, *, mode: int = 0o644) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def touch_all(self) -> None:
        """Other bytes with the same length: `git status` must read them, through filters."""
        (self.folder / "services" / "api" / "app.py").write_text("print(2)\n")


def keys(*names: str, value: str = "{program}") -> Callable[[Repository], None]:
    def plant(repository: Repository) -> None:
        for name in names:
            repository.set((name, value.format(program=repository.program)))

    return plant


def filters(
    kind: str, *, name: str = "evil", attributes: str = ".gitattributes"
) -> Callable[[Repository], None]:
    def plant(repository: Repository) -> None:
        repository.write(attributes, f"* filter={name} diff={name} merge={name}\n")
        repository.set((f"filter.{name}.{kind}", str(repository.program)))

    return plant


def included(condition: str, attack: str) -> Callable[[Repository], None]:
    def plant(repository: Repository) -> None:
        section, _, key = attack.rpartition(".")
        head, _, name = section.partition(".")
        title = f'[{head} "{name}"]' if name else f"[{head}]"
        file = repository.write(".git/more", f"{title}\n\t{key} = {repository.program}\n")
        repository.write(".gitattributes", "* filter=evil\n")
        repository.set((condition.format(git=repository.folder / ".git"), str(file)))

    return plant


def hook(name: str) -> Callable[[Repository], None]:
    def plant(repository: Repository) -> None:
        repository.write(f".git/hooks/{name}", repository.program.read_text(), mode=0o755)

    return plant


def bare_repository(path: str) -> Callable[[Repository], None]:
    """A folder of plain files that git takes for a repository, with its own configuration."""

    def plant(repository: Repository) -> None:
        bare = repository.folder / path
        shutil.copytree(repository.folder / ".git", bare, dirs_exist_ok=True)
        config = f"[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = {repository.program}\n"
        (bare / "config").write_text(config)

    return plant


def git_file(repository: Repository) -> None:
    """`.git` is a file that points to a folder of the checkout's."""
    hidden = repository.folder / "assets"
    shutil.move(repository.folder / ".git", hidden)
    repository.write(".git", f"gitdir: {hidden}\n")
    git(repository.folder, "config", "core.fsmonitor", str(repository.program))


def submodule(repository: Repository) -> None:
    inner = repository.folder / "vendor"
    git(repository.folder, "init", "-q", str(inner))
    (inner / "x").write_text("x")
    git(inner, "add", "-A")
    git(inner, "commit", "-q", "-m", "x")
    repository.write(".gitmodules", '[submodule "vendor"]\n\tpath = vendor\n\turl = ext::sh -c x\n')
    git(repository.folder, "add", "vendor", ".gitmodules")
    git(inner, "config", "core.fsmonitor", str(repository.program))
    (inner / ".gitattributes").write_text("* filter=evil\n")
    git(inner, "config", "filter.evil.clean", str(repository.program))
    (inner / "x").write_text("y")


def promisor(repository: Repository) -> None:
    """A missing object would be fetched, by a program."""
    repository.set(
        ("remote.origin.url", f"ext::{repository.program}"),
        ("remote.origin.promisor", "true"),
        ("extensions.partialClone", "origin"),
        ("core.repositoryFormatVersion", "1"),
        ("protocol.ext.allow", "always"),
        ("remote.origin.uploadpack", str(repository.program)),
    )
    blob = git(repository.folder, "rev-parse", "HEAD:services/api/app.py")
    (repository.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


ATTACKS: Mapping[str, Callable[[Repository], None]] = {
    **{f"filter {kind}": filters(kind) for kind in ("clean", "smudge", "process")},
    "filter in info/attributes": filters("clean", attributes=".git/info/attributes"),
    "filter in a folder's attributes": filters("clean", attributes="services/.gitattributes"),
    "filter with a dot": filters("clean", name="a.b"),
    "filter with an equals sign": filters("clean", name="a=b"),
    "filter in capitals": filters("CLEAN"),
    "filter lfs": filters("process", name="lfs"),
    "textconv": keys("diff.evil.textconv", "diff.evil.command"),
    "merge driver": keys("merge.evil.driver"),
    "file system monitor": keys("core.fsmonitor"),
    "hooks path": keys("core.hooksPath", value="{program}/.."),
    "ssh command": keys("core.sshCommand", "core.gitProxy"),
    "pager": keys("core.pager", "pager.log", "pager.status"),
    "editor": keys("core.editor", "sequence.editor"),
    "ask pass": keys("core.askPass", "credential.helper", value="!{program}"),
    "external diff": keys("diff.external"),
    "gpg": keys("gpg.program", "gpg.ssh.program", "gpg.ssh.defaultKeyCommand"),
    "signatures": keys("log.showSignature", value="true"),
    "alias": keys("alias.status", "alias.log", "alias.config", value="!{program}"),
    "alternate refs": keys("core.alternateRefsCommand"),
    "remote": keys("remote.origin.uploadpack", "remote.origin.vcs"),
    "trailer": keys("trailer.x.command", "trailer.x.cmd"),
    "trace": keys("trace2.eventTarget", "trace2.normalTarget", value="{program}.trace"),
    "include": included("include.path", "filter.evil.clean"),
    "include of a monitor": included("include.path", "core.fsmonitor"),
    "include by folder": included("includeIf.gitdir:{git}/.path", "filter.evil.clean"),
    "include by branch": included("includeIf.onbranch:main.path", "core.fsmonitor"),
    **{f"hook {name}": hook(name) for name in HOOKS},
    "bare repository in the context": bare_repository("services/api"),
    "bare repository above the context": bare_repository("services"),
    ".git file": git_file,
    "submodule": submodule,
    "promisor": promisor,
}
ASKED = (".", "services", "services/api")


def ask_everything(folder: Path) -> None:
    """All questions of a plan and a deployment; a refusal is an answer."""
    with suppress(FsdError):
        read_source(folder, is_built=False)
    with suppress(FsdError):
        read_head(folder)
    for question in (
        lambda: show_file(folder, "refs/remotes/origin/main", "services/api/app.py"),
        lambda: count_commits(folder, "HEAD~1", "HEAD"),
        lambda: order_commits(folder, "HEAD", "HEAD~1"),
        lambda: run_git(folder, "status", "--porcelain"),
    ):
        with suppress(FsdError):
            question()


@pytest.mark.parametrize("attack", ATTACKS)
def test_git__hostile_repository__runs_nothing_of_it(
    template: Path,
    tmp_path: Path,
    attack: str,
    count_inputs: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(ATTACKS) >= 30
    count_inputs(len(ASKED))
    monkeypatch.setenv("HOME", str(tmp_path))
    checkout = tmp_path / "checkout"
    shutil.copytree(template, checkout)
    repository = Repository(checkout, tmp_path / "sung")
    ATTACKS[attack](repository)

    for place in ASKED:
        repository.touch_all()
        ask_everything(checkout / place)

    assert not repository.canary.exists()


# What shows that the canary sings where nothing is done about it.
LOUD = (
    "filter clean",
    "filter process",
    "filter with a dot",
    "filter with an equals sign",
    "file system monitor",
    "include",
    "include by branch",
    "hook post-index-change",
    ".git file",
    "submodule",
)


@pytest.mark.parametrize("attack", LOUD)
def test_plain_git__the_same_repository__would_run_it(
    template: Path, tmp_path: Path, attack: str
) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(template, checkout)
    repository = Repository(checkout, tmp_path / "sung")
    ATTACKS[attack](repository)
    repository.touch_all()

    for place in ASKED:
        subprocess.run(
            ["git", "-C", str(checkout / place), "status", "--porcelain"],
            env=GIT, check=False, capture_output=True, timeout=60,
        )  # fmt: skip

    assert repository.canary.exists()


def test_run_git__environment__has_no_token(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(template, tmp_path / "checkout")
    said = tmp_path / "said"
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\nenv >> {said}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name in (
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "GITHUB_TOKEN", "FSD_INPUT_GITHUB_TOKEN", "NPM_TOKEN", "GIT_DIR",
        "GIT_EXTERNAL_DIFF",
    ):  # fmt: skip
        monkeypatch.setenv(name, "s3cret")

    run_git(tmp_path / "checkout", "status")

    assert "GIT_TERMINAL_PROMPT=0" in said.read_text()
    assert "s3cret" not in said.read_text()


def write_config(checkout: Path, text: bytes) -> None:
    with (checkout / ".git" / "config").open("ab") as file:
        file.write(text)


@pytest.mark.parametrize(
    "name", [b"ev\xffl", b"\xc3\x28", b"a\tb", b"a\xe2\x80\xaeb", b"\xed\xa0\x80"]
)
def test_read_head__filter_whose_name_is_no_plain_text__does_not_run(
    template: Path, tmp_path: Path, name: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    checkout = tmp_path / "checkout"
    shutil.copytree(template, checkout)
    repository = Repository(checkout, tmp_path / "sung")
    (checkout / ".gitattributes").write_bytes(b"* filter=" + name + b"\n")
    program = str(repository.program).encode()
    write_config(checkout, b'[filter "' + name + b'"]\n\tclean = ' + program + b"\n")

    for place in ASKED:
        repository.touch_all()
        ask_everything(checkout / place)

    assert not repository.canary.exists()


def test_read_head__git_that_cannot_list_scopes__refused_and_nothing_runs(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("git")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "git").write_text(
        f'#!/bin/sh\nfor word; do [ "$word" = --show-scope ] && exit 129; done\nexec {real} "$@"\n'
    )
    (tools / "git").chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    checkout = tmp_path / "checkout"
    shutil.copytree(template, checkout)
    repository = Repository(checkout, tmp_path / "sung")
    filters("clean")(repository)
    repository.touch_all()
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    with pytest.raises(CallFailedError, match="cannot list") as caught:
        read_head(checkout)

    assert caught.value.code == "git-refused"
    assert not repository.canary.exists()


@pytest.mark.parametrize("kind", ["many", "long"])
def test_read_head__more_configuration_than_can_be_overridden__refused(
    template: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    checkout = tmp_path / "checkout"
    shutil.copytree(template, checkout)
    sections = (
        b"".join(b'[filter "f%d"]\n\tclean = cat\n' % number for number in range(20_000))
        if kind == "many"
        else b'[filter "' + b"x" * 200_000 + b'"]\n\tclean = cat\n'
    )
    write_config(checkout, sections)

    with pytest.raises(CallFailedError, match="names more programs"):
        read_head(checkout)


def test_read_head__no_repository__no_head(tmp_path: Path) -> None:
    assert read_head(tmp_path) == ("", False)
