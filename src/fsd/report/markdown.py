"""A deployment as Markdown: the comment on a pull request and the job summary.

What users get now comes first, then what happened, the lines that say why, and what to do. All the
rest is folded. How foreign text is kept harmless: `fsd.report.github_text`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, assert_never

from fsd.change import Change
from fsd.durations import duration_text
from fsd.errors import FsdError
from fsd.release.result import Outcome, Phase, PhaseName, PhaseState, Progress, ReleaseInfo, Result
from fsd.report.cause_advice import advice_text
from fsd.report.cause_summaries import summary_text
from fsd.report.changes import remark_text, value_text
from fsd.report.github_text import (
    code,
    code_block,
    details,
    escape,
    footer,
    join,
    link,
    marker,
    note_list,
    row,
    sentence,
)
from fsd.report.messages import message_text
from fsd.report.notes import note_texts
from fsd.report.outcome_styles import OUTCOME_STYLES
from fsd.report.phases import phase_text
from fsd.report.plain import progress_text
from fsd.report.promotions import promoted_text
from fsd.report.render import next_steps
from fsd.report.words import (
    capitalised,
    count_text,
    event_text,
    log_texts,
    release_label,
    short_commit,
    short_digest,
    size_text,
    speaker,
    took_text,
)
from fsd.rollout.cause import Cause, Diagnosis, Evidence

# In the order of a deployment, for the bar of one that is under way.
_PHASES = (
    PhaseName.MANIFEST,
    PhaseName.IMAGE,
    PhaseName.STACK,
    PhaseName.REVISION,
    PhaseName.ROLLOUT,
)


def render_comment(result: Result, *, run_url: str, updated_at: datetime) -> str:
    """The sticky comment of one service in one environment."""
    parts = [
        marker(result.service, result.environment),
        _body(result, run_url=run_url, mentions=True),
        footer(run_url, updated_at, links=[link("service", result.url), _logs_link(result)]),
    ]
    return join(parts)


def render_summary(result: Result) -> str:
    """The job summary: the same facts, nobody mentioned, no links to itself."""
    return join([_body(result, run_url="", mentions=False)]) + "\n"


def render_progress_comment(
    service: str,
    environment: str,
    phase: Phase,
    *,
    run_url: str,
    updated_at: datetime,
    progress: Progress | None = None,
) -> str:
    """The same comment while the deployment runs: the phase that it has reached, how far that is,
    and the last event."""
    text = phase_text(phase)
    parts = [
        marker(service, environment),
        f"### ⏳ {service} is being deployed to {environment}",
        f"{_bar(phase.name)}**{phase.name}**" + (f": {code(text)}" if text else ""),
        *(_how_far(progress) if progress else ()),
        footer(run_url, updated_at),
    ]
    return join(parts)


def _how_far(progress: Progress) -> tuple[str, ...]:
    event = f"ECS says: {code(event_text(progress.note))}" if progress.note else ""
    return escape(progress_text(progress)), event


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPart:
    """One service in the summary of a job that has several."""

    service: str
    environment: str
    outcome: str
    has_failed: bool
    body: str  # its own summary, as Markdown


def render_job_summary(parts: Sequence[SummaryPart]) -> str:
    """One table, failures first, and each service's own summary folded below it."""
    ordered = sorted(parts, key=lambda part: not part.has_failed)
    failed = sum(1 for part in parts if part.has_failed)
    title = f"❌ {failed} of {len(parts)} services failed" if failed else "✅ no service failed"
    rows = "\n".join(
        f"| {_mark(part)} {escape(part.service)} | {escape(part.environment)} | {part.outcome} |"
        for part in ordered
    )
    folded = (details(f"{_mark(part)} {_part_title(part)}", part.body) for part in ordered)
    table = f"| service | environment | outcome |\n| --- | --- | --- |\n{rows}"
    return join([f"### {title}", table, *folded]) + "\n"


def _mark(part: SummaryPart) -> str:
    return "❌" if part.has_failed else "✅"


def _part_title(part: SummaryPart) -> str:
    place = f" in {escape(part.environment)}" if part.environment else ""
    return f"{escape(part.service)}{place}: {part.outcome}"


def _bar(phase: PhaseName) -> str:
    """`▰▰▱▱▱ `; "" for a phase that is no step forward."""
    if phase not in _PHASES:
        return ""
    done = _PHASES.index(phase)
    return f"{'▰' * done}{'▱' * (len(_PHASES) - done)} "


