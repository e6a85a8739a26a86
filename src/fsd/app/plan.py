"""The dry run: observe and plan, and nothing that applies."""

from __future__ import annotations

from fsd.app.account import Connector
from fsd.app.deployment import DeployOptions
from fsd.app.ownership import require_own
from fsd.app.prepare import compile_desired, prepare
from fsd.manifest.rollout_time import estimate_rollout
from fsd.plan.jobs import plan_job
from fsd.plan.planner import plan_release
from fsd.release.observe import observe, place_of
from fsd.release.reporter import Reporter
from fsd.report.plans import PlanReport


def run_plan(
    options: DeployOptions, connect: Connector, *, reporter: Reporter, drift: bool = False
) -> PlanReport:
    """Observe and plan. Builds nothing: without `--image` the commit's image is looked up, and an
    image that is not there yet is shown as such."""
    prepared = prepare(options, connect, reporter=reporter, is_plan=True)
    chosen = prepared.chosen()
    require_own(options, prepared, chosen)
    desired = compile_desired(prepared, chosen.image, options)
    aws = prepared.connection.aws
    observed = prepared.observed() or observe(aws, place_of(desired))
    is_job = desired.schedule is not None
    plan = plan_job(desired, observed) if is_job else plan_release(desired, observed)
    return PlanReport(
        service=desired.service_name,
        environment=desired.environment,
        plan=plan,
        notes=(*prepared.notes, *chosen.notes, *plan.notes),
        expected=estimate_rollout(prepared.manifest.service),
        drift=aws.stacks.drift(desired.stack_name) if drift and observed.stack else None,
    )
