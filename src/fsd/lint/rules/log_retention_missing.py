"""CloudWatch keeps logs for ever unless told otherwise, and storage is what they cost most.

FSD has a default, 30 days, and nothing is found where the manifest leaves logs to it. A section
without `retention` looks like a decision that was forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.edit import SetValue

LOGS = ("service", "observability", "logs")
RETENTION = (*LOGS, "retention")


def check(subject: Subject) -> Iterator[Problem]:
    logs = subject.service.observability.logs
    if not logs.enabled or not subject.is_written(*LOGS) or subject.is_written(*RETENTION):
        return
    yield Problem(
        at=LOGS,
        message=f"nothing says how long the logs of {subject.manifest.metadata.name} are kept; "
        f"FSD keeps them {logs.retention} days",
        fix=f"`retention: {logs.retention}` in service.observability.logs",
        on_key=True,
        edit=SetValue(at=RETENTION, value=logs.retention),
    )
