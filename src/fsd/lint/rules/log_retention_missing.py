"""CloudWatch keeps logs for ever unless told otherwise, and storage is what they cost most.

FSD has a default, 30 days, and nothing is found where the manifest leaves logs to it. A section
without `retention` looks like a decision that was forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.lint.rules.log_setting import logs_at
from fsd.manifest.edit import SetValue


def check(subject: Subject) -> Iterator[Problem]:
    logs = subject.service.log_settings
    at = logs_at(subject.service)
    retention = (*at, "retention")
    if not logs.enabled or not subject.is_written(*at) or subject.is_written(*retention):
        return
    if logs.group is not None:  # its owner says how long
        return
    yield Problem(
        at=at,
        message=f"no log retention is set for {subject.manifest.metadata.name}; FSD keeps the "
        f"logs for {logs.retention} days",
        fix=f"`retention: {logs.retention}` in {'.'.join(at)}",
        on_key=True,
        edit=SetValue(at=retention, value=logs.retention),
    )
