from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.quoted import Quoted
from fsd.release.deploy import deploy
from fsd.release.history import Row, read_rows
from fsd.release.journal import ENTRY, SLOTS, JournalEntry, entries_of, note_action, note_failure
from fsd.release.ports import PermissionDenied
from fsd.release.redeploy import restart
from fsd.release.reporter import Silent
from fsd.release.rollback_to_version import roll_back
from fsd.release.scale import scale
from fsd.report.cause_summaries import cause_text
from fsd.report.history import reason_text
from fsd.report.notes import note_text
from fsd.rollout.cause import Cause
from tests.fakes.aws import START, FakeAws, FakeClock
from tests.unit.release.desired import make_desired, make_request
from tests.unit.release.test_operations import operation, with_history

CRASHED = Cause(
    code="crashed",
    summary=Quoted(text="the main process ended (2 tasks, exit code 1)"),
    where="web-dev:42",
    evidence=(),
    advice=Quoted(text=""),
)


def rows(aws: FakeAws, *, limit: int = 20) -> tuple[Row, ...]:
    return read_rows(aws.ecs, cluster="dev", service="web-dev", limit=limit)


def shown(aws: FakeAws) -> list[tuple[str, str, str, str, bool]]:
    return [
        (row.action, row.release.revision, row.release.outcome, reason_text(row), row.runs)
        for row in rows(aws)
    ]


def test_read_rows__releases__the_running_one_is_marked() -> None:
    assert shown(with_history(41, 42)) == [
        ("deploy", "web-dev:42", "succeeded", "", True),
        ("deploy", "web-dev:41", "succeeded", "", False),
    ]


def test_read_rows__rolled_back_restarted_and_scaled__a_row_each_and_who_did_it() -> None:
    aws = with_history(41, 42)
    tools = replace(operation(aws), by="alice@laptop")

    roll_back(tools, None)
    restart(tools)
    scale(tools, 3)

    found = shown(aws)
    assert ("rollback", "web-dev:41", "succeeded", "from web-dev:42", False) in found
    assert ("restart", "web-dev:41", "succeeded", "", True) in found
    assert ("scale", "web-dev:41", "", "2 to 3 tasks", False) in found
    assert [row[0] for row in found].count("deploy") == 2
    assert len(found) == 5
    done = [row.release.run for row in rows(aws) if row.action != "deploy"]
    assert done == ["alice@laptop"] * 3


@pytest.mark.parametrize(
    ("ended", "outcome"),
    [
        ("ROLLBACK_SUCCESSFUL", "succeeded"),
        ("ROLLBACK_FAILED", "rollback failed"),
        ("SUCCESSFUL", "rollback failed"),  # it came too late
        ("ROLLBACK_IN_PROGRESS", "in progress"),
    ],
)
def test_read_rows__shift_taken_back__the_rollback_ended_as_the_deployment_did(
    ended: str, outcome: str
) -> None:
    aws = with_history(40, 41)
    aws.ecs.take_over(42)
    aws.ecs.deployments[0] = replace(aws.ecs.deployments[0], lifecycle_stage="BAKE_TIME")
    aws.ecs.on_stop(ended)
    tools = replace(operation(aws), wait=False, by="alice@laptop")
    tools.clock.wait(timedelta(minutes=1))

    roll_back(tools, None)

    (row,) = [row for row in rows(aws) if row.action == "rollback"]
    assert (row.release.revision, row.release.outcome) == ("web-dev:41", outcome)
    assert (reason_text(row), row.release.run) == ("from web-dev:42", "alice@laptop")


def test_read_rows__revision_deployed_again__a_deploy_and_not_a_restart() -> None:
    aws = with_history(41)
    desired = make_desired(cpu="1024")
    again = replace(desired, task_definition_tags={"fsd:version": "v9", "fsd:run": "bob@laptop"})
    for now in (desired, again):
        aws.ecs.script("IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
        deploy(make_request(now), aws.aws(), clock=FakeClock(), reporter=Silent())

    found = [(row.action, row.release.run) for row in rows(aws)]

    assert found == [("deploy", "bob@laptop"), ("deploy", ""), ("deploy", "")]


def test_read_rows__registered_by_a_run_that_died__one_row_of_the_deployment() -> None:
    aws = with_history(41)
    desired = make_desired(cpu="1024")
    aws.ecs.register(desired.task_definition, tags={})
    aws.ecs.script("SUCCESSFUL")

    deploy(make_request(desired), aws.aws(), clock=FakeClock(), reporter=Silent())

    assert [row.action for row in rows(aws)] == ["deploy", "deploy"]


def test_read_rows__failed_release__why() -> None:
    aws = with_history(41)
    aws.ecs.take_over(42)
    arn = aws.ecs.deployments[0].task_definition_arn
    aws.ecs.end_all("ROLLBACK_SUCCESSFUL")
    aws.ecs.serve(aws.ecs.deployments[1].task_definition_arn)

    untold = note_failure(aws.ecs, arn, cause_text(CRASHED))

    assert untold is None
    assert shown(aws) == [
        (
            "deploy", "web-dev:42", "rolled back",
            "crashed: the main process ended (2 tasks, exit code 1)", False,
        ),
        ("deploy", "web-dev:41", "succeeded", "", True),
    ]  # fmt: skip


def test_note_action__more_than_there_are_slots__the_oldest_goes() -> None:
    aws = with_history(41)
    arn = aws.ecs.definitions[0].arn
    wanted = [
        JournalEntry(
            at=START + timedelta(minutes=n), action="scale", what=f"{n} to {n + 1}", by="a@b"
        )
        for n in range(SLOTS + 3)
    ]

    for entry in wanted:
        assert note_action(aws.ecs, arn, entry) is None

    found = aws.ecs.find_task_definition(arn)
    assert found is not None
    assert entries_of(found.tags) == tuple(reversed(wanted[-SLOTS:]))


@pytest.mark.parametrize("text", ["", "x", "2026-99-99T00:00:00Z scale", "yesterday scale 2 to 3"])
def test_entries_of__not_written_so__left_out(text: str) -> None:
    assert entries_of({f"{ENTRY}0": text}) == ()


def test_note_action__denied__told_and_no_error() -> None:
    aws = with_history(41)
    denied = PermissionDenied("AccessDenied: no", where="TagResource", fix="")
    aws.ecs.fail("tag_task_definition", denied)

    told = note_action(
        aws.ecs, aws.ecs.definitions[0].arn, JournalEntry(at=START, action="restart")
    )

    assert told is not None
    assert note_text(told) == "FSD could not write the ledger: AccessDenied: no"
