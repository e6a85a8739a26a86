"""Results as Markdown: the comment on a pull request and the job summary.

Whatever FSD did not write itself (log lines, AWS's reasons, version labels, plans) is foreign: it
may hold a table's bar, a comment's end, a mention or a reference that GitHub would act on. It is
shown as code, where GitHub does none of this, or escaped; only owners are mentioned.
https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from fsd.durations import duration_text
from fsd.errors import FsdError, Location
from fsd.manifest.finding import Finding, Severity
from fsd.release.result import Outcome, Phase, PhaseState, ReleaseInfo, Result
from fsd.report.changes import changes_text, phase_text, step_subject, step_text, value_text
from fsd.report.findings import summarize
from fsd.report.plans import Planned, plan_summary
from fsd.report.render import next_steps
from fsd.report.wording import (
    capitalised,
    clip,
    count_text,
    release_label,
    short_commit,
    short_digest,
    size_text,
)
from fsd.rollout.cause import Diagnosis
from fsd.streams import printable

# GitHub refuses a comment of more than 65536 characters.
LIMIT = 60_000
LINE_LIMIT = 500  # characters of one foreign line

_ICONS = {
    Outcome.SUCCEEDED: "✅",
    Outcome.NOT_STARTED: "⏸️",
    Outcome.UNCHANGED: "✅",
    Outcome.STARTED: "🚀",
    Outcome.PLANNED: "📋",
    Outcome.SKIPPED: "⏭️",
    Outcome.ROLLED_BACK: "❌",
    Outcome.ROLLBACK_FAILED: "❌",
    Outcome.REFUSED: "❌",
    Outcome.SUPERSEDED: "⚠️",
    Outcome.TIMED_OUT: "⚠️",
    Outcome.INTERRUPTED: "⚠️",
}
_SEVERITY_ICONS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "💡"}
_NEEDS_OWNERS = {Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED}


def marker(service: str, subject: str) -> str:
    """The invisible first line by which the same comment is found again.

    `subject` is an environment, `plan`, or `plan:` and the one environment that a job is for.
    """
    return f"<!-- fsd:{_plain_name(service)}:{_plain_name(subject)} -->"


def _plain_name(name: str) -> str:
    """A file's name may stand for a service that does not say its own, and be anything."""
    return re.sub(r"[^\w.:-]|(?<=--)>", "_", name, flags=re.ASCII)


def render_comment(result: Result, *, run_url: str, updated_at: datetime) -> str:
    """The sticky comment of one service in one environment."""
    parts = [
        marker(result.service, result.environment),
        _body(result, mentions=True),
        _footer(run_url, updated_at, url=result.url),
    ]
    return _join(parts)


def render_summary(result: Result) -> str:
    """The job summary: the same facts, nobody mentioned, no links to itself."""
    return _join([_body(result, mentions=False)]) + "\n"


def render_progress_comment(
    service: str, environment: str, phase: Phase, *, run_url: str, updated_at: datetime
) -> str:
    """The same comment while the deployment runs: the phase that it has reached."""
    parts = [
        marker(service, environment),
        f"### ⏳ {service} is being deployed to {environment}",
        f"{phase.name}: {code(text)}" if (text := phase_text(phase)) else str(phase.name),
        _footer(run_url, updated_at),
    ]
    return _join(parts)


def render_error_comment(
    error: FsdError, *, service: str, environment: str, run_url: str, updated_at: datetime
) -> str:
    """The same comment where it ended before there was a rollout to report."""
    parts = [
        marker(service, environment),
        _error_body(error, service, environment),
        _footer(run_url, updated_at),
    ]
    return _join(parts)


def render_error_summary(error: FsdError, *, service: str = "", environment: str = "") -> str:
    """Without a service: it ended before one was looked at."""
    return _join([_error_body(error, service, environment)]) + "\n"


