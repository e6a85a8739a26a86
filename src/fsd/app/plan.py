"""The dry run: observe and plan, and nothing that applies."""

from __future__ import annotations

from pathlib import Path

from fsd.app.account import Connector
from fsd.app.deployment import DeployOptions
from fsd.app.ownership import require_own
from fsd.app.prepare import prepare
from fsd.app.saved_plan import make_basis, write_plan
from fsd.manifest.rollout_time import estimate_rollout
from fsd.release.reporter import Reporter
from fsd.report.plans import PlanReport


def run_plan(
    options: DeployOptions,
    connect: Connector,
    *,
    reporter: Reporter,
    drift: bool = False,
    out: Path | None = None,
) -> PlanReport:
    """Observe and plan. Builds nothing: without `--image` the commit's image is looked up, and an
    image that is not there yet is shown as such. `out` is the file that the plan is saved in."""
    prepared = prepare(options, connect, reporter=reporter, is_plan=True)
    chosen = prepared.chosen()
    require_own(options, prepared, chosen)
    basis = make_basis(options, prepared, chosen)
    desired, observed, plan = basis.desired, basis.observed, basis.plan
    if out is not None:
        write_plan(out, basis)
    stacks = prepared.connection.aws.stacks
    return PlanReport(
        service=desired.service_name,
        environment=desired.environment,
        plan=plan,
        notes=(*prepared.notes, *chosen.notes, *plan.notes),
        expected=estimate_rollout(prepared.manifest.service),
        drift=stacks.drift(desired.stack_name) if drift and observed.stack else None,
    )
