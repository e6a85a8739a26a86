"""A Kafka client with IAM needs more than the action it is after; half a set fails at run time.

https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from fsd.lint.rule import Problem, Subject
from fsd.manifest.dependencies import expand
from fsd.manifest.edit import AddItems

_EVERY_CLIENT = ("kafka-cluster:Connect", "kafka-cluster:DescribeCluster")
_CONSUMER = ("kafka-cluster:ReadData", "kafka-cluster:DescribeGroup")
_PRODUCER_SIGNS = frozenset({"kafka-cluster:WriteData", "kafka-cluster:WriteDataIdempotently"})
_CONSUMER_SIGNS = frozenset({*_CONSUMER, "kafka-cluster:AlterGroup"})


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        if dependency.type != "aws_msk_cluster":
            continue
        actions = {action for text in dependency.permissions for action in expand(text)}
        if not any(action.startswith("kafka-cluster:") for action in actions):
            continue
        absent = [action for action in needed_actions(actions) if action not in actions]
        if absent:
            missing = [f"`{action}`" for action in absent]
            who = "a consumer" if _is_consumer(actions) else "a producer"
            yield Problem(
                at=("dependencies", index, "permissions"),
                message=f"{who} of `{subject.resource(index)}` also needs {' and '.join(missing)}",
                fix=f"add {', '.join(missing)}",
                on_key=True,
                edit=AddItems(at=("dependencies", index, "permissions"), items=tuple(absent)),
            )


def needed_actions(actions: Set[str]) -> tuple[str, ...]:
    """What a client that has these actions needs at least."""
    return (*_EVERY_CLIENT, *(_CONSUMER if _is_consumer(actions) else ()))


def _is_consumer(actions: Set[str]) -> bool:
    return bool(_CONSUMER_SIGNS & actions) or not _PRODUCER_SIGNS & actions
