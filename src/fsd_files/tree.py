"""A file system as a value: paths → nodes. What a context holds, and what a snapshot is made of."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, TypeAlias

from fsd_files.errors import FileCode, FileError
from fsd_files.ignore import Ignore
from fsd_files.user_files import open_user_file

_BLOCK = 1 << 20
_LONGEST_PATH = 200  # characters that an error shows
# No image is made of more; a sparse file would be hashed for hours.
MOST_BYTES = 20 << 30
# Git's own files change with every command, and no image is about them.
_NEVER = {".git"}


class Kind(StrEnum):
    DIRECTORY = "directory"
    FILE = "file"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    kind: Kind
    mode: int = 0o755
    source: Path | None = None  # where a file's bytes are on disk; None: in `content`
    content: bytes = b""
    size: int = 0  # bytes of a file that is on disk
    target: str = ""  # of a link

    def open(self) -> IO[bytes]:
        """Raises FileError where the file is none any more."""
        if self.source is None:
            return io.BytesIO(self.content)
        try:
            return open_user_file(self.source, follows_links=False)
        except OSError as error:
            raise _unreadable(self.source, error) from error


Tree: TypeAlias = dict[str, Node]  # relative paths with slashes; a folder may be implied

FOLDER = Node(kind=Kind.DIRECTORY)


def read_tree(root: Path, ignore: Ignore) -> Tree:
    """Everything of a context that Docker would see, less `.git`. Links are not followed.

    Modes are reduced to "executable or not", so that a umask does not make another image.

    Raises FileError (context-too-large, context-unreadable).
    """
    found: Tree = {}
    total = 0
    for path, node in _walk(root, ignore):
        found[path] = node
        total += node.size
        if total > MOST_BYTES:
            raise FileError(
                f"the build context has more than {MOST_BYTES >> 30} GiB, {path} among it",
                where=str(root),
                fix="keep large files out of the context by .dockerignore, and load them at run "
                "time",
                code=FileCode.CONTEXT_TOO_LARGE,
            )
    return found


def digest(tree: Tree) -> str:
    """Hex SHA-256 over names, kinds, modes and bytes."""
    total = hashlib.sha256()
    for path in sorted(tree):
        node = tree[path]
        total.update(
            f"{node.kind}\0{node.mode:o}\0{path}\0{node.target}\0".encode(errors="surrogateescape")
        )
        if node.kind is Kind.FILE:
            total.update(_hash_of(node))
    return total.hexdigest()


def _hash_of(node: Node) -> bytes:
    found = hashlib.sha256()
    with node.open() as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.digest()


def _walk(root: Path, ignore: Ignore) -> Iterator[tuple[str, Node]]:
    """Without recursion: a context may be deeper than Python's stack."""
    waiting = [_entries(root, "")]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            continue
        path, found = entry
        excluded = ignore.excludes(path)
        if found.is_dir(follow_symlinks=False):
            if not excluded:
                yield path, FOLDER
            if not excluded or ignore.may_hold_exceptions(path):
                waiting.append(_entries(root, path))
        elif not excluded:
            node = _node(found)
            if node is not None:
                yield path, node


def _entries(root: Path, folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    try:
        with os.scandir(root / folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:  # among them a path that is too long for the system
        raise _unreadable(root / folder, error) from error
    for entry in found:
        if entry.name not in _NEVER:
            yield (f"{folder}/{entry.name}" if folder else entry.name), entry


def _unreadable(path: Path, error: OSError) -> FileError:
    text = str(path)
    return FileError(
        f"the build context cannot be read: {error.strerror or error}",
        where=text if len(text) <= _LONGEST_PATH else f"{text[:_LONGEST_PATH]}…",
        fix="keep it out of the context by .dockerignore, or make it readable",
        code=FileCode.CONTEXT_UNREADABLE,
    )


def _node(entry: os.DirEntry[str]) -> Node | None:
    """None for sockets, pipes and devices, which an image cannot hold."""
    if entry.is_symlink():
        return Node(kind=Kind.LINK, target=os.readlink(entry.path))
    status = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        return None
    mode = 0o755 if status.st_mode & 0o111 else 0o644
    return Node(kind=Kind.FILE, mode=mode, source=Path(entry.path), size=status.st_size)
