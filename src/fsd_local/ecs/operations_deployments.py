"""Service deployments and service revisions: list, describe, stop.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
"""

from __future__ import annotations

import re
from datetime import datetime

from fsd_local.ecs import describe
from fsd_local.ecs.context import CallContext, paginate
from fsd_local.ecs.faults import ApiError, invalid, service_not_found
from fsd_local.ecs.model import (
    EcsServiceRecord,
    HookStatus,
    Json,
    Revision,
    Scope,
    ServiceDeployment,
    ServiceDeploymentStatus,
)

_DESCRIBED = 20
_PAGE = 20
_HOOK_ID = re.compile(r"ecs-(pause|lambda)-.+")


def list_service_deployments(context: CallContext, parameters: Json) -> Json:
    """Newest first."""
    service = context.service(parameters)
    if service.status == "INACTIVE":
        raise service_not_found()
    statuses, times = parameters.get("status"), parameters.get("createdAt") or {}
    after, before = _instant(times.get("after")), _instant(times.get("before"))
    found = [
        describe.service_deployment_brief(deployment, service)
        for deployment in service.service_deployments
        if (not statuses or str(deployment.status) in statuses)
        and (after is None or deployment.created_at >= after)
        and (before is None or deployment.created_at <= before)
    ]
    page, token = paginate(found, parameters, default=_PAGE)
    return {"serviceDeployments": list(page), **token}


def _instant(value: float | str | None) -> float | None:
    """The wire has epoch seconds; the model's other timestamp forms are read as well."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).timestamp()
    return value


def describe_service_deployments(context: CallContext, parameters: Json) -> Json:
    answer: Json = {"serviceDeployments": [], "failures": []}
    for arn in _wanted(parameters["serviceDeploymentArns"], "service-deployment"):
        found = find_service_deployment(context.scope, arn)
        if found is None:
            answer["failures"].append({"arn": arn, "reason": "MISSING"})
        else:
            answer["serviceDeployments"].append(describe.service_deployment(*found))
    return answer


def describe_service_revisions(context: CallContext, parameters: Json) -> Json:
    answer: Json = {"serviceRevisions": [], "failures": []}
    for arn in _wanted(parameters["serviceRevisionArns"], "service-revision"):
        found = _find_revision(context.scope, arn)
        if found is None:
            answer["failures"].append({"arn": arn, "reason": "MISSING"})
        else:
            answer["serviceRevisions"].append(describe.service_revision(*found))
    return answer


def stop_service_deployment(context: CallContext, parameters: Json) -> Json:
    """Ask for a rollback; the scheduler begins it, or the deployment succeeds first.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html
    """
    arn = parameters["serviceDeploymentArn"]
    _wanted([arn], "service-deployment")
    if parameters.get("stopType", "ROLLBACK") != "ROLLBACK":
        raise invalid("Invalid stopType: the valid values are ROLLBACK.")
    found = find_service_deployment(context.scope, arn)
    if found is None:
        raise ApiError("ServiceDeploymentNotFoundException", "Service deployment not found.")
    deployment, service = found
    if deployment.status.is_final:
        raise ApiError(
            "ConflictException",
            f"The service deployment is {deployment.status} and can't be stopped.",
        )
    if deployment.status in {ServiceDeploymentStatus.PENDING, ServiceDeploymentStatus.IN_PROGRESS}:
        deployment.status = ServiceDeploymentStatus.ROLLBACK_REQUESTED
        deployment.updated_at = context.now
        service.is_steady = False
    return {"serviceDeploymentArn": arn}


def continue_service_deployment(context: CallContext, parameters: Json) -> Json:
    """Answer a PAUSE hook.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/continue-service-deployment.html
    """
    arn, hook_id = parameters["serviceDeploymentArn"], parameters["hookId"]
    _wanted([arn], "service-deployment")
    if not _HOOK_ID.fullmatch(hook_id):
        raise invalid("Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}")
    found = find_service_deployment(context.scope, arn)
    if found is None:
        raise ApiError(
            "ServiceDeploymentNotFoundException", "The service deployment does not exist."
        )
    deployment, service = found
    if deployment.status.is_final:
        raise invalid(
            "Continuing a service deployment is not allowed for service deployment in terminal "
            "states."
        )
    run = next((run for run in deployment.traffic.hooks if run.id == hook_id), None)
    if run is None or run.status is not HookStatus.AWAITING_ACTION:
        raise invalid(
            "Provided hookId is either completed, unavailable, or not associated with the given "
            "Resource ARN"
        )
    run.status = HookStatus.SUCCEEDED
    if parameters.get("action", "CONTINUE") == "ROLLBACK":
        run.status = HookStatus.FAILED
        deployment.status = ServiceDeploymentStatus.ROLLBACK_REQUESTED
    deployment.updated_at, service.is_steady = context.now, False
    return {"serviceDeploymentArn": arn}


def _wanted(arns: list[str], kind: str) -> list[str]:
    if not 1 <= len(arns) <= _DESCRIBED:
        raise invalid(f"Specify 1 to {_DESCRIBED} ARNs.")
    for arn in arns:
        if not arn.startswith("arn:") or f":{kind}/" not in arn:
            raise invalid(f"Invalid identifier: {arn} is not the ARN of a {kind}.")
    return arns


def find_service_deployment(
    scope: Scope, arn: str
) -> tuple[ServiceDeployment, EcsServiceRecord] | None:
    """History goes with its service."""
    for service in scope.services.values():
        for deployment in service.service_deployments:
            if deployment.arn == arn and service.status != "INACTIVE":
                return deployment, service
    return None


def _find_revision(scope: Scope, arn: str) -> tuple[Revision, EcsServiceRecord] | None:
    for service in scope.services.values():
        revision = service.revisions.get(arn)
        if revision is not None and service.status != "INACTIVE":
            return revision, service
    return None
