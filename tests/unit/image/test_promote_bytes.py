"""What goes through this machine when an image goes on, counted; never timed."""

from __future__ import annotations

from benchmarks.promote.__main__ import measure

SIZE = 2_500_000
CONFIG = 100  # bytes at the most, beside the layers


def test_promote__by_where_it_goes__these_bytes_and_no_more() -> None:
    found = {one.case: one.done for one in measure(SIZE, rounds=1)}

    assert {case: done.sent // CONFIG * CONFIG for case, done in found.items()} == {
        "read and hashed": SIZE,
        "same registry": 0,
        "other account": SIZE,
        "again": 0,
    }
    assert {case: done.mounted for case, done in found.items() if done.mounted} == {
        "same registry": 2  # the config and the layer
    }
