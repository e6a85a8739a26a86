from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from botocore.stub import Stubber

from fsd.aws.errors import aws_code, aws_message, call, from_botocore, from_client_error, pages
from fsd.errors import CallFailedError, ExitCode
from fsd.release.ports import PermissionDenied, Throttled
from tests.moto.conftest import TestClients


def client_error(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeServices")


def test_call__aws_refuses__code_and_message_verbatim_with_operation_and_resource(
    clients: TestClients, stub: Callable[[str], Stubber]
) -> None:
    stub("ecs").add_client_error(
        "describe_services", "ClusterNotFoundException", "Cluster not found."
    )

    with pytest.raises(CallFailedError) as caught:
        call(clients.client("ecs"), "describe_services", "demo/web", services=["web"])

    assert caught.value.what == "ClusterNotFoundException: Cluster not found."
    assert caught.value.where == "DescribeServices demo/web"
    assert caught.value.code == "cluster-not-found"
    assert caught.value.exit_code is ExitCode.CALL_FAILED
    assert aws_code(caught.value) == "ClusterNotFoundException"
    assert aws_message(caught.value) == "Cluster not found."


def test_call__parameters_that_no_operation_takes__call_failed_not_a_traceback(
    clients: TestClients,
) -> None:
    with pytest.raises(CallFailedError) as caught:
        call(clients.client("ecs"), "describe_services", "demo/web", services="web")

    assert "Parameter validation failed" in caught.value.what
    assert aws_code(caught.value) == ""


def test_pages__second_page_is_refused__translated(
    clients: TestClients, stub: Callable[[str], Stubber]
) -> None:
    ecs = stub("ecs")
    ecs.add_response("list_tasks", {"taskArns": ["a"], "nextToken": "more"})
    ecs.add_client_error("list_tasks", "ThrottlingException", "Rate exceeded")

    with pytest.raises(Throttled) as caught:
        list(pages(clients.client("ecs"), "list_tasks", "demo/web", cluster="demo"))

    assert caught.value.where == "ListTasks demo/web"


@pytest.mark.parametrize(
    "code",
    ["Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"],
)
def test_from_client_error__throttling__throttled(code: str) -> None:
    error = from_client_error(client_error(code, "Rate exceeded"), "DescribeServices demo/web")

    assert isinstance(error, Throttled)
    assert error.code == "throttled"


def test_from_client_error__access_denied__policy_line_to_add() -> None:
    message = (
        "User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: "
        "ecs:UpdateService on resource: arn:aws:ecs:us-east-1:123456789012:service/demo/web "
        "because no identity-based policy allows the ecs:UpdateService action"
    )

    error = from_client_error(client_error("AccessDeniedException", message), "UpdateService web")

    assert isinstance(error, PermissionDenied)
    assert error.what == f"AccessDeniedException: {message}"
    assert error.fix == (
        "allow ecs:UpdateService on arn:aws:ecs:us-east-1:123456789012:service/demo/web "
        "in a policy of role ci"
    )


WHO = "User: arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_dev/me is not authorized to "
UPDATE = (
    f"{WHO}perform: ecs:UpdateService on resource: arn:aws:ecs:us-east-1:123456789012:service/c/s"
)


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        (
            f"{UPDATE} with an explicit deny in a service control policy: "
            "arn:aws:organizations::1:policy/o-1/service_control_policy/p-1",
            "remove the explicit deny of ecs:UpdateService from the service control policy "
            "arn:aws:organizations::1:policy/o-1/service_control_policy/p-1 (AWS Organizations: "
            "the management account has it); an allow elsewhere cannot outweigh it",
        ),
        (
            f"{UPDATE} because no permissions boundary allows the ecs:UpdateService action",
            "allow ecs:UpdateService on arn:aws:ecs:us-east-1:123456789012:service/c/s in the "
            "permissions boundary too; the policy of role AWSReservedSSO_dev is not enough",
        ),
        (
            f"{UPDATE} with an explicit deny",
            "remove the explicit deny of ecs:UpdateService from the policies of role "
            "AWSReservedSSO_dev; an allow elsewhere cannot outweigh it",
        ),
        (
            "User: arn:aws:iam::123456789012:user/John is not authorized to perform: "
            "sts:AssumeRole because no role trust policy allows the sts:AssumeRole action",
            "name the caller as a principal in the role's trust policy, with sts:AssumeRole",
        ),
        (
            "You are not authorized to perform this operation. Encoded authorization failure "
            "message: oGsbAaIV7wl4Ai9q-L6z",
            "read which action and which policy it was: aws sts decode-authorization-message "
            "--encoded-message oGsbAaIV7wl4Ai9q-L6z",
        ),
    ],
)
def test_from_client_error__access_denied__by_awss_own_clause(message: str, fix: str) -> None:
    error = from_client_error(client_error("AccessDeniedException", message), "UpdateService c/s")

    assert isinstance(error, PermissionDenied)
    assert error.fix == fix


