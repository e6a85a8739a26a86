"""The words for a cause's summary: one sentence that ends without a full stop. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from fsd.quoted import Quoted
from fsd.report.words import capitalised
from fsd.rollout.cause import Cause
from fsd.rollout.failure import Failure
from fsd.rollout.failures import ROLLOUT_FAILED
from fsd.rollout.summaries import (
    AlarmsInAlarm,
    AlarmsWentOff,
    BareSummary,
    CheckAnswered,
    ChecksFailing,
    ContainersUnhealthy,
    EndedWith,
    FailedAfter,
    HttpStatuses,
    MadeWithoutDocker,
    NoHttpAnswer,
    NoTargetHealthy,
    RolloutEnded,
    SecretsMadeUp,
    StackInStatus,
    StepsLeftOut,
    Summary,
    TargetAnswer,
    TargetsInState,
    TargetsUnhealthy,
    TargetsUnused,
    TasksEnded,
    TasksKeepEnding,
    TooFewRunning,
)

_BARE = {
    BareSummary.CLASSIC_CHECK_FAILED: "the classic load balancer's health check failed",
    BareSummary.NEWEST_FAILED: "the newest deployment failed",
    BareSummary.ROLLBACK_ASKED: "somebody asked ECS to roll back",
    BareSummary.RUN_TIMED_OUT: (
        "the run had not ended when its `timeout` was over, and was stopped"
    ),
}


def cause_text(cause: Cause) -> str:
    """`crashed: the main process ended (one task, exit code 1)`: also in the ledger."""
    return f"{cause.code}: {summary_text(cause.summary)}"


def summary_text(summary: Summary) -> str:
    match summary:
        case Failure():
            return summary.summary
        case Quoted(text=text):
            return text
        case BareSummary():
            return _BARE[summary]
        case TasksEnded() | TasksKeepEnding() | EndedWith() | FailedAfter() | CheckAnswered():
            return _of_tasks(summary)
        case MadeWithoutDocker(summary=inner, lacks=lacks):
            said = summary_text(inner)
            return f"{_lacks(lacks)}. {capitalised(said)}"
        case SecretsMadeUp():
            return _made_up(summary)
        case (
            RolloutEnded() | NoTargetHealthy() | AlarmsWentOff() | AlarmsInAlarm() | StackInStatus()
        ):
            return _of_aws(summary)
        case TooFewRunning(running=running, desired=desired):
            return f"{running} of {desired} tasks are running, and FSD could not find out why"
        case ChecksFailing() | TargetsUnhealthy() | TargetsUnused() | ContainersUnhealthy():
            return _of_health(summary)
        case _:
            assert_never(summary)


def _of_tasks(
    summary: TasksEnded | TasksKeepEnding | EndedWith | FailedAfter | CheckAnswered,
) -> str:
    match summary:
        case TasksEnded():
            return _ended(summary)
        case TasksKeepEnding(summary=inner, count=count, since=since, last=last):
            return (
                f"tasks keep ending: {count} since {since}, the last at {last}; "
                f"{summary_text(inner)}"
            )
        case EndedWith(summary=inner, exception=exception):
            return f"{summary_text(inner)}: {exception}"
        case FailedAfter(summary=inner, exception=exception):
            return f"{summary_text(inner)}, after {exception}"
        case CheckAnswered(summary=inner, status=status):
            return f"{summary_text(inner)}: the service answered {status}"


def _ended(ended: TasksEnded) -> str:
    count = _tasks(ended.count)
    if ended.exit_codes:
        codes = ", ".join(map(str, ended.exit_codes))
        return f"{ended.failure.summary} ({count}, exit code {codes})"
    answer = f": {_answer(ended.answer)}" if ended.answer else ""
    return f"{ended.failure.summary} ({count}){answer}"


def _of_aws(
    summary: RolloutEnded | NoTargetHealthy | AlarmsWentOff | AlarmsInAlarm | StackInStatus,
) -> str:
    match summary:
        case RolloutEnded(reason=reason):
            return f"{ROLLOUT_FAILED.summary}: {reason}"
        case NoTargetHealthy(targets=targets):
            what = _states(targets) or "none is registered"
            return f"ECS reports the deployment as complete, but no target is healthy: {what}"
        case AlarmsWentOff(names=names):
            return f"CloudWatch alarm {', '.join(names)} went off"
        case AlarmsInAlarm(names=names):
            return f"CloudWatch alarm {', '.join(names)} is in ALARM"
        case StackInStatus(status=status):
            return f"the service's stack is {status}"
        case _:
            assert_never(summary)


def _of_health(
    summary: ChecksFailing | TargetsUnhealthy | TargetsUnused | ContainersUnhealthy,
) -> str:
    match summary:
        case ChecksFailing(count=count, answer=answer):
            yet = " yet" if isinstance(answer, NoHttpAnswer) else ""
            how = f"{_answer(answer)}{yet}"
            return f"the load balancer's health check is failing ({_tasks(count)}): {how}"
        case TargetsUnhealthy(count=count, of=of, groups=groups):
            fail = "fails" if count == 1 else "fail"
            return (
                f"{count} of {of} targets in {' and '.join(groups)} "
                f"{fail} the load balancer's health check"
            )
        case TargetsUnused(count=count, of=of, groups=groups):
            return (
                f"the load balancer sends nothing to {count} of {of} targets in "
                f"{' and '.join(groups)}"
            )
        case ContainersUnhealthy(failure=failure, count=count, of=of):
            return f"{failure.summary} ({count} of {of} tasks)"


def _tasks(count: int) -> str:
    return "one task" if count == 1 else f"{count} tasks"


def _answer(answer: TargetAnswer) -> str:
    match answer:
        case NoHttpAnswer(port=port):
            return f"no HTTP answer from {port_text(port)}"
        case HttpStatuses(codes=codes):
            return f"status {codes}"
        case Quoted(text=text):
            return text


def port_text(port: int | None) -> str:
    return f"port {port}" if port else "`service.port`"


def _states(targets: Iterable[TargetsInState]) -> str:
    """`2 unused (Target.NotInUse: Target group is not configured …)`."""
    return ", ".join(
        f"{one.count} {one.state}" + (f" ({one.reason})" if one.reason else "") for one in targets
    )


def _made_up(secrets: SecretsMadeUp) -> str:
    have = "have placeholder values" if len(secrets.names) > 1 else "has a placeholder value"
    said = summary_text(secrets.summary)
    return (
        f"{', '.join(secrets.names)} {have}, as the embedded AWS has no secrets of yours. "
        f"{capitalised(said)}"
    )


def _lacks(lacks: StepsLeftOut | Quoted) -> str:
    if isinstance(lacks, Quoted):
        return lacks.text
    more = f"; and {lacks.more} more" if lacks.more else ""
    shown = f"{'; '.join(lacks.steps)}{more}"
    return f"the image was made without Docker, and this step was left out: {shown}"
