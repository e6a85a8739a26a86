"""What a person should know while a command works and once it has ended, as values.

`fsd.report.notes` puts them into words, and is the only place that does: here are names, numbers
and what somebody else said (`Quoted`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from fsd.change import Change
from fsd.manifest.rollout_time import Estimate
from fsd.plan.moved_check import MovedCheck
from fsd.plan.notes import PlanNote
from fsd.quoted import Quoted
from fsd.release.follow_ups import FollowUp
from fsd.rollout.log_remarks import LogRemark
from fsd.snapshot import LifecycleHook


class Remark(StrEnum):
    """Notes that have no values."""

    ANOTHER_BEGAN = "another-began"
    SCHEDULE_MOVED = "schedule-moved"  # by another deployment
    SCHEDULE_DUE = "schedule-due"  # the old one or the new one starts a run in this minute
    SCHEDULE_ALWAYS_DUE = "schedule-always-due"  # in each of the next twenty minutes
    PROBE_SWEPT = "probe-swept"  # that a run which was stopped had left
    PROBE_GONE = "probe-gone"  # it was removed while it was used
    LOG_LINES_ELSEWHERE = "log-lines-elsewhere"


# --- somebody else's words -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLine:
    """Of a build, or of a task."""

    text: str
    source: str = ""  # `beforeDeploy`; "" for a build


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLog:
    """Why log lines of a task before or after the rollout are missing."""

    step: str  # `beforeDeploy`
    remark: LogRemark


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """AWS did not answer; the same is asked again."""

    error: Quoted
    is_look: bool  # False: a call that changes something


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLost:
    """ECS took the change all the same."""

    error: Quoted


class Undone(StrEnum):
    """What only says more, and does not hold a command up."""

    ALARMS = "alarms"  # before a deployment
    RUNNING = "running"  # what runs now
    TARGETS = "targets"  # the health of the targets
    EXPLANATION = "explanation"  # the tasks and targets that explain a failure
    LEDGER = "ledger"  # to be written


@dataclass(frozen=True, slots=True, kw_only=True)
class CouldNot:
    """It is not done; the command goes on without."""

    what: Undone
    error: Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRefused:
    error: Quoted


# --- other deployments ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentAwaited:
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftStopped:
    """Another run's deployment, that shifts traffic and is to be superseded."""

    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedTo:
    deployment_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderTakenOver:
    """A deployment in flight that is not newer."""

    revision: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """A deployment that began in the same moment."""

    revision: str
    had_succeeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherDeployment:
    revision: str
    run: str = ""


