"""How the commits of releases stand to each other, by git and by GitHub."""

from __future__ import annotations

from pathlib import Path

from fsd.app.deployment import DeployOptions
from fsd.compile.desired import Release
from fsd.release.changed import CountCommits
from fsd.release.concurrency.in_flight import CommitOrder, OrderCommits, order_runs
from fsd.release.result import ReleaseInfo


def order_releases(options: DeployOptions, release: Release, *, folder: Path) -> OrderCommits:
    """Git's answer, else GitHub's, else that of the runs' numbers. Each release is asked for once.

    A re-run of an old run may be of a commit that a forced push took from the branch: then there
    is no order of commits, and the later run's is the newer.
    """
    from fsd.image.context import order_commits

    vague = {CommitOrder.UNKNOWN, *((CommitOrder.DIVERGED,) if options.is_rerun else ())}
    known: dict[str, CommitOrder] = {}

    def look(other: ReleaseInfo) -> CommitOrder:
        found = order_commits(folder, release.commit, other.commit)
        if found is CommitOrder.UNKNOWN and options.order_commits and release.commit:
            found = options.order_commits(release.commit, other.commit)
        return order_runs(release.run, other.run) if found in vague else found

    def order(other: ReleaseInfo) -> CommitOrder:
        if other.revision not in known:
            known[other.revision] = look(other)
        return known[other.revision]

    return order


def count_commits(folder: Path) -> CountCommits:
    from fsd.image.context import count_commits

    return lambda older, newer: count_commits(folder, older, newer)
