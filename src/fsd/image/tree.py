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

from fsd.image.ignore import Ignore

_BLOCK = 1 << 20
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
        if self.source is not None:
            return self.source.open("rb")
        return io.BytesIO(self.content)


Tree: TypeAlias = dict[str, Node]  # relative paths with slashes; a folder may be implied

FOLDER = Node(kind=Kind.DIRECTORY)


def read_tree(root: Path, ignore: Ignore) -> Tree:
    """Everything of a context that Docker would see, less `.git`. Links are not followed.

    Modes are reduced to "executable or not", so that a umask does not make another image.
    """
    return dict(_walk(root, "", ignore))


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


def _walk(root: Path, folder: str, ignore: Ignore) -> Iterator[tuple[str, Node]]:
    with os.scandir(root / folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.name in _NEVER:
            continue
        excluded = ignore.excludes(path)
        if entry.is_dir(follow_symlinks=False):
            if not excluded:
                yield path, FOLDER
            if not excluded or ignore.may_hold_exceptions(path):
                yield from _walk(root, path, ignore)
        elif not excluded:
            node = _node(entry)
            if node is not None:
                yield path, node


def _node(entry: os.DirEntry[str]) -> Node | None:
    """None for sockets, pipes and devices, which an image cannot hold."""
    if entry.is_symlink():
        return Node(kind=Kind.LINK, target=os.readlink(entry.path))
    status = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        return None
    mode = 0o755 if status.st_mode & 0o111 else 0o644
    return Node(kind=Kind.FILE, mode=mode, source=Path(entry.path), size=status.st_size)
