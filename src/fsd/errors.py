"""Every error that FSD raises on purpose. One root, so one `except` at the CLI.

FsdError
  UsageError        the command line asks for something that cannot be
  ManifestError     the Service YAML, an override or an environments file is not valid
  RefusedError      FSD refused: policy, wrong account, a deployment in flight
  CallFailedError   AWS, Docker or GitHub did not do what was asked
  TimedOutError     the time is up and the state is not known to be final
  Interrupted       a signal ended the command

The class is what a caller catches; the code is what it compares, and what `fsd explain` knows. How
a deployment ended is a value (`fsd.release.result.Outcome`), not an error: it has an exit code too,
and both are in `ExitCode`.
"""

from __future__ import annotations

from typing import ClassVar

from fsd.error_codes import ErrorCode as ErrorCode
from fsd.error_codes import ExitCode as ExitCode
from fsd_files.errors import Location as Location


class FsdError(Exception):
    """What happened with the value, where, and what to do next.

    `where` is a `Location`, the name of a resource, or the flag of a command line.
    """

    default_code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(
        self,
        what: str,
        *,
        where: Location | str,
        fix: str,
        code: ErrorCode | None = None,
        exit_code: ExitCode | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix
        self.code = code or self.default_code
        self.exit_code = exit_code or self._exit_code()

    def _exit_code(self) -> ExitCode:
        """That of the class, where the code may end with it."""
        own = self.default_code.exits[0]
        return own if own in self.code.exits else self.code.exits[0]

    def __str__(self) -> str:
        return f"error[{self.code}]: {self.what}\n  --> {self.where}\n  fix: {self.fix}"


class UsageError(FsdError):
    default_code = ErrorCode.USAGE


class ManifestError(FsdError):
    """Raised with one summary; the findings themselves are reported beside it."""

    default_code = ErrorCode.MANIFEST_INVALID


class RefusedError(FsdError):
    default_code = ErrorCode.REFUSED


class CallFailedError(FsdError):
    """`may_be_done`: no answer came, so that what was asked for may have been done. `may_pass`: the
    same call may be answered in a minute."""

    default_code = ErrorCode.CALL_FAILED
    may_be_done = False
    may_pass = False


class TimedOutError(FsdError):
    default_code = ErrorCode.TIMED_OUT


class Interrupted(FsdError):
    """A signal came; 130 for SIGINT, 143 for SIGTERM."""

    default_code = ErrorCode.INTERRUPTED
