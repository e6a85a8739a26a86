"""Results to report on, with defaults: a service that went from v1.2.9 to v1.3.0."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fsd.change import Change, Sign
from fsd.plan.steps import RegisterRevision
from fsd.quoted import Quoted
from fsd.release.follow_ups import AdvisedFix
from fsd.release.messages import InWorkflow
from fsd.release.phase_facts import (
    EndedAfter,
    HealthyAfter,
    ImageOrigin,
    ImageReady,
    PhaseFact,
    RolloutEnd,
)
from fsd.release.result import (
    Outcome,
    PastOutcome,
    Phase,
    PhaseName,
    PhaseState,
    Progress,
    ReleaseInfo,
    Result,
)
from fsd.rollout.advice import TargetTrouble
from fsd.rollout.cause import Cause, Diagnosis, Evidence

T0 = datetime(2026, 3, 4, 14, 0, 0, tzinfo=UTC)
FAMILY_ARN = "arn:aws:ecs:us-east-1:123456789012:task-definition/offer-api-dev"

OLD = ReleaseInfo(
    version="v1.2.9",
    commit="1a2b3c4d5e6f",
    revision="offer-api-dev:41",
    task_definition_arn=f"{FAMILY_ARN}:41",
    digest="sha256:77aa" + "0" * 60,
    cpu=512,
    memory=1024,
    at=T0 - timedelta(days=3),
    run="https://github.com/org/offers/actions/runs/1",
    outcome=PastOutcome.SUCCEEDED,
)
NEW = ReleaseInfo(
    version="v1.3.0",
    commit="4f2c1e9aabbc",
    revision="offer-api-dev:42",
    task_definition_arn=f"{FAMILY_ARN}:42",
    digest="sha256:9b1f" + "0" * 60,
    cpu=1024,
    memory=2048,
    at=T0,
    run="alice@laptop",
)
CHANGES = (
    Change(what="image", before="sha256:77aa…", after="sha256:9b1f…"),
    Change(what="environment", added=("DATABASE_URL",)),
)
CAUSE = Cause(
    code="health-check-failed",
    summary=Quoted(text="the load balancer's health check failed (2 tasks): status 500"),
    where="offer-api-dev:42 · tasks 7f3a…, 91cc…",
    evidence=(
        Evidence(
            source="ECS",
            text="Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:"
            "us-east-1:123456789012:targetgroup/offer-api-dev/6d0ecf831eec9f09)",
            at="14:02:10",
        ),
        Evidence(source="target group", text="Health checks failed with these codes: [500]"),
    ),
    advice=TargetTrouble.SERVER_ERROR,
)
DIAGNOSIS = Diagnosis(
    causes=(CAUSE,),
    changed_since="offer-api-dev:41 (v1.2.9)",
    changes=CHANGES,
    log_lines=(
        '14:02:09 sqlalchemy.exc.OperationalError: connection to server at "db.dev.internal", '
        "port 5432 failed: Connection refused",
    ),
    log_task="7f3a…",
)


BUILT = ImageReady(
    name="offer-api", digest="sha256:9b1f", tag="t", origin=ImageOrigin.BUILT, seconds=12.4
)
HEALTHY = HealthyAfter(took=timedelta(seconds=98), running=2, desired=2)


def failed_after(seconds: int) -> EndedAfter:
    return EndedAfter(end=RolloutEnd.FAILED, took=timedelta(seconds=seconds))


def make_phase(
    name: PhaseName = PhaseName.IMAGE,
    *,
    state: PhaseState = PhaseState.DONE,
    fact: PhaseFact | None = BUILT,
    start: int = 0,
    seconds: int = 12,
) -> Phase:
    running = state is PhaseState.RUNNING
    began = T0 + timedelta(seconds=start)
    ended = None if running else began + timedelta(seconds=seconds)
    return Phase(name=name, state=state, fact=fact, started_at=began, finished_at=ended)


def make_revision_phase(does: str, *, state: PhaseState = PhaseState.DONE) -> Phase:
    step = RegisterRevision(family=does, definition={}, changes=(), sign=Sign.CHANGE)
    return replace(make_phase(PhaseName.REVISION, state=state, fact=None), step=step)


def make_progress(**changes: Any) -> Progress:
    progress = Progress(
        elapsed=timedelta(seconds=72),
        new_revision="offer-api-dev:42",
        new_healthy=1,
        new_running=2,
        new_pending=0,
        desired=2,
        old_revision="offer-api-dev:41",
        old_running=2,
        failed_tasks=0,
        failure_threshold=3,
    )
    return replace(progress, **changes)


def make_result(**changes: Any) -> Result:
    """A deployment that succeeded. A message and next steps may be texts."""
    message, steps = changes.get("message"), changes.get("next_steps", ())
    if isinstance(message, str):
        changes["message"] = InWorkflow(said=Quoted(text=message)) if message else None
    changes["next_steps"] = tuple(
        AdvisedFix(text=step) if isinstance(step, str) else step for step in steps
    )
    result = Result(
        outcome=Outcome.SUCCEEDED,
        action="deploy",
        service="offer-api",
        environment="dev",
        account="123456789012",
        region="us-east-1",
        started_at=T0,
        finished_at=T0 + timedelta(seconds=124),
        release=NEW,
        previous=OLD,
        running=NEW,
        running_count=2,
        desired_count=2,
        healthy_count=2,
        image="123456789012.dkr.ecr.us-east-1.amazonaws.com/offer-api@" + NEW.digest,
        deployment_arn="arn:aws:ecs:us-east-1:123456789012:service-deployment/dev/offer-api-dev/d1",
        url="http://internal-offer-api-dev-1a2b3c.us-east-1.elb.amazonaws.com",
        log_group="/ecs/offer-api-dev",
        owners=("@org/digdog", "@alice"),
        phases=(
            make_phase(),
            make_phase(PhaseName.ROLLOUT, fact=HEALTHY, start=20, seconds=98),
        ),
        changes=CHANGES,
    )
    return replace(result, **changes)


def make_rolled_back(**changes: Any) -> Result:
    failed = {
        "outcome": Outcome.ROLLED_BACK,
        "running": OLD,
        "diagnosis": DIAGNOSIS,
        "message": "the stack and scaling are unchanged",
    }
    return make_result(**{**failed, **changes})


def make_first_failed(**changes: Any) -> Result:
    """A first deployment that never got healthy."""
    failed = {
        "outcome": Outcome.ROLLBACK_FAILED,
        "previous": None,
        "running_count": 0,
        "desired_count": 0,
        "healthy_count": 0,
        "diagnosis": replace(DIAGNOSIS, changed_since="", changes=()),
        "message": "there was nothing to roll back to, so FSD scaled the service to 0 and kept "
        "the stack and the logs",
        "next_steps": (
            "fsd logs --service offer-api --env dev --since 1h",
            "fsd delete --service offer-api --env dev",
        ),
    }
    return make_result(**{**failed, **changes})
