"""The stack while old and new tasks run side by side.

A stack is changed before the rollout, because the new tasks need what is new in it. What the old
tasks still need must stay until they are gone: the port that they listen on, the permissions that
they use, the load balancer that their clients know. So a stack grows before a rollout and shrinks
after it succeeded; a failed one finds everything that it goes back to. What clients have to follow,
an address in DNS or the port of a network load balancer, moves after it, too. One thing cannot be
had twice: the health check belongs to the target group, and judges old and new tasks alike.
"""

from __future__ import annotations

from fsd.compile.desired import Json, JsonValue
from fsd.compile.iam import INLINE_POLICY_LIMIT, policy_size
from fsd.plan.canonical import canonical_text
from fsd.plan.previous_stack import split_previous
from fsd.plan.rule_weights import without_weights
from fsd.plan.template_parts import object_at

_RULES = ("SecurityGroupIngress", "SecurityGroupEgress")


def transition_template(before: Json, after: Json) -> Json:
    """`after`, and what only `before` has. Applied to its own result it changes nothing.

    Both are CloudFormation templates that FSD made. Equal to `after` where nothing goes away.
    """
    old, new = object_at(before, "Resources"), object_at(after, "Resources")
    merged = {name: _merge(object_at(old, name), object_at(new, name)) for name in new}
    both: Json = {**after, "Resources": {**old, **merged}}
    outputs = {**object_at(before, "Outputs"), **object_at(after, "Outputs")}
    return both | {"Outputs": outputs} if outputs else both


def left_behind(now: Json, good: Json, made: Json) -> tuple[str, ...]:
    """The logical names that `made` brought in, that `now` still has, and that `good` lacks."""
    known = object_at(good, "Resources")
    names = object_at(now, "Resources").keys() & object_at(made, "Resources").keys()
    return tuple(sorted(names - known.keys()))


def is_same_template(one: Json, other: Json) -> bool:
    """Whether both mean the same: the previous stack in them means nothing, nor the order of
    rules and statements, nor the weights of a rule, which are ECS's."""
    return _meaning(one) == _meaning(other)


def output_value(template: Json, output: str) -> JsonValue:
    """What an output refers to; None without it."""
    return object_at(object_at(template, "Outputs"), output).get("Value")


def _meaning(template: Json) -> str:
    return canonical_text(without_weights(split_previous(template)[0]))


def _merge(old: Json, new: Json) -> Json:
    if old.get("Type") != new.get("Type"):
        return new
    was, is_ = object_at(old, "Properties"), object_at(new, "Properties")
    match new.get("Type"):
        case "AWS::EC2::SecurityGroup":
            kept = {rules: _union(was.get(rules), is_.get(rules)) for rules in _RULES}
            return {**new, "Properties": is_ | {key: value for key, value in kept.items() if value}}
        case "AWS::IAM::Role":
            policies = _merge_policies(_list(was.get("Policies")), _list(is_.get("Policies")))
            return {**new, "Properties": is_ | {"Policies": policies}} if policies else new
        case "AWS::Route53::RecordSet":
            # Clients stay where tasks answer until the new ones do.
            return old
        case "AWS::ElasticLoadBalancingV2::Listener" if _speaks_otherwise(was, is_):
            return old  # for the same reason
        case _:
            return new


def _speaks_otherwise(was: Json, is_: Json) -> bool:
    """A listener of a network load balancer at another port, or with TLS where there was none: it
    has one port, so its clients have to follow it, and they may once the new tasks answer."""
    of_tcp = {"TCP", "TLS"}
    is_network = {was.get("Protocol"), is_.get("Protocol")} <= of_tcp
    return is_network and any(was.get(key) != is_.get(key) for key in ("Port", "Protocol"))


def _merge_policies(old: list[JsonValue], new: list[JsonValue]) -> list[JsonValue]:
    """The new ones alone where both together are more than IAM takes."""
    before, after = _by_name(old), _by_name(new)
    merged: list[JsonValue] = [
        _with_statements_of(before.get(name, {}), policy) for name, policy in after.items()
    ]
    merged += [policy for name, policy in before.items() if name not in after]
    documents = [object_at(policy, "PolicyDocument") for policy in _by_name(merged).values()]
    return merged if sum(map(policy_size, documents)) <= INLINE_POLICY_LIMIT else new


def _with_statements_of(old: Json, new: Json) -> Json:
    was, is_ = object_at(old, "PolicyDocument"), object_at(new, "PolicyDocument")
    statements = _union(was.get("Statement"), is_.get("Statement"))
    return {**new, "PolicyDocument": {**is_, "Statement": statements}}


def _union(old: JsonValue, new: JsonValue) -> list[JsonValue]:
    """All of `new`, then what only `old` has: in whatever order of keys it was written down."""
    kept, known = _list(new), {canonical_text(value) for value in _list(new)}
    return [*kept, *(value for value in _list(old) if canonical_text(value) not in known)]


def _by_name(policies: list[JsonValue]) -> dict[str, Json]:
    return {str(p["PolicyName"]): p for p in policies if isinstance(p, dict) and "PolicyName" in p}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
