"""AWS's errors in FSD's words: translated here and nowhere else.

Every call goes through `call` or `pages`, so that a failure says which operation on which resource
it was, carries AWS's own code and message, and ends in a next action. AWS's code stays readable
(`aws_code`) for an adapter to which some code is an answer and not a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from fsd.errors import CallFailedError, FsdError
from fsd.release.ports import PermissionDenied, Throttled

THROTTLING = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "PriorRequestNotComplete",
        "SlowDown",
    }
)
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthorizationError",
        "UnauthorizedAccess",
    }
)

_RENEW = "get new credentials (`aws sso login`, or run the workflow's job again) and run it again"
_REJECTED = "check the access key, the secret key and the session token, and the machine's clock"
_AGAIN = "run it again; what was done already is found and not done twice"
_QUOTA = "ask for a higher quota (Service Quotas console), or remove what is not used"
_DEFAULT_FIX = "correct what the message names, and run it again"

# AWS's code → (FSD's code, fix).
_KNOWN: dict[str, tuple[str, str]] = {
    "ExpiredToken": ("credentials-expired", _RENEW),
    "ExpiredTokenException": ("credentials-expired", _RENEW),
    "RequestExpired": ("credentials-expired", _RENEW),
    "InvalidClientTokenId": ("credentials-invalid", _REJECTED),
    "UnrecognizedClientException": ("credentials-invalid", _REJECTED),
    "AuthFailure": ("credentials-invalid", _REJECTED),
    "SignatureDoesNotMatch": ("credentials-invalid", _REJECTED),
    "InvalidSignatureException": ("credentials-invalid", _REJECTED),
    "IncompleteSignature": ("credentials-invalid", _REJECTED),
    "OptInRequired": ("region-disabled", "enable the region for this account, or use another one"),
    "LimitExceededException": ("quota-exceeded", _QUOTA),
    "LimitExceeded": ("quota-exceeded", _QUOTA),
    "ServiceQuotaExceededException": ("quota-exceeded", _QUOTA),
    "ConcurrentUpdateException": ("changed-meanwhile", _AGAIN),
    "InvalidChangeSetStatus": ("changed-meanwhile", _AGAIN),
    "ConflictException": ("changed-meanwhile", _AGAIN),
    "InternalFailure": ("aws-unavailable", _AGAIN),
    "InternalError": ("aws-unavailable", _AGAIN),
    "ServerException": ("aws-unavailable", _AGAIN),
    "ServiceUnavailable": ("aws-unavailable", _AGAIN),
    "ServiceUnavailableException": ("aws-unavailable", _AGAIN),
    "ClusterNotFoundException": (
        "cluster-not-found",
        "name a cluster that exists (`cluster` in .fsd/environments.yml), or deploy to create it",
    ),
    "ServiceNotFoundException": ("service-not-found", "deploy the service first: fsd deploy"),
    "ServiceNotActiveException": ("service-not-active", "deploy the service again: fsd deploy"),
    "RepositoryNotFoundException": (
        "repository-not-found",
        "create the ECR repository, or deploy from a build, which creates it",
    ),
    "ImageNotFoundException": ("image-not-found", "push the image, or name one that exists"),
    "ImageTagAlreadyExistsException": (
        "image-tag-taken",
        "use another tag: this repository's tags cannot be moved",
    ),
    "LayersNotFoundException": (
        "image-elsewhere",
        "copy the image into this repository first (crane copy, or docker pull, tag, push)",
    ),
    "ReferencedImagesNotFoundException": (
        "image-elsewhere",
        "copy the whole image index into this repository first (crane copy)",
    ),
    "InsufficientCapabilitiesException": (
        "stack-refused",
        "allow this template's IAM resources: CAPABILITY_NAMED_IAM",
    ),
    "InvalidVpcID.NotFound": ("vpc-not-found", "correct `vpc.id` in .fsd/environments.yml"),
}

_UNREACHABLE = (
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.ProxyConnectionError,
)
# botocore's own errors, the narrow ones first → (FSD's code, fix).
_LOCAL: tuple[tuple[tuple[type[BaseException], ...], str, str], ...] = (
    (
        (
            boto.TokenRetrievalError,
            boto.UnauthorizedSSOTokenError,
            boto.SSOTokenLoadError,
        ),
        "credentials-expired",
        "sign in again: aws sso login",
    ),
    (
        (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError),
        "no-credentials",
        "sign in (`aws sso login`, AWS_PROFILE or the AWS_* variables); in GitHub Actions set "
        "`role-to-assume` and `permissions: id-token: write`; `--env local` needs none",
    ),
    (
        (boto.ProfileNotFound,),
        "profile-not-found",
        "correct AWS_PROFILE, or add the profile: aws configure sso",
    ),
    (
        (boto.NoRegionError,),
        "no-region",
        "set AWS_REGION, or `region` in .fsd/environments.yml",
    ),
    (
        (boto.SSLError,),
        "tls-failed",
        "check the machine's certificates, the proxy and AWS_CA_BUNDLE",
    ),
    (
        _UNREACHABLE,
        "endpoint-unreachable",
        "check the network, the region's name and AWS_ENDPOINT_URL; for the embedded AWS: "
        "fsd local up",
    ),
    (
        (boto.HTTPClientError,),
        "connection-lost",
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
    """Raise CallFailedError, Throttled or PermissionDenied for what botocore raises inside."""
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
    if code in THROTTLING:
        return Throttled(what, where=where, fix="wait a minute, and run it again")
    if code in DENIED:
        return PermissionDenied(what, where=where, fix=_permission_fix(message))
    id_, fix = _KNOWN.get(code, ("", _DEFAULT_FIX))
    return CallFailedError(what, where=where, fix=fix, code=id_)


def from_botocore(error: BotoCoreError, where: str) -> CallFailedError:
    """What went wrong before AWS could answer. Raises the signal that it was, where it was one."""
    _give_way(error)
    what = " ".join(str(error).split())
    for types, id_, fix in _LOCAL:
        if isinstance(error, types):
            return CallFailedError(what, where=where, fix=fix, code=id_)
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


def _permission_fix(message: str) -> str:
    """The policy line, from AWS's sentence.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    action = re.search(r"not authorized to perform:? ([\w-]+:\w+)", message)
    if action is None:
        return "allow this operation in a policy of the role or user that runs FSD"
    resource = re.search(r"on resource:? (\S+)", message)
    principal = re.search(r"(?:User|Principal):? (arn:\S+)", message)
    where = f" on `{resource[1].rstrip('.')}`" if resource else ""
    whose = f"`{principal[1]}`" if principal else "the role or user that runs FSD"
    return f"allow `{action[1]}`{where} in a policy of {whose}"
