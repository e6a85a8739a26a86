"""Permissions that are worth nothing alone: what else an MSK client must be allowed.

`compile` grants the companions, `lint` says which ones it added.
https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_CONNECT = "kafka-cluster:Connect"
_COMPANIONS: Mapping[str, tuple[str, ...]] = {
    "kafka-cluster:ReadData": ("kafka-cluster:DescribeTopic", "kafka-cluster:AlterGroup"),
    "kafka-cluster:AlterGroup": ("kafka-cluster:DescribeGroup",),
    "kafka-cluster:WriteData": ("kafka-cluster:DescribeTopic",),
    "kafka-cluster:WriteDataIdempotently": ("kafka-cluster:WriteData",),
    "kafka-cluster:CreateTopic": ("kafka-cluster:DescribeTopic",),
    "kafka-cluster:AlterTopic": ("kafka-cluster:DescribeTopic",),
    "kafka-cluster:DeleteTopic": ("kafka-cluster:DescribeTopic",),
}


def missing_companions(actions: Iterable[str]) -> tuple[str, ...]:
    """Actions that the given ones need and that are not among them, sorted.

    Actions are in AWS's spelling, wildcards expanded.
    """
    given = set(actions)
    needed: set[str] = set()
    waiting = list(given)
    while waiting:
        action = waiting.pop()
        for companion in _direct(action):
            if companion not in needed:
                needed.add(companion)
                waiting.append(companion)
    return tuple(sorted(needed - given))


def _direct(action: str) -> tuple[str, ...]:
    if not action.startswith("kafka-cluster:"):
        return ()
    return (_CONNECT, *_COMPANIONS.get(action, ()))
