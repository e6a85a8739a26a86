from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fsd.change import BareRemark, Change, Sign
from fsd.errors import ErrorCode, RefusedError
from fsd.manifest.rollout_time import Estimate, Part
from fsd.plan.steps import ApplyStack, Count, CreateService, Plan, RegisterRevision, Step
from fsd.release.notes import OutputLine
from fsd.release.ports import Deviation, Drifted, StackDrift
from fsd.report.changes import change_json
from fsd.report.plan_markdown import Proposal, render_plan_comment
from fsd.report.plans import PlanReport, plan_json, plan_text

STACK = ApplyStack(
    template={},
    name="fsd-offer-api-prod",
    changes=tuple(Change(what=f"Resource{number}", sign=Sign.ADD) for number in range(9)),
    sign=Sign.CHANGE,
)
REVISION = RegisterRevision(
    family="offer-api-prod",
    definition={},
    changes=(
        Change(what="image", before="sha256:1a2b", after="sha256:9b1f"),
        Change(what="environment", added=("PRICE_FILTER",)),
    ),
    sign=Sign.CHANGE,
)


def make_planned(*steps: Step, attach_to: str = "", notes: tuple[str, ...] = ()) -> PlanReport:
    plan = Plan(
        name="offer-api-prod",
        account="123456789012",
        region="us-east-1",
        steps=steps,
        count=Count(before=2, after=2),
        attach_to=attach_to,
    )
    return PlanReport(
        service="offer-api",
        environment="prod",
        plan=plan,
        notes=tuple(OutputLine(text=note) for note in notes),
    )


def test_plan_text__steps__a_line_each_and_the_counts_first() -> None:
    planned = make_planned(
        STACK, REVISION, CreateService(name="offer-api-prod", desired_count=2), notes=("a note",)
    )

    assert (
        plan_text(planned)
        == """\
offer-api → prod    2 to change, 1 to add
  ~ stack          fsd-offer-api-prod   +Resource0 · +Resource1 · +Resource2 · +Resource3 ·
                   +Resource4 · +Resource5 · 3 more
  ~ revision       image sha256:1a2b → sha256:9b1f · environment +PRICE_FILTER
  + service        offer-api-prod   2 tasks
  note: a note"""
    )


ESTIMATE = Estimate(parts=((Part.START, 40), (Part.DRAIN, 30)))


def test_plan_text__rollout__how_long_it_takes_and_why() -> None:
    planned = replace(
        make_planned(CreateService(name="offer-api-prod", desired_count=2)), expected=ESTIMATE
    )

    assert plan_text(planned).endswith(
        "\n    rollout        about 1m10s: 40 s to start a task, 30 s deregistrationDelay"
    )
    assert plan_json(planned)["expectedSeconds"] == 70


def test_plan_text__no_rollout__no_time() -> None:
    planned = replace(make_planned(STACK), expected=ESTIMATE)

    assert "rollout" not in plan_text(planned)
    assert plan_json(planned)["expectedSeconds"] is None


def test_plan_text__nothing__says_so() -> None:
    assert plan_text(make_planned()) == "offer-api → prod    nothing to change"


REFUSAL = RefusedError(
    "prod accepts only what has succeeded in dev, and web@sha256:0a has not",
    where="promotion from dev",
    fix="deploy this commit to dev first",
    code=ErrorCode.PROMOTION_REQUIRED,
)


def test_plan__refused__says_so_in_each_form() -> None:
    planned = replace(make_planned(REVISION), refusals=(REFUSAL,))
    comment = render_plan_comment(
        Proposal(service="web", plans=(planned,), is_merge=True),
        run_url="",
        updated_at=datetime(2026, 11, 30, tzinfo=UTC),
    )

    assert plan_text(planned).endswith("\n  a deployment of this image would be refused")
    assert plan_json(planned)["refusals"] == [
        {
            "code": "promotion-required",
            "what": REFUSAL.what,
            "where": "promotion from dev",
            "fix": "deploy this commit to dev first",
        }
    ]
    assert "**As things stand, FSD refuses to deploy this to prod.**" in comment
    assert "Merging deploys" not in comment
    assert "- ❌ Prod accepts only what has succeeded in dev" in comment
    assert "(`promotion-required`)\\\n  **Fix:** deploy this commit to dev first" in comment


def test_plan_text__in_flight_already__says_that_deploy_attaches() -> None:
    assert plan_text(make_planned(attach_to="arn:d1")) == (
        "offer-api → prod    a deployment is in flight\n"
        "  a deployment in flight is already making these changes; `fsd deploy` attaches to it"
    )


