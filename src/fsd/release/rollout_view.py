"""Tells how far a rollout is, and what a person should know while ECS is at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fsd.release.messages import RolloutProgress, RolloutStage
from fsd.release.notes import AlarmsWatched, DeploymentPaused, Note, TasksWatched
from fsd.release.ports import Clock
from fsd.release.progress import baking_alarms, progress_of
from fsd.release.reporter import Reporter
from fsd.release.result import Progress
from fsd.release.rollout_stage import Drain, stage_of, standing_of
from fsd.rollout.assess import Ours
from fsd.snapshot import Snapshot


@dataclass(slots=True, kw_only=True)
class RolloutView:
    clock: Clock
    reporter: Reporter
    started: datetime
    old_revision: str = ""
    warnings: list[Note] = field(default_factory=list)  # each told once
    # What took the time so far.
    stage_times: dict[RolloutStage, timedelta] = field(default_factory=dict)
    _shown_at: datetime | None = None
    _baking: str = ""  # the deployment whose bake was told

    def show(self, snapshot: Snapshot, ours: Ours, *, event: str) -> None:
        deployment = snapshot.deployment
        if deployment is not None and deployment.awaits is not None:
            self.warn(DeploymentPaused(hook=deployment.awaits, stage=deployment.lifecycle_stage))
        progress = self._progress(snapshot, ours, note=event)
        self._take_time(stage_of(snapshot, progress))
        self.reporter.progress(progress)
        baking = baking_alarms(snapshot, progress)
        if baking and ours.arn != self._baking:
            self._baking = ours.arn
            self.reporter.note(AlarmsWatched(alarms=baking))

    def tell_of_the_wait(self, seconds: float) -> None:
        self.reporter.note(TasksWatched(seconds=seconds))

    def warn(self, note: Note) -> None:
        if note not in self.warnings:
            self.warnings.append(note)
            self.reporter.note(note)

    def where_it_stands(self, snapshot: Snapshot, ours: Ours, drain: Drain) -> RolloutProgress:
        """For a wait that ended before ECS did: what is true, and what took the time."""
        progress = self._progress(snapshot, ours)
        self._take_time(stage_of(snapshot, progress))
        return standing_of(snapshot, progress, drain, times=self.stage_times)

    def _progress(self, snapshot: Snapshot, ours: Ours, *, note: str = "") -> Progress:
        return progress_of(
            snapshot,
            ours,
            elapsed=self.clock.now() - self.started,
            old_revision=self.old_revision,
            note=note,
        )

    def _take_time(self, stage: RolloutStage) -> None:
        """The time since the look before goes to what was seen then to be going on."""
        now, before = self.clock.now(), self._shown_at or self.started
        self.stage_times[stage] = self.stage_times.get(stage, timedelta()) + (now - before)
        self._shown_at = now
