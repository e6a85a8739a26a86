"""Whose a name is: a stack, a service or a repository that somebody else made is not taken over.

Two services with one name would deploy over each other, and both would look healthy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_RUN = re.compile(r"https://(?P<repository>[^/]+/[^/]+/[^/]+)/actions/runs/")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedResource:
    """Something on AWS that has our name, with its tags."""

    what: str  # `the stack fsd-app-dev`
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherOwner:
    thing: OwnedResource
    whose: str  # for people: the pack and its owners, or the repository


def find_other_owner(
    things: Iterable[OwnedResource], *, pack: str, run: str = ""
) -> OtherOwner | None:
    """The first thing whose tags name another pack, or a workflow of another repository.

    A thing without FSD's tags says nothing: it is older than they are. `run` is our own, as the
    ledger has it; where one of both is no workflow's, only the packs are compared.
    """
    ours = _repository(run)
    for thing in things:
        made_by = thing.tags.get("fsd:pack", "")
        if made_by and made_by != pack:
            owners = thing.tags.get("fsd:owners", "")
            whose = f"the pack `{made_by}`" + (f" ({owners})" if owners else "")
            return OtherOwner(thing=thing, whose=whose)
        theirs = _repository(thing.tags.get("fsd:run", ""))
        if ours and theirs and ours.lower() != theirs.lower():
            return OtherOwner(thing=thing, whose=f"the repository {theirs}")
    return None


def _repository(run: str) -> str:
    match = _RUN.match(run)
    return match["repository"] if match else ""
