"""Settings of logs that cannot be combined.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_firelens.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.models import Logs, Service

_OBSERVABILITY = ("service", "observability", "logs")


def logs_at(service: Service) -> tuple[str, ...]:
    """Where the settings of logs stand."""
    return ("service", "logs") if service.logs is not None else _OBSERVABILITY


def check(subject: Subject) -> Iterator[Problem]:
    logs, at = subject.service.log_settings, logs_at(subject.service)
    if subject.service.logs is not None and subject.is_written(*_OBSERVABILITY):
        yield Problem(
            at=at,
            message="`service.logs` is short for `service.observability.logs`, and both are set",
            fix="remove one",
            uses=(at, _OBSERVABILITY),
            on_key=True,
        )
    if logs.group is not None:
        yield from _of_the_owner(subject, logs, at)
    if logs.driver == "awsfirelens" and "Name" not in logs.options:
        yield Problem(
            at=(*at, "driver"),
            message="the manifest does not say where Fluent Bit sends the log lines",
            fix="add `options` with the `Name` of an output, such as `Name: firehose`",
        )
    elif logs.driver != "awsfirelens" and logs.options:
        yield Problem(
            at=(*at, "options"),
            message="`options` has no effect, because the driver is awslogs",
            fix="add `driver: awsfirelens`, or remove them",
            on_key=True,
        )


def _of_the_owner(subject: Subject, logs: Logs, at: tuple[str, ...]) -> Iterator[Problem]:
    for key in ("retention", "kmsKey"):
        if subject.is_written(*at, key):
            yield Problem(
                at=(*at, key),
                message=f"`{key}` is a setting of the log group `{logs.group}`, which FSD does "
                "not change",
                fix="remove it, or remove `group`",
                uses=((*at, key), (*at, "group")),
            )
