"""Every error that FSD raises on purpose. One root, so one `except` at the CLI.

FsdError
  UsageError        the command line asks for something that cannot be
  ManifestError     the Service YAML, an override or an environments file is not valid
  RefusedError      FSD refused: policy, wrong account, a deployment in flight
  CallFailedError   AWS, Docker or GitHub did not do what was asked
  TimedOutError     the time is up and the state is not known to be final
  Interrupted a signal ended the command

How a deployment ended is a value (`fsd.release.result.Outcome`), not an error: it has an exit code
too, and both tables are in `ExitCode`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process returns. A number never changes its meaning."""

    OK = 0
    BUG = 1
    USAGE = 2
    INVALID_MANIFEST = 3
    REFUSED = 4
    CALL_FAILED = 5
    ROLLED_BACK = 6
    ROLLBACK_FAILED = 7
    SUPERSEDED = 8
    TIMED_OUT = 9
    PLAN_HAS_CHANGES = 10
    INTERRUPTED = 130
    TERMINATED = 143


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Location:
    """A place in a file; line and column count from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class FsdError(Exception):
    """What happened with the value, where, and what to do next.

    `where` is a `Location`, the name of a resource, or the flag of a command line.
    """

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(
        self,
        what: str,
        *,
        where: Location | str,
        fix: str,
        code: str = "",
        exit_code: ExitCode | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix
        self.id = code or self.code
        self.exits_with = self.exit_code if exit_code is None else exit_code

    def __str__(self) -> str:
        return f"error[{self.id}]: {self.what}\n  --> {self.where}\n  fix: {self.fix}"


class UsageError(FsdError):
    code = "usage"
    exit_code = ExitCode.USAGE


class ManifestError(FsdError):
    """Raised with one summary; the findings themselves are reported beside it."""

    code = "manifest-invalid"
    exit_code = ExitCode.INVALID_MANIFEST


class RefusedError(FsdError):
    code = "refused"
    exit_code = ExitCode.REFUSED


class CallFailedError(FsdError):
    """`may_be_done`: no answer came, so that what was asked for may have been done. `may_pass`: the
    same call may be answered in a minute."""

    code = "call-failed"
    exit_code = ExitCode.CALL_FAILED
    may_be_done = False
    may_pass = False


class TimedOutError(FsdError):
    code = "timed-out"
    exit_code = ExitCode.TIMED_OUT


class Interrupted(FsdError):
    """A signal came; 130 for SIGINT, 143 for SIGTERM."""

    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED
