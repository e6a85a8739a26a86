"""Build contexts that cost whoever reads them: each is read in time, or refused with its place.

A test that hangs is ended by an alarm; none waits for a clock.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsd.errors import CallFailedError
from fsd.github.context import read_event
from fsd.image.context import read_source
from fsd_files.dockerfile import load_dockerfile, parse_dockerfile
from fsd_files.errors import FileError
from fsd_files.ignore import load_ignore, parse_ignore
from fsd_files.tree import Kind, Node, digest, read_tree
from fsd_files.user_files import UnreadableError, read_user_text
from fsd_local.image.stages import play

_LONGEST = 20  # seconds; what is done in time takes far less, also on a busy machine


class TooLongError(BaseException):
    """No Exception: nothing may catch it on the way."""


@contextmanager
def in_time() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(_LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def listening_socket(path: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)  # a socket's path has 108 characters at most
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


def endless_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def link_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def utf_16(path: Path) -> None:
    path.write_text("FROM scratch\n", encoding="utf-16")


def no_utf_8(path: Path) -> None:
    path.write_bytes(b"FROM \xff\xfe\n")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(300 * 1024**3)


ODD_FILES: tuple[Callable[[Path], None], ...] = (
    pipe, folder, listening_socket, endless_device, link_to_itself, link_to_a_pipe, utf_16,
    no_utf_8, sparse,
)  # fmt: skip


odd = pytest.mark.parametrize("plant", ODD_FILES, ids=lambda plant: plant.__name__)


@odd
def test_read_user_text__odd_file__refused_in_time(
    tmp_path: Path, plant: Callable[[Path], None]
) -> None:
    plant(tmp_path / "file")

    with in_time(), pytest.raises(UnreadableError) as caught:
        read_user_text(tmp_path / "file")

    assert str(caught.value)


@odd
@pytest.mark.parametrize("name", [".dockerignore", "Dockerfile.dockerignore"])
def test_load_ignore__odd_file__an_error_with_its_path(
    tmp_path: Path, plant: Callable[[Path], None], name: str
) -> None:
    plant(tmp_path / name)

    with in_time(), pytest.raises(FileError) as caught:
        load_ignore(tmp_path, tmp_path / "Dockerfile")

    assert name in str(caught.value.where)
    assert caught.value.code == "dockerignore-invalid"


@odd
def test_load_dockerfile__odd_file__an_error_with_its_path(
    tmp_path: Path, plant: Callable[[Path], None]
) -> None:
    plant(tmp_path / "Dockerfile")

    with in_time(), pytest.raises(FileError) as caught:
        load_dockerfile(tmp_path / "Dockerfile")

    assert caught.value.code == "dockerfile-unreadable"


@odd
def test_read_event__odd_file__no_event(tmp_path: Path, plant: Callable[[Path], None]) -> None:
    plant(tmp_path / "event.json")

    with in_time():
        assert read_event({"GITHUB_EVENT_PATH": str(tmp_path / "event.json")}) == ""


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_read_user_text__size_at_the_limit__read_and_one_more_refused(
    tmp_path: Path, size: int
) -> None:
    (tmp_path / "file").write_text("x" * size)

    assert read_user_text(tmp_path / "file", most=size) == "x" * size
    (tmp_path / "file").write_text("x" * (size + 1))
    with pytest.raises(UnreadableError, match="larger"):
        read_user_text(tmp_path / "file", most=size)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[z-a]", 1), ("x\na[", 2), ("# c\n\n!a\\", 3), ("[]", 1), ("[^]", 1), ("ok\n*[", 2),
        ("[a-]", 1), ("[-a]", 1), ("[a\\", 1), ("**/[b-a]/c", 1),
    ],
)  # fmt: skip
def test_parse_ignore__pattern_that_docker_refuses__names_its_line(text: str, line: int) -> None:
    with pytest.raises(FileError) as caught:
        parse_ignore(text, path=".dockerignore")

    assert str(caught.value.where).startswith(f".dockerignore:{line}")
    assert caught.value.code == "dockerignore-invalid"


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 25 + "b", "a" * 250),
        ("**/a" * 20 + "b", "a/" * 60 + "c"),
        ("**" * 30 + "x", "a" * 3000),
        ("*" * 200 + "x", "a" * 250),
        ("?*" * 60 + "x", "a" * 250),
        ("[a-z]*" * 30 + "1", "a" * 250),
        ("a/**/" * 40 + "b", "a/" * 1000 + "c"),
        ("!" + "*a" * 25 + "b/c", "a" * 250),
    ],
)
def test_excludes__pattern_that_would_backtrack__answers_in_time(pattern: str, path: str) -> None:
    with in_time():
        ignore = parse_ignore(pattern)
        assert not ignore.excludes(path)
        ignore.may_hold_exceptions(path)


# Docker's own rules by its words; the pattern, a path, whether it is left out.
RULES = [
    ("*/temp*", "a/temp1", True), ("*/temp*", "temp1", False), ("*/*/temp*", "a/b/temp1", True),
    ("temp?", "tempa", True), ("temp?", "temp", False), ("**/*.go", "a/b/c.go", True),
    ("**/*.go", "c.go", True), ("a/**/b", "a/b", True), ("a/**/b", "a/x/y/b", True),
    ("[ab]x", "ax", True), ("[^ab]x", "ax", False), ("[^ab]x", "cx", True), ("[!a]", "!", True),
    ("\\*", "*", True), ("\\*", "a", False), ("a/*", "a/b/c", True), ("*.md\n!README.md",
    "README.md", False), ("**", "a/b", True), ("a**", "a/b", True), ("*", "a/b", True),
    ("[a-c]", "b", True), ("[\\]]", "]", True), ("a.b", "axb", False), ("(a|b)", "a", False),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "path", "excluded"), RULES)
def test_excludes__dockers_rules__hold(pattern: str, path: str, excluded: bool) -> None:
    assert parse_ignore(pattern).excludes(path) is excluded


@given(
    st.lists(st.sampled_from(["a", "b", "*", "**", "?", "/", "**/"]), min_size=1, max_size=8),
    st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join),
)
def test_excludes__any_pattern__as_the_regular_expression_says(parts: list[str], path: str) -> None:
    pattern = "".join(parts)
    tokens = re.findall(r"\*\*/|\*\*|\*|\?|.", os.path.normpath(pattern).lstrip("/"))
    fixed = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    regex = "".join(fixed.get(token, re.escape(token)) for token in tokens)
    lineage = [path]
    while "/" in lineage[-1]:
        lineage.append(lineage[-1].rpartition("/")[0])
    expected = os.path.normpath(pattern).lstrip("/") not in ("", ".") and any(
        part and re.fullmatch(regex, part) for part in lineage
    )

    assert parse_ignore(pattern).excludes(path) is expected


def deep(root: Path, count: int) -> None:
    here = os.open(root, os.O_RDONLY)
    for _ in range(count):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


@pytest.mark.parametrize("count", [1_500, 5_000])
def test_read_tree__very_deep_folders__read_or_refused(tmp_path: Path, count: int) -> None:
    deep(tmp_path, count)
    tree: dict[str, object] | None = None

    with in_time():
        try:
            tree = dict(read_tree(tmp_path, parse_ignore("")))
        except FileError as error:
            assert error.code == "context-unreadable"  # noqa: PT017  # either may be
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # pytest's own would recurse

    assert tree is None or len(tree) == count


def test_read_tree__names_that_are_no_utf_8__kept_and_hashed(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")).write_text("a")
    tree = read_tree(tmp_path, parse_ignore("*.md"))

    assert [os.fsencode(name) for name in tree] == [b"\xff\xfe"]
    assert re.fullmatch("[0-9a-f]{64}", digest(tree))


def test_read_tree__pipes_sockets_and_links_out__no_hang_and_nothing_followed(
    tmp_path: Path,
) -> None:
    pipe(tmp_path / "pipe")
    listening_socket(tmp_path / "socket")
    (tmp_path / "out").symlink_to("/")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "up").symlink_to("..")

    with in_time():
        tree = read_tree(tmp_path, parse_ignore(""))

    assert sorted(tree) == ["out", "self", "up"]


def test_read_source__sparse_file_of_300_gb__refused_in_time(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    sparse(tmp_path / "model.bin")

    with in_time(), pytest.raises(CallFailedError) as caught:
        read_source(tmp_path)

    assert caught.value.code == "context-too-large"
    assert "model.bin" in str(caught.value)


def test_read_tree__file_that_becomes_a_pipe_or_a_link__is_not_read(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("x")
    tree = read_tree(tmp_path, parse_ignore(""))
    for name in ("a", "b", "c"):
        (tmp_path / name).unlink()
    pipe(tmp_path / "a")
    (tmp_path / "b").symlink_to("/etc/passwd")

    for name in ("a", "b", "c"):
        with in_time(), pytest.raises(FileError) as caught:
            digest({name: tree[name]})
        assert caught.value.code == "context-unreadable"


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch AS a\nCOPY --from=a x /x\n",
        "FROM scratch\nCOPY --from=0 x /x\n",
        "FROM a AS a\nCOPY x /\n",
        "FROM b AS a\nFROM a AS b\nCOPY --from=b x /\n",
        "FROM scratch AS a\nCOPY --from=a x /\nFROM a AS a\nCOPY --from=a x /\n",
        "FROM scratch AS s0\n"
        + "".join(f"FROM s{n - 1} AS s{n}\nCOPY --from=s{n - 1} x /\n" for n in range(1, 60)),
        "FROM scratch AS s0\n" + "".join(f"FROM s{n - 1} AS s{n}\n" for n in range(1, 3_000)),
    ],
    ids=["itself", "its number", "from itself", "a cycle", "twice", "doubling", "a long chain"],
)
def test_play__stages_that_refer_to_themselves_or_very_often__answered_in_time(text: str) -> None:
    instructions = parse_dockerfile(text)

    context = {"x": Node(kind=Kind.FILE, content=b"x")}

    with in_time():
        found = play(instructions, context=context, build_args={}, architecture="amd64")

    assert len(found.skipped) <= len(instructions)
