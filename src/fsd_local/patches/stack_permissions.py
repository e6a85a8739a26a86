"""With whose permissions CloudFormation works, where IAM is enforced: the caller's or a role's.

MiniStack's provisioners ask nobody. So that a deploy role that is too small fails here as well,
each resource of the types that FSD's stacks have asks for what its handler calls on AWS.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
"""

from __future__ import annotations

import contextvars
import functools
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import tagging
from ministack.services.cloudformation import drift, handlers, helpers, provisioners

from fsd_local.patches import iam
from fsd_local.patches.scope import current
from fsd_local.patches.stack_properties import fail
from fsd_local.permissions import needed

_SERVICE = "cloudformation.amazonaws.com"
_ROLE_KEY = "_fsd_role_arn"  # in MiniStack's record of a stack
_STARTS = ("CreateStack", "UpdateStack", "DeleteStack", "CreateChangeSet", "ExecuteChangeSet")

_principal: contextvars.ContextVar[str] = contextvars.ContextVar("fsd_stack_principal", default="")


@dataclass(frozen=True, slots=True)
class _Call:
    """What a handler calls; only where the resource has (or changes) `of`."""

    action: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class _ResourceKind:
    service: str  # as the refusal names it
    resource: Callable[[str, Mapping[str, Any]], str]  # (physical id, properties) → ARN
    create: tuple[_Call, ...]
    update: tuple[_Call, ...]
    delete: tuple[_Call, ...]
    read: tuple[str, ...] = ()  # by drift detection


def _arn(service: str, resource: str, *, is_global: bool = False) -> str:
    account, region = current()
    return f"arn:aws:{service}:{'' if is_global else region}:{account}:{resource}"


def _role_arn(_physical: str, props: Mapping[str, Any]) -> str:
    path, name = props.get("Path") or "/", props.get("RoleName") or "*"
    return _arn("iam", f"role{path}{name}", is_global=True)


def _log_group_arn(_physical: str, props: Mapping[str, Any]) -> str:
    return _arn("logs", f"log-group:{props.get('LogGroupName') or '*'}:log-stream:")


def _security_group_arn(physical: str, _props: Mapping[str, Any]) -> str:
    return _arn("ec2", f"security-group/{physical or '*'}")


def _balancer_arn(physical: str, props: Mapping[str, Any]) -> str:
    kind = "net" if props.get("Type") == "network" else "app"
    name = f"loadbalancer/{kind}/{props.get('Name') or '*'}/*"
    return physical or _arn("elasticloadbalancing", name)


def _target_group_arn(physical: str, props: Mapping[str, Any]) -> str:
    return physical or _arn("elasticloadbalancing", f"targetgroup/{props.get('Name') or '*'}/*")


def _listener_arn(physical: str, props: Mapping[str, Any]) -> str:
    return physical or str(props.get("LoadBalancerArn", "*"))


