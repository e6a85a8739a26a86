"""Whether the listener rule by which ECS shifts traffic becomes another one.

ECS keeps its ARN, and CloudFormation makes a new rule where the listener is another one: from then
on ECS would have the ARN of a rule that is gone.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-listenerrule.html
"""

from __future__ import annotations

from fsd.compile.desired import OUTPUT_PRODUCTION_RULE, Json, JsonValue
from fsd.plan.observed import ObservedStack
from fsd.plan.template_parts import object_at
from fsd.plan.transition import output_value
from fsd.snapshot import ServiceState


def is_another_rule(wanted: Json, stack: ObservedStack, service: ServiceState) -> bool:
    """`wanted` is the template to come. False without a rule, before or after."""
    before, after = (output_value(one, OUTPUT_PRODUCTION_RULE) for one in (stack.template, wanted))
    if before is None or after is None:
        return False
    known = stack.outputs.get(OUTPUT_PRODUCTION_RULE, "")
    is_stale = bool(service.production_rule and known) and service.production_rule != known
    is_gone = stack.is_made_anew(OUTPUT_PRODUCTION_RULE)
    is_moved = before != after or _listener(stack.template, after) != _listener(wanted, after)
    return is_stale or is_gone or is_moved


def _listener(template: Json, rule: JsonValue) -> JsonValue:
    name = rule.get("Ref") if isinstance(rule, dict) else None
    resource = object_at(object_at(template, "Resources"), str(name))
    return object_at(resource, "Properties").get("ListenerArn")
