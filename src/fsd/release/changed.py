"""What changed between the last good release and one that failed: the first thing one asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from fsd.change import Change, CommitCount
from fsd.errors import CallFailedError
from fsd.plan.diff import diff_task_definitions
from fsd.plan.observed import ObservedRevision
from fsd.release.ledger import release_info
from fsd.release.ports import Ecs, TaskDefinition
from fsd.release.result import ReleaseInfo

Revision: TypeAlias = TaskDefinition | ObservedRevision
# (older commit, newer commit) → how many commits lie between; None where git does not know.
CountCommits = Callable[[str, str], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    since: str = ""  # "offer-api-dev:41 (v1.2.9)"; "" where there is no good release before
    changes: tuple[Change, ...] = ()


def find_changes(
    ecs: Ecs,
    *,
    good: str | None,
    failed: str,
    count_commits: CountCommits = lambda *_: None,
    known: Iterable[Revision | None] = (),
) -> Changed:
    """Compare two task definitions by ARN. What cannot be read is missing, not an error.

    `known` were read before: a revision never changes.
    """
    if not good or good == failed:
        return Changed()
    read = {one.arn: one for one in known if one is not None}
    try:
        before = read.get(good) or ecs.find_task_definition(good)
        after = read.get(failed) or ecs.find_task_definition(failed)
    except CallFailedError:
        return Changed()
    if before is None or after is None:
        return Changed()
    old, new = release_info(before), release_info(after)
    return Changed(
        since=f"{old.revision} ({old.version})" if old.version else old.revision,
        changes=(
            *_commits(old, new, count_commits),
            *diff_task_definitions(before.definition, after.definition),
        ),
    )


def _commits(old: ReleaseInfo, new: ReleaseInfo, count_commits: CountCommits) -> Iterator[Change]:
    if not old.commit or not new.commit or old.commit == new.commit:
        return
    count = count_commits(old.commit, new.commit)
    many = CommitCount(count=count) if count else None
    yield Change(what="commits", before=old.commit, after=new.commit, remark=many)
