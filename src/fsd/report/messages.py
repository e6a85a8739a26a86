"""The one sentence for an outcome that is not a plain success: a function for each kind, found by
its type. `tests/unit/report/test_messages.py` has them all."""

from __future__ import annotations

from functools import singledispatch

from fsd.durations import duration_text
from fsd.release.messages import (
    AsBefore,
    BackAndHealth,
    BackFailed,
    BackNotDone,
    BackUnknown,
    BareMessage,
    CheckNotRestored,
    CountAlready,
    CountChanged,
    CutOff,
    Down,
    EcsCouldNot,
    GoesOn,
    HealthUnknown,
    InWorkflow,
    LeftFailed,
    Message,
    NotBegun,
    NotDone,
    NothingBefore,
    NothingRan,
    NotListed,
    NotRequested,
    NotRolledOutAgain,
    OvertakenBy,
    RollbackDenied,
    RollbackRequested,
    RolloutProgress,
    RolloutStage,
    RunsAgain,
    RunsAlready,
    ScheduleCut,
    ServesAllTheSame,
    Since,
    StateUnknown,
    StepRefused,
    StoppedBySignal,
    TooLateToGoBack,
    Unconfirmed,
    WasDown,
    WasGoingBack,
    WasSettling,
    WhyNot,
)
from fsd.report.cause_summaries import summary_text
from fsd.report.follow_ups import follow_up_text
from fsd.report.notes import clash_text, note_text, quoted_text, time_text
from fsd.report.words import capitalised, listed

_BREAKER = "its circuit breaker rolls back a deployment that does not become healthy"
_UNCHANGED = "nothing that is running was changed"
_PLAINLY = {
    BareMessage.HEALTHY_TOO_SOON: "the deployment became healthy before ECS could stop it",
    BareMessage.SERVICE_DELETED: "the service was deleted in the meantime",
    BareMessage.SCALED_BACK_TO_ZERO: (
        "there is nothing to go back to, so FSD scaled the service to 0 again"
    ),
    BareMessage.SAME_REVISION_BEFORE: (
        "the same revision ran before: there is nothing to go back to"
    ),
    BareMessage.SERVICE_GONE: "the service is gone",
    BareMessage.ROLLBACK_GOES_ON: "the rollback is not done yet; ECS is still working on it",
}
_STAGES = {
    RolloutStage.START: "starting tasks",
    RolloutStage.CHECK: "health checks",
    RolloutStage.REPLACE: "replacing old tasks",
    RolloutStage.DRAIN: "draining old connections",
    RolloutStage.BAKE: "the bake time",
    RolloutStage.PAUSE: "a pause",
    RolloutStage.SETTLE: "ECS's own end of the deployment",
}


@singledispatch
def message_text(message: Message | None) -> str:
    """ "" for None."""
    if message is None:
        return ""
    raise TypeError(f"no words for {type(message).__name__}")


@message_text.register
def _(message: BareMessage) -> str:
    return _PLAINLY[message]


# --- a signal ------------------------------------------------------------------------------------


@message_text.register
def _(message: StoppedBySignal) -> str:
    return f"{quoted_text(message.signal)}{_cut_off_text(message.state)}"


def _cut_off_text(state: CutOff) -> str:
    match state:
        case NotRequested(stack=""):
            return " before ECS was asked to change anything that is running"
        case NotRequested(stack=stack):
            return (
                f" while CloudFormation was changing {stack}: CloudFormation finishes what it has "
                "begun; ECS was not asked to change anything that is running"
            )
        case ScheduleCut(look=None):
            return " before the schedule was moved"
        case ScheduleCut(look=look):
            return f"; `{follow_up_text(look)}` says what the schedule starts" if look else ""
        case WasGoingBack(revision=revision):
            return f" while {revision} was being rolled back; ECS continues the rollback"
        case WasSettling(revision=revision):
            return (
                f" after {revision} had succeeded; scaling limits may not be set yet, and the "
                "stack may still have what only the old tasks needed"
            )
        case _:
            return _rolling_text(state)


