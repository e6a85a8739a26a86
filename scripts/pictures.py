"""Pictures of what people see: real comments and screens, in a browser and a terminal.

The service of the examples is deployed to an embedded AWS by the step that the Action runs, with a
GitHub of the tests' own: first well, then broken. Nothing is drawn by hand.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.action.workflow import ROLE, ActionStep, break_health, commit, head, make_repository
from tests.fakes.github_api import GithubApi, serve_github_api
from tests.fakes.oidc import REQUEST_TOKEN, serve_issuer
from tests.local.cli import Fsd

ROOT = Path(__file__).resolve().parent.parent
PHONE, DESK = 400, 760  # pixels
NARROW, WIDE = 60, 100  # columns
TALLEST = 2_000  # pixels of a page before it is measured
PUSH = {"event": "push", "ref": "refs/heads/staging", "payload": {}}
INPUTS = {"role_to_assume": ROLE, "aws_region": "us-east-1", "comment_logs": "always"}


@dataclass(frozen=True, kw_only=True)
class Browser:
    """Chromium without a window, and the packages that draw what GitHub and a terminal draw."""

    cache: Path
    program: str
    target: Path

    def comment(self, name: str, markdown: str, *, width: int = PHONE) -> None:
        for scheme in ("light", "dark"):
            page = self._page(markdown.encode(), "comment", scheme, width, 0)
            self._shoot(page, f"{name}-{scheme}", width)

    def terminal(self, name: str, output: bytes, *, columns: int) -> None:
        rows = output.count(b"\n") + 1
        page = self._page(output, "terminal", "dark", columns, rows)
        self._shoot(page, name, round(columns * 7.83) + 24)

    def _page(self, text: bytes, kind: str, scheme: str, width: int, rows: int) -> str:
        made = subprocess.run(
            [
                "node",
                ROOT / "scripts/pictures.mjs",
                self.cache,
                kind,
                scheme,
                f"{width}",
                f"{rows}",
            ],
            input=text,
            stdout=subprocess.PIPE,
            check=True,
        )
        return made.stdout.decode()

    def _shoot(self, page: str, name: str, width: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "page.html")
            file.write_text(page, encoding="utf-8")
            dom = self._run(file, TALLEST, width, "--dump-dom")
            height = int(re.search(r"<title>(\d+)</title>", dom)[1])  # type: ignore[index] # the page sets it
            self._run(file, height, width, f"--screenshot={self.target / name}.png")
        sys.stdout.write(f"{name}: {width} x {height}\n")

    def _run(self, file: Path, height: int, width: int, *arguments: str) -> str:
        with tempfile.TemporaryDirectory() as profile:
            command = [
                self.program,
                "--headless",
                "--no-sandbox",  # it opens only pages that were written here
                "--disable-gpu",
                "--hide-scrollbars",
                "--allow-file-access-from-files",
                "--virtual-time-budget=8000",
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
                *arguments,
                file.as_uri(),
            ]
            ended = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
            )
        return ended.stdout.decode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A repository, its pull requests, and an AWS."""

    fsd: Fsd
    github: GithubApi
    step: ActionStep

    @property
    def repository(self) -> Path:
        return self.step.repository

    def push(self, pull_request: int) -> str:
        """The comment after the merge."""
        self.github.add_pull(pull_request, head(self.repository))
        self.step.run(**PUSH, **INPUTS)
        return self.github.bodies(pull_request)[-1]

    def propose(self, pull_request: int) -> str:
        """The comment before the merge."""
        payload: dict[str, Any] = {
            "number": pull_request,
            "pull_request": {
                "number": pull_request,
                "head": {"sha": head(self.repository), "repo": {"full_name": "org/hello"}},
                "base": {"ref": "staging", "repo": {"full_name": "org/hello"}},
            },
        }
        self.step.run(
            event="pull_request", ref=f"refs/pull/{pull_request}/merge", payload=payload, **INPUTS
        )
        return self.github.bodies(pull_request)[-1]

    def screen(self, *arguments: str, columns: int) -> bytes:
        """What a command writes to a terminal of this width."""
        return run_in_terminal(
            [sys.executable, "-m", "fsd.cli.main", *arguments],
            folder=self.repository,
            environ={**self.fsd.environment(), "TERM": "xterm-256color", "COLUMNS": f"{columns}"},
            columns=columns,
        )


def run_in_terminal(
    command: list[str], *, folder: Path, environ: dict[str, str], columns: int
) -> bytes:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
    with subprocess.Popen(
        command, cwd=folder, env=environ, stdin=theirs, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        parts = []
        with suppress(OSError):  # Linux ends a terminal that nobody writes to with EIO
            while part := os.read(ours, 65_536):
                parts.append(part)
    os.close(ours)
    return b"".join(parts).replace(b"\r\n", b"\n")


@contextmanager
def open_scene(folder: Path) -> Iterator[Scene]:
    repository = make_repository(folder / "hello", branch="staging")
    fsd = Fsd(state=folder / "state", cwd=repository)
    fsd.ok("local", "up", "--runtime", "process", "--speed", "20")
    try:
        with serve_github_api() as github, serve_issuer() as issuer:
            environ = {
                "AWS_ENDPOINT_URL": fsd.status()["endpoint"],
                "AWS_EC2_METADATA_DISABLED": "true",
                "GITHUB_API_URL": github.url,
                "ACTIONS_ID_TOKEN_REQUEST_URL": issuer.request_url,
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
            }
            step = ActionStep(
                action=ROOT, repository=repository, folder=folder / "step", environ=environ
            )
            yield Scene(fsd=fsd, github=github, step=step)
    finally:
        fsd.ok("local", "down")


def take_comments(scene: Scene, browser: Browser) -> None:
    browser.comment("comment-deployed", scene.push(7))
    manifest = scene.repository / "service.yml"
    text = manifest.read_text()
    manifest.write_text(
        text.replace("cpu: 256", "cpu: 512").replace("memory: 512", "memory: 1024")
        + "\ndependencies:\n  - type: aws_dynamodb_table\n    name: ${ENV}-greetings\n"
        "    permissions: [dynamodb:GetItem, dynamodb:PutItem]\n"
    )
    commit(scene.repository, "Remember greetings")
    browser.comment("comment-plan", scene.propose(8))
    scene.push(8)
    break_health(scene.repository)
    browser.comment("comment-failed", scene.push(9))


def take_screens(scene: Scene, browser: Browser) -> None:
    deploy = ("deploy", "--env", "local", "--file", "service.yml")
    scene.screen(*deploy, "--version", "v1", columns=WIDE)
    broken = (*deploy, "--version", "v2", "--override", "environment.HELLO_BROKEN_HEALTH=1")
    browser.terminal("screen-failed", scene.screen(*broken, columns=WIDE), columns=WIDE)
    browser.terminal("screen-failed-60", scene.screen(*broken, columns=NARROW), columns=NARROW)


def main() -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    browser = Browser(
        cache=Path(os.environ["FSD_PICTURES_CACHE"]), program=program, target=Path(sys.argv[1])
    )
    with tempfile.TemporaryDirectory(prefix="fsd-pictures-") as folder:
        with open_scene(Path(folder, "comments")) as scene:
            take_comments(scene, browser)
        with open_scene(Path(folder, "screens")) as scene:
            take_screens(scene, browser)


if __name__ == "__main__":
    main()
