"""What a promotion moves through this machine, and how long it takes. See README.md."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from benchmarks.promote.worker import Done

MB = 1_000_000
SIZES = (10 * MB, 1_000 * MB)
CASES = ("read and hashed", "same registry", "other account", "again")
MOST_RATIO = 3.0  # of a copy to the reading and hashing of its bytes
MOST_SECONDS = 1.0  # where no layer moves
MOST_MEMORY = 64 << 20  # bytes; a piece is 1 MiB
MANIFESTS = 100_000  # bytes of what is not a layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    size: int
    case: str
    done: Done  # the median's
    floor: Done

    @property
    def ratio(self) -> float:
        return self.done.seconds / self.floor.seconds

    @property
    def holds(self) -> bool:
        if self.done.grown > MOST_MEMORY:
            return False
        if self.case in {"same registry", "again"}:
            return self.done.sent == 0 and self.done.seconds <= MOST_SECONDS
        is_whole = self.size <= self.done.sent <= self.size + MANIFESTS
        # What takes a few hundredths of a second says nothing of the copying.
        is_quick = self.ratio <= MOST_RATIO or self.done.seconds <= MOST_SECONDS
        return is_whole and is_quick

    def text(self) -> str:
        kept = "" if self.holds else "  MISSED"
        return (
            f"{self.size // MB:>5} MB  {self.case:<16} {self.done.seconds:7.2f} s "
            f"{self.ratio:6.2f} x  {self.done.sent / MB:8.1f} MB through this machine  "
            f"{self.done.grown / (1 << 20):5.1f} MiB of memory{kept}\n"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, action="append", help="of the image, in bytes")
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal")
    options = parser.parse_args()
    found = [one for size in options.size or SIZES for one in measure(size, options.rounds)]
    if options.format == "json":
        listed = [asdict(one) | {"ratio": one.ratio, "holds": one.holds} for one in found]
        json.dump({"measured": listed}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(one.text() for one in found)
    return 0 if all(one.holds for one in found) else 1


def measure(size: int, rounds: int) -> list[Measured]:
    """Each round has repositories of its own, so that nothing is there already."""
    taken: dict[str, list[Done]] = {case: [] for case in CASES}
    with registry(size) as (source, digest), registry(0) as (target, _):
        for number in range(rounds):
            taken["read and hashed"].append(work("floor", digest, source, source, ""))
            here, there = f"same-{number}", f"other-{number}"
            taken["same registry"].append(work("copy", digest, source, source, here))
            taken["other account"].append(work("copy", digest, source, target, there))
            taken["again"].append(work("copy", digest, source, target, there))
    medians = {case: median(done) for case, done in taken.items()}
    floor = medians["read and hashed"]
    return [
        Measured(size=size, case=case, done=done, floor=floor) for case, done in medians.items()
    ]


def median(done: list[Done]) -> Done:
    middle = statistics.median_low([one.seconds for one in done])
    return next(one for one in done if one.seconds == middle)


def work(what: str, digest: str, source: str, target: str, repository: str) -> Done:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.promote.worker", what, digest, source, target,
         repository],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )  # fmt: skip
    return Done(**json.loads(ended.stdout))


@contextmanager
def registry(size: int) -> Iterator[tuple[str, str]]:
    """(endpoint, the digest of its image); of size 0 it has none."""
    words = [str(size)] if size else []
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.promote.registry", *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port, _, digest = process.stdout.readline().strip().partition(" ")
        yield f"http://127.0.0.1:{port}", digest
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    sys.exit(main())
