"""What a workflow does with a service that it does not deploy: plan it, validate it, or skip it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fsd.action.ports import CheckedManifest
from fsd.action.record import EndedRun, ended_by_error
from fsd.action.remedies import error_in_workflow
from fsd.action.service_file import ServiceFile, invalid_manifest
from fsd.errors import CallFailedError, FsdError, RefusedError
from fsd.github.runner import Level
from fsd.release.reporter import Silent
from fsd.release.result import Outcome
from fsd.report.github_text import escape
from fsd.report.plan_markdown import Proposal, render_plan_comment
from fsd.report.plans import PlanReport, plan_text

# Their plans are for the environments that the base branch deploys to.
_MERGES = frozenset({"pull_request", "merge_group"})


def plan(one: ServiceFile, names: tuple[str, ...]) -> None:
    checked = one.check(names)
    service = checked.service or one.file.stem
    error: FsdError | None = invalid_manifest(one.file, checked) if checked.has_errors else None
    plans: list[PlanReport] = []
    unavailable: dict[str, str] = {}
    for env in names if error is None else ():
        try:
            planned = one.deployer.plan(one.options(env), reporter=Silent())
            refusals = tuple(error_in_workflow(refusal) for refusal in planned.refusals)
            plans.append(replace(planned, refusals=refusals))
        except FsdError as raised:
            caught = error_in_workflow(raised)
            unavailable[env] = caught.what
            is_fine = _may_be_unplanned(one, caught)
            error = error if is_fine else error or caught
            one.announcer.error(caught, level=Level.WARNING if is_fine else Level.ERROR)
    for planned in plans:
        one.runner.write(plan_text(planned))
        for refusal in planned.refusals:
            is_fine = _may_be_unplanned(one, refusal)
            error = error if is_fine else error or refusal
            one.announcer.error(refusal, level=Level.WARNING if is_fine else Level.ERROR)
    missing = "; ".join(f"no plan for {env}: {why}" for env, why in unavailable.items())
    record = EndedRun(outcome=str(Outcome.PLANNED), exit_code=0, reason=missing)
    if error is not None:
        one.runner.write(str(error))
        record = ended_by_error(error)
    one.ended.append(
        replace(
            record, file=one.file, service=service, environment=",".join(names), plans=tuple(plans)
        )
    )
    _announce_plan(one, service, plans, checked=checked, unavailable=unavailable)


def _may_be_unplanned(one: ServiceFile, error: FsdError) -> bool:
    """Before a merge a plan is a courtesy: who may not look at an account, or finds it down,
    has no reason to hold the pull request up. A `dry-run` was asked for."""
    is_asked_for = one.context.event not in _MERGES
    return isinstance(error, CallFailedError | RefusedError) and not is_asked_for


def _announce_plan(
    one: ServiceFile,
    service: str,
    plans: Sequence[PlanReport],
    *,
    checked: CheckedManifest,
    unavailable: Mapping[str, str],
) -> None:
    # A job for each environment has its own comment: one's plan must not replace another's.
    subject = f"plan:{one.inputs.environment}" if one.inputs.environment else "plan"
    body = render_plan_comment(
        Proposal(
            service=service,
            plans=tuple(plans),
            unavailable=unavailable,
            findings=checked.findings,
            is_merge=one.context.event in _MERGES and not one.inputs.environment,
        ),
        subject=subject,
        run_url=one.context.run_url,
        updated_at=one.step.clock.now(),
        blob_url=one.context.blob_url,
    )
    one.announcer.summary(body)
    if one.context.pull_request is None:
        return
    url = one.announcer.comment(body, service=service, subject=subject)
    one.ended[-1] = replace(one.ended[-1], comment_url=url)


def validate(one: ServiceFile, reason: str) -> None:
    """No credentials, no comment: a mistake in the manifest still fails."""
    checked = one.check((one.inputs.environment,) if one.inputs.environment else ())
    one.announcer.comments = None
    service = checked.service or one.file.stem
    record = EndedRun(outcome=str(Outcome.SKIPPED), exit_code=0, reason=reason)
    if checked.has_errors:
        record = ended_by_error(invalid_manifest(one.file, checked))
    one.ended.append(replace(record, file=one.file, service=service, reason=reason))
    one.runner.annotate(Level.NOTICE, f"{one.file}: validated only; {reason}")
    body = render_plan_comment(
        Proposal(service=service, findings=checked.findings),
        run_url=one.context.run_url,
        updated_at=one.step.clock.now(),
        blob_url=one.context.blob_url,
    )
    one.announcer.summary(f"{body}\n\n{escape(reason)}.")


def skip(one: ServiceFile, reason: str, level: Level) -> None:
    one.ended.append(
        EndedRun(outcome=str(Outcome.SKIPPED), exit_code=0, file=one.file, reason=reason)
    )
    one.runner.annotate(level, f"{one.file}: nothing to do; {reason}")
    one.announcer.summary(f"### ⏭️ {escape(str(one.file))}\n\n{escape(reason)}.")
