from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.report.cause_advice import advice_text
from fsd.report.cause_summaries import summary_text
from fsd.rollout.cause import Evidence
from fsd.rollout.unhealthy_tasks import find_unhealthy_rollout
from fsd.snapshot import Snapshot, TaskState
from tests.timeline import snapshot, task_definition

NEW, OLD = task_definition("web:42"), task_definition("web:41")


def look(*lines: str, **tasks: str) -> Snapshot:
    """`a="10.0.0.7"` is a running task of the new revision, `old_…` one of the old."""
    found = tuple(
        TaskState(
            id=name[-1] * 32,
            task_definition_arn=OLD if name.startswith("old") else NEW,
            last_status="RUNNING",
            address=address,
        )
        for name, address in tasks.items()
    )
    return replace(snapshot("\n".join(lines)), tasks=found)


REFUSED = "target  {}  unhealthy  Target.FailedHealthChecks  Health checks failed"


def test_find_waiting__running_tasks_without_an_answer__cause_and_a_task_to_read() -> None:
    seen = look(REFUSED.format("10.0.0.7"), REFUSED.format("10.0.0.8"), a="10.0.0.7", b="10.0.0.8")

    waiting = find_unhealthy_rollout(seen, NEW)

    assert waiting is not None
    assert waiting.cause.code == "health-check-failed"
    assert summary_text(waiting.cause.summary) == (
        "the load balancer's health check is failing (2 tasks): no HTTP answer from port 8000 yet"
    )
    assert waiting.cause.where == "web:42 · tasks aaaa…, bbbb…"
    assert waiting.cause.evidence == (Evidence(source="target group", text="Health checks failed"),)
    assert waiting.task.id in waiting.cause.tasks


def test_find_waiting__answer_with_a_status__is_said() -> None:
    line = "target  10.0.0.7  unhealthy  Target.ResponseCodeMismatch  Health checks failed with these codes: [404]"

    waiting = find_unhealthy_rollout(look(line, a="10.0.0.7"), NEW)

    assert waiting is not None
    assert summary_text(waiting.cause.summary).endswith("(one task): status 404")
    assert advice_text(waiting.cause.advice).startswith("set `healthCheck.path`")


@pytest.mark.parametrize(
    "seen",
    [
        look(a="10.0.0.7"),
        look("target  10.0.0.7  healthy", a="10.0.0.7"),
        look("target  10.0.0.7  initial  Elb.InitialHealthChecking", a="10.0.0.7"),
        look(REFUSED.format("10.0.0.7"), old_a="10.0.0.7"),
        look(REFUSED.format("10.0.0.7"), a="10.0.0.9"),
        look(REFUSED.format("10.0.0.7"), a=""),
    ],
)
def test_find_waiting__nothing_of_ours_is_unhealthy__none(seen: Snapshot) -> None:
    assert find_unhealthy_rollout(seen, NEW) is None
