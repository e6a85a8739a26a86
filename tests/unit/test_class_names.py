"""One name means one thing: a reader who greps for a class finds it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).parent.parent.parent / "src"
# AWS's words, for the same thing on both sides of its API: what a deployment reads of it, and what
# the embedded AWS keeps of it.
ON_BOTH_SIDES = frozenset(
    {
        "Cluster",
        "DeploymentStatus",
        "Event",
        "ServiceDeployment",
        "TaskDefinition",
        "Ulimit",
    }
)


def places() -> Mapping[str, list[str]]:
    """Class → the modules that define it, at whatever level."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(str(file.relative_to(SOURCE)))
    return found


def test_classes__names__are_defined_once() -> None:
    twice = {name: files for name, files in places().items() if len(files) > 1}
    packages = {name: {file.split("/")[0] for file in files} for name, files in twice.items()}

    assert {
        name: files
        for name, files in twice.items()
        if not (name in ON_BOTH_SIDES and len(files) == len(packages[name]))
    } == {}
