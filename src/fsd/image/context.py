"""What a build is made from: the commit, whether the folder differs from it, and the tag.

A tag names the same bytes for ever. A clean folder that is built as every other is named by its
commit; anything else also by its key, so that two different builds never share a tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from fsd.errors import CallFailedError, ErrorCode, UsageError
from fsd.image.git import run_git
from fsd.image.key import Recipe, find_pointers, make_key, sees_git
from fsd.image.read_errors import as_call_failed
from fsd.release.concurrency.in_flight import CommitOrder
from fsd_files.ignore import Ignore, ignore_files, load_ignore
from fsd_files.tree import Tree, read_tree

_SHORT = 7
_TAG_PART = 12
_KEY_PART = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A build context at one moment."""

    folder: Path
    dockerfile: Path  # need not exist
    recipe: Recipe
    commit: str  # full SHA, "" outside git
    title: str  # of the commit
    is_dirty: bool  # files of the context differ from the commit, or are not in it
    is_plain: bool  # made of the commit's own files, and as every build is
    key: str  # hex SHA-256 of everything that makes the image; "" where none is made
    pointers: tuple[str, ...] = ()  # files that Git LFS has not fetched

    @property
    def is_clean(self) -> bool:
        return bool(self.commit) and not self.is_dirty

    @property
    def tag(self) -> str:
        """For people: `<sha>`, `<sha>-<key12>`, `<sha12>-dirty-<key12>` or `nogit-<key12>`."""
        key = self.key[:_TAG_PART]
        if self.is_clean:
            return self.commit if self.is_plain else self.long_tag
        return f"{self.commit[:_TAG_PART]}-dirty-{key}" if self.commit else f"nogit-{key}"

    @property
    def long_tag(self) -> str:
        """Where `<sha>` is not enough, or is another image's already."""
        return f"{self.commit}-{self.key[:_TAG_PART]}" if self.is_clean else self.tag

    @property
    def key_tag(self) -> str:
        """By which an image is found: no other build has it."""
        return f"content-{self.key[:_KEY_PART]}"

    @property
    def short(self) -> str:
        """For people, and still different for different content."""
        if self.is_clean:
            return self.commit[:_SHORT]
        key = self.key[:_SHORT]
        return f"{self.commit[:_SHORT]}-dirty-{key}" if self.commit else f"nogit-{key}"


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
        code=ErrorCode.DOCKERFILE_MISSING,
    )


def read_source(
    folder: Path,
    *,
    dockerfile: Path | None = None,
    recipe: Recipe | None = None,
    is_built: bool = True,
) -> Source:
    """Ask git what the folder is, and read what the build sees of it.

    Where nothing `is_built` (an image is given), a clean folder is not read. Raises UsageError
    where the folder is none, CallFailedError where git is there and refuses.
    """
    if not folder.is_dir():
        raise UsageError(
            f"the build context {folder} is not a folder",
            where="--context",
            fix="name the folder that holds the Dockerfile",
            code=ErrorCode.CONTEXT_MISSING,
        )
    with as_call_failed():
        found = find_dockerfile(folder, dockerfile)
        return _read_source(folder, found, recipe or Recipe(), is_built=is_built)


def _read_source(folder: Path, found: Path, recipe: Recipe, *, is_built: bool) -> Source:
    ignore = load_ignore(folder, found)
    commit, title = _head(folder)
    changes = _read_changes(folder, found, ignore) if commit else _Changes()
    source = Source(
        folder=folder,
        dockerfile=found,
        recipe=recipe,
        commit=commit,
        title=title,
        is_dirty=changes.is_dirty,
        is_plain=False,
        key="",
    )
    if source.is_clean and not is_built:
        return source
    tree = read_tree(folder, ignore)
    return replace(
        source,
        is_plain=recipe.is_default
        and _is_default(folder, found)
        and not _has_any(tree, changes.ignored),
        key=make_key(
            tree,
            dockerfile=found,
            recipe=recipe,
            commit=commit,
            sees_git=sees_git(folder, ignore),
        ),
        pointers=find_pointers(tree) if is_built else (),
    )


def _is_default(folder: Path, dockerfile: Path) -> bool:
    return dockerfile.resolve() == (folder / "Dockerfile").resolve()


def _has_any(tree: Tree, paths: tuple[str, ...]) -> bool:
    """Git names a folder that is ignored as a whole with a slash at its end."""
    return any(
        any(found.startswith(path) for found in tree) if path.endswith("/") else path in tree
        for path in paths
    )


def is_older(folder: Path, commit: str, *, than: str) -> bool:
    """Whether `than` contains `commit` and more. False where git knows one of them not."""
    if not commit or not than or commit == than:
        return False
    answer = run_git(folder, "merge-base", "--is-ancestor", commit, than)
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
    shallow = run_git(folder, "rev-parse", "--is-shallow-repository")
    if shallow is None or shallow.stdout.strip() != "false":
        return False
    answers = [run_git(folder, "cat-file", "-e", f"{commit}^{{commit}}") for commit in commits]
    return all(answer is not None and answer.returncode == 0 for answer in answers)


