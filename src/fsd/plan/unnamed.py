"""A release that differs from what runs in nothing but its own name is no change.

The image is the same and so is every setting: new tasks would do what the old ones do. In a
repository of several services each commit is that for all services but one.
"""

from __future__ import annotations

import json

from fsd.compile.desired import ANY_COMMIT, ANY_VERSION, Desired
from fsd.plan.diff import diff_task_definitions
from fsd.plan.observed import Observed


def find_kept_version(desired: Desired, observed: Observed) -> str | None:
    """The version that stays, where only version and commit differ from it; else None.

    None also where nothing differs at all, and where the release was given its version: then that
    is asked for.
    """
    running = observed.running
    version = running.tags.get("fsd:version", "") if running else ""
    is_there = observed.service is not None or observed.schedule is not None
    if not is_there or running is None or desired.unnamed is None or not version:
        return None
    if not diff_task_definitions(running.definition, desired.task_definition):
        return None
    named = json.dumps(desired.unnamed)
    for placeholder, value in (
        (ANY_VERSION, version),
        (ANY_COMMIT, running.tags.get("fsd:commit", "")),
    ):
        named = named.replace(placeholder, json.dumps(value)[1:-1])
    is_same = not diff_task_definitions(running.definition, json.loads(named))
    return version if is_same else None
