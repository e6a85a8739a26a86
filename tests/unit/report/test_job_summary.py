"""Many services in one job, and a deployment that is under way."""

from __future__ import annotations

from datetime import UTC, datetime

from fsd.release.result import PhaseName, PhaseState
from fsd.report.markdown import SummaryPart, render_job_summary, render_progress_comment
from tests.unit.report.results import make_phase, make_progress

NOW = datetime(2026, 3, 4, 14, 3, 21, tzinfo=UTC)


def part(service: str, *, has_failed: bool = False) -> SummaryPart:
    outcome = "rolled-back" if has_failed else "succeeded"
    return SummaryPart(
        service=service,
        environment="dev",
        outcome=outcome,
        has_failed=has_failed,
        body=f"### {service}",
    )


def test_render_job_summary__one_of_fifty_fails__comes_first_and_all_are_folded() -> None:
    parts = [part(f"api{n}") for n in range(49)] + [part("web", has_failed=True)]

    lines = render_job_summary(parts).splitlines()

    assert lines[:6] == [
        "### ❌ 1 of 50 services failed",
        "",
        "| service | environment | outcome |",
        "| --- | --- | --- |",
        "| ❌ web | dev | rolled-back |",
        "| ✅ api0 | dev | succeeded |",
    ]
    folded = [line for line in lines if line.startswith("<details>")]
    assert len(folded) == 50
    assert folded[0] == "<details><summary>❌ web in dev: rolled-back</summary>"


def test_render_progress_comment__an_event__the_phase_how_far_and_what_ecs_says() -> None:
    phase = make_phase(PhaseName.ROLLOUT, state=PhaseState.RUNNING, fact=None)

    text = render_progress_comment(
        "web",
        "dev",
        phase,
        run_url="https://github.com/org/web/actions/runs/1",
        updated_at=NOW,
        progress=make_progress(note="has started 1 tasks: (task 7f3a)."),
    )

    assert "**rollout**" in text
    assert "1 of 2 healthy, 1 starting" in text
    assert "ECS says: `has started 1 tasks: (task 7f3a).`" in text