def render_error_comment(
    error: FsdError, *, service: str, environment: str, run_url: str, updated_at: datetime
) -> str:
    """The same comment where it ended before there was a rollout to report."""
    parts = [
        marker(service, environment),
        _error_body(error, service, environment),
        footer(run_url, updated_at),
    ]
    return join(parts)


def render_error_summary(error: FsdError, *, service: str = "", environment: str = "") -> str:
    """Without a service: it ended before one was looked at."""
    return join([_error_body(error, service, environment)]) + "\n"


def _error_body(error: FsdError, service: str, environment: str) -> str:
    """What happened, and below it what docker or the manifest's findings say of it."""
    subject = f"{escape(service)} was not deployed to {escape(environment)}"
    title = f"### ❌ {subject if service else 'FSD did nothing'} — {error.code}"
    first, *more = error.what.splitlines() or [""]
    where = str(error.where)
    return join(
        [
            title,
            f"**{code(str(error.code))}** {sentence(first.removesuffix(':'))}",
            code_block(more) if more else "",
            f"Where: {code(where)}" if where not in first else "",
            f"**Fix:** {sentence(' '.join(error.fix.split()))}",
        ]
    )


# --- a deployment ------------------------------------------------------------------------------


def _body(result: Result, *, run_url: str, mentions: bool) -> str:
    failed = result.diagnosis is not None and result.outcome is not Outcome.SUCCEEDED
    return join(
        [
            f"### {OUTCOME_STYLES[result.outcome].icon} {_title(result)}",
            *(_failure(result, run_url, mentions=mentions) if failed else _answer(result, run_url)),
            _next_block(result),
            details(_rollout_title(result.phases), _rollout(result, is_failure=failed)),
            details("What changed", "" if failed else _changes_list(result)),
            details("Notes", note_list(note_texts(result.notes))),
        ]
    )


def _title(result: Result) -> str:
    name = f"{escape(result.service)} {escape(release_label(result.release))}".rstrip()
    env = escape(result.environment)
    match result.outcome:
        case Outcome.SUCCEEDED if result.action == "rollback":
            return (
                f"{name} is back in {env} — {count_text(result)}, {duration_text(result.duration)}"
            )
        case Outcome.SUCCEEDED:
            return f"{name} is running in {env} — {count_text(result)}, {took_text(result)}"
        case Outcome.NOT_STARTED:
            return f"{name} is deployed to {env} but not started — nothing is running"
        case Outcome.UNCHANGED:
            return f"{name} is already running in {env} — {count_text(result)}"
        case Outcome.STARTED:
            return f"{name}: the rollout in {env} has started; FSD did not wait for it"
        case Outcome.PLANNED | Outcome.SKIPPED | Outcome.REFUSED | Outcome.INTERRUPTED:
            return f"{name} in {env}: {result.outcome}"
        case outcome:  # it did not end as asked for: what users get instead
            return f"{name} {_end_text(outcome, result, env)}. {_users(result)}"


def _end_text(
    outcome: Literal[
        Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED, Outcome.SUPERSEDED, Outcome.TIMED_OUT
    ],
    result: Result,
    env: str,
) -> str:
    match outcome:
        case Outcome.ROLLED_BACK:
            return f"was rolled back in {env}" if result.was_begun else f"was not deployed to {env}"
        case Outcome.ROLLBACK_FAILED:
            return f"failed in {env} and was not rolled back"
        case Outcome.SUPERSEDED:
            return f"was superseded in {env}"
        case Outcome.TIMED_OUT:
            return f"in {env}: not finished after {duration_text(result.duration)}"
        case _:
            assert_never(outcome)


def _users(result: Result) -> str:
    """What they get now. "Served" is said only where the verdict vouches for health."""
    if result.running is None or _runs_nothing(result):
        return "Nothing is running"
    is_job = bool(result.schedule)
    label = escape(release_label(result.running))
    if is_job:
        return f"The schedule starts {label} ({count_text(result)})"
    if result.outcome is Outcome.ROLLED_BACK:
        return f"{label} is serving users ({count_text(result)})"
    return f"Now: {label}, {count_text(result)}"


def _runs_nothing(result: Result) -> bool:
    """Of a Job only its schedule counts."""
    return result.running is None or (result.desired_count == 0 and not result.schedule)


# --- it went well, or there is nothing to explain ----------------------------------------------


