"""Words that every report uses alike: releases, sizes, and foreign text made harmless.

Pure. Foreign text (log lines, AWS's reasons, version labels) may hold anything, so nothing of it
reaches a terminal with its control characters.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime

from fsd.durations import duration_text
from fsd.plan.jobs import BY_HAND
from fsd.release.result import ReleaseInfo, Result
from fsd.report.outcome_styles import OUTCOME_STYLES
from fsd.rollout.cause import Diagnosis
from fsd.rollout.log_remarks import FIRELENS, LogRemark, LogUnreadable
from fsd.streams import columns, printable

SHORT_COMMIT = 7
MOST = 80  # percent
WARNING = "warning: "  # how a note begins that is one


def short_commit(commit: str) -> str:
    return commit[:SHORT_COMMIT]


def short_digest(digest: str) -> str:
    """`sha256:9b1f2c4d5e6f…`; "" stays ""."""
    return f"{digest[:19]}…" if len(digest) > 20 else digest


def release_label(release: ReleaseInfo | None) -> str:
    """The version, else the commit, else the revision; "" for no release."""
    if release is None:
        return ""
    return printable(release.version or short_commit(release.commit) or release.revision)


def revision_label(revision: str, version: str) -> str:
    """`offer-api-dev:41 (v1.2.9)`; without a version, the revision alone."""
    return f"{revision} ({printable(version)})" if version else revision


def size_text(release: ReleaseInfo) -> str:
    """`0.5 vCPU, 1 GB`; "" where the sizes are not known."""
    if not release.cpu or not release.memory:
        return ""
    memory = f"{release.memory / 1024:g} GB" if release.memory >= 1024 else f"{release.memory} MB"
    return f"{release.cpu / 1024:g} vCPU, {memory}"


def count_text(result: Result) -> str:
    """`2 of 2 healthy`. Where no verdict vouches for health: `running`. Of a Job its schedule."""
    if result.schedule == BY_HAND:
        return "started by hand"
    if result.schedule:
        return f"schedule {result.schedule}{next_run_text(result.next_run)}"
    if OUTCOME_STYLES[result.outcome].is_vouched:
        return f"{result.healthy_count} of {result.desired_count} healthy"
    return f"{result.running_count} of {result.desired_count} running"


def took_text(result: Result) -> str:
    """`2m04s, faster than 80 % of the last 20 rollouts`: only what is worth a word."""
    took, speed = duration_text(result.duration), result.speed
    if speed is not None and speed.faster_than >= MOST:
        return f"{took}, faster than {speed.faster_than} % of the last {speed.of} rollouts"
    if speed is not None and speed.slower_than >= MOST:
        return f"{took}, slower than {speed.slower_than} % of the last {speed.of} rollouts"
    return took


def log_texts(diagnosis: Diagnosis) -> tuple[str, ...]:
    """The task's last log lines, and why some are missing."""
    if diagnosis.log_error is None:
        elsewhere = (f"({log_remark_text(one)})" for one in diagnosis.logs_elsewhere)
        return (*elsewhere, *diagnosis.log_lines)
    return (f"(the logs could not be read: {diagnosis.log_error.text})",)


def log_remark_text(remark: LogRemark) -> str:
    if isinstance(remark, LogUnreadable):
        return f"the log could not be read: {remark.error.text}"
    if not remark.driver:
        return f"{remark.container} has no log configuration, so its log lines are not kept"
    to = remark.destination
    if not to and remark.driver == FIRELENS:
        to = "wherever its log router sends them"
    to = f" to {to}" if to else ""
    return (
        f"the log lines of {remark.container} go through {remark.driver}{to}, where FSD cannot "
        "read them"
    )


def next_run_text(at: datetime | None) -> str:
    """`, next run at 2026-11-30 05:00 UTC`."""
    return f", next run at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""


def speaker(source: str) -> str:
    """Who says a piece of evidence, at the start of a sentence: `ECS`, `The target group`."""
    return f"The {source}" if source[:1].islower() else source


def event_text(message: str) -> str:
    """An ECS event without what every line would repeat: the service's name, the target group's
    ARN and most of a task's ID."""
    text = re.sub(r"^\(service [^),]+\) ", "", message)
    text = re.sub(r"^\(service [^),]+, ", "(", text)
    if text != message and not text.startswith("("):
        verb = "is " if text.startswith("rolling ") else ""  # ECS leaves it out
        text = f"the service {verb}{text}"
    text = _UNHEALTHY.sub(_unhealthy_text, text)
    text = re.sub(r"\(target-group arn:[^)]*\)", "the target group", text)
    return re.sub(r"\b([0-9a-f]{4})[0-9a-f]{28}\b", r"\1…", text)


# Older events name the port only.
_UNHEALTHY = re.compile(
    r"^(?:\(task (?P<task>\w+)\) )?\(port (?P<port>\d+)\) is unhealthy in "
    r"\(target-group [^)]*\) due to \(reason (?P<reason>.*)\)\.?$"
)


def _unhealthy_text(found: re.Match[str]) -> str:
    """`task 83b6… (port 8000) is unhealthy: Health checks failed with these codes: [500]`."""
    which = f"task {found['task']}" if found["task"] else "a task"
    return f"{which} (port {found['port']}) is unhealthy: {found['reason']}"


def failed_count_text(count: int, limit: int | None) -> str:
    """`2 tasks failed (ECS's limit is 3)`."""
    most = f" (ECS's limit is {limit})" if limit else ""
    return f"{count} task{'' if count == 1 else 's'} failed{most}"


def listed(texts: Sequence[str], *, word: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; "" of none."""
    return f" {word} ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


def quoted_names(names: Sequence[str], *, word: str = "and") -> str:
    return listed([f"`{name}`" for name in names], word=word)


def capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def wrap(text: str, *, first: str, rest: str) -> list[str]:
    """Lines no wider than `columns()`; a word that is longer (an ARN) stays whole."""
    return textwrap.wrap(
        printable(text),
        width=columns(),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def who_text(by: str) -> str:
    """Of a workflow's run its number, which is enough to find it."""
    return f"run {by.rpartition('/')[2]}" if "/actions/runs/" in by else clip(by, 24)


def clip(text: str, width: int) -> str:
    """Cut with `…` where it does not fit."""
    return text if len(text) <= width else text[: max(width - 1, 0)].rstrip() + "…"


def note_lines(note: str) -> list[str]:
    """A note says itself that it is a warning."""
    first = "  " if note.startswith(WARNING) else "  note: "
    return wrap(note, first=first, rest="    ")
