"""`fsd status` and `fsd diagnose` of a Job, as text and JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from fsd.plan.jobs import BY_HAND
from fsd.release.job_run import Run
from fsd.release.jobs import JobLook
from fsd.report.cause_summaries import cause_text
from fsd.report.job_runs import run_text
from fsd.report.json_report import diagnosis_json, release_json
from fsd.report.render import diagnosis_lines, with_exit_code
from fsd.report.tables import GAP, table
from fsd.report.words import log_texts, revision_label, wrap
from fsd.rollout.diagnose import family_revision, short
from fsd.streams import printable

RUNS_SHOWN = 10


def job_status_text(look: JobLook, *, code: int = 0) -> str:
    lines = [_head(look), *_facts(look)]
    if look.runs or look.running_tasks:
        lines.append(table(_rows(look), indent=GAP))
    else:
        lines.append(f"{GAP}no run that ECS knows of; it forgets one an hour after its end")
    return "\n".join([*lines, *_ending(look, code)])


def job_diagnosis_text(look: JobLook, *, code: int = 0) -> str:
    if look.diagnosis is None:
        return job_status_text(look, code=code)
    found = diagnosis_lines(look.diagnosis, service=look.service, environment=look.environment)
    status = job_status_text(replace(look, diagnosis=None), code=code)
    return "\n".join([*found, "", status])


def job_json(look: JobLook) -> dict[str, object]:
    """`fsd/job/v1`."""
    return {
        "schema": "fsd/job/v1",
        "service": look.service,
        "environment": look.environment,
        "schedule": look.schedule,
        "nextRun": look.next_run.isoformat() if look.next_run else None,
        "release": release_json(look.release) if look.release else None,
        "logGroup": look.log_group,
        "running": [task.id for task in look.running_tasks],
        "runs": [_run_json(run) for run in look.runs],
        "diagnosis": diagnosis_json(look.diagnosis) if look.diagnosis else None,
    }


def _run_json(run: Run) -> dict[str, object]:
    return {
        "task": run.task.id,
        "taskDefinitionArn": run.task.task_definition_arn,
        "startedBy": run.task.started_by,
        "startedAt": run.task.started_at.isoformat() if run.task.started_at else None,
        "stoppedAt": run.task.stopped_at.isoformat() if run.task.stopped_at else None,
        "exitCode": run.exit_code,
        "timedOut": run.is_timed_out,
        "text": run_text(run),
    }


def _head(look: JobLook) -> str:
    when = "started by hand" if look.schedule == BY_HAND else look.schedule
    running = f", {len(look.running_tasks)} running" if look.running_tasks else ""
    return f"{printable(look.service)} → {look.environment}    Job, {when}{running}"


def _facts(look: JobLook) -> list[str]:
    one = look.release
    release = revision_label(one.revision, one.version) if one else "unknown"
    lines = wrap(release, first=f"{GAP}{'release':<10}{GAP}", rest=" " * 14)
    if look.next_run:
        due = look.next_run.astimezone(UTC)
        lines.append(f"{GAP}{'next run':<10}{GAP}{due:%Y-%m-%d %H:%M} UTC")
    return lines


def _rows(look: JobLook) -> list[tuple[str, ...]]:
    head = ("RUN", "REVISION", "STARTED (UTC)", "ENDED", "RESULT")
    running = [
        (
            short(task.id),
            family_revision(task.task_definition_arn),
            _clock(task.started_at),
            "-",
            task.last_status.lower(),
        )
        for task in look.running_tasks
    ]
    ended = [
        (
            short(run.task.id),
            family_revision(run.task.task_definition_arn),
            _clock(run.task.started_at),
            _clock(run.task.stopped_at),
            printable(run_text(run)),
        )
        for run in look.runs[:RUNS_SHOWN]
    ]
    return [head, *running, *ended]


def _ending(look: JobLook, code: int) -> list[str]:
    if not look.runs:
        return []
    words = "The last run succeeded" if look.runs[0].is_good else "The last run failed"
    line = f"{words}: {printable(run_text(look.runs[0]))}"
    lines = wrap(line, first="", rest=GAP)
    if code:
        lines[-1] = with_exit_code(lines[-1], code)
    return [*_cause(look), *lines]


def _cause(look: JobLook) -> list[str]:
    """As `fsd status` of a service has it, and the last line that says why."""
    if look.diagnosis is None:
        return []
    cause = look.diagnosis.cause
    lines = wrap(cause_text(cause), first=f"{GAP}{'wrong':<10}{GAP}", rest=" " * 14)
    for text in log_texts(look.diagnosis)[-1:]:
        lines += wrap(text, first=f"{GAP}{'log':<10}{GAP}", rest=" " * 14)
    return lines


def _clock(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%H:%M:%S}" if at else "-"
