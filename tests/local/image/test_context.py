from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fsd.errors import CallFailedError, UsageError
from fsd.image.context import (
    count_commits,
    find_dockerfile,
    is_older,
    order_commits,
    read_source,
    require_dockerfile,
)
from fsd.image.key import Recipe
from fsd.release.concurrency.in_flight import CommitOrder


def git(folder: Path, *arguments: str) -> str:
    answer = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", folder, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, with the context in a folder below."""
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY app.py /\n")
    (folder / "app.py").write_text("1")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "Add price filter")
    return tmp_path


@pytest.fixture
def folder(repository: Path) -> Path:
    return repository / "service"


def test_read_source__clean__tag_is_the_commit(folder: Path) -> None:
    sha = git(folder, "rev-parse", "HEAD")

    source = read_source(folder)

    assert (source.commit, source.title, source.is_dirty) == (sha, "Add price filter", False)
    assert (source.tag, source.short) == (sha, sha[:7])


def test_read_source__changed__tag_has_commit_and_content(folder: Path) -> None:
    sha = git(folder, "rev-parse", "HEAD")
    (folder / "app.py").write_text("2")

    source = read_source(folder)

    assert source.is_dirty
    assert source.tag == f"{sha[:12]}-dirty-{source.key[:12]}"
    assert source.short == f"{sha[:7]}-dirty-{source.key[:7]}"


def test_read_source__untracked_file__dirty(folder: Path) -> None:
    (folder / "new.py").write_text("")

    assert read_source(folder).is_dirty


def test_read_source__change_outside_the_context__clean(folder: Path) -> None:
    (folder.parent / "README").write_text("changed")

    assert not read_source(folder).is_dirty


def test_read_source__folder_that_git_ignores__nogit(folder: Path) -> None:
    (folder.parent / ".gitignore").write_text("out\n")
    out = folder.parent / "out"
    out.mkdir()
    (out / "app.py").write_text("1")

    assert read_source(out).tag.startswith("nogit-")


def test_read_source__repository_without_a_commit__nogit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")

    assert read_source(tmp_path).tag.startswith("nogit-")


def test_read_source__no_git_on_the_path__nogit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(folder))

    assert read_source(folder).commit == ""


def test_read_source__environment_of_a_hook__is_not_believed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sha = git(folder, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))

    assert read_source(folder).commit == sha


def test_read_source__same_content__same_tag_whatever_the_time_and_the_umask(
    tmp_path: Path,
) -> None:
    tags = set()
    for name, mode in (("a", 0o600), ("b", 0o644)):
        folder = tmp_path / name
        (folder / "pkg").mkdir(parents=True)
        (folder / "pkg" / "x.py").write_text("x")
        (folder / "pkg" / "x.py").chmod(mode)
        os.utime(folder / "pkg" / "x.py", (mode, mode))
        tags.add(read_source(folder).tag)

    assert len(tags) == 1


@pytest.mark.parametrize("change", ["content", "name", "executable", "link", "dockerfile", "args"])
def test_read_source__other_content__other_tag(tmp_path: Path, change: str) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch")
    (tmp_path / ".dockerignore").write_text("Dockerfile\n")
    (tmp_path / "x").write_text("x")
    (tmp_path / "l").symlink_to("x")
    before = read_source(tmp_path).tag
    arguments: dict[str, str] = {}

    match change:
        case "content":
            (tmp_path / "x").write_text("y")
        case "name":
            (tmp_path / "x").rename(tmp_path / "y")
        case "executable":
            (tmp_path / "x").chmod(0o755)
        case "link":
            (tmp_path / "l").unlink()
            (tmp_path / "l").symlink_to("elsewhere")
        case "dockerfile":
            (tmp_path / "Dockerfile").write_text("FROM python")
        case "args":
            arguments = {"A": "1"}

    assert read_source(tmp_path, recipe=Recipe(build_args=arguments)).tag != before


