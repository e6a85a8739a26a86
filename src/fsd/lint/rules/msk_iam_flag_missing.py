"""Permissions on a cluster are of no use to a client that does not sign in with IAM.

Services switch their Kafka client by the variable USE_MSK_IAM.
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.edit import SetValue

FLAG = "USE_MSK_IAM"
ENVIRONMENT = ("service", "environment")


def check(subject: Subject) -> Iterator[Problem]:
    value = subject.service.environment.get(FLAG)
    if (value or "").lower() == "true":
        return
    for index, dependency in enumerate(subject.manifest.dependencies):
        is_iam = any(text.lower().startswith("kafka-cluster:") for text in dependency.permissions)
        if dependency.type != "aws_msk_cluster" or not is_iam:
            continue
        said = "is not set" if value is None else f"is `{value}`"
        yield Problem(
            at=(*ENVIRONMENT, FLAG) if value is not None else ("dependencies", index, "type"),
            message=f"{FLAG} {said}, but `{subject.resource(index)}` is reached with IAM",
            fix=f'`{FLAG}: "true"` in service.environment',
            uses=((*ENVIRONMENT, FLAG),),
            edit=SetValue(at=(*ENVIRONMENT, FLAG), value="true"),
        )
        return
