from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from fsd.aws.stacks import (
    BEATEN_TOLERATED,
    TEMPLATE_LIMIT,
    CloudFormationStacks,
    says_no_changes,
)
from fsd.compile.desired import Json
from fsd.errors import CallFailedError, ErrorCode
from fsd.release.ports import PermissionDenied, Stack
from tests.fakes.clock import FakeClock
from tests.moto.conftest import TestClients

NAME = "fsd-web-dev"
ID = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{NAME}/1a2b"
CHANGE_SET = f"arn:aws:cloudformation:us-east-1:123456789012:changeSet/fsd-1/{NAME}"
ROLE = "arn:aws:iam::123456789012:role/fsd-cfn"
NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
TEMPLATE: Json = {"Resources": {"Logs": {"Type": "AWS::Logs::LogGroup"}}}
TAGS = {"fsd:service": "web", "fsd:environment": "dev"}
TAG_LIST = [
    {"Key": "fsd:environment", "Value": "dev"},
    {"Key": "fsd:service", "Value": "web"},
]
NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a "
    "change set."
)


class CloudFormation:
    """The script of one test: what CloudFormation will be asked, in order, and what it answers."""

    def __init__(self, stub: Stubber) -> None:
        self.stub = stub

    def describe(self, status: str | None, of: str = NAME, **more: Any) -> None:
        if status is None:
            self.stub.add_client_error(
                "describe_stacks",
                "ValidationError",
                f"Stack with id {of} does not exist",
                expected_params={"StackName": of},
            )
            return
        stack = {
            "StackName": NAME,
            "StackId": ID,
            "StackStatus": status,
            "CreationTime": NOW,
            "Tags": TAG_LIST,
            **more,
        }
        self.stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": of})

    def template(self, template: Json | str = TEMPLATE) -> None:
        body = template if isinstance(template, str) else json.dumps(template)
        self.stub.add_response(
            "get_template", {"TemplateBody": body}, {"StackName": ID, "TemplateStage": "Original"}
        )

    def change_set(self, kind: str, template: Json = TEMPLATE, **more: Any) -> None:
        expected = {
            "StackName": NAME,
            "ChangeSetName": ANY,
            "ClientToken": ANY,
            "ChangeSetType": kind,
            "TemplateBody": json.dumps(template, sort_keys=True, separators=(",", ":")),
            "Tags": TAG_LIST,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            **({"OnStackFailure": "DELETE"} if kind == "CREATE" else {}),
            **more,
        }
        self.stub.add_response("create_change_set", {"Id": CHANGE_SET, "StackId": ID}, expected)

    def change_set_is(self, status: str, reason: str = "") -> None:
        self.stub.add_response(
            "describe_change_set",
            {"Status": status, "StatusReason": reason},
            {"ChangeSetName": CHANGE_SET},
        )

    def delete_change_set(self) -> None:
        self.stub.add_response("delete_change_set", {}, {"ChangeSetName": CHANGE_SET})

    def execute(self) -> None:
        self.stub.add_response(
            "execute_change_set", {}, {"ChangeSetName": CHANGE_SET, "ClientRequestToken": ANY}
        )

    def delete_stack(self, **more: str) -> None:
        self.stub.add_response(
            "delete_stack", {}, {"StackName": ID, "ClientRequestToken": ANY, **more}
        )

    def events(self, *events: tuple[str, str, str], token: str = "") -> None:
        """(logical id, status, reason), newest first."""
        answer: dict[str, Any] = {"StackEvents": [_event(i, *e) for i, e in enumerate(events)]}
        expected = {"StackName": ID}
        if token:
            expected["NextToken"] = token
        self.stub.add_response("describe_stack_events", answer, expected)


