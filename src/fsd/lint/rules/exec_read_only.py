"""ECS Exec cannot open a session where the root file system is read-only.

The SSM agent that runs beside the program writes to it.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

EXEC = ("service", "exec")
READ_ONLY = ("service", "readonlyRootFilesystem")


def check(subject: Subject) -> Iterator[Problem]:
    service = subject.service
    if service.exec and service.readonly_root_filesystem:
        yield Problem(
            at=EXEC,
            message="`exec: true` cannot open a session: the root file system is read-only",
            fix="if you need a shell, remove `readonlyRootFilesystem`; otherwise, remove `exec`",
            uses=(READ_ONLY,),
        )