def _answer(result: Result, run_url: str) -> list[str]:
    address = result.url if link("service", result.url) else ""
    commits = _commit_range(result.previous, result.release, run_url)
    told = result.outcome is Outcome.SUCCEEDED or not result.message
    return [
        " · ".join(filter(None, (address, commits))),
        _promoted(result),
        "" if told else f"{escape(capitalised(message_text(result.message)))}.",
        _table(result),
    ]


def _promoted(result: Result) -> str:
    """Of what was to be released: what runs may be another release."""
    said = promoted_text(result.release) if result.release else ""
    return f"{escape(said)}." if said else ""


def _commit_range(old: ReleaseInfo | None, new: ReleaseInfo | None, run_url: str) -> str:
    """`1a2b3c4…4f2c1e9`, with a link to what GitHub shows between them."""
    if old is None or new is None or not (old.commit and new.commit) or old.commit == new.commit:
        return ""
    return _compare(old.commit, new.commit, run_url)


def _compare(old: str, new: str, run_url: str) -> str:
    text = f"{escape(short_commit(old))}…{escape(short_commit(new))}"
    repository, is_run, _ = run_url.partition("/actions/runs/")
    if not is_run or not all(re.fullmatch(r"[0-9a-f]{7,40}", commit) for commit in (old, new)):
        return text
    return link(text, f"{repository}/compare/{old}...{new}") or text


# --- it failed ---------------------------------------------------------------------------------


def _failure(result: Result, run_url: str, *, mentions: bool) -> list[str]:
    diagnosis = result.diagnosis
    assert diagnosis is not None
    cause = diagnosis.cause
    message = result.outcome is not Outcome.ROLLED_BACK and message_text(result.message)
    return [
        f"**{code(cause.code)}** {escape(capitalised(summary_text(cause.summary)))}. "
        f"{_changed_since(diagnosis, run_url)}".strip(),
        _lines_that_say_why(diagnosis),
        _fix(result, cause, mentions=mentions),
        f"{escape(capitalised(message))}." if message else "",
    ]


def _changed_since(diagnosis: Diagnosis, run_url: str) -> str:
    if not diagnosis.changed_since:
        return ""
    changes = [_change(change, run_url) for change in diagnosis.changes]
    what = ", ".join(changes) or "nothing that FSD knows of"
    return f"Changed since {code(diagnosis.changed_since)}: {what}"


def _change(change: Change, run_url: str) -> str:
    if change.what == "commits":
        range_ = _compare(change.before or "", change.after or "", run_url)
        said = remark_text(change.remark)
        return f"{said} ({range_})" if said else range_
    return f"{escape(change.what)} {code(value_text(change))}".rstrip()


def _lines_that_say_why(diagnosis: Diagnosis) -> str:
    """The service's own last lines; without them what AWS said."""
    if lines := log_texts(diagnosis):
        return code_block(lines)
    return "\n".join(_quoted(one) for one in diagnosis.cause.evidence)


def _quoted(evidence: Evidence) -> str:
    return f"- {escape(speaker(evidence.source))} says: {code(evidence.text)}"


def _fix(result: Result, cause: Cause, *, mentions: bool) -> str:
    owners = (
        " ".join(result.owners) if mentions and OUTCOME_STYLES[result.outcome].has_failed else ""
    )
    return " · ".join(filter(None, (f"**Fix:** {sentence(advice_text(cause.advice))}", owners)))


# --- folded ------------------------------------------------------------------------------------


def _rollout_title(phases: Sequence[Phase]) -> str:
    """`Rollout: failed after 41s, rolled back in 53s`."""
    times = {
        phase.name: (phase.state, duration_text(phase.finished_at - phase.started_at))
        for phase in phases
        if phase.finished_at is not None
    }
    words = []
    rollout, back = times.get(PhaseName.ROLLOUT), times.get(PhaseName.ROLLBACK)
    if rollout and rollout[0] is PhaseState.FAILED:
        words.append(f"failed after {rollout[1]}")
    elif rollout:
        words.append(rollout[1])
    if back and back[0] is PhaseState.DONE:
        words.append(f"rolled back in {back[1]}")
    return f"Rollout: {', '.join(words)}" if words else _untimed_title(phases)


def _untimed_title(phases: Sequence[Phase]) -> str:
    is_job = any(phase.name is PhaseName.SCHEDULE for phase in phases)
    return "Steps" if is_job else "Rollout"


def _rollout(result: Result, *, is_failure: bool) -> str:
    parts = [_gantt(result.phases)]
    if is_failure and result.diagnosis is not None:
        parts += [_evidence(result, result.diagnosis), _table(result)]
        if result.outcome is Outcome.ROLLED_BACK and result.message:
            parts.append(f"{escape(capitalised(message_text(result.message)))}.")
    return join(parts)


