"""How a run of a Job ended, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from fsd.release.job_run import Run


def run_text(run: Run) -> str:
    if run.is_timed_out:
        return "stopped by its timeout"
    if run.exit_code is None:
        return f"did not run: {run.task.stopped_reason or 'ECS does not say why'}"
    return f"exit code {run.exit_code}"


def run_start_text(revision: str, command: Sequence[str]) -> str:
    """`web-dev:42: python manage.py migrate`; without a command, the task runs the service's."""
    return f"{revision}: {' '.join(command) or 'its own command'}"