def _event(number: int, logical: str, status: str, reason: str) -> dict[str, Any]:
    is_stack = logical == NAME
    return {
        "StackId": ID,
        "EventId": str(number),
        "StackName": NAME,
        "Timestamp": NOW,
        "LogicalResourceId": logical,
        "PhysicalResourceId": ID if is_stack else f"{logical}-1",
        "ResourceType": "AWS::CloudFormation::Stack" if is_stack else "AWS::EC2::SecurityGroup",
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cfn(stub: Callable[[str], Stubber]) -> CloudFormation:
    return CloudFormation(stub("cloudformation"))


@pytest.fixture
def stacks(clients: TestClients, clock: FakeClock) -> CloudFormationStacks:
    return CloudFormationStacks(clients=clients, clock=clock, poll=timedelta(seconds=1))


# --- find ------------------------------------------------------------------------------------


def test_find__there__template_outputs_and_tags(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe(
        "UPDATE_COMPLETE", Outputs=[{"OutputKey": "ServiceUrl", "OutputValue": "http://x"}]
    )
    cfn.template()

    found = stacks.find(NAME)

    assert found is not None
    assert found == Stack(
        name=NAME,
        id=ID,
        status="UPDATE_COMPLETE",
        template=TEMPLATE,
        outputs={"ServiceUrl": "http://x"},
        tags=TAGS,
        change=found.change,
    )


def test_find__absent__none(cfn: CloudFormation, stacks: CloudFormationStacks) -> None:
    cfn.describe(None)

    assert stacks.find(NAME) is None


@pytest.mark.parametrize(
    "status",
    [
        "REVIEW_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_IN_PROGRESS",
        "CREATE_FAILED",
        "DELETE_IN_PROGRESS",
        "DELETE_FAILED",
    ],
)
def test_find__not_created_to_the_end_or_going__none(
    cfn: CloudFormation, stacks: CloudFormationStacks, status: str
) -> None:
    cfn.describe(status)

    assert stacks.find(NAME) is None


def test_find__template_is_yaml__not_ours(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("CREATE_COMPLETE")
    cfn.template("Resources:\n  A: {}\n")

    with pytest.raises(CallFailedError) as caught:
        stacks.find(NAME)

    assert caught.value.code == "stack-not-ours"


def test_find__other_validation_error__raised(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.stub.add_client_error("describe_stacks", "ValidationError", "1 validation error detected")

    with pytest.raises(CallFailedError, match="1 validation error detected"):
        stacks.find(NAME)


def test_find__denied__permission_denied(cfn: CloudFormation, stacks: CloudFormationStacks) -> None:
    cfn.stub.add_client_error("describe_stacks", "AccessDenied", "not authorized")

    with pytest.raises(PermissionDenied):
        stacks.find(NAME)


# --- create ----------------------------------------------------------------------------------


def test_apply__absent__created_by_change_set(
    cfn: CloudFormation, stacks: CloudFormationStacks, clock: FakeClock
) -> None:
    cfn.describe(None)
    cfn.change_set("CREATE")
    cfn.change_set_is("CREATE_IN_PROGRESS")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("REVIEW_IN_PROGRESS", of=ID)
    cfn.describe("CREATE_IN_PROGRESS", of=ID)
    cfn.describe("CREATE_COMPLETE", of=ID, Outputs=[{"OutputKey": "A", "OutputValue": "1"}])

    stack = stacks.apply(NAME, template=TEMPLATE, tags=TAGS)

    assert (stack.status, stack.outputs) == ("CREATE_COMPLETE", {"A": "1"})
    assert clock.waits == [timedelta(seconds=1)] * 3


def test_apply__review_in_progress__created(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("REVIEW_IN_PROGRESS")
    cfn.change_set("CREATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("CREATE_COMPLETE", of=ID)

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).status == "CREATE_COMPLETE"


def test_apply__role__sent_with_every_call(
    cfn: CloudFormation, clients: TestClients, clock: FakeClock
) -> None:
    """A policy that allows only this role denies a call that names none."""
    stacks = CloudFormationStacks(
        clients=clients, clock=clock, poll=timedelta(seconds=1), role_arn=ROLE
    )
    cfn.describe("ROLLBACK_COMPLETE")
    cfn.describe("ROLLBACK_COMPLETE")
    cfn.delete_stack(RoleARN=ROLE)
    cfn.describe(None, of=ID)
    cfn.change_set("CREATE", RoleARN=ROLE)
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("CREATE_COMPLETE", of=ID)

    stacks.apply(NAME, template=TEMPLATE, tags=TAGS)


def test_apply__first_creation_had_failed__deleted_then_created(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("ROLLBACK_COMPLETE")
    cfn.describe("ROLLBACK_COMPLETE")
    cfn.delete_stack()
    cfn.describe("DELETE_IN_PROGRESS", of=ID)
    cfn.describe("DELETE_COMPLETE", of=ID)
    cfn.change_set("CREATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("CREATE_COMPLETE", of=ID)

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).status == "CREATE_COMPLETE"


def test_apply__creation_fails__reason_of_the_first_failed_resource(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe(None)
    cfn.change_set("CREATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("DELETE_COMPLETE", of=ID)
    cfn.events(
        (NAME, "DELETE_COMPLETE", ""),
        ("Balancer", "DELETE_COMPLETE", ""),
        (NAME, "DELETE_IN_PROGRESS", ""),
        ("Logs", "CREATE_FAILED", "Resource creation cancelled"),
        ("Balancer", "CREATE_FAILED", "quota of load balancers reached"),
        ("Group", "CREATE_FAILED", "the VPC vpc-1 does not exist"),
        (NAME, "CREATE_IN_PROGRESS", "User Initiated"),
        ("Old", "CREATE_FAILED", "of an earlier try"),
    )

    with pytest.raises(CallFailedError) as caught:
        stacks.apply(NAME, template=TEMPLATE, tags=TAGS)

    assert str(caught.value) == (
        "error[stack-failed]: could not be created: Group (AWS::EC2::SecurityGroup): "
        "the VPC vpc-1 does not exist\n"
        f"  --> {NAME} (DELETE_COMPLETE)\n"
        "  fix: correct what the reason names, and run it again; nothing of the stack is left"
    )


def test_apply__created_stack_is_gone_without_trace__says_so(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe(None)
    cfn.change_set("CREATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe(None, of=ID)
    cfn.events()

    with pytest.raises(CallFailedError, match="CloudFormation gave no reason"):
        stacks.apply(NAME, template=TEMPLATE, tags=TAGS)


def test_apply__create_change_set_fails__nothing_left_behind(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe(None)
    cfn.change_set("CREATE")
    cfn.change_set_is("FAILED", "Unrecognized resource types: [AWS::No::Such]")
    cfn.delete_change_set()
    cfn.describe("REVIEW_IN_PROGRESS")
    cfn.delete_stack()
    cfn.describe(None, of=ID)

    with pytest.raises(CallFailedError) as caught:
        stacks.apply(NAME, template=TEMPLATE, tags=TAGS)

    assert caught.value.code == "stack-refused"
    assert "Unrecognized resource types" in caught.value.what


def test_apply__another_run_created_it_meanwhile__starts_over(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    """Its execution deleted our change set; what it makes is neither deleted nor an error."""
    cfn.describe(None)
    cfn.change_set("CREATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.stub.add_client_error("execute_change_set", "ChangeSetNotFound", "it does not exist")
    cfn.describe("CREATE_IN_PROGRESS")
    cfn.describe("CREATE_COMPLETE")
    cfn.template()

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).status == "CREATE_COMPLETE"


def test_apply__another_run_takes_our_change_set__its_stack_is_not_deleted(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe(None)
    cfn.change_set("CREATE")
    cfn.stub.add_client_error("describe_change_set", "ChangeSetNotFound", "it does not exist")
    cfn.describe("CREATE_COMPLETE")
    cfn.template()

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).status == "CREATE_COMPLETE"


def test_apply__always_another_run_first__says_so_after_some_tries(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    busy = f"Stack:{ID} is in UPDATE_IN_PROGRESS state and can not be updated."
    for number in range(BEATEN_TOLERATED + 1):
        cfn.describe("UPDATE_COMPLETE", LastUpdatedTime=NOW + timedelta(seconds=number))
        cfn.template({})
        cfn.stub.add_client_error("create_change_set", "ValidationError", busy)

    with pytest.raises(CallFailedError, match="UPDATE_IN_PROGRESS"):
        stacks.apply(NAME, template=TEMPLATE, tags=TAGS)


# --- update ----------------------------------------------------------------------------------


def test_apply__same_template_and_tags__no_change_set(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("CREATE_COMPLETE")
    cfn.template()

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).template == TEMPLATE


def test_apply__other_template__updated(cfn: CloudFormation, stacks: CloudFormationStacks) -> None:
    old: Json = {"Resources": {}}
    cfn.describe("UPDATE_COMPLETE")
    cfn.template(old)
    cfn.change_set("UPDATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("UPDATE_IN_PROGRESS", of=ID)
    cfn.describe("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", of=ID)
    cfn.describe("UPDATE_COMPLETE", of=ID)

    stack = stacks.apply(NAME, template=TEMPLATE, tags=TAGS)

    assert (stack.status, stack.template) == ("UPDATE_COMPLETE", TEMPLATE)


def test_apply__other_tags__updated_without_reading_the_template(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("UPDATE_COMPLETE", Tags=[])
    cfn.change_set("UPDATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("UPDATE_COMPLETE", of=ID)

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).tags == TAGS


def test_apply__change_set_without_changes__deleted_and_unchanged(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("UPDATE_ROLLBACK_COMPLETE")
    cfn.change_set("UPDATE")
    cfn.change_set_is("FAILED", NO_CHANGES)
    cfn.delete_change_set()
    cfn.template()

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).status == "UPDATE_ROLLBACK_COMPLETE"


def test_apply__update_fails__reason_and_that_it_went_back(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("CREATE_COMPLETE", Tags=[])
    cfn.change_set("UPDATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("UPDATE_ROLLBACK_COMPLETE", of=ID)
    cfn.events(
        (NAME, "UPDATE_ROLLBACK_COMPLETE", ""),
        ("Group", "UPDATE_COMPLETE", ""),
        (NAME, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update"),
        ("Logs", "UPDATE_FAILED", "Resource update cancelled"),
        ("Group", "UPDATE_FAILED", "rule limit exceeded"),
        (NAME, "UPDATE_IN_PROGRESS", "User Initiated"),
        ("Group", "CREATE_FAILED", "of an earlier operation"),
    )

    with pytest.raises(CallFailedError) as caught:
        stacks.apply(NAME, template=TEMPLATE, tags=TAGS)

    assert caught.value.what == (
        "could not be updated: Group (AWS::EC2::SecurityGroup): rule limit exceeded"
    )
    assert caught.value.fix.endswith("the stack is as it was before")


def test_apply__failure_without_a_failed_resource__the_stacks_reason(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("CREATE_COMPLETE", Tags=[])
    cfn.change_set("UPDATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("UPDATE_ROLLBACK_COMPLETE", of=ID, StackStatusReason="cancelled by a user")
    cfn.events((NAME, "UPDATE_ROLLBACK_COMPLETE", ""))

    with pytest.raises(CallFailedError, match="cancelled by a user"):
        stacks.apply(NAME, template=TEMPLATE, tags=TAGS)


def test_apply__another_operation_in_flight__waited_for(
    cfn: CloudFormation, stacks: CloudFormationStacks, clock: FakeClock
) -> None:
    cfn.describe("UPDATE_IN_PROGRESS")
    cfn.describe("UPDATE_COMPLETE")
    cfn.template()

    stacks.apply(NAME, template=TEMPLATE, tags=TAGS)

    assert clock.waits == [timedelta(seconds=1)]


def test_apply__an_earlier_run_is_creating_it__its_outputs(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("CREATE_IN_PROGRESS")
    cfn.describe("CREATE_COMPLETE", Outputs=[{"OutputKey": "A", "OutputValue": "1"}])
    cfn.template()

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).outputs == {"A": "1"}


def test_merge__an_earlier_run_is_creating_it__on_top_of_what_it_made(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("CREATE_IN_PROGRESS")
    cfn.describe("CREATE_COMPLETE")
    cfn.template({"Metadata": {"first": 1}})
    cfn.change_set("UPDATE", {"Metadata": {"first": 1, "second": 2}})
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("UPDATE_COMPLETE", of=ID)

    stacks.merge(NAME, make=_with_second, tags=TAGS)


def test_merge__another_run_was_faster__on_top_of_what_it_changed(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe(None)
    cfn.change_set("CREATE", {"Metadata": {"second": 2}})
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.stub.add_client_error("execute_change_set", "ChangeSetNotFound", "it does not exist")
    cfn.describe("CREATE_COMPLETE")
    cfn.template({"Metadata": {"first": 1}})
    cfn.change_set("UPDATE", {"Metadata": {"first": 1, "second": 2}})
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("UPDATE_COMPLETE", of=ID)

    stacks.merge(NAME, make=_with_second, tags=TAGS)


def _with_second(before: Json) -> Json:
    said = before.get("Metadata", {})
    assert isinstance(said, dict)
    return {"Metadata": {**said, "second": 2}}


def test_apply__stuck_in_rollback__names_the_command(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("UPDATE_ROLLBACK_FAILED", StackStatusReason="Group cannot go back")

    with pytest.raises(CallFailedError) as caught:
        stacks.apply(NAME, template=TEMPLATE, tags=TAGS)

    assert caught.value.code == "stack-stuck"
    assert caught.value.what == "the stack is stuck in UPDATE_ROLLBACK_FAILED: Group cannot go back"
    assert f"continue-update-rollback --stack-name {NAME}" in caught.value.fix


def test_apply__template_too_long__said_before_any_call(stacks: CloudFormationStacks) -> None:
    template: Json = {"Description": "x" * TEMPLATE_LIMIT}

    with pytest.raises(CallFailedError) as caught:
        stacks.apply(NAME, template=template, tags={})

    assert caught.value.code == "template-too-long"
    assert f"has {TEMPLATE_LIMIT + 18} bytes" in caught.value.what


def test_apply__throttled_while_it_waits__looks_again(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.stub.add_client_error("describe_stacks", "Throttling", "Rate exceeded")
    cfn.describe("CREATE_COMPLETE")
    cfn.template()

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).status == "CREATE_COMPLETE"


# --- delete ----------------------------------------------------------------------------------


def test_delete__absent__no_call(cfn: CloudFormation, stacks: CloudFormationStacks) -> None:
    cfn.describe(None)

    stacks.delete(NAME)


def test_delete__there__followed_by_its_id(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("CREATE_COMPLETE")
    cfn.delete_stack()
    cfn.describe("DELETE_IN_PROGRESS", of=ID)
    cfn.describe("DELETE_COMPLETE", of=ID)

    stacks.delete(NAME)


def test_delete__fails__reason_of_the_resource(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("CREATE_COMPLETE")
    cfn.delete_stack()
    cfn.describe("DELETE_FAILED", of=ID)
    cfn.events(
        (NAME, "DELETE_FAILED", "The following resource(s) failed to delete: [Group]."),
        ("Group", "DELETE_FAILED", "resource sg-1 has a dependent object"),
        (NAME, "DELETE_IN_PROGRESS", "User Initiated"),
    )

    with pytest.raises(CallFailedError) as caught:
        stacks.delete(NAME)

    assert caught.value.what == (
        "could not be deleted: Group (AWS::EC2::SecurityGroup): "
        "resource sg-1 has a dependent object"
    )
    assert caught.value.fix == (
        "remove first what uses it: the reason names the resource, and run it again"
    )


def test_delete__cancelled_because_another_stack_imports__reason_of_the_stack(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    """CloudFormation looks before it deletes anything: the events have an older failure only."""
    reason = f"Export {NAME}-DNSName cannot be deleted as it is in use by fsd-offers-dev"
    cfn.describe("UPDATE_COMPLETE")
    cfn.delete_stack()
    cfn.describe("UPDATE_COMPLETE", of=ID, StackStatusReason=reason)

    with pytest.raises(CallFailedError) as caught:
        stacks.delete(NAME)

    assert caught.value.what == f"could not be deleted: {reason}"
    assert caught.value.fix.endswith("; the stack is as it was before")


def test_delete__protected__awss_sentence(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    message = f"Stack [{NAME}] cannot be deleted while TerminationProtection is enabled"
    cfn.describe("CREATE_COMPLETE")
    cfn.stub.add_client_error("delete_stack", "ValidationError", message)

    with pytest.raises(CallFailedError) as caught:
        stacks.delete(NAME)

    assert caught.value.what == f"ValidationError: {message}"


@pytest.mark.parametrize(
    ("reason", "is_none"),
    [
        (NO_CHANGES, True),
        ("No updates are to be performed.", True),
        ("Parameters: [X] must have values", False),
        ("", False),
    ],
)
def test_says_no_changes__reasons_of_failed_change_sets(reason: str, is_none: bool) -> None:
    assert says_no_changes(reason) is is_none


def test_apply__cloudformation_gives_up_a_deletion__is_told(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    """The stack is UPDATE_COMPLETE all the same, and the resource no longer in it."""
    reason = "Update successful. One or more resources could not be deleted."
    cfn.describe("CREATE_COMPLETE", Tags=[])
    cfn.change_set("UPDATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("UPDATE_COMPLETE", of=ID, StackStatusReason=reason)
    cfn.events(
        (NAME, "UPDATE_COMPLETE", reason),
        ("Group", "DELETE_FAILED", "has a dependent object"),
        ("Group", "DELETE_FAILED", "has a dependent object"),
        (NAME, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""),
        (NAME, "UPDATE_IN_PROGRESS", "User Initiated"),
        ("Logs", "DELETE_FAILED", "of an earlier operation"),
    )

    stack = stacks.apply(NAME, template=TEMPLATE, tags=TAGS)

    assert (stack.status, stack.undeleted) == ("UPDATE_COMPLETE", ("Group Group-1",))


def test_find__not_changed_since__the_template_is_not_read_again(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("UPDATE_COMPLETE", LastUpdatedTime=NOW)
    cfn.template()
    cfn.describe("UPDATE_COMPLETE", LastUpdatedTime=NOW)
    cfn.describe("UPDATE_COMPLETE", LastUpdatedTime=NOW + timedelta(seconds=1))
    cfn.template({"Resources": {}})

    found = [stacks.find(NAME) for _ in range(3)]

    assert [one.template for one in found if one] == [TEMPLATE, TEMPLATE, {"Resources": {}}]


def test_find__template_of_this_change_is_known__is_not_read(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    for _ in range(2):
        cfn.describe("UPDATE_COMPLETE", LastUpdatedTime=NOW)
    asked: list[str] = []

    def known(change: str) -> Json:
        asked.append(change)
        return TEMPLATE

    found, again = stacks.find(NAME, known=known), stacks.find(NAME)

    assert found == again
    assert found is not None
    assert (found.template, asked) == (TEMPLATE, [found.change])


def test_find__template_of_this_change_is_not_known__read(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("CREATE_COMPLETE", CreationTime=NOW)
    cfn.template()

    found = stacks.find(NAME, known=lambda _: None)

    assert found is not None
    assert found.template == TEMPLATE


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS"])
def test_find__stack_is_not_as_its_template_says__read_whatever_is_known(
    cfn: CloudFormation, stacks: CloudFormationStacks, status: str
) -> None:
    cfn.describe(status, LastUpdatedTime=NOW)
    cfn.template({"Resources": {}})

    found = stacks.find(NAME, known=lambda _: TEMPLATE)

    assert found is not None
    assert (found.template, found.change) == ({"Resources": {}}, "")


def test_find__every_change_and_every_stack__has_a_name_of_its_own(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    later = NOW + timedelta(milliseconds=1)
    changes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("CREATE_COMPLETE", {"CreationTime": NOW}),
        ("CREATE_COMPLETE", {"CreationTime": later}),
        ("UPDATE_COMPLETE", {"CreationTime": NOW, "LastUpdatedTime": NOW}),
        ("UPDATE_COMPLETE", {"CreationTime": NOW, "LastUpdatedTime": later}),
        ("IMPORT_COMPLETE", {"CreationTime": NOW, "LastUpdatedTime": later}),
    )
    for status, times in changes:
        cfn.describe(status, **times)

    found = [stacks.find(NAME, known=lambda _: TEMPLATE) for _ in range(5)]

    assert len({one.change for one in found if one}) == 5


def test_apply__created__its_change_is_this_one(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    """Whoever updates it afterwards leaves another status."""
    cfn.describe(None)
    cfn.change_set("CREATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("CREATE_COMPLETE", of=ID)

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).change != ""


def test_apply__updated__whose_change_it_is_nobody_knows(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    """Another run's update may have begun and ended between two looks."""
    cfn.describe("UPDATE_COMPLETE", LastUpdatedTime=NOW, Tags=[])
    cfn.change_set("UPDATE")
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("UPDATE_IN_PROGRESS", of=ID, LastUpdatedTime=NOW + timedelta(seconds=1))
    cfn.describe("UPDATE_COMPLETE", of=ID, LastUpdatedTime=NOW + timedelta(seconds=2))

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).change == ""


def test_apply__change_set_without_changes__its_text_is_not_claimed_to_be_there(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    """CloudFormation then keeps the template that it has."""
    cfn.describe("UPDATE_COMPLETE", Tags=[])
    cfn.change_set("UPDATE")
    cfn.change_set_is("FAILED", NO_CHANGES)
    cfn.delete_change_set()
    cfn.template()

    assert stacks.apply(NAME, template=TEMPLATE, tags=TAGS).change == ""


OTHER_OUTPUTS: Json = {**TEMPLATE, "Outputs": {"Url": {"Value": "http://new"}}}


def test_apply__no_changes_found_though_the_outputs_differ__is_not_called_done(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("UPDATE_COMPLETE")
    cfn.template()
    cfn.change_set("UPDATE", OTHER_OUTPUTS)
    cfn.change_set_is("FAILED", NO_CHANGES)
    cfn.delete_change_set()
    cfn.describe("UPDATE_COMPLETE")

    with pytest.raises(CallFailedError) as caught:
        stacks.apply(NAME, template=OTHER_OUTPUTS, tags=TAGS)

    assert caught.value.code == ErrorCode.STACK_REFUSED
    assert caught.value.what.endswith("outputs of the stack are not as in the template: Url")


def test_apply__another_run_made_the_same_outputs_first__they_are_the_stacks(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("UPDATE_COMPLETE")
    cfn.template()
    cfn.change_set("UPDATE", OTHER_OUTPUTS)
    cfn.change_set_is("FAILED", NO_CHANGES)
    cfn.delete_change_set()
    outputs = [{"OutputKey": "Url", "OutputValue": "http://new"}]
    later = NOW + timedelta(seconds=1)
    cfn.describe("UPDATE_COMPLETE", LastUpdatedTime=later, Outputs=outputs)
    cfn.template(OTHER_OUTPUTS)

    made = stacks.apply(NAME, template=OTHER_OUTPUTS, tags=TAGS)

    assert made.outputs == {"Url": "http://new"}


# --- the rule that divides requests between two target groups ---------------------------------

RULE = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/a/1/2/3"
GROUPS = {
    name: f"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{name}/1"
    for name in ("TargetGroup", "AlternateTargetGroup")
}
PAIR = [
    {"OutputKey": "TargetGroupArn", "OutputValue": GROUPS["TargetGroup"]},
    {"OutputKey": "AlternateTargetGroupArn", "OutputValue": GROUPS["AlternateTargetGroup"]},
    {"OutputKey": "ProductionRuleArn", "OutputValue": RULE},
]


def shifting(path: str, first: int, second: int) -> Json:
    """A template whose rule sends requests to two target groups, with these weights."""
    divided: list[Any] = [
        {"TargetGroupArn": {"Ref": name}, "Weight": weight}
        for name, weight in zip(GROUPS, (first, second), strict=True)
    ]
    condition: Json = {"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}
    return {
        "Resources": {
            "ListenerRule": {
                "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
                "Properties": {
                    "Conditions": [condition],
                    "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": divided}}],
                },
            }
        },
        "Outputs": {
            "TargetGroupArn": {"Value": {"Ref": "TargetGroup"}},
            "AlternateTargetGroupArn": {"Value": {"Ref": "AlternateTargetGroup"}},
            "ProductionRuleArn": {"Value": {"Ref": "ListenerRule"}},
        },
    }


def rule_says(
    elb: Stubber, *weights: int, groups: tuple[str, ...] = tuple(GROUPS.values())
) -> None:
    divided = [
        {"TargetGroupArn": arn, "Weight": weight}
        for arn, weight in zip(groups, weights, strict=True)
    ]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": divided}}
    elb.add_response("describe_rules", {"Rules": [{"Actions": [action]}]}, {"RuleArns": [RULE]})


def updated(cfn: CloudFormation, template: Json) -> None:
    cfn.change_set("UPDATE", template)
    cfn.change_set_is("CREATE_COMPLETE")
    cfn.execute()
    cfn.describe("UPDATE_COMPLETE", of=ID, Outputs=PAIR)


def test_apply__rule_changes_after_a_shift__weights_of_now_first_and_alone(
    cfn: CloudFormation, stacks: CloudFormationStacks, stub: Callable[[str], Stubber]
) -> None:
    """A change that fails goes back to the text of the stack: that may not say 100 to 0."""
    cfn.describe("UPDATE_COMPLETE", Outputs=PAIR)
    cfn.template(shifting("/a", 100, 0))
    rule_says(stub("elbv2"), 0, 100)
    updated(cfn, shifting("/a", 0, 100))
    updated(cfn, shifting("/b", 0, 100))

    stack = stacks.apply(NAME, template=shifting("/b", 100, 0), tags=TAGS)

    assert stack.template == shifting("/b", 0, 100)


def test_return_traffic__text_says_so_already__text_of_now_first(
    cfn: CloudFormation, stacks: CloudFormationStacks, stub: Callable[[str], Stubber]
) -> None:
    """CloudFormation changes nothing whose text stays."""
    cfn.describe("UPDATE_COMPLETE", Outputs=PAIR)
    cfn.template(shifting("/a", 100, 0))
    rule_says(stub("elbv2"), 0, 100)
    updated(cfn, shifting("/a", 0, 100))
    updated(cfn, shifting("/a", 100, 0))

    stacks.return_traffic(NAME, group=next(iter(GROUPS.values())))


def test_return_traffic__text_says_what_the_rule_says__one_update(
    cfn: CloudFormation, stacks: CloudFormationStacks, stub: Callable[[str], Stubber]
) -> None:
    cfn.describe("UPDATE_COMPLETE", Outputs=PAIR)
    cfn.template(shifting("/a", 0, 100))
    rule_says(stub("elbv2"), 0, 100)
    updated(cfn, shifting("/a", 100, 0))

    stacks.return_traffic(NAME, group=next(iter(GROUPS.values())))


def test_apply__rule_changes_in_the_middle_of_a_shift__weights_as_they_are(
    cfn: CloudFormation, stacks: CloudFormationStacks, stub: Callable[[str], Stubber]
) -> None:
    cfn.describe("UPDATE_COMPLETE", Outputs=PAIR)
    cfn.template(shifting("/a", 32, 68))
    rule_says(stub("elbv2"), 32, 68)
    updated(cfn, shifting("/b", 32, 68))

    assert stacks.apply(NAME, template=shifting("/b", 0, 100), tags=TAGS).status


def test_apply__rule_stays__not_touched_nor_read(
    cfn: CloudFormation, stacks: CloudFormationStacks
) -> None:
    cfn.describe("UPDATE_COMPLETE", Outputs=PAIR)
    cfn.template(shifting("/a", 100, 0))

    stacks.apply(NAME, template=shifting("/a", 0, 100), tags=TAGS)


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling", "InternalFailure"])
def test_apply__rule_cannot_be_read__nothing_is_changed(
    cfn: CloudFormation, stacks: CloudFormationStacks, stub: Callable[[str], Stubber], code: str
) -> None:
    cfn.describe("UPDATE_COMPLETE", Outputs=PAIR)
    cfn.template(shifting("/a", 100, 0))
    stub("elbv2").add_client_error("describe_rules", code, "no answer")

    with pytest.raises(CallFailedError) as failed:
        stacks.apply(NAME, template=shifting("/b", 100, 0), tags=TAGS)

    assert failed.value.where == f"DescribeRules {RULE}"


def test_apply__somebody_has_given_the_rule_other_target_groups__refused(
    cfn: CloudFormation, stacks: CloudFormationStacks, stub: Callable[[str], Stubber]
) -> None:
    cfn.describe("UPDATE_COMPLETE", Outputs=PAIR)
    cfn.template(shifting("/a", 100, 0))
    other = GROUPS["TargetGroup"].replace("TargetGroup", "other")
    rule_says(stub("elbv2"), 1, groups=(other,))

    with pytest.raises(CallFailedError, match=r"sends requests to .*targetgroup/other/1"):
        stacks.apply(NAME, template=shifting("/b", 100, 0), tags=TAGS)


def test_apply__rule_is_gone__made_again_with_the_weights_of_the_stack(
    cfn: CloudFormation, stacks: CloudFormationStacks, stub: Callable[[str], Stubber]
) -> None:
    cfn.describe("UPDATE_COMPLETE", Outputs=PAIR)
    cfn.template(shifting("/a", 0, 100))
    stub("elbv2").add_client_error("describe_rules", "RuleNotFound", "One or more rules not found")
    updated(cfn, shifting("/b", 0, 100))

    assert stacks.apply(NAME, template=shifting("/b", 100, 0), tags=TAGS).status
