"""How a run ended, one record a service: the outputs and the JSON of `summary`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from fsd.errors import CallFailedError, ExitCode, FsdError, Interrupted
from fsd.release.result import OUTCOME_FACTS, Outcome, Result
from fsd.report.json_report import result_json
from fsd.report.plans import PlanReport, plan_json

Json: TypeAlias = dict[str, object]

# A call failed before there was a rollout to have an outcome of its own.
FAILED = "failed"

OUTPUTS = (
    "outcome",
    "environment",
    "image",
    "image-digest",
    "task-definition-arn",
    "previous-task-definition-arn",
    "deployment-arn",
    "service-url",
    "comment-url",
    "summary",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """One service, or the whole run where it did not come to one."""

    outcome: str
    exit_code: int
    file: Path | None = None
    service: str = ""
    environment: str = ""
    result: Result | None = None
    plans: tuple[PlanReport, ...] = ()
    error: FsdError | None = None
    reason: str = ""
    comment_url: str = ""


def ended_by_result(result: Result, *, file: Path) -> EndedRun:
    return EndedRun(
        outcome=str(result.outcome),
        exit_code=int(result.outcome.exit_code),
        file=file,
        service=result.service,
        environment=result.environment,
        result=result,
    )


def ended_by_error(
    error: FsdError, *, file: Path | None = None, service: str = "", environment: str = ""
) -> EndedRun:
    return EndedRun(
        outcome=_outcome_of(error),
        exit_code=int(error.exit_code),
        file=file,
        service=service,
        environment=environment,
        error=error,
    )


def _outcome_of(error: FsdError) -> str:
    match error:
        case Interrupted():
            return str(Outcome.INTERRUPTED)
        case CallFailedError():
            return FAILED
        case _ if error.exit_code == ExitCode.TIMED_OUT:
            return str(Outcome.TIMED_OUT)
        case _:
            return str(Outcome.REFUSED)


def deciding_run(ended: Sequence[EndedRun]) -> EndedRun:
    """The record that the outputs are about: the first that failed, else the first that did
    something, else the first."""
    idle = {str(outcome) for outcome, facts in OUTCOME_FACTS.items() if facts.is_idle}
    for record in ended:
        if record.exit_code:
            return record
    return next((record for record in ended if record.outcome not in idle), ended[0])


def outputs_of(ended: Sequence[EndedRun]) -> dict[str, str]:
    """Every output but `summary`; "" for what there is none of."""
    record = deciding_run(ended)
    result = record.result
    values = dict.fromkeys(OUTPUTS, "")
    values |= {
        "outcome": record.outcome,
        "environment": record.environment,
        "comment-url": record.comment_url,
    }
    if result is not None:
        release, previous = result.release, result.previous
        values |= {
            "image": result.image,
            "image-digest": release.digest if release else "",
            "task-definition-arn": release.task_definition_arn if release else "",
            "previous-task-definition-arn": previous.task_definition_arn if previous else "",
            "deployment-arn": result.deployment_arn,
            "service-url": result.url,
        }
    # An output is one line, whatever AWS says.
    return {name: " ".join(value.split()) for name, value in values.items()}


def record_json(ended: Sequence[EndedRun]) -> Json:
    """`fsd/ci/v1`."""
    record = deciding_run(ended)
    return {
        "schema": "fsd/ci/v1",
        "outcome": record.outcome,
        "exitCode": record.exit_code,
        "services": [_ended_json(item) for item in ended],
    }


def _ended_json(ended: EndedRun) -> Json:
    return {
        "file": str(ended.file) if ended.file else None,
        "service": ended.service,
        "environment": ended.environment,
        "outcome": ended.outcome,
        "exitCode": ended.exit_code,
        "reason": ended.reason,
        "error": _error_json(ended.error) if ended.error else None,
        "result": result_json(ended.result) if ended.result else None,
        "plans": [plan_json(planned) for planned in ended.plans],
        "commentUrl": ended.comment_url,
    }


def _error_json(error: FsdError) -> Json:
    return {"code": error.code, "what": error.what, "where": str(error.where), "fix": error.fix}
