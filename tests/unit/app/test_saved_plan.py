from __future__ import annotations

import os
from pathlib import Path

import pytest

from fsd.app.saved_plan import load_plan
from fsd.errors import ErrorCode, UsageError


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
