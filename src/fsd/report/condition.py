"""How a service is, in words: the last lines of `fsd status`, and all of `fsd diagnose`.

What users get now is said in one place, so that the two never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from fsd.errors import ExitCode
from fsd.release.diagnose_service import Examination
from fsd.release.result import ReleaseInfo
from fsd.report.cause_summaries import cause_text
from fsd.report.condition_facts import condition_note_text, unknown_text
from fsd.report.render import diagnosis_lines, with_exit_code
from fsd.report.words import note_lines, release_label, wrap
from fsd.rollout.diagnose import family_revision
from fsd.rollout.last_rollout import LastRollout, RolloutStatus
from fsd.rollout.service_facts import Condition
from fsd.snapshot import ServiceState

_PHRASES = {
    RolloutStatus.SUCCEEDED: "succeeded",
    RolloutStatus.FAILED: "failed",
    RolloutStatus.ROLLED_BACK: "was rolled back",
    RolloutStatus.ROLLBACK_FAILED: "failed, and so did its rollback",
    RolloutStatus.STOPPED: "was stopped",
    RolloutStatus.IN_PROGRESS: "is in progress",
    RolloutStatus.ROLLING_BACK: "is being rolled back",
    RolloutStatus.UNSAID: "ECS does not say how it ended",
}


def exit_code(examination: Examination) -> ExitCode:
    """0 where all is well, 6 where something is wrong or nobody can say that it is well."""
    return ExitCode.OK if examination.condition.is_healthy else ExitCode.ROLLED_BACK


def diagnosis_text(examination: Examination, *, code: int) -> str:
    """What is wrong now and why; then the last rollout; at the end what users get."""
    condition = examination.condition
    lines = [*_answer(examination), *_notes(condition), *_rollout_lines(examination)]
    served = served_text(condition, examination.releases)
    return "\n".join([*lines, *_last_line(served, code=code)])


def ending_lines(examination: Examination, *, code: int) -> list[str]:
    """What is wrong, one line each, and what users get: the end of `fsd status`."""
    condition = examination.condition
    lines: list[str] = []
    for label, texts in (
        ("wrong", [cause_text(cause) for cause in condition.causes]),
        ("not known", [unknown_text(each) for each in condition.unknown]),
        ("note", [condition_note_text(note) for note in condition.notes]),
    ):
        for text in texts:
            lines += wrap(text, first=f"  {label:<10}  ", rest=" " * 14)
    return [*lines, *_last_line(served_text(condition, examination.releases), code=code)]


def _last_line(text: str, *, code: int) -> list[str]:
    lines = wrap(text, first="", rest="  ")
    if code:
        lines[-1] = with_exit_code(lines[-1], code)
    return lines


def title(examination: Examination) -> str:
    """`offer-api in dev`, or `web in cluster main (EC2)` where it was named exactly."""
    service = examination.look.service
    place = f"cluster {service.cluster}" if service.cluster else ""
    place = examination.environment or place
    kind = kind_text(service)
    return examination.service + (f" in {place}" if place else "") + (f" ({kind})" if kind else "")


def _answer(examination: Examination) -> list[str]:
    condition = examination.condition
    lines: list[str] = []
    if condition.causes and examination.diagnosis is not None:
        lines += diagnosis_lines(
            examination.diagnosis,
            service=examination.service,
            environment=examination.environment,
        )
    for text in map(unknown_text, condition.unknown):
        first = f"FSD cannot say that {title(examination)} is healthy: "
        lines += wrap(text, first=first, rest="  ")
    if condition.is_healthy:
        remarked = bool(examination.look.remarks)
        lines.append(
            f"FSD found nothing wrong with {title(examination)}"
            if remarked
            else f"Nothing is wrong with {title(examination)}"
        )
    return lines


def _notes(condition: Condition) -> list[str]:
    return [line for note in condition.notes for line in note_lines(condition_note_text(note))]


def _rollout_lines(examination: Examination) -> list[str]:
    condition = examination.condition
    if condition.rollout is None:
        return []
    lines = wrap(rollout_text(examination), first="  last rollout: ", rest="    ")
    if examination.diagnosis is not None and not condition.causes:
        past = diagnosis_lines(
            examination.diagnosis,
            service=examination.service,
            environment=examination.environment,
        )
        lines += [f"  {line}" for line in past]
    return lines


def rollout_text(examination: Examination) -> str:
    """`web-dev:42 was rolled back, ended 2026-03-04 14:01:38 UTC: crashed: …`."""
    condition = examination.condition
    rollout = condition.rollout
    if rollout is None:
        return ""
    name = family_revision(rollout.task_definition_arn) or "a revision that ECS does not name"
    phrase = _PHRASES[rollout.state]
    if rollout.state is RolloutStatus.UNSAID:
        return f"{name} ({_time(rollout)}); {phrase}"
    if rollout.state is RolloutStatus.ROLLED_BACK and rollout.deployment is None:
        head = "the one before was rolled back"
    else:
        head = f"{name} {phrase}"
    why = rollout_reason(examination)
    return f"{head} ({_time(rollout)})" + (f": {why}" if why else "")


def rollout_reason(examination: Examination) -> str:
    """The cause that is known, else ECS's own words; "" where the rollout did not fail."""
    condition = examination.condition
    rollout = condition.rollout
    if rollout is None or not (rollout.state.has_failed or rollout.state is RolloutStatus.STOPPED):
        return ""
    if condition.rollout_causes and not rollout_is_shown(examination):
        cause = condition.rollout_causes[0]
        return cause_text(cause)
    return "" if condition.rollout_causes else rollout.reason


