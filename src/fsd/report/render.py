"""The final block of a command on stdout: what happened, and on failure why and what to do.

The answer comes first; evidence is verbatim, and then there is one sentence of ours.
"""

from __future__ import annotations

from typing import assert_never

from fsd.durations import duration_text
from fsd.release.result import Outcome, Result
from fsd.report.cause_advice import advice_text
from fsd.report.cause_summaries import summary_text
from fsd.report.changes import changes_text
from fsd.report.follow_ups import follow_up_texts
from fsd.report.messages import message_text
from fsd.report.notes import note_texts
from fsd.report.outcome_styles import OUTCOME_STYLES
from fsd.report.words import (
    capitalised,
    count_text,
    log_texts,
    next_run_text,
    note_lines,
    release_label,
    revision_label,
    speaker,
    took_text,
    wrap,
)
from fsd.rollout.cause import Cause, Diagnosis
from fsd.streams import columns, printable

LOG_LINES_SHOWN = 12
CAUSES_SHOWN = 3


def terminal_result(result: Result) -> str:
    """The result as text of at most 100 columns, without colour."""
    lines: list[str] = []
    if result.diagnosis is not None and result.outcome is not Outcome.SUCCEEDED:
        lines += diagnosis_lines(
            result.diagnosis, service=result.service, environment=result.environment
        )
        lines.append("")
    lines += _verdict(result)
    lines += [line for note in note_texts(result.notes) for line in note_lines(note)]
    return "\n".join(lines)


# --- why it failed -----------------------------------------------------------------------------


def diagnosis_lines(diagnosis: Diagnosis, *, service: str, environment: str) -> list[str]:
    """The cause, its evidence and the next action, of at most 100 columns."""
    cause = diagnosis.cause
    lines = [
        *wrap(summary_text(cause.summary), first=f"error[{cause.code}]: ", rest="  "),
        *wrap(cause.where, first="  --> ", rest="      "),
        *_log_lines(diagnosis),
        *_evidence(cause),
        *_changed(diagnosis),
        *wrap(advice_text(cause.advice), first="  fix: ", rest="       "),
    ]
    lines += _commands(diagnosis, service=service, environment=environment)
    for other in diagnosis.causes[1:CAUSES_SHOWN]:
        lines += wrap(summary_text(other.summary), first=f"  also[{other.code}]: ", rest="    ")
    return lines


def _commands(diagnosis: Diagnosis, *, service: str, environment: str) -> list[str]:
    """What to type next; in one line where there is room."""
    commands = []
    if log_texts(diagnosis) and environment:
        task = diagnosis.log_task.rstrip("…")
        commands.append(f"fsd logs --service {service} --env {environment} --task {task}")
    commands.append(f"fsd explain {diagnosis.cause.code}")
    line = "       " + "  ·  ".join(commands)
    return [line] if len(line) <= columns() else [f"       {command}" for command in commands]


def _log_lines(diagnosis: Diagnosis) -> list[str]:
    """The last ones: a traceback ends with what matters."""
    shown = log_texts(diagnosis)[-LOG_LINES_SHOWN:]
    return [line for text in shown for line in wrap(text, first="   |  ", rest="   |    ")]


def _evidence(cause: Cause) -> list[str]:
    lines = []
    for evidence in cause.evidence:
        source = speaker(printable(evidence.source))
        # Only what is not of today has a date; that it is old must be seen.
        when = f" ({evidence.at} UTC)" if " " in evidence.at else ""
        lines += wrap(evidence.text, first=f"  {source} says{when}: ", rest="    ")
    return lines


def _changed(diagnosis: Diagnosis) -> list[str]:
    if not diagnosis.changed_since:
        return []
    what = changes_text(diagnosis.changes, between=", ") or "nothing that FSD knows of"
    return wrap(f"changed since {diagnosis.changed_since}: {what}", first="  ", rest="    ")


# --- how it ended ------------------------------------------------------------------------------


def _verdict(result: Result) -> list[str]:
    lines = wrap(headline(result), first="", rest="  ")
    code = int(result.outcome.exit_code)
    # Interrupted is 130 or 143: only the command knows which signal it was.
    if code and result.outcome is not Outcome.INTERRUPTED:
        lines[-1] = with_exit_code(lines[-1], code)
    if result.url and OUTCOME_STYLES[result.outcome].shows_url:
        lines.append(f"  {printable(result.url)}")
    lines += [f"  next: {printable(step)}" for step in next_steps(result)]
    return lines


