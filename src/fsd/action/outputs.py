"""How a step ends: the job's summary, the outputs, and errors where the workflow shows them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fsd.action.announce import Announcer
from fsd.action.record import EndedRun, outputs_of, record_json
from fsd.action.service_file import ActionStep
from fsd.errors import FsdError
from fsd.github.runner import Level
from fsd.report import markdown


def write_summary(announcer: Announcer, ended: Sequence[EndedRun]) -> None:
    """Of several services: one table, and what each has to say below it."""
    texts = announcer.take_summaries()
    if texts:
        parts = [_summary_part(one, text) for one, text in zip(ended, texts, strict=False)]
        announcer.summary(markdown.render_job_summary(parts))


def _summary_part(ended: EndedRun, text: str) -> markdown.SummaryPart:
    return markdown.SummaryPart(
        service=ended.service or (ended.file.as_posix() if ended.file else "fsd"),
        environment=ended.environment,
        outcome=ended.outcome,
        has_failed=bool(ended.exit_code),
        body=text,
    )


def write_outputs(step: ActionStep, announcer: Announcer, ended: Sequence[EndedRun]) -> None:
    values = outputs_of(ended)
    try:
        values["summary"] = _write_json(step.temp, step.runner.secrets.hide_in(record_json(ended)))
    except OSError as error:
        step.runner.annotate(Level.WARNING, f"the summary's JSON could not be written: {error}")

    def write() -> None:
        for name, value in values.items():
            step.runner.output(name, value)

    announcer.guard(write)


def _write_json(folder: Path, record: object) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=folder, prefix="fsd-", suffix=".json", delete=False
    ) as file:
        json.dump(record, file, indent=2)
    return file.name


def announce_error(
    announcer: Announcer, error: FsdError, *, service: str = "", env: str = ""
) -> None:
    announcer.runner.write(str(error))
    announcer.error(error)
    announcer.summary(markdown.render_error_summary(error, service=service, environment=env))
