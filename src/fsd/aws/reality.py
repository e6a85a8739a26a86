"""What AWS has of a stack's resources, whatever CloudFormation believes. Five calls at the most,
where nothing is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

from fsd.aws.errors import aws_code, call, pages
from fsd.aws.session import Clients
from fsd.compile.desired import OUTPUT_LOAD_BALANCER, OUTPUT_TARGET_GROUP
from fsd.errors import CallFailedError
from fsd.plan.reality import (
    LOG_GROUP,
    ROLE,
    SecurityGroupRule,
    Seen,
    SeenGroup,
    balancer_of,
    count_listeners,
    names_of,
)
from fsd.release.ports import PermissionDenied, Stack
from fsd.release.reads import ONE_BY_ONE, Reads
from fsd.snapshot import TargetHealth

T = TypeVar("T")
_Balancing: TypeAlias = "tuple[bool | None, Sequence[dict[str, Any]]]"
_Group: TypeAlias = "tuple[bool | None, bool | None]"

# CloudFormation tags what it makes.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
_STACK_TAG, _LOGICAL_TAG = "aws:cloudformation:stack-id", "aws:cloudformation:logical-id"
_ASKED = frozenset({"healthy", "unhealthy"})  # states of a target that a load balancer checks
_GONE = {
    "ListenerNotFound",
    "LoadBalancerNotFound",
    "NoSuchEntity",
    "TargetGroupNotFound",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsReality:
    """`fsd.release.ports.Reality`. What the role may not look at is unknown, which is no error."""

    clients: Clients
    reads: Reads = ONE_BY_ONE

    def look(self, stack: Stack, *, targets: Sequence[TargetHealth] = ()) -> Seen:
        start = self.reads.start
        balancing = start(lambda: self._balancing(stack, targets))
        groups = start(lambda: _or_unknown(lambda: self._groups(stack), None))
        roles = {
            name: start(partial(self._has_role, name))
            for name in names_of(stack.template, ROLE, "RoleName")
        }
        log_groups = {
            name: start(partial(self._has_log_group, name))
            for name in names_of(stack.template, LOG_GROUP, "LogGroupName")
        }
        (exists, listeners), (group_exists, is_used) = balancing()
        return Seen(
            groups=groups(),
            roles={name: answer() for name, answer in roles.items()},
            log_groups={name: answer() for name, answer in log_groups.items()},
            balancer_exists=exists,
            listener_ports=None if exists is None else frozenset(one["Port"] for one in listeners),
            target_group_exists=group_exists,
            target_group_is_used=is_used,
        )

    def _balancing(
        self, stack: Stack, targets: Sequence[TargetHealth]
    ) -> tuple[_Balancing, _Group]:
        """A target whose health is asked for says what several calls would: its state is `unused`
        where no listener or rule forwards to its group. Of two listeners it does not say which.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
        """
        is_used = any(target.state in _ASKED for target in targets)
        if is_used and count_listeners(stack.template) <= 1:
            return (None, ()), (True, True)
        exists, listeners = self._listeners(stack) if balancer_of(stack.template) else (None, ())
        return (exists, listeners), self._target_group(stack, listeners, is_used=is_used)

    def _listeners(self, stack: Stack) -> _Balancing:
        """(whether the load balancer is there, its listeners)."""
        arn = stack.outputs.get(OUTPUT_LOAD_BALANCER, "")
        if not arn:
            return None, ()
        client = self.clients.client("elbv2")

        def read() -> _Balancing:
            found = pages(client, "describe_listeners", arn, LoadBalancerArn=arn)
            listeners = [one for page in found for one in page["Listeners"]]
            if not listeners:
                call(client, "describe_load_balancers", arn, LoadBalancerArns=[arn])
            return True, listeners

        gone: _Balancing = (False, ())
        unknown: _Balancing = (None, ())
        return _or_unknown(lambda: _or_gone(read, gone), unknown)

    def _target_group(
        self, stack: Stack, listeners: Iterable[dict[str, Any]], *, is_used: bool
    ) -> _Group:
        """(whether it is there, whether anything forwards to it): ELB deletes none that is used."""
        arn = stack.outputs.get(OUTPUT_TARGET_GROUP, "")
        if not arn:
            return None, None
        if is_used or any(arn in _forwards_to(listener) for listener in listeners):
            return True, True
        client = self.clients.client("elbv2")

        def read() -> _Group:
            answer = call(client, "describe_target_groups", arn, TargetGroupArns=[arn])
            return True, bool(answer["TargetGroups"][0].get("LoadBalancerArns"))

        gone: _Group = (False, False)
        unknown: _Group = (None, None)
        return _or_unknown(lambda: _or_gone(read, gone), unknown)

    def _groups(self, stack: Stack) -> Mapping[str, SeenGroup]:
        client = self.clients.client("ec2")
        by_stack = [{"Name": f"tag:{_STACK_TAG}", "Values": [stack.id]}]
        found = pages(client, "describe_security_groups", stack.name, Filters=by_stack)
        return {
            _tag(group, _LOGICAL_TAG): SeenGroup(
                id=group["GroupId"],
                ingress=frozenset(_rules(group.get("IpPermissions", []))),
                egress=frozenset(_rules(group.get("IpPermissionsEgress", []))),
            )
            for page in found
            for group in page["SecurityGroups"]
        }

    def _has_role(self, name: str) -> bool:
        def read() -> bool:
            call(self.clients.client("iam"), "get_role", name, RoleName=name)
            return True

        return _or_unknown(lambda: _or_gone(read, False), True)

    def _has_log_group(self, name: str) -> bool:
        client = self.clients.client("logs")

        def read() -> bool:
            found = pages(client, "describe_log_groups", name, logGroupNamePrefix=name)
            return any(one["logGroupName"] == name for page in found for one in page["logGroups"])

        return _or_unknown(read, True)


def _or_unknown(read: Callable[[], T], unknown: T) -> T:
    try:
        return read()
    except PermissionDenied:
        return unknown


def _or_gone(read: Callable[[], T], gone: T) -> T:
    try:
        return read()
    except CallFailedError as error:
        if aws_code(error).removesuffix("Exception") in _GONE:
            return gone
        raise


def _forwards_to(listener: Mapping[str, Any]) -> set[str]:
    actions = listener.get("DefaultActions", [])
    groups = (g for a in actions for g in a.get("ForwardConfig", {}).get("TargetGroups", []))
    return {
        *(str(action["TargetGroupArn"]) for action in actions if action.get("TargetGroupArn")),
        *(str(group["TargetGroupArn"]) for group in groups),
    }


def _rules(permissions: Iterable[Mapping[str, Any]]) -> Iterator[SecurityGroupRule]:
    for permission in permissions:
        peers = [
            *(entry["CidrIp"] for entry in permission.get("IpRanges", [])),
            *(entry["GroupId"] for entry in permission.get("UserIdGroupPairs", [])),
        ]
        for peer in peers:
            yield SecurityGroupRule(
                protocol=str(permission["IpProtocol"]),
                first=permission.get("FromPort"),
                last=permission.get("ToPort"),
                peer=str(peer),
            )


def _tag(resource: Mapping[str, Any], key: str) -> str:
    tags = (tag["Value"] for tag in resource.get("Tags", []) if tag["Key"] == key)
    return str(next(tags, ""))
