"""What a failed task's log adds to its cause: the exception, the port, the host that was refused.

The cause comes from what AWS says, which for a health check is little: no answer, or a status. The
advice names only what is there: a log line that says where the service listens, or that there are
no log lines. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fsd.rollout.advice import (
    Advice,
    AnswersLate,
    BareAdvice,
    ExceptionAdvice,
    ExceptionKind,
    HealthPathFails,
    HostRefused,
    ListensInPlace,
    ListensLate,
    ListensOnOtherPort,
    ListensOnSocket,
    ListensUnreachably,
    NotExecutable,
    NothingAnswers,
    PathRedirects,
    PortUntold,
    TargetTrouble,
    VariablesUnset,
    VersionMisfit,
)
from fsd.rollout.cause import Cause, Evidence
from fsd.rollout.log_signs import LogSigns
from fsd.rollout.log_values import Listening
from fsd.rollout.summaries import CheckAnswered, EndedWith, FailedAfter
from fsd.rollout.surroundings import find_settings, find_unreachable, find_variables, is_unreachable

_ENDED = {"crashed", "exited-at-once", "command-not-found"}
_CHECKED = {"health-check-failed", "container-health-check-failed"}
_STATUS = re.compile(r"\[(?P<codes>[0-9, ]+)\]")
# A name that is not in a package, or not in what it gives: the package is of another version.
_MISFIT = re.compile(
    r"(?:ImportError: cannot import name |AttributeError: (?!'NoneType')|TypeError: .*argument)"
)
# https://setuptools.pypa.io/en/latest/pkg_resources.html, and PEP 632 for distutils
OF_SETUPTOOLS = re.compile(r"No module named '(?:pkg_resources|setuptools|distutils)\b")
# The tables that migrations keep, and what PostgreSQL says of two that make them at once.
_MIGRATED = re.compile(
    r"(?:duplicate key|already exists|UniqueViolation|Duplicate).*"
    r"(?:alembic_version|django_migrations|pg_type_typname_nsp_index|aerich)"
    r"|(?:alembic_version|django_migrations|aerich)\W.*already exists"
)
_IMPORT = re.compile(r"^(?:ModuleNotFoundError|ImportError): ")
# Of Django, or in people's own words, without a name that could be a variable's.
_SETTING = re.compile(
    r"ImproperlyConfigured: .*\b(?:must|missing|required|not set|credentials?)\b"
    r"|\benv(?:ironment)? variables?\b",
    re.IGNORECASE,
)
_TAKEN_PORT = re.compile(r"Address already in use|EADDRINUSE", re.IGNORECASE)
_WRONG_CPU = re.compile(r"exec format error", re.IGNORECASE)
# What runc says, and what a shell says that was told to run it.
_NOT_EXECUTABLE = re.compile(
    r'exec: "(?P<program>[^"]+)": permission denied'
    r"|^\S*sh: (?:line )?(?:\d+: )?(?P<of_shell>\S+): [Pp]ermission denied",
)
_NOT_STARTED = re.compile(r'\bexec: "')
_NO_PROGRAM = re.compile(
    r"(?:exec user process caused|^exec \S+): .*no such file|: (?:command )?not found$|"
    r"can't open file",
    re.IGNORECASE,
)
# The first that fits.
_KINDS = (
    (OF_SETUPTOOLS, ExceptionKind.SETUPTOOLS_MISSING),
    (_MIGRATED, ExceptionKind.MIGRATED_TWICE),
    (_IMPORT, ExceptionKind.MODULE_MISSING),
    (_WRONG_CPU, ExceptionKind.WRONG_CPU),
    (_NO_PROGRAM, ExceptionKind.PROGRAM_MISSING),
    (_TAKEN_PORT, ExceptionKind.PORT_TAKEN),
)


# What a target group says of a target, besides statuses.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
REFUSED = re.compile(r"^Health checks failed\.?$|Target\.FailedHealthChecks", re.IGNORECASE)
TIMED_OUT = re.compile(r"timed out|timeout", re.IGNORECASE)
_ZONE_NOT_ENABLED = re.compile(r"Availability Zone that is not enabled", re.IGNORECASE)

# A target's words → what to do. The first that fits.
_TARGET_ADVICE: tuple[tuple[str, Advice], ...] = (
    (r"\[400\b", TargetTrouble.REFUSES_HOST),
    (r"\[30[12378]\b", TargetTrouble.REDIRECTS),
    (r"\[404\b", TargetTrouble.NO_SUCH_PATH),
    (r"\[405\b", TargetTrouble.NO_GET),
    (r"\[40[13]\b", TargetTrouble.WANTS_CREDENTIALS),
    (r"\[429\b", TargetTrouble.LIMITS_RATE),
    (r"\[5[0-9][0-9]", TargetTrouble.SERVER_ERROR),
    (_ZONE_NOT_ENABLED.pattern, TargetTrouble.ZONE_NOT_ENABLED),
    (REFUSED.pattern, NothingAnswers()),
    (TIMED_OUT.pattern, AnswersLate()),
)


def target_advice(texts: Sequence[str]) -> Advice | None:
    """What to do about targets of which the load balancer says this; None where it says nothing."""
    for pattern, advice in _TARGET_ADVICE:
        if any(re.search(pattern, text, re.IGNORECASE) for text in texts):
            return advice
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedTask:
    """Of which the log was read; `port` and `grace_period` (seconds) are what its service says."""

    id: str
    name: str  # as the report shows it
    port: int | None = None
    grace_period: int | None = None
    started_at: datetime | None = None
    shown_lines: tuple[str, ...] = ()  # of the log, that the reader sees anyway
    is_log_whole: bool = True  # else lines went where nobody reads them: silence tells nothing


def explain(causes: Sequence[Cause], signs: LogSigns, task: LoggedTask) -> tuple[Cause, ...]:
    """The causes, that of this task with what its log says."""
    return tuple(
        _explained(cause, signs, task) if task.id in cause.tasks else cause for cause in causes
    )


def _explained(cause: Cause, signs: LogSigns, task: LoggedTask) -> Cause:
    if cause.code in _ENDED:
        return _of_an_end(cause, signs, task)
    if cause.code in _CHECKED:
        return _of_a_check(cause, signs, task)
    return cause


# --- the program ended --------------------------------------------------------------------------


def _of_an_end(cause: Cause, signs: LogSigns, task: LoggedTask) -> Cause:
    said = [each.text for each in cause.evidence]
    if cause.code == "command-not-found":
        for text in (*said, signs.exception, *task.shown_lines):
            if found := _NOT_EXECUTABLE.search(text):
                program = found["program"] or found["of_shell"]
                return replace(cause, advice=NotExecutable(program=program))
    if signs.exception:
        return replace(
            cause,
            summary=EndedWith(summary=cause.summary, exception=signs.exception),
            advice=_exception_advice(signs),
        )
    if signs.remark:
        return replace(cause, advice=signs.remark)
    is_silent = task.is_log_whole and not signs.has_lines
    if is_silent and not any(_NOT_STARTED.search(text) for text in said):
        return replace(cause, advice=BareAdvice.NO_LOG_LINES)
    return cause


def _exception_advice(signs: LogSigns) -> ExceptionAdvice:
    exception, package = signs.exception, signs.package
    variables = find_variables(exception)
    if variables:
        return VariablesUnset(names=variables, settings=find_settings(exception))
    if _MISFIT.match(exception) and (package or "/site-packages/" in exception):
        return VersionMisfit(package=package)
    for pattern, kind in _KINDS:
        if pattern.search(exception):
            return kind
    if is_unreachable(exception):
        return find_unreachable(exception)
    if _SETTING.search(exception):
        return ExceptionKind.SETTING_MISSING
    return ExceptionKind.IN_CODE


# --- the health check failed --------------------------------------------------------------------


def _of_a_check(cause: Cause, signs: LogSigns, task: LoggedTask) -> Cause:
    status = _status(cause, signs)
    if status is None:
        return _of_no_answer(cause, signs, task)
    if cause.code == "container-health-check-failed":
        cause = replace(
            cause,
            summary=CheckAnswered(summary=cause.summary, status=status),
            advice=target_advice([f"[{status}]"]) or cause.advice,
        )
    return _of_a_status(cause, signs, status)


def _status(cause: Cause, signs: LogSigns) -> int | None:
    """Of the last answer, as the load balancer says it; of a container's check, as the log does."""
    codes = [found["codes"] for text in _said(cause) if (found := _STATUS.search(text))]
    if codes:
        return int(codes[0].split(",")[0])
    bad = [answer.status for answer in signs.answers if answer.status >= 300]
    return bad[-1] if bad and cause.code == "container-health-check-failed" else None


