"""The reasons of stack events, held to their own examples."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.aws.causes import ApiCause
from fsd.aws.stack_causes import STACK_CAUSES, find_fix, read_frame
from fsd.rollout.known_causes import QuotedText
from fsd.rollout.reasons import cut_names
from tests.mutants import without_one_anywhere

HANDLER = 'Resource handler returned message: "{}" (RequestToken: 3f, HandlerErrorCode: {})'
WHO = "User: arn:aws:sts::210987654321:assumed-role/cfn-exec/AWSCloudFormation is not authorized to"


def name(row: ApiCause) -> str:
    return (row.words or row.aws)[:60]


def takers(said: QuotedText) -> list[ApiCause]:
    code, message = read_frame(said.text)
    words = cut_names(message)
    matching = [row for row in STACK_CAUSES if row.answers(code, words)]
    return [row for row in matching if row.words] or matching


@pytest.mark.parametrize("row", STACK_CAUSES, ids=name)
def test_find_fix__examples__their_row_and_no_other(row: ApiCause) -> None:
    assert row.examples
    for said in row.examples:
        assert said.source.startswith("https://")
        assert takers(said) == [row], said.text
        assert find_fix(said.text) == row.fix


def test_rows__any_alternative_taken_away__an_example_is_lost() -> None:
    lost = {
        (name(row), part)
        for row in STACK_CAUSES
        for part, left in without_one_anywhere(row.words)
        if all(replace(row, words=left).answers(row.aws, cut_names(read_frame(s.text)[1]))
               for s in row.examples)
    }  # fmt: skip

    assert lost == set()


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ("Invalid request provided: CreateCluster Invalid Request: Unable to assume the service "
         "linked role. Please verify that the ECS service linked role exists. (Service: AmazonECS; "
         "Status Code: 400; Error Code: InvalidParameterException; Request ID: 1; Proxy: null)",
         "InvalidRequest", "create-service-linked-role"),
        ("Invalid request provided: UpdateService error: TaskDefinition is inactive (Service: "
         "AmazonECS; Status Code: 400; Error Code: ClientException; Request ID: 1; Proxy: null)",
         "InvalidRequest", "deploy again"),
        ("Invalid request provided: UpdateService error: Unable to update task definition on "
         "services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new "
         "deployment.", "InvalidRequest", "CodeDeploy"),
        ("A load balancer cannot be attached to multiple subnets in the same Availability Zone "
         "(Service: ElasticLoadBalancingV2, Status Code: 400, Request ID: 1)", "InvalidRequest",
         "subnets"),
        ("Invalid request provided: Error retrieving subnet information for [subnet-12]: The "
         "subnet ID 'subnet-12' does not exist (ErrorCode: InvalidSubnetID.NotFound) (Service: "
         "Ecs, Status Code: 400, Request ID: 1)", "InvalidRequest", "environments.yml"),
        (f"{WHO} perform: iam:PutRolePolicy on resource: role web because no permissions boundary "
         "allows the iam:PutRolePolicy action (Service: Iam, Status Code: 403, Request ID: 1)",
         "AccessDenied", "permissions boundary too"),
        (f"{WHO} perform: iam:PassRole on resource: arn:aws:iam::210987654321:role/web with an "
         "explicit deny in an identity-based policy (Service: Iam, Status Code: 403)",
         "AccessDenied", "remove the explicit deny of iam:PassRole"),
    ],
)  # fmt: skip
def test_find_fix__what_a_service_says_inside__its_own_advice(
    message: str, code: str, words: str
) -> None:
    assert words in find_fix(HANDLER.format(message, code))


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "CloudFormation gave no reason",
        HANDLER.format("Updates are not allowed for property - AliasAttributes.", "InvalidRequest"),
    ],
)
def test_find_fix__says_no_more_than_what_failed__nothing(reason: str) -> None:
    assert find_fix(reason) == ""
