"""The dry run: observe and plan, and nothing that applies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fsd.app.account import Connector
from fsd.app.deployment import DeployOptions, Prepared
from fsd.app.image_scan import check_scan
from fsd.app.ownership import require_own
from fsd.app.prepare import prepare
from fsd.app.promotion import Passage, check_gates
from fsd.app.provenance import require_attested
from fsd.app.saved_plan import make_basis, write_plan
from fsd.errors import CallFailedError, RefusedError
from fsd.manifest.models import Manifest
from fsd.manifest.rollout_time import estimate_rollout
from fsd.plan.attachment import rolls_in_place
from fsd.plan.steps import Plan
from fsd.quoted import Quoted
from fsd.release.notes import ApprovalAhead, Note, PolicyUnread
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
    policies = _check_policies(options, prepared, connect)
    stacks = prepared.connection.aws.stacks
    return PlanReport(
        service=desired.service_name,
        environment=desired.environment,
        plan=plan,
        notes=(
            *prepared.notes,
            *(() if policies.is_copied else chosen.notes),
            *policies.notes,
            *_approvals(prepared.manifest, plan),
            *plan.notes,
        ),
        refusals=policies.refusals,
        expected=estimate_rollout(
            prepared.manifest.service, in_place=rolls_in_place(desired, observed)
        ),
        drift=stacks.drift(desired.stack_name) if drift and observed.stack else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Policies:
    """What the environment's policies say of the image."""

    is_copied: bool
    notes: tuple[Note, ...]
    refusals: tuple[RefusedError, ...]  # as a deployment would end, in its order


def _check_policies(options: DeployOptions, prepared: Prepared, connect: Connector) -> _Policies:
    """By the checks of a deployment. What this role may not read stops no plan."""
    chosen = prepared.chosen()
    notes: list[Note] = []
    refusals: list[RefusedError] = []
    passage = Passage()
    try:
        passage = check_gates(options, prepared, connect)
        notes += passage.notes
    except RefusedError as refused:
        refusals.append(refused)
    except CallFailedError as error:
        notes.append(PolicyUnread(policy="promoteFrom", error=Quoted.of(error)))
    try:
        if not passage.is_copied:  # else it is not here yet
            notes += require_attested(options, prepared, chosen)
    except RefusedError as refused:
        refusals.append(refused)
    except CallFailedError as error:
        notes.append(PolicyUnread(policy="requireProvenance", error=Quoted.of(error)))
    is_yet_to_come = passage.is_copied or not chosen.is_there
    try:
        notes += check_scan(prepared, chosen.image, is_yet_to_come=is_yet_to_come)
    except RefusedError as refused:
        refusals.append(refused)
    except CallFailedError as error:
        notes.append(PolicyUnread(policy="imageScan", error=Quoted.of(error)))
    return _Policies(is_copied=passage.is_copied, notes=tuple(notes), refusals=tuple(refusals))


def _approvals(manifest: Manifest, plan: Plan) -> tuple[Note, ...]:
    deployment = manifest.service.deployment
    approval = deployment.approval
    if approval is None or not (deployment.shifts_traffic and plan.rolls_out):
        return ()
    return (ApprovalAhead(stage=approval.stage, timeout=approval.timeout, then=approval.then),)
