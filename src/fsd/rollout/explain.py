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

from fsd.rollout.cause import Cause, Evidence
from fsd.rollout.log_signs import Listening, LogSigns
from fsd.rollout.surroundings import find_variables, is_unreachable, unreachable_advice

_ENDED = {"crashed", "exited-at-once", "command-not-found"}
_CHECKED = {"health-check-failed", "container-health-check-failed"}
_STATUS = re.compile(r"\[(?P<codes>[0-9, ]+)\]")
# A name that is not in a package, or not in what it gives: the package is of another version.
_MISFIT = re.compile(
    r"(?:ImportError: cannot import name |AttributeError: (?!'NoneType')|TypeError: .*argument)"
)
_IMPORT = re.compile(r"^(?:ModuleNotFoundError|ImportError): ")
_TAKEN_PORT = re.compile(r"Address already in use|EADDRINUSE", re.IGNORECASE)
_WRONG_CPU = re.compile(r"exec format error", re.IGNORECASE)
_NO_PROGRAM = re.compile(
    r"(?:exec user process caused|^exec \S+): .*no such file|: (?:command )?not found$|"
    r"can't open file",
    re.IGNORECASE,
)


# What a target group says of a target, besides statuses.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
REFUSED = re.compile(r"^Health checks failed\.?$|Target\.FailedHealthChecks", re.IGNORECASE)
TIMED_OUT = re.compile(r"timed out|timeout", re.IGNORECASE)


def no_answer_advice(port: int | None = None) -> str:
    """For a connection that was refused, or an answer that is no HTTP."""
    return (
        f"no HTTP answer came from {port_text(port)}: the service listens on another port, binds "
        "127.0.0.1 instead of 0.0.0.0, or starts more slowly than `healthCheck.gracePeriod` allows"
    )


def late_answer_advice(port: int | None = None) -> str:
    return (
        f"nothing answered in time on {port_text(port)}: the service is not up yet "
        "(`healthCheck.gracePeriod`), takes longer than `healthCheck.timeout`, binds 127.0.0.1 "
        "instead of 0.0.0.0, or a security group keeps the load balancer out"
    )


def port_text(port: int | None) -> str:
    return f"port {port}" if port else "`service.port`"


# A target's words → what to do. The first that fits.
_TARGET_ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"\[400\b",
        "the health path answers 400, most often because the service takes only its own host names "
        "and the check's Host header is the task's address: make the health path answer "
        "regardless of the Host header (Django: ALLOWED_HOSTS)",
    ),
    (
        r"\[30[12378]\b",
        "the health path redirects (a missing slash at the end, or http to https): set "
        "`healthCheck.path` to the path that it leads to, or make the path answer over http",
    ),
    (r"\[404\b", "no such path: set `healthCheck.path` to one that the service has"),
    (r"\[405\b", "the health path must answer GET"),
    (r"\[40[13]\b", "the health path must answer without credentials"),
    (r"\[429\b", "exempt the health path from rate limiting"),
    (
        r"\[5[0-9][0-9]",
        "the service answers its health check with an error: correct the service, or whatever it "
        "depends on",
    ),
    (
        r"Availability Zone that is not enabled",
        "the task is in a zone where the load balancer has no subnet: give both the same subnets",
    ),
    (REFUSED.pattern, no_answer_advice()),
    (TIMED_OUT.pattern, late_answer_advice()),
)


def target_advice(texts: Sequence[str]) -> str:
    """What to do about targets of which the load balancer says this; "" where it says nothing."""
    for pattern, advice in _TARGET_ADVICE:
        if any(re.search(pattern, text, re.IGNORECASE) for text in texts):
            return advice
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedTask:
    """Of which the log was read; `port` and `grace_period` (seconds) are what its service says."""

    id: str
    name: str  # as the report shows it
    port: int | None = None
    grace_period: int | None = None
    started_at: datetime | None = None
    shown_lines: tuple[str, ...] = ()  # of the log, that the reader sees anyway


def explain(causes: Sequence[Cause], signs: LogSigns, task: LoggedTask) -> tuple[Cause, ...]:
    """The causes, that of this task with what its log says."""
    return tuple(
        _explained(cause, signs, task) if task.id in cause.tasks else cause for cause in causes
    )


def _explained(cause: Cause, signs: LogSigns, task: LoggedTask) -> Cause:
    if cause.code in _ENDED:
        return _of_an_end(cause, signs)
    if cause.code in _CHECKED:
        return _of_a_check(cause, signs, task)
    return cause