def _rolling_text(
    state: NotListed | GoesOn | RollbackRequested | TooLateToGoBack | Unconfirmed,
) -> str:
    match state:
        case NotListed(revision=revision):
            return (
                f" just as FSD asked ECS to roll out {revision}; ECS does not list a deployment "
                f"of {revision} yet"
            )
        case GoesOn(revision=revision, refused=refused):
            why = (
                f"FSD could not ask ECS to roll back ({quoted_text(refused)}), so "
                if refused
                else ""
            )
            return f"; {why}ECS keeps rolling out {revision}. {capitalised(_BREAKER)}"
        case RollbackRequested(revision=revision):
            return f"; FSD asked ECS to roll {revision} back"
        case TooLateToGoBack(revision=revision, status=status):
            ended = f"had already ended ({status})" if status else "is no longer listed"
            return f"; it was too late to roll {revision} back: its deployment {ended}"
        case Unconfirmed(revision=revision):
            return (
                f" after ECS had reported the deployment of {revision} as complete; FSD stopped "
                "watching before it could tell whether the new tasks keep running"
            )


# --- the rollout ---------------------------------------------------------------------------------


@message_text.register
def _(message: StateUnknown) -> str:
    goes_on = (
        "ECS reports its deployment as complete; FSD could not see whether the new tasks keep "
        "running"
        if message.is_called_done
        else f"ECS continues on its own, and {_BREAKER}"
    )
    error = quoted_text(message.error)
    return f"FSD does not know the state of {message.revision}: {error}; {goes_on}"


@message_text.register
def _(message: NothingRan) -> str:
    return (
        f"{nothing_ran_text(message.revision)}; it is not tested until you scale up with `fsd "
        "scale` or deploy with a count above 0"
    )


def nothing_ran_text(revision: str) -> str:
    return f"the desired count is 0: no task ran, so nothing shows that {revision} can start"


@message_text.register
def _(message: NotDone) -> str:
    timeout = duration_text(message.timeout)
    if not isinstance(message.stands, RolloutProgress):
        return f"not done after {timeout}; {note_text(message.stands)}"
    goes_on = f"ECS reports {message.status or 'no status'} and continues on its own"
    if not (message.is_service_seen and message.stands.is_healthy):
        goes_on += f": {_BREAKER}"
    return f"not done after {timeout}; {rollout_progress_text(message.stands)}. {goes_on}"


def rollout_progress_text(stands: RolloutProgress) -> str:
    """`2 of 2 new tasks are healthy; draining old connections took 38s of that time`."""
    slowest = ""
    if stands.slowest is not None and round(stands.slowest_took.total_seconds()):
        took = duration_text(stands.slowest_took)
        slowest = f"; {_STAGES[stands.slowest]} took {took} of that time"
    return f"{_how_far(stands)}{slowest}"


def _how_far(stands: RolloutProgress) -> str:
    new = f"{stands.desired} of {stands.desired} new tasks are healthy"
    running = f"{stands.running} of {stands.desired} new tasks are running"
    match stands.stage:
        case RolloutStage.START:
            return running + (f", {stands.pending} starting" if stands.pending else "")
        case RolloutStage.CHECK:
            return f"{running}, {stands.healthy} of them healthy so far"
        case RolloutStage.REPLACE:
            return f"{new}; {stands.old_running} old ones are still running"
        case RolloutStage.DRAIN:
            return f"{new} and serving; connections to the old ones drain{_until(stands)}"
        case RolloutStage.BAKE:
            alarms = ", ".join(stands.alarms)
            noun = "alarm" if len(stands.alarms) == 1 else "alarms"
            return f"{new}; for the bake time, ECS watches the {noun} {alarms}"
        case _:
            return new


def _until(stands: RolloutProgress) -> str:
    if stands.drained_at is None:
        return ""
    delay = duration_text(stands.drain)
    return f" until {time_text(stands.drained_at)} at the latest (deregistrationDelay {delay})"


@message_text.register
def _(message: LeftFailed) -> str:
    left = (
        "FSD did not roll back (--no-rollback); the newest ECS deployment is that of "
        f"{message.revision}"
    )
    if not message.others:
        return left
    one = len(message.others) == 1
    serve = ("still serves users" if one else "still serve users") if message.do_serve else ""
    return f"{left}. {listed(message.others)} {serve or ('still runs' if one else 'still run')}"


@message_text.register
def _(message: NotBegun) -> str:
    what = "the schedule still starts the previous revision" if message.is_job else _UNCHANGED
    return f"{quoted_text(message.error)}; {what}"


