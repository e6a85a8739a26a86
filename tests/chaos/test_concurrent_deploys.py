"""Two, then ten deployers of one service at once, some of them killed, some taking over.

Nobody's healthy deployment is undone, every run reports the truth, no orphan revision is ACTIVE,
and afterwards a plain `fsd deploy` converges. FSD_TEST_ROUNDS=200 plays that many rounds, every
tenth with ten deployers; FSD_TEST_SEED, which every fault names, repeats what was drawn, though not
the machine's timing.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from shutil import copytree, rmtree

import pytest

from tests.chaos.cloud import Cloud
from tests.chaos.deployers import Deployer, Wish, draw_wishes, run_all
from tests.chaos.judge import Judge, Observer, Seen, describe
from tests.local.conftest import commit

SEED = os.environ.get("FSD_TEST_SEED") or str(secrets.randbelow(10**6))
ROUNDS = int(os.environ.get("FSD_TEST_ROUNDS", "0"))
NEW_SERVICE_EVERY = 4  # rounds: so often the service is not there yet
SETTLED_AFTER = 60  # seconds, for what the last run has left to ECS


@dataclass
class Game:
    """Rounds with so many deployers, and what came of them."""

    cloud: Cloud
    deployers: int
    folder: Path
    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def play(self, rounds: int) -> None:
        observer = None
        for number in range(rounds):
            if observer is None or number % NEW_SERVICE_EVERY == 0:
                self._end_service(observer)
                observer = Observer(self.cloud, f"race{self.deployers}-{number}")
            for fault in self._play_round(observer, number):
                self.faults.append(
                    f"seed {SEED}, {self.deployers} deployers, round {number}: {fault}"
                )
        self._end_service(observer)

    def _play_round(self, observer: Observer, number: int) -> list[str]:
        random = Random(f"{SEED}/{self.deployers}/{number}")
        before = observer.deployments()
        folders = self._folders(number)
        wishes = draw_wishes(random, prefix=f"r{number}", folders=folders)
        faults = []
        if any(one.status == "SUCCESSFUL" for one in before):
            with self.cloud.visited(observer.environment) as visitor:
                faults = self._race(observer, wishes, before, number)
            if visitor.failed or visitor.fewest < 1:
                faults.append(f"visitors saw {visitor.failed[:3]}, {visitor.fewest} healthy")
        else:
            faults = self._race(observer, wishes, before, number)
        for folder in folders:
            rmtree(folder)
        return faults

    def _race(
        self, observer: Observer, wishes: Sequence[Wish], before: Sequence[Seen], number: int
    ) -> list[str]:
        deployers = run_all(self.cloud, observer.environment, wishes)
        self._count(deployers)
        _settle(observer)
        judge = Judge(deployers, before, observer.deployments(), observer.orphans())
        faults = judge.judge() + self._converge(observer, number)
        return [*faults, describe(judge)] if faults else []

    def _folders(self, number: int) -> list[Path]:
        """Of one history: each has a commit more than the one before."""
        made = []
        for index in range(self.deployers):
            commit(self.cloud.fsd.cwd, f"round {number} deployer {index}")
            made.append(self.folder / f"{number}-{index}")
            copytree(self.cloud.fsd.cwd, made[-1])
        return made

    def _converge(self, observer: Observer, number: int) -> list[str]:
        """A clean deployment of something new: it succeeds, and nothing else is left."""
        change = self.cloud.change()
        options = (*change.options, "--version", f"r{number}end")
        ended = self.cloud.deploy(observer.environment, *options)
        try:
            self.cloud.assert_converged(observer.environment, change, ended)
        except AssertionError as error:
            return [f"a clean deployment does not converge: {error}\n{ended.text}"]
        observer.deployments()
        orphans = observer.orphans()
        return [f"orphans {orphans}"] if orphans else []

    def _count(self, deployers: Sequence[Deployer]) -> None:
        self.counts["rounds"] += 1
        for one in deployers:
            self.counts["deployers"] += 1
            self.counts["signals"] += one.is_signalled
            self.counts[one.wish.mode] += 1
            self.counts[f"exit {one.result.code}"] += 1

    def _end_service(self, observer: Observer | None) -> None:
        if observer is not None:
            self.cloud.ecs.delete_service(
                cluster=observer.environment, service=observer.name, force=True
            )


def _settle(observer: Observer) -> None:
    """What interrupted runs have left behind is ECS's to finish."""
    for _ in range(SETTLED_AFTER * 10):
        if not observer.in_flight():
            return
        threading.Event().wait(0.1)


@pytest.mark.parametrize(
    ("deployers", "rounds"),
    [
        pytest.param(2, ROUNDS - ROUNDS // 10 or 3, id="two"),
        pytest.param(10, ROUNDS // 10 or 1, id="ten"),
    ],
)
def test_deploy__several_at_once_and_some_killed__all_tell_the_truth(
    cloud: Cloud, tmp_path: Path, deployers: int, rounds: int
) -> None:
    game = Game(cloud, deployers, tmp_path)

    game.play(rounds)

    counts = ", ".join(f"{name} {count}" for name, count in sorted(game.counts.items()))
    assert game.faults == [], "\n\n".join([counts, *game.faults])
