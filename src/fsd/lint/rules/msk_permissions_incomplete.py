"""A Kafka client with IAM needs more than the action it is after; half a set fails at run time.

https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.finding import Problem, Rule, Severity, Subject
from fsd.spec.dependencies import expand

_EVERY_CLIENT = ("kafka-cluster:Connect", "kafka-cluster:DescribeCluster")
_CONSUMER = ("kafka-cluster:ReadData", "kafka-cluster:DescribeGroup")
_PRODUCER = "kafka-cluster:WriteData"
_CONSUMER_SIGNS = frozenset({*_CONSUMER, "kafka-cluster:AlterGroup"})


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        if dependency.type != "aws_msk_cluster":
            continue
        actions = {action for text in dependency.permissions for action in expand(text)}
        if not any(action.startswith("kafka-cluster:") for action in actions):
            continue
        is_consumer = bool(_CONSUMER_SIGNS & actions) or _PRODUCER not in actions
        needed = (*_EVERY_CLIENT, *(_CONSUMER if is_consumer else ()))
        missing = [f"`{action}`" for action in needed if action not in actions]
        if missing:
            who = "a consumer" if is_consumer else "a producer"
            yield Problem(
                at=("dependencies", index, "permissions"),
                message=f"{who} of `{subject.resource(index)}` also needs {' and '.join(missing)}",
                fix=f"add {', '.join(missing)}",
                on_key=True,
            )


RULE = Rule(
    id="msk-permissions-incomplete",
    severity=Severity.WARNING,
    summary="a Kafka client lacks some of the permissions that it needs",
    check=check,
)
