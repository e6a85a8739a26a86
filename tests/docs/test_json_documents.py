"""docs/json.md says what programs get: every key, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fsd
from fsd.account.checks import Check
from fsd.account.facts import ManifestNeeds
from fsd.action.record import EndedRun, ended_by_error, ended_by_result, record_json
from fsd.cli.main import run
from fsd.errors import Location, ManifestError
from fsd.manifest.finding import Severity
from fsd.plan.steps import Plan
from fsd.release.jobs import JobLook, find_job, look_at_job
from fsd.report.doctor import doctor_json
from fsd.report.doctor_finding import DoctorFinding
from fsd.report.error_document import error_json
from fsd.report.jobs import job_json
from fsd.report.json_report import result_json
from fsd.report.plans import PlanReport, plan_json
from tests.fakes.aws import START, FakeAws
from tests.json_documents import TABLES, faults
from tests.unit.plan.test_saved import saved_text
from tests.unit.release.test_jobs import REF, deployed
from tests.unit.release.test_jobs import run as ended_run
from tests.unit.report.results import make_first_failed, make_result, make_rolled_back
from tests.unit.report.test_comments import FIRST, PLAN, planned
from tests.unit.report.test_plans import DRIFT

ERROR = ManifestError("no", where=Location(path="a.yml", line=1, column=2), fix="do")


WANTS = ManifestNeeds(
    service="web",
    environment="dev",
    cluster="dev",
    region="us-east-1",
    tasks=2,
    vcpu=0.25,
    is_private=True,
    has_balancer=False,
    log_group="",
    has_stack=None,
)
FINDING = DoctorFinding(
    check=Check.CLUSTER_MISSING, severity=Severity.ERROR, what="no cluster", where="dev", fix="make"
)


def look_at(aws: FakeAws) -> JobLook:
    job = find_job(aws.aws(), REF)
    assert job is not None
    return look_at_job(aws.aws(), REF, job, now=START, explain=True)


def with_run(**codes: int) -> FakeAws:
    aws = deployed("v1")
    aws.ecs.stopped = [ended_run(aws, **codes)]
    return aws


def plan_of(plan: Plan, **changes: Any) -> PlanReport:
    return replace(planned("dev", plan, "a note"), **changes)


DOCUMENTS: dict[str, tuple[str, Callable[[], Any]]] = {
    "succeeded": ("fsd/result/v1", lambda: result_json(make_result())),
    "rolled back": ("fsd/result/v1", lambda: result_json(make_rolled_back())),
    "first failed": ("fsd/result/v1", lambda: result_json(make_first_failed())),
    "plan": ("fsd/plan/v1", lambda: plan_json(plan_of(PLAN))),
    "first plan": ("fsd/plan/v1", lambda: plan_json(plan_of(FIRST, drift=DRIFT))),
    "no plan": ("fsd/plan/v1", lambda: plan_json(plan_of(replace(PLAN, steps=()), expected=None))),
    "saved plan": ("fsd/saved-plan/v1", lambda: json.loads(saved_text())),
    "job": ("fsd/job/v1", lambda: job_json(look_at(deployed("v1")))),
    "job that failed": ("fsd/job/v1", lambda: job_json(look_at(with_run(web=3)))),
    "doctor": (
        "fsd/doctor/v1",
        lambda: doctor_json(WANTS, [FINDING], who="arn:aws:iam::1:user/me", role=""),
    ),
    "error": ("fsd/error/v1", lambda: json.loads(error_json(ERROR))),
    "ci": (
        "fsd/ci/v1",
        lambda: record_json(
            [
                ended_by_result(make_rolled_back(), file=Path("a.yml")),
                ended_by_error(ERROR),
                EndedRun(outcome="planned", exit_code=0, plans=(plan_of(PLAN),)),
            ]
        ),
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document__is_as_the_page_says(name: str) -> None:
    schema, make = DOCUMENTS[name]
    document = json.loads(json.dumps(make()))

    assert document["schema"] == schema
    assert [*faults(document, schema)] == []


def test_validate__json__is_as_the_page_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "service.yml"
    manifest.write_text("apiVersion: fsd/v1\nkind: Service\nmetadata: {name: a, nmae: b}\n")

    run(["validate", "--file", str(manifest), "--format", "json"])

    document = json.loads(capsys.readouterr().out)
    assert document["errors"] > 0
    assert [*faults(document, "fsd/findings/v1")] == []


def test_error__of_a_command_line__is_as_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    run(["plan", "--format", "json"])

    assert [*faults(json.loads(capsys.readouterr().out), "fsd/error/v1")] == []


def test_faults__another_key_type_or_none__each_is_found() -> None:
    document = {**json.loads(error_json(ERROR)), "exitCode": "3", "more": 1}
    del document["fix"]

    assert [*faults(document, "fsd/error/v1")] == [
        ".fix is missing",
        ".exitCode is '3', not integer",
        ".more is not in docs/json.md",
    ]


def test_tables__schemas_of_the_source__each_has_a_section() -> None:
    """Also those that no document of this file is made of."""
    source = Path(fsd.__file__).parent
    texts = [path.read_text(encoding="utf-8") for path in source.rglob("*.py")]
    schemas = {found for text in texts for found in re.findall(r'"(fsd/[a-z-]+/v1)"', text)}

    assert schemas - TABLES.keys() == set()
    assert "fsd/job/v1" in schemas


def test_tables__parts__each_is_used() -> None:
    kinds = {kind for table in TABLES.values() for value in table.values() for kind in (value,)}
    used = {word for kind in kinds for word in kind.removeprefix("list of ").split(" or ")}

    parts = {name for name, table in TABLES.items() if table and not name.startswith("fsd/")}
    assert parts - used == set()
