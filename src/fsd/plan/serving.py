"""A pair of target groups, of which one has the traffic: what the stack must say of it.

ECS changes the weights of the production rule with every shift, and CloudFormation knows nothing of
it: whatever changes the rule sends the weights of the template along, and with them all requests to
a target group that may be empty. So a rule that changes gets the weights of now, one that does not
keeps its text, and is not touched. https://github.com/aws/aws-cdk/issues/36649

The new tasks have a target group of their own, so a health check that moves is theirs alone: the
group that serves keeps the old one until the old tasks are gone.
"""

from __future__ import annotations

from dataclasses import replace

from fsd.compile.desired import (
    OUTPUT_ALTERNATE_GROUP,
    OUTPUT_PRODUCTION_RULE,
    OUTPUT_TARGET_GROUP,
    Desired,
    Json,
    JsonValue,
)
from fsd.compile.traffic_shift import forward
from fsd.plan.observed import Observed, ObservedStack
from fsd.plan.transition import output_value

_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
_CHECK = ("Healthy", "HealthCheck", "Matcher", "Unhealthy")  # how its properties begin


def as_served(desired: Desired, observed: Observed) -> Desired:
    """`desired` with the weights as they are, and with the target group that serves."""
    stack = observed.stack
    if stack is None:
        return desired
    to_alternate = _serves_alternate(observed, stack)
    template = with_rules_of(desired.template, stack.template, to_alternate=to_alternate)
    if to_alternate and not desired.service.shifts_traffic:
        template = _with_pair(template, stack.template)
    return replace(desired, template=template)


def keep_serving_check(both: Json, desired: Desired, observed: Observed) -> Json:
    """`both`, the stack of old and new tasks, in which the old ones are asked what they were."""
    stack, group = observed.stack, serving_group(observed)
    if stack is None or not desired.service.shifts_traffic:
        return both
    resources, before = _object(both, "Resources"), _object(stack.actual, "Resources")
    if group not in before or group not in resources:
        return both
    kept = _with_check_of(_object(resources, group), _object(before, group))
    return {**both, "Resources": {**resources, group: kept}}


def with_rules_of(template: Json, now: Json, *, to_alternate: bool | None = None) -> Json:
    """`template`, whose rules say no other weights than there are.

    None: those that `now` says.
    """
    resources, before = _object(template, "Resources"), _object(now, "Resources")
    rules = {
        name: _with_weights(_object(resources, name), _object(before, name), to_alternate)
        for name in resources
        if _pair(resources[name]) and _pair(resources[name]) == _pair(before.get(name))
    }
    return {**template, "Resources": {**resources, **rules}} if rules else template


def serving_group(observed: Observed) -> str:
    """The logical name of the target group that has the traffic; "" without one."""
    stack = observed.stack
    if stack is None:
        return ""
    is_alternate = _serves_alternate(observed, stack)
    return _group_of(
        stack.template, OUTPUT_ALTERNATE_GROUP if is_alternate else OUTPUT_TARGET_GROUP
    )


def _serves_alternate(observed: Observed, stack: ObservedStack) -> bool:
    if observed.serving:
        return observed.serving == stack.outputs.get(OUTPUT_ALTERNATE_GROUP)
    # A rolling service is where the last shift has left it.
    group = _group_of(stack.template, OUTPUT_TARGET_GROUP)
    return group != "" and group == _group_of(stack.template, OUTPUT_ALTERNATE_GROUP)


def _with_pair(template: Json, now: Json) -> Json:
    """For a rolling service whose tasks are in the alternate target group, and stay there."""
    group, rule = (_group_of(now, one) for one in (OUTPUT_ALTERNATE_GROUP, OUTPUT_PRODUCTION_RULE))
    first = _group_of(template, OUTPUT_TARGET_GROUP)
    resources, before = _object(template, "Resources"), _object(now, "Resources")
    if rule not in before or first not in resources:
        return template
    made = _object(resources, rule) or _object(before, rule)
    kept: Json = {
        group: resources[first],
        rule: _with_actions(made, [forward(first, group, to_alternate=True)]),
    }
    outputs: Json = {
        OUTPUT_TARGET_GROUP: {"Value": {"Ref": group}},
        OUTPUT_ALTERNATE_GROUP: {"Value": {"Ref": group}},
        OUTPUT_PRODUCTION_RULE: {"Value": {"Ref": rule}},
    }
    return {
        **template,
        "Resources": {**resources, **kept},
        "Outputs": {**_object(template, "Outputs"), **outputs},
    }


def _with_weights(rule: Json, before: Json, to_alternate: bool | None) -> Json:
    """A rule that stays the same keeps its text, so that CloudFormation does not touch it."""
    actions = _object(before, "Properties").get("Actions")
    same = _with_actions(rule, actions)
    if to_alternate is None or same == before:
        return same
    first, group = _pair(rule)
    return _with_actions(rule, [forward(first, group, to_alternate=to_alternate)])


def _with_actions(rule: Json, actions: JsonValue) -> Json:
    return {**rule, "Properties": {**_object(rule, "Properties"), "Actions": actions}}


def _with_check_of(group: Json, before: Json) -> Json:
    is_, was = _object(group, "Properties"), _object(before, "Properties")
    rest = {key: value for key, value in is_.items() if not key.startswith(_CHECK)}
    check = {key: value for key, value in was.items() if key.startswith(_CHECK)}
    return {**group, "Properties": {**rest, **check}}


def _pair(resource: JsonValue) -> tuple[str, ...]:
    """The logical names of the two target groups of a rule; () of anything else."""
    if not isinstance(resource, dict) or resource.get("Type") != _RULE:
        return ()
    actions = _object(resource, "Properties").get("Actions")
    action = actions[0] if isinstance(actions, list) and actions else None
    config = _object(action, "ForwardConfig") if isinstance(action, dict) else {}
    groups = config.get("TargetGroups")
    found = groups if isinstance(groups, list) else []
    return tuple(
        _referred(group.get("TargetGroupArn")) for group in found if isinstance(group, dict)
    )


def _group_of(template: Json, output: str) -> str:
    return _referred(output_value(template, output))


def _referred(value: JsonValue) -> str:
    return str(value.get("Ref", "")) if isinstance(value, dict) else ""


def _object(parent: Json, key: str) -> Json:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}