def _of_a_status(cause: Cause, signs: LogSigns, status: int) -> Cause:
    if status == 400 and signs.refused_host is not None:
        return replace(cause, advice=HostRefused(host=signs.refused_host))
    path = next((a.path for a in reversed(signs.answers) if a.status == status), "")
    bare = path.partition("?")[0]
    if 300 <= status < 400 and bare and not bare.endswith("/"):
        return replace(cause, advice=PathRedirects(path=path))
    if status >= 500 and signs.exception:
        advice = HealthPathFails(exception=_exception_advice(signs), answers=True)
        return _after_exception(cause, signs.exception, advice)
    return cause


def _of_no_answer(cause: Cause, signs: LogSigns, task: LoggedTask) -> Cause:
    """The load balancer got no HTTP answer, or ECS says no more than that the check failed."""
    heard = _heard(signs.listening, task.port)
    if heard is not None:
        return _of_a_place(_with_line(cause, heard, task), heard, signs, task)
    if signs.socket:
        return replace(cause, advice=ListensOnSocket(socket=signs.socket, port=task.port))
    if signs.exception:
        return _after_exception(cause, signs.exception, _exception_advice(signs))
    base = _base(cause, task.port)
    if not task.is_log_whole:
        return replace(cause, advice=base)
    return replace(cause, advice=PortUntold(advice=base, has_lines=signs.has_lines))


