"""Some Kafka actions are worth nothing alone: an idempotent write needs the plain one too.

FSD grants those beside what is listed, so nothing is denied; but then the task role has
more than the manifest says. The four permissions of a consumer are a set that everybody knows: what
FSD adds to them is not reported.
https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.lint.rules.msk_permissions_incomplete import needed_actions
from fsd.manifest.dependencies import expand
from fsd.manifest.edit import AddItems
from fsd.manifest.kafka_actions import missing_kafka_actions

_READ = "kafka-cluster:ReadData"


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        if dependency.type != "aws_msk_cluster":
            continue
        every = {action for text in dependency.permissions for action in expand(text)}
        known = _reported_elsewhere(every)
        told: set[str] = set()
        for number, permission in enumerate(dependency.permissions):
            missing = _needed(permission, every=every) - known - told
            told |= missing
            if missing:
                names = " and ".join(f"`{action}`" for action in sorted(missing))
                yield Problem(
                    at=("dependencies", index, "permissions", number),
                    message=f"`{permission}` does not work without {names}, which FSD also grants",
                    fix=f"add {names.replace(' and ', ', ')}: the list then says what is granted",
                    edit=AddItems(
                        at=("dependencies", index, "permissions"), items=tuple(sorted(missing))
                    ),
                )


def _needed(permission: str, *, every: set[str]) -> set[str]:
    return {name for name in missing_kafka_actions(expand(permission)) if name not in every}


def _reported_elsewhere(every: set[str]) -> set[str]:
    """What msk-permissions-incomplete asks for, and what comes with the four of a consumer."""
    consumer = missing_kafka_actions([_READ]) if _READ in every else ()
    return {*needed_actions(every), *consumer}
