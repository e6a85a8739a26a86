"""Roles that AWS does not know yet: waited for; what will not pass is raised at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from fsd.aws.ecs import ElasticContainerService
from fsd.aws.scaling import ApplicationAutoScaling
from fsd.aws.stacks import CloudFormationStacks
from fsd.compile.desired import Scaling
from fsd.errors import CallFailedError
from tests.fakes.clock import FakeClock
from tests.moto.conftest import TestClients

# operation, code, message, as these have them: https://github.com/pulumi/pulumi-aws/issues/1041,
# hashicorp/terraform/issues/4375, hashicorp/terraform-provider-aws/issues/38538,
# fabfuel/ecs-deploy/issues/231, aws-service-catalog-puppet/issues/568
REFUSALS = [
    (
        "create_cluster",
        "InvalidParameterException",
        "Unable to assume the service linked role. Please verify that the ECS service linked role "
        "exists.",
    ),
    (
        "create_service",
        "InvalidParameterException",
        "Unable to assume role and validate the listeners configured on your load balancer.  "
        "Please verify the role being passed has the proper permissions.",
    ),
    (
        "create_service",
        "InvalidParameterException",
        "Unable to assume the service linked role. Please verify that the ECS service linked role "
        "exists.",
    ),
    (
        "update_service",
        "InvalidParameterException",
        "ECS was unable to assume the configured ECS Infrastructure Role "
        "'arn:aws:iam::123456789012:role/x'. Please verify that the role being passed has the "
        "proper trust relationship with Amazon ECS.",
    ),
    ("register_task_definition", "ClientException", "Role is not valid"),
    (
        "register_scalable_target",
        "ValidationException",
        "Unable to assume IAM role: arn:aws:iam::123456789012:role/x",
    ),
    (
        "create_change_set",
        "ValidationError",
        "Role arn:aws:iam::123456789012:role/fsd-cloudformation-dev is invalid or cannot be "
        "assumed",
    ),
]


def ask(operation: str, clock: FakeClock) -> None:
    """The adapter's method that makes this call, to its end."""
    clients = TestClients()
    ecs = ElasticContainerService(clients=clients, clock=clock, poll=timedelta(seconds=1))
    service: dict[str, Any] = {"cluster": "demo", "serviceName": "web", "taskDefinition": "web:1"}
    match operation:
        case "create_cluster":
            ecs.create_cluster("demo", tags={})
        case "create_service":
            ecs.create_service(service)
        case "update_service":
            ecs.update_service({"cluster": "demo", "service": "web", "desiredCount": 2})
        case "register_task_definition":
            ecs.register({"family": "web", "containerDefinitions": []}, tags={})
        case "register_scalable_target":
            scaling = Scaling(
                minimum=1,
                maximum=2,
                cpu=None,
                memory=None,
                scale_in_cooldown=300,
                scale_out_cooldown=300,
            )
            ApplicationAutoScaling(clients=clients, clock=clock).apply("demo", "web", scaling)
        case "create_change_set":
            stacks = CloudFormationStacks(
                clients=clients,
                clock=clock,
                poll=timedelta(seconds=1),
                role_arn="arn:aws:iam::123456789012:role/x",
            )
            stacks.apply("fsd-web-dev", template={"Resources": {}}, tags={})


def client_of(operation: str) -> str:
    return {
        "register_scalable_target": "application-autoscaling",
        "create_change_set": "cloudformation",
    }.get(operation, "ecs")


def before(aws: Stubber, operation: str) -> None:
    """The looks that come before the call."""
    if operation == "register_scalable_target":
        aws.add_response("describe_scalable_targets", {"ScalableTargets": []})
    if operation == "create_change_set":
        aws.add_client_error("describe_stacks", "ValidationError", "x does not exist")


@pytest.mark.parametrize(("operation", "code", "message"), REFUSALS)
def test_unknown_role__waited_for_until_aws_takes_it(
    stub: Callable[[str], Stubber], operation: str, code: str, message: str
) -> None:
    clock, aws = FakeClock(), stub(client_of(operation))
    before(aws, operation)
    aws.add_client_error(operation, code, message)
    aws.add_client_error(operation, code, message)
    # The third call goes through to AWS, which has another reason to refuse.
    aws.add_client_error(operation, "AccessDeniedException", "no")

    with pytest.raises(CallFailedError) as caught:
        ask(operation, clock)

    assert caught.value.what == "AccessDeniedException: no"
    assert clock.waits == [timedelta(seconds=2), timedelta(seconds=4)]


def test_unknown_role__still_unknown_after_a_minute__raised_as_aws_said_it(
    stub: Callable[[str], Stubber],
) -> None:
    clock, aws = FakeClock(), stub("ecs")
    operation, code, message = REFUSALS[0]
    for _ in range(7):
        aws.add_client_error(operation, code, message)

    with pytest.raises(CallFailedError) as caught:
        ask(operation, clock)

    assert caught.value.what == f"{code}: {message}"
    assert timedelta(seconds=55) < sum(clock.waits, timedelta()) <= timedelta(seconds=60)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        # A role that the caller may not pass does not get better by waiting.
        (
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: iam:PassRole on "
            "resource: arn:aws:iam::123456789012:role/web because no identity-based policy allows "
            "the iam:PassRole action",
        ),
        ("InvalidParameterException", "The target group does not have an associated listener."),
        ("InvalidParameterException", "Invalid role name: unable to find it"),
        ("ClientException", "No Fargate configuration exists for given values."),
        ("ServiceNotFoundException", "Unable to assume role"),
    ],
)
def test_other_refusal__raised_at_once(
    stub: Callable[[str], Stubber], code: str, message: str
) -> None:
    clock, aws = FakeClock(), stub("ecs")
    aws.add_client_error("create_service", code, message)

    with pytest.raises(CallFailedError):
        ask("create_service", clock)

    assert clock.waits == []