# --- the program ended --------------------------------------------------------------------------


def _of_an_end(cause: Cause, signs: LogSigns) -> Cause:
    if signs.exception:
        return replace(
            cause,
            summary=f"{cause.summary}: {signs.exception}",
            advice=_exception_advice(signs) or cause.advice,
        )
    if signs.remark:
        return replace(cause, advice=_remark_advice(signs))
    if not signs.has_lines:
        said = (
            "the task wrote no log lines: run the image locally (`docker run`) to see why it exits"
        )
        return replace(cause, advice=said)
    return cause


def _variables_advice(names: Sequence[str]) -> str:
    if len(names) == 1:
        return (
            f"if `{names[0]}` is an environment variable, set it in `service.environment` or "
            "`service.secrets`"
        )
    listed = f"{', '.join(f'`{name}`' for name in names[:-1])} and `{names[-1]}`"
    return (
        f"if {listed} are environment variables, set them in `service.environment` or "
        "`service.secrets`"
    )


def _misfit_advice(package: str) -> str:
    """Code that was published and worked: with another version of what it uses."""
    raises = f"the installed package `{package}` raises this" if package else "a package raises it"
    return (
        f"{raises}, most often because it does not fit the version of another package that was "
        "installed with it: install the versions that were tested together (a lock file, or "
        "`==` in the requirements)"
    )


def _exception_advice(signs: LogSigns) -> str:
    exception, package = signs.exception, signs.package
    variables = find_variables(exception)
    if variables:
        return _variables_advice(variables)
    if _MISFIT.match(exception) and (package or "/site-packages/" in exception):
        return _misfit_advice(package)
    if _IMPORT.match(exception):
        return (
            "add the missing module to the image (in the requirements, or with COPY in the "
            "Dockerfile), or correct the import"
        )
    if _WRONG_CPU.search(exception):
        return (
            "the image, or a program in it, is for another CPU architecture: build it for "
            "`service.platform` (X86_64 or ARM64)"
        )
    if _NO_PROGRAM.search(exception):
        return (
            "put the program, and the interpreter that its first line names, into the image, or "
            "correct `service.command`"
        )
    if _TAKEN_PORT.search(exception):
        return (
            "another process in the task already uses the port: let only one of them listen on it"
        )
    if is_unreachable(exception):
        return unreachable_advice(exception)
    return "correct the code that raises this exception; the log shows where"


# --- the health check failed --------------------------------------------------------------------


def _of_a_check(cause: Cause, signs: LogSigns, task: LoggedTask) -> Cause:
    status = _status(cause, signs)
    if status is None:
        return _of_no_answer(cause, signs, task)
    if cause.code == "container-health-check-failed":
        cause = replace(
            cause,
            summary=f"{cause.summary}: the service answered {status}",
            advice=target_advice([f"[{status}]"]) or cause.advice,
        )
    return _of_a_status(cause, signs, status)


def _status(cause: Cause, signs: LogSigns) -> int | None:
    """Of the last answer, as the load balancer says it; of a container's check, as the log does."""
    said = [e.text for e in cause.evidence if e.source == "target group"]
    codes = [found["codes"] for text in said if (found := _STATUS.search(text))]
    if codes:
        return int(codes[0].split(",")[0])
    bad = [answer.status for answer in signs.answers if answer.status >= 300]
    return bad[-1] if bad and cause.code == "container-health-check-failed" else None


def _of_a_status(cause: Cause, signs: LogSigns, status: int) -> Cause:
    if status == 400 and signs.refused_host:
        return replace(
            cause,
            advice=f"the log says that the service refuses the Host `{signs.refused_host}`, which "
            "the check sends: make the health path answer regardless of the Host header (Django: "
            "ALLOWED_HOSTS)",
        )
    path = next((a.path for a in reversed(signs.answers) if a.status == status), "")
    bare = path.partition("?")[0]
    if 300 <= status < 400 and bare and not bare.endswith("/"):
        return replace(
            cause,
            advice=f"`{path}` redirects: if only the slash at the end is missing, set "
            f"`healthCheck.path` to `{bare}/`; if it leads from http to https, make this path "
            "answer over http",
        )
    if status >= 500 and signs.exception:
        return replace(
            cause,
            summary=f"{cause.summary}, after {signs.exception}",
            advice=f"make the health path answer 200: {_exception_advice(signs)}",
        )
    return cause


