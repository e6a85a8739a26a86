from __future__ import annotations

import contextlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from fsd_local.rootfs import beneath, inside, unpack


def layer(folder: Path, *members: tuple[str, bytes, str]) -> Path:
    """(name, type, link target or content)."""
    path = folder / "layer.tar"
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, text in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            if kind == tarfile.REGTYPE:
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
            else:
                member.linkname = text
                archive.addfile(member)
    return path


FILE, LINK, HARD, FOLDER = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


@pytest.mark.parametrize(
    "members",
    [
        [("../../outside", FILE, "x")],
        [("/../outside", FILE, "x")],
        [("a", LINK, "../.."), ("a/outside", FILE, "x")],
        [("a", LINK, "{outside}"), ("a/file", FILE, "x")],
        [("a", LINK, "{outside}/file"), ("a", FILE, "x")],
        [("a", LINK, "b"), ("b", LINK, "{outside}"), ("a/file", FILE, "x")],
        [
            ("d", FOLDER, ""),
            ("d/up", LINK, ".."),
            ("d/up/up2", LINK, "../.."),
            ("up2/f", FILE, "x"),
        ],
        [("a", HARD, "../../../etc/hostname")],
    ],
)
def test_unpack__hostile_layer__stays_inside(
    tmp_path: Path, members: list[tuple[str, bytes, str]]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("precious")
    root = tmp_path / "deep" / "root"
    archive = layer(tmp_path, *((n, k, t.format(outside=outside)) for n, k, t in members))
    before = sorted(str(path) for path in tmp_path.rglob("*"))

    with contextlib.suppress(OSError):  # refused is fine as well
        unpack([archive], root)

    after = sorted(str(p) for p in tmp_path.rglob("*") if not p.is_relative_to(root))
    assert [path for path in after if path != str(root.parent)] == before
    assert (outside / "file").read_text() == "precious"
    for path in root.rglob("*"):
        assert Path(os.path.realpath(path)).is_relative_to(root)


def test_unpack__links_of_a_container__lead_where_they_did(tmp_path: Path) -> None:
    archive = layer(
        tmp_path,
        ("usr/bin/python3.11", FILE, "interpreter"),
        ("usr/bin/python", LINK, "python3.11"),
        ("bin", LINK, "usr/bin"),
        ("app/venv/python", LINK, "/usr/bin/python"),
        ("copy", HARD, "usr/bin/python3.11"),
    )
    root = tmp_path / "root"

    unpack([archive], root)

    assert (root / "app/venv/python").read_text() == "interpreter"
    assert (root / "bin/python").read_text() == "interpreter"
    assert (root / "copy").read_text() == "interpreter"
    assert inside(root, "/bin/python") == root / "usr/bin/python3.11"
    assert beneath(root, "/bin/python") == root / "usr/bin/python"
    assert inside(root, "/../../etc") == root / "etc"


def test_unpack__later_layer__replaces(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    first = layer(tmp_path / "1", ("a", FILE, "old"), ("b/c", FILE, "c"))
    second = layer(tmp_path / "2", ("a", FILE, "new"), ("b", FILE, "now a file"))

    unpack([first, second], tmp_path / "root")

    assert (tmp_path / "root" / "a").read_text() == "new"
    assert (tmp_path / "root" / "b").read_text() == "now a file"


def test_unpack__devices_and_pipes__left_out(tmp_path: Path) -> None:
    archive = layer(tmp_path, ("dev/sda", tarfile.BLKTYPE, ""), ("pipe", tarfile.FIFOTYPE, ""))

    unpack([archive], tmp_path / "root")

    assert [path.name for path in (tmp_path / "root").rglob("*")] == ["dev"]


def test_inside__links_in_a_circle__ends(tmp_path: Path) -> None:
    archive = layer(tmp_path, ("a", LINK, "b"), ("b", LINK, "a"))

    unpack([archive], tmp_path / "root")

    assert inside(tmp_path / "root", "/a/x").is_relative_to(tmp_path / "root")
