"""One name means one thing: a reader who greps for a class finds it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parent.parent.parent / "src"
_CLASS = re.compile(r"^ *class (\w+)[(:]", re.MULTILINE)
# AWS's names of the three objects that both sides of its API are about; another word on one side
# would be a word that AWS does not have. `fsd` has what it reads of each, and the embedded AWS the
# record that it keeps and changes.
ON_BOTH_SIDES = {
    "Cluster": "read: who runs in it; kept: settings, providers, default strategy",
    "ServiceDeployment": "read: how it stands; kept: its revisions, alarms and timers too",
    "TaskDefinition": "read: frozen; kept: it becomes INACTIVE and is deleted",
}


@cache
def places() -> Mapping[str, list[str]]:
    """Class → the modules that define it, at whatever level."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(SOURCE.rglob("*.py")):
        for name in _CLASS.findall(file.read_text(encoding="utf-8")):
            found[name].append(str(file.relative_to(SOURCE)))
    return found


def test_classes__names__are_defined_once() -> None:
    twice = {name: files for name, files in places().items() if len(files) > 1}
    packages = {name: {file.split("/")[0] for file in files} for name, files in twice.items()}

    assert {
        name: files
        for name, files in twice.items()
        if not (name in ON_BOTH_SIDES and len(files) == len(packages[name]))
    } == {}
    assert ON_BOTH_SIDES.keys() <= twice.keys()


# Words that only their author understood; the glossary and AWS have better ones.
RIDDLES = frozenset(
    [
        "Asked",
        "Beaten",
        "Companions",
        "Doorways",
        "Once",
        "Patience",
        "Salvage",
        "Seams",
        "Teller",
        "Ties",
        "Told",
        "Turn",
        "Typed",
    ]
)
# Each stood beside its noun or function, so that nobody knew which of the two held what.
GERUNDS = frozenset(
    [
        "applying",
        "diagnosing",
        "ending",
        "masking",
        "naming",
        "operating",
        "planning",
        "reading",
        "requesting",
        "running",
        "settling",
        "waiting",
        "watching",
    ]
)


def test_classes__names__are_no_riddles() -> None:
    words = {name: set(re.findall(r"[A-Z][a-z]+", name)) for name in places()}

    assert {name for name, found in words.items() if found & RIDDLES} == set()


def test_modules__names__are_no_gerunds_beside_a_noun() -> None:
    assert [file for file in sorted(SOURCE.rglob("*.py")) if file.stem in GERUNDS] == []
