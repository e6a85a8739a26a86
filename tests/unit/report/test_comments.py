"""Whole comments, as files in `comments/`: what somebody reads on a pull request.

`python -m tests.unit.report.test_comments` writes them anew; look at each difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fsd.change import BareRemark, Change, CommitCount, Sign
from fsd.errors import ErrorCode, Location, ManifestError, RefusedError
from fsd.manifest.finding import Finding, Severity
from fsd.manifest.rollout_time import Estimate, Part
from fsd.plan.security_diff import GrantChange, RuleChange
from fsd.plan.steps import ApplyStack, CreateService, Plan, RegisterRevision, UpdateService
from fsd.release.notes import OutputLine
from fsd.release.result import Outcome, PhaseName, PhaseState
from fsd.report.markdown import render_comment, render_error_comment, render_progress_comment
from fsd.report.plan_markdown import Proposal, render_plan_comment
from fsd.report.plans import PlanReport
from tests.unit.report.results import (
    DIAGNOSIS,
    T0,
    make_first_failed,
    make_phase,
    make_result,
    make_rolled_back,
)

FOLDER = Path(__file__).parent / "comments"
RUN = "https://github.com/org/offers/actions/runs/2"
BLOB = "https://github.com/org/offers/blob/abc"
AT = T0 + timedelta(seconds=201)
OLD_IMAGE, NEW_IMAGE = "sha256:" + "77aa1b2c" * 8, "sha256:" + "9b1f0a2c" * 8

STACK = ApplyStack(
    name="fsd-offer-api-dev",
    template={},
    changes=(
        Change(what="TaskRole", sign=Sign.CHANGE),
        Change(what="HttpListener", sign=Sign.ADD, remark=BareRemark.MISSING),
        Change(what="tags"),
    ),
    sign=Sign.CHANGE,
    security=(
        GrantChange(
            role="TaskRole",
            resource="arn:aws:dynamodb:us-east-1:123456789012:table/prod-offers",
            actions=("dynamodb:PutItem", "dynamodb:Query"),
            is_granted=True,
        ),
        RuleChange(
            group="TaskSecurityGroup",
            peer="LoadBalancerSecurityGroup",
            protocol="tcp",
            first=9000,
            last=9000,
            is_ingress=True,
        ),
    ),
)
CLEAN_UP = ApplyStack(
    name="fsd-offer-api-dev",
    template={},
    changes=(Change(what="LogGroup", sign=Sign.REMOVE),),
    sign=Sign.REMOVE,
    security=(
        GrantChange(role="TaskRole", resource="*", actions=("s3:GetObject",), is_granted=False),
    ),
    cleans_up=True,
)
REVISION = RegisterRevision(
    family="offer-api-dev",
    definition={},
    changes=(
        Change(what="image", before=OLD_IMAGE, after=NEW_IMAGE),
        Change(
            what="environment",
            added=("PRICE_FILTER",),
            removed=("OLD_FLAG",),
            changed=("LOG_LEVEL",),
        ),
        Change(what="cpu", before="512", after="1024"),
        Change(what="stop timeout", after="30 s"),
    ),
    sign=Sign.CHANGE,
)
SERVICE = UpdateService(
    name="offer-api-dev",
    changes=(
        Change(what="desired count", before="2", after="4"),
        Change(what="load balancer", remark=BareRemark.REPLACED),
    ),
    rolls_out=True,
)
PLAN = Plan(
    name="offer-api-dev",
    account="1",
    region="us-east-1",
    steps=(STACK, REVISION, SERVICE, CLEAN_UP),
)
FIRST = replace(
    PLAN,
    steps=(
        replace(STACK, sign=Sign.ADD),
        RegisterRevision(
            family="offer-api-dev",
            definition={},
            changes=(Change(what="first revision"),),
            sign=Sign.ADD,
        ),
        CreateService(name="offer-api-dev", desired_count=2),
    ),
)
ESTIMATE = Estimate(parts=((Part.START, 40), (Part.DRAIN, 30)))
WARNING = Finding(
    id="log-retention-missing",
    severity=Severity.WARNING,
    where=Location(path="service.yml", line=33, column=5),
    message="the logs of `offer-api` are kept forever",
    fix="set `retention: 30`",
)


def planned(env: str, plan: Plan, *notes: str) -> PlanReport:
    return PlanReport(
        service="offer-api",
        environment=env,
        plan=plan,
        notes=tuple(OutputLine(text=note) for note in notes),
        expected=ESTIMATE,
    )


def plan_comment(**fields: object) -> str:
    proposal = replace(Proposal(service="offer-api", is_merge=True), **fields)  # type: ignore[arg-type] # keywords
    return render_plan_comment(proposal, run_url=RUN, updated_at=AT, blob_url=BLOB)


def deployed(**changes: object) -> str:
    return render_comment(make_result(**changes), run_url=RUN, updated_at=AT)


def rolled_back() -> str:
    commits = Change(
        what="commits", before="1a2b3c4d5e6f", after="4f2c1e9aabbc", remark=CommitCount(count=3)
    )
    diagnosis = replace(DIAGNOSIS, changes=(commits, *DIAGNOSIS.changes))
    phases = (
        make_phase(),
        make_phase(PhaseName.ROLLOUT, state=PhaseState.FAILED, start=20, seconds=41),
        make_phase(PhaseName.ROLLBACK, start=61, seconds=53),
    )
    result = make_rolled_back(diagnosis=diagnosis, phases=phases)
    return render_comment(result, run_url=RUN, updated_at=AT)


def no_log_lines() -> str:
    diagnosis = replace(DIAGNOSIS, log_lines=(), log_task="")
    return render_comment(make_rolled_back(diagnosis=diagnosis), run_url=RUN, updated_at=AT)


def refused() -> str:
    error = RefusedError(
        "prod accepts only what has succeeded in staging, and `offer-api@sha256:9b1f…` has not",
        where=Location(path=".fsd/environments.yml", line=14, column=3),
        fix="deploy it to staging first, or run `fsd promote --from staging --to prod`",
        code=ErrorCode.PROMOTION_REQUIRED,
    )
    return error_comment(error)


def invalid() -> str:
    said = "error[fargate-size]: cpu 256 cannot be combined with memory 1000\n  --> service.yml:8:5"
    return error_comment(
        ManifestError(
            f"service.yml has 1 error:\n{said}",
            where="service.yml",
            fix="correct the errors listed above",
        )
    )


def error_comment(error: ManifestError | RefusedError) -> str:
    return render_error_comment(
        error, service="offer-api", environment="prod", run_url=RUN, updated_at=AT
    )


COMMENTS: dict[str, Callable[[], str]] = {
    "deployed": deployed,
    "not-started": lambda: deployed(
        outcome=Outcome.NOT_STARTED,
        message="the desired count is 0, so no task ran",
        running_count=0,
    ),
    "superseded": lambda: deployed(
        outcome=Outcome.SUPERSEDED,
        message="another deployment (offer-api-dev:43) took over, so FSD did not roll anything "
        "back",
    ),
    "rolled-back": rolled_back,
    "rolled-back-without-log": no_log_lines,
    "first-failed": lambda: render_comment(make_first_failed(), run_url=RUN, updated_at=AT),
    "running": lambda: render_progress_comment(
        "offer-api", "dev", make_phase(PhaseName.ROLLOUT, fact=None), run_url=RUN, updated_at=AT
    ),
    "refused": refused,
    "invalid": invalid,
    "plan": lambda: plan_comment(
        plans=(
            planned("dev", PLAN, "the image has not been built yet"),
            planned("prod", replace(PLAN, steps=())),
        ),
        findings=(WARNING, replace(WARNING, severity=Severity.ERROR, where="--override cpu=1")),
    ),
    "plan-first": lambda: plan_comment(plans=(planned("dev", FIRST),)),
    "plan-missing": lambda: plan_comment(unavailable={"dev": "no credentials"}),
    "plan-in-flight": lambda: plan_comment(
        plans=(planned("dev", replace(PLAN, steps=(), attach_to="arn:d1")),)
    ),
    "checked": lambda: plan_comment(is_merge=False, findings=(WARNING,) * 12),
}


@pytest.mark.parametrize("name", COMMENTS)
def test_comment__is_the_one_in_its_file(name: str) -> None:
    assert COMMENTS[name]() == (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def test_comments__files__each_belongs_to_one() -> None:
    assert {file.stem for file in FOLDER.glob("*.md")} == set(COMMENTS)


@pytest.mark.parametrize("name", [name for name in COMMENTS if name.startswith("plan")])
def test_plan_comment__diff__fits_a_phone_and_shows_no_value_of_the_environment(name: str) -> None:
    for line in COMMENTS[name]().partition("```diff\n")[2].partition("```")[0].splitlines():
        assert len(line) <= 46
        assert line[0] in "+-!"


def main() -> None:
    for name, make in COMMENTS.items():
        (FOLDER / f"{name}.md").write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
