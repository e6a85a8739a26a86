"""What a plan lets roles and networks do, one sentence a resource. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.plan.security_diff import GrantChange, RuleChange, SecurityChange
from fsd.plan.steps import ApplyStack, Plan

_WHO = {
    "TaskRole": "the task role",
    "ExecutionRole": "the execution role",
    "TaskSecurityGroup": "the tasks",
    "LoadBalancerSecurityGroup": "the load balancer",
}


def security_sentences(plan: Plan) -> list[str]:
    """In the order of the steps. Names are in backticks.

    A first deployment makes every role and group anew: of it only what the manifest's dependencies
    grant is told.
    """
    return [sentence for step in plan.steps for sentence in _of_step(step)]


def _of_step(step: object) -> Iterator[str]:
    if not isinstance(step, ApplyStack):
        return
    later = " once the old tasks are gone" if step.cleans_up else ""
    for change in step.security:
        if not step.adds_everything or _is_of_a_dependency(change):
            yield f"{security_text(change)}{later}"


def _is_of_a_dependency(change: SecurityChange) -> bool:
    return isinstance(change, GrantChange) and change.role == "TaskRole"


def security_text(change: SecurityChange) -> str:
    """``the task role may now `dynamodb:PutItem` on `table/offers` ``."""
    match change:
        case GrantChange():
            word = "may now" if change.is_granted else "may no longer"
            actions = ", ".join(f"`{action}`" for action in change.actions)
            return f"{_who(change.role)} {word} {actions} on {_resource(change.resource)}"
        case RuleChange():
            verb, between = ("accept", "from") if change.is_ingress else ("connect by", "to")
            now = "can now" if change.is_added else "can no longer"
            peer = _WHO.get(change.peer) or f"`{change.peer}`"
            return f"{_who(change.group)} {now} {verb} {_traffic(change)} {between} {peer}"


def _who(name: str) -> str:
    return _WHO.get(name) or f"`{name}`"


def _resource(arn: str) -> str:
    """The part of an ARN that tells it from others of the account."""
    if arn == "*":
        return "every resource (`*`)"
    parts = arn.split(":", 5)
    return f"`{parts[5]}`" if len(parts) == 6 and parts[0] == "arn" else f"`{arn}`"


def _traffic(change: RuleChange) -> str:
    if change.protocol == "-1":
        return "any traffic"
    if change.first is None:
        return f"`{change.protocol}`"
    ports = f"{change.first}" if change.first == change.last else f"{change.first}-{change.last}"
    return f"`{change.protocol} {ports}`"


def security_json(change: SecurityChange) -> dict[str, object]:
    match change:
        case GrantChange():
            return {
                "kind": "grant",
                "text": security_text(change),
                "role": change.role,
                "resource": change.resource,
                "actions": list(change.actions),
                "added": change.is_granted,
            }
        case RuleChange():
            return {
                "kind": "rule",
                "text": security_text(change),
                "securityGroup": change.group,
                "peer": change.peer,
                "protocol": change.protocol,
                "fromPort": change.first,
                "toPort": change.last,
                "ingress": change.is_ingress,
                "added": change.is_added,
            }
