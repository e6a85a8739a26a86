"""Who calls: every API request is signed with a secret that this instance gave out.

The secret of the account's root user is the instance's own, in its state's folder; MiniStack keeps
those of users and sessions. Its own check is off without --enforce-iam and knows one root secret
for everybody, hence this one before it.

A signature is good for as long as AWS takes it, and only for the body that was signed.
A temporary credential is known by its session token, which is as secret as the key: so a proxy that
changes `Host`, and with it the signature's base, may stand between, as tools that count or delay
calls do.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator, router, sigv4

# What FSD and the clients beside it call. Everything else is refused before it is loaded: Lambda,
# Glue, CodeBuild and others run what they are given.
ALLOWED = frozenset(
    {
        "acm",
        "application-autoscaling",
        "cloudformation",
        "cloudwatch",
        "dynamodb",
        "ec2",
        "ecr",
        "ecs",
        "elasticloadbalancing",
        "events",
        "iam",
        "kinesis",
        "kms",
        "logs",
        "monitoring",
        "route53",
        "s3",
        "scheduler",
        "secretsmanager",
        "servicediscovery",
        "servicequotas",
        "sns",
        "sqs",
        "ssm",
        "sts",
        "tagging",
    }
)
_UNSIGNED = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})
_WEEK = 7 * 24 * 3600  # seconds
_ACCOUNT = re.compile(r"\d{12}")
_UNKNOWN = ("InvalidClientTokenId", "The security token included in the request is invalid.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    method: str
    path: str  # as it was sent
    headers: Mapping[str, str]  # names in lower case
    query: Mapping[str, list[str]]
    body: bytes = field(repr=False)

    @property
    def service(self) -> str:
        return str(
            router.detect_service(self.method, unquote(self.path), dict(self.headers), self.query)
        )

    @property
    def is_unsigned_login(self) -> bool:
        """STS takes an identity token in place of a signature."""
        form = parse_qs(self.body.decode("latin-1")) if self.method == "POST" else {}
        action = (form.get("Action") or self.query.get("Action") or [""])[0]
        return action in _UNSIGNED and self.path in ("", "/")


def read_call(scope: Mapping[str, Any], body: bytes) -> Call:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), sigv4.decode_header_value(value)
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    return Call(
        method=scope["method"],
        path=raw_path.decode("latin-1"),
        headers=headers,
        query=parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        body=body,
    )


def find_fault(
    call: Call, *, root_secret: str, is_same_user: bool = True
) -> tuple[str, str] | None:
    """(AWS's code, AWS's sentence) for a request that nobody of ours signed; None where one did.

    A login without a signature is only for the instance's user, `is_same_user`: its token is not
    looked at without --enforce-iam.
    """
    is_presigned = "X-Amz-Signature" in call.query
    if not is_presigned and "authorization" not in call.headers:
        if call.is_unsigned_login and is_same_user:
            return None
        if call.is_unsigned_login:
            return "AccessDenied", "the embedded AWS belongs to another user of this machine"
        return "MissingAuthenticationToken", "Missing Authentication Token"
    parsed = (
        sigv4.parse_query_signature(call.query)
        if is_presigned
        else sigv4.parse_header_signature(call.headers)
    )
    if isinstance(parsed, tuple):
        return parsed
    if call.service not in ALLOWED:
        return (
            "UnknownServiceException",
            f"the embedded AWS does not serve {call.service}; docs/local.md lists what it serves",
        )
    return _age_fault(call, parsed, is_presigned=is_presigned) or _signature_fault(
        call, parsed, root_secret=root_secret, is_presigned=is_presigned
    )


def _age_fault(call: Call, signature: Any, *, is_presigned: bool) -> tuple[str, str] | None:
    """A request signed long ago, or in advance; a presigned one after its time.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    """
    if not is_presigned:
        found: tuple[str, str] | None = sigv4.request_time_failure(signature)
        return found
    expires = (call.query.get("X-Amz-Expires") or [""])[0]
    if not re.fullmatch(r"\d{1,6}", expires) or int(expires) > _WEEK:
        return "AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week"
    try:
        is_over = sigv4.presigned_request_is_expired(signature.amz_date, expires)
    except ValueError:
        return "AuthorizationQueryParametersError", "X-Amz-Date must be in the ISO8601 Long Format"
    return ("AccessDenied", "Request has expired") if is_over else None


def _signature_fault(
    call: Call, signature: Any, *, root_secret: str, is_presigned: bool
) -> tuple[str, str] | None:
    token = (
        (call.query.get("X-Amz-Security-Token") or [""])[0]
        if is_presigned
        else call.headers.get("x-amz-security-token", "")
    )
    if not _is_signed_body(call):
        return "XAmzContentSHA256Mismatch", (
            "The provided 'x-amz-content-sha256' header does not match what was computed."
        )
    if _ACCOUNT.fullmatch(signature.access_key_id):
        # A client behind such a proxy may send the secret as its session token too.
        if token and hmac.compare_digest(token.encode(), root_secret.encode()):
            return None
        secret = root_secret
    else:
        found = _resolve(signature.access_key_id, token)
        if isinstance(found, tuple):
            return found
        if found.session_token and hmac.compare_digest(
            found.session_token.encode(), token.encode()
        ):
            return None
        secret = found.secret_access_key
    failure: tuple[str, str] | None = sigv4.header_signature_failure(
        signature,
        secret,
        call.method,
        call.path if signature.service == "s3" else unquote(call.path),
        call.query,
        call.headers,
        call.body,
        presigned=is_presigned,
    )
    return failure


def _is_signed_body(call: Call) -> bool:
    """Whether the hash that is signed is the body's; S3's other forms say so themselves."""
    claimed = call.headers.get("x-amz-content-sha256", "")
    if not re.fullmatch(r"[0-9a-f]{64}", claimed):
        return call.service == "s3" or not claimed
    return hmac.compare_digest(claimed, hashlib.sha256(call.body).hexdigest())


def _resolve(access_key_id: str, token: str) -> Any:
    """MiniStack's record of a key, or the fault. Only keys that somebody made are known."""
    if iam_evaluator.is_root_access_key(access_key_id):
        return _UNKNOWN  # MiniStack's own default key, which nobody made
    account = _account_of(access_key_id)
    found = iam_evaluator.resolve_credential(access_key_id, account, token)
    if isinstance(found, iam_evaluator.CredentialResolutionError):
        return found.code, found.message
    return found


def _account_of(access_key_id: str) -> str:
    from ministack.core.responses import _account_from_sts_session

    return str(
        _account_from_sts_session(access_key_id)
        or iam_evaluator.find_iam_access_key_account(access_key_id)
        or ""
    )


# What services that speak JSON call the same.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html
_JSON_CODES = {
    "InvalidClientTokenId": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "ExpiredToken": "ExpiredTokenException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "AccessDenied": "AccessDeniedException",
}
_QUERY_CODES = {json_code: code for code, json_code in _JSON_CODES.items()}


def error_answer(call: Call, code: str, message: str) -> tuple[dict[str, str], bytes]:
    """(headers, body) in the form of the call's protocol: JSON, or the query protocol's XML."""
    if "x-amz-target" in call.headers or "json" in call.headers.get("content-type", ""):
        code = _JSON_CODES.get(code, code)
        body = json.dumps({"__type": code, "message": message}).encode()
        return {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code}, body
    code = _QUERY_CODES.get(code, code)
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    text = error if call.service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
    return {"content-type": "text/xml"}, f'<?xml version="1.0"?>{text}'.encode()
