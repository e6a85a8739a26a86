"""Every permission is taken away once, and a command that needs it has to fail and to name it."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.local.cli import Ended, Fsd
from tests.local.conftest import commit
from tests.privilege.account import Site, bootstrapped
from tests.privilege.commands import Command
from tests.privilege.policies import without
from tests.privilege.record import Asked, Permission, read, take
from tests.privilege.scenarios import Scenario

# Command → each permission that is taken from it, with the resource that it was asked for.
Wanted = Mapping[str, Sequence[tuple[Permission, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a scenario is played: an account that nobody else has."""

    cloud: Fsd
    folder: Path
    account: str

    def open(self, scenario: Scenario) -> AbstractContextManager[Site]:
        return bootstrapped(
            self.cloud,
            scenario.example,
            folder=self.folder / self.account,
            account=self.account,
            edit=scenario.edit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A step of a scenario as it went with all permissions."""

    command: Command
    seconds: float
    asked: tuple[Asked, ...]

    @property
    def needed(self) -> dict[Permission, str]:
        """Without which something would have been denied → on which resource; in order."""
        found: dict[Permission, str] = {}
        for one in self.asked:
            if len(one.by) == 1 and one.by[0].role != "task":
                found.setdefault(one.by[0], one.resource)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What a command did without a permission."""

    permission: Permission
    scenario: str
    command: str
    resource: str
    code: int
    is_named: bool
    text: str = ""

    @property
    def ended(self) -> str:
        if self.code and self.is_named:
            return f"exit {self.code}, and names it"
        if self.is_named:
            return "goes on, and names it"
        return f"exit {self.code}, in other words" if self.code else "goes on without it"


_numbers = itertools.count(1)


def attempt(site: Site, command: Command) -> Ended:
    """With the number of the next try, and an image that is new where one is made."""
    n = str(next(_numbers))
    if command.words[0] == "deploy":
        for file in site.owner.cwd.glob("*.py"):
            file.write_text(f"{file.read_text().rstrip()}\n# {n}\n")
        commit(site.owner.cwd, f"try {n}")
    words = [word.replace("{n}", n) for word in command.words]
    return site.workflow(command.role, command.environment).run(*words)


def record(scenario: Scenario, place: Place) -> list[Recorded]:
    """Each step with everything; raises AssertionError where one does not go as it should."""
    found = []
    with place.open(scenario) as site:
        for command in scenario.steps(site):
            take(place.cloud)
            began = time.monotonic()
            ended = attempt(site, command)
            seconds = time.monotonic() - began
            assert command.is_as_expected(ended.code), (
                f"{scenario.name}: {command.words} {ended.text}"
            )
            asked = tuple(read(take(place.cloud)))
            found.append(Recorded(command=command, seconds=seconds, asked=asked))
    return found


def assign(recorded: Sequence[Recorded], *, but: Collection[Permission] = ()) -> Wanted:
    """Each permission where it costs least, in the order in which the command asks."""
    cheapest: dict[Permission, Recorded] = {}
    for one in recorded:
        for permission in one.needed:
            best = cheapest.get(permission)
            if permission not in but and (best is None or one.seconds < best.seconds):
                cheapest[permission] = one
    found: dict[str, list[tuple[Permission, str]]] = defaultdict(list)
    for one in recorded:
        for permission, resource in one.needed.items():
            if cheapest.get(permission) is one:
                found[one.command.name].append((permission, resource))
    return found


def mutate(
    scenario: Scenario, place: Place, wanted: Wanted, *, only: Collection[str] = ()
) -> Iterator[Lost]:
    """The scenario once more, where each command is first tried without each of its permissions.

    With `only`, of its commands these.
    """
    with place.open(scenario) as site:
        for command in scenario.steps(site):
            if only and command.name not in only:
                continue
            for permission, resource in wanted.get(command.name, ()):
                with without(site.root, permission, command.environment):
                    ended = attempt(site, command)
                if command.is_as_expected(ended.code) and command.undo:
                    undone = attempt(site, replace(command, words=command.undo))
                    assert undone.code == 0, undone.text
                yield Lost(
                    permission=permission,
                    scenario=scenario.name,
                    command=command.name,
                    resource=resource,
                    code=ended.code,
                    is_named=_names(ended, permission),
                    text=ended.text,
                )
            ended = attempt(site, command)
            assert command.is_as_expected(ended.code) or ended.code == 0, (
                f"{command.words} {ended.text}"
            )


def _names(ended: Ended, permission: Permission) -> bool:
    """On whichever lines of a screen it stands."""
    action, text = permission.action.removesuffix("*"), " ".join(ended.text.split())
    return action.lower() in text.lower() and "not authorized" in text
