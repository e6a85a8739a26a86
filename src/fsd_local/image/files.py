"""What `mkdir`, `chmod`, `cp`, `mv`, `ln`, `touch`, `rm` and `echo` do to an image's folder.

Done here rather than by the machine's programs: a path of the image never leads out of its folder,
whatever links there are. A file that is there may be the cache's own by a hard link, so that none
is written into: it is replaced.
"""

from __future__ import annotations

import contextlib
import posixpath
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fsd_local.rootfs import link_target

_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "r": "\r"}
Place = Callable[[str], Path]


def change_files(root: Path, place: Place, words: Sequence[str]) -> bool:
    """Whether it was done; False for an option that is not known, or a file that is not there.

    `place` makes a path of the image one below `root`.
    """
    name, rest = posixpath.basename(words[0]), list(words[1:])
    try:
        return FILE_CHANGES[name](root, place, rest)
    except OSError:
        return False


def write_text(target: Path, text: str, *, appends: bool) -> None:
    """Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    before = target.read_bytes() if appends and target.exists() else b""
    mode = target.stat().st_mode if target.exists() else 0o644
    target.unlink(missing_ok=True)
    target.write_bytes(before + text.encode())
    target.chmod(mode)


def echoed(words: Sequence[str]) -> str | None:
    """What `echo` or `printf` writes; None for a format that is more than text."""
    name, rest = posixpath.basename(words[0]), list(words[1:])
    if name == "printf":
        if rest[:1] == ["%s\\n"] or rest[:1] == ["%s"]:
            return "".join(f"{word}{rest[0][2:] and chr(10)}" for word in rest[1:])
        return None if not rest or "%" in rest[0] else _unescaped(rest[0])
    options = []
    while rest and re.fullmatch(r"-[neE]+", rest[0]):
        options.append(rest.pop(0))
    text = " ".join(rest)
    if any("e" in option for option in options):
        text = _unescaped(text)
    return text if any("n" in option for option in options) else f"{text}\n"


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text, flags=re.DOTALL)


def _plain(rest: Sequence[str]) -> list[str]:
    return [word for word in rest if not word.startswith("-")]


def _has(rest: Sequence[str], letters: str, *words: str) -> bool:
    short = "".join(word[1:] for word in rest if re.fullmatch(r"-[A-Za-z]+", word))
    return bool(set(letters) & set(short)) or bool({*words} & {*rest})


def _mkdir(_root: Path, place: Place, rest: Sequence[str]) -> bool:
    # `-m` takes the next word.
    takes_mode = any(word in ("-m", "--mode") for word in rest)
    for path in _plain(rest)[1:] if takes_mode else _plain(rest):
        place(path).mkdir(parents=True, exist_ok=True)
    return True


def _chmod(_root: Path, place: Place, rest: Sequence[str]) -> bool:
    """As far as an image for processes has modes: executable or not."""
    options = [word for word in rest if re.fullmatch(r"-[Rrfvc]+|--recursive", word)]
    modes = [word for word in rest if word not in options]
    if modes:
        is_deep = any("R" in option or option == "--recursive" for option in options)
        for path in modes[1:]:
            _make_executable(place(path), modes[0], is_deep=is_deep)
    return True


def _make_executable(place: Path, mode: str, *, is_deep: bool) -> None:
    """`+x`, `755`, `a-x`, `u=rwx`; what says nothing of execution changes nothing."""
    octal = re.fullmatch(r"0?[0-7]{3,4}", mode)
    adds = bool(int(mode, 8) & 0o111) if octal else bool(re.search(r"[+=][rwst]*[xX]", mode))
    removes = not adds if octal else bool(re.search(r"-[rwst]*x", mode))
    files = [place, *(place.rglob("*") if is_deep and place.is_dir() else ())]
    for file in files:
        if file.is_file() and not file.is_symlink() and (adds or removes) and "X" not in mode:
            file.chmod(0o755 if adds else 0o644)


def _cp(_root: Path, place: Place, rest: Sequence[str]) -> bool:
    """A folder only with -r, -R or -a."""
    words = _plain(rest)
    if len(words) < 2 or _has(rest, "t", "--parents", "--target-directory"):
        return False
    is_deep = _has(rest, "rRa", "--recursive", "--archive")
    for word in words[:-1]:
        source, target = place(word), _into(place, word, words[-1], rest)
        if source.is_dir():
            if not is_deep:
                return False
            if word.rstrip("/").endswith("/.") or word in (".", "./"):
                target = place(words[-1])
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, copy_function=_copy)
        else:
            _copy(str(source), str(target))
    return True


def _copy(source: str, target: str) -> str:
    """A name that is there gets another file."""
    with contextlib.suppress(FileNotFoundError):
        Path(target).unlink()
    return str(shutil.copy2(source, target, follow_symlinks=False))


def _into(place: Place, source: str, target: str, rest: Sequence[str]) -> Path:
    """What is copied to a folder keeps its name there."""
    found = place(target)
    if not found.is_dir() or _has(rest, "T", "--no-target-directory"):
        return found
    return place(posixpath.join(target, posixpath.basename(source.rstrip("/"))))


def _mv(_root: Path, place: Place, rest: Sequence[str]) -> bool:
    words = _plain(rest)
    if len(words) < 2:
        return False
    for word in words[:-1]:
        source, target = place(word), _into(place, word, words[-1], rest)
        if target.exists() and not target.is_dir():
            target.unlink()
        shutil.move(source, target)
    return True


def _ln(root: Path, place: Place, rest: Sequence[str]) -> bool:
    words = _plain(rest)
    if not words or len(words) > 2 or _has(rest, "rt", "--relative"):
        return False
    target = words[0]
    link = place(words[1] if len(words) > 1 else posixpath.basename(target))
    if link.is_dir() and not _has(rest, "nT", "--no-dereference"):
        link /= posixpath.basename(target.rstrip("/"))
    if _has(rest, "f", "--force") and not link.is_dir():
        link.unlink(missing_ok=True)
    if _has(rest, "s", "--symbolic"):
        link.symlink_to(link_target(root, link.parent, target))
    else:
        _copy(str(place(target)), str(link))
    return True


def _touch(_root: Path, place: Place, rest: Sequence[str]) -> bool:
    for path in _plain(rest):
        if not place(path).exists():
            place(path).touch()
    return True


def _rm(root: Path, place: Place, rest: Sequence[str]) -> bool:
    is_deep = _has(rest, "rR", "--recursive")
    for path in filter(None, _plain(rest)):
        found = place(path)
        if found == root:
            return False
        if found.is_dir() and not found.is_symlink():
            if not is_deep:
                return False
            shutil.rmtree(found)
        elif found.exists() or found.is_symlink():
            found.unlink()
    return True


FILE_CHANGES: Mapping[str, Callable[[Path, Place, Sequence[str]], bool]] = {
    "mkdir": _mkdir,
    "chmod": _chmod,
    "cp": _cp,
    "mv": _mv,
    "ln": _ln,
    "touch": _touch,
    "rm": _rm,
}
