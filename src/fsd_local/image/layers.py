"""What steps of a Dockerfile made, kept by what it was made from.

A layer is a folder of this user's cache: the files that a step made or changed, and an index. An
image only names them, so that gigabytes of packages are neither packed nor sent nor unpacked: a
task gets links to them. The key is made of everything that the step saw, so the same step of the
same files is not done again, in another stage or another checkout either.

A file that holds the path of the folder in which the step ran (a program's first line, a path
file) is kept with a placeholder, which a task gets its own root for.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fsd_files.tree import FOLDER, Kind, Node, Tree
from fsd_local.rootfs import inside, link_target

PLACEHOLDER = "/@fsd-local-root@"
_BLOCK = 1 << 20
_LARGEST_TEXT = 4 << 20  # bytes; a larger file is not looked through
_KEPT = 30 * 24 * 3600  # seconds that a layer is kept without being used
_PACKAGES = "/site-packages/"
# Of the step, not of the image.
_PASSING = ("root/.cache/pip", "root/.cache/uv", "root/.cache/pypoetry/cache")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNode(Node):
    """A file that is in a layer: named by it, and never sent."""

    layer: str = ""
    cache: str = ""  # the folder of all layers
    inner: str = ""  # its path there
    is_template: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterLink(Node):
    """A link to a program of this machine: an interpreter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What a step changed."""

    key: str
    changed: Tree
    removed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()  # what of the step was not done

    def apply(self, tree: Tree) -> None:
        for path in self.removed:
            tree.pop(path, None)
        tree.update(self.changed)


def cache_folder() -> Path:
    """This user's own, beside what other programs can make again."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "fsd-local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """`folder` is one user's: whoever may write there decides what the user's tasks run."""

    folder: Path = field(default_factory=cache_folder)

    def find(self, key: str) -> Layer | None:
        place = self._place(key)
        try:
            index = json.loads((place / "index.json").read_text())
        except (OSError, ValueError):
            return None
        with contextlib.suppress(OSError):
            os.utime(place)  # it is in use
        return Layer(
            key=key,
            changed=_load(key, self.folder, place, index),
            removed=tuple(index["removed"]),
            skipped=tuple(index["skipped"]),
        )

    def path(self, key: str, inner: str) -> Path:
        return self._place(key) / "files" / inner

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """An empty folder on the cache's file system, gone afterwards."""
        work = self.folder / "work"
        work.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        found = Path(tempfile.mkdtemp(dir=work))
        try:
            yield found
        finally:
            shutil.rmtree(found, ignore_errors=True)

    def keep(
        self,
        key: str,
        root: Path,
        before: Mapping[str, FolderEntry],
        *,
        skipped: tuple[str, ...] = (),
    ) -> Layer:
        """What is another in `root` than it was. Takes the files away from there."""
        now = {entry.path: entry for entry in scan(root)}
        changed = [entry for path, entry in now.items() if before.get(path) != entry]
        removed = sorted(set(before) - set(now))
        with self.workspace() as work:
            (work / "files").mkdir()
            index = {"removed": removed, "skipped": skipped, **_take(changed, root, work / "files")}
            (work / "index.json").write_text(json.dumps(index, sort_keys=True))
            place = self._place(key)
            place.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):  # another run made the same
                work.rename(place)
        found = self.find(key)
        if found is None:
            raise OSError(f"{place} cannot be written")
        self._prune()
        return found

    def _place(self, key: str) -> Path:
        return self.folder / "layers" / key[:2] / key

    def _prune(self) -> None:
        oldest = time.time() - _KEPT
        for place in (self.folder / "layers").glob("*/*"):
            with contextlib.suppress(OSError):
                if place.stat().st_mtime < oldest:
                    shutil.rmtree(place)


# --- a folder and a tree -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderEntry:
    """Something in a folder; equal as long as nobody touched it."""

    path: str
    kind: Kind
    mark: tuple[int, ...] = ()
    target: str = ""


def scan(root: Path) -> Iterator[FolderEntry]:
    """Everything below, less what only the step itself needed."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if path in _PASSING:
                    continue
                found = _entry(entry, path)
                if found is None:
                    continue
                if found.kind is Kind.DIRECTORY:
                    waiting.append(path)
                yield found


def _entry(entry: os.DirEntry[str], path: str) -> FolderEntry | None:
    if entry.is_symlink():
        return FolderEntry(path=path, kind=Kind.LINK, target=os.readlink(entry.path))
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        return FolderEntry(path=path, kind=Kind.DIRECTORY)
    if not stat.S_ISREG(status.st_mode):
        return None
    mark = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)
    return FolderEntry(path=path, kind=Kind.FILE, mark=mark)


def materialize(tree: Tree, root: Path) -> dict[str, FolderEntry]:
    """The tree as files below an empty folder; what is there then."""
    parents: dict[str, Path] = {}
    for path in sorted(tree):
        node = tree[path]
        place = _place_of(path, root, parents)
        parent = place.parent
        if node.kind is Kind.DIRECTORY:
            place.mkdir(exist_ok=True)
        elif isinstance(node, OuterLink):
            place.symlink_to(node.target)
        elif node.kind is Kind.LINK:
            place.symlink_to(link_target(root, parent, node.target))
        else:
            _write(node, place, root)
    return {entry.path: entry for entry in scan(root)}


def _write(node: Node, place: Path, root: Path) -> None:
    if isinstance(node, LayerNode) and not node.is_template and node.source is not None:
        # What installs packages replaces files, and does not write into them; settings it does.
        if _PACKAGES in str(place):
            _link(node.source, place)
        else:
            shutil.copy2(node.source, place)  # compiled modules know their source by its time
    else:
        with node.open() as source:
            content = source.read()
        if isinstance(node, LayerNode):
            content = content.replace(PLACEHOLDER.encode(), str(root).encode())
        place.write_bytes(content)
        place.chmod(node.mode)


def link_files(references: Mapping[str, Any], root: Path) -> None:
    """What an image names, in a task's root. Raises OSError where the cache has it no more."""
    layers = Layers(folder=Path(references["cache"]))
    parents: dict[str, Path] = {}
    for path, (key, inner, mode, is_template) in references["files"].items():
        place = _place_of(path, root, parents)
        place.unlink(missing_ok=True)
        source = layers.path(key, inner)
        if is_template:
            content = source.read_bytes()
            place.write_bytes(content.replace(PLACEHOLDER.encode(), str(root).encode()))
            place.chmod(mode)
        else:
            _link(source, place)
    for path, target in references["outer"].items():
        place = _place_of(path, root, parents)
        place.unlink(missing_ok=True)
        place.symlink_to(target)


