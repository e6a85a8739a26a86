"""No two builds that differ in anything share an image, and two that differ in nothing do.

Each ingredient is changed alone, over a build that is drawn: a clean commit, a dirty one, no git.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from fsd.image.context import Source, read_source
from fsd.image.key import Recipe

POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


def git(folder: Path, *arguments: str) -> str:
    answer = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"},
    )
    return answer.stdout.strip()


@dataclass
class Build:
    """What a user asks for, and the folder that it is asked in."""

    top: Path
    context: str = "app"
    dockerfile: str | None = None
    recipe: dict[str, Any] = field(default_factory=dict)

    def source(self) -> Source:
        return read_source(
            self.top / self.context,
            dockerfile=self.top / self.dockerfile if self.dockerfile else None,
            recipe=Recipe(**self.recipe),
        )

    def write(self, path: str, text: str) -> Build:
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.top / path).write_text(text)
        return self


def make_build(top: Path, state: str) -> Build:
    build = Build(top=top)
    build.write("app/Dockerfile", "FROM scratch\nARG A\nCOPY . /\n")
    build.write("app/Dockerfile.other", "FROM scratch\nCOPY src /\n")
    build.write("app/.dockerignore", "*.log\nreports/\nDockerfile*\n.dockerignore\n")
    build.write("app/.gitignore", "*.pyc\nreports/\n/dist/\n")
    build.write("app/src/main.py", "print(1)\n").write("app/data.bin", "the real bytes")
    build.write("other/Dockerfile", "FROM scratch\nARG A\nCOPY . /\n").write("other/x", "x")
    build.write("README", "read me\n").write("shared/Dockerfile", "FROM scratch\n# elsewhere\n")
    (top / "app/src/link").symlink_to("main.py")
    if state != "no git":
        git(top, "init", "-q")
        git(top, "add", "-A")
        git(top, "commit", "-q", "-m", "first")
    if state == "dirty":
        build.write("app/src/main.py", "print(2)\n")
    return build


def moved(build: Build, old: str, new: str) -> Build:
    (build.top / old).rename(build.top / new)
    return build


def linked(build: Build, path: str, to: str) -> Build:
    (build.top / path).unlink()
    (build.top / path).symlink_to(to)
    return build


def with_mode(build: Build, path: str, mode: int) -> Build:
    (build.top / path).chmod(mode)
    return build


def asking(build: Build, **recipe: Any) -> Build:
    return replace(build, recipe={**build.recipe, **recipe})


def hidden_from_git(build: Build) -> Build:
    """A change that `git status` does not tell."""
    if (build.top / ".git").exists():
        git(build.top, "update-index", "--assume-unchanged", "app/data.bin")
    return build.write("app/data.bin", "other bytes, the same commit")


Change = Callable[[Build], Build]

# Each makes another image of the build that it is done to.
DIFFERENT: dict[str, Change] = {
    "a build argument": lambda b: asking(b, build_args={"A": "1"}),
    "its value": lambda b: asking(b, build_args={"A": "2"}),
    "an empty value": lambda b: asking(b, build_args={"A": ""}),
    "its name": lambda b: asking(b, build_args={"B": "1"}),
    "one more": lambda b: asking(b, build_args={"A": "1", "B": "1"}),
    "two in one value": lambda b: asking(b, build_args={"A": "1\nB=1"}),
    "a quote in a value": lambda b: asking(b, build_args={"A": '1", "B": "1'}),
    "a value with a separator": lambda b: asking(b, build_args={"A=1": ""}),
    "a surrogate in a value": lambda b: asking(b, build_args={"A": "\udcff"}),
    "a secret": lambda b: asking(b, build_secrets=("id=npm,env=NPM",)),
    "another secret": lambda b: asking(b, build_secrets=("id=npm,src=.npmrc",)),
    "the platform": lambda b: asking(b, platform="ARM64"),
    "the runtime": lambda b: asking(b, runtime="process"),
    "a fresh build": lambda b: asking(b, fresh="one"),
    "another fresh build": lambda b: asking(b, fresh="two"),
    "another Dockerfile": lambda b: replace(b, dockerfile="app/Dockerfile.other"),
    "a Dockerfile elsewhere": lambda b: replace(b, dockerfile="shared/Dockerfile"),
    "a change of the Dockerfile": lambda b: b.write("app/Dockerfile", "FROM python:3.12\n"),
    "its own ignore file": lambda b: b.write("app/Dockerfile.dockerignore", "*.log\ndata.bin\n"),
    "a change of .dockerignore": lambda b: b.write("app/.dockerignore", "*.log\n"),
    "another context": lambda b: replace(b, context="other"),
    "a folder above": lambda b: replace(b, context=".", dockerfile="app/Dockerfile"),
    "a file's bytes": lambda b: b.write("app/src/main.py", "print(3)\n"),
    "a file's name": lambda b: moved(b, "app/src/main.py", "app/src/main2.py"),
    "a file's folder": lambda b: moved(b, "app/src/main.py", "app/main.py"),
    "a folder's name": lambda b: moved(b, "app/src", "app/sources"),
    "a new file": lambda b: b.write("app/new.py", ""),
    "a new file of odd name": lambda b: b.write("app/n\udcffew", ""),
    "a file that ends where another begins": lambda b: b.write("app/src/main.pyprint", "(1)\n"),
    "executable": lambda b: with_mode(b, "app/src/main.py", 0o755),
    "where a link leads": lambda b: linked(b, "app/src/link", "elsewhere"),
    "a link for a file": lambda b: linked(b, "app/data.bin", "src/main.py"),
    "ignored by git, in the context": lambda b: b.write("app/src/main.pyc", "1"),
    "its content": lambda b: b.write("app/src/main.pyc", "2"),
    "a whole folder that git ignores": lambda b: b.write("app/dist/bundle.js", "1"),
    "a pointer for its content": lambda b: b.write("app/data.bin", POINTER),
    "what git is told not to see": hidden_from_git,
}

# None of them is seen by the build.
SAME: dict[str, Change] = {
    "nothing": lambda b: b,
    "the same again": lambda b: b.write("app/data.bin", "the real bytes"),
    "a file that .dockerignore names": lambda b: b.write("app/junit.log", "<x/>"),
    "a folder that both ignore": lambda b: b.write("app/reports/junit.xml", "<x/>"),
    "a file beside the context": lambda b: b.write("junit.xml", "<testsuite/>"),
    "a change beside the context": lambda b: b.write("README", "changed"),
    "a Dockerfile that is not used": lambda b: b.write("app/Dockerfile.other", "FROM python\n"),
    "an empty ignore file elsewhere": lambda b: b.write("other/.dockerignore", "x\n"),
    "a mode that is the umask's": lambda b: with_mode(b, "app/src/main.py", 0o600),
    "the Dockerfile by its name": lambda b: replace(b, dockerfile="app/Dockerfile"),
}


@pytest.mark.parametrize("state", ["clean", "dirty", "no git"])
def test_read_source__pairs_that_differ_in_one_thing__never_share_a_name(
    tmp_path: Path, state: str
) -> None:
    plain = make_build(tmp_path / "plain", state).source()
    tags = {"as it is": {plain.key_tag, plain.tag}}
    for number, (name, change) in enumerate(DIFFERENT.items()):
        copy = tmp_path / f"{number}"
        shutil.copytree(tmp_path / "plain", copy, symlinks=True)
        found = change(make_copy(copy)).source()
        tags[name] = {found.key_tag, found.long_tag}

    pairs = list(itertools.combinations(tags, 2))
    shared = [pair for pair in pairs if tags[pair[0]] & tags[pair[1]]]

    assert shared == []
    assert len(pairs) == 703


@pytest.mark.parametrize("state", ["clean", "dirty", "no git"])
@pytest.mark.parametrize("name", SAME)
def test_read_source__pair_that_differs_in_nothing_that_is_built__shares_all_names(
    tmp_path: Path, state: str, name: str
) -> None:
    plain = make_build(tmp_path / "plain", state).source()
    shutil.copytree(tmp_path / "plain", tmp_path / "copy", symlinks=True)

    found = SAME[name](make_copy(tmp_path / "copy")).source()

    assert (found.key, found.tag, found.is_dirty) == (plain.key, plain.tag, plain.is_dirty)


@pytest.mark.parametrize("name", sorted(set(DIFFERENT) - {"the runtime"}))
def test_source_tag__clean_and_not_the_default__not_the_bare_commit(
    tmp_path: Path, name: str
) -> None:
    build = make_build(tmp_path, "clean")
    sha = git(tmp_path, "rev-parse", "HEAD")
    assert build.source().tag == sha

    found = DIFFERENT[name](build).source()

    is_unseen = name in ("what git is told not to see", "another context", "a pointer")
    assert (found.tag == sha) is is_unseen  # the key says it then, and the tag is taken


def test_read_source__other_commit_same_context__same_key(tmp_path: Path) -> None:
    build = make_build(tmp_path, "clean")
    before = build.source()
    build.write("other/x", "changed")
    git(tmp_path, "commit", "-qam", "only the other one")

    after = build.source()

    assert (after.key_tag == before.key_tag, after.tag == before.tag) == (True, False)


@pytest.mark.parametrize(("ignored", "is_same"), [("", False), (".git\n", True)])
def test_read_source__build_that_can_copy_git__each_commit_is_another_image(
    tmp_path: Path, ignored: str, is_same: bool
) -> None:
    build = make_build(tmp_path, "clean")
    build = replace(build.write(".dockerignore", ignored), context=".", dockerfile="app/Dockerfile")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "ignore file")
    before = build.source()
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "nothing")

    assert (build.source().key == before.key) is is_same


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("app/data.bin", POINTER, ("data.bin",)),
        ("app/src/model.onnx", POINTER, ("src/model.onnx",)),
        ("app/model.log", POINTER, ()),  # not in the context
        ("app/notes.md", f"> {POINTER}", ()),
        ("app/large", POINTER + "x" * 1024, ()),
    ],
)
def test_read_source__lfs_pointers__named(
    tmp_path: Path, path: str, text: str, found: tuple[str, ...]
) -> None:
    build = make_build(tmp_path, "clean").write(path, text)

    assert build.source().pointers == found


def sparse(top: Path) -> None:
    git(top, "sparse-checkout", "set", "--no-cone", "/*", "!/app/data.bin")


def skipped(top: Path) -> None:
    git(top, "update-index", "--skip-worktree", "app/data.bin")
    (top / "app/data.bin").write_text("other bytes")


def assumed(top: Path) -> None:
    git(top, "update-index", "--assume-unchanged", "app/data.bin")
    (top / "app/data.bin").write_text("other bytes")


def other_line_ends(top: Path) -> None:
    git(top, "config", "core.autocrlf", "true")
    (top / "app/data.bin").unlink()
    (top / "app/src/main.py").unlink()
    git(top, "checkout", "--", "app/data.bin", "app/src/main.py")


def without_modes(top: Path) -> None:
    git(top, "config", "core.fileMode", "false")
    (top / "app/src/main.py").chmod(0o755)


def excluded_by_this_clone(top: Path) -> None:
    (top / ".git/info/exclude").write_text("secret.txt\n")
    (top / "app/secret.txt").write_text("x")


def empty_folder(top: Path) -> None:
    (top / "app/uploads").mkdir()


@pytest.mark.parametrize(
    "change",
    [
        sparse,
        skipped,
        assumed,
        other_line_ends,
        without_modes,
        excluded_by_this_clone,
        empty_folder,
    ],
)
def test_read_source__clean_checkout_of_other_bytes__another_image(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """Git says "nothing to commit" of each; the commit alone would name two images."""
    build = make_build(tmp_path, "clean")
    before = build.source()

    change(tmp_path)

    after = build.source()
    assert git(tmp_path, "status", "--porcelain") == ""
    assert (after.commit, after.is_dirty) == (before.commit, False)
    assert after.key_tag != before.key_tag


def test_read_source__image_is_given__clean_folder_is_not_read(tmp_path: Path) -> None:
    build = make_build(tmp_path, "clean").write("junit.xml", "")

    found = read_source(tmp_path / "app", is_built=False)

    assert (found.key, found.is_clean, found.short) == ("", True, build.source().short)


def test_read_source__image_is_given__no_word_of_pointers(tmp_path: Path) -> None:
    make_build(tmp_path, "dirty").write("app/data.bin", POINTER)

    assert read_source(tmp_path / "app", is_built=False).pointers == ()


def make_copy(top: Path) -> Build:
    return Build(top=top)
