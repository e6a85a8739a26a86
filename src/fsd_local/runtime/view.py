"""Shows a process the files of its image at their own paths: `/app`, `/etc/nginx`, `/data`.

In a mount namespace of its own: the machine's root, and in it what only the image has. Where both
have a file, the image's is seen, but never instead of what the machine needs to run programs. What
is written to a folder of the image is written to the image's folder of this task; what is made in
`/` is gone with the process. Where the kernel allows no such namespace, nothing is done: then only
paths in variables and arguments lead into the image.
https://man7.org/linux/man-pages/man7/mount_namespaces.7.html

Loaded by its path, by a Python without packages: imports only what that has.
"""

from __future__ import annotations

import ctypes
import os
import sys

_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_BIND, _DEEP, _PRIVATE = 1 << 12, 1 << 14, 1 << 18
# Of the machine alone: its kernel's, its programs, and what all processes share.
_MACHINES = frozenset(
    {"bin", "boot", "dev", "lib", "lib32", "lib64", "libx32", "lost+found", "proc", "run", "sbin"}
    | {"sys", "tmp"}
)
_PREFERRED = "/usr"  # what is there is the machine's first: its interpreters are
_DEEPEST = 5


def show(root: str, place: str) -> bool:
    """Whether the image in `root` is seen from now on. `place` is an empty folder for the view."""
    if sys.platform != "linux" or not _leave():
        return False
    try:
        _mount("none", "/", _DEEP | _PRIVATE)
        _mount("tmpfs", place, 0, kind="tmpfs")
        _merge("/", root, place, root=root, depth=0)
        os.chroot(place)
    except OSError:
        return False
    return True


def _leave() -> bool:
    """The machine's mount namespace, as its root or with a user namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS) == 0:
        return True
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_MOUNTS | _NEW_USERS) != 0:
        return False
    try:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    except OSError:
        return False
    return True


def _mount(source: str, target: str, flags: int, *, kind: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [word.encode() if word else None for word in (source, target, kind)]
    if libc.mount(words[0], words[1], words[2], flags, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def _merge(machine: str, image: str, view: str, *, root: str, depth: int) -> None:
    """One folder that both have."""
    ours, theirs = _names(image), _names(machine)
    for name in sorted(ours | theirs):
        left, right = os.path.join(machine, name), os.path.join(image, name)
        target = os.path.join(view, name)
        if depth == 0 and name in _MACHINES:
            if name in theirs:
                _show_one(left, target)
        elif name not in ours:
            _show_one(left, target)
        elif name not in theirs:
            _show_one(right, target, root=root)
        elif _is_folder(left) and _is_folder(right) and depth < _DEEPEST:
            if _adds(left, right, depth):
                os.mkdir(target)
                _merge(left, right, target, root=root, depth=depth + 1)
            else:
                _show_one(left, target)
        elif left.startswith(_PREFERRED) or root.startswith(f"{left}/"):
            _show_one(left, target)
        else:
            _show_one(right, target, root=root)


def _names(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _adds(machine: str, image: str, depth: int) -> bool:
    """Whether the image has anything there that the machine has not."""
    theirs = _names(machine)
    for name in _names(image):
        left, right = os.path.join(machine, name), os.path.join(image, name)
        if name not in theirs:
            return True
        if _is_folder(left) and _is_folder(right):
            if depth + 1 >= _DEEPEST or _adds(left, right, depth + 1):
                return True
        elif not left.startswith(_PREFERRED):
            return True
    return False


def _show_one(source: str, target: str, *, root: str = "") -> None:
    """A link of the image that leads out of it is a volume: that is shown itself."""
    if os.path.islink(source):
        text = os.readlink(source)
        real = os.path.realpath(source)
        is_volume = root and not text.startswith("/") and not real.startswith(f"{root}/")
        if not is_volume:
            os.symlink(text, target)
            return
        source = real
    if os.path.isdir(source):
        os.mkdir(target)
    elif os.path.exists(source):
        with open(target, "wb"):
            pass
    else:
        return
    _mount(source, target, _BIND | _DEEP)


if __name__ == "__main__":  # whether it can be done here
    sys.exit(0 if show(sys.argv[1], sys.argv[2]) else 1)