def test_from_client_error__access_denied_without_detail__still_a_next_action() -> None:
    error = from_client_error(client_error("UnauthorizedOperation", "no"), "DescribeVpcs")

    assert isinstance(error, PermissionDenied)
    assert error.fix == "allow this operation in a policy of the role or user that runs FSD"


@pytest.mark.parametrize(
    ("code", "id_"),
    [
        ("ExpiredTokenException", "credentials-expired"),
        ("ExpiredToken", "credentials-expired"),
        ("InvalidClientTokenId", "credentials-invalid"),
        ("UnrecognizedClientException", "credentials-invalid"),
        ("SignatureDoesNotMatch", "credentials-invalid"),
        ("LimitExceededException", "quota-exceeded"),
        ("ServiceUnavailable", "aws-unavailable"),
        ("LayersNotFoundException", "image-elsewhere"),
        ("SomethingNew", "call-failed"),
    ],
)
def test_from_client_error__known_codes__own_code_and_fix(code: str, id_: str) -> None:
    error = from_client_error(client_error(code, "text"), "Operation x")

    assert type(error) is CallFailedError
    assert (error.code, error.what) == (id_, f"{code}: text")
    assert error.fix


def test_from_client_error__answer_without_code__unknown() -> None:
    error = from_client_error(ClientError({}, "DescribeServices"), "DescribeServices x")

    assert error.what == "Unknown"


@pytest.mark.parametrize(
    ("error", "id_"),
    [
        (boto.NoCredentialsError(), "no-credentials"),
        (boto.PartialCredentialsError(provider="env", cred_var="x"), "no-credentials"),
        (boto.SSOTokenLoadError(error_msg="no token"), "credentials-expired"),
        (boto.UnauthorizedSSOTokenError(), "credentials-expired"),
        (boto.ProfileNotFound(profile="nope"), "profile-not-found"),
        (boto.NoRegionError(), "no-region"),
        (
            boto.EndpointConnectionError(endpoint_url="http://127.0.0.1:1/", error="refused"),
            "endpoint-unreachable",
        ),
        (boto.ConnectTimeoutError(endpoint_url="https://x/", error="slow"), "endpoint-unreachable"),
        (boto.SSLError(endpoint_url="https://x/", error="bad"), "tls-failed"),
        (boto.ReadTimeoutError(endpoint_url="https://x/", error="slow"), "connection-lost"),
        (boto.ConnectionClosedError(endpoint_url="https://x/"), "connection-lost"),
        (boto.UnknownServiceError(service_name="x", known_service_names="y"), "call-failed"),
    ],
)
def test_from_botocore__before_aws_answered__own_code(error: BotoCoreError, id_: str) -> None:
    translated = from_botocore(error, "GetCallerIdentity")

    assert translated.code == id_
    assert translated.what
    assert "\n" not in translated.what


def test_from_botocore__unreachable__says_the_url() -> None:
    error = boto.EndpointConnectionError(endpoint_url="http://127.0.0.1:1/", error="refused")

    assert "http://127.0.0.1:1/" in from_botocore(error, "GetCallerIdentity").what
