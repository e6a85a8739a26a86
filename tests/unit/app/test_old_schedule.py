"""What `--adopt` may disable: what starts one task in the Job's cluster, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.app.ownership import refuse_foreign_schedule, refuse_unfit
from fsd.compile.schedule import taken_over
from fsd.errors import RefusedError
from fsd.plan.observed import OldSchedule
from tests.builders import make_manifest
from tests.fakes.aws import FakeAws

PLACE = "eu-west-1:123456789012"
CLUSTER = f"arn:aws:ecs:{PLACE}:cluster/main"
OLD = OldSchedule(
    arn=f"arn:aws:events:{PLACE}:rule/nightly",
    is_enabled=True,
    expression="cron(0 3 * * ? *)",
    cluster=CLUSTER,
    task_definition=f"arn:aws:ecs:{PLACE}:task-definition/nightly:3",
)


@pytest.mark.parametrize(
    ("old", "owner", "words"),
    [
        (replace(OLD, expression=""), "", "is started by events"),
        (replace(OLD, cluster="", task_definition=""), "", "starts no task of ECS"),
        (replace(OLD, cluster=f"{CLUSTER}-2"), "", "starts tasks in .*main-2, and this Job"),
        (replace(OLD, targets=2), "", "starts 2 targets"),
        (OLD, "invoices", "starts `invoices`, and this Job is `report`"),
    ],
    ids=["events", "no-task", "cluster", "targets", "owner"],
)
def test_refuse_unfit__starts_something_else__refused_with_what(
    old: OldSchedule, owner: str, words: str
) -> None:
    tags = {"fsd:service": owner} if owner else {}

    with pytest.raises(RefusedError, match=words):
        refuse_unfit(old, cluster=CLUSTER, service="report", tags=tags)


@pytest.mark.parametrize("tags", [{}, {"fsd:service": "report"}], ids=["none", "own"])
def test_refuse_unfit__one_task_in_this_cluster__not_refused(tags: dict[str, str]) -> None:
    refuse_unfit(OLD, cluster=CLUSTER, service="report", tags=tags)


def with_schedule(description: str) -> FakeAws:
    aws = FakeAws()
    aws.schedules.schedules["report-prod"] = {"Name": "report-prod", "Description": description}
    return aws


def test_refuse_foreign_schedule__made_by_another_tool__needs_adopt() -> None:
    aws = with_schedule("of the reports")

    with pytest.raises(RefusedError, match="report-prod was made by another tool") as error:
        refuse_foreign_schedule("report", "prod", aws=aws.aws())

    assert "--adopt" in error.value.fix


@pytest.mark.parametrize("case", ["own", "stack", "none"])
def test_refuse_foreign_schedule__own_taken_over_or_none__not_refused(case: str) -> None:
    aws = with_schedule("report-prod, made by fsd" if case == "own" else "of the reports")
    if case == "none":
        aws.schedules.schedules.clear()
    if case == "stack":
        aws.stacks.apply("fsd-report-prod", template={}, tags={})

    refuse_foreign_schedule("report", "prod", aws=aws.aws())


@pytest.mark.parametrize(
    ("name", "expected"), [("default/report-prod", ""), ("jobs/report-prod", "it")]
)
def test_taken_over__name_of_fsds_own__is_none(name: str, expected: str) -> None:
    arn = f"arn:aws:scheduler:{PLACE}:schedule/{name}"
    manifest = make_manifest(name="report", existing_schedule={"arn": arn})

    assert taken_over(manifest, "prod") == (arn if expected else "")
