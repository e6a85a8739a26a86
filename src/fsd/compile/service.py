"""The ECS service: what CreateService and UpdateService are told.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
"""

from __future__ import annotations

from collections.abc import Mapping

from fsd.compile.capacity import ON_DEMAND, compile_capacity
from fsd.compile.connect import compile_connect
from fsd.compile.desired import (
    OUTPUT_ALTERNATE_GROUP,
    OUTPUT_INFRASTRUCTURE_ROLE,
    OUTPUT_PRODUCTION_RULE,
    OUTPUT_TARGET_GROUP,
    OUTPUT_TASK_SECURITY_GROUP,
    Desired,
    DesiredService,
    Json,
    JsonValue,
    Target,
)
from fsd.compile.network import find_load_balancer
from fsd.compile.tags import compile_tags
from fsd.errors import CallFailedError, ErrorCode
from fsd.manifest import names
from fsd.manifest.models import Approval, CanaryShift, Deployment, LinearShift, Manifest, Service

PAUSE = "PAUSE"  # the type of a hook that waits for somebody
_PAUSE_STAGES = {
    "postScaleUp": "POST_SCALE_UP",
    "preProductionTrafficShift": "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "postProductionTrafficShift": "POST_PRODUCTION_TRAFFIC_SHIFT",
}

_OF_SHIFTS = {"bakeTimeInMinutes", "canaryConfiguration", "lifecycleHooks", "linearConfiguration"}

# The names in the manifest and on AWS.
_STRATEGIES = {
    "rolling": "ROLLING",
    "blueGreen": "BLUE_GREEN",
    "canary": "CANARY",
    "linear": "LINEAR",
}


def compile_desired_service(manifest: Manifest, *, target: Target) -> DesiredService:
    service = manifest.service
    balancer, groups = find_load_balancer(service), service.networking.own_groups
    return DesiredService(
        name=ecs_service_name(manifest, target.environment),
        cluster=target.cluster,
        desired_count=service.resources.desired,
        subnets=tuple(sorted(service.networking.subnets or target.task_subnets)),
        assign_public_ip=not service.networking.vpc,
        container=manifest.metadata.name,
        port=service.main_port,
        has_load_balancer=balancer is not None,
        grace_period=_grace_period(service),
        deployment_configuration=_deployment_configuration(service.deployment),
        tags=compile_tags(manifest, target=target),
        exec=service.exec,
        connect=compile_connect(manifest),
        capacity=compile_capacity(service),
        security_groups=tuple(sorted(set(groups.ids))) if groups else (),
        has_own_group=groups is None or not groups.only,
        count_is_said=service.resources.desired_count is not None,
    )


def ecs_service_name(manifest: Manifest, environment: str) -> str:
    """The ECS service's own name where another tool made it."""
    own = manifest.service.existing_service
    return own or names.service_name(manifest.metadata.name, environment)


def create_parameters(
    desired: Desired, *, outputs: Mapping[str, str], task_definition_arn: str, client_token: str
) -> Json:
    """Input of CreateService. Raises CallFailedError where the stack lacks an output."""
    service = desired.service
    tags: list[JsonValue] = [{"key": k, "value": v} for k, v in sorted(service.tags.items())]
    return {
        **_common(desired, outputs=outputs, task_definition_arn=task_definition_arn),
        "serviceName": service.name,
        "desiredCount": service.desired_count,
        **_capacity(service),
        **({"serviceConnectConfiguration": service.connect} if service.connect else {}),
        "schedulingStrategy": "REPLICA",
        "deploymentConfiguration": service.deployment_configuration,
        "loadBalancers": _load_balancers(desired, outputs),
        "clientToken": client_token,
        "tags": tags,
    }


def ended_settings(current: Mapping[str, object], wanted: Json) -> Json:
    """What has to be switched off: UpdateService keeps the settings that are left out.

    Both are deployment configurations; the answer is one too.
    """
    ended: Json = {}
    alarms = current.get("alarms")
    if isinstance(alarms, dict) and alarms.get("enable") and "alarms" not in wanted:
        ended["alarms"] = {"alarmNames": [], "enable": False, "rollback": False}
    if current.get("bakeTimeInMinutes") and "bakeTimeInMinutes" not in wanted:
        ended["bakeTimeInMinutes"] = 0
    early = current.get("earlySuccessCriteria")
    if isinstance(early, dict) and early.get("enable") and "earlySuccessCriteria" not in wanted:
        ended["earlySuccessCriteria"] = {"enable": False}
    hooks = _hooks(current, wanted)
    if hooks is not None:
        ended["lifecycleHooks"] = hooks
    return ended


