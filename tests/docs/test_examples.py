"""The pages run as they are written: their `sh run` blocks, and what they say that those show."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT

BLOCK = re.compile(r"^```(?P<kind>sh run|text shows)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "--- block "
TIMEOUT = 240
PAGES = sorted([*DOCS.glob("*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md"))])

# What the reader of a page has before its first block. Environments that are not `local` are on the
# embedded AWS too, by the endpoint.
AN_AWS = 'fsd local up --runtime process\neval "$(fsd local env)"\n'
A_SERVICE = """
mv examples/services/hello/* .
git init --quiet && git add --all && git commit --quiet --message "Say hello"
"""
# In a folder that holds nothing else: what is deployed twice has no change between.
A_FOLDER = A_SERVICE.replace("mv examples/services/hello/* .", "cd examples/services/hello")
ON_AN_ACCOUNT = f"{A_FOLDER}{AN_AWS}export AWS_ACCESS_KEY_ID=111111111111\n"
BEFORE = {
    "aws-setup.md": ON_AN_ACCOUNT.replace("process", "process --enforce-iam"),
    "environments.md": ON_AN_ACCOUNT,
    "runbook.md": ON_AN_ACCOUNT,
    "README.md": f"{A_SERVICE}rm service.yml\n{AN_AWS}",
    "local.md": f"{A_SERVICE}{AN_AWS}",
    "service-yaml.md": f"{A_SERVICE}{AN_AWS}",
    "tutorial.md": "",
}

# What the reader types where a command asks: `fsd init` asks for the name, which it has found, then
# for the owners, which nothing in a folder says, then for what it has found again.
TYPED = "\n@org/shop\n" + "\n" * 20

# Blocks that no reader's shell runs here: making .venv, the tests themselves, and the demo, which
# has a test of its own.
NOT_RUN = {
    *("export", "scripts/setup", "scripts/test", "scripts/check", "scripts/demo"),
    "scripts/pictures",
    # `fsd-local` without FSD: tests/local/test_separate.py has it, and docs/local.md says it.
    *("fsd-local", "eval", "aws"),
    "npx",  # the AWS CDK comes from npm, and tests have no network
}


@pytest.mark.parametrize("name", sorted(BEFORE))
def test_page__every_block__runs_and_shows_what_it_says(name: str, tmp_path: Path) -> None:
    page = next(page for page in PAGES if page.name == name)
    blocks = [(match["kind"], match["body"]) for match in BLOCK.finditer(page.read_text())]
    commands = [body for kind, body in blocks if kind == "sh run"]

    shown = run([BEFORE[name], *commands], folder=tmp_path)

    number = 0
    for kind, body in blocks:
        if kind == "sh run":
            number += 1
            continue
        for line in body.splitlines():
            assert is_shown(line, shown[number]), f"not shown: {line}\n{shown[number]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page__blocks_of_a_shell__run_in_a_test(page: Path) -> None:
    text = page.read_text()
    plain = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    commands = {line.split()[0] for block in plain for line in block.splitlines() if line}
    assert commands <= NOT_RUN
    assert ("```sh run" in text) == (page.name in BEFORE)


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
        with typed() as keyboard:
            ended = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=folder,
                env=environment,
                stdin=keyboard,
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


@contextmanager
def typed() -> Iterator[int]:
    """A terminal to read from."""
    here, there = os.openpty()
    try:
        os.write(here, TYPED.encode())
        yield there
    finally:
        os.close(there)
        os.close(here)


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