def test_plan_json__steps__schema_and_every_change() -> None:
    report = plan_json(make_planned(REVISION))

    assert report == {
        "schema": "fsd/plan/v1",
        "service": "offer-api",
        "environment": "prod",
        "account": "123456789012",
        "region": "us-east-1",
        "empty": False,
        "rollsOut": False,
        "attachTo": None,
        "desiredCount": {"before": 2, "after": 2},
        "drift": None,
        "expectedSeconds": None,
        "steps": [
            {
                "kind": "register-revision",
                "sign": "~",
                "text": "revision image sha256:1a2b → sha256:9b1f · environment +PRICE_FILTER",
                "security": [],
                "properties": [],
                "changes": [change_json(change) for change in REVISION.changes],
            }
        ],
        "effects": [],
        "notes": [],
        "refusals": [],
    }


DRIFT = StackDrift(
    drifted=(
        Drifted(resource="HttpListener", type="Listener", is_gone=True),
        Drifted(
            resource="LogGroup",
            type="Logs",
            is_gone=False,
            differences=(Deviation(path="/RetentionInDays", expected="30", actual="3653"),),
        ),
        Drifted(
            resource="TaskRole",
            type="Role",
            is_gone=False,
            differences=(Deviation(path="/Path", expected="/fsd/", actual="/"),),
        ),
    ),
    unchecked=("Records",),
    reason="denied",
)
REPAIR = ApplyStack(
    template={},
    name="fsd-offer-api-prod",
    changes=(
        Change(what="HttpListener", sign=Sign.ADD, remark=BareRemark.MISSING),
        Change(what="TaskRole", sign=Sign.CHANGE),
    ),
    sign=Sign.CHANGE,
)


def test_plan_text__drift__what_a_deployment_makes_of_it() -> None:
    planned = replace(make_planned(REPAIR), drift=DRIFT)

    assert plan_text(planned) == (
        "offer-api → prod    1 to change\n"
        "  ~ stack          fsd-offer-api-prod   +HttpListener (missing) · ~TaskRole\n"
        "    drift          HttpListener is gone; a deployment repairs it\n"
        "    drift          LogGroup /RetentionInDays 30 → 3653; a deployment does not change it\n"
        "    drift          TaskRole /Path /fsd/ → /; a deployment changes it too\n"
        "    drift          Records could not be compared: denied"
    )


def test_plan_text__no_drift__is_said() -> None:
    planned = replace(make_planned(), drift=StackDrift())

    assert plan_text(planned).endswith(
        "    drift          every resource that CloudFormation compares matches the template"
    )


REASON = "Failed to detect drift on resource [HttpsRule]"
FAILED = f"CloudFormation could not compare every resource: {REASON}"


@pytest.mark.parametrize(
    ("drift", "lines"),
    [
        (StackDrift(is_complete=False, reason=REASON), [FAILED]),
        (
            StackDrift(is_complete=False, reason=REASON, unchecked=("Records",)),
            ["Records could not be compared", FAILED],
        ),
        (
            StackDrift(is_complete=False, reason=REASON, drifted=DRIFT.drifted[:1]),
            ["HttpListener is gone; a deployment does not change it", FAILED],
        ),
        (
            StackDrift(is_complete=False),
            ["CloudFormation could not compare every resource: it gave no reason"],
        ),
        (StackDrift(unchecked=("Records",)), ["Records could not be compared"]),
    ],
    ids=["rest-in-sync", "unchecked-too", "drifted-too", "no-reason", "complete"],
)
def test_plan__drift_detection_failed__why_and_never_that_all_is_as_it_should_be(
    drift: StackDrift, lines: list[str]
) -> None:
    planned = replace(make_planned(), drift=drift)
    text = " ".join(plan_text(planned).split())
    comment = render_plan_comment(
        Proposal(service="offer-api", plans=(planned,)),
        run_url="https://github.com/org/repo/actions/runs/1",
        updated_at=datetime(2026, 11, 22, tzinfo=UTC),
    )

    assert planned.drift_lines() == lines
    assert all(line in text for line in lines)
    assert all(f"- Drift: {line}" in comment.replace("\\", "") for line in lines)
    assert "every resource that" not in text + comment


def test_plan_json__drift_detection_failed__why() -> None:
    failed = StackDrift(is_complete=False, reason=REASON)

    assert plan_json(replace(make_planned(), drift=failed))["drift"] == {
        "resources": [],
        "unchecked": [],
        "complete": False,
        "reason": REASON,
    }
    told = plan_json(replace(make_planned(), drift=StackDrift()))["drift"]
    assert told == {"resources": [], "unchecked": [], "complete": True, "reason": None}


def test_plan_json__drift__every_difference() -> None:
    report = plan_json(replace(make_planned(REPAIR), drift=DRIFT))["drift"]

    assert isinstance(report, dict)
    assert report["unchecked"] == ["Records"]
    assert [(r["resource"], r["gone"], r["repaired"]) for r in report["resources"]] == [
        ("HttpListener", True, True),
        ("LogGroup", False, False),
        ("TaskRole", False, False),
    ]
    assert report["resources"][1]["differences"] == [
        {"path": "/RetentionInDays", "expected": "30", "actual": "3653"}
    ]
