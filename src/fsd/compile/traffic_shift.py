"""What ECS shifts the traffic of a service with: a second target group, the listener rule that
divides requests between the two, and the role with which ECS changes that rule.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/alb-resources-for-blue-green.html
"""

from __future__ import annotations

from fsd.compile.desired import Json, JsonValue, Target
from fsd.compile.roles import make_role
from fsd.manifest import names
from fsd.manifest.models import Manifest

ALTERNATE_GROUP = "AlternateTargetGroup"
PRODUCTION_RULE = "ProductionRule"
INFRASTRUCTURE_ROLE = "InfrastructureRole"

# It takes every request, so it comes after the rules that somebody else makes. The very last ones
# are FSD's own for trials of a health check.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html
_PRIORITY = 40_000
_WHOLE = 100
_POLICY = "AmazonECSInfrastructureRolePolicyForLoadBalancers"


def compile_infrastructure_role(manifest: Manifest, *, target: Target) -> Json:
    """{} where no traffic shifts. AWS keeps the policy current; the boundary limits it.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
    """
    if not manifest.service.deployment.shifts_traffic:
        return {}
    name = names.infrastructure_role(manifest.metadata.name, target.environment)
    role = make_role(manifest, name, "traffic", [], target=target, trust=_trust())
    properties = role["Properties"]
    policies: list[JsonValue] = [f"arn:{target.partition}:iam::aws:policy/{_POLICY}"]
    if isinstance(properties, dict):
        properties["ManagedPolicyArns"] = policies
    return {INFRASTRUCTURE_ROLE: role}


def forward(group: str, alternate: str, *, to_alternate: bool = False) -> Json:
    """All requests to one of two target groups, by their logical names."""
    weights = {group: 0 if to_alternate else _WHOLE, alternate: _WHOLE if to_alternate else 0}
    return {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": [
                {"TargetGroupArn": {"Ref": name}, "Weight": weight}
                for name, weight in weights.items()
            ]
        },
    }


def production_rule(listener: str, action: Json) -> Json:
    """Of a listener that is the service's own: ECS takes a rule, and the default one has no name.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AdvancedConfiguration.html
    """
    return {
        "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
        "Properties": {
            "ListenerArn": {"Ref": listener},
            "Priority": _PRIORITY,
            "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
            "Actions": [action],
        },
    }


def _trust() -> Json:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html"""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
