"""Red until a key of the manifest has all that a key needs; the failure says what it lacks.

Whether each part is right, the other tests of this folder say.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
import yaml

from fsd.manifest.models import Manifest
from fsd.manifest.schema import places
from tests.unit.floor.behaviour import BEHAVIOURS
from tests.unit.floor.rows import ROWS, Row
from tests.unit.floor.test_floor import (
    ALIAS,
    DEPLOYMENT_ROWS,
    FIRST_FLOOR,
    FIRST_FLOOR_KEYS,
    LONG,
    NO_ROW,
    NOT_FOR_AWS,
    WITHOUT_CLASH,
    WITHOUT_PLAN,
    asked,
    compiled,
    said,
)
from tests.unit.floor.test_round_trip import NOT_TOLD, again, imported
from tests.unit.importing.test_mapped import OF_NO_TOOL, tools_of

KEYS = sorted({tuple(map(str, place)) for place in places(Manifest) if place[0] == "service"})


def has_older_tests(place: tuple[str, ...]) -> bool:
    """Of the first floor, and of the strategies: none of these may be added."""
    section = place[1]
    if len(place) == 2:
        return section in FIRST_FLOOR
    if section == "deployment":
        return place[2] not in DEPLOYMENT_ROWS
    return place[2] in FIRST_FLOOR_KEYS.get(section, set()) or spelled_out(place) in NO_ROW


def spelled_out(place: tuple[str, ...]) -> tuple[str, ...]:
    return (*LONG, *place[2:]) if place[:2] == ALIAS and len(place) > 2 else place


@cache
def rows_of(place: tuple[str, ...]) -> tuple[Row, ...]:
    """The rows that have the key in their good value."""
    long = spelled_out(place)
    return tuple(row for row in ROWS if {place, long} & set(said(yaml.safe_load(row.good or "{}"))))


@cache
def came_back(row: Row) -> frozenset[tuple[str, ...]] | None:
    """The keys that `fsd import` of the deployed service writes; None where AWS is told other."""
    desired = compiled(row.good, row.kind)
    fitted = imported(desired)
    if fitted.imported.losses or asked(again(fitted)) != asked(desired):
        return None
    tree = yaml.safe_load(fitted.text)
    return frozenset(said(tree["service"]))


def lacks(place: tuple[str, ...]) -> Iterator[str]:
    rows = rows_of(place)
    if not rows:
        yield "no row in tests/unit/floor/rows.py::ROWS has it in its good value"
    for row in rows:
        if not row.compiled and row.key not in NOT_FOR_AWS:
            yield f"the row {row.key} does not say what it is compiled to"
        if not row.plan and row.key not in WITHOUT_PLAN:
            yield f"the row {row.key} does not say its words in a plan"
        if not row.clash and row.key not in WITHOUT_CLASH:
            yield f"the row {row.key} has no wrong combination, and WITHOUT_CLASH does not have it"
        if row.key not in BEHAVIOURS:
            yield f"tests/unit/floor/behaviour.py::BEHAVIOURS has no {row.key}"
    above = {".".join(place[:end]) for end in range(2, len(place) + 1)}
    if rows and not above & NOT_TOLD.keys() and not comes_back(place):
        yield "`fsd import` of a service that has it does not write it again"


def comes_back(place: tuple[str, ...]) -> bool:
    backs = [back for row in rows_of(place) if (back := came_back(row)) is not None]
    return any(place in back for back in backs)


@pytest.mark.parametrize(
    "place", [place for place in KEYS if len(place) > 1], ids=lambda place: ".".join(place[1:])
)
def test_key__of_the_language__has_all_that_a_key_needs(place: tuple[str, ...]) -> None:
    tools = tools_of()
    wanted = [] if has_older_tests(place) else [*lacks(place)]
    above = {".".join(place[1:end]) for end in range(2, len(place) + 1)}
    if not tools[place] and not above & OF_NO_TOOL:
        wanted.append(
            "tests/unit/importing/test_mapped.py has no file of another tool that gives it, and "
            "OF_NO_TOOL does not have it"
        )

    assert wanted == []