def _evidence(result: Result, diagnosis: Diagnosis) -> str:
    cause = diagnosis.cause
    lines = [f"- Where: {code(cause.where)}"] if cause.where else []
    if log_texts(diagnosis):  # else it stands above
        lines += [_quoted(evidence) for evidence in cause.evidence]
    if log_texts(diagnosis) and diagnosis.log_task:
        group = f", log group {code(result.log_group)}" if result.log_group else ""
        lines.append(f"- The log lines are from task {code(diagnosis.log_task)}{group}")
    lines += [
        f"- Also {code(c.code)}: {escape(summary_text(c.summary))}" for c in diagnosis.causes[1:]
    ]
    return "\n".join(lines)


def _table(result: Result) -> str:
    """What runs now beside what ran before, or beside what failed."""
    failed = OUTCOME_STYLES[result.outcome].has_failed
    now = None if failed and _runs_nothing(result) else result.running or result.release
    columns = {"failed": result.release, "now": now} if failed else {}
    before = result.previous
    if not failed or (before and now and before.revision != now.revision):
        columns = {"before": before, **columns, "now": now}
    shown = [(name, release) for name, release in columns.items() if release is not None]
    if not shown:
        return ""
    rows = [
        ("version", [_version(release) for _, release in shown]),
        ("revision", [code(release.revision) for _, release in shown]),
        ("image", [code(_digest(release)) for _, release in shown]),
        ("size", [escape(size_text(release)) for _, release in shown]),
    ]
    lines = [
        row("", [name for name, _ in shown]),
        row("---", ["---" for _ in shown]),
        *(row(name, cells) for name, cells in rows if any(cells)),
    ]
    return "\n".join(lines)


def _digest(release: ReleaseInfo) -> str:
    """A phone has room for the part that tells it from another."""
    return short_digest(release.digest).removeprefix("sha256:")


def _version(release: ReleaseInfo) -> str:
    commit = short_commit(release.commit)
    label = escape(release.version)
    same = commit == release.version
    return " ".join(filter(None, (f"**{label}**" if label else "", "" if same else code(commit))))


def _next_block(result: Result) -> str:
    steps = next_steps(result)
    return f"Next:\n\n{code_block(steps)}" if steps else ""


def _changes_list(result: Result) -> str:
    changes = (
        f"- {escape(change.what)} {code(value_text(change))}".rstrip() for change in result.changes
    )
    return "\n".join(changes)


def _gantt(phases: Sequence[Phase]) -> str:
    """A Mermaid gantt of the phases that ended. Nothing in it is foreign text."""
    bars, total = [], 0
    for phase in phases:
        if phase.finished_at is None:
            continue
        total += round((phase.finished_at - phase.started_at).total_seconds())
        seconds = max(1, round((phase.finished_at - phase.started_at).total_seconds()))
        state = "crit, " if phase.state is PhaseState.FAILED else ""
        start = f"{phase.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
        bars.append(f"    {phase.name} : {state}{start}, {seconds}s")
    if not bars:
        return ""
    head = [
        "gantt",
        "    dateFormat YYYY-MM-DDTHH:mm:ss",
        "    axisFormat %H:%M:%S",
        f"    tickInterval {_tick(total)}",
    ]
    return "\n".join(["```mermaid", *head, *bars, "```"])


def _tick(seconds: int) -> str:
    """So many marks of the time as a phone has room for: about three."""
    steps = (1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
    step = next((step for step in steps if step * 3 >= seconds), 3600)
    return f"{step // 60}minute" if step % 60 == 0 else f"{step}second"


def _logs_link(result: Result) -> str:
    """The log group in the console of the account's partition; "" where there is none.

    The console wants `/` written as `$252F` behind its `#`.
    """
    if not (result.log_group and result.region) or not _is_on_aws(result):
        return ""
    group = re.sub(r"[^\w.-]", lambda found: f"$25{ord(found[0]):02X}", result.log_group)
    home = f"https://{result.region}.console.aws.amazon.com/cloudwatch/home?region={result.region}"
    return link("logs", f"{home}#logsV2:log-groups/log-group/{group}")


def _is_on_aws(result: Result) -> bool:
    """Not on the embedded AWS, and not in a partition with a console of another name."""
    return result.deployment_arn.startswith("arn:aws:") and ".elb.amazonaws.com" in result.url
