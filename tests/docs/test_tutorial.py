"""The tutorial runs as it is written: its `sh run` blocks, and what it says that they show."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT

BLOCK = re.compile(r"^```(?P<kind>sh run|text shows)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "--- block "
TIMEOUT = 240


def test_tutorial__every_block__runs_and_shows_what_it_says(tmp_path: Path) -> None:
    blocks = [(match["kind"], match["body"]) for match in BLOCK.finditer(page())]
    commands = [body for kind, body in blocks if kind == "sh run"]

    shown = run(commands, folder=tmp_path)

    number = -1
    for kind, body in blocks:
        if kind == "sh run":
            number += 1
            continue
        for line in body.splitlines():
            assert is_shown(line, shown[number]), f"not shown: {line}\n{shown[number]}"


def page() -> str:
    return (DOCS / "tutorial.md").read_text(encoding="utf-8")


def run(commands: list[str], *, folder: Path) -> list[str]:
    """What each command printed; one shell runs them all, as one reader would."""
    shutil.copytree(ROOT / "examples" / "services", folder / "examples" / "services")
    fsd = Path(sys.executable).with_name("fsd")
    script = "".join(f"echo '{MARK}{number}'\n{body}" for number, body in enumerate(commands))
    kept = {key: os.environ[key] for key in ("LANG", "TMPDIR") if key in os.environ}
    git = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "reader"), ("EMAIL", "reader@example.com"))
    }
    environment = {
        **kept,
        **git,
        "HOME": str(folder),
        "PATH": f"{fsd.parent}:{os.environ['PATH']}",
        "FSD_LOCAL_STATE": str(folder / "state"),
    }
    try:
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    finally:
        subprocess.run([fsd, "local", "down"], env=environment, cwd=folder, check=True)
    assert ended.returncode == 0, ended.stdout
    return re.split(rf"^{MARK}\d+\n", ended.stdout, flags=re.MULTILINE)[1:]


def is_shown(line: str, output: str) -> bool:
    """Whether a line of the output is `line`; `…` stands for any text, blanks for any number."""
    words = re.split(r"\s+", line.strip())
    pattern = r"\s+".join(re.escape(word).replace("…", ".*") for word in words)
    return re.search(rf"^\s*{pattern}\s*$", output, re.MULTILINE) is not None


@pytest.mark.parametrize(
    ("line", "output", "expected"),
    [
        ("Deployed hello in …", "x\nDeployed  hello in 4s\n", True),
        ("Deployed hello in …", "not Deployed hello in 4s", False),
        ("exit 6", "exit 60", False),
    ],
)
def test_is_shown__line__found_or_not(line: str, output: str, expected: bool) -> None:
    assert is_shown(line, output) is expected
