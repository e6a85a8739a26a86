"""MiniStack's CloudFormation: the refusals of AWS, and the resource types that FSD's stacks use.

MiniStack runs two operations on one stack at once, takes IAM resources without a capability, and
lets one stack's named resource overwrite another's. AWS refuses all three, and a deployer has to
meet that before its users do.
"""

from __future__ import annotations

import asyncio
import functools
import threading
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ministack.services import alb, cloudformation, cloudwatch_logs, ec2, iam
from ministack.services.cloudformation import changesets, handlers, helpers, provisioners, stacks

from fsd_local.patches import (
    drift,
    ecs_resources,
    gateways,
    identities,
    scaling_resources,
    scheduler,
    stack_permissions,
    stack_schemas,
    subnets,
)
from fsd_local.patches.scope import current
from fsd_local.patches.stack_properties import Api, Json, Plane

_UPDATABLE = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
)


_NO_CHANGES = "The submitted information didn't contain changes."


def mount(
    ecs: Api, scaling: Api, *, is_enforced: bool, speed: float, closing: threading.Event
) -> None:
    """`ecs` and `scaling` are the control planes that are ours; `closing` ends what waits."""
    actions = handlers._ACTION_HANDLERS
    actions["CreateChangeSet"] = _stack_must_be_free(_with_outputs(actions["CreateChangeSet"]))
    actions["ExecuteChangeSet"] = _one_operation_at_a_time(actions["ExecuteChangeSet"])
    actions["UpdateStack"] = _one_operation_at_a_time(actions["UpdateStack"])
    actions["DeleteStack"] = _no_deletion_during_an_update(actions["DeleteStack"])
    for name, field in _REPEATABLE.items():
        actions[name] = _once_a_token(actions[name], field)
    handlers._capabilities_enforced = lambda: True
    resources = provisioners._RESOURCE_HANDLERS
    for named in _NAMED:
        handler = resources[named.kind]
        handler["create"] = _check_name(named, handler["create"])
    ec2._strip_descriptions = _bare_rule
    resources["AWS::EC2::SecurityGroupIngress"] = _rule_resource("IpPermissions")
    resources["AWS::EC2::SecurityGroupEgress"] = _rule_resource("IpPermissionsEgress")
    drift.mount()
    identities.mount()
    gateways.mount()
    subnets.mount()
    scheduler.mount_resource()
    stack_schemas.mount()
    refuse = stack_permissions.refuse_call if is_enforced else _refuse_nothing
    ecs_resources.mount(
        Plane(api=ecs, service="ecs", title="Ecs", refuse=refuse),
        speed=speed,
        closing=closing,
    )
    scaling_resources.mount(
        Plane(
            api=scaling,
            service="application-autoscaling",
            title="ApplicationAutoScaling",
            refuse=refuse,
        )
    )
    if is_enforced:
        stack_permissions.mount(_stack)


def _refuse_nothing(_service: str, _action: str, _parameters: Json) -> str:
    return ""