def render_plan_comment(
    service: str,
    plans: Sequence[Planned],
    *,
    subject: str = "plan",
    findings: Sequence[Finding] = (),
    unavailable: Mapping[str, str] | None = None,
    run_url: str,
    updated_at: datetime,
    blob_url: str = "",
) -> str:
    """The comment of a pull request before the merge.

    `unavailable` says why an environment has no plan. `blob_url` is where files of this commit
    are shown, https://github.com/ORG/REPO/blob/SHA; without it findings have no links.
    """
    missing = unavailable or {}
    environments = [*(planned.environment for planned in plans), *missing]
    title = f"### 📋 {escape(service)}: plan for {_and(environments)}"
    parts = [
        marker(service, subject),
        title if environments else f"### 📋 {escape(service)}: checked",
        *(_plan_block(planned) for planned in plans),
        *(f"**{escape(env)}** — no plan: {code(why)}" for env, why in missing.items()),
        _findings_block(findings, blob_url),
        _footer(run_url, updated_at),
    ]
    return _join(parts)


def _error_body(error: FsdError, service: str, environment: str) -> str:
    subject = f"{escape(service)} was not deployed to {escape(environment)}"
    title = f"### ❌ {subject if service else 'FSD did nothing'} — {error.code}"
    return _join([title, code_block(str(error).splitlines())])


# --- foreign text ------------------------------------------------------------------------------

_SPECIAL = re.compile(r"([\\`*_\[\]|~])")


def escape(text: str) -> str:
    """Foreign text as plain words: no markup, mention, reference or link comes of it."""
    text = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _SPECIAL.sub(r"\\\1", text)
    # A zero-width space: GitHub looks for mentions and references after Markdown's escapes.
    return re.sub(r"(@|#|://|www\.)", "\\1\N{ZERO WIDTH SPACE}", text)


