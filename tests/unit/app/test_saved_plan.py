from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

import pytest

from fsd.app.saved_plan import load_plan, write_plan
from fsd.errors import ErrorCode, RefusedError, UsageError
from tests.unit.plan.test_saved import basis


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("missing", "No such file or directory"),
        ("folder", "it is a folder"),
        ("pipe", "it is a pipe, a socket or a device"),
        ("large", "it is larger than 16,384 bytes"),
        ("manifest", "Expecting value"),
        ("binary", "it is not UTF-8: byte 0xff"),
        ("deep", "it is nested too deeply"),
    ],
)
def test_load_plan__what_is_no_plan__said_with_its_reason(
    tmp_path: Path, kind: str, why: str
) -> None:
    file = tmp_path / "plan.json"
    match kind:
        case "folder":
            file.mkdir()
        case "pipe":
            os.mkfifo(file)
        case "large":
            file.write_text(" " * 20_000)
        case "manifest":
            file.write_text("apiVersion: fsd/v1")
        case "binary":
            file.write_bytes(b"\xff\x00")
        case "deep":
            file.write_text("[" * 16_000)

    with pytest.raises(UsageError) as caught:
        load_plan(file)

    assert caught.value.code is ErrorCode.NOT_A_PLAN
    assert why in caught.value.what
    assert caught.value.where == str(file)


@pytest.mark.parametrize("has_older", [False, True], ids=["first", "over an older"])
def test_write_plan__disk_is_full__leaves_what_was_there(tmp_path: Path, has_older: bool) -> None:
    file = tmp_path / "plan.json"
    if has_older:
        write_plan(file, basis())
    before = {one.name: one.read_text() for one in tmp_path.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(RefusedError) as caught:
            write_plan(file, basis(version="v10"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert caught.value.code is ErrorCode.CANNOT_WRITE
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == before
    write_plan(file, basis(version="v10"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