def rollout_is_shown(examination: Examination) -> bool:
    """Whether the whole diagnosis of the last rollout stands below."""
    return examination.diagnosis is not None and not examination.condition.causes


def _time(rollout: LastRollout) -> str:
    if rollout.ended_at is not None:
        return f"ended {_clock(rollout.ended_at)}"
    if rollout.began_at is not None:
        return f"began {_clock(rollout.began_at)}"
    return "at a time that ECS does not say"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


# --- what users get ------------------------------------------------------------------------------


def served_text(condition: Condition, releases: Mapping[str, ReleaseInfo]) -> str:
    """`v1 is serving users, 2 of 2 healthy`."""
    serving = condition.serving
    running, desired, healthy = serving.running, serving.desired, serving.healthy
    if running is None:
        return "What users get is not known: ECS's answer does not say how many tasks are running"
    if running == 0 and serving.listed:
        wanted = "" if desired is None else f" of {desired}"
        return (
            f"What users get is not clear: ECS counts 0{wanted} tasks as running, but lists "
            f"{serving.listed}"
        )
    if running == 0:
        return _nothing_runs(desired, is_daemon=serving.is_daemon)
    names = [release_label(releases.get(arn)) or family_revision(arn) for arn in serving.revisions]
    who = " and ".join(dict.fromkeys(names)) or "a revision that ECS does not name"
    count = _count(healthy, running, desired)
    if healthy == 0:
        return f"Users may get no answer: {who} is running, {count}"
    return f"{who} {'are' if ' and ' in who else 'is'} serving users, {count}"


def _nothing_runs(desired: int | None, *, is_daemon: bool) -> str:
    if desired == 0 and is_daemon:
        return "Nothing is running: this is a daemon service without an instance to run on"
    if desired == 0:
        return "Nothing is running, as configured: the desired count is 0"
    if desired is None:
        return "Nothing is serving users: no task is running"
    return f"Nothing is serving users: 0 of {desired} running"


def _count(healthy: int | None, running: int, desired: int | None) -> str:
    if desired is None:
        return f"{running} running"
    if desired == 0:
        return f"{running} running, although the desired count is 0"
    return (
        f"{running} of {desired} running" if healthy is None else f"{healthy} of {desired} healthy"
    )


# --- what kind of service it is ------------------------------------------------------------------


def kind_text(service: ServiceState) -> str:
    """`EC2 · DAEMON`; "" for what FSD makes itself: replicas on Fargate, deployed by ECS."""
    capacity = service.launch_type or ", ".join(service.capacity_providers)
    scheduling = service.scheduling if service.scheduling != "REPLICA" else ""
    controller = service.controller if service.controller not in {"", "ECS"} else ""
    parts = [capacity if capacity != "FARGATE" else "", scheduling]
    parts.append(f"deployed by {controller}" if controller else "")
    return " · ".join(part for part in parts if part)