def code(text: str) -> str:
    """Foreign text as inline code, also in a table's cell; "" stays ""."""
    text = _harmless(text).strip().replace("|", "\\|")
    if not text:
        return ""
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def sentence(text: str) -> str:
    """A sentence of ours, whose names in backticks are code. Foreign text in it may have any."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(code(part) if number % 2 else escape(part) for number, part in enumerate(parts))


def code_block(lines: Iterable[str]) -> str:
    """Foreign lines as a block of code."""
    text = "\n".join(_harmless(line) for line in lines)
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def _harmless(text: str) -> str:
    """Short, and without what counts in code too: our marker, searched for in the raw text."""
    return clip(printable(text), LINE_LIMIT).replace("<!--", "<! --")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


# --- a deployment ------------------------------------------------------------------------------


def _body(result: Result, *, mentions: bool) -> str:
    return _join(
        [
            f"### {_ICONS[result.outcome]} {_title(result)}",
            _cause_block(result) if result.outcome is not Outcome.SUCCEEDED else "",
            _owners(result) if mentions else "",
            _table(result),
            _message(result),
            _next_block(result),
            _details("Rollout", _gantt(result.phases)),
            _details("What changed", _changes_list(result)),
            _details("Notes", "\n".join(f"- {code(note)}" for note in result.notes)),
        ]
    )


def _title(result: Result) -> str:
    name = f"{escape(result.service)} {escape(release_label(result.release))}".rstrip()
    env = escape(result.environment)
    took = duration_text(result.duration)
    match result.outcome:
        case Outcome.SUCCEEDED if result.action == "rollback":
            return f"{name} is back on {env} — {count_text(result)}, {took}"
        case Outcome.SUCCEEDED:
            return f"{name} is on {env} — {count_text(result)}, {took}"
        case Outcome.NOT_STARTED:
            return f"{name} is deployed on {env} and not started — nothing runs"
        case Outcome.UNCHANGED:
            return f"{name} runs on {env} already — {count_text(result)}"
        case Outcome.STARTED:
            return f"{name}: the rollout on {env} was started and not waited for"
        case Outcome.ROLLED_BACK:
            return f"{name} was rolled back on {env} — {_runs(result)}"
        case Outcome.ROLLBACK_FAILED:
            return f"{name} failed on {env} and was not rolled back — {_runs(result)}"
        case Outcome.SUPERSEDED:
            return f"{name} was superseded on {env} — {_runs(result)}"
        case Outcome.TIMED_OUT:
            return f"{name} on {env}: no end after {took}"
        case _:
            return f"{name} on {env}: {result.outcome}"


def _runs(result: Result) -> str:
    if result.running is None or result.desired_count == 0:
        return "nothing runs"
    return f"{escape(release_label(result.running))} runs, {count_text(result)}"


def _cause_block(result: Result) -> str:
    diagnosis = result.diagnosis
    if diagnosis is None:
        return ""
    cause = diagnosis.cause
    lines = [
        f"> **{cause.code}**: {escape(cause.summary)}",
        f"> {code(cause.where)}",
        *(f"> {_evidence_line(evidence.source, evidence.text)}" for evidence in cause.evidence),
        *_changed_since(diagnosis),
        f"> **Fix**: {sentence(cause.advice)}",
        *(f"> Also **{other.code}**: {escape(other.summary)}" for other in diagnosis.causes[1:]),
    ]
    # A backslash at the end breaks the line inside a quote.
    quote = "\\\n".join(lines)
    return _join([quote, _log_block(result, diagnosis)])


def _evidence_line(source: str, text: str) -> str:
    return f"{escape(capitalised(source))} says: {code(text)}"


def _changed_since(diagnosis: Diagnosis) -> list[str]:
    if not diagnosis.changed_since:
        return []
    what = changes_text(diagnosis.changes, between=", ") or "nothing that FSD knows of"
    return [f"> Changed since {code(diagnosis.changed_since)}: {code(what)}"]


def _log_block(result: Result, diagnosis: Diagnosis) -> str:
    if not diagnosis.log_lines:
        return ""
    task = escape(diagnosis.log_task)
    group = f" in {code(result.log_group)}" if result.log_group else ""
    return f"The last lines of task {task}{group}:\n\n{code_block(diagnosis.log_lines)}"


def _owners(result: Result) -> str:
    if result.outcome not in _NEEDS_OWNERS or not result.owners:
        return ""
    return f"{' '.join(result.owners)} please look."


def _table(result: Result) -> str:
    """Before and what runs now; the release that failed has a column of its own."""
    now = result.running or result.release
    failed = result.outcome in _NEEDS_OWNERS
    columns = [("before", result.previous)]
    if failed:
        columns.append(("failed", result.release))
    columns.append(("now", now))
    shown = [(name, release) for name, release in columns if release is not None]
    if not shown:
        return ""
    rows = [
        ("version", [_version(release) for _, release in shown]),
        ("revision", [code(release.revision) for _, release in shown]),
        ("image", [code(short_digest(release.digest)) for _, release in shown]),
        ("size", [escape(size_text(release)) for _, release in shown]),
    ]
    lines = [
        _row("", [name for name, _ in shown]),
        _row("---", ["---" for _ in shown]),
        *(_row(name, cells) for name, cells in rows if any(cells)),
    ]
    return "\n".join(lines)


def _row(head: str, cells: Iterable[str]) -> str:
    return "| " + " | ".join((head, *cells)) + " |"


def _version(release: ReleaseInfo) -> str:
    commit = short_commit(release.commit)
    label = escape(release.version)
    same = commit == release.version
    return " ".join(filter(None, (f"**{label}**" if label else "", "" if same else code(commit))))


def _message(result: Result) -> str:
    told = result.outcome is Outcome.SUCCEEDED
    return "" if told or not result.message else f"{escape(capitalised(result.message))}."


def _next_block(result: Result) -> str:
    steps = next_steps(result)
    return f"Next:\n\n{code_block(steps)}" if steps else ""


def _changes_list(result: Result) -> str:
    """Not where a cause block says what changed since."""
    if result.diagnosis is not None and result.outcome is not Outcome.SUCCEEDED:
        return ""
    lines = [
        f"- {escape(change.what)} {code(value_text(change))}".rstrip() for change in result.changes
    ]
    return "\n".join(lines)


def _gantt(phases: Sequence[Phase]) -> str:
    """A Mermaid gantt of the phases that ended. Nothing in it is foreign text."""
    bars = []
    for phase in phases:
        if phase.finished_at is None:
            continue
        seconds = max(1, round((phase.finished_at - phase.started_at).total_seconds()))
        state = "crit" if phase.state is PhaseState.FAILED else "done"
        start = f"{phase.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
        bars.append(f"    {phase.name} : {state}, {start}, {seconds}s")
    if not bars:
        return ""
    head = ["gantt", "    dateFormat YYYY-MM-DDTHH:mm:ss", "    axisFormat %H:%M:%S"]
    return "\n".join(["```mermaid", *head, *bars, "```"])


# --- a plan ------------------------------------------------------------------------------------


def _plan_block(planned: Planned) -> str:
    env = escape(planned.environment)
    head = f"**{env}** — {escape(plan_summary(planned.plan))}"
    rows = [
        _plan_row(code(str(step.sign)), step_subject(step), step_text(step))
        for step in planned.plan.steps
    ]
    if planned.rollout_text():
        rows.append(_plan_row("", "rollout", planned.rollout_text()))
    table = "\n".join(["| | what | change |", "| --- | --- | --- |", *rows]) if rows else ""
    notes = "\n".join(f"- {code(note)}" for note in planned.notes)
    return _join([head, table, notes])


def _plan_row(sign: str, subject: str, text: str) -> str:
    return f"| {sign} | {subject} | {code(' '.join(text.split()))} |"


def render_findings(findings: Sequence[Finding], *, subject: str) -> str:
    """What `fsd validate` found, for a job summary or a comment."""
    errors = any(finding.severity is Severity.ERROR for finding in findings)
    icon = _SEVERITY_ICONS[Severity.ERROR] if errors else "✅"
    head = f"{icon} {escape(summarize(findings, subject=subject))}"
    return _join([head, _findings_block(findings, "")])


def _findings_block(findings: Sequence[Finding], blob_url: str) -> str:
    if not findings:
        return ""
    rows = [
        f"| {_SEVERITY_ICONS[finding.severity]} | {code(finding.id)} "
        f"| {_place(finding.where, blob_url)} | {sentence(finding.message)} "
        f"| {sentence(finding.fix)} |"
        for finding in findings
    ]
    return "\n".join(["| | finding | where | what | fix |", "| --- " * 5 + "|", *rows])


def _place(where: Location | str, blob_url: str) -> str:
    if isinstance(where, str):
        return code(where)
    text = code(f"{where.path}:{where.line}")
    if not blob_url or not re.fullmatch(r"[\w./-]+", where.path):
        return text
    return f"[{text}]({blob_url}/{where.path}#L{where.line})"


# --- around it ---------------------------------------------------------------------------------


def _footer(run_url: str, updated_at: datetime, *, url: str = "") -> str:
    links = [_link("run", run_url), _link("service", url)]
    updated = f"updated {updated_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return " · ".join([*filter(None, links), updated])


def _link(text: str, url: str) -> str:
    """ "" for what is no plain web address."""
    return f"[{text}]({url})" if re.fullmatch(r"https?://[^\s()<>\[\]]+", url) else ""


def _details(title: str, body: str) -> str:
    if not body:
        return ""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _and(names: Sequence[str]) -> str:
    escaped = [escape(name) for name in names]
    return " and ".join(filter(None, (", ".join(escaped[:-1]), *escaped[-1:])))


def _join(parts: Iterable[str]) -> str:
    """Paragraphs; what would pass GitHub's limit is cut, and says so."""
    text = "\n\n".join(part for part in parts if part)
    if len(text) <= LIMIT:
        return text
    return text[:LIMIT].rpartition("\n")[0] + "\n\n… cut: too long for GitHub"
