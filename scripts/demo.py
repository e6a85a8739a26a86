"""Deploys the example service to the embedded AWS, breaks it, and shows what FSD does about it.

Everything is real: the `fsd` command of this checkout, HTTP through a load balancer, health checks,
ECS's circuit breaker. Only the account is not. Exits 0 where all was as promised.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
HELLO = ROOT / "examples" / "services" / "hello"
FSD = Path(sys.executable).with_name("fsd")
# How much faster than on AWS health checks and draining go.
SPEED = 10
ASK_EVERY = 0.05  # seconds
ROLLED_BACK = 6
LONGEST = 60.0  # seconds for one thing to happen
CANARY = """\
    strategy: canary       # the new version gets a fifth of the requests at first
    canary: {percent: 20, bakeTime: 10}
    bakeTime: 0
"""


class NotAsPromisedError(Exception):
    """The demo saw something else than what it tells people."""


def main() -> int:
    signal.signal(signal.SIGTERM, _end)
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="fsd-demo-") as folder:
            show(Stage(Path(folder)))
    except NotAsPromisedError as error:
        say(f"\nThis is not what the demo promises: {error}")
        return 1
    except BrokenPipeError:
        # Whoever read this has gone; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted; the embedded AWS is down, and it left nothing behind.")
        return 130
    say(f"\nThat took {time.monotonic() - began:.0f} s and left nothing behind.")
    say(OWN_SERVICE)
    return 0


OWN_SERVICE = f"""
To do the same with your own service, run this in its folder, which needs a Dockerfile:

  export PATH="{FSD.parent}:$PATH"
  fsd init                              # writes service.yml from what is there
  fsd validate --file service.yml
  fsd deploy --env local --file service.yml
  fsd local status                      # its URLs;  fsd local down  removes everything

