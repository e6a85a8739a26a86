"""Tasks that run once: started, followed line by line, and what became of them.

Used before and after a rollout, and by `fsd run`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fsd.compile.desired import Json, OneOff
from fsd.compile.one_off import run_parameters
from fsd.errors import CallFailedError, ErrorCode, Interrupted
from fsd.quoted import Quoted
from fsd.release.log_places import LogRoutes
from fsd.release.logs import LogReader
from fsd.release.mask import mask_lines
from fsd.release.ports import Aws, Clock
from fsd.rollout.log_remarks import LogRemark, LogUnreadable
from fsd.snapshot import StoppedTask

_LOOK = timedelta(seconds=2)
_LOST_LOOKS = 5  # in which a task that was started is not listed
_INTERRUPTED, _TIMED_OUT = "fsd was interrupted", "its time was over"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOffEnd:
    task: StoppedTask
    exit_code: int | None  # of the service's container; None: it did not run
    is_timed_out: bool = False

    @property
    def is_good(self) -> bool:
        return self.exit_code == 0 and not self.is_timed_out


@dataclass(slots=True, kw_only=True)
class OneOffRunner:
    """Runs one task to its end. `on_line` gets each log line, masked, as it comes, and
    `on_remark` why some do not come."""

    aws: Aws
    clock: Clock
    cluster: str
    container: str
    network: Json
    logs: LogRoutes
    on_line: Callable[[str], None]
    on_remark: Callable[[LogRemark], None]
    speed: float = 1.0
    _reader: LogReader | None = field(default=None, init=False)

    def run(self, one_off: OneOff, *, task_definition_arn: str, started_by: str) -> OneOffEnd:
        """Raises CallFailedError where ECS starts no task, or no longer knows it."""
        started = self.clock.now()
        task = self.aws.ecs.run_task(
            run_parameters(
                one_off,
                cluster=self.cluster,
                container=self.container,
                network=self.network,
                task_definition_arn=task_definition_arn,
                started_by=started_by,
            )
        )
        for elsewhere in self.logs.elsewhere:
            self.on_remark(elsewhere)
        if self.logs.places:
            start = started - timedelta(minutes=1)
            self._reader = LogReader(
                logs=self.aws.logs, places=self.logs.places, start=start, task=task
            )
        try:
            return self._follow(task, deadline=started + timedelta(seconds=one_off.timeout))
        except Interrupted:
            self.aws.ecs.stop_task(self.cluster, task, reason=_INTERRUPTED)
            raise

    def _follow(self, task: str, *, deadline: datetime) -> OneOffEnd:
        is_timed_out, unseen = False, 0
        while True:
            found = self.aws.ecs.find_task(self.cluster, task)
            self._tell()
            if isinstance(found, StoppedTask):
                self._tell()
                return OneOffEnd(
                    task=found, exit_code=self._exit_code(found), is_timed_out=is_timed_out
                )
            unseen = unseen + 1 if found is None else 0
            if unseen > _LOST_LOOKS:
                raise CallFailedError(
                    f"ECS no longer knows the task {task}",
                    where=f"{self.cluster}/{task}",
                    fix="read its log:  fsd logs",
                    code=ErrorCode.TASK_LOST,
                )
            if not is_timed_out and self.clock.now() >= deadline:
                self.aws.ecs.stop_task(self.cluster, task, reason=_TIMED_OUT)
                is_timed_out = True
            self.clock.wait(_LOOK / max(self.speed, 1.0))

    def _exit_code(self, task: StoppedTask) -> int | None:
        codes = {container.name: container.exit_code for container in task.containers}
        return codes.get(self.container)

    def _tell(self) -> None:
        try:
            lines = self._reader.read() if self._reader is not None else ()
        except CallFailedError as error:
            # The task runs on, whoever may read its lines.
            if not error.may_pass:
                self._reader = None
                self.on_remark(LogUnreadable(error=Quoted.of(error)))
            return
        for text in mask_lines(line.text.rstrip() for line in lines):
            self.on_line(text)