def _of_no_answer(cause: Cause, signs: LogSigns, task: LoggedTask) -> Cause:
    """The load balancer got no HTTP answer, or ECS says no more than that the check failed."""
    heard = _heard(signs.listening, task.port)
    if heard is not None:
        evidence = cause.evidence
        if heard.line not in task.shown_lines:
            said = Evidence(source=f"log {task.name}", text=heard.line, at=f"{heard.at:%H:%M:%S}")
            evidence = (*evidence, said)
        advice = _place_advice(cause, heard, task) or _remark_advice(signs)
        if not advice and signs.exception:
            return replace(
                cause,
                summary=f"{cause.summary}, after {signs.exception}",
                advice=f"make the health path answer: {_exception_advice(signs)}",
                evidence=evidence,
            )
        advice = advice or _advice_in_place(cause, heard)
        return replace(cause, advice=advice, evidence=evidence)
    if signs.socket:
        return replace(
            cause,
            advice=f"the log says that the service listens on the Unix socket {signs.socket}: "
            f"make the service listen on {_wanted(task)} instead",
        )
    if signs.exception:
        return replace(
            cause,
            summary=f"{cause.summary}, after {signs.exception}",
            advice=_exception_advice(signs),
        )
    silent = "its log names no port" if signs.has_lines else "the task wrote no log lines"
    return replace(cause, advice=f"{_base(cause, task.port)}; {silent}")


def _advice_in_place(cause: Cause, heard: Listening) -> str:
    """It listens where it should: what is left of the reasons for no answer."""
    says = f"the log says that the service listens on {heard.text}"
    said = [e.text for e in cause.evidence if e.source == "target group"]
    if any(REFUSED.search(text) for text in said):
        return (
            f"{says}, and no HTTP answer came: it stopped later, closes connections without an "
            "answer, or speaks TLS there (`healthCheck.protocol: https`)"
        )
    if any(TIMED_OUT.search(text) for text in said):
        return (
            f"{says}, and no answer came in time: the health path takes longer than "
            "`healthCheck.timeout`, or a security group keeps the load balancer out"
        )
    return cause.advice


def _base(cause: Cause, port: int | None) -> str:
    said = [e.text for e in cause.evidence if e.source == "target group"]
    if any(REFUSED.search(text) for text in said):
        return no_answer_advice(port)
    if any(TIMED_OUT.search(text) for text in said):
        return late_answer_advice(port)
    return cause.advice


def _remark_advice(signs: LogSigns) -> str:
    return f"the log says: {signs.remark}" if signs.remark else ""


def _heard(places: Sequence[Listening], port: int | None) -> Listening | None:
    """The place that tells most: one at the right port and reachable, at the right port, any."""
    ranked = sorted(places, key=lambda place: (place.port != port, place.is_loopback))
    return ranked[0] if ranked else None


def _place_advice(cause: Cause, heard: Listening, task: LoggedTask) -> str:
    """ "" where the place is right and nothing else is known."""
    says = f"the log says that the service listens on {heard.text}"
    is_inside = cause.code == "container-health-check-failed"  # asks at 127.0.0.1
    is_hidden = heard.is_loopback and not is_inside
    is_elsewhere = task.port is not None and heard.port != task.port
    if is_hidden and heard.host == "localhost":  # many servers print it whatever they bind
        says = f"{says}; if it binds that, then only its own container reaches it: bind 0.0.0.0"
        return f"{says}, and port {task.port}" if is_elsewhere else says
    if is_hidden:
        port = f", and use port {task.port} (or set `service.port` to {heard.port})"
        return (
            f"{says}, where only its own container reaches it: bind 0.0.0.0 "
            f"(`--host 0.0.0.0`, `--bind 0.0.0.0:{task.port or heard.port}`)"
            + (port if is_elsewhere else "")
        )
    if is_elsewhere:
        return (
            f"{says}, but the health check uses port {task.port}: set `service.port` (or "
            f"`healthCheck.port`) to {heard.port}, or make the service listen on {task.port}"
        )
    return _late_advice(heard, task)


def _late_advice(heard: Listening, task: LoggedTask) -> str:
    late = (heard.at - task.started_at).total_seconds() if task.started_at else 0.0
    if task.grace_period is not None and late > task.grace_period:
        return (
            f"the log says that the service has been listening on {heard.text} since "
            f"{heard.at:%H:%M:%S}, {late:.0f} s after its start: raise "
            f"`healthCheck.gracePeriod` (now {task.grace_period} s) above that"
        )
    return ""


def _wanted(task: LoggedTask) -> str:
    return f"0.0.0.0:{task.port}" if task.port else "0.0.0.0 and `service.port`"
