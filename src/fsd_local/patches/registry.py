"""The container registry of every account and Region, behind the one port.

On AWS a registry's host names its account and Region. Docker trusts a registry without TLS only at
a name that it can resolve to 127.0.0.0/8, and no such name can hold a number that is not known
beforehand. So the path names them: 127.0.0.1:PORT/<account>/<region>/<repository>, and the
account and Region that `fsd local` starts with are left out.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.services import ecr

from fsd_local.instance import ACCOUNT, REGION
from fsd_local.patches.scope import current, json_answer, scope
from fsd_local.runtime.reference import parse_reference

_PREFIX = re.compile(r"(\d{12})/([a-z]{2,3}(?:-[a-z]+)+-\d)/(?=.)")
_USER = "AWS"
_NO_PATH = "\0"  # no request has it
# What a request of the registry's protocol asks IAM.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
_ACTIONS = {
    ("blob_uploads", "POST"): "ecr:InitiateLayerUpload",
    ("blob_upload_session", "PATCH"): "ecr:UploadLayerPart",
    ("blob_upload_session", "PUT"): "ecr:CompleteLayerUpload",
    ("blob", "HEAD"): "ecr:BatchCheckLayerAvailability",
    ("blob", "GET"): "ecr:GetDownloadUrlForLayer",
    ("manifest", "HEAD"): "ecr:BatchGetImage",
    ("manifest", "GET"): "ecr:BatchGetImage",
    ("manifest", "PUT"): "ecr:PutImage",
    ("manifest", "DELETE"): "ecr:BatchDeleteImage",
    ("tags_list", "GET"): "ecr:ListImages",
}


_REQUESTS = tuple(
    (re.compile(f"/v2/(.+)/{rest}"), verb)
    for rest, verb in (
        ("blobs/uploads/?()", "blob_uploads"),
        ("blobs/uploads/([^/]+)/?", "blob_upload_session"),
        ("blobs/([^/]+)/?", "blob"),
        ("manifests/([^/]+)/?", "manifest"),
        ("tags/list()", "tags_list"),
    )
)


@dataclass(frozen=True, slots=True)
class RepositoryPlace:
    """Where a repository is, from its path in the one registry."""

    account: str
    region: str
    repository: str

    @property
    def path(self) -> str:
        return f"{_prefix(self.account, self.region)}{self.repository}"

    @property
    def arn(self) -> str:
        return f"arn:aws:ecr:{self.region}:{self.account}:repository/{self.repository}"


def parse_path(path: str) -> RepositoryPlace:
    found = _PREFIX.match(path)
    if found is None:
        return RepositoryPlace(ACCOUNT, REGION, path)
    return RepositoryPlace(found[1], found[2], path[found.end() :])


def find_repository(image: str) -> str:
    """The ARN of the repository that an image of this registry is in; "" for another's."""
    reference = parse_reference(image)
    return parse_path(reference.repository).arn if reference.is_loopback else ""


def mount(*, port: int, is_enforced: bool, password: str) -> None:
    """`password` lets whoever runs the tasks pull: their roles are asked before."""
    host = f"127.0.0.1:{port}"
    tokens = _Tokens(password, is_enforced=is_enforced)
    ecr._repo_uri = lambda name: f"{host}/{RepositoryPlace(*current(), name).path}"
    ecr._select_registry_request_scope = _keep_the_scope
    ecr.handle_request = _with_tokens(ecr.handle_request, tokens, host)
    ecr.handle_registry_request = _by_path(ecr.handle_registry_request, tokens)
    ecr._parse_v2_path = parse_request
    # SES is not served here, and would take the paths of repositories named email….
    app._SES_V2_PREFIX = _NO_PATH


def parse_request(path: str) -> tuple[str, str, str] | None:
    """(verb, repository, reference) of a path of the registry's protocol; None where it is none.

    MiniStack takes the first `blobs`, `manifests` or `tags` for the protocol's; a repository may be
    called so. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints
    """
    if path in ("/v2", "/v2/"):
        return "ping", "", ""
    if path == "/v2/_catalog":
        return "catalog", "", ""
    for pattern, verb in _REQUESTS:
        found = pattern.fullmatch(path)
        if found is not None:
            return verb, found[1], found[2]
    return None


def _prefix(account: str, region: str) -> str:
    return "" if (account, region) == (ACCOUNT, REGION) else f"{account}/{region}/"


# ---- requests


