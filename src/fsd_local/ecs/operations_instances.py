"""EC2's container instances and their attributes: a Fargate account has none."""

from __future__ import annotations

from fsd_local.ecs import arns
from fsd_local.ecs.context import CallContext
from fsd_local.ecs.model import Json


def list_container_instances(context: CallContext, parameters: Json) -> Json:
    context.cluster(parameters)
    return {"containerInstanceArns": []}


def describe_container_instances(context: CallContext, parameters: Json) -> Json:
    cluster, scope = context.cluster(parameters), context.scope
    failures = []
    for name in parameters["containerInstances"]:
        path = f"container-instance/{cluster.name}/{name}"
        arn = name if name.startswith("arn:") else arns.arn(scope.account, scope.region, path)
        failures.append({"arn": arn, "reason": "MISSING"})
    return {"containerInstances": [], "failures": failures}


def list_attributes(context: CallContext, parameters: Json) -> Json:
    context.cluster(parameters)
    return {"attributes": []}
