"""The service during a rollback: the earlier revision, attached as it was, at the earlier count."""

from __future__ import annotations

from fsd.compile.desired import OUTPUT_TARGET_GROUP, Json
from fsd.release.rollback_target import GoBack, is_group_gone
from fsd.rollout.assess import Ours
from fsd.snapshot import ServiceState


def restore_count(back: GoBack) -> None:
    """The count is not part of a revision, so ECS's rollback leaves the one that we set."""
    before = back.observed.service
    if before is not None and back.count not in {None, before.desired}:
        set_count(back, before.desired)


def roll_out(back: GoBack, good: str) -> Ours:
    before, ref, ecs = back.observed.service, back.ref, back.aws.ecs
    known = frozenset(ecs.service_deployment_arns(ref.cluster, ref.name))
    parameters: Json = {
        "cluster": ref.cluster,
        "service": ref.name,
        "taskDefinition": good,
        "forceNewDeployment": True,
        **_attached_as(before, back),
    }
    if before is not None and back.count is not None:
        parameters["desiredCount"] = before.desired
    back.watcher.reader.answer = ecs.update_service(parameters)
    found = back.watcher.find(known=known, task_definition_arn=good)
    return Ours(service=ref.name, arn=found.arn, task_definition_arn=good)


def _groups(before: ServiceState, back: GoBack) -> tuple[str, ...]:
    if not (before.target_group_arns and is_group_gone(back)):
        return before.target_group_arns
    stack = back.aws.stacks.find(back.ref.stack_name)
    arn = stack.outputs.get(OUTPUT_TARGET_GROUP) if stack else None
    return (arn,) if arn else before.target_group_arns


def _attached_as(before: ServiceState | None, back: GoBack) -> Json:
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
        "loadBalancers": [
            {
                "targetGroupArn": arn,
                "containerName": before.container_name or back.container,
                "containerPort": before.container_port,
            }
            for arn in _groups(before, back)
        ],
    }


def set_count(back: GoBack, count: int) -> ServiceState:
    return back.aws.ecs.update_service(
        {"cluster": back.ref.cluster, "service": back.ref.name, "desiredCount": count}
    )
