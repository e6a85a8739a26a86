"""Which of two releases is the newer, where only the ledger tells."""

from __future__ import annotations

import pytest

from fsd.release.concurrency.in_flight import CommitOrder, order_runs

RUN = "https://github.com/org/hello/actions/runs/"


@pytest.mark.parametrize(
    ("ours", "theirs", "order"),
    [
        (f"{RUN}7", f"{RUN}6", CommitOrder.NEWER),
        (f"{RUN}6", f"{RUN}7", CommitOrder.OLDER),
        (f"{RUN}10", f"{RUN}9", CommitOrder.NEWER),  # numbers, not texts
        (f"{RUN}7", f"{RUN}7", CommitOrder.SAME),
        (f"{RUN}7", "https://github.com/org/other/actions/runs/6", CommitOrder.UNKNOWN),
        (f"{RUN}7", "https://ghes.example/org/hello/actions/runs/6", CommitOrder.UNKNOWN),
        (f"{RUN}7", "amy@laptop", CommitOrder.UNKNOWN),
        ("amy@laptop", f"{RUN}7", CommitOrder.UNKNOWN),
        ("", "", CommitOrder.UNKNOWN),
        (f"{RUN}7", f"{RUN}6/attempts/2", CommitOrder.UNKNOWN),
        (f"{RUN}7", f"{RUN}²", CommitOrder.UNKNOWN),
    ],
)
def test_order_runs__two_runs__the_later_is_the_newer(
    ours: str, theirs: str, order: CommitOrder
) -> None:
    assert order_runs(ours, theirs) is order
