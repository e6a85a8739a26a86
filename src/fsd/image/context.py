"""What a build is made from: the commit, whether the folder differs from it, and the tag.

A tag names the same bytes for ever. A clean folder is named by its commit; anything else also
by its content, so that two different trees never share a tag and the same tree is not built twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fsd.errors import CallFailedError, UsageError
from fsd.image.ignore import load_ignore
from fsd.image.tree import digest, read_tree
from fsd.release.turn import CommitOrder

_SHORT = 7
_TAG_PART = 12
_GIT_TIMEOUT = 60  # seconds; `git status` of a large tree on a cold disk
# A hook or a caller's repository must not speak for this folder, and reading must not write.
_GIT_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
_GIT_OVERRIDES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_PREFIX")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A build context at one moment."""

    folder: Path
    commit: str  # full SHA, "" outside git
    title: str  # of the commit
    is_dirty: bool  # uncommitted or untracked files in the folder
    content: str  # hex SHA-256 of the context; "" where the commit says it all

    @property
    def is_clean(self) -> bool:
        return bool(self.commit) and not self.is_dirty

    @property
    def tag(self) -> str:
        """`<sha>`, `<sha12>-dirty-<hash12>` or `nogit-<hash12>`."""
        if self.is_clean:
            return self.commit
        content = self.content[:_TAG_PART]
        return f"{self.commit[:_TAG_PART]}-dirty-{content}" if self.commit else f"nogit-{content}"

    @property
    def short(self) -> str:
        """For people, and still different for different content."""
        if self.is_clean:
            return self.commit[:_SHORT]
        content = self.content[:_SHORT]
        return f"{self.commit[:_SHORT]}-dirty-{content}" if self.commit else f"nogit-{content}"


def find_dockerfile(context: Path, dockerfile: Path | None) -> Path:
    """As named (from the working directory, else from the context), else `Dockerfile` in it.

    The file need not exist: see `require_dockerfile`.
    """
    if dockerfile is None:
        return context / "Dockerfile"
    if dockerfile.is_absolute() or dockerfile.is_file():
        return dockerfile
    return context / dockerfile


def require_dockerfile(context: Path, dockerfile: Path | None) -> Path:
    """Raises CallFailedError where there is none."""
    found = find_dockerfile(context, dockerfile)
    if found.is_file():
        return found
    raise CallFailedError(
        f"there is no Dockerfile at {found}",
        where=str(found),
        fix="write one there, name another with --dockerfile, or pass --image",
        code="dockerfile-missing",
    )


def read_source(
    folder: Path,
    *,
    dockerfile: Path | None = None,
    build_args: Mapping[str, str] | None = None,
) -> Source:
    """Ask git, and hash the context where git's answer does not name it.

    Raises UsageError where the folder is none, CallFailedError where git is there and refuses.
    """
    if not folder.is_dir():
        raise UsageError(
            f"the build context {folder} is not a folder",
            where="--context",
            fix="name the folder that holds the Dockerfile",
            code="context-missing",
        )
    commit, title = _head(folder)
    is_dirty = bool(commit) and _has_changes(folder)
    is_named = bool(commit) and not is_dirty
    content = "" if is_named else _content(folder, find_dockerfile(folder, dockerfile), build_args)
    return Source(folder=folder, commit=commit, title=title, is_dirty=is_dirty, content=content)


def _content(folder: Path, dockerfile: Path, build_args: Mapping[str, str] | None) -> str:
    """The context as Docker sees it, with the Dockerfile and the build arguments."""
    total = hashlib.sha256(digest(read_tree(folder, load_ignore(folder, dockerfile))).encode())
    if dockerfile.is_file():
        total.update(dockerfile.read_bytes())
    for name, value in sorted((build_args or {}).items()):
        total.update(f"\0{name}={value}".encode())
    return total.hexdigest()


def is_older(folder: Path, commit: str, *, than: str) -> bool:
    """Whether `than` contains `commit` and more. False where git knows one of them not."""
    if not commit or not than or commit == than:
        return False
    answer = _git(folder, "merge-base", "--is-ancestor", commit, than)
    return answer is not None and answer.returncode == 0


