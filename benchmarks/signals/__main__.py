"""How soon `fsd deploy` answers a signal, wherever it is. See README.md."""

from __future__ import annotations

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.cloud import CRASH, Change, Cloud, end, open_cloud
from tests.fakes.plain_aws import plain_aws
from tests.local.cli import TIMEOUT, Ended

GOAL = 2.0  # seconds
ENVIRONMENT = "calm"
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@dataclass
class Stopper:
    """A gate that signals the deployer at call number `at`, and may keep that call waiting."""

    number: signal.Signals
    at: int = 0  # never
    is_held: bool = False
    calls: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    sent_at: float = 0.0
    let_go: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def forwards(self, operation: str) -> bool:
        with self._lock:
            self.calls.append(operation)
            is_moment = len(self.calls) == self.at
        if is_moment and self.process is not None:
            self.sent_at = time.monotonic()
            self.process.send_signal(self.number)
            if self.is_held:
                self.let_go.wait(TIMEOUT)
                return False
        return True

    def answers(self, operation: str) -> bool:
        del operation
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    operation: str
    is_held: bool
    number: signal.Signals
    on_cancel: str
    seconds: float
    ended: Ended

    @property
    def is_right(self) -> bool:
        """The exit code, and one sentence that says what state things are in."""
        said = " ".join((self.ended.out + self.ended.err).split())
        is_told = any(word in said for word in ("ECS", "CloudFormation", "had succeeded", "ended"))
        return self.ended.code == EXIT_CODES[self.number] and is_told

    def text(self) -> str:
        how = "held" if self.is_held else "answered"
        verdict = "right" if self.is_right else f"WRONG: exit {self.ended.code}"
        return (
            f"{self.operation:<28} {how:<9} {self.number.name:<8} {self.on_cancel:<9}"
            f"{self.seconds:>6.2f} s  {verdict}\n"
        )


def deploy(cloud: Cloud, gate: Stopper, change: Change, *options: str) -> tuple[Ended, float]:
    """How it ended, and when."""
    with plain_aws(cloud.endpoint, embedded=True, gate=gate) as endpoint:
        with gate._lock:  # so that the gate knows the process at its first call
            gate.process = cloud.start(endpoint, ENVIRONMENT, *change.options, *options)
        ended = end(gate.process)
        ended_at = time.monotonic()
        gate.let_go.set()
    return ended, ended_at


def measure(cloud: Cloud, *options: str) -> Iterator[Measured]:
    """A signal at each call of one kind of deployment; what it leaves is cleared up each time."""
    counted = Stopper(signal.SIGINT)
    deploy(cloud, counted, cloud.change(ENVIRONMENT), *options)
    for at in range(1, len(counted.calls) + 1):
        for is_held in (False, True):
            number = signal.SIGINT if (at + is_held) % 2 else signal.SIGTERM
            on_cancel = "rollback" if at // 2 % 2 else "leave"
            gate = Stopper(number, at, is_held)
            ended, ended_at = deploy(
                cloud, gate, cloud.change(ENVIRONMENT), *options, "--on-cancel", on_cancel
            )
            if not gate.sent_at:
                continue  # it looked less often than the counted one
            yield Measured(
                operation=gate.calls[at - 1],
                is_held=is_held,
                number=number,
                on_cancel=on_cancel,
                seconds=ended_at - gate.sent_at,
                ended=ended,
            )
            cloud.deploy(ENVIRONMENT, *cloud.change().options, "--supersede")


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    measured = []
    with tempfile.TemporaryDirectory() as folder, open_cloud(Path(folder)) as cloud:
        cloud.deploy(ENVIRONMENT, *cloud.change().options)
        for options in ((), CRASH):
            for one in measure(cloud, *options):
                measured.append(one)
                sys.stdout.write(one.text())
                sys.stdout.flush()
                if not one.is_right:
                    sys.stdout.write(one.ended.text + "\n")
    slowest = max(measured, key=lambda one: one.seconds)
    wrong = sum(not one.is_right for one in measured)
    holds = slowest.seconds < GOAL and not wrong
    sys.stdout.write(
        f"{len(measured)} signals: median {statistics.median(m.seconds for m in measured):.2f} s, "
        f"slowest {slowest.seconds:.2f} s ({slowest.operation}), {wrong} wrong\n"
        f"goal: each in less than {GOAL:g} s, none wrong: {'holds' if holds else 'MISSED'}\n"
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
