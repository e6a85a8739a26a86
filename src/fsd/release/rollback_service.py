"""The service during a rollback: the earlier revision, attached as it was, at the earlier count."""

from __future__ import annotations

from typing import cast

from fsd.compile.desired import (
    OUTPUT_ALTERNATE_GROUP,
    OUTPUT_PRODUCTION_RULE,
    OUTPUT_TARGET_GROUP,
    Json,
    JsonValue,
)
from fsd.compile.service import PAUSE, ended_settings
from fsd.release.rollback_target import GoBack, is_group_gone
from fsd.rollout.assess import Ours
from fsd.snapshot import ServiceState


def restore_count(back: GoBack) -> None:
    """The count is not part of a revision, so ECS's rollback leaves the one that we set."""
    before = back.observed.service
    if before is not None and back.count not in {None, before.desired}:
        set_count(back, before.desired)


def roll_out(back: GoBack, good: str) -> Ours:
    """Deploy `good` once more."""
    before, ref, ecs = back.observed.service, back.ref, back.aws.ecs
    known = frozenset(ecs.service_deployment_arns(ref.cluster, ref.name))
    now = ecs.find_service(ref.cluster, ref.name)
    settings = _settings(back, now) if now is not None else {}
    parameters: Json = {
        "cluster": ref.cluster,
        "service": ref.name,
        "taskDefinition": good,
        "forceNewDeployment": True,
        **settings,
    }
    if before is not None and back.count is not None:
        parameters["desiredCount"] = before.desired
    back.watcher.reader.answer = ecs.update_service(parameters)
    found = back.watcher.find(known=known, task_definition_arn=good)
    return Ours(service=ref.name, arn=found.arn, task_definition_arn=good)


def _settings(back: GoBack, now: ServiceState) -> Json:
    """A service that still rolls does so back as well, also where it had shifted traffic before:
    the second target group comes with that, and then the strategy."""
    settings = _attached_as(back.observed.service, now, back)
    if not now.shifts_traffic:
        return settings
    return settings | {"deploymentConfiguration": _at_once(back.observed.service, now)}


def restore_strategy(back: GoBack) -> None:
    """What no revision has: the strategy that the release changed, and what `roll_out` left out so
    as to be quick. It starts no deployment."""
    before, ref, ecs = back.observed.service, back.ref, back.aws.ecs
    if before is None or not (before.shifts_traffic or before.production_rule):
        return
    now = ecs.find_service(ref.cluster, ref.name)
    if now is None:
        return
    wanted, found = _configured_as(before, now), now.deployment_configuration
    if any(found.get(key) != value for key, value in wanted.items()):
        ecs.update_service(
            {"cluster": ref.cluster, "service": ref.name, "deploymentConfiguration": wanted}
        )


def _at_once(before: ServiceState | None, now: ServiceState) -> Json:
    """All the traffic goes back in one shift: no part of it stays with what failed, nothing bakes,
    and nobody has to approve."""
    hooks = [hook for service in (now, before) if service is not None for hook in _hooks(service)]
    if all(hook.get("targetType") != PAUSE for hook in hooks):
        return {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}
    others = [hook for hook in _hooks(now) if hook.get("targetType") != PAUSE]
    return {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0, "lifecycleHooks": [*others]}


def _hooks(service: ServiceState) -> list[Json]:
    found = service.deployment_configuration.get("lifecycleHooks")
    return [hook for hook in found if isinstance(hook, dict)] if isinstance(found, list) else []


def _configured_as(before: ServiceState, now: ServiceState) -> Json:
    """An update keeps what it does not name, so what the release had added is switched off."""
    wanted: Json = {"strategy": "ROLLING", **cast(Json, before.deployment_configuration)}
    ends = ended_settings(now.deployment_configuration, wanted)
    return {**{key: one for key, one in wanted.items() if key != "lifecycleHooks"}, **ends}


def _groups(before: ServiceState, back: GoBack) -> tuple[str, ...]:
    if not (before.target_group_arns and is_group_gone(back)):
        return before.target_group_arns
    stack = back.aws.stacks.find(back.ref.stack_name)
    arn = stack.outputs.get(OUTPUT_TARGET_GROUP) if stack else None
    return (arn,) if arn else before.target_group_arns


def _attached_as(before: ServiceState | None, now: ServiceState, back: GoBack) -> Json:
    """An update keeps what it does not name: the target group and the port of the failed release.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
    """
    if before is None or not back.container:
        return {}
    network: Json = {
        "subnets": list(before.subnets),
        "securityGroups": list(before.security_groups),
        "assignPublicIp": "ENABLED" if before.assign_public_ip else "DISABLED",
    }
    return {
        "networkConfiguration": {"awsvpcConfiguration": network},
        "loadBalancers": _pair(before, now, back)
        if before.production_rule
        else _single(before, back),
    }


def _single(before: ServiceState, back: GoBack) -> list[JsonValue]:
    return [
        {
            "targetGroupArn": arn,
            "containerName": before.container_name or back.container,
            "containerPort": before.container_port,
        }
        for arn in _groups(before, back)
    ]


def _pair(before: ServiceState, now: ServiceState, back: GoBack) -> list[JsonValue]:
    """With the ARNs of now: a rule on another listener is another rule. A rolling deployment stays
    in the target group that serves, so that is the first one."""
    stack = back.aws.stacks.find(back.ref.stack_name)
    outputs = stack.outputs if stack else {}
    made: Json = {"productionListenerRule": outputs.get(OUTPUT_PRODUCTION_RULE, "")}
    group: Json = {}
    if is_group_gone(back):
        group = {"targetGroupArn": outputs.get(OUTPUT_TARGET_GROUP, "")}
        made |= {"alternateTargetGroupArn": outputs.get(OUTPUT_ALTERNATE_GROUP, "")}
    found = []
    for one in before.load_balancers:
        balancer = cast(Json, {**one})
        advanced = cast(Json, balancer.get("advancedConfiguration") or {})
        told = {**advanced, **{key: arn for key, arn in made.items() if arn}}
        balancer |= {key: arn for key, arn in group.items() if arn}
        if not now.shifts_traffic and told.get("alternateTargetGroupArn") in now.target_group_arns:
            told["alternateTargetGroupArn"], balancer["targetGroupArn"] = (
                balancer["targetGroupArn"],
                told["alternateTargetGroupArn"],
            )
        found.append({**balancer, "advancedConfiguration": told})
    return [*found]


def set_count(back: GoBack, count: int) -> ServiceState:
    return back.aws.ecs.update_service(
        {"cluster": back.ref.cluster, "service": back.ref.name, "desiredCount": count}
    )
