"""`fsd local up --slow-stacks`: waiting for CloudFormation, and what a signal leaves behind."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.cli import Fsd
from tests.local.conftest import SPEED
from tests.local.server import stacks
from tests.local.server.enforced import opened
from tests.waiting import eventually

SLOW = 10.0  # seconds; an answer to a signal takes none of them
SOON = 5.0  # for a machine that is busy; two seconds are promised
ACCOUNT = "000000000000"
STACK = "fsd-hello-local"
DEPLOY = ("deploy", "--env", "local")
OTHER_CHECK = ("--override", "healthCheck.timeout=3")  # changes the stack's target group

pytestmark = pytest.mark.parametrize("runtime", ["process"], indirect=True)


@pytest.fixture
def fsd(tmp_path: Path, hello: Path, runtime: str) -> Iterator[Fsd]:
    client = Fsd(state=tmp_path / "state", cwd=hello)
    client.ok("local", "up", "--runtime", runtime, "--speed", SPEED, "--slow-stacks", str(SLOW))
    try:
        yield client
    finally:
        client.ok("local", "down")


@pytest.fixture
def cloudformation(fsd: Fsd) -> Iterator[Any]:
    with opened(fsd.status()["endpoint"], ACCOUNT, fsd.secret()) as cloud:
        yield cloud.client("cloudformation")


def interrupt_during_the_stack(
    fsd: Fsd, cloudformation: Any, status: str, *more: str
) -> tuple[int, str, float]:
    """(exit code, all that it said, seconds from the signal to the end)"""
    with fsd.start(*DEPLOY, *more) as process:
        eventually(lambda: _find_status(cloudformation) == status, seconds=60)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    return process.returncode, " ".join((err + out).split()), time.monotonic() - sent


def _find_status(cloudformation: Any) -> str:
    try:
        return stacks.status(cloudformation, STACK)
    except ClientError:
        return ""


def test_deploy__slow_stack__is_waited_for_and_said(fsd: Fsd, cloudformation: Any) -> None:
    deployed = fsd.ok(*DEPLOY)
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]

    assert "stack     done after" in deployed.err
    own = [e for e in events if e["ResourceType"] == "AWS::CloudFormation::Stack"]
    assert [e["ResourceStatus"] for e in own] == [
        "CREATE_COMPLETE", "CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS",
    ]  # fmt: skip
    assert (own[0]["Timestamp"] - own[1]["Timestamp"]).total_seconds() >= SLOW - 1
    assert "in progress for 10 s" in fsd.ok("local", "status").out


def test_deploy__interrupted_in_its_first_stack__attaches_and_ends_0(
    fsd: Fsd, cloudformation: Any
) -> None:
    code, said, took = interrupt_during_the_stack(fsd, cloudformation, "CREATE_IN_PROGRESS")

    assert code == 130, said
    assert took < SOON, said
    assert (
        f"while CloudFormation was changing {STACK}: CloudFormation finishes what it has begun"
        in said
    )
    assert stacks.status(cloudformation, STACK) == "CREATE_IN_PROGRESS"
    again = fsd.ok(*DEPLOY, "--format", "json").json()
    assert again["outcome"] == "succeeded"
    assert stacks.status(cloudformation, STACK) == "CREATE_COMPLETE"


def test_deploy__interrupted_in_a_stack_update__waits_for_it_and_ends_0(
    fsd: Fsd, cloudformation: Any
) -> None:
    fsd.ok(*DEPLOY)
    code, said, took = interrupt_during_the_stack(
        fsd, cloudformation, "UPDATE_IN_PROGRESS", *OTHER_CHECK
    )
    assert (code, took < SOON) == (130, True), said
    assert (
        f"while CloudFormation was changing {STACK}: CloudFormation finishes what it has begun"
        in said
    )

    assert stacks.status(cloudformation, STACK) == "UPDATE_IN_PROGRESS"
    again = fsd.ok(*DEPLOY, *OTHER_CHECK, "--format", "json").json()

    assert again["outcome"] in {"succeeded", "unchanged"}
    assert stacks.status(cloudformation, STACK) == "UPDATE_COMPLETE"


def test_stack__in_progress__refuses_every_second_operation(cloudformation: Any) -> None:
    assert stacks.apply(cloudformation, stacks.make_template()) == "CREATE_COMPLETE"
    changed = stacks.make_template(retention=7)
    stacks.start(cloudformation, changed, kind="UPDATE")
    again = {
        "StackName": "app",
        "TemplateBody": json.dumps(stacks.make_template(retention=14)),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }

    refusal = r"\(ValidationError\).* is in UPDATE_IN_PROGRESS state and can not be updated"
    with pytest.raises(ClientError, match=refusal):
        cloudformation.create_change_set(**again, ChangeSetName="other", ChangeSetType="UPDATE")
    with pytest.raises(ClientError, match=refusal):
        cloudformation.update_stack(**again)
    with pytest.raises(ClientError, match="cannot be deleted while in status UPDATE_IN_PROGRESS"):
        cloudformation.delete_stack(StackName="app")
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        cloudformation.create_stack(**again)
    assert stacks.status(cloudformation) == "UPDATE_IN_PROGRESS"
    eventually(lambda: stacks.status(cloudformation) == "UPDATE_COMPLETE", seconds=30)
    stacks.delete(cloudformation)


def test_stack__created_with_what_fails__is_in_progress_until_it_rolls_back(
    cloudformation: Any,
) -> None:
    broken = stacks.make_template()
    broken["Resources"]["Logs"]["Properties"]["LogGroupName"] = "x" * 600
    stacks.start(cloudformation, broken)
    began = stacks.status(cloudformation)
    eventually(lambda: not stacks.status(cloudformation).endswith("_IN_PROGRESS"), seconds=30)

    assert (began, stacks.status(cloudformation)) == ("CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE")
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        stacks.create_change_set(cloudformation, stacks.make_template(), kind="UPDATE")
