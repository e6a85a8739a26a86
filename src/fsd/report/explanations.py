"""What the id of a finding, a failed deployment or an error means: `fsd explain`.

A finding's words come from its page, a failure's from the rows of the table that recognises it, so
that there is nothing here that could say something else. Neither models nor AWS are imported.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fsd.errors import ErrorCode
from fsd.lint.pages import Example, Page, page_ids, read_page
from fsd.report.doctor_pages import DOCTOR_PAGES, DoctorPage
from fsd.report.words import capitalised, wrap
from fsd.rollout.conditions import CONDITIONS
from fsd.rollout.failures import EVENT_FAILURES, FAILURES, WITHOUT_TASKS, Failure

Json: TypeAlias = dict[str, object]

_RED, _GREEN, _BOLD, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[1m", "\x1b[0m"
ROWS = (*FAILURES, *WITHOUT_TASKS, *CONDITIONS)
_IGNORABLE = frozenset({"warning", "info"})
_IS_ITSELF_A_COMMENT = "unknown-suppression"
_INDENT = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCode:
    """A code with every row that has it; `error` where a command can end with it as well."""

    code: str
    rows: tuple[Failure, ...]
    error: ErrorCode | None = None


Explanation: TypeAlias = Page | FailureCode | DoctorPage | ErrorCode


def known_ids() -> tuple[str, ...]:
    """Ids of findings, of failures, of `fsd doctor`, and then those of errors."""
    errors = (str(code) for code in ErrorCode)
    return tuple(dict.fromkeys((*page_ids(), *failure_codes(), *DOCTOR_PAGES, *errors)))


def failure_codes() -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.code for row in ROWS))


def nearest_id(id_: str) -> str | None:
    close = difflib.get_close_matches(id_, known_ids(), n=1, cutoff=0.4)
    return close[0] if close else None


def find_explanation(id_: str) -> Explanation | None:
    if id_ in page_ids():
        return read_page(id_)
    if id_ in DOCTOR_PAGES:
        return DOCTOR_PAGES[id_]
    rows = tuple(row for row in ROWS if row.code == id_)
    error = ErrorCode.from_id(id_)
    return FailureCode(code=id_, rows=rows, error=error) if rows else error


def find_summary(id_: str) -> str:
    explanation = find_explanation(id_)
    return _summary(explanation) if explanation else ""


def every_explanation() -> tuple[Explanation, ...]:
    found = (find_explanation(id_) for id_ in known_ids())
    return tuple(explanation for explanation in found if explanation is not None)


# --- text --------------------------------------------------------------------------------------


def explanation_text(explanation: Explanation, *, color: bool = False) -> str:
    match explanation:
        case Page():
            lines = _page_lines(explanation, color=color)
        case FailureCode():
            lines = _failure_lines(explanation, color=color)
        case DoctorPage():
            lines = _doctor_lines(explanation, color=color)
        case ErrorCode():
            lines = _error_lines(explanation, color=color)
    return "\n".join(lines)


def explanation_table(explanations: Sequence[Explanation]) -> str:
    """Id, severity and summary of each; a long summary goes on below itself."""
    rows = [(_id(each), _kind(each), _summary(each)) for each in explanations]
    first = max(len(id_) for id_, _, _ in rows)
    second = max(len(kind) for _, kind, _ in rows)
    heads = [f"{id_:<{first}}  {kind:<{second}}  " for id_, kind, _ in rows]
    return "\n".join(
        line
        for head, (_, _, summary) in zip(heads, rows, strict=True)
        for line in wrap(summary, first=head, rest=" " * len(head))
    )


def _page_lines(page: Page, *, color: bool) -> Iterator[str]:
    yield _title(page.id, page.severity, color=color)
    yield ""
    yield from _prose(capitalised(page.what), indent="")
    yield ""
    yield _heading("Why", color=color)
    yield from _prose(page.why, indent=_INDENT)
    yield from (f"{_INDENT}{source}" for source in page.sources)
    yield ""
    yield _heading(f"Example, found at {page.place}", color=color)
    for name in page.before.files:
        if len(page.before.files) > 1:
            yield f"{_INDENT}{name}"
        yield from _changed(page.before.files[name], page.after.files.get(name, ""), color=color)
    yield from _commands(page, color=color)
    if page.severity in _IGNORABLE and page.id != _IS_ITSELF_A_COMMENT:
        yield ""
        yield "If this is intended, give the reason in a comment on the reported line:"
        yield f"{_INDENT}# fsd: ignore[{page.id}] …"


def _changed(before: str, after: str, *, color: bool) -> Iterator[str]:
    """The whole file, with the lines that go and the lines that come."""
    old, new = before.splitlines(), after.splitlines()
    if old == new:
        yield from (f"{_INDENT}  {line}" for line in old)
        return
    changes = difflib.unified_diff(old, new, n=max(len(old), len(new)), lineterm="")
    for line in list(changes)[3:]:
        yield _marked(f"{line[0]} {line[1:]}", color=color)


def _commands(page: Page, *, color: bool) -> Iterator[str]:
    before, after = _command(page.before), _command(page.after)
    if before == after and not page.before.arguments:
        return
    yield ""
    if before == after:
        yield f"{_INDENT}{before}"
    else:
        yield _marked(f"- {before}", color=color)
        yield _marked(f"+ {after}", color=color)


def _command(example: Example) -> str:
    return shlex.join(["fsd", "validate", *example.arguments])


def _failure_lines(failure: FailureCode, *, color: bool) -> Iterator[str]:
    yield _title(failure.code, "deployment failure", color=color)
    for row in failure.rows:
        yield ""
        yield from _prose(f"{capitalised(row.summary)}.", indent="")
        yield from _labelled(_facts(row))
    yield ""
    yield from dict.fromkeys(f"{_INDENT}{row.source}" for row in failure.rows)
    if failure.error:
        yield ""
        yield f"As an error of a command: {failure.error.meaning}."
        yield from _labelled(_error_facts(failure.error))


def _facts(row: Failure) -> Iterator[tuple[str, str]]:
    yield ("seen as" if row in CONDITIONS else "ECS says"), row.example
    if row.pattern:
        yield from _signs(row)
        is_event = row in EVENT_FAILURES
        tasks = "the task's stopped reason and its containers' reasons"
        yield "where", "the service's events" if is_event else tasks
    yield "FSD stops waiting", ends_the_wait(row)
    yield "advice", row.advice


def _signs(row: Failure) -> Iterator[tuple[str, str]]:
    """At which stage, by which words and which exit code."""
    signs = (
        ("stage", " or ".join(row.stages)),
        ("message matches", "" if row.pattern == "." and row.stages else row.pattern),
        ("and also", row.where),
        ("but not", row.unless),
        ("exit code", " or ".join(str(code) for code in row.exit_codes)),
    )
    yield from ((label, text) for label, text in signs if text)


def _doctor_lines(page: DoctorPage, *, color: bool) -> Iterator[str]:
    yield _title(page.check, "finding of fsd doctor", color=color)
    yield ""
    yield from _prose(f"{capitalised(page.summary)}.", indent="")
    yield from _labelled((("why it matters", page.why), ("what to do", page.advice)))


def _error_lines(error: ErrorCode, *, color: bool) -> Iterator[str]:
    yield _title(error, "error", color=color)
    yield ""
    yield from _prose(f"{capitalised(error.meaning)}.", indent="")
    yield from _labelled(_error_facts(error))


def _error_facts(error: ErrorCode) -> Iterator[tuple[str, str]]:
    yield "exit code", " or ".join(str(int(code)) for code in error.exits)
    yield "what to do", error.advice


def _labelled(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    for label, text in facts:
        yield from wrap(text, first=f"{_INDENT}{label:<20}", rest=" " * 22)


def ends_the_wait(row: Failure) -> str:
    """When FSD stops waiting for ECS and asks for the rollback."""
    if row in CONDITIONS:
        return "does not apply: `fsd diagnose` and `fsd status` find it"
    match row.after:
        case _ if not row.pattern:
            return "when ECS ends the deployment"
        case None:
            return "never for this reason alone"
        case 1:
            return "at once"
        case 2:
            return "the second time that it occurs"
        case 3:
            return "the third time that it occurs"
        case after:
            return f"the {after}th time that it occurs"


def _title(id_: str, kind: str, *, color: bool) -> str:
    return f"{_BOLD}{id_}{_PLAIN} · {kind}" if color else f"{id_} · {kind}"


def _heading(text: str, *, color: bool) -> str:
    return f"{_BOLD}{text}{_PLAIN}" if color else text


def _prose(text: str, *, indent: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ""
        yield from wrap(paragraph, first=indent, rest=indent)


def _marked(line: str, *, color: bool) -> str:
    if not color or line[0] == " ":
        return f"{_INDENT}{line}"
    return f"{_INDENT}{_RED if line[0] == '-' else _GREEN}{line}{_PLAIN}"


# --- JSON --------------------------------------------------------------------------------------


def explanation_json(explanation: Explanation) -> Json:
    head = _head(explanation)
    match explanation:
        case Page():
            return head | _page_json(explanation)
        case FailureCode():
            signs: Json = {"signs": [_sign(row) for row in explanation.rows]}
            error = explanation.error
            return head | signs | ({"error": _error_json(error)} if error else {})
        case DoctorPage(why=why, advice=advice):
            return head | {"why": why, "advice": advice}
        case ErrorCode():
            return head | _error_json(explanation)


def _error_json(error: ErrorCode) -> Json:
    return {"exitCodes": [int(code) for code in error.exits], "advice": error.advice}


def _page_json(page: Page) -> Json:
    place = page.place
    return {
        "what": page.what,
        "why": page.why,
        "sources": list(page.sources),
        "before": _example_json(page.before),
        "found": {
            "path": None if place.where else place.path,
            "line": place.line or None,
            "column": place.column or None,
            "source": place.where or None,
        },
        "after": _example_json(page.after),
    }


def explanations_json(explanations: Sequence[Explanation]) -> list[Json]:
    return [_head(explanation) for explanation in explanations]


def _head(explanation: Explanation) -> Json:
    kinds = {
        Page: "finding",
        FailureCode: "failure",
        DoctorPage: "doctor",
        ErrorCode: "error",
    }
    return {
        "id": _id(explanation),
        "kind": kinds[type(explanation)],
        "severity": explanation.severity if isinstance(explanation, Page) else "error",
        "summary": _summary(explanation),
    }


def _example_json(example: Example) -> Json:
    return {"files": dict(example.files), "arguments": list(example.arguments)}


def _sign(row: Failure) -> Json:
    return {
        "meaning": row.summary,
        "example": row.example,
        "stages": list(row.stages),
        "pattern": row.pattern,
        "where": row.where,
        "unless": row.unless,
        "exitCodes": list(row.exit_codes),
        "endsTheWait": ends_the_wait(row),
        "advice": row.advice,
        "source": row.source,
    }


def _id(explanation: Explanation) -> str:
    match explanation:
        case Page(id=id_) | FailureCode(code=id_):
            return id_
        case DoctorPage(check=check):
            return str(check)
        case ErrorCode():
            return str(explanation)


def _kind(explanation: Explanation) -> str:
    """For the table: a finding's severity says that it is one."""
    match explanation:
        case Page(severity=severity):
            return severity
        case FailureCode():
            return "failure"
        case DoctorPage():
            return "doctor"
        case ErrorCode():
            return "exit " + ", ".join(str(int(code)) for code in explanation.exits)


def _summary(explanation: Explanation) -> str:
    match explanation:
        case Page():
            return explanation.summary
        case FailureCode(rows=rows):
            return rows[0].summary
        case DoctorPage(summary=summary):
            return summary
        case ErrorCode(meaning=meaning):
            return meaning
