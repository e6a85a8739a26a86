"""How a command on a service ended: the one model behind every report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fsd.change import Change
from fsd.errors import ExitCode
from fsd.plan.steps import Step
from fsd.release.follow_ups import FollowUp
from fsd.release.messages import Message
from fsd.release.notes import Note
from fsd.release.phase_facts import PhaseFact
from fsd.release.rollout_speed import RolloutSpeed
from fsd.rollout.cause import Diagnosis


class Outcome(StrEnum):
    """Different things that peers call "deployed" or "failed"; names are the Action's outputs. What
    has no exit code of its own ends with 0."""

    exit_code: ExitCode

    def __new__(cls, value: str, exit_code: ExitCode = ExitCode.OK) -> Outcome:
        member = str.__new__(cls, value)
        member._value_ = value
        member.exit_code = exit_code
        return member

    SUCCEEDED = "succeeded"
    NOT_STARTED = "deployed-not-started"  # at count 0: no task ran, so nothing is proved
    UNCHANGED = "unchanged"
    PLANNED = "planned"
    SKIPPED = "skipped"
    ROLLED_BACK = "rolled-back", ExitCode.ROLLED_BACK
    ROLLBACK_FAILED = "rollback-failed", ExitCode.ROLLBACK_FAILED
    SUPERSEDED = "superseded", ExitCode.SUPERSEDED
    TIMED_OUT = "timed-out", ExitCode.TIMED_OUT
    REFUSED = "refused", ExitCode.REFUSED
    INTERRUPTED = "interrupted", ExitCode.INTERRUPTED
    STARTED = "started"  # --no-wait


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeFacts:
    is_rolled_out: bool = False  # what follows a rollout is due, such as `afterDeploy`
    expects_health: bool = False  # no failure is told: tasks that are not healthy are worth a note
    is_idle: bool = False  # nothing was done, or proposed


# A row for each, which a test wants: a new outcome is decided on, not forgotten.
OUTCOME_FACTS: Mapping[Outcome, OutcomeFacts] = {
    Outcome.SUCCEEDED: OutcomeFacts(is_rolled_out=True, expects_health=True),
    Outcome.NOT_STARTED: OutcomeFacts(is_rolled_out=True),
    Outcome.UNCHANGED: OutcomeFacts(expects_health=True, is_idle=True),
    Outcome.SKIPPED: OutcomeFacts(is_idle=True),
    Outcome.PLANNED: OutcomeFacts(),
    Outcome.ROLLED_BACK: OutcomeFacts(),
    Outcome.ROLLBACK_FAILED: OutcomeFacts(),
    Outcome.SUPERSEDED: OutcomeFacts(),
    Outcome.TIMED_OUT: OutcomeFacts(),
    Outcome.REFUSED: OutcomeFacts(),
    Outcome.INTERRUPTED: OutcomeFacts(),
    Outcome.STARTED: OutcomeFacts(),
}


class PhaseName(StrEnum):
    MANIFEST = "manifest"
    IMAGE = "image"
    STACK = "stack"
    REVISION = "revision"
    TASK = "task"  # before or after the rollout
    ROLLOUT = "rollout"
    ROLLBACK = "rollback"
    SCHEDULE = "schedule"  # of a Job
    SCALING = "scaling"


class PhaseState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One line of the report: ` ✔ image  offer-api@sha256:9b1f2c…  built 12.4 s`.

    What a step of the plan does is the step itself; `revision` is what came of it.
    """

    name: PhaseName
    state: PhaseState
    started_at: datetime
    finished_at: datetime | None = None
    fact: PhaseFact | None = None  # None: it has only begun, or its step says it
    step: Step | None = None
    revision: str = ""  # family:revision that the step registered, or found

    @property
    def step_changes(self) -> tuple[Change, ...]:
        return getattr(self.step, "changes", ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The rollout while it runs, for bars and plain lines."""

    elapsed: timedelta
    new_revision: str  # offer-api-dev:42
    new_healthy: int
    new_running: int
    new_pending: int
    desired: int
    old_revision: str  # "" for a first deployment
    old_running: int
    failed_tasks: int
    failure_threshold: int
    note: str = ""  # ECS's newest event, as ECS words it
    stage: str = ""  # ECS's, of a deployment that shifts traffic: BAKE_TIME
    traffic: float | None = None  # percent that the new tasks have; None: nothing shifts


class PastOutcome(StrEnum):
    """How a release in the ledger ended; the values are those of the JSON documents."""

    SUCCEEDED = "succeeded"
    NOT_STARTED = "not started"  # rolled out at count 0; never a success
    NOT_SCHEDULED = "not scheduled"  # of a Job: registered, and its schedule never had it
    NOT_JUDGED = "not judged"  # not seen to its end, or it ran no task then
    FAILED = "failed"
    ROLLED_BACK = "rolled back"
    ROLLBACK_FAILED = "rollback failed"
    STOPPED = "stopped"
    IN_PROGRESS = "in progress"
    UNKNOWN = ""  # ECS no longer knows


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionStage:
    """An environment in which a digest had succeeded before it was promoted."""

    environment: str
    revision: str  # family:revision, there
    at: datetime | None  # when that was released
    run: str  # by whom


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseInfo:
    """One entry of the ledger."""

    version: str
    commit: str
    revision: str  # family:revision
    task_definition_arn: str
    digest: str
    cpu: int = 0  # units
    memory: int = 0  # MiB
    at: datetime | None = None
    run: str = ""
    steady_for: int = 0  # seconds after a rollout in which no task of it may end by itself
    forced: str = ""  # over the environment's border: what was done to it, and by whom
    promoted_from: tuple[PromotionStage, ...] = ()  # where it came from, the nearest first
    outcome: PastOutcome = PastOutcome.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a deployment (or rollback, scale, restart) did, complete enough to explain it."""

    outcome: Outcome
    action: str  # deploy, rollback, scale, restart
    service: str  # metadata.name
    environment: str
    account: str
    region: str
    started_at: datetime
    finished_at: datetime
    release: ReleaseInfo | None = None  # what was to be released
    previous: ReleaseInfo | None = None  # what ran before
    running: ReleaseInfo | None = None  # what runs now, as seen at the end
    running_count: int = 0
    desired_count: int = 0
    healthy_count: int = 0
    schedule: str = ""  # of a Job: rate(1 hour), by hand; then `running` is what it starts
    next_run: datetime | None = None  # of a Job; None also where only AWS knows it: by a rate
    speed: RolloutSpeed | None = None  # of a rollout that succeeded; None where ECS does not say
    image: str = ""
    deployment_arn: str = ""
    url: str = ""
    log_group: str = ""
    owners: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    changes: tuple[Change, ...] = ()
    diagnosis: Diagnosis | None = None
    was_begun: bool = True  # False: a step before the rollout failed
    message: Message | None = None  # the one sentence for outcomes that are not plain success
    next_steps: tuple[FollowUp, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def duration(self) -> timedelta:
        return self.finished_at - self.started_at
