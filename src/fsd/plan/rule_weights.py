"""The weights of a rule that divides requests between two target groups: ECS's, never a template's.

ECS changes them with every shift, and CloudFormation knows nothing of it. So no stack is changed
before this module has decided what its rules say (`fsd.aws.stacks` asks it for every change): a
rule that stays keeps its text, and CloudFormation does not touch it; one that changes gets the
weights that it has on AWS at that moment.
https://github.com/aws/aws-cdk/issues/36649
"""

from __future__ import annotations

from collections.abc import Mapping

from fsd.compile.desired import Json, JsonValue
from fsd.plan.template_parts import object_at, referred

_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"


def changed_rules(template: Json, now: Json) -> tuple[str, ...]:
    """The logical names of the rules with a pair of target groups that `template` changes in more
    than their weights."""
    resources, before = object_at(template, "Resources"), object_at(now, "Resources")
    return tuple(
        name
        for name in _rules_of_both(resources, before)
        if _with_actions_of(object_at(resources, name), object_at(before, name)) != before[name]
    )


def with_weights(template: Json, now: Json, weights: Mapping[str, int]) -> Json:
    """`template`, whose rules send requests where they go now.

    `now` is the template of the stack, `weights` are those on AWS, by the logical name of the
    target group. Without weights for its two groups a rule keeps those in `now`.
    """
    resources, before = object_at(template, "Resources"), object_at(now, "Resources")
    rules: Json = {}
    for name in _rules_of_both(resources, before):
        same = _with_actions_of(object_at(resources, name), object_at(before, name))
        rules[name] = same if same == before[name] else _weighted(same, weights)
    return {**template, "Resources": {**resources, **rules}} if rules else template


def with_weights_only(now: Json, weights: Mapping[str, int], *, rules: tuple[str, ...]) -> Json:
    """`now` with nothing else changed than the weights of these rules: what CloudFormation goes
    back to, should the change that comes next fail."""
    resources = object_at(now, "Resources")
    weighted: Json = {name: _weighted(object_at(resources, name), weights) for name in rules}
    return {**now, "Resources": {**resources, **weighted}}


def without_weights(template: Json) -> Json:
    """For a comparison: a rule that only ECS has changed is the same."""
    resources = object_at(template, "Resources")
    rules = [name for name, resource in resources.items() if pair_of(resource)]
    bare: Json = {name: _weighted(object_at(resources, name), None) for name in rules}
    return {**template, "Resources": {**resources, **bare}} if rules else template


def has_pair(template: Json) -> bool:
    """Whether one of its rules divides requests between two target groups."""
    return any(pair_of(resource) for resource in object_at(template, "Resources").values())


def find_stray(weights: Mapping[str, int], healthy: Mapping[str, int]) -> str:
    """The ARN of the target group that has healthy targets and gets no request, where those that
    get requests have none; "" elsewhere. Both are by ARN, of a pair, with no shift under way.

    ECS does not look at what its rule says before it shifts.
    https://github.com/aws/containers-roadmap/issues/2853
    """
    served = {arn for arn, weight in weights.items() if weight}
    if len(weights) != 2 or weights.keys() - healthy.keys():
        return ""
    if not served or any(healthy[arn] for arn in served):
        return ""
    return next((arn for arn in weights if healthy[arn] and arn not in served), "")


def pair_of(resource: JsonValue) -> tuple[str, ...]:
    """The logical names of the two target groups of a rule; () of anything else."""
    if not isinstance(resource, dict) or resource.get("Type") != _RULE:
        return ()
    names = tuple(referred(group.get("TargetGroupArn")) for group in _groups(resource))
    return names if len(names) > 1 else ()


def _rules_of_both(resources: Json, before: Json) -> list[str]:
    return [
        name
        for name, resource in resources.items()
        if pair_of(resource) and pair_of(resource) == pair_of(before.get(name))
    ]


def _with_actions_of(rule: Json, before: Json) -> Json:
    actions = object_at(before, "Properties").get("Actions")
    return {**rule, "Properties": {**object_at(rule, "Properties"), "Actions": actions}}


def _weighted(rule: Json, weights: Mapping[str, int] | None) -> Json:
    """None: without any. Weights that name none of its target groups leave the rule as it is."""
    names = pair_of(rule)
    if weights is not None and not any(weights.get(name) for name in names):
        return rule
    groups: list[JsonValue] = [
        {"TargetGroupArn": {"Ref": name}}
        if weights is None
        else {"TargetGroupArn": {"Ref": name}, "Weight": weights.get(name, 0)}
        for name in names
    ]
    action: Json = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    return {**rule, "Properties": {**object_at(rule, "Properties"), "Actions": [action]}}


def _groups(rule: Json) -> list[Json]:
    actions = object_at(rule, "Properties").get("Actions")
    action = actions[0] if isinstance(actions, list) and actions else None
    config = object_at(action, "ForwardConfig") if isinstance(action, dict) else {}
    found = config.get("TargetGroups")
    return [group for group in found if isinstance(group, dict)] if isinstance(found, list) else []
