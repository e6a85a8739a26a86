"""A pair of target groups, of which one has the traffic: what the stack must say of it.

A plan shows the weights of the production rule as they were read. What a change of the stack sends
is decided at that moment, from what the rule says then: `fsd.plan.rule_weights`.

The new tasks have a target group of their own, so a health check that moves is theirs alone: the
group that serves keeps the old one until the old tasks are gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fsd.compile.desired import (
    OUTPUT_ALTERNATE_GROUP,
    OUTPUT_PRODUCTION_RULE,
    OUTPUT_REQUEST_LABEL,
    OUTPUT_TARGET_GROUP,
    Desired,
    Json,
    JsonValue,
)
from fsd.compile.traffic_shift import forward
from fsd.plan.attachment import rolls_in_place
from fsd.plan.observed import Observed, ObservedStack
from fsd.plan.rule_weights import changed_rules, with_weights
from fsd.plan.template_parts import object_at, referred
from fsd.plan.transition import output_value

_CHECK = ("Healthy", "HealthCheck", "Matcher", "Unhealthy")  # how its properties begin


def as_served(desired: Desired, observed: Observed) -> Desired:
    """`desired` with the weights as they are, and with the target group that serves.

    Raises the CallFailedError of the look where that is not known, and the release depends on it.
    """
    stack = observed.stack
    if stack is None:
        return desired
    _refuse_unread(desired, observed, stack)
    to_alternate = _serves_alternate(observed, stack)
    named = weights_by_name(stack.template, stack.outputs, observed.weights)
    template = desired.template
    if to_alternate and not desired.service.shifts_traffic:
        template = _with_pair(template, stack.template)
    # Last: a rule that only ECS has changed keeps its text, also where the service rolls now.
    return replace(desired, template=with_weights(template, stack.template, named))


def keep_serving_check(both: Json, desired: Desired, observed: Observed) -> Json:
    """`both`, the stack of old and new tasks, in which the old ones are asked what they were."""
    stack, group = observed.stack, serving_group(observed)
    if stack is None or not desired.service.shifts_traffic or rolls_in_place(desired, observed):
        return both
    resources, before = object_at(both, "Resources"), object_at(stack.actual, "Resources")
    if group not in before or group not in resources:
        return both
    kept = _with_check_of(object_at(resources, group), object_at(before, group))
    return {**both, "Resources": {**resources, group: kept}}


def weights_by_name(
    now: Json, outputs: Mapping[str, str], weights: Mapping[str, int]
) -> dict[str, int]:
    """By the logical names of the stack's two target groups. `weights` are by ARN, as ELB says
    them; a target group that they do not name is left out."""
    both = (OUTPUT_TARGET_GROUP, OUTPUT_ALTERNATE_GROUP)
    return {
        _group_of(now, output): weights[outputs[output]]
        for output in both
        if outputs.get(output) in weights
    }


def production_rule_of(now: Json) -> str:
    """The logical name of the rule that ECS changes; "" without one."""
    return _group_of(now, OUTPUT_PRODUCTION_RULE)


def _refuse_unread(desired: Desired, observed: Observed, stack: ObservedStack) -> None:
    """Without a guess: all requests could go to a target group that is empty."""
    unread = observed.weights_unread
    changes = changed_rules(desired.template, stack.template)
    if unread is not None and (changes or not desired.service.shifts_traffic):
        raise unread


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
    resources, before = object_at(template, "Resources"), object_at(now, "Resources")
    if rule not in before or first not in resources:
        return template
    made = object_at(resources, rule) or object_at(before, rule)
    kept: Json = {
        group: resources[first],
        rule: _with_actions(made, [forward(first, group, to_alternate=True)]),
    }
    outputs: Json = {
        OUTPUT_TARGET_GROUP: {"Value": {"Ref": group}},
        OUTPUT_ALTERNATE_GROUP: {"Value": {"Ref": group}},
        OUTPUT_PRODUCTION_RULE: {"Value": {"Ref": rule}},
    }
    said = object_at(template, "Outputs")
    if OUTPUT_REQUEST_LABEL in said:  # the requests that scaling counts go there, too
        outputs[OUTPUT_REQUEST_LABEL] = _of_group(said[OUTPUT_REQUEST_LABEL], first, group)
    return {
        **template,
        "Resources": {**resources, **kept},
        "Outputs": {**said, **outputs},
    }


def _of_group(value: JsonValue, first: str, group: str) -> JsonValue:
    """`value`, which asks `group` for what it asks `first` for."""
    match value:
        case {"Fn::GetAtt": [name, attribute]} if name == first:
            return {"Fn::GetAtt": [group, attribute]}
        case dict():
            return {key: _of_group(one, first, group) for key, one in value.items()}
        case list():
            return [_of_group(one, first, group) for one in value]
        case _:
            return value


def _with_actions(rule: Json, actions: JsonValue) -> Json:
    return {**rule, "Properties": {**object_at(rule, "Properties"), "Actions": actions}}


def _with_check_of(group: Json, before: Json) -> Json:
    is_, was = object_at(group, "Properties"), object_at(before, "Properties")
    rest = {key: value for key, value in is_.items() if not key.startswith(_CHECK)}
    check = {key: value for key, value in was.items() if key.startswith(_CHECK)}
    return {**group, "Properties": {**rest, **check}}


def _group_of(template: Json, output: str) -> str:
    return referred(output_value(template, output))
