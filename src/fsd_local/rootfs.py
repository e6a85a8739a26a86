"""The root file system of a process task: layers unpacked into a folder, and paths mapped into it.

Nothing in a layer can reach outside: links are rewritten to stay inside, as they would in a
container, and a file is never written through one.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

_MOST_LINKS = 40  # as the kernel follows


def unpack(layers: Sequence[Path], root: Path) -> None:
    """Raises tarfile.TarError or OSError for a layer that cannot be unpacked."""
    root.mkdir(parents=True, mode=0o755)
    for layer in layers:
        with tarfile.open(layer, mode="r:*") as archive:
            for member in archive:
                _unpack(archive, member, root)


def link_volume(root: Path, path: str, volume: Path) -> None:
    """A folder that is not the container's own: what the image has there goes into an empty one,
    as an engine has it. Raises OSError."""
    place = root / posixpath.normpath(path).lstrip("/")
    if place.is_dir() and not place.is_symlink():
        if not any(volume.iterdir()):
            shutil.copytree(place, volume, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(volume)


def inside(root: Path, path: str) -> Path:
    """Where an absolute path of the container is on disk, with links followed as in a chroot."""
    found: list[str] = []
    wanted = [part for part in path.split("/") if part not in ("", ".")][::-1]
    followed = 0
    while wanted:
        part = wanted.pop()
        if part == "..":
            del found[-1:]
            continue
        here = root.joinpath(*found, part)
        if not os.path.islink(here) or followed >= _MOST_LINKS:
            found.append(part)
            continue
        followed += 1
        # Every link was made relative, and leads to a place inside.
        wanted += [p for p in os.readlink(here).split("/") if p not in ("", ".")][::-1]
    return root.joinpath(*found)


def beneath(root: Path, path: str) -> Path:
    """As `inside`, but a link stays itself: a program may go by the name that it is called by."""
    parent, name = posixpath.split(posixpath.normpath(path))
    return inside(root, parent) / name if name else root


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    path = posixpath.normpath(f"/{member.name}")
    if path == "/":
        return
    parent = inside(root, posixpath.dirname(path))
    if not parent.is_dir():
        parent.unlink(missing_ok=True)
        parent.mkdir(parents=True)
    place = parent / posixpath.basename(path)
    if member.isdir():
        if not place.is_dir():
            place.unlink(missing_ok=True)
            place.mkdir()
        return
    _clear(place)
    if member.issym():
        place.symlink_to(link_target(root, parent, member.linkname))
    elif member.islnk():
        shutil.copy2(inside(root, member.linkname), place, follow_symlinks=False)
    elif member.isreg():
        _write(archive, member, place)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    content = archive.extractfile(member)
    if content is None:
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    mode = 0o755 if member.mode & 0o111 else 0o644
    with content, os.fdopen(os.open(place, flags, mode), "wb") as file:
        shutil.copyfileobj(content, file)


def _clear(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def link_target(root: Path, parent: Path, target: str) -> str:
    """Relative, and never above the root."""
    base = "/" if target.startswith("/") else f"/{parent.relative_to(root).as_posix()}"
    place = posixpath.normpath(posixpath.join(base, target)).lstrip("/")
    return os.path.relpath(root / place, parent)