def order_commits(folder: Path, ours: str, theirs: str) -> CommitOrder:
    """How `ours` stands to `theirs`, as far as this checkout knows.

    In a shallow checkout a commit that is not found among the ancestors may be one all the same.
    """
    if not ours or not theirs:
        return CommitOrder.UNKNOWN
    if ours == theirs:
        return CommitOrder.SAME
    if is_older(folder, ours, than=theirs):
        return CommitOrder.OLDER
    if is_older(folder, theirs, than=ours):
        return CommitOrder.NEWER
    return CommitOrder.DIVERGED if _knows_both(folder, ours, theirs) else CommitOrder.UNKNOWN


def _knows_both(folder: Path, *commits: str) -> bool:
    shallow = _git(folder, "rev-parse", "--is-shallow-repository")
    if shallow is None or shallow.stdout.strip() != "false":
        return False
    answers = [_git(folder, "cat-file", "-e", f"{commit}^{{commit}}") for commit in commits]
    return all(answer is not None and answer.returncode == 0 for answer in answers)


def count_commits(folder: Path, older: str, newer: str) -> int | None:
    """How many commits `newer` has that `older` has not; None where git knows one of them not.

    A shallow checkout, as actions/checkout makes it, knows only one.
    """
    answer = _git(folder, "rev-list", "--count", f"{older}..{newer}")
    if answer is None or answer.returncode != 0 or not answer.stdout.strip().isdigit():
        return None
    return int(answer.stdout)


def read_head(folder: Path) -> tuple[str, bool]:
    """(the full SHA of what is checked out, whether files of the folder differ from it).

    "" as in `_head`; raises CallFailedError where git is there and refuses.
    """
    commit, _ = _head(folder)
    return commit, bool(commit) and _has_changes(folder)


def _head(folder: Path) -> tuple[str, str]:
    """(commit, title); ("", "") without git, outside a repository and before the first commit."""
    answer = _git(folder, "log", "-1", "--no-show-signature", "--format=%H%x00%s")
    if answer is None:
        return "", ""
    if answer.returncode == 0:
        commit, _, title = answer.stdout.strip().partition("\0")
        return ("", "") if _is_ignored(folder) else (commit, title)
    if "dubious ownership" in answer.stderr:
        raise CallFailedError(
            f"git does not read {folder}: {answer.stderr.strip().splitlines()[0]}",
            where=str(folder),
            fix=f"git config --global --add safe.directory {folder.resolve()}",
            code="git-refused",
        )
    return "", ""


def _is_ignored(folder: Path) -> bool:
    """A folder that git ignores is no part of the commit, however clean the repository is."""
    answer = _git(folder, "check-ignore", "--quiet", ".")
    return answer is not None and answer.returncode == 0


def _has_changes(folder: Path) -> bool:
    answer = _git(folder, "status", "--porcelain", "--untracked-files=normal", "--", ".")
    if answer is None or answer.returncode != 0:
        said = answer.stderr.strip() if answer else "it is gone"
        raise CallFailedError(
            f"git status: {said}",
            where=str(folder),
            fix="run git status there, and repair what it says",
            code="git-refused",
        )
    return bool(answer.stdout.strip())


def ask_git(folder: Path, *arguments: str) -> str | None:
    """What git prints, without the spaces around it; None where it says no, or is not there."""
    answer = _git(folder, *arguments)
    return answer.stdout.strip() if answer is not None and answer.returncode == 0 else None


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    """None where git is not installed."""
    program = shutil.which("git")
    if program is None:
        return None
    inherited = {name: value for name, value in os.environ.items() if name not in _GIT_OVERRIDES}
    try:
        return subprocess.run(
            [program, "-c", "core.fsmonitor=false", "-C", str(folder), *arguments],
            env=inherited | _GIT_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_GIT_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CallFailedError(
            f"git {arguments[0]} did not answer within {_GIT_TIMEOUT} s",
            where=str(folder),
            fix="run it there and see what it waits for",
            code="git-refused",
        ) from error