def _with_line(cause: Cause, heard: Listening, task: LoggedTask) -> Cause:
    """With the line that says where it listens, where the reader does not see it anyway."""
    if heard.line in task.shown_lines:
        return cause
    said = Evidence(source=f"log {task.name}", text=heard.line, at=f"{heard.at:%H:%M:%S}")
    return replace(cause, evidence=(*cause.evidence, said))


def _of_a_place(cause: Cause, heard: Listening, signs: LogSigns, task: LoggedTask) -> Cause:
    advice = _place_advice(cause, heard, task) or signs.remark
    if advice is not None:
        return replace(cause, advice=advice)
    if signs.exception:
        fails = HealthPathFails(exception=_exception_advice(signs), answers=False)
        return _after_exception(cause, signs.exception, fails)
    return replace(cause, advice=_advice_in_place(cause, heard))


def _after_exception(cause: Cause, exception: str, advice: Advice) -> Cause:
    return replace(
        cause, summary=FailedAfter(summary=cause.summary, exception=exception), advice=advice
    )


def _advice_in_place(cause: Cause, heard: Listening) -> Advice:
    """It listens where it should: what is left of the reasons for no answer."""
    said = _said(cause)
    if any(REFUSED.search(text) for text in said):
        return ListensInPlace(place=heard, in_time=False)
    if any(TIMED_OUT.search(text) for text in said):
        return ListensInPlace(place=heard, in_time=True)
    return cause.advice


def _base(cause: Cause, port: int | None) -> Advice:
    said = _said(cause)
    if any(REFUSED.search(text) for text in said):
        return NothingAnswers(port=port)
    if any(TIMED_OUT.search(text) for text in said):
        return AnswersLate(port=port)
    return cause.advice


def _said(cause: Cause) -> list[str]:
    return [e.text for e in cause.evidence if e.source == "target group"]


def _heard(places: Sequence[Listening], port: int | None) -> Listening | None:
    """The place that tells most: one at the right port and reachable, at the right port, any."""
    ranked = sorted(places, key=lambda place: (place.port != port, place.is_loopback))
    return ranked[0] if ranked else None


def _place_advice(cause: Cause, heard: Listening, task: LoggedTask) -> Advice | None:
    """None where the place is right and nothing else is known."""
    is_inside = cause.code == "container-health-check-failed"  # asks at 127.0.0.1
    is_elsewhere = task.port is not None and heard.port != task.port
    if heard.is_loopback and not is_inside:
        return ListensUnreachably(place=heard, port=task.port, elsewhere=is_elsewhere)
    if task.port is not None and is_elsewhere:
        return ListensOnOtherPort(place=heard, port=task.port)
    return _late_advice(heard, task)


def _late_advice(heard: Listening, task: LoggedTask) -> ListensLate | None:
    late = (heard.at - task.started_at).total_seconds() if task.started_at else 0.0
    if task.grace_period is not None and late > task.grace_period:
        return ListensLate(place=heard, after=late, grace_period=task.grace_period)
    return None