def _hooks(current: Mapping[str, object], wanted: Json) -> list[JsonValue] | None:
    """All that the service is to have, where it has others; None where they stay.

    Functions that somebody hooked in stay while ECS calls them: a rolling deployment fails of them
    (https://github.com/aws/containers-roadmap/issues/2664).
    """
    found = current.get("lifecycleHooks")
    now = [hook for hook in found if isinstance(hook, dict)] if isinstance(found, list) else []
    own = wanted.get("lifecycleHooks")
    pauses = own if isinstance(own, list) else []
    before = [hook for hook in now if hook.get("targetType") == PAUSE]
    others = [hook for hook in now if hook.get("targetType") != PAUSE]
    shifts = wanted.get("strategy", "ROLLING") != "ROLLING"
    if list(map(_said, before)) == list(map(_said, pauses)) and (shifts or not others):
        return None
    return [*(others if shifts else []), *pauses]


def _said(hook: JsonValue) -> JsonValue:
    """What a pause says; the rest are ECS's own additions."""
    known = ("targetType", "lifecycleStages", "timeoutConfiguration")
    return {key: hook.get(key) for key in known} if isinstance(hook, dict) else hook


def update_parameters(
    desired: Desired,
    *,
    outputs: Mapping[str, str],
    task_definition_arn: str,
    ends: Json,
    also: Json | None = None,
    first_group: str = "",
) -> Json:
    """Input of UpdateService. Raises CallFailedError where the stack lacks an output.

    Without the count, which the plan knows. `ends` is what `ended_settings` found, `also` are
    parameters that are sent only where they change something. `first_group` is the ARN of the
    target group that stays the first of a pair.
    """
    service = desired.service
    return {
        **_common(desired, outputs=outputs, task_definition_arn=task_definition_arn),
        "service": service.name,
        "deploymentConfiguration": changed_configuration(service.deployment_configuration, ends),
        "loadBalancers": _load_balancers(desired, outputs, first_group=first_group),
        **(also or {}),
    }


def changed_configuration(wanted: Json, ends: Json) -> Json:
    """What an update says. The hooks of others are among those that `ends` has; left out, all stay
    as they are."""
    return {key: one for key, one in wanted.items() if key != "lifecycleHooks"} | ends


def in_place(configuration: Json) -> Json:
    """The same without what shifts traffic."""
    kept = {key: one for key, one in configuration.items() if key not in _OF_SHIFTS}
    return {**kept, "strategy": "ROLLING"}


def changed_capacity(service: DesiredService) -> Json:
    """UpdateService knows no launch type: on demand is a strategy of one provider there."""
    on_demand: Json = {"capacityProvider": ON_DEMAND, "base": 0, "weight": 1}
    return {"capacityProviderStrategy": list(service.capacity or (on_demand,))}


def changed_connect(service: DesiredService) -> Json:
    return {"serviceConnectConfiguration": service.connect or {"enabled": False}}


def _capacity(service: DesiredService) -> Json:
    if service.capacity:
        return {"capacityProviderStrategy": list(service.capacity)}
    return {"launchType": "FARGATE"}


def _common(desired: Desired, *, outputs: Mapping[str, str], task_definition_arn: str) -> Json:
    service = desired.service
    parameters: Json = {
        "cluster": service.cluster,
        "taskDefinition": task_definition_arn,
        "networkConfiguration": network_configuration(desired, outputs),
        "enableExecuteCommand": service.exec,
        "propagateTags": "SERVICE",
        "enableECSManagedTags": True,
    }
    if service.grace_period is not None:
        parameters["healthCheckGracePeriodSeconds"] = service.grace_period
    return parameters


def network_configuration(desired: Desired, outputs: Mapping[str, str]) -> Json:
    service = desired.service
    groups: list[JsonValue] = [*service.security_groups]
    if service.has_own_group:
        groups.insert(0, stack_output(desired, outputs, OUTPUT_TASK_SECURITY_GROUP))
    return {
        "awsvpcConfiguration": {
            "subnets": list(service.subnets),
            "securityGroups": groups,
            "assignPublicIp": "ENABLED" if service.assign_public_ip else "DISABLED",
        }
    }