# --- the rollout ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitTooShort:
    """The rollout is expected to take longer than is waited for."""

    expected: Estimate
    speed: float  # of an embedded AWS
    timeout: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsIgnored:
    """In ALARM already: ECS ignores all of them in this deployment."""

    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsMissing:
    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsWatched:
    """All tasks are healthy, and ECS watches the alarms for the bake time."""

    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksWatched:
    """`deployment.steadyFor`, once ECS calls it done."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentPaused:
    hook: LifecycleHook
    stage: str  # "" where ECS does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class UnhealthyTasks:
    healthy: int
    desired: int
    look: FollowUp


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIsDown:
    """No task has been healthy since; `revision` is brought back."""

    service: str
    revision: str
    since: datetime
    is_since_known: bool  # False: it was only seen then


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTo:
    """What `fsd rollback` is about to do; a version is "" where the release has none."""

    service: str
    revision: str
    version: str
    target_revision: str
    target_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstTasks:
    """A revision that never ran: its first tasks are a deployment."""

    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOffFailedAfter:
    """`afterDeploy`: the release stays."""

    error: Quoted
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSet:
    """Now that auto scaling is gone."""

    service: str
    count: int


# --- the stack -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StackClash:
    """Somebody has changed the stack since this run found or made it. Who, it does not tell."""

    stack: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClashLeft:
    """It stays as somebody else has made it."""

    clash: StackClash
    since: tuple[OtherDeployment, ...]  # the deployments that began since the look


@dataclass(frozen=True, slots=True, kw_only=True)
class ClashMended:
    """What this release needs is there again, or could not be put back."""

    clash: StackClash
    error: Quoted | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undeleted:
    """No longer in the stack, so that no later deployment removes it."""

    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    stack: str
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackNotRestored:
    error: Quoted
    left: LeftBehind | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackKeepsMore:
    """What only the old tasks needed; the next deployment removes it."""

    error: Quoted | None = None


# --- a health check that moves -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTried:
    moved: MovedCheck
    tasks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPassed:
    moved: MovedCheck
    tasks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortOpened:
    port: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLeft:
    """AWS did not remove the probe."""

    error: Quoted
    is_own: bool  # else a run that was stopped had left it


# --- before the deployment -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """Which protection was passed, and by whom, as the ledger has it."""

    entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageNotBuilt:
    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagMissing:
    """The image is there by the tag of its content, and did not get the one people look for."""

    has: str
    tag: str
    error: Quoted


class NoDigest(StrEnum):
    NOT_ECR = "not-ecr"
    NOT_THERE = "not-there"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestUnknown:
    """The tag is deployed, and what it names can change."""

    reference: str
    why: NoDigest | Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsSkipped:
    """Of a Dockerfile: processes run without Docker."""

    steps: tuple[str, ...]


class Made(StrEnum):
    REPOSITORY = "repository"
    PLACEHOLDER = "placeholder"  # a secret's
    EMBEDDED_AWS = "embedded-aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    what: Made
    name: str  # the endpoint of the embedded AWS


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultVpcUsed:
    vpc_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesNotFetched:
    """Git LFS pointers in the build context."""

    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    version: str
    revision: str
    digest: str
    source: str  # the environment


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferrerLeft:
    """A signature or an attestation was not copied with the image that it is of."""

    digest: str  # its own, or the image's where they could not be listed
    to: str  # the repository's URI
    error: Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUntagged:
    """The image is there by its digest alone, and got no tag."""

    image: str  # with its digest
    error: Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanAwaited:
    """ECR's scan of the image has not ended."""

    image: str  # repository@digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanAhead:
    """In a plan: a deployment will wait for ECR's scan of the image."""

    image: str  # repository@digest; repository:tag of one that is yet to be built
    status: str = ""  # ECR's word for the scan; "" where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyUnread:
    """In a plan: whether the environment would take the image is not known."""

    policy: str  # promoteFrom | imageScan
    error: Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAhead:
    """In a plan: the deployment will pause until somebody answers it."""

    stage: str  # postScaleUp, as the manifest has it
    timeout: str  # 24h
    then: str  # rollback | continue


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceVerified:
    """The image's attestation is the one that the environment asks for."""

    repository: str  # ORG/REPO
    workflow: str  # its file's name
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPassed:
    """ECR's scan found nothing that the environment refuses."""

    image: str  # repository@digest
    block: str  # critical | high
    counts: tuple[tuple[str, int], ...]  # by severity, the worst first
    unrated: tuple[str, ...] = ()  # names of the findings that have no severity
    completed_at: datetime | None = None  # None where ECR does not say when it scanned


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCopied:
    """From the registry of another environment."""

    to: str  # the repository's URI
    sent: int  # bytes of layers that went through this machine
    seconds: float


class Removal(StrEnum):
    SERVICE = "service"  # its tasks stop
    STACK = "stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removing:
    what: Removal
    name: str


Note: TypeAlias = (
    Remark
    | PlanNote
    | OutputLine
    | StepLog
    | NoAnswer
    | AnswerLost
    | CouldNot
    | StopRefused
    | DeploymentAwaited
    | ShiftStopped
    | AttachedTo
    | OlderTakenOver
    | TakenOver
    | WaitTooShort
    | AlarmsIgnored
    | AlarmsMissing
    | AlarmsWatched
    | TasksWatched
    | DeploymentPaused
    | UnhealthyTasks
    | ServiceIsDown
    | BackTo
    | FirstTasks
    | OneOffFailedAfter
    | CountSet
    | ClashLeft
    | ClashMended
    | Undeleted
    | LeftBehind
    | StackNotRestored
    | StackKeepsMore
    | CheckTried
    | CheckPassed
    | PortOpened
    | ProbeLeft
    | Forced
    | ImageNotBuilt
    | TagMissing
    | DigestUnknown
    | StepsSkipped
    | Created
    | DefaultVpcUsed
    | FilesNotFetched
    | Promoted
    | ScanAwaited
    | ScanAhead
    | PolicyUnread
    | ApprovalAhead
    | ProvenanceVerified
    | ScanPassed
    | ImageCopied
    | ImageUntagged
    | ReferrerLeft
    | Removing
)
