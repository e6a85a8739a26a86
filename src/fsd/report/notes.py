"""Notes in words: one function for each kind, found by its type. A warning says itself that it is
one. What has no function is an error of `tests/unit/report/test_notes.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import singledispatch

from fsd.durations import duration_text
from fsd.plan.notes import (
    CountWithoutEffect,
    ForeignPolicies,
    ForeignTarget,
    HealthCheckMoves,
    OldScheduleGone,
    RoleReplaced,
    ScheduleTakenOver,
    SecurityGroupsLeft,
    ServiceAdopted,
    ShiftsLater,
    TargetGroupLeft,
    TargetStays,
    VersionKept,
)
from fsd.quoted import Quoted
from fsd.release.notes import (
    AlarmsIgnored,
    AlarmsMissing,
    AlarmsWatched,
    AnswerLost,
    ApprovalAhead,
    AttachedTo,
    BackTo,
    CheckPassed,
    CheckTried,
    ClashLeft,
    ClashMended,
    CouldNot,
    CountSet,
    Created,
    DefaultVpcUsed,
    DeploymentAwaited,
    DeploymentPaused,
    DigestUnknown,
    FilesNotFetched,
    FirstTasks,
    Forced,
    ImageCopied,
    ImageNotBuilt,
    ImageUntagged,
    LeftBehind,
    Made,
    NoAnswer,
    NoDigest,
    Note,
    OlderTakenOver,
    OneOffFailedAfter,
    OtherDeployment,
    OutputLine,
    PolicyUnread,
    PortOpened,
    ProbeLeft,
    Promoted,
    ProvenanceVerified,
    ReferrerLeft,
    Remark,
    Removal,
    Removing,
    ScanAhead,
    ScanAwaited,
    ScanPassed,
    ServiceIsDown,
    ShiftStopped,
    StackClash,
    StackKeepsMore,
    StackNotRestored,
    StepLog,
    StepsSkipped,
    StopRefused,
    TagMissing,
    TakenOver,
    TasksWatched,
    Undeleted,
    Undone,
    UnhealthyTasks,
    WaitTooShort,
)
from fsd.report.follow_ups import follow_up_text
from fsd.report.words import (
    WARNING,
    capitalised,
    listed,
    log_remark_text,
    revision_label,
    short_digest,
)

FILES_SHOWN = 3

_REMARKS = {
    Remark.ANOTHER_BEGAN: "another deployment has begun in the meantime; looking again",
    Remark.SCHEDULE_MOVED: (
        "another deployment has moved the schedule in the meantime; looking again"
    ),
    Remark.SCHEDULE_DUE: (
        "a run is due just now: FSD waits until its time is over, so that it starts once"
    ),
    Remark.SCHEDULE_ALWAYS_DUE: (
        "a run may be due at any time in the next 20 minutes, so that FSD changed the schedules at "
        "once: one run may be missing, or start twice"
    ),
    Remark.PROBE_SWEPT: "removed the health check's probe that a stopped run had left behind",
    Remark.PROBE_GONE: "the health check's probe was removed in the meantime; trying again",
    Remark.LOG_LINES_ELSEWHERE: "(the log lines are in the job's log; the input `comment-logs` "
    "shows them here)",
}
_UNDONE = {
    Undone.ALARMS: "FSD could not read the deployment's alarms before the deployment began",
    Undone.RUNNING: "FSD could not read what is running now",
    Undone.TARGETS: "FSD could not compare the targets' health",
    Undone.EXPLANATION: "FSD could not read the stopped tasks and targets, which explain a failure",
    Undone.LEDGER: "FSD could not write the ledger",
}
_CREATED = {
    Made.REPOSITORY: "created the ECR repository {}",
    Made.PLACEHOLDER: "created {} with a placeholder value",
    Made.EMBEDDED_AWS: "started the embedded AWS at {}",
}
_NO_DIGEST = {
    NoDigest.NOT_ECR: "FSD looks digests up only in private Amazon ECR repositories",
    NoDigest.NOT_THERE: "the registry does not have this image",
}
_REMOVING = {Removal.SERVICE: "stopping {}", Removal.STACK: "deleting stack {}"}


@singledispatch
def note_text(note: Note) -> str:
    raise TypeError(f"no words for {type(note).__name__}")


def note_texts(notes: Iterable[Note]) -> tuple[str, ...]:
    return tuple(note_text(note) for note in notes)


def quoted_text(quoted: Quoted) -> str:
    return f"{quoted.text} ({quoted.where})" if quoted.where else quoted.text


def time_text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


@note_text.register
def _(note: Remark) -> str:
    return _REMARKS[note]


# --- the plan ------------------------------------------------------------------------------------


@note_text.register
def _(note: VersionKept) -> str:
    return (
        f"only the version and the commit differ from the running release, so {note.version} stays"
    )


@note_text.register
def _(note: HealthCheckMoves) -> str:
    changes = f"{WARNING}the health check changes to {note.moved.change}. The new check"
    if note.is_tried:
        return (
            f"{changes} also applies to the running tasks, so a deployment tries it on them first"
        )
    return (
        f"{changes} applies to the running tasks at once, without being tried first "
        "(--allow-interruption)"
    )


@note_text.register
def _(note: ShiftsLater) -> str:
    return (
        "this release replaces the tasks in batches and attaches the second target group; "
        f"{note.strategy} takes effect with the next release"
    )


@note_text.register
def _(note: ServiceAdopted) -> str:
    return (
        f"another tool created the service {note.service}, and this deployment takes it over: "
        f"{note.revision} serves until the new tasks are healthy, and a rollback returns to it"
    )


@note_text.register
def _(note: TargetGroupLeft) -> str:
    group = note.arn.rpartition("targetgroup/")[2].partition("/")[0]
    return (
        f"{WARNING}the tasks leave the target group {group}, so requests that its listener sends "
        "there are no longer answered; to keep the target group, set "
        f"`networking.loadBalancer.targetGroupArn: {note.arn}`"
    )


@note_text.register
def _(note: SecurityGroupsLeft) -> str:
    return (
        f"the tasks leave the security groups {' '.join(note.groups)} for one that FSD creates: "
        "anything that admits only the old groups, such as a database, must admit the new one too; "
        "to keep the old ones, set `networking.securityGroups`"
    )


@note_text.register
def _(note: RoleReplaced) -> str:
    return (
        f"FSD replaces the {note.what} {note.role} with one that it creates; to keep {note.role}, "
        "set `roles`"
    )


@note_text.register
def _(note: ScheduleTakenOver) -> str:
    old = f"the old {'rule' if note.is_rule else 'schedule'} {note.name}"
    return (
        f"{old} is disabled when this Job's own schedule begins; if that fails, {old} is enabled "
        "again"
    )


@note_text.register
def _(note: OldScheduleGone) -> str:
    return (
        f"this account and Region do not have {note.arn}, which `existingSchedule` names, so that "
        "nothing is disabled"
    )


@note_text.register
def _(note: CountWithoutEffect) -> str:
    return (
        f"desiredCount {note.wished} has no effect: auto scaling controls the count "
        f"(now {note.now})"
    )


@note_text.register
def _(note: ForeignPolicies) -> str:
    names = ", ".join(note.policies)
    if len(note.policies) == 1:
        return f"{names} also scales {note.service}; FSD did not create it and does not change it"
    return f"{names} also scale {note.service}; FSD did not create them and does not change them"


@note_text.register
def _(note: ForeignTarget) -> str:
    by = f"; {', '.join(note.policies)}" if note.policies else ""
    return (
        f"a scalable target without FSD's policies ({note.minimum} to {note.maximum} tasks{by}) "
        f"scales {note.service}; FSD leaves it unchanged"
    )


@note_text.register
def _(note: TargetStays) -> str:
    verb = "needs" if len(note.policies) == 1 else "need"
    return (
        f"the scalable target of {note.service} ({note.minimum} to {note.maximum} tasks) stays: "
        f"{', '.join(note.policies)}, which FSD did not create, {verb} it"
    )


# --- somebody else's words -----------------------------------------------------------------------


@note_text.register
def _(note: OutputLine) -> str:
    return f"{note.source} | {note.text}" if note.source else note.text


@note_text.register
def _(note: StepLog) -> str:
    return f"{note.step} | ({log_remark_text(note.remark)})"


@note_text.register
def _(note: NoAnswer) -> str:
    again = "looking again" if note.is_look else "asking again"
    return f"AWS did not answer ({quoted_text(note.error)}); {again}"


@note_text.register
def _(note: AnswerLost) -> str:
    return f"ECS accepted the change, but its answer was lost: {quoted_text(note.error)}"


@note_text.register
def _(note: CouldNot) -> str:
    return f"{_UNDONE[note.what]}: {quoted_text(note.error)}"


@note_text.register
def _(note: StopRefused) -> str:
    return f"ECS did not stop the deployment: {quoted_text(note.error)}"


# --- other deployments ---------------------------------------------------------------------------


@note_text.register
def _(note: DeploymentAwaited) -> str:
    return f"waiting for the deployment of {note.revision} to end"


@note_text.register
def _(note: ShiftStopped) -> str:
    return (
        f"stopping the deployment of {note.revision}, which is shifting traffic: ECS returns all "
        "requests to the tasks that had them before"
    )


@note_text.register
def _(note: AttachedTo) -> str:
    return f"attached to the deployment in flight: {note.deployment_arn}"


@note_text.register
def _(note: OlderTakenOver) -> str:
    what = revision_label(note.revision, note.version)
    return f"taking over from the deployment of {what}, which is not newer"


@note_text.register
def _(note: TakenOver) -> str:
    how = "had already succeeded" if note.had_succeeded else "was still in flight"
    return (
        f"took over from the deployment of {note.revision}, which began at the same moment and "
        f"{how}"
    )


# --- the rollout ---------------------------------------------------------------------------------


@note_text.register
def _(note: WaitTooShort) -> str:
    (part, seconds), *_ = note.expected.parts
    takes = note.expected.duration / note.speed
    faster = f" on AWS, {note.speed:g} times as fast here" if note.speed != 1 else ""
    return (
        f"{WARNING}the rollout is expected to take {duration_text(takes)} (its longest part is "
        f"{part}: {seconds} s{faster}), but --timeout is {duration_text(note.timeout)}: the wait "
        "will end before ECS is done"
    )


def _alarms(names: tuple[str, ...]) -> str:
    noun, verb = ("alarm", "is") if len(names) == 1 else ("alarms", "are")
    return f"CloudWatch {noun} {', '.join(names)} {verb}"


@note_text.register
def _(note: AlarmsIgnored) -> str:
    return (
        f"{_alarms(note.alarms)} already in ALARM: ECS ignores all alarms during this deployment, "
        "so none of them rolls it back"
    )


@note_text.register
def _(note: AlarmsMissing) -> str:
    what = "an alarm that does not exist" if len(note.alarms) == 1 else "alarms that do not exist"
    return f"{_alarms(note.alarms)} missing: {what} cannot roll anything back"


@note_text.register
def _(note: AlarmsWatched) -> str:
    alarms = ", ".join(note.alarms)
    noun = "alarm" if len(note.alarms) == 1 else "alarms"
    return f"all tasks are healthy; for the bake time, ECS watches the {noun} {alarms}"


@note_text.register
def _(note: TasksWatched) -> str:
    return (
        f"ECS reports the deployment as complete; for another {note.seconds:g} s, none of its "
        "tasks may end by itself (deployment.steadyFor)"
    )


@note_text.register
def _(note: DeploymentPaused) -> str:
    hook = note.hook
    where = f" at {note.stage}" if note.stage else ""
    by = f" by {hook.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if hook.expires_at else ""
    otherwise = {
        "ROLLBACK": "; if nobody does, ECS rolls back",
        "CONTINUE": "; if nobody does, ECS continues it",
    }
    what = otherwise.get(hook.timeout_action, "")
    return (
        f"hook {hook.id} pauses the deployment{where}: somebody must continue it{by}{what}. "
        "Whoever may call ecs:ContinueServiceDeployment can answer it, with `fsd approve` or "
        "`fsd reject`"
    )


@note_text.register
def _(note: UnhealthyTasks) -> str:
    look = follow_up_text(note.look)
    return f"{note.healthy} of {note.desired} tasks are healthy; to see why: {look}"


@note_text.register
def _(note: ServiceIsDown) -> str:
    since = time_text(note.since) + ("" if note.is_since_known else " or earlier")
    return (
        f"no task of {note.service} has been healthy since {since}; bringing {note.revision} back"
    )


@note_text.register
def _(note: BackTo) -> str:
    before = revision_label(note.revision, note.version)
    after = revision_label(note.target_revision, note.target_version)
    return f"rolling {note.service} back from {before} to {after}"


@note_text.register
def _(note: FirstTasks) -> str:
    return f"{note.revision} has never run, so FSD starts its first tasks as a deployment"


@note_text.register
def _(note: OneOffFailedAfter) -> str:
    return f"{WARNING}{quoted_text(note.error)}; the release stays. {capitalised(note.fix)}"


@note_text.register
def _(note: CountSet) -> str:
    return f"the desired count of {note.service} is {note.count} now that auto scaling is gone"


# --- the stack -----------------------------------------------------------------------------------


def clash_text(clash: StackClash) -> str:
    changes = " · ".join(f"{change.sign or ''}{change.what}" for change in clash.changes)
    shown = f" ({changes})" if changes else ""
    return f"somebody else has changed {clash.stack}{shown}"


def _since(others: tuple[OtherDeployment, ...]) -> str:
    names = (f"{one.revision} ({one.run})" if one.run else one.revision for one in others)
    return f"; since then, a deployment of {', '.join(names)} has begun" if others else ""


@note_text.register
def _(note: ClashLeft) -> str:
    return f"{clash_text(note.clash)}{_since(note.since)}; FSD leaves the stack as it is"


@note_text.register
def _(note: ClashMended) -> str:
    if note.error is None:
        return f"{clash_text(note.clash)}; FSD has restored what this release needs"
    return (
        f"{clash_text(note.clash)}; FSD could not restore what this release needs: "
        f"{quoted_text(note.error)}"
    )


def _remain(resources: Sequence[str]) -> str:
    return "remains" if len(resources) == 1 else "remain"


@note_text.register
def _(note: Undeleted) -> str:
    names = ", ".join(note.resources)
    verb = "exists" if len(note.resources) == 1 else "exist"
    return f"CloudFormation could not delete {names}, which still {verb} outside the stack"


@note_text.register
def _(note: LeftBehind) -> str:
    return f"{', '.join(note.resources)} {_remain(note.resources)} in {note.stack}"


@note_text.register
def _(note: StackNotRestored) -> str:
    left = f"; {note_text(note.left)}" if note.left else ""
    return f"FSD could not restore the stack: {quoted_text(note.error)}{left}"


@note_text.register
def _(note: StackKeepsMore) -> str:
    why = f": {quoted_text(note.error)}" if note.error else ""
    return f"the stack keeps what only the old tasks needed{why}; the next deployment removes it"


# --- a health check that moves -------------------------------------------------------------------


def _tasks(count: int) -> str:
    return f"{count} running task{'' if count == 1 else 's'}"


@note_text.register
def _(note: CheckTried) -> str:
    what = note.moved.change
    return f"the health check changes to {what}: trying it on {_tasks(note.tasks)} first"


@note_text.register
def _(note: CheckPassed) -> str:
    verb = "answers" if note.tasks == 1 else "answer"
    return f"{_tasks(note.tasks)} {verb} {note.moved.after.text}"


@note_text.register
def _(note: PortOpened) -> str:
    return f"letting the load balancer reach port {note.port} during the test"


@note_text.register
def _(note: ProbeLeft) -> str:
    if note.is_own:
        error = quoted_text(note.error)
        return f"FSD could not remove the health check's probe: {error}; a later run removes it"
    return f"a health check's probe is left over: {quoted_text(note.error)}"


# --- before the deployment -----------------------------------------------------------------------


@note_text.register
def _(note: Forced) -> str:
    return f"forced: {note.entry}"


@note_text.register
def _(note: ImageNotBuilt) -> str:
    return f"the image {note.image} has not been built yet"


@note_text.register
def _(note: TagMissing) -> str:
    said = quoted_text(note.error)
    return f"the image has the tag {note.has} but did not get the tag {note.tag}: {said}"


@note_text.register
def _(note: ImageUntagged) -> str:
    said = quoted_text(note.error)
    return f"{note.image} got no tag; a lifecycle rule for untagged images will delete it: {said}"


@note_text.register
def _(note: ReferrerLeft) -> str:
    said = quoted_text(note.error)
    return f"a signature or attestation ({note.digest}) was not copied to {note.to}: {said}"


@note_text.register
def _(note: DigestUnknown) -> str:
    why = quoted_text(note.why) if isinstance(note.why, Quoted) else _NO_DIGEST[note.why]
    return (
        f"the digest of {note.reference} is not known: {why}. FSD deploys the tag, which may "
        "later point to another image; specify the image by its digest"
    )


@note_text.register
def _(note: StepsSkipped) -> str:
    steps = "; ".join(note.steps)
    return f"processes run without Docker, so these steps were skipped: {steps}"


@note_text.register
def _(note: Created) -> str:
    return _CREATED[note.what].format(note.name)


@note_text.register
def _(note: DefaultVpcUsed) -> str:
    return f"{WARNING}using the default VPC {note.vpc_id}: its subnets are public"


@note_text.register
def _(note: FilesNotFetched) -> str:
    count = len(note.files)
    more = f" and {count - FILES_SHOWN} more" if count > FILES_SHOWN else ""
    where = "in the build context"
    one, many = f"file {where} is a Git LFS pointer", f"files {where} are Git LFS pointers"
    files = one if count == 1 else many
    return (
        f"{count} {files}, so the image does not get the content: "
        f"{', '.join(note.files[:FILES_SHOWN])}{more}; set `lfs: true` for actions/checkout, or "
        "run `git lfs pull`"
    )


@note_text.register
def _(note: ImageCopied) -> str:
    return (
        f"copied the image to {note.to} in {note.seconds:.1f} s; "
        f"{note.sent / 1_000_000:.1f} MB went through this machine"
    )


@note_text.register
def _(note: ScanAwaited) -> str:
    return f"waiting for ECR's scan of {note.image}"


@note_text.register
def _(note: ScanAhead) -> str:
    state = f" (now {note.status})" if note.status else ""
    return f"a deployment waits for ECR's scan of {note.image}{state}: imageScan"


@note_text.register
def _(note: PolicyUnread) -> str:
    why = quoted_text(note.error)
    return f"whether {note.policy} lets a deployment take this image is not known: {why}"


@note_text.register
def _(note: ApprovalAhead) -> str:
    ends = "continues" if note.then == "continue" else "rolls it back"
    return (
        f"the deployment pauses at {note.stage} until somebody runs `fsd approve` or `fsd reject`; "
        f"without an answer in {note.timeout}, ECS {ends}"
    )


@note_text.register
def _(note: ProvenanceVerified) -> str:
    by = f"{note.workflow} of {note.repository}" if note.workflow else note.repository
    return f"provenance verified: {by} built the image from {note.commit[:7]}"


@note_text.register
def _(note: ScanPassed) -> str:
    found = ", ".join(f"{count} {severity}" for severity, count in note.counts) or "nothing"
    when = f" ({note.completed_at.astimezone(UTC):%Y-%m-%d})" if note.completed_at else ""
    text = f"ECR's scan of {note.image}{when} found {found} (imageScan.block: {note.block})"
    if not note.unrated:
        return text
    more = len(note.unrated) - FILES_SHOWN
    names = [*note.unrated[:FILES_SHOWN], *([f"{more} more"] if more > 0 else [])]
    return f"{text}; no severity is known for {listed(names)}"


@note_text.register
def _(note: Promoted) -> str:
    label = revision_label(note.revision, note.version)
    return f"promoted from {note.source}: {label}, {short_digest(note.digest)}"


@note_text.register
def _(note: Removing) -> str:
    return _REMOVING[note.what].format(note.name)
