"""The demo shows what it promises; it checks so itself, and leaves nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT


def test_demo__run__both_outcomes_and_nothing_left(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, ROOT / "scripts" / "demo.py"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout
    assert "Deployed hello v1 to local in " in ended.stdout
    assert "error[health-check-failed]" in ended.stdout
    assert "[exit 6]" in ended.stdout
    assert re.search(
        r"came and went: \d+ requests, of which \d+ were answered by v1, and 0 failed", ended.stdout
    )
    assert [*tmp_path.iterdir()] == []
