"""A service whose task cannot start: what ECS says of the task, and of the deployment.

This is the one question that AWS charges for: Fargate bills a task from the pull of its image.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from conformance.recording import Answer
from conformance.scenarios import TAG, Made, Site, revisions

_NOT_THERE = ("ClusterNotFoundException", "ServiceNotFoundException")


def rollout(site: Site) -> Iterator[Answer]:
    """Of an image that does not exist. It needs a subnet of the Region's default VPC."""
    answer = partial(Answer, scenario="rollout")
    ecs, subnets = site.client("ecs"), _default_subnets(site)
    if not subnets:
        yield answer(question="task that starts", said=("not asked: no default subnet",))
        return
    site.undo += [revisions(site, ecs), of_service(site, ecs)]
    _create(site, ecs, subnets)
    site.last_state(lambda: str(_stopped_task(site, ecs).get("stoppedReason", "")), until=bool)
    task = _stopped_task(site, ecs)
    said = tuple(site.say(str(task.get(key, ""))) for key in ("stopCode", "stoppedReason"))
    yield answer(question="task whose image does not exist", said=said)
    state = site.last_state(
        lambda: _of_deployment(site, ecs, "rolloutState"), until=lambda text: text == "FAILED"
    )
    reason = _of_deployment(site, ecs, "rolloutStateReason")
    yield answer(question="deployment with a circuit breaker", said=(*state, reason))


def _default_subnets(site: Site) -> list[str]:
    filters = [{"Name": "default-for-az", "Values": ["true"]}]
    found = site.client("ec2").describe_subnets(Filters=filters)["Subnets"]
    return [one["SubnetId"] for one in found[:1]]


def _create(site: Site, ecs: Any, subnets: list[str]) -> None:
    image = f"public.ecr.aws/docker/library/{site.name}-missing:1"
    ecs.register_task_definition(
        family=site.name,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": image}],
        tags=[{"key": TAG, "value": site.name}],
    )
    ecs.create_service(
        cluster=site.cluster,
        serviceName=site.name,
        taskDefinition=site.name,
        desiredCount=1,
        launchType="FARGATE",
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}},
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": subnets, "assignPublicIp": "ENABLED"}
        },
        tags=[{"key": TAG, "value": site.name}],
    )


def _stopped_task(site: Site, ecs: Any) -> dict[str, Any]:
    """{} until a task of the service has stopped; the newest may be about to."""
    arns = ecs.list_tasks(cluster=site.cluster, serviceName=site.name, desiredStatus="STOPPED")
    if not arns["taskArns"]:
        return {}
    found = ecs.describe_tasks(cluster=site.cluster, tasks=arns["taskArns"])["tasks"]
    return next((one for one in found if one["lastStatus"] == "STOPPED"), {})


def _of_deployment(site: Site, ecs: Any, key: str) -> str:
    found = ecs.describe_services(cluster=site.cluster, services=[site.name])["services"]
    return site.say(str(found[0]["deployments"][0].get(key)))


def of_service(site: Site, ecs: Any) -> Made:
    return Made(
        what=f"service {site.name}",
        command=f"aws ecs delete-service --force --cluster {site.cluster} --service {site.name} "
        f"{site.options}",
        remove=partial(_delete, site, ecs),
    )


def _delete(site: Site, ecs: Any) -> None:
    try:
        ecs.delete_service(cluster=site.cluster, service=site.name, force=True)
    except ClientError as error:
        if error.response["Error"].get("Code") not in _NOT_THERE:
            raise