On AWS it is the same command with `--env dev`, and your credentials. See README.md."""


def show(stage: Stage) -> None:
    say("The main job, from start to end, on the embedded AWS, an emulator on this machine.")
    with stage.embedded_aws():
        title("1  Version 1: build, push, deploy, watch until it is healthy")
        stage.shift_traffic()
        stage.commit("Say hello")
        stage.fsd("deploy", "--env", "local", "--version", "v1")
        url = stage.url()
        say(f"\n$ curl {url}\n{json.dumps(get(url))}")

        title("2  Version 2: its health path fails")
        say("The new service.yml sets a variable that breaks the health check. The commit:")
        stage.break_health()
        say(f"Meanwhile, a client keeps requesting {url} every {ASK_EVERY * 1000:.0f} ms.\n")
        with asking(url) as asked:
            stage.fsd("deploy", "--env", "local", "--version", "v2", expect=ROLLED_BACK)

        title("3  Version 1 still answers")
        say(f"$ curl {url}\n{json.dumps(get(url))}")
        say(f"\nWhile version 2 came and went: {asked.text()}")
        asked.check(version="v1")

        title("4  Version 3: a canary that is rolled back")
        stage.repair()
        say("It gets a fifth of the requests. Meanwhile, somebody dislikes what they see and runs")
        say("`fsd rollback`.\n")
        with asking(url) as asked:
            stage.take_back_canary(asked)
        say(f"While version 3 came and went: {asked.text()}")
        asked.check_canary(before="v1", canary="v3")

        title("5  What an operator sees")
        stage.fsd("status", "--service", "hello", "--env", "local")
        stage.fsd("history", "--service", "hello", "--env", "local")

        title("6  Remove everything")
        stage.fsd("delete", "--service", "hello", "--env", "local", "--yes")


# --- the stage ---------------------------------------------------------------------------------


@dataclass
class Stage:
    """A folder with a copy of the service in git, and an embedded AWS of its own."""

    folder: Path

    @property
    def service(self) -> Path:
        return self.folder / "hello"

    def environment(self) -> dict[str, str]:
        """The caller's, without what would point the demo at a real account or workflow. Caches and
        Pythons of uv's are below the demo's folder, which goes at the end."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("AWS_", "GITHUB_", "INPUT_", "FSD_"))
        }
        return {
            **kept,
            "FSD_LOCAL_STATE": str(self.folder / "state"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_DATA_HOME": str(self.folder / "data"),
        }

    @contextmanager
    def embedded_aws(self) -> Iterator[None]:
        shutil.copytree(HELLO, self.service, ignore=shutil.ignore_patterns("__pycache__"))
        try:
            self.fsd("local", "up", "--runtime", "process", "--speed", str(SPEED), quiet=True)
            yield
        finally:
            # Before a word about it: the reader may be gone, and saying so would raise.
            subprocess.run(
                [FSD, "local", "down"],
                cwd=self.service,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=False,
            )
        say("$ fsd local down")

    def fsd(self, *arguments: str, expect: int = 0, quiet: bool = False) -> None:
        """Run the real command, its output on this terminal."""
        command = shlex.join(("fsd", *arguments))
        say(f"$ {command}")
        output = subprocess.DEVNULL if quiet else None
        ended = subprocess.run(
            [FSD, *arguments],
            cwd=self.service,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            check=False,
        )
        if not quiet:
            say(f"[exit {ended.returncode}]\n")
        if ended.returncode != expect:
            raise NotAsPromisedError(f"`{command}` exits {ended.returncode}, not {expect}")

    def url(self) -> str:
        """Where the load balancer of the service answers."""
        ended = subprocess.run(
            [FSD, "local", "status", "--format", "json"],
            cwd=self.service,
            env=self.environment(),
            capture_output=True,
            check=True,
        )
        services = json.loads(ended.stdout)["services"]
        urls = [str(url) for service in services for url in service["urls"]]
        if not urls:
            raise NotAsPromisedError("the service has no URL")
        return urls[-1]

    def break_health(self) -> None:
        manifest = self.service / "service.yml"
        line = "    VERSION: ${VERSION}\n"
        added = '    HELLO_BROKEN_HEALTH: "1"\n'
        text = manifest.read_text(encoding="utf-8")
        manifest.write_text(text.replace(line, line + added), encoding="utf-8")
        self.commit("Look at the database in the health path")
        say(f"+{added}")

    def shift_traffic(self) -> None:
        """New tasks get a fifth of the requests at first."""
        with (self.service / "service.yml").open("a", encoding="utf-8") as manifest:
            manifest.write(CANARY)

    def repair(self) -> None:
        self._git("revert", "--no-edit", "HEAD")

    def take_back_canary(self, asked: Asked) -> None:
        """Roll the canary back as soon as version 3 has answered a request."""
        deploy = ("deploy", "--env", "local", "--version", "v3")
        say(f"$ {shlex.join(('fsd', *deploy))} &")
        with subprocess.Popen(
            [FSD, *deploy],
            cwd=self.service,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
        ) as process:
            try:
                asked.wait_for("v3")
                self.fsd("rollback", "--service", "hello", "--env", "local")
                code = process.wait(LONGEST)
            finally:
                process.kill()
        say(f"[exit {code}]\n")
        if code != ROLLED_BACK:
            raise NotAsPromisedError(f"`fsd {shlex.join(deploy)}` exits {code}, not {ROLLED_BACK}")

    def commit(self, title: str) -> None:
        if not (self.service / ".git").exists():
            self._git("init", "--quiet", "--initial-branch", "main")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", title)

    def _git(self, *arguments: str) -> None:
        identity = ("user.name=demo", "user.email=demo@example.com", "commit.gpgsign=false")
        settings = [part for setting in identity for part in ("-c", setting)]
        subprocess.run(["git", *settings, *arguments], cwd=self.service, check=True)


# --- the client --------------------------------------------------------------------------------


@dataclass
class Asked:
    """What a client got that kept asking."""

    versions: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    last: str = ""  # the version that answered last
    news: threading.Event = field(default_factory=threading.Event)  # never set: a clock

    def text(self) -> str:
        by_version = ", ".join(
            f"{count} were answered by {version}" for version, count in self.versions.items()
        )
        return (
            f"{self.versions.total() + len(self.failures)} requests, of which "
            f"{by_version or 'none were answered'}, and {len(self.failures)} failed"
        )

    def wait_for(self, version: str) -> None:
        deadline = time.monotonic() + LONGEST
        while not self.versions[version]:
            if time.monotonic() > deadline:
                raise NotAsPromisedError(f"{version} has not answered within {LONGEST:.0f} s")
            self.news.wait(ASK_EVERY)

    def check_canary(self, *, before: str, canary: str) -> None:
        """Most answers are the old version's; the canary has given some, and no longer does."""
        if self.failures:
            raise NotAsPromisedError(f"requests failed, the first with {self.failures[0]}")
        if set(self.versions) != {before, canary} or self.last != before:
            raise NotAsPromisedError(f"answers came from {self.text()}, the last from {self.last}")

    def check(self, *, version: str) -> None:
        if self.failures:
            raise NotAsPromisedError(f"requests failed, the first with {self.failures[0]}")
        if set(self.versions) != {version}:
            raise NotAsPromisedError(f"answers came from {', '.join(self.versions) or 'nobody'}")


@contextmanager
def asking(url: str) -> Iterator[Asked]:
    """Ask again and again while the block runs."""
    asked, stop = Asked(), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                asked.last = get(url)["version"]
                asked.versions[asked.last] += 1
            except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
                asked.failures.append(repr(error))
            stop.wait(ASK_EVERY)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield asked
    finally:
        stop.set()
        thread.join()


def get(url: str) -> dict[str, str]:
    # No proxy of the environment's: it is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        body: dict[str, str] = json.load(answer)
        return body


# --- words -------------------------------------------------------------------------------------


def title(text: str) -> None:
    say(f"\n── {text} ".ljust(80, "─"))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _end(number: int, frame: FrameType | None) -> None:
    """Like Ctrl-C, so that the embedded AWS goes down with the demo."""
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