def count_commits(folder: Path, older: str, newer: str) -> int | None:
    """How many commits `newer` has that `older` has not; None where git knows one of them not.

    A shallow checkout, as actions/checkout makes it, knows only one.
    """
    answer = run_git(folder, "rev-list", "--count", f"{older}..{newer}")
    if answer is None or answer.returncode != 0 or not answer.stdout.strip().isdigit():
        return None
    return int(answer.stdout)


def read_head(folder: Path) -> tuple[str, bool]:
    """(the full SHA of what is checked out, whether files of it were changed in the folder).

    New files do not count, and a folder that git ignores is its checkout's: builds make them.
    ("", False) without git, outside a repository and before the first commit.
    """
    answer = run_git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if answer is None or answer.returncode != 0:
        return "", False
    changes = run_git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")
    return answer.stdout.strip(), bool(changes and changes.stdout.strip())


def _head(folder: Path) -> tuple[str, str]:
    """(commit, title); ("", "") without git, outside a repository and before the first commit."""
    answer = run_git(folder, "log", "-1", "--no-show-signature", "--format=%H%x00%s")
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
            code=ErrorCode.GIT_REFUSED,
        )
    return "", ""


def _is_ignored(folder: Path) -> bool:
    """A folder that git ignores is no part of the commit, however clean the repository is."""
    answer = run_git(folder, "check-ignore", "--quiet", ".")
    return answer is not None and answer.returncode == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    """What of a context is not the commit's."""

    is_dirty: bool = False
    ignored: tuple[str, ...] = ()  # by git, from the context; a folder ends with a slash


def _read_changes(folder: Path, dockerfile: Path, ignore: Ignore) -> _Changes:
    """Only what the build sees counts: a report of the tests that `.dockerignore` keeps out makes
    no other image. The Dockerfile and `.dockerignore` count wherever they are."""
    prefix = _say(folder, "rev-parse", "--show-prefix").rstrip("\n")
    top = Path(_say(folder, "rev-parse", "--show-toplevel").rstrip("\n"))
    asked = ["."]
    always = {_below(top, path) for path in (dockerfile, *ignore_files(folder, dockerfile))}
    asked += [f":(top,literal){path}" for path in sorted(always) if path]
    said = _say(
        folder,
        "status",
        "--porcelain=v1",
        "-z",
        "--no-renames",
        "--untracked-files=all",
        "--ignored=matching",
        "--",
        *asked,
    )
    is_dirty, ignored = False, []
    for state, path in _entries(said):
        relative = path.removeprefix(prefix)
        if path not in always and not _is_seen(relative, ignore):
            continue
        if state == "!!":
            ignored.append(relative)
        else:
            is_dirty = True
    return _Changes(is_dirty=is_dirty, ignored=tuple(ignored))


def _entries(said: str) -> Iterator[tuple[str, str]]:
    """https://git-scm.com/docs/git-status#_porcelain_format_version_1"""
    for entry in said.split("\0"):
        if entry:
            yield entry[:2], entry[3:]


def _is_seen(path: str, ignore: Ignore) -> bool:
    name = path.rstrip("/")
    if not ignore.excludes(name):
        return True
    return path.endswith("/") and ignore.may_hold_exceptions(name)


def _below(top: Path, path: Path) -> str:
    """From the repository's top, with slashes; "" where it is outside."""
    try:
        return path.resolve().relative_to(top.resolve()).as_posix()
    except ValueError:
        return ""


def _say(folder: Path, *arguments: str) -> str:
    answer = run_git(folder, *arguments)
    if answer is None or answer.returncode != 0:
        said = answer.stderr.strip() if answer else "it is gone"
        raise CallFailedError(
            f"git {arguments[0]}: {said}",
            where=str(folder),
            fix=f"run git {arguments[0]} there, and repair what it says",
            code=ErrorCode.GIT_REFUSED,
        )
    return answer.stdout


def ask_git(folder: Path, *arguments: str) -> str | None:
    """What git prints, without the spaces around it; None where it says no, or is not there."""
    answer = run_git(folder, *arguments)
    return answer.stdout.strip() if answer is not None and answer.returncode == 0 else None


def show_file(folder: Path, ref: str, path: str) -> tuple[bool, str | None]:
    """(whether the ref is here, the file's text as it has it; None where it has none)."""
    if ask_git(folder, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}") is None:
        return False, None
    listed = ask_git(folder, "ls-tree", "--full-tree", "--name-only", ref, "--", path)
    if not listed:
        return listed is not None, None
    answer = run_git(folder, "cat-file", "blob", f"{ref}:{path}")
    return (True, answer.stdout) if answer and answer.returncode == 0 else (False, None)
