"""`fsd validate --fix` and `--diff` as a process: what is shown, what is written and how."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.golden import FOLDER
from tests.local.cli import Fsd
from tests.unit.manifest.manifests import KAFKA_CONSUMER

BAD = KAFKA_CONSUMER.replace("retention: 30 ", "retention: 45 ")
FIXED = KAFKA_CONSUMER.replace("retention: 30 ", "retention: 60 ")
DIFF = (FOLDER / "validate" / "fix.diff").read_text(encoding="utf-8")


@pytest.fixture
def fsd(tmp_path: Path) -> Fsd:
    work = tmp_path / "work"
    (work / ".git").mkdir(parents=True)
    return Fsd(state=tmp_path / "state", cwd=work)


def test_fix__a_safe_one__shown_written_and_exit_0(fsd: Fsd) -> None:
    file = fsd.cwd / "service.yml"
    file.write_bytes(BAD.encode())

    ended = fsd.run("validate", "--fix")
    again = fsd.run("validate", "--fix")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out == DIFF + "\nservice.yml: 0 errors, 0 warnings\n"
    assert file.read_bytes() == FIXED.encode()
    assert again.out == "service.yml: 0 errors, 0 warnings\n"
    assert [path.name for path in fsd.cwd.iterdir() if path.is_file()] == ["service.yml"]


def test_diff__a_safe_one__shown_only_and_still_found(fsd: Fsd) -> None:
    file = fsd.cwd / "service.yml"
    file.write_bytes(BAD.encode())

    ended = fsd.run("validate", "--fix", "--diff")

    assert ended.code == 3
    assert ended.out.startswith(DIFF + "\nerror[log-retention-value]")
    assert "fix: use `retention: 30` or `retention: 60`  [--fix can do this]" in ended.out
    assert file.read_bytes() == BAD.encode()


def test_diff__standard_input__shown(fsd: Fsd) -> None:
    shown = fsd.run("validate", "--diff", "-", given=BAD)
    refused = fsd.run("validate", "--fix", "-", given=BAD)

    assert "+      retention: 60  # days\n" in shown.out
    assert refused.code == 2
    assert "there is no file to write the fixes to" in refused.err


def test_fix__json__the_difference_on_stderr(fsd: Fsd) -> None:
    (fsd.cwd / "service.yml").write_bytes(BAD.encode())

    ended = fsd.run("validate", "--fix", "--format", "json")

    assert ended.json()["valid"] is True
    assert ended.err == DIFF + "\n"


def test_fix__link_and_mode__kept(fsd: Fsd) -> None:
    target = fsd.cwd / "real" / "s.yml"
    target.parent.mkdir()
    target.write_bytes(BAD.replace("\n", "\r\n").encode())
    target.chmod(0o640)
    link = fsd.cwd / "service.yml"
    link.symlink_to(target)

    assert fsd.run("validate", "--fix").code == 0

    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert target.read_bytes() == FIXED.replace("\n", "\r\n").encode()


def test_fix__not_safe__said_and_left_alone(fsd: Fsd) -> None:
    file = fsd.cwd / "service.yml"
    text = BAD.replace("retention: 45", "retention: &days 45")
    file.write_text(text, encoding="utf-8")

    ended = fsd.run("validate", "--fix")

    assert ended.code == 3
    assert ended.out.startswith("not fixed: log-retention-value at service.yml:65:18: ")
    assert "--fix can do this" not in ended.out
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write every file")
def test_fix__read_only_file__said_and_left_alone(fsd: Fsd) -> None:
    file = fsd.cwd / "service.yml"
    file.write_text(BAD, encoding="utf-8")
    file.chmod(0o444)

    ended = fsd.run("validate", "--fix")

    assert ended.code == 3
    assert "error[manifest-unwritable]: you may not write this file" in ended.err
    assert file.read_text(encoding="utf-8") == BAD


def test_fix__several_files__a_broken_one_keeps_nothing_from_being_repaired(fsd: Fsd) -> None:
    (fsd.cwd / "a.yml").write_text("a: b: c\n", encoding="utf-8")
    (fsd.cwd / "b.yml").write_text(BAD, encoding="utf-8")

    ended = fsd.run("validate", "--fix", "a.yml", "b.yml")

    assert ended.code == 3
    assert (fsd.cwd / "b.yml").read_text(encoding="utf-8") == FIXED