def _place_of(path: str, root: Path, parents: dict[str, Path]) -> Path:
    """With the folders above it made; `parents` keeps where each is, links followed."""
    folder, _, name = path.rpartition("/")
    parent = parents.get(folder)
    if parent is None:
        parent = parents[folder] = inside(root, folder)
        parent.mkdir(parents=True, exist_ok=True)
    return parent / name


def _link(source: Path, place: Path) -> None:
    """Not a copy: packages are many files, and each task has them all."""
    try:
        place.hardlink_to(source)
    except OSError:  # another file system
        shutil.copy2(source, place)


def identity(tree: Tree, known: dict[str, str]) -> str:
    """Hex SHA-256 of what a step sees; `known` keeps the hashes of files by their place."""
    total = hashlib.sha256()
    for path in sorted(tree):
        node = tree[path]
        parts = (node.kind, f"{node.mode:o}", path, node.target, _content(node, known))
        total.update("\0".join(parts).encode(errors="surrogateescape") + b"\n")
    return total.hexdigest()


def _content(node: Node, known: dict[str, str]) -> str:
    if isinstance(node, LayerNode):
        return f"{node.layer}/{node.inner}"
    if node.kind is not Kind.FILE:
        return ""
    place = str(node.source) if node.source is not None else ""
    if place and place in known:
        return known[place]
    total = hashlib.sha256()
    with node.open() as file:
        while block := file.read(_BLOCK):
            total.update(block)
    found = total.hexdigest()
    if place:
        known[place] = found
    return found


def _take(changed: list[FolderEntry], root: Path, files: Path) -> dict[str, object]:
    """Move the files out of `root`; the rest of the index."""
    folders, links, outer, kept = [], {}, {}, {}
    for entry in changed:
        if entry.kind is Kind.DIRECTORY:
            folders.append(entry.path)
        elif entry.kind is Kind.LINK:
            target = entry.target
            if _is_interpreter(target, root):
                outer[entry.path] = target
            else:
                links[entry.path] = _inner_target(target, root)
        else:
            kept[entry.path] = _take_file(root / entry.path, files / entry.path, root)
    return {"folders": folders, "links": links, "outer": outer, "files": kept}


def _is_interpreter(target: str, root: Path) -> bool:
    return (
        target.startswith("/")
        and not target.startswith(f"{root}/")
        and os.path.basename(target).startswith("python")
        and os.path.isfile(target)
    )


def _inner_target(target: str, root: Path) -> str:
    if target.startswith(f"{root}/"):
        return target[len(str(root)) :]
    return target


def _take_file(place: Path, kept: Path, root: Path) -> list[object]:
    """[mode, whether it is a template]."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o755 if place.stat().st_mode & 0o111 else 0o644
    content = b""
    if place.stat().st_size <= _LARGEST_TEXT and place.suffix != ".pyc":
        content = place.read_bytes()
    mine = str(root).encode()
    is_template = mine in content and b"\0" not in content
    if is_template:
        kept.write_bytes(content.replace(mine, PLACEHOLDER.encode()))
    else:
        place.rename(kept)
    kept.chmod(mode)
    return [mode, is_template]


def _load(key: str, cache: Path, place: Path, index: Mapping[str, object]) -> Tree:
    folders, links, outer, files = (index[k] for k in ("folders", "links", "outer", "files"))
    assert isinstance(folders, list)
    assert isinstance(links, dict)
    assert isinstance(outer, dict)
    assert isinstance(files, dict)
    found: Tree = dict.fromkeys(folders, FOLDER)
    found |= {path: Node(kind=Kind.LINK, target=target) for path, target in links.items()}
    found |= {path: OuterLink(kind=Kind.LINK, target=target) for path, target in outer.items()}
    for path, (mode, is_template) in files.items():
        source = place / "files" / path
        found[path] = LayerNode(
            kind=Kind.FILE,
            mode=mode,
            source=source,
            layer=key,
            cache=str(cache),
            inner=path,
            is_template=is_template,
        )
    return found
