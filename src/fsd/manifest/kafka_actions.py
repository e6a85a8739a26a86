"""Permissions that are worth nothing alone: what else an MSK client must be allowed.

`compile` grants those too, `lint` says which ones it added.
https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

_SERVICE = "kafka-cluster:"
# Action → what it needs beside Connect, which every action needs.
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "AlterCluster": ("DescribeCluster",),
    "AlterClusterDynamicConfiguration": ("DescribeClusterDynamicConfiguration",),
    "WriteDataIdempotently": ("WriteData",),
    "AlterTopic": ("DescribeTopic",),
    "DeleteTopic": ("DescribeTopic",),
    "AlterTopicDynamicConfiguration": ("DescribeTopicDynamicConfiguration",),
    "ReadData": ("DescribeTopic", "AlterGroup"),
    "WriteData": ("DescribeTopic",),
    "AlterGroup": ("DescribeGroup",),
    "DeleteGroup": ("DescribeGroup",),
    "AlterTransactionalId": ("DescribeTransactionalId", "WriteData"),
}


def missing_kafka_actions(actions: Iterable[str]) -> tuple[str, ...]:
    """Actions that the given ones need and that are not among them, sorted.

    Actions are in AWS's spelling, wildcards expanded.
    """
    given = set(actions)
    needed: set[str] = set()
    waiting = list(given)
    while waiting:
        action = waiting.pop()
        for other in _direct(action):
            if other not in needed:
                needed.add(other)
                waiting.append(other)
    return tuple(sorted(needed - given))


@lru_cache(maxsize=256)
def _direct(action: str) -> tuple[str, ...]:
    if not action.startswith(_SERVICE):
        return ()
    names = ("Connect", *_NEEDS.get(action.removeprefix(_SERVICE), ()))
    return tuple(f"{_SERVICE}{name}" for name in names)
