"""docs/migrate: each page's files are written, its commands run, and they show what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS

BLOCK = re.compile(
    r"^```(?P<info>(?:\w+ file=(?P<file>\S+)|sh run|text shows))\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
TIMEOUT = 60


@pytest.mark.parametrize("page", sorted((DOCS / "migrate").glob("*.md")), ids=lambda p: p.stem)
def test_page__its_files_and_commands__show_what_it_says(page: Path, tmp_path: Path) -> None:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "COLUMNS": "200",
    }
    shown = ""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["file"]:
            path = tmp_path / block["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["body"], encoding="utf-8")
        elif block["info"] == "sh run":
            done = subprocess.run(
                ["bash", "-e", "-c", block["body"]],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
            )
            shown = done.stdout + done.stderr
            assert done.returncode == 0, f"{block['body']}\n{shown}"
        else:
            missing = [line for line in block["body"].splitlines() if line not in shown]
            assert missing == [], shown