def slow_down(seconds: float, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Keep each operation *_IN_PROGRESS for so long, once its resources are done.

    MiniStack yields to its event loop at that point of a creation, an update and a deletion, and
    nowhere else.
    """

    async def yield_slowly(_: float) -> None:
        await sleep(seconds)

    stacks.asyncio = SimpleNamespace(get_event_loop=asyncio.get_event_loop, sleep=yield_slowly)


# ---- the same request again

_REPEATABLE = {
    "CreateChangeSet": "ClientToken",
    "ExecuteChangeSet": "ClientRequestToken",
    "UpdateStack": "ClientRequestToken",
    "DeleteStack": "ClientRequestToken",
}


def _once_a_token(handle: Callable[[Any], Any], field: str) -> Callable[[Any], Any]:
    """A client that lost the answer asks again with its token, and is answered the same.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
    """
    answers: dict[tuple[tuple[str, str], str], tuple[str, Any]] = {}

    @functools.wraps(handle)
    def repeatable(parameters: Any) -> Any:
        key = (current(), helpers._p(parameters, field))
        stack_id, answer = answers.get(key, ("", None))
        if stack_id in _stack_ids():
            return answer
        stack = _stack(parameters)
        answer = handle(parameters)
        stack = stack or _stack(parameters)
        if key[1] and stack and answer[0] == 200:
            answers[key] = (stack["StackId"], answer)
        return answer

    return repeatable


def _stack_ids() -> set[str]:
    """Also of deleted stacks; a reset forgets them all, and their tokens with them."""
    return {stack["StackId"] for stack in cloudformation._stacks.values()}


# ---- one operation at a time


def _stack_must_be_free(create: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(create)
    def create_change_set(parameters: Any) -> Any:
        stack = _stack(parameters)
        if stack is None:
            return create(parameters)
        name, status = stack["StackName"], stack["StackStatus"]
        kind = helpers._p(parameters, "ChangeSetType", "UPDATE")
        if kind == "CREATE" and status != "REVIEW_IN_PROGRESS":
            return helpers._error(
                "AlreadyExistsException",
                f"Stack [{name}] already exists and cannot be created again with the changeSet "
                f"[{helpers._p(parameters, 'ChangeSetName')}].",
            )
        if kind == "UPDATE" and status not in _UPDATABLE:
            return _busy(stack)
        if status == "REVIEW_IN_PROGRESS":
            return _with_same_id(stack, create(parameters))
        return create(parameters)

    return create_change_set


def _with_outputs(create: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """MiniStack compares the resources alone. On AWS a change set that has new outputs and no
    change of a resource can be executed: https://github.com/aws/aws-cdk/issues/2029"""

    @functools.wraps(create)
    def create_change_set(parameters: Any) -> Any:
        stack, answer = _stack(parameters), create(parameters)
        name = helpers._p(parameters, "ChangeSetName")
        _, made = changesets._find_change_set(name, stack["StackName"]) if stack else ("", None)
        if made and made["StatusReason"].startswith(_NO_CHANGES) and _changes_outputs(made, stack):
            made |= {
                "Status": "CREATE_COMPLETE",
                "ExecutionStatus": "AVAILABLE",
                "StatusReason": "",
            }
        return answer

    return create_change_set


def _changes_outputs(change_set: Mapping[str, Any], stack: Mapping[str, Any]) -> bool:
    old, new = (one["_template"].get("Outputs") or {} for one in (stack, change_set))
    return change_set["ChangeSetType"] == "UPDATE" and old != new


def _with_same_id(stack: dict[str, Any], answer: Any) -> Any:
    """MiniStack makes the stack anew for a second change set that is to create it, or drops it with
    a refused one; the change set before then belongs to a stack that is not there."""
    made = cloudformation._stacks.setdefault(stack["StackName"], stack)
    old, new = stack["StackId"], made["StackId"]
    if old == new:
        return answer
    made["StackId"] = old
    cloudformation._stack_events.pop(new, None)
    for change_set in cloudformation._change_sets.values():
        if change_set["StackId"] == new:
            change_set["StackId"] = old
    status, headers, body = answer
    return status, headers, body.replace(new.encode(), old.encode())


def _one_operation_at_a_time(execute: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(execute)
    def execute_change_set(parameters: Any) -> Any:
        stack = _stack(parameters)
        status = stack["StackStatus"] if stack else ""
        if stack and status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            return _busy(stack)
        return execute(parameters)

    return execute_change_set


def _no_deletion_during_an_update(delete: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(delete)
    def delete_stack(parameters: Any) -> Any:
        stack = _stack(parameters)
        status = stack["StackStatus"] if stack else ""
        if stack and status.startswith(("UPDATE_", "ROLLBACK_")) and "_IN_PROGRESS" in status:
            return helpers._error(
                "ValidationError",
                f"Stack [{stack['StackId']}] cannot be deleted while in status {status}",
            )
        if stack and status == "DELETE_IN_PROGRESS":
            return helpers._xml(200, "DeleteStackResponse", "")
        return delete(parameters)

    return delete_stack


def _stack(parameters: Any) -> Any:
    """The stack that a request names; None where it is absent or deleted."""
    name = helpers._p(parameters, "StackName")
    stack = handlers._resolve_stack(name) if name else _stack_of_change_set(parameters)
    return None if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _stack_of_change_set(parameters: Any) -> Any:
    change_set = cloudformation._change_sets.get(helpers._p(parameters, "ChangeSetName"))
    return cloudformation._stacks.get(change_set["StackName"]) if change_set else None


def _busy(stack: Mapping[str, Any]) -> Any:
    return helpers._error(
        "ValidationError",
        f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be updated.",
    )


# ---- a name is taken once


def _names(store: Any, key: str) -> set[str]:
    return {record[key] for record in store.values()}


@dataclass(frozen=True, slots=True)
class _Named:
    """A kind of resource whose name the template gives."""

    kind: str
    name_property: str
    longest: int
    exists: Callable[[str], bool]

    def check(self, name: str) -> None:
        if len(name) > self.longest:
            raise ValueError(
                f"{self.name_property} '{name}' cannot be longer than '{self.longest}' characters"
            )
        if self.exists(name):
            raise ValueError(
                f"Resource of type '{self.kind}' with identifier "
                f'\'{{"/properties/{self.name_property}":"{name}"}}\' already exists.'
            )


_NAMED = (
    _Named("AWS::IAM::Role", "RoleName", 64, lambda name: name in iam._roles),
    _Named(
        "AWS::Logs::LogGroup",
        "LogGroupName",
        512,
        lambda name: name in cloudwatch_logs._log_groups,
    ),
    _Named(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "Name",
        32,
        lambda name: name in _names(alb._lbs, "LoadBalancerName"),
    ),
    _Named(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "Name",
        32,
        lambda name: name in _names(alb._tgs, "TargetGroupName"),
    ),
)


def _check_name(named: _Named, create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def create_resource(logical_id: str, props: Any, stack_name: str) -> Any:
        if props.get(named.name_property):
            named.check(props[named.name_property])
        return create(logical_id, props, stack_name)

    return create_resource


# ---- security group rules
# EC2 knows a rule by its peers. MiniStack compares those that are groups with their descriptions
# and owners, and so finds none to revoke.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html

_PEERS = {"IpRanges": "CidrIp", "Ipv6Ranges": "CidrIpv6", "UserIdGroupPairs": "GroupId"}


def _bare_rule(rule: Any) -> Any:
    kept = {key: rule.get(key) for key in ("IpProtocol", "FromPort", "ToPort")}
    peers = {key: [peer.get(id_) for peer in rule.get(key, [])] for key, id_ in _PEERS.items()}
    lists = [peer.get("PrefixListId") for peer in rule.get("PrefixListIds", [])]
    return {**kept, **peers, "PrefixListIds": lists}


def _rule_resource(direction: str) -> dict[str, Callable[..., Any]]:
    """AWS::EC2::SecurityGroupIngress and …Egress. A change replaces the rule, as on AWS."""

    def create(_logical_id: str, props: Any, _stack_name: str) -> Any:
        group = ec2._security_groups.get(props["GroupId"])
        if group is None:
            raise ValueError(f"The security group '{props['GroupId']}' does not exist")
        group[direction].extend(provisioners._ec2_sg_permissions([props]))
        return f"sgr-{uuid.uuid4().hex[:17]}", {}

    def delete(_physical_id: str, props: Any) -> None:
        group = ec2._security_groups.get(props["GroupId"])
        rules = provisioners._ec2_sg_permissions([props])
        if group is not None:
            group[direction] = [rule for rule in group[direction] if rule not in rules]

    def update(_physical_id: str, old: Any, new: Any, stack_name: str) -> Any:
        delete(_physical_id, old)
        return _physical_id, create("", new, stack_name)[1]

    return {"create": create, "update": update, "delete": delete}
