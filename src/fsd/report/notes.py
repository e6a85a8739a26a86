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
    RoleReplaced,
    SecurityGroupsLeft,
    ServiceAdopted,
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
    PortOpened,
    ProbeLeft,
    Promoted,
    ReferrerLeft,
    Remark,
    Removal,
    Removing,
    ServiceIsDown,
    StackClash,
    StackKeepsMore,
    StackNotRestored,
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
from fsd.report.words import WARNING, revision_label, short_digest

FILES_SHOWN = 3

_REMARKS = {
    Remark.ANOTHER_BEGAN: "another deployment has begun since then; looking again",
    Remark.SCHEDULE_MOVED: "another deployment has moved the schedule since then; looking again",
    Remark.PROBE_SWEPT: "removed the health check's probe that a stopped run had left",
    Remark.PROBE_GONE: "the health check's probe was removed in the meantime; asking again",
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
    Made.REPOSITORY: "created the repository {}",
    Made.PLACEHOLDER: "created {} with a placeholder value",
    Made.EMBEDDED_AWS: "started the embedded AWS at {}",
}
_NO_DIGEST = {
    NoDigest.NOT_ECR: "FSD asks only private repositories of Amazon ECR",
    NoDigest.NOT_THERE: "the registry does not have it",
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
    return (
        f"{WARNING}the health check changes to {note.moved.change}. It judges the running tasks "
        "too, so a deployment tries it on them first, unless interruptions are allowed"
    )


@note_text.register
def _(note: ServiceAdopted) -> str:
    return (
        f"the service {note.service} was made by another tool, and this deployment takes it over: "
        f"{note.revision} serves until the new tasks are healthy, and is what a rollback goes back "
        "to"
    )


@note_text.register
def _(note: TargetGroupLeft) -> str:
    group = note.arn.rpartition("targetgroup/")[2].partition("/")[0]
    return (
        f"{WARNING}the tasks leave the target group {group}, so what its listener sends there is "
        f"not answered any more; `networking.loadBalancer.targetGroupArn: {note.arn}` keeps it"
    )


@note_text.register
def _(note: SecurityGroupsLeft) -> str:
    return (
        f"the tasks leave the security groups {' '.join(note.groups)} for one that FSD makes: what "
        "lets only those in, such as a database, has to let that in too; "
        "`networking.securityGroups` keeps them"
    )


@note_text.register
def _(note: RoleReplaced) -> str:
    return f"the {note.what} {note.role} is replaced by one that FSD makes; `roles` keeps it"


@note_text.register
def _(note: CountWithoutEffect) -> str:
    return (
        f"desiredCount {note.wished} changes nothing: auto scaling has the count ({note.now} now)"
    )


@note_text.register
def _(note: ForeignPolicies) -> str:
    names = ", ".join(note.policies)
    verb = "scales" if len(note.policies) == 1 else "scale"
    return f"{names} {verb} {note.service} too; FSD did not create it and does not change it"


@note_text.register
def _(note: ForeignTarget) -> str:
    by = f"; {', '.join(note.policies)}" if note.policies else ""
    return (
        f"a scalable target without FSD's policies ({note.minimum} to {note.maximum} tasks{by}) "
        f"scales {note.service}; FSD leaves it unchanged"
    )


@note_text.register
def _(note: TargetStays) -> str:
    return (
        f"the scalable target of {note.service} ({note.minimum} to {note.maximum} tasks) stays: "
        f"{', '.join(note.policies)} needs it, and FSD did not create that"
    )


# --- somebody else's words -----------------------------------------------------------------------


@note_text.register
def _(note: OutputLine) -> str:
    return f"{note.source} | {note.text}" if note.source else note.text


@note_text.register
def _(note: NoAnswer) -> str:
    again = "looking again" if note.is_look else "asking again"
    return f"AWS did not answer ({quoted_text(note.error)}); {again}"


@note_text.register
def _(note: AnswerLost) -> str:
    return f"ECS took the change, but its answer got lost: {quoted_text(note.error)}"


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
def _(note: AttachedTo) -> str:
    return f"attached to the deployment in flight: {note.deployment_arn}"


@note_text.register
def _(note: OlderTakenOver) -> str:
    what = revision_label(note.revision, note.version)
    return f"takes over from the deployment of {what}, which is not newer"


@note_text.register
def _(note: TakenOver) -> str:
    how = "had succeeded" if note.had_succeeded else "was in flight"
    return (
        f"took over from the deployment of {note.revision}, which began in the same moment and "
        f"{how}"
    )


# --- the rollout ---------------------------------------------------------------------------------


@note_text.register
def _(note: WaitTooShort) -> str:
    (part, seconds), *_ = note.expected.parts
    takes = note.expected.duration / note.speed
    faster = f" on AWS, {note.speed:g} times as fast here" if note.speed != 1 else ""
    return (
        f"{WARNING}the rollout is expected to take {duration_text(takes)} ({part}, {seconds} s"
        f"{faster}, takes the most), and --timeout is {duration_text(note.timeout)}: the wait "
        "will end before ECS is done"
    )


def _alarms(names: tuple[str, ...]) -> str:
    noun, verb = ("alarm", "is") if len(names) == 1 else ("alarms", "are")
    return f"CloudWatch {noun} {', '.join(names)} {verb}"


@note_text.register
def _(note: AlarmsIgnored) -> str:
    return (
        f"{_alarms(note.alarms)} in ALARM already: ECS ignores the alarms of this deployment, "
        "so none of them rolls it back"
    )


@note_text.register
def _(note: AlarmsMissing) -> str:
    what = "an alarm that does not exist" if len(note.alarms) == 1 else "alarms that do not exist"
    verb = "rolls" if len(note.alarms) == 1 else "roll"
    return f"{_alarms(note.alarms)} missing: {what} {verb} nothing back"


@note_text.register
def _(note: AlarmsWatched) -> str:
    alarms = ", ".join(note.alarms)
    return f"all tasks are healthy; ECS watches the alarms for the bake time: {alarms}"


@note_text.register
def _(note: TasksWatched) -> str:
    return (
        f"ECS calls it done; for {note.seconds:g} s more none of its tasks may end by itself "
        "(deployment.steadyFor)"
    )


@note_text.register
def _(note: DeploymentPaused) -> str:
    hook = note.hook
    where = f" at {note.stage}" if note.stage else ""
    until = (
        f" until {hook.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if hook.expires_at else ""
    )
    then = {"ROLLBACK": "; then ECS rolls back", "CONTINUE": "; then ECS continues"}
    what = then.get(hook.timeout_action, "")
    return f"hook {hook.id} pauses the deployment{where}{until}{what}: somebody must continue it"


@note_text.register
def _(note: UnhealthyTasks) -> str:
    look = follow_up_text(note.look)
    return f"{note.healthy} of {note.desired} tasks are healthy: {look}"


@note_text.register
def _(note: ServiceIsDown) -> str:
    since = time_text(note.since) + ("" if note.is_since_known else " at the latest")
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
    return f"{note.revision} never ran: its first tasks are a deployment"


@note_text.register
def _(note: OneOffFailedAfter) -> str:
    return f"{WARNING}{quoted_text(note.error)}; the release stays. {note.fix}"


@note_text.register
def _(note: CountSet) -> str:
    return f"the desired count of {note.service} is {note.count} now that auto scaling is gone"


# --- the stack -----------------------------------------------------------------------------------


def clash_text(clash: StackClash) -> str:
    changes = " · ".join(f"{change.sign or ''}{change.what}" for change in clash.changes)
    return f"{clash.stack} was changed after this run ({changes})"


def _since(others: tuple[OtherDeployment, ...]) -> str:
    names = (f"{one.revision} ({one.run})" if one.run else one.revision for one in others)
    return f"; begun since then: the deployment of {', '.join(names)}" if others else ""


@note_text.register
def _(note: ClashLeft) -> str:
    return f"{clash_text(note.clash)}{_since(note.since)}; FSD leaves it unchanged"


@note_text.register
def _(note: ClashMended) -> str:
    if note.error is None:
        return f"{clash_text(note.clash)}; what this release needs is there again"
    return (
        f"{clash_text(note.clash)}; FSD could not restore what this release needs: "
        f"{quoted_text(note.error)}"
    )


def _remain(resources: Sequence[str]) -> str:
    return "remains" if len(resources) == 1 else "remain"


@note_text.register
def _(note: Undeleted) -> str:
    names = ", ".join(note.resources)
    return f"CloudFormation could not delete {names}, which {_remain(note.resources)} in the stack"


@note_text.register
def _(note: LeftBehind) -> str:
    return f"{', '.join(note.resources)} {_remain(note.resources)} in {note.stack}"


@note_text.register
def _(note: StackNotRestored) -> str:
    left = f"; {note_text(note.left)}" if note.left else ""
    return f"FSD could not restore the stack: {quoted_text(note.error)}{left}"


@note_text.register
def _(note: StackKeepsMore) -> str:
    text = "the stack keeps what only the old tasks needed; the next deployment removes it"
    return f"{text}: {quoted_text(note.error)}" if note.error else text


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
        what = "the health check's probe could not be removed; a later run removes it"
        return f"{what}: {quoted_text(note.error)}"
    return f"a health check's probe is left over: {quoted_text(note.error)}"


# --- before the deployment -----------------------------------------------------------------------


@note_text.register
def _(note: Forced) -> str:
    return f"forced: {note.entry}"


@note_text.register
def _(note: ImageNotBuilt) -> str:
    return f"the image {note.image} is not built yet"


@note_text.register
def _(note: TagMissing) -> str:
    said = quoted_text(note.error)
    return f"the image has the tag {note.has}, and did not get {note.tag}: {said}"


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
        f"the digest of {note.reference} is not known: {why}. FSD deploys the tag, which can "
        "come to name another image; give the image by its digest"
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
    files = "file is a Git LFS pointer" if count == 1 else "files are Git LFS pointers"
    return (
        f"{count} {files} in the build context, so the image does not get the content: "
        f"{', '.join(note.files[:FILES_SHOWN])}{more}; set `lfs: true` at actions/checkout, or "
        "run git lfs pull"
    )


@note_text.register
def _(note: ImageCopied) -> str:
    return (
        f"copied the image to {note.to} in {note.seconds:.1f} s; "
        f"{note.sent / 1_000_000:.1f} MB went through this machine"
    )


@note_text.register
def _(note: Promoted) -> str:
    return f"{note.version or note.revision} of {note.source}, {short_digest(note.digest)}"


@note_text.register
def _(note: Removing) -> str:
    return _REMOVING[note.what].format(note.name)
