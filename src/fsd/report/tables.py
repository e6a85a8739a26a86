"""`fsd status` and `fsd history` as aligned text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from fsd.release.operations import Overview, Status, manifest_name
from fsd.release.result import ReleaseInfo
from fsd.report.wording import (
    WIDTH,
    clip,
    release_label,
    short_commit,
    short_digest,
    size_text,
    wrap,
)
from fsd.rollout.diagnose import family_revision, short
from fsd.snapshot import ServiceDeployment, ServiceState, TargetHealth, TaskState
from fsd.streams import printable

GAP = "  "


def table(rows: Sequence[Sequence[str]], *, indent: str = "", width: int = WIDTH) -> str:
    """Rows with columns as wide as their widest cell; only the last column is cut to fit."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [f"{cell:<{size}}" for cell, size in zip(row, widths, strict=True)]
        lines.append(clip((indent + GAP.join(cells)).rstrip(), width))
    return "\n".join(lines)


def history_table(releases: Sequence[ReleaseInfo]) -> str:
    """Newest first, as they come; what matters most stands left, where a narrow screen shows it."""
    head = ("VERSION", "OUTCOME", "REVISION", "WHEN (UTC)", "COMMIT", "DIGEST", "BY")
    return table([head, *(_history_row(release) for release in releases)])


def _history_row(release: ReleaseInfo) -> tuple[str, ...]:
    return (
        printable(release.version) or "-",
        release.outcome or "unknown",
        release.revision,
        f"{release.at.astimezone(UTC):%Y-%m-%d %H:%M}" if release.at else "-",
        short_commit(release.commit) or "-",
        release.digest.removeprefix("sha256:")[:12] or "-",
        (printable(release.run) or "-")
        + (f"  (forced: {printable(release.forced)})" if release.forced else ""),
    )


def overview_text(overview: Overview) -> str:
    """A line a service."""
    services = overview.services
    count = f"{len(services)} service{'' if len(services) == 1 else 's'}"
    title = f"{overview.environment}    {count} in cluster {overview.cluster}"
    if not services:
        return title
    head = ("SERVICE", "REVISION", "RUNNING", "ROLLOUT")
    return f"{title}\n{table([head, *map(_overview_row, services)], indent=GAP)}"


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


def status_text(status: Status) -> str:
    service = status.service
    head = (
        f"{status.ref.service} → {status.ref.environment}    "
        f"{service.running} of {service.desired} running"
    )
    pending = f", {service.pending} starting" if service.pending else ""
    state = "" if service.status == "ACTIVE" else f", {service.status.lower()}"
    parts = [head + pending + state]
    for label, text in _facts(status):
        parts += wrap(text, first=f"{GAP}{label:<10}{GAP}", rest=" " * 14)
    if status.tasks:
        parts.append(table(_task_rows(status.tasks, status.targets), indent=GAP))
    return "\n".join(parts)


def _facts(status: Status) -> list[tuple[str, str]]:
    facts = []
    if status.running is not None:
        release = status.running
        size = size_text(release)
        facts.append(("release", " · ".join(filter(None, (_release_text(release), size)))))
    if status.deployment is not None:
        facts.append(("deployment", _deployment_text(status.deployment)))
    if status.url:
        facts.append(("url", status.url))
    return facts or [("release", "unknown")]


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


def _deployment_text(deployment: ServiceDeployment) -> str:
    """ECS's own status, and its reason where there is one."""
    parts = [str(deployment.status), family_revision(deployment.task_definition_arn)]
    since = deployment.finished_at or deployment.started_at or deployment.created_at
    parts.append(f"since {_clock(since)}")
    if deployment.failure_count:
        limit = f" of {deployment.failure_threshold}" if deployment.failure_threshold else ""
        parts.append(f"{deployment.failure_count}{limit} failed tasks")
    reason = deployment.rollback_reason or deployment.status_reason
    return " · ".join([*parts, reason] if reason else parts)


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
    return f"{task.last_status.lower()}{health}"


def _target_text(target: TargetHealth | None) -> str:
    if target is None:
        return "-"
    why = printable(target.description or target.reason)
    return f"{target.state}: {why}" if why and target.state != "healthy" else target.state


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
