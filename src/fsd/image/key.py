"""What an image is made from, as one name: the key.

Two builds share a key when nothing that makes them differs, and only then. Git's commit is no such
name: with the same commit and a clean status, files may be Git LFS pointers or their content,
submodules and sparse folders may be there or not, and what `.gitignore` names may be in the build
context. So the key is made of the bytes that the build sees.
https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
https://git-scm.com/docs/git-sparse-checkout
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fsd.errors import CallFailedError, ErrorCode
from fsd_files.ignore import Ignore
from fsd_files.tree import Kind, Tree, digest
from fsd_files.user_files import read_user_bytes

DEFAULT_PLATFORM = "X86_64"

_FORMAT = 1  # one more with every change of what the key is made from
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_POINTER_SIZE = 1024  # bytes; a pointer is smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a context becomes an image: everything that is neither in it nor its Dockerfile."""

    build_args: Mapping[str, str] = field(default_factory=dict)
    build_secrets: tuple[str, ...] = ()  # as `docker build --secret` takes them: no values
    target: str = ""  # a stage of the Dockerfile; "" the last
    platform: str = DEFAULT_PLATFORM  # the task definition's word
    runtime: str = "container"
    fresh: str = ""  # a word that no other build has, for one that may reuse nothing
    has_own_context: bool = False  # another folder than the Service YAML's
    allow_run: bool = False  # of scripts, where there is no Docker
    needs_command: bool = False  # nothing else says what to run; makes no other image

    @property
    def is_default(self) -> bool:
        return self == Recipe(runtime=self.runtime, needs_command=self.needs_command)


def _read(dockerfile: Path) -> bytes:
    try:
        return read_user_bytes(dockerfile)
    except OSError as error:
        raise CallFailedError(
            f"the Dockerfile cannot be read: {error}",
            where=str(dockerfile),
            fix="name a text file with --dockerfile",
            code=ErrorCode.DOCKERFILE_UNREADABLE,
        ) from error


def make_key(tree: Tree, *, dockerfile: Path, recipe: Recipe, commit: str, sees_git: bool) -> str:
    """Hex SHA-256. `sees_git`: the build can copy `.git`, so each commit is another image."""
    content = _read(dockerfile) if dockerfile.is_file() else b""
    made_from = {
        "format": _FORMAT,
        "context": digest(tree),
        "dockerfile": hashlib.sha256(content).hexdigest(),
        "args": dict(recipe.build_args),
        "secrets": sorted(recipe.build_secrets),
        "platform": recipe.platform,
        **({"target": recipe.target} if recipe.target else {}),
        "runtime": recipe.runtime,
        **({"allow_run": True} if recipe.allow_run else {}),
        "fresh": recipe.fresh,
        "commit": commit if sees_git else "",
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def sees_git(folder: Path, ignore: Ignore) -> bool:
    return (folder / ".git").exists() and not ignore.excludes(".git")


def find_pointers(tree: Tree) -> tuple[str, ...]:
    """Files that are Git LFS pointers where their content should be."""
    return tuple(path for path in sorted(tree) if _is_pointer(tree, path))


def _is_pointer(tree: Tree, path: str) -> bool:
    node = tree[path]
    if node.kind is not Kind.FILE or node.size >= _POINTER_SIZE:
        return False
    with node.open() as file:
        return file.read(len(_POINTER)) == _POINTER
