"""What the ledger says of a release that ECS's deployments do not: a tag on its task definition.

ECS calls a deployment of no tasks SUCCESSFUL at once, and one whose tasks crash a minute later
stays SUCCESSFUL. Neither may be gone back to, nor prove anything to another environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

VERDICT = "fsd:verdict"


class Mark(StrEnum):
    """The tag's value; a revision without one is judged by its deployments alone."""

    NOT_STARTED = "not-started"  # rolled out at count 0
    WATCHED = "watched"  # after ECS had called it done, by a run that did not come to its end
    FAILED = "failed"  # ECS's deployment may have succeeded; the release has not
    PROVED = "proved"  # it was one of the others, and has run since


def mark_of(tags: Mapping[str, str]) -> Mark | None:
    """None where there is none, or one that this version does not know."""
    value = tags.get(VERDICT, "")
    return Mark(value) if value in set(Mark) else None


def is_unproved(tags: Mapping[str, str]) -> bool:
    return mark_of(tags) in {Mark.NOT_STARTED, Mark.WATCHED, Mark.FAILED}
