"""What AWS answers of a service that was deployed as `Desired` says: for `fsd import`."""

from __future__ import annotations

from typing import Any

from fsd.compile.desired import Desired, Json, ScheduledBounds, Tracked
from fsd.compile.schedule import schedule_parameters
from fsd.compile.service import create_parameters
from fsd.compile.shared import shared_template

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/made/0a1b2c3d"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/made/0a1b"
LISTENERS = {
    protocol: f"{BALANCER.replace('loadbalancer', 'listener')}/{protocol.lower()}"
    for protocol in ("HTTP", "HTTPS", "TCP", "TLS")
}
OUTPUTS = {"TaskSecurityGroupId": "sg-tasks", "TargetGroupArn": GROUP}
CIDR = "10.0.0.0/16"
REVISION = "arn:aws:ecs:us-east-1:123456789012:task-definition/offer-api-dev:1"


def describe(desired: Desired) -> dict[str, Any]:
    """As `fsd.aws.running_service` reads it."""
    outputs = {**OUTPUTS, **_literals(desired.template)}
    if desired.schedule is not None:
        return _describe_job(desired, outputs)
    service = create_parameters(
        desired, outputs=outputs, task_definition_arn=REVISION, client_token="t"
    )
    tags: Any = [{"key": k, "value": v} for k, v in desired.task_definition_tags.items()]
    return {
        "service": service,
        "taskDefinition": {**desired.task_definition, "tags": tags},
        "logGroup": _log_group(desired.template),
        "boundary": _boundary(desired.template),
        "vpcCidr": CIDR,
        "securityGroups": [*_security_groups(desired)],
        **_balancing(desired),
        **_scaling(desired),
        "unknown": [],
    }


def _describe_job(desired: Desired, outputs: dict[str, str]) -> dict[str, Any]:
    outputs = {**outputs, "ScheduleRoleArn": "arn:aws:iam::123456789012:role/fsd/schedule"}
    tags: Any = [{"key": k, "value": v} for k, v in desired.task_definition_tags.items()]
    return {
        "schedule": schedule_parameters(desired, outputs=outputs, task_definition_arn=REVISION),
        "taskDefinition": {**desired.task_definition, "tags": tags},
        "logGroup": _log_group(desired.template),
        "boundary": _boundary(desired.template),
        "securityGroups": [*_security_groups(desired)],
        "unknown": [],
    }


def _literals(template: Json) -> dict[str, str]:
    outputs: Any = template.get("Outputs", {})
    return {k: v["Value"] for k, v in outputs.items() if isinstance(v["Value"], str)}


def _of_kind(template: Json, kind: str) -> list[dict[str, Any]]:
    resources: Any = template["Resources"]
    return [each["Properties"] for each in resources.values() if each["Type"].endswith(kind)]


def _log_group(template: Json) -> dict[str, Any]:
    return next(
        (
            {
                "retentionInDays": each["RetentionInDays"],
                **({"kmsKeyId": each["KmsKeyId"]} if "KmsKeyId" in each else {}),
            }
            for each in _of_kind(template, "LogGroup")
        ),
        {},
    )


def _boundary(template: Json) -> str:
    return next((r.get("PermissionsBoundary", "") for r in _of_kind(template, "IAM::Role")), "")


def _security_groups(desired: Desired) -> list[dict[str, Any]]:
    found = []
    for each in _of_both(desired, "EC2::SecurityGroup"):
        is_of_tasks = str(each["GroupDescription"]).startswith("Tasks of")
        rules = [r for r in each.get("SecurityGroupIngress", []) if "CidrIp" in r]
        permissions = [{"IpRanges": [{"CidrIp": rule["CidrIp"]}]} for rule in rules]
        name = "sg-tasks" if is_of_tasks else "sg-balancer"
        tags = dict(desired.stack_tags)
        found.append({"GroupId": name, "IpPermissions": permissions, "Tags": tags})
    return found