def _by_path(serve: Callable[..., Any], tokens: _Tokens) -> Callable[..., Any]:
    """Serve each request in the account and the Region that its path names."""

    @functools.wraps(serve)
    async def handle_registry_request(
        method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> Any:
        parsed = ecr._parse_v2_path(path)
        verb, name = (parsed[0], parsed[1]) if parsed else ("", "")
        refusal = tokens.refuse(headers, verb, method, name)
        if refusal is not None:
            return refusal
        place = parse_path(name)
        responses.set_request_account_id(place.account)
        responses.set_request_region(place.region)
        if name:
            path = path.replace(f"/v2/{name}/", f"/v2/{place.repository}/", 1)
        status, found, answer = await serve(
            method, path, headers, body, _mount_within(query_params, place)
        )
        location = found.get("Location", "")
        inside = f"/v2/{place.repository}/"
        if name and location.startswith(inside):
            found["Location"] = f"/v2/{place.path}/{location[len(inside) :]}"
        return status, found, answer

    return handle_registry_request


def _keep_the_scope(_name: str, _headers: Any, _query: Any) -> None:
    """MiniStack would look for the repository in other Regions."""


def _mount_within(query_params: Any, place: RepositoryPlace) -> Any:
    """A layer is mounted from another repository of the same registry, or uploaded."""
    source = ecr._query_first(query_params, "from")
    if not source:
        return query_params
    other = parse_path(source)
    if (other.account, other.region) == (place.account, place.region):
        return {**query_params, "from": [other.repository]}
    return {key: value for key, value in query_params.items() if key not in ("from", "mount")}


# ---- who asks


class _Tokens:
    """What GetAuthorizationToken gave to whom."""

    def __init__(self, password: str, *, is_enforced: bool) -> None:
        self._password = password
        self._is_enforced = is_enforced
        self._access_keys: dict[str, str] = {}

    def issue(self, access_key: str) -> str:
        """The password of the user AWS; the same for the same key."""
        for token, key in self._access_keys.items():
            if key == access_key:
                return token
        token = secrets.token_urlsafe(32)
        self._access_keys[token] = access_key
        return token

    def refuse(self, headers: Any, verb: str, method: str, name: str) -> Any:
        """None for what is allowed."""
        token = _password_of(headers)
        if secrets.compare_digest(token, self._password):
            return None
        access_key = self._access_keys.get(token)
        if access_key is None:
            return _log_in()
        action = _ACTIONS.get((verb, method.upper()))
        if action is None or not self._is_enforced:
            return None
        return _denial(access_key, action, parse_path(name))


def _password_of(headers: Any) -> str:
    kind, _, value = str(headers.get("authorization", "")).partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password if user == _USER else ""


def _log_in() -> Any:
    status, headers, body = ecr._registry_error(401, "UNAUTHORIZED", "authentication required")
    headers["WWW-Authenticate"] = 'Basic realm="fsd local",service="ecr.amazonaws.com"'
    return status, headers, body


def _denial(access_key: str, action: str, place: RepositoryPlace) -> Any:
    """The identity's policies and the repository's, as ECR asks both."""
    principal = _principal(access_key, place)
    if isinstance(principal, iam_evaluator.AuthError):
        return _log_in()
    with scope(place.account, place.region):
        denied = _judge(principal, action, place)
    if not denied:
        return None
    return ecr._registry_error(403, "DENIED", denied)


def _principal(access_key: str, place: RepositoryPlace) -> Any:
    owner = responses._account_from_sts_session(access_key) or access_key
    with scope(owner if owner.isdigit() else place.account, place.region):
        return iam_evaluator.resolve_principal(access_key, responses.get_account_id())


def find_denial(access_key: str, action: str, place: RepositoryPlace) -> str:
    """Why IAM refuses the action there; "" where it is allowed."""
    principal = _principal(access_key, place)
    if isinstance(principal, iam_evaluator.AuthError):
        return "The security token included in the request is invalid."
    with scope(place.account, place.region):
        return _judge(principal, action, place)


def _judge(principal: Any, action: str, place: RepositoryPlace) -> str:
    context = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=place.arn,
        region=place.region,
        principal_keys=principal.keys,
    )
    if principal.policies is None:
        result = iam_evaluator.EvalResult("Allow", principal.arn)
    else:
        result = iam_evaluator.evaluate(context, principal.policies, *principal.limits)
    found = ecr.repository_policy_for_arn(place.arn)
    if found is not None:
        result = iam_evaluator.combine_resource_policy(
            result, context, *found, limits=principal.limits
        )
    if result.decision == "Allow":
        return ""
    return str(
        iam_actions.identity_denial_message(
            action, principal.arn, place.arn, result.decision == "Deny"
        )
    )


def _with_tokens(serve: Callable[..., Any], tokens: _Tokens, host: str) -> Callable[..., Any]:
    """GetAuthorizationToken: a token of the caller's own, and the endpoint that Docker reaches."""

    @functools.wraps(serve)
    async def handle_request(
        method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> Any:
        answer = await serve(method, path, headers, body, query_params)
        if not headers.get("x-amz-target", "").endswith(".GetAuthorizationToken"):
            return answer
        found = json.loads(answer[2])
        token = tokens.issue(router.extract_access_key_id(headers, query_params) or current()[0])
        # One for each registry that is asked for; all of them are at the one address.
        asked = json.loads(body or b"{}").get("registryIds") or [current()[0]]
        entry = {
            **found["authorizationData"][0],
            "authorizationToken": base64.b64encode(f"{_USER}:{token}".encode()).decode(),
            "proxyEndpoint": f"http://{host}",
        }
        return json_answer({"authorizationData": [entry for _ in asked]})

    return handle_request
