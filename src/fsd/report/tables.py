"""`fsd status` and `fsd history` as aligned text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from fsd.release.diagnose_service import Examination
from fsd.release.existing_service import manifest_name
from fsd.release.history import Row
from fsd.release.jobs import JobLook
from fsd.release.overview import Overview
from fsd.release.result import ReleaseInfo
from fsd.report.condition import ending_lines, kind_text, rollout_reason
from fsd.report.history import reason_text
from fsd.report.job_runs import run_text
from fsd.report.promotions import path_text
from fsd.report.words import (
    clip,
    failed_count_text,
    release_label,
    short_commit,
    short_digest,
    size_text,
    who_text,
    wrap,
)
from fsd.rollout.diagnose import family_revision, group_name, short
from fsd.rollout.last_rollout import LastRollout, RolloutStatus
from fsd.rollout.service_facts import GroupLook
from fsd.snapshot import ServiceState, TargetHealth, TaskState
from fsd.streams import columns, printable

GAP = "  "
_RUN_SHOWN = 40


def table(rows: Sequence[Sequence[str]], *, indent: str = "") -> str:
    """Rows with columns as wide as their widest cell; only the last column is cut to fit."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [f"{cell:<{size}}" for cell, size in zip(row, widths, strict=True)]
        lines.append(clip((indent + GAP.join(cells)).rstrip(), columns()))
    return "\n".join(lines)


def history_table(rows: Sequence[Row]) -> str:
    """Newest first, as they come; what matters most stands left, where a narrow screen shows it.

    A reason is a sentence, and has its own line below its row.
    """
    head = ("", "VERSION", "ACTION", "OUTCOME", "REVISION", "WHEN (UTC)", "COMMIT", "BY")
    lines = table([head, *map(_history_row, rows)]).split("\n")
    parts = [lines[0]]
    for row, line in zip(rows, lines[1:], strict=True):
        parts.append(line)
        path = path_text(row.release) if row.action == "deploy" else ""
        parts += wrap(path, first="   PATH    ", rest=" " * 11) if path else []
        forced = f"forced: {row.release.forced}" if row.release.forced else ""
        for reason in filter(None, (reason_text(row), forced)):
            parts += wrap(reason, first="   REASON  ", rest=" " * 11)
    return "\n".join(parts)


def _history_row(row: Row) -> tuple[str, ...]:
    release = row.release
    return (
        ">" if row.runs else "",
        printable(release.version) or "-",
        row.action,
        release.outcome or ("-" if row.action == "scale" else "unknown"),
        release.revision,
        f"{release.at.astimezone(UTC):%Y-%m-%d %H:%M}" if release.at else "-",
        short_commit(release.commit) or "-",
        who_text(printable(release.run) or "-"),
    )


def overview_text(overview: Overview) -> str:
    """A line a service."""
    services = overview.services
    count = f"{len(services)} service{'' if len(services) == 1 else 's'}"
    if overview.jobs:
        count += f" and {len(overview.jobs)} Job{'' if len(overview.jobs) == 1 else 's'}"
    lines = [f"{overview.environment}    {count} in cluster {overview.cluster}"]
    if services:
        head = ("SERVICE", "REVISION", "RUNNING", "ROLLOUT")
        lines.append(table([head, *map(_overview_row, services)], indent=GAP))
    if overview.jobs:
        head = ("JOB", "REVISION", "LAST RUN", "SCHEDULE")
        lines.append(table([head, *map(_job_row, overview.jobs)], indent=GAP))
    for reason in overview.unknown:
        which = "Other Jobs" if overview.jobs else "Jobs"
        lines += wrap(f"{which} are not listed: {printable(reason.text)}", first=GAP, rest=GAP)
    return "\n".join(lines)


def _job_row(job: JobLook) -> tuple[str, ...]:
    last = next(iter(job.runs), None)
    words = printable(run_text(last)) if last else "none known"
    running = f"{len(job.running_tasks)} running, before: " if job.running_tasks else ""
    return (
        printable(job.service),
        job.release.revision if job.release else "unknown",
        clip(running + words, _RUN_SHOWN),
        job.schedule,
    )


def _overview_row(service: ServiceState) -> tuple[str, ...]:
    running = f"{service.running} of {service.desired}"
    return (
        printable(manifest_name(service)),
        family_revision(service.task_definition_arn),
        f"{running}, {service.pending} starting" if service.pending else running,
        _rollout_text(service),
    )


def _rollout_text(service: ServiceState) -> str:
    if service.status != "ACTIVE":
        return service.status.lower()
    state = service.primary.rollout_state if service.primary else ""
    return state.replace("_", " ").lower() or "unknown"


