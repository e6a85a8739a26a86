"""One model behind every screen: what a diagnosis holds is in the terminal, the comment, the
summary and the JSON alike."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fsd.change import Change, CommitCount
from fsd.quoted import Quoted
from fsd.release.result import Outcome
from fsd.report.json_report import result_json
from fsd.report.markdown import render_comment, render_summary
from fsd.report.render import terminal_result
from fsd.rollout.cause import Cause, Diagnosis, Evidence
from tests.unit.report.results import T0, make_result

DIAGNOSIS = Diagnosis(
    causes=(
        Cause(
            code="health-check-failed",
            summary=Quoted(text="the health check failed (2 tasks): codes [500]"),
            where="offer-api-dev:42 · tasks 7f3a…, 91cc…",
            evidence=(
                Evidence(source="ECS", text="Task failed ELB health checks"),
                Evidence(source="target group", text="Health checks failed with codes 500"),
            ),
            advice=Quoted(text="make the path answer 2xx"),
            tasks=("7f3a" * 8, "91cc" * 8),
        ),
        Cause(
            code="crashed",
            summary=Quoted(text="the main process ended (one task, exit code 3)"),
            where="offer-api-dev:42 · task aaaa…",
            evidence=(),
            advice=Quoted(text="read the lines"),
            tasks=("a" * 32,),
        ),
    ),
    changed_since="offer-api-dev:41 (v1.2.9)",
    changes=(
        Change(what="commits", before="1a2b3c4d", after="4f2c1e9a", remark=CommitCount(count=3)),
        Change(what="image", before="77aa", after="9b1f"),
        Change(what="cpu", before="512", after="1024"),
        Change(what="environment", added=("DATABASE_URL",)),
    ),
    log_lines=tuple(f"14:02:{second:02} line {second}" for second in range(30)),
    log_task="7f3a…",
)
RESULT = replace(make_result(outcome=Outcome.ROLLED_BACK), diagnosis=DIAGNOSIS)

FACTS = (
    "health-check-failed",
    "2 tasks",
    "crashed",
    "one task, exit code 3",
    "Task failed ELB health checks",
    "Health checks failed with codes 500",
    "offer-api-dev:41 (v1.2.9)",
    "1a2b3c4",
    "4f2c1e9",
    "3 commits",
    "77aa → 9b1f",
    "512 → 1024",
    "+DATABASE_URL",
    "line 29",
    "make the path answer 2xx",
)

SCREENS = {
    "terminal": terminal_result(RESULT),
    "comment": render_comment(RESULT, run_url="https://github.com/o/r/actions/1", updated_at=T0),
    "summary": render_summary(RESULT),
    "json": json.dumps(result_json(RESULT), ensure_ascii=False),
}


@pytest.mark.parametrize("screen", SCREENS)
def test_diagnosis__every_screen__every_fact(screen: str) -> None:
    text = " ".join(SCREENS[screen].split())

    assert [fact for fact in FACTS if fact not in text] == []


@pytest.mark.parametrize("screen", ["comment", "summary", "json"])
def test_diagnosis__where_there_is_room__all_thirty_lines(screen: str) -> None:
    assert [n for n in range(30) if f"line {n}" not in SCREENS[screen]] == []


def test_diagnosis__json__the_tasks_of_each_cause() -> None:
    causes = json.loads(SCREENS["json"])["diagnosis"]["causes"]

    assert [len(cause["tasks"]) for cause in causes] == [2, 1]