def _load_balancers(
    desired: Desired, outputs: Mapping[str, str], *, first_group: str = ""
) -> list[JsonValue]:
    service = desired.service
    if not service.has_load_balancer or service.port is None:
        return []
    group = stack_output(desired, outputs, OUTPUT_TARGET_GROUP)
    advanced = _advanced(desired, outputs)
    if advanced and first_group and first_group == advanced["alternateTargetGroupArn"]:
        group, advanced = first_group, {**advanced, "alternateTargetGroupArn": group}
    return [
        {
            "targetGroupArn": group,
            "containerName": service.container,
            "containerPort": service.port,
            **({"advancedConfiguration": advanced} if advanced else {}),
        }
    ]


def _advanced(desired: Desired, outputs: Mapping[str, str]) -> Json:
    """What ECS shifts traffic with; {} where it does not.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AdvancedConfiguration.html
    """
    if not desired.service.shifts_traffic:
        return {}
    members = {
        "alternateTargetGroupArn": OUTPUT_ALTERNATE_GROUP,
        "productionListenerRule": OUTPUT_PRODUCTION_RULE,
        "roleArn": OUTPUT_INFRASTRUCTURE_ROLE,
    }
    return {key: stack_output(desired, outputs, name) for key, name in members.items()}


def stack_output(desired: Desired, outputs: Mapping[str, str], name: str) -> str:
    if name in outputs:
        return outputs[name]
    raise CallFailedError(
        f"the stack {desired.stack_name} has no output {name}",
        where=f"stack {desired.stack_name}",
        fix="somebody else changed the stack: delete it and deploy again",
        code=ErrorCode.STACK_OUTPUT_MISSING,
    )


def _grace_period(service: Service) -> int | None:
    """None without a load balancer: ECS refuses it then, whatever the container checks.

    https://github.com/hashicorp/terraform-provider-aws/issues/31104. A container's own check has
    the period as its `startPeriod`.
    """
    return service.checks.grace_period if find_load_balancer(service) is not None else None


def _deployment_configuration(deployment: Deployment) -> Json:
    """The circuit breaker is always on: it is the net under `fsd`, should that be killed."""
    breaker: Json = {"enable": True, "rollback": True}
    if deployment.circuit_breaker is not None:
        threshold = deployment.circuit_breaker.threshold
        breaker["thresholdConfiguration"] = {"type": "COUNT", "value": threshold}
    configuration: Json = {
        "strategy": _STRATEGIES[deployment.strategy],
        "minimumHealthyPercent": deployment.minimum_healthy_percent,
        "maximumPercent": deployment.maximum_percent,
        "deploymentCircuitBreaker": breaker,
    }
    if deployment.alarms:
        alarms: list[JsonValue] = [*sorted(set(deployment.alarms))]
        configuration["alarms"] = {"alarmNames": alarms, "enable": True, "rollback": True}
    if deployment.bake_minutes is not None:
        configuration["bakeTimeInMinutes"] = deployment.bake_minutes
    if deployment.strategy == "canary":
        canary = deployment.canary or CanaryShift()
        configuration["canaryConfiguration"] = {
            "canaryPercent": canary.percent,
            "canaryBakeTimeInMinutes": canary.bake_time,
        }
    if deployment.strategy == "linear":
        linear = deployment.linear or LinearShift()
        configuration["linearConfiguration"] = {
            "stepPercent": linear.step_percent,
            "stepBakeTimeInMinutes": linear.step_bake_time,
        }
    if deployment.approval is not None and deployment.shifts_traffic:
        configuration["lifecycleHooks"] = [_pause(deployment.approval)]
    if deployment.early_success is not None:
        configuration["earlySuccessCriteria"] = {
            "enable": True,
            "healthyPercent": deployment.early_success.healthy_percent,
            "sourceServiceRevisionCleanup": deployment.early_success.cleanup.upper(),
        }
    return configuration


def _pause(approval: Approval) -> Json:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentLifecycleHook.html"""
    return {
        "targetType": PAUSE,
        "lifecycleStages": [_PAUSE_STAGES[approval.stage]],
        "timeoutConfiguration": {
            "timeoutInMinutes": approval.minutes,
            "action": approval.then.upper(),
        },
    }
