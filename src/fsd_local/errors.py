"""What the embedded AWS raises on purpose.

The sentences name the command `fsd-local`; whoever has another command for the same says it in its
own words.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class LocalCode(StrEnum):
    """What went wrong, for programs; a row of FSD's table of error codes."""

    BUILD_FAILED = "build-failed"
    DOCKER_UNAVAILABLE = "docker-unavailable"
    IMAGE_WITHOUT_COMMAND = "image-without-command"
    LOCAL_CALL_FAILED = "local-call-failed"
    LOCAL_EXTRA_MISSING = "local-extra-missing"
    LOCAL_NO_ANSWER = "local-no-answer"
    LOCAL_NOT_RUNNING = "local-not-running"
    LOCAL_START_FAILED = "local-start-failed"
    LOCAL_STATE_FOREIGN = "local-state-foreign"
    PORT_IN_USE = "port-in-use"
    PUSH_FAILED = "push-failed"
    SESSION_NOT_BEGUN = "session-not-begun"
    USAGE = "usage"


class LocalError(Exception):
    """What happened with the value, where, and what to do next."""

    exit_code: ClassVar[int] = 5
    may_pass: ClassVar[bool] = False  # whether the same can succeed a little later

    def __init__(self, what: str, *, where: str, fix: str, code: LocalCode) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix
        self.code = code

    def __str__(self) -> str:
        return f"error[{self.code}]: {self.what}\n  --> {self.where}\n  fix: {self.fix}"


class LocalUsageError(LocalError):
    """What is asked for cannot be."""

    exit_code = 2


class PassingError(LocalError):
    may_pass = True