@message_text.register
def _(message: InWorkflow) -> str:
    return quoted_text(message.said)


@message_text.register
def _(message: OvertakenBy) -> str:
    which = f" ({message.revision})" if message.revision else ""
    return f"another deployment{which} took over, so FSD did not roll anything back"


@message_text.register
def _(message: RunsAlready) -> str:
    return f"{message.revision} is already running"


@message_text.register
def _(message: CountAlready) -> str:
    return f"the desired count is already {message.count}"


@message_text.register
def _(message: CountChanged) -> str:
    return f"{message.before} → {message.after} tasks"


# --- the way back --------------------------------------------------------------------------------


@message_text.register
def _(message: AsBefore) -> str:
    text = (
        "FSD restored the stack; scaling is unchanged"
        if message.is_stack_restored
        else "the stack and scaling are unchanged"
    )
    if message.new_stack:
        text = f"scaling is unchanged; FSD kept the new stack {message.new_stack}"
    if message.clash is not None:
        clash = clash_text(message.clash)
        text = f"scaling is unchanged; {clash}, so FSD leaves the stack as it is"
    more = (note_text(one) for one in (message.left, message.undeleted) if one is not None)
    return "; ".join((text, *more))


@message_text.register
def _(message: RunsAgain) -> str:
    return f"{message.revision} is running again"


@message_text.register
def _(message: NothingBefore) -> str:
    why = f" ({message.unproved} never completed a rollout)" if message.unproved else ""
    scaled = "" if message.is_stopped else " (tasks are still stopping)"
    return (
        f"there was nothing to roll back to{why}, so FSD scaled the service to 0{scaled} and kept "
        "the stack and the logs"
    )


@message_text.register
def _(message: RollbackDenied) -> str:
    error = quoted_text(message.error)
    return f"FSD could not ask ECS to roll back: {error}; ECS's circuit breaker may still do so"


def _why_text(why: WhyNot | None) -> str:
    return f"; {why.revision}: {summary_text(why.cause)}" if why else ""


@message_text.register
def _(message: EcsCouldNot) -> str:
    return f"ECS could not roll back: {quoted_text(message.reason)}{_why_text(message.why)}"


@message_text.register
def _(message: BackNotDone) -> str:
    return f"the deployment of {message.revision} is not done yet; ECS is still working on it"


@message_text.register
def _(message: BackFailed) -> str:
    how = "does not keep running" if message.got_healthy else "did not become healthy again"
    return f"{message.revision} {how} either{_why_text(message.why)}"


@message_text.register
def _(message: StepRefused) -> str:
    return quoted_text(message.error)


@message_text.register
def _(message: BackUnknown) -> str:
    return (
        f"the rollback of {message.revision} did not finish: {quoted_text(message.error)}; FSD "
        f"does not know what is running. ECS continues the rollback, and {_BREAKER}"
    )


@message_text.register
def _(message: NotRolledOutAgain) -> str:
    error = quoted_text(message.error)
    return f"FSD could not roll out {message.revision} again: {error}"


@message_text.register
def _(message: CheckNotRestored) -> str:
    return f"FSD could not restore the health check: {quoted_text(message.error)}"


def _since_text(since: Since) -> str:
    return time_text(since.at) + ("" if since.is_known else " or earlier")


@message_text.register
def _(message: Down) -> str:
    path = message.health_path
    what = f"answer GET {path}" if path else "stay up"
    return (
        f"{message.service} is down: no task has been healthy since "
        f"{_since_text(message.since)}. Bringing {message.revision} back failed: "
        f"{message_text(message.tried)}. To restore the service, deploy a release whose "
        f"tasks {what}"
    )


@message_text.register
def _(message: BackAndHealth) -> str:
    return f"{message_text(message.ended)}; {_health_text(message.health)}"


def _health_text(health: WasDown | HealthUnknown | ServesAllTheSame) -> str:
    if isinstance(health, ServesAllTheSame):
        many = f"{health.healthy} of {health.desired}"
        return f"{health.revision} is serving users nonetheless: {many} tasks are healthy"
    if isinstance(health, HealthUnknown):
        return f"FSD does not know whether any task is healthy: {quoted_text(health.error)}"
    since, until = _since_text(health.since), time_text(health.until)
    return f"no task was healthy from {since} to {until}"
