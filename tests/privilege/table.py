"""The written table: every permission of every role, what needs it, and how one sees that.

`needs.csv` is what `python -m tests.privilege` found; `unseen.yml` has what the embedded AWS does
not ask for, or nothing here makes it ask for, each with its reason.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.privilege.record import Permission

NEEDS = Path(__file__).parent / "needs.csv"
UNSEEN = Path(__file__).parent / "unseen.yml"
_COLUMNS = ("role", "sid", "action", "scenario", "command", "without it")


DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`without` is how the command ended without the permission: that it went on is the case for
    what it asks for to say more than it must. `DENIED`: no command was run without it; this one
    asked for it, and no other statement allowed that. `--record` writes such rows."""

    permission: Permission
    scenario: str
    command: str
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a permission stays that nothing here needs. `see` is AWS's page, or the test that has
    it."""

    why: str
    see: str


def merged(
    before: Mapping[Permission, Row], found: Iterable[Row]
) -> tuple[Mapping[Permission, Row], tuple[Row, ...]]:
    """The table with what a run found, and the rows that differ: new ones, and those that ended
    otherwise. Which command it was says nothing: a run takes the one that is fastest."""
    rows, differ = dict(before), []
    for row in found:
        known = before.get(row.permission)
        if known is not None and row.without == DENIED:
            continue  # what is known says more
        rows[row.permission] = row
        if known is None or known.without != row.without:
            differ.append(row)
    return rows, tuple(differ)


def write_rows(rows: Iterable[Row]) -> None:
    with NEEDS.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for row in sorted(rows, key=lambda one: str(one.permission)):
            one = row.permission
            writer.writerow(
                (
                    one.role,
                    one.sid,
                    one.action,
                    row.scenario,
                    row.command,
                    row.without,
                )
            )


def load_rows() -> Mapping[Permission, Row]:
    with NEEDS.open(newline="", encoding="utf-8") as file:
        found = [
            Row(
                permission=Permission(role=role, sid=sid, action=action),
                scenario=scenario,
                command=command,
                without=without,
            )
            for role, sid, action, scenario, command, without in list(csv.reader(file))[1:]
        ]
    return {row.permission: row for row in found}


def load_unseen() -> Mapping[Permission, Reason]:
    entries = yaml.safe_load(UNSEEN.read_text())
    return {
        Permission(role=str(entry["role"]), sid=str(sid), action=str(action)): Reason(
            why=str(entry["why"]), see=str(entry["see"])
        )
        for entry in entries
        for sid, actions in entry["permissions"].items()
        for action in actions.split()
    }