def _of_both(desired: Desired, kind: str) -> list[dict[str, Any]]:
    """Of the service's stack, and of the load balancer's that it has with others."""
    shared = [shared_template(desired.shared)] if desired.shared else []
    return [each for template in (desired.template, *shared) for each in _of_kind(template, kind)]


def _attributes(resources: list[dict[str, Any]], key: str) -> dict[str, str]:
    return {each["Key"]: each["Value"] for of in resources for each in of.get(key, [])}


def _balancing(desired: Desired) -> dict[str, Any]:
    groups = _of_kind(desired.template, "TargetGroup")
    balancers = _of_both(desired, "::LoadBalancer")
    rules = _of_kind(desired.template, "::ListenerRule")
    forward = [{"Type": "forward", "TargetGroupArn": GROUP}]
    return {
        "targetGroups": [{**each, "TargetGroupArn": GROUP} for each in groups],
        "loadBalancers": [
            {**each, "LoadBalancerArn": BALANCER, "SecurityGroups": ["sg-balancer"]}
            for each in balancers
        ],
        "listeners": [
            {**each, "ListenerArn": LISTENERS[each["Protocol"]]}
            for each in _of_both(desired, "::Listener")
        ],
        "rules": [
            *({**each, "ListenerArn": _listener(each), "Actions": forward} for each in rules),
            *({"IsDefault": True, "Actions": forward} for _ in balancers if not rules),
        ],
        "tags": {
            **({GROUP: dict(desired.stack_tags)} if groups else {}),
            **({BALANCER: desired.shared.tags} if desired.shared else {}),
        },
        "attributes": {
            GROUP: _attributes(groups, "TargetGroupAttributes"),
            BALANCER: _attributes(balancers, "LoadBalancerAttributes"),
            **{
                LISTENERS[each["Protocol"]]: _attributes([each], "ListenerAttributes")
                for each in _of_both(desired, "::Listener")
                if each["Protocol"] == "TCP"
            },
        },
    }


def _listener(rule: dict[str, Any]) -> str:
    """A listener that is there, or one that a shared load balancer's stack exports."""
    arn = rule["ListenerArn"]
    if isinstance(arn, str):
        return arn
    return LISTENERS["HTTPS" if "Https" in arn["Fn::ImportValue"] else "HTTP"]


def _scaling(desired: Desired) -> dict[str, Any]:
    scaling = desired.scaling
    if scaling is None:
        return {"targets": [], "policies": [], "schedules": []}
    cooldowns = {
        "ScaleInCooldown": scaling.scale_in_cooldown,
        "ScaleOutCooldown": scaling.scale_out_cooldown,
    }
    specifications: list[dict[str, Any]] = [
        {"TargetValue": target, "PredefinedMetricSpecification": {"PredefinedMetricType": kind}}
        for kind, target in (
            ("ECSServiceAverageCPUUtilization", scaling.cpu),
            ("ECSServiceAverageMemoryUtilization", scaling.memory),
        )
        if target is not None
    ]
    specifications += [
        {"TargetValue": each.target, _specification_key(each): each.specification}
        for each in scaling.tracked
    ]
    return {
        "targets": [{"MinCapacity": scaling.minimum, "MaxCapacity": scaling.maximum}],
        "policies": [
            {"TargetTrackingScalingPolicyConfiguration": {**each, **cooldowns}}
            for each in specifications
        ],
        "schedules": [_action(desired.name, each) for each in scaling.schedules],
    }


def _specification_key(tracked: Tracked) -> str:
    kind = "Predefined" if "PredefinedMetricType" in tracked.specification else "Customized"
    return f"{kind}MetricSpecification"


def _action(service: str, schedule: ScheduledBounds) -> dict[str, Any]:
    limits = {"MinCapacity": schedule.minimum, "MaxCapacity": schedule.maximum}
    return {
        "ScheduledActionName": f"{service}-at-{schedule.name}",
        "Schedule": schedule.expression,
        "Timezone": schedule.time_zone,
        "ScalableTargetAction": {k: v for k, v in limits.items() if v is not None},
    }
