"""An old run that is started again does not bring its commit over a newer one."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from fsd.app.commits import order_releases
from fsd.app.deployment import DeployOptions
from fsd.compile.desired import Release
from fsd.github.context import read_context
from fsd.release.concurrency.in_flight import CommitOrder
from fsd.release.result import ReleaseInfo

RUN = "https://github.com/org/hello/actions/runs/"
OURS, THEIRS = "a" * 40, "b" * 40
RUNS = {
    f"{RUN}90": CommitOrder.NEWER,  # theirs → how ours, 100, stands to it
    f"{RUN}101": CommitOrder.OLDER,
    f"{RUN}1000": CommitOrder.OLDER,
    f"{RUN}100": CommitOrder.SAME,
    "amy@laptop": CommitOrder.UNKNOWN,
    "": CommitOrder.UNKNOWN,
}


@pytest.mark.parametrize(
    ("said", "run", "is_rerun"), list(product([*CommitOrder, None], RUNS, (False, True)))
)
def test_order_releases__depth_1__github_decides_and_the_runs_where_it_cannot(
    said: CommitOrder | None, run: str, is_rerun: bool, tmp_path: Path
) -> None:
    asked: list[tuple[str, str]] = []

    def ask(ours: str, theirs: str) -> CommitOrder:
        asked.append((ours, theirs))
        return said or CommitOrder.UNKNOWN

    options = DeployOptions(
        file=tmp_path / "service.yml",
        environment="prod",
        is_rerun=is_rerun,
        order_commits=ask if said else None,
    )
    order = order_releases(
        options, Release(version="v", commit=OURS, run=f"{RUN}100"), folder=options.file.parent
    )
    other = ReleaseInfo(
        version="", commit=THEIRS, revision="x:1", task_definition_arn="", digest="", run=run
    )
    answers = {order(other), order(other)}

    by_runs = said in (None, CommitOrder.UNKNOWN) or (is_rerun and said is CommitOrder.DIVERGED)
    assert answers == {RUNS[run] if by_runs else said}
    assert asked == ([(OURS, THEIRS)] if said else [])


@pytest.mark.parametrize(
    ("text", "attempt"),
    [("1", 1), ("2", 2), ("37", 37), ("", 1), ("x", 1), ("-2", 1), ("²", 1), ("9" * 40, 1)],
)
def test_read_context__attempt__is_a_number_or_the_first(text: str, attempt: int) -> None:
    assert read_context({"GITHUB_RUN_ATTEMPT": text}).attempt == attempt