def status_text(examination: Examination, *, code: int = 0) -> str:
    parts = [_status_head(examination)]
    for label, text in _facts(examination):
        parts += wrap(text, first=f"{GAP}{label:<10}{GAP}", rest=" " * 14)
    targets = [t for group in examination.look.groups for t in group.targets or ()]
    if examination.look.tasks:
        parts.append(table(_task_rows(examination.look.tasks, targets), indent=GAP))
    return "\n".join([*parts, *ending_lines(examination, code=code)])


def _status_head(examination: Examination) -> str:
    service = examination.look.service
    running = "?" if "runningCount" in service.unsaid else service.running
    desired = "?" if "desiredCount" in service.unsaid else service.desired
    place = (
        f" → {examination.environment}"
        if examination.environment
        else (f" in cluster {service.cluster}" if service.cluster else "")
    )
    pending = f", {service.pending} starting" if service.pending else ""
    state = "" if service.status in {"ACTIVE", ""} else f", {service.status.lower()}"
    name = printable(examination.service)
    return f"{name}{place}    {running} of {desired} running{pending}{state}"


def _facts(examination: Examination) -> list[tuple[str, str]]:
    service, release = examination.look.service, examination.running
    facts = [("release", "unknown")]
    if release is not None:
        text = " · ".join(filter(None, (_release_text(release), size_text(release))))
        facts = [("release", text)]
    elif named := (*examination.condition.serving.revisions, service.task_definition_arn)[0]:
        facts = [("release", family_revision(named))]
    kind = kind_text(service)
    if kind:
        facts.append(("kind", kind))
    if examination.condition.rollout is not None:
        facts.append(("deployment", _deployment_text(examination)))
    facts += [("targets", text) for text in map(_group_text, examination.look.groups)]
    if examination.url:
        facts.append(("url", examination.url))
    return facts


def _group_text(group: GroupLook) -> str:
    """`offer-api-dev: 1 healthy, 1 unhealthy`."""
    name = " and ".join(map(group_name, group.arns))
    if group.targets is None:
        return f"{name}: not read"
    if group.missing:
        missing = ", ".join(map(group_name, group.missing))
        return f"{name}: does not exist" if missing == name else f"{name}: {missing} does not exist"
    states = [target.state or "in an unknown state" for target in group.targets]
    counts = [f"{states.count(state)} {state}" for state in sorted(set(states))]
    return f"{name}: {', '.join(counts) or 'none registered'}"


def _release_text(release: ReleaseInfo) -> str:
    commit = short_commit(release.commit)
    label = release_label(release)
    return " · ".join(
        filter(
            None,
            (
                label if label != release.revision else "",
                commit if commit != label else "",
                release.revision,
                short_digest(release.digest),
            ),
        )
    )


def _deployment_text(examination: Examination) -> str:
    """ECS's own status; and why it failed, where it did."""
    rollout = examination.condition.rollout
    if rollout is None:
        return ""
    deployment = rollout.deployment
    status = str(deployment.status) if deployment else str(rollout.state)
    parts = [status, family_revision(rollout.task_definition_arn), _since(rollout)]
    if rollout.state is RolloutStatus.UNSAID:
        parts = [*parts[1:], "ECS does not say how it ended"]
    if deployment and deployment.failure_count:
        parts.append(failed_count_text(deployment.failure_count, deployment.failure_threshold))
    parts.append(rollout_reason(examination))
    return " · ".join(part for part in parts if part)


def _since(rollout: LastRollout) -> str:
    if rollout.ended_at is None and rollout.began_at is not None:
        word = "began" if rollout.state.is_over else "since"
        return f"{word} {_clock(rollout.began_at)}"
    return f"since {_clock(rollout.ended_at)}" if rollout.ended_at else ""


def _task_rows(
    tasks: Sequence[TaskState], targets: Sequence[TargetHealth]
) -> list[tuple[str, ...]]:
    by_address = {target.address: target for target in targets}
    head = ("TASK", "REVISION", "STATUS", "SINCE (UTC)", "ADDRESS", "TARGET")
    rows = [
        (
            short(task.id),
            family_revision(task.task_definition_arn),
            _task_status(task),
            _clock(task.started_at) if task.started_at else "-",
            task.address or "-",
            _target_text(by_address.get(task.address)),
        )
        for task in sorted(tasks, key=lambda task: (task.task_definition_arn, task.id))
    ]
    return [head, *rows]


def _task_status(task: TaskState) -> str:
    health = "" if task.health == "UNKNOWN" else f" {task.health.lower()}"
    return f"{task.last_status.lower() or 'not said'}{health}"


def _target_text(target: TargetHealth | None) -> str:
    if target is None:
        return "-"
    why = printable(target.description or target.reason)
    return f"{target.state}: {why}" if why and target.state != "healthy" else target.state


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
