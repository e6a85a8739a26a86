"""Ask AWS again, for minutes: a rollback must not end because one call was throttled or lost.

botocore repeats a call two or three times within seconds, and not at all once many have failed
(https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html); that is too little
where giving up leaves a failed release in place. Every call of a rollback may be made twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar, cast

from fsd.errors import CallFailedError
from fsd.quoted import Quoted
from fsd.release.notes import NoAnswer
from fsd.release.ports import Aws, Clock, Ecs, Stacks
from fsd.release.reporter import Reporter

LONGEST_PAUSE = timedelta(seconds=30)
RETRY_TIME = timedelta(minutes=5)  # without one answer

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    clock: Clock
    reporter: Reporter
    speed: float = 1.0  # of an embedded AWS, whose time runs faster
    limit: timedelta = RETRY_TIME

    def call(self, call: Callable[[], T]) -> T:
        """Raises the last error; at once what will not pass, a permission for example."""
        pause, waited = timedelta(seconds=2), timedelta()
        while True:
            try:
                return call()
            except CallFailedError as error:
                if not error.may_pass or waited >= self.limit:
                    raise
                self.reporter.note(NoAnswer(error=Quoted.of(error), is_look=False))
            self.clock.wait(pause / self.speed)
            waited += pause
            pause = min(2 * pause, LONGEST_PAUSE)

    def of(self, aws: Aws) -> Aws:
        """`aws`, whose ECS and CloudFormation are asked so."""
        return replace(
            aws,
            ecs=cast(Ecs, _Retried(aws.ecs, self)),
            stacks=cast(Stacks, _Retried(aws.stacks, self)),
        )


class _Retried:
    """A port with the same methods."""

    def __init__(self, port: object, retry: Retry) -> None:
        self._port = port
        self._retry = retry

    def __getattr__(self, name: str) -> Callable[..., object]:
        method: Callable[..., object] = getattr(self._port, name)
        return lambda *args, **kwargs: self._retry.call(lambda: method(*args, **kwargs))