_KINDS = {
    "AWS::IAM::Role": _ResourceKind(
        "Iam",
        _role_arn,
        create=(
            _Call("iam:CreateRole"),
            _Call("iam:PutRolePolicy", "Policies"),
            _Call("iam:AttachRolePolicy", "ManagedPolicyArns"),
        ),
        update=(
            _Call("iam:UpdateAssumeRolePolicy", "AssumeRolePolicyDocument"),
            _Call("iam:PutRolePolicy", "Policies"),
            _Call("iam:AttachRolePolicy", "ManagedPolicyArns"),
            _Call("iam:PutRolePermissionsBoundary", "PermissionsBoundary"),
        ),
        delete=(_Call("iam:DeleteRolePolicy", "Policies"), _Call("iam:DeleteRole")),
        read=(
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
        ),
    ),
    "AWS::Logs::LogGroup": _ResourceKind(
        "CloudWatchLogs",
        _log_group_arn,
        create=(
            _Call("logs:CreateLogGroup"),
            _Call("logs:PutRetentionPolicy", "RetentionInDays"),
        ),
        update=(_Call("logs:PutRetentionPolicy", "RetentionInDays"),),
        delete=(_Call("logs:DeleteLogGroup"),),
        read=("logs:DescribeLogGroups", "logs:GetDataProtectionPolicy", "logs:ListTagsForResource"),
    ),
    "AWS::EC2::SecurityGroup": _ResourceKind(
        "Ec2",
        _security_group_arn,
        create=(
            _Call("ec2:CreateSecurityGroup"),
            _Call("ec2:AuthorizeSecurityGroupIngress", "SecurityGroupIngress"),
        ),
        update=(
            _Call("ec2:AuthorizeSecurityGroupIngress", "SecurityGroupIngress"),
            _Call("ec2:RevokeSecurityGroupIngress", "SecurityGroupIngress"),
        ),
        delete=(_Call("ec2:DeleteSecurityGroup"),),
        read=("ec2:DescribeSecurityGroups",),
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _ResourceKind(
        "ElasticLoadBalancingV2",
        _balancer_arn,
        create=(_Call("elasticloadbalancing:CreateLoadBalancer"),),
        update=(
            _Call("elasticloadbalancing:ModifyLoadBalancerAttributes", "LoadBalancerAttributes"),
            _Call("elasticloadbalancing:SetSecurityGroups", "SecurityGroups"),
            _Call("elasticloadbalancing:SetSubnets", "Subnets"),
        ),
        delete=(_Call("elasticloadbalancing:DeleteLoadBalancer"),),
        read=(
            "elasticloadbalancing:DescribeCapacityReservation",
            "elasticloadbalancing:DescribeLoadBalancerAttributes",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
        ),
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": _ResourceKind(
        "ElasticLoadBalancingV2",
        _target_group_arn,
        create=(
            _Call("elasticloadbalancing:CreateTargetGroup"),
            _Call("elasticloadbalancing:ModifyTargetGroupAttributes", "TargetGroupAttributes"),
        ),
        update=(_Call("elasticloadbalancing:ModifyTargetGroup"),),
        delete=(_Call("elasticloadbalancing:DeleteTargetGroup"),),
        read=(
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
        ),
    ),
    "AWS::ElasticLoadBalancingV2::Listener": _ResourceKind(
        "ElasticLoadBalancingV2",
        _listener_arn,
        create=(_Call("elasticloadbalancing:CreateListener"),),
        update=(_Call("elasticloadbalancing:ModifyListener"),),
        delete=(_Call("elasticloadbalancing:DeleteListener"),),
        read=(
            "elasticloadbalancing:DescribeListenerAttributes",
            "elasticloadbalancing:DescribeListeners",
        ),
    ),
}


_KINDS |= {
    "AWS::ElasticLoadBalancingV2::ListenerRule": _ResourceKind(
        "ElasticLoadBalancingV2",
        lambda physical, props: physical or str(props.get("ListenerArn", "*")),
        create=(_Call("elasticloadbalancing:CreateRule"),),
        update=(
            _Call("elasticloadbalancing:ModifyRule"),
            _Call("elasticloadbalancing:SetRulePriorities", "Priority"),
        ),
        delete=(_Call("elasticloadbalancing:DeleteRule"),),
        read=("elasticloadbalancing:DescribeRules",),
    ),
    "AWS::Route53::RecordSet": _ResourceKind(
        "Route53",
        lambda _, props: f"arn:aws:route53:::hostedzone/{props.get('HostedZoneId', '*')}",
        create=(_Call("route53:ChangeResourceRecordSets"),),
        update=(_Call("route53:ChangeResourceRecordSets"),),
        delete=(_Call("route53:ChangeResourceRecordSets"),),
    ),
    "AWS::CertificateManager::Certificate": _ResourceKind(
        "Acm",
        lambda physical, _: physical or "*",  # a request has no ARN
        create=(_Call("acm:RequestCertificate"),),
        update=(),
        delete=(_Call("acm:DeleteCertificate"),),
    ),
}


def mount(find_stack: Callable[[Any], Any]) -> None:
    """After everything that replaces a handler. `find_stack` is by a request's parameters."""
    actions = handlers._ACTION_HANDLERS
    for name in _STARTS:
        actions[name] = _as_somebody(actions[name], find_stack)
    for kind, known in _KINDS.items():
        resource = provisioners._RESOURCE_HANDLERS[kind]
        resource["create"] = _checked_create(known, resource["create"])
        resource["update"] = _checked_update(known, resource["update"])
        resource["delete"] = _checked_delete(known, resource["delete"])
        if known.read:
            reader, compared = drift._DRIFT_READERS[kind]
            drift._DRIFT_READERS[kind] = (_checked_read(known, reader), compared)


def refuse_call(service: str, action: str, parameters: dict[str, Any]) -> str:
    """Why whoever the operation acts for may not make a call of a service of ours; "": may."""
    principal = _principal.get()
    account, region = current()
    given = {tag["key"]: tag["value"] for tag in parameters.get("tags") or []}
    tags = {f"aws:requesttag/{key}".lower(): value for key, value in given.items()}
    for need in needed(service, action, parameters, account=account, region=region):
        context = tags | {key.lower(): value for key, value in need.context.items()}
        for resource in need.resources if principal else ():
            denied = iam.refusal_of(principal, need.action, resource, context)
            if denied:
                return denied
    return ""


# ---- who acts


def _as_somebody(start: Callable[[Any], Any], find_stack: Callable[[Any], Any]) -> Any:
    """Note the service role that a request gives, and act as it, or as the caller.

    The operation itself is an asyncio task, which inherits the context of the request.
    """

    @functools.wraps(start)
    def start_operation(parameters: Any) -> Any:
        caller = str(iam_evaluator.caller_arn())
        role = str(helpers._p(parameters, "RoleARN") or "")
        refusal = _refuse_role(caller, role) if role else None
        if refusal is not None:
            return refusal
        before = find_stack(parameters)
        kept = role or str((before or {}).get(_ROLE_KEY, ""))
        _principal.set(iam.session_of(kept, "AWSCloudFormation") if kept else caller)
        answer = start(parameters)
        stack = find_stack(parameters)
        if kept and stack is not None:
            stack[_ROLE_KEY] = kept
        return answer

    return start_operation


def _refuse_role(caller: str, role: str) -> Any:
    context = {"iam:passedtoservice": _SERVICE}
    denied = iam.refusal_of(caller, "iam:PassRole", role, context)
    if denied:
        return helpers._error("AccessDenied", denied, 403)
    if not iam.trusts(role, _SERVICE):
        return helpers._error("ValidationError", f"Role {role} is invalid or cannot be assumed")
    return None


# ---- what each resource needs


def _checked_create(kind: _ResourceKind, create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def create_resource(logical_id: str, props: Any, stack_name: str) -> Any:
        _require(kind, _needed(kind.create, props), "", props)
        return create(logical_id, props, stack_name)

    return create_resource


def _checked_update(kind: _ResourceKind, update: Callable[..., Any]) -> Callable[..., Any]:
    """MiniStack calls it for unchanged resources too."""

    @functools.wraps(update)
    def update_resource(physical_id: str, old: Any, new: Any, *more: Any) -> Any:
        changed = {name: True for name in {*old, *new} if old.get(name) != new.get(name)}
        if changed:
            _require(kind, _needed(kind.update, changed), physical_id, new)
        return update(physical_id, old, new, *more)

    return update_resource


def _checked_delete(kind: _ResourceKind, delete: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(delete)
    def delete_resource(physical_id: str, props: Any, *more: Any) -> Any:
        _require(kind, _needed(kind.delete, props), physical_id, props)
        return delete(physical_id, props, *more)

    return delete_resource


def _checked_read(kind: _ResourceKind, read: Callable[..., Any]) -> Callable[..., Any]:
    """Drift detection reads as whoever asks for it, never as the service role. MiniStack makes of
    the error a detection that has failed, and goes on with the next resource.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
    """

    @functools.wraps(read)
    def read_resource(physical_id: str, props: Any) -> Any:
        caller = str(iam_evaluator.caller_arn())
        for action in kind.read:
            is_of_one = iam.has_resource_level(action)
            asked = kind.resource(physical_id, props) if is_of_one else "*"
            denied = iam.refusal_of(caller, action, asked)
            if denied:
                raise ValueError(denied)
        return read(physical_id, props)

    return read_resource


def _needed(calls: tuple[_Call, ...], has: Mapping[str, Any]) -> Iterator[str]:
    return (call.action for call in calls if not call.of or has.get(call.of))


def _require(
    kind: _ResourceKind, actions: Iterator[str], physical_id: str, props: Mapping[str, Any]
) -> None:
    """Raises ValueError with what CloudFormation says of a handler that may not go on."""
    principal = _principal.get()
    for number, action in enumerate(actions if principal else ()):
        asked = kind.resource(physical_id, props)
        # The first call makes it, with its tags; those after it find them on it.
        is_made = bool(number or physical_id)
        tags = tagging.resource_tags(asked) if physical_id else None
        keys = _keys("resourcetag" if is_made else "requesttag", props, tags or {})
        denied = iam.refusal_of(principal, action, asked, keys)
        if denied:
            fail(
                f"{denied} (Service: {kind.service}, Status Code: 403, Request ID: {uuid.uuid4()})",
                "AccessDenied",
            )


def _keys(kind: str, props: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, str]:
    """What conditions may ask for: the boundary of a role, how a certificate is proved, and tags,
    which CloudFormation gives each resource as it makes it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
    """
    given = {tag["Key"]: tag["Value"] for tag in props.get("Tags") or []}
    found = {f"aws:{kind}/{key}".lower(): value for key, value in {**given, **tags}.items()}
    asked = {
        "PermissionsBoundary": "iam:permissionsboundary",
        "ValidationMethod": "acm:validationmethod",
    }
    return {**found, **{key: props[name] for name, key in asked.items() if props.get(name)}}
