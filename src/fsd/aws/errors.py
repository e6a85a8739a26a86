"""AWS's errors in FSD's words: translated here and nowhere else.

Every call goes through `call` or `pages`, so that a failure says which operation on which resource
it was, carries AWS's own code and message, and ends in a next action. AWS's code stays readable
(`aws_code`) for an adapter to which some code is an answer and not a failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from fsd.aws.causes import find_cause
from fsd.errors import CallFailedError, ErrorCode, FsdError
from fsd.release.ports import PermissionDenied, RevisionInactive, Throttled
from fsd.rollout.denials import advise_denial, find_denial, find_encoded

_AGAIN = "run it again; FSD finds the finished steps and does not repeat them"
_DEFAULT_FIX = "correct what the message names, and run it again"
_DECODE = (
    "read which action and which policy it was: aws sts decode-authorization-message "
    "--encoded-message {message}"
)

_INACTIVE = "TaskDefinition is inactive"
_UNREACHABLE = (
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.ProxyConnectionError,
)
# botocore's own errors, the narrow ones first → (FSD's code, fix).
_LOCAL: tuple[tuple[tuple[type[BaseException], ...], ErrorCode, str], ...] = (
    (
        (
            boto.TokenRetrievalError,
            boto.UnauthorizedSSOTokenError,
            boto.SSOTokenLoadError,
        ),
        ErrorCode.CREDENTIALS_EXPIRED,
        "sign in again: aws sso login",
    ),
    (
        (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError),
        ErrorCode.NO_CREDENTIALS,
        "sign in (`aws sso login`, AWS_PROFILE or the AWS_* variables); in GitHub Actions set "
        "`role-to-assume` and `permissions: id-token: write`; `--env local` needs none",
    ),
    (
        (boto.ProfileNotFound,),
        ErrorCode.PROFILE_NOT_FOUND,
        "correct AWS_PROFILE, or add the profile: aws configure sso",
    ),
    (
        (boto.NoRegionError,),
        ErrorCode.NO_REGION,
        "set AWS_REGION, or `region` in .fsd/environments.yml",
    ),
    (
        (boto.SSLError,),
        ErrorCode.TLS_FAILED,
        "check the machine's certificates, the proxy and AWS_CA_BUNDLE",
    ),
    (
        _UNREACHABLE,
        ErrorCode.ENDPOINT_UNREACHABLE,
        "check the network, the region's name and AWS_ENDPOINT_URL; for the embedded AWS: "
        "fsd local up",
    ),
    (
        (boto.HTTPClientError,),
        ErrorCode.CONNECTION_LOST,
        _AGAIN,
    ),
)


def call(client: Any, operation: str, resource: str, /, **parameters: Any) -> dict[str, Any]:
    """One call by botocore's method name (`describe_services`); raises CallFailedError."""
    with translated(client, operation, resource):
        answer: dict[str, Any] = getattr(client, operation)(**parameters)
    return answer


def pages(
    client: Any, operation: str, resource: str, /, **parameters: Any
) -> Iterator[dict[str, Any]]:
    """Every page of an operation that botocore can paginate."""
    with translated(client, operation, resource):
        yield from client.get_paginator(operation).paginate(**parameters)


@contextmanager
def translated(client: Any, operation: str, resource: str) -> Iterator[None]:
    """Raise CallFailedError, or a kind of it, for what botocore raises inside."""
    name = client.meta.method_to_api_mapping.get(operation, operation)
    where = f"{name} {resource}".strip()
    try:
        yield
    except ClientError as error:
        failed = from_client_error(error, where)
        failed.may_be_done = _is_server_fault(error)
        failed.may_pass = failed.may_pass or failed.may_be_done
        raise failed from error
    except BotoCoreError as error:
        failed = from_botocore(error, where)
        failed.may_be_done = isinstance(error, boto.HTTPClientError)
        failed.may_pass = isinstance(error, (boto.HTTPClientError, *_UNREACHABLE))
        raise failed from error


def _give_way(error: BotoCoreError) -> None:
    """A signal that came while credentials were fetched: botocore takes it for a broken connection
    (HTTPClientError), as it takes whatever is raised there."""
    cause = getattr(error, "kwargs", {}).get("error")
    if isinstance(cause, FsdError):
        raise cause


def from_client_error(error: ClientError, where: str) -> CallFailedError:
    """What AWS answered: its code and message verbatim."""
    code, message = _code(error), _message(error)
    what = f"{code}: {message}" if message else code
    cause = find_cause(code, message)
    if cause is None:
        return CallFailedError(what, where=where, fix=_DEFAULT_FIX)
    if cause.code is ErrorCode.THROTTLED:
        return Throttled(what, where=where, fix=cause.fix)
    if cause.code is ErrorCode.ACCESS_DENIED:
        return PermissionDenied(what, where=where, fix=_denied_fix(message) or cause.fix)
    if _INACTIVE in message:
        return RevisionInactive(what, where=where, fix=cause.fix, code=cause.code)
    return CallFailedError(what, where=where, fix=cause.fix, code=cause.code)


def from_botocore(error: BotoCoreError, where: str) -> CallFailedError:
    """What went wrong before AWS could answer. Raises the signal that it was, where it was one."""
    _give_way(error)
    what = " ".join(str(error).split())
    for types, code, fix in _LOCAL:
        if isinstance(error, types):
            return CallFailedError(what, where=where, fix=fix, code=code)
    return CallFailedError(what, where=where, fix=_DEFAULT_FIX)


def aws_code(error: FsdError) -> str:
    """AWS's code of a translated error; "" where it was not AWS that answered."""
    cause = error.__cause__
    return _code(cause) if isinstance(cause, ClientError) else ""


def _is_server_fault(error: ClientError) -> bool:
    """Something broke on AWS's side, at some point of it."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500


def aws_message(error: FsdError) -> str:
    cause = error.__cause__
    return _message(cause) if isinstance(cause, ClientError) else ""


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "") or "Unknown")


def _message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", "") or "")


def _denied_fix(message: str) -> str:
    """Whose policy to change, by AWS's own sentence; "" where that says nothing.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
    """
    denial = find_denial(message)
    if denial is not None:
        return advise_denial(denial)
    encoded = find_encoded(message)
    return _DECODE.format(message=encoded) if encoded else ""


def is_denied(error: FsdError) -> bool:
    """Whether AWS denies the call itself, and not something inside of it."""
    return isinstance(error, PermissionDenied)
