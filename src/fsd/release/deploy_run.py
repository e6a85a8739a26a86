"""A deployment under way: what it works with, what it has made, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fsd.compile.desired import Desired
from fsd.plan.observed import Observed
from fsd.plan.steps import Plan, Step
from fsd.release.apply_step import Applied
from fsd.release.concurrency.orphans import discard_if_unused
from fsd.release.deploy_request import DeployRequest
from fsd.release.ledger import release_info
from fsd.release.notes import Note
from fsd.release.operation import Operation
from fsd.release.phases import PhaseLog
from fsd.release.ports import Aws, Clock, Ecs
from fsd.release.reporter import Reporter
from fsd.release.result import ReleaseInfo
from fsd.release.stack_change import StackChange
from fsd.release.stages import DeployStage, Planning, Requested


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """AWS as it was observed, and what is to change of it."""

    observed: Observed
    plan: Plan
    attempt: int  # how many plans before it another deployment made out of date

    @property
    def previous(self) -> ReleaseInfo | None:
        running = self.observed.running
        return release_info(running) if running else None

    @property
    def replaced(self) -> str:
        """ARN of the revision that the rollout replaces. A deployment that this run attaches to has
        set its own already: then it is what ECS would go back to."""
        running, last = self.observed.running, self.observed.last_successful
        if not self.plan.attach_to:
            return running.arn if running else ""
        return last.task_definition_arn if last else ""

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.observed.stack.outputs if self.observed.stack else {}

    @property
    def has_targets(self) -> bool:
        return self.observed.service is not None and bool(self.observed.service.target_group_arns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What was applied, what ECS was asked for, and what waits for the verdict."""

    planned: Planned
    applied: Applied
    after: tuple[Step, ...]
    requested: Requested | None  # None where nothing rolls out


@dataclass(slots=True, kw_only=True)
class Reached:
    """How far it has come: what a signal, or AWS that answers no more, finds."""

    stage: DeployStage = field(default_factory=Planning)
    planned: Planned | None = None  # the last one
    deployment_arn: str = ""  # ours, once it is found

    @property
    def task_definition_arn(self) -> str:
        """Of the revision that ECS was asked to roll out; "" before it was."""
        return self.stage.task_definition_arn


@dataclass(slots=True, kw_only=True)
class MadeByRun:
    """What this run has made, and what must not look like a release if it does not become one."""

    ecs: Ecs
    desired: Desired
    stack: StackChange
    revision: str = ""  # while nothing uses it

    def take_back(self, reached: Reached) -> None:
        """What will not be used, or not now."""
        self.discard_revision(reached)
        self.stack.restore_if_ours()

    def discard_revision(self, reached: Reached) -> None:
        revision, self.revision = self.revision, ""
        if revision and revision != reached.task_definition_arn:
            discard_if_unused(self.ecs, revision, self.desired)


@dataclass(slots=True, kw_only=True)
class RunNotes:
    """The notes of the result; the late ones come last."""

    reporter: Reporter
    notes: tuple[Note, ...] = ()
    late: tuple[Note, ...] = ()

    def begin(self, *notes: Note) -> None:
        """Now, and at the end, in place of those of an earlier plan."""
        self.notes = notes
        for note in notes:
            self.reporter.note(note)

    def tell_late(self, note: Note) -> None:
        """Now, and at the end."""
        self.late = (*self.late, note)
        self.reporter.note(note)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRun:
    request: DeployRequest
    operation: Operation
    started: datetime
    phases: PhaseLog
    made: MadeByRun
    noted: RunNotes
    reached: Reached = field(default_factory=Reached)

    @property
    def desired(self) -> Desired:
        return self.request.desired

    @property
    def aws(self) -> Aws:
        return self.operation.aws

    @property
    def clock(self) -> Clock:
        return self.operation.clock

    @property
    def reporter(self) -> Reporter:
        return self.operation.reporter

    @property
    def stack(self) -> StackChange:
        return self.made.stack

    @property
    def watches_on(self) -> bool:
        """Whether its tasks are watched after ECS calls the rollout done."""
        return self.desired.steady_for > 0 and self.request.wait

    def enter(self, stage: DeployStage) -> None:
        self.reached.stage = stage