def test_read_source__ignored_files_and_git_itself__not_in_the_hash(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("*.log\ncache\n")
    (tmp_path / "app.py").write_text("")
    before = read_source(tmp_path).tag

    (tmp_path / "a.log").write_text("")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "x").write_text("")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index").write_text("")

    assert read_source(tmp_path).tag == before


def test_read_source__socket_and_pipe__passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert read_source(tmp_path).tag.startswith("nogit-")


def test_read_source__no_folder__usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        read_source(tmp_path / "nope")

    assert raised.value.code == "context-missing"


def test_find_dockerfile__names__from_here_then_from_the_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (tmp_path / "Here").write_text("")
    monkeypatch.chdir(tmp_path)

    found = [find_dockerfile(context, name) for name in (None, Path("Here"), Path("There"))]

    assert found == [context / "Dockerfile", Path("Here"), context / "There"]


def test_require_dockerfile__none__names_the_path(tmp_path: Path) -> None:
    with pytest.raises(CallFailedError) as raised:
        require_dockerfile(tmp_path, None)

    assert raised.value.code == "dockerfile-missing"
    assert str(tmp_path / "Dockerfile") in raised.value.what


def test_order_commits__whole_and_shallow_checkout__never_a_guess(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = git(folder, "rev-parse", "HEAD").strip()
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    second = git(folder, "rev-parse", "HEAD").strip()
    git(folder, "checkout", "--quiet", "-b", "other", first)
    git(folder, "commit", "-q", "--allow-empty", "-m", "third")
    third = git(folder, "rev-parse", "HEAD").strip()
    shallow = tmp_path_factory.mktemp("clone") / "shallow"
    git(folder, "clone", "--quiet", "--depth=1", folder.parent.as_uri(), str(shallow))

    assert order_commits(folder, first, second) is CommitOrder.OLDER
    assert order_commits(folder, second, first) is CommitOrder.NEWER
    assert order_commits(folder, first, first) is CommitOrder.SAME
    assert order_commits(folder, second, third) is CommitOrder.DIVERGED
    assert order_commits(folder, first, "0" * 40) is CommitOrder.UNKNOWN
    assert order_commits(folder, "", first) is CommitOrder.UNKNOWN
    assert order_commits(shallow, first, third) is CommitOrder.UNKNOWN


def test_order_commits__two_histories_of_one_commit_each__no_answer(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Both commits are there, and `merge-base --is-ancestor` says no with the status of a real no.

    https://github.com/Makanz/chartjs-plugin-trendline/pull/157
    https://github.com/linear/linear-release/pull/80
    """
    first = git(folder, "rev-parse", "HEAD")
    git(folder, "tag", "v1")
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    second = git(folder, "rev-parse", "HEAD")
    clone = tmp_path_factory.mktemp("clone") / "shallow"
    git(folder, "clone", "-q", "--depth=1", "-b", "v1", folder.parent.as_uri(), str(clone))
    git(clone, "fetch", "-q", "--depth=1", "origin", "main")

    assert order_commits(clone, first, second) is CommitOrder.UNKNOWN
    assert order_commits(clone, second, first) is CommitOrder.UNKNOWN


def test_is_older__two_commits__only_the_first_of_them(folder: Path) -> None:
    first = git(folder, "rev-parse", "HEAD")
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    second = git(folder, "rev-parse", "HEAD")

    assert is_older(folder, first, than=second)
    assert not is_older(folder, second, than=first)
    assert not is_older(folder, first, than=first)
    assert not is_older(folder, first, than="0" * 40)
    assert not is_older(folder, "", than=first)


def test_count_commits__a_range_and_what_git_does_not_know__the_count_and_none(
    folder: Path,
) -> None:
    first = git(folder, "rev-parse", "HEAD")
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    second = git(folder, "rev-parse", "HEAD")

    assert count_commits(folder, first, second) == 1
    assert count_commits(folder, "0" * 40, second) is None
