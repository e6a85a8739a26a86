"""What a plan lets roles and networks do, one sentence a resource. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.plan.security_diff import GrantChange, RuleChange, SecurityChange
from fsd.plan.steps import ApplyStack, Plan
from fsd.report.words import quoted_names

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
    when = "once the old tasks are gone, " if step.cleans_up else ""
    for change in step.security:
        if not step.adds_everything or _is_of_a_dependency(change):
            yield f"{when}{security_text(change)}"


def _is_of_a_dependency(change: SecurityChange) -> bool:
    return isinstance(change, GrantChange) and change.role == "TaskRole"


def security_text(change: SecurityChange) -> str:
    """``the task role will gain `dynamodb:PutItem` on `table/offers` ``."""
    match change:
        case GrantChange():
            verb = "will gain" if change.is_granted else "will lose"
            actions = quoted_names(change.actions)
            return f"{_who(change.role)} {verb} {actions} on {_resource(change.resource)}"
        case RuleChange():
            will = "will" if change.is_added else "will no longer"
            return f"{_who(change.group)} {will} {_connection(change)}"


def _connection(change: RuleChange) -> str:
    """`accept traffic on TCP port 9000 from …`, `be able to connect to … on TCP port 5432`."""
    peer = _WHO.get(change.peer) or f"`{change.peer}`"
    if change.is_ingress:
        on = "traffic on " if change.first is not None else ""
        return f"accept {on}{_traffic(change)} from {peer}"
    if change.first is None:
        return f"be able to send {_traffic(change)} to {peer}"
    return f"be able to connect to {peer} on {_traffic(change)}"


def _who(name: str) -> str:
    return _WHO.get(name) or f"`{name}`"


def _resource(arn: str) -> str:
    """The part of an ARN that tells it from others of the account."""
    if arn == "*":
        return "all resources (`*`)"
    parts = arn.split(":", 5)
    return f"`{parts[5]}`" if len(parts) == 6 and parts[0] == "arn" else f"`{arn}`"


def _traffic(change: RuleChange) -> str:
    if change.protocol == "-1":
        return "any traffic"
    protocol = change.protocol.upper()
    if change.first is None:
        return f"protocol {protocol}" if protocol.isdigit() else protocol
    if change.first == change.last:
        return f"{protocol} port {change.first}"
    return f"{protocol} ports {change.first}-{change.last}"


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
