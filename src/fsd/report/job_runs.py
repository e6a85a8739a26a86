"""How a run of a Job ended, in words. Pure."""

from __future__ import annotations

from fsd.release.job_run import Run


def run_text(run: Run) -> str:
    if run.is_timed_out:
        return "stopped by its timeout"
    if run.exit_code is None:
        return f"did not run: {run.task.stopped_reason or 'ECS does not say why'}"
    return f"exit code {run.exit_code}"
