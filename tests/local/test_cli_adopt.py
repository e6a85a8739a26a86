"""A name that is somebody's: refused before anything is built, and taken over when asked to."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.local.cli import HELLO, Fsd
from tests.local.conftest import SPEED, commit


def test_deploy__name_of_another_pack__refused_until_adopted(tmp_path: Path) -> None:
    one, two = (Fsd(state=tmp_path / "state", cwd=tmp_path / name) for name in ("one", "two"))
    for fsd in (one, two):
        shutil.copytree(HELLO, fsd.cwd)
    manifest = two.cwd / "service.yml"
    text = manifest.read_text()
    pack = next(line for line in text.splitlines() if line.strip().startswith("pack:"))
    manifest.write_text(text.replace(pack, "  pack: other"))
    for fsd in (one, two):
        commit(fsd.cwd, "first")
    one.ok("local", "up", "--runtime", "process", "--speed", SPEED)
    try:
        one.ok("deploy", "--env", "local")
        refused = two.run("deploy", "--env", "local")
        planned = two.run("plan", "--env", "local")
        again = one.ok("deploy", "--env", "local")
        taken = two.ok("deploy", "--env", "local", "--adopt")
        back = one.run("deploy", "--env", "local")
    finally:
        one.ok("local", "down")

    assert (refused.code, planned.code, back.code) == (4, 4, 4)
    assert (
        "error[name-taken]: the name `hello` is taken in local: the service hello-local belongs to "
        "the pack"
    ) in refused.err
    assert "--adopt" in refused.err
    assert "building" not in refused.err
    assert "Nothing to change" in again.text
    assert "Deployed hello" in taken.text