def next_steps(result: Result) -> tuple[str, ...]:
    if result.next_steps or result.outcome is not Outcome.STARTED:
        return follow_up_texts(result.next_steps)
    return (f"fsd status --service {result.service} --env {result.environment} --watch",)


def with_exit_code(line: str, code: int) -> str:
    """`exit 6` at the right edge, on the next line if this one is too long."""
    text = f"exit {code}"
    return (
        f"{line:<{columns() - len(text)}}{text}"
        if len(line) + 3 + len(text) <= columns()
        else f"{line}\n{text:>{columns()}}"
    )


def headline(result: Result) -> str:
    """One sentence that says how it ended and what runs now."""
    match result.outcome:
        case Outcome.SUCCEEDED:
            return _succeeded(result)
        case Outcome.NOT_STARTED:
            return _not_started(result)
        case Outcome.UNCHANGED:
            return _unchanged(result)
        case Outcome.STARTED:
            return f"Started {_what(result)}; FSD did not wait for its end"
        case Outcome.ROLLED_BACK if not result.was_begun:
            return f"Not deployed: {message_text(result.message)}. {_runs(result)}"
        case Outcome.ROLLED_BACK:
            message = f". {capitalised(message_text(result.message))}" if result.message else ""
            to = "to" if result.running else "and"
            return f"Rolled back {to} {_runs(result)}{message}"
        case Outcome.ROLLBACK_FAILED:
            return _failed(result)
        case (
            Outcome.PLANNED
            | Outcome.SKIPPED
            | Outcome.SUPERSEDED
            | Outcome.TIMED_OUT
            | Outcome.REFUSED
            | Outcome.INTERRUPTED
        ):
            return _ended(PAST[result.outcome], result)
        case outcome:
            assert_never(outcome)


PAST = {
    Outcome.PLANNED: "ended: planned",
    Outcome.SKIPPED: "ended: skipped",
    Outcome.SUPERSEDED: "was superseded",
    Outcome.TIMED_OUT: "timed out",
    Outcome.INTERRUPTED: "was interrupted",
    Outcome.REFUSED: "was refused",
}


def _ended(how: str, result: Result) -> str:
    message = f": {message_text(result.message)}" if result.message else ""
    return f"{capitalised(_what(result))} {how}{message}"


def _failed(result: Result) -> str:
    place, label = f"in {result.environment}", release_label(result.release)
    match result.action:
        case "deploy":
            what = f"deploy {_name(result)} to {result.environment}"
        case "rollback":
            what = f"roll {result.service} back to {label}".removesuffix(" to ") + f" {place}"
        case action:
            what = f"{action} {_name(result)} {place}"
    message = f". {capitalised(message_text(result.message))}" if result.message else ""
    return f"Failed to {what}{message}"


def _succeeded(result: Result) -> str:
    place = f"in {result.environment} in {duration_text(result.duration)}"
    label = release_label(result.release)
    match result.action:
        case "rollback":
            return f"Rolled {result.service} back to {label} {place}"
        case "restart":
            return f"Restarted {result.service} {label}".rstrip() + f" {place}"
        case "scale":
            counts = f"{message_text(result.message)}, {count_text(result)}"
            return f"Scaled {result.service} {place}: {counts}"
        case _:
            name = f"{result.service} {label}".rstrip()
            took = took_text(result)
            late = f"; {message_text(result.message)}" if result.message else ""
            due = next_run_text(result.next_run)
            return f"Deployed {name} to {result.environment} in {took}{due}{late}"


def _not_started(result: Result) -> str:
    """Never "Deployed" alone: nothing ran."""
    return f"Deployed but not started ({_what(result)}): {message_text(result.message)}"


def _name(result: Result) -> str:
    return f"{result.service} {release_label(result.release)}".rstrip()


def _unchanged(result: Result) -> str:
    runs = _runs(result) if result.running else f"{result.service} in {result.environment}"
    message = f" ({message_text(result.message)})" if result.message else ""
    return f"Nothing to change: {runs}{message}"


_NOUNS = {"deploy": "deployment", "scale": "scaling"}


def _what(result: Result) -> str:
    """`the deployment of offer-api v1.3.0 to dev`."""
    noun = _NOUNS.get(result.action, result.action)
    place = "to" if result.action == "deploy" else "in"
    return f"the {noun} of {_name(result)} {place} {result.environment}"


def _runs(result: Result) -> str:
    if result.running is None:
        return f"nothing is running in {result.environment}"
    return (
        f"{revision_label(result.running.revision, result.running.version)}, {count_text(result)}"
    )
