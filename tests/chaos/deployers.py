"""Several `fsd deploy` of one service at once, each drawn from a seed: what it asks for, when it
starts, and when and how it is killed. All moments are AWS calls that were seen, never a clock's."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos.cloud import Cloud
from tests.fakes.plain_aws import plain_aws
from tests.local.cli import TIMEOUT, Ended, Fsd, Program

MODES = ("plain", "--wait-for-lock", "--supersede")
ROLLS_OUT = frozenset({"CreateService", "UpdateService"})
BAD = ("environment.HELLO_CRASH=1", "environment.HELLO_BROKEN_HEALTH=1")


@dataclass(frozen=True, kw_only=True)
class Kill:
    number: signal.Signals
    call: int  # the how manieth
    of_rollout: bool  # counted from the call that starts the rollout on, which is 1
    is_carried_out: bool  # AWS gets the call all the same


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What one deployer was told to do."""

    version: str
    folder: Path
    mode: str = "plain"
    bad: str = ""
    timeout: int = 2  # of the load balancer's health check: it is in the stack
    on_cancel: str = "leave"
    allows_older: bool = True
    starts_after: int = 0  # calls of the deployer before it
    kill: Kill | None = None

    @property
    def options(self) -> tuple[str, ...]:
        return (
            *("--version", self.version),
            *("--override", f"environment.GREETING={self.version}"),
            *("--override", f"healthCheck.timeout={self.timeout}"),
            *(("--override", self.bad) if self.bad else ()),
            *((self.mode,) if self.mode != "plain" else ()),
            *(("--allow-older",) if self.allows_older else ()),
            *("--on-cancel", self.on_cancel),
        )


@dataclass
class Deployer:
    """One run; also the gate before AWS that counts its calls."""

    wish: Wish
    news: threading.Condition
    calls: list[str] = field(default_factory=list)
    process: Program | None = None
    ended: Ended | None = None
    is_signalled: bool = False

    @property
    def version(self) -> str:
        return self.wish.version

    def forwards(self, operation: str) -> bool:
        with self.news:
            self.calls.append(operation)
            self.news.notify_all()
            kill = self.wish.kill
            if kill is None or self.is_signalled or not self._is_moment(kill):
                return not self._is_dead()
            self._kill(kill)
            return kill.is_carried_out or not self._is_dead()

    def answers(self, operation: str) -> bool:
        del operation
        return not self._is_dead()

    def _is_moment(self, kill: Kill) -> bool:
        if not kill.of_rollout:
            return len(self.calls) >= kill.call
        first = next((at for at, name in enumerate(self.calls) if name in ROLLS_OUT), None)
        return first is not None and len(self.calls) - first >= kill.call

    def _kill(self, kill: Kill) -> None:
        assert self.process is not None
        self.is_signalled = True
        self.process.send_signal(kill.number)
        if kill.number is signal.SIGKILL:
            self.process.wait(10)

    def _is_dead(self) -> bool:
        return (
            self.is_signalled
            and self.process is not None
            and self.process.poll() == -signal.SIGKILL
        )

    def run(self, cloud: Cloud, environment: str) -> None:
        """To its end; whatever happens, those that wait for its calls learn of the end."""
        try:
            with plain_aws(cloud.endpoint, embedded=True, gate=self) as endpoint:
                extra = {**cloud.fsd.extra, "AWS_ENDPOINT_URL": endpoint}
                fsd = Fsd(cloud.fsd.state, self.wish.folder, extra)
                deploy = ("deploy", "--env", environment, "--format", "json")
                with self.news:  # so that the gate knows the process at its first call
                    self.process = fsd.start(*deploy, *self.wish.options)
                self.ended = self.process.end()
        finally:
            with self.news:
                self.ended = self.ended or Ended(-1, "", "the test could not run it")
                self.news.notify_all()

    @property
    def result(self) -> Ended:
        assert self.ended is not None
        return self.ended

    def told(self) -> str:
        """For a person who looks for the fault."""
        text = f"{self.wish}\n{len(self.calls)} calls: {' '.join(self.calls)}\n{self.result.text}"
        return text if len(text) < 8000 else f"{text[:3000]}\n…\n{text[-5000:]}"


def run_all(cloud: Cloud, environment: str, wishes: Sequence[Wish]) -> list[Deployer]:
    """Each begins when the one before it has made so many calls, or has ended."""
    news = threading.Condition()
    deployers = [Deployer(wish, news) for wish in wishes]
    with ExitStack() as stack:
        before: Deployer | None = None
        for deployer in deployers:
            if before is not None:
                _await_calls(before, deployer.wish.starts_after)
            thread = threading.Thread(target=deployer.run, args=(cloud, environment))
            thread.start()
            stack.callback(thread.join)
            before = deployer
    return deployers


def _await_calls(deployer: Deployer, count: int) -> None:
    with deployer.news:
        assert deployer.news.wait_for(
            lambda: len(deployer.calls) >= count or deployer.ended is not None, TIMEOUT
        )


def draw_wishes(random: Random, *, prefix: str, folders: Sequence[Path]) -> list[Wish]:
    """One wish a folder; now and then two deployers want the very same."""
    wishes: list[Wish] = []
    for number, folder in enumerate(folders):
        if wishes and random.random() < 0.1:
            twin = random.choice(wishes)
            version, folder, bad, timeout = twin.version, twin.folder, twin.bad, twin.timeout
        else:
            version = f"{prefix}d{number}"
            bad = random.choice(BAD) if random.random() < 0.3 else ""
            timeout = random.choice((2, 2, 2, 3))
        wishes.append(
            Wish(
                version=version,
                folder=folder,
                mode=random.choice(MODES),
                bad=bad,
                timeout=timeout,
                on_cancel=random.choice(("leave", "rollback")),
                allows_older=random.random() < 0.8,
                starts_after=random.choice((0, 0, 5, 15, 25, 35)),
                kill=_draw_kill(random) if random.random() < 0.4 else None,
            )
        )
    return wishes


def _draw_kill(random: Random) -> Kill:
    of_rollout = random.random() < 0.7
    return Kill(
        number=random.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)),
        call=random.randint(1, 8 if of_rollout else 30),
        of_rollout=of_rollout,
        is_carried_out=random.random() < 0.5,
    )
