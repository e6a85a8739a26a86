"""Clusters."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fsd_local.ecs import arns, describe
from fsd_local.ecs.capacity import FARGATE_PROVIDERS, check_providers, check_strategy
from fsd_local.ecs.context import CallContext, load_tags, paginate
from fsd_local.ecs.faults import ApiError, invalid, namespace_not_found
from fsd_local.ecs.model import Cluster, Json

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_DESCRIBED = 100
_INSIGHTS = {"enabled", "disabled", "enhanced"}
_EVERY_FIELD = ("TAGS", "SETTINGS", "CONFIGURATIONS")


def create_cluster(context: CallContext, parameters: Json) -> Json:
    """An ACTIVE cluster of this name is answered as it is."""
    name = parameters.get("clusterName") or "default"
    if not _NAME.fullmatch(name):
        raise invalid("Invalid cluster name: up to 255 letters, numbers, underscores and hyphens.")
    tags = load_tags(parameters.get("tags"))
    scope = context.scope
    if name not in scope.clusters:
        _check(context, parameters, parameters.get("capacityProviders") or ())
        arn = arns.arn(scope.account, scope.region, f"cluster/{name}")
        scope.clusters[name] = Cluster(name=name, arn=arn, tags=tags)
        scope.deleted_clusters.pop(name, None)
        _update(scope.clusters[name], parameters)
    return {"cluster": describe.cluster(scope.clusters[name], scope, _EVERY_FIELD)}


def describe_clusters(context: CallContext, parameters: Json) -> Json:
    """A deleted one is INACTIVE; AWS forgets it after a while.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html
    """
    wanted = parameters.get("clusters") or ["default"]
    if len(wanted) > _DESCRIBED:
        raise invalid(f"Clusters cannot have more than {_DESCRIBED} elements.")
    include = parameters.get("include") or []
    answer: Json = {"clusters": [], "failures": []}
    for name in wanted:
        scope, short = context.scope, arns.last_part(name)
        found = scope.clusters.get(short) or scope.deleted_clusters.get(short)
        if found is not None:
            answer["clusters"].append(describe.cluster(found, context.scope, include))
        else:
            arn = arns.arn(scope.account, scope.region, f"cluster/{short}")
            answer["failures"].append({"arn": arn, "reason": "MISSING"})
    return answer


def list_clusters(context: CallContext, parameters: Json) -> Json:
    arns = sorted(cluster.arn for cluster in context.scope.clusters.values())
    page, token = paginate(arns, parameters)
    return {"clusterArns": list(page), **token}


def delete_cluster(context: CallContext, parameters: Json) -> Json:
    scope, found = context.scope, context.cluster(parameters)
    services = [s for s in scope.services.values() if s.cluster == found.name]
    if any(service.status != "INACTIVE" for service in services):
        raise ApiError(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        )
    tasks = [task for task in scope.tasks.values() if task.cluster == found.name]
    if any(not task.is_stopped for task in tasks):
        raise ApiError(
            "ClusterContainsTasksException",
            "The Cluster cannot be deleted while Tasks are active.",
        )
    for service in services:
        del scope.services[(service.cluster, service.name)]
    for task in tasks:
        del scope.tasks[task.id]
    del scope.clusters[found.name]
    found.status = "INACTIVE"
    scope.deleted_clusters[found.name] = found
    return {"cluster": describe.cluster(found, scope, _EVERY_FIELD)}


def update_cluster(context: CallContext, parameters: Json) -> Json:
    found = context.cluster(parameters)
    _check(context, parameters, found.capacity_providers)
    _update(found, parameters)
    return {"cluster": describe.cluster(found, context.scope, _EVERY_FIELD)}


def put_cluster_capacity_providers(context: CallContext, parameters: Json) -> Json:
    """A provider that a service uses, or that the default strategy names, must stay.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutClusterCapacityProviders.html
    """
    found = context.cluster(parameters)
    _check(context, parameters, parameters["capacityProviders"])
    _refuse_in_use(context, found, parameters["capacityProviders"])
    _update(found, parameters)
    return {"cluster": describe.cluster(found, context.scope, _EVERY_FIELD)}


def describe_capacity_providers(context: CallContext, parameters: Json) -> Json:
    """The two of Fargate, which every account has."""
    wanted = parameters.get("capacityProviders") or list(FARGATE_PROVIDERS)
    known = [name for name in wanted if name in FARGATE_PROVIDERS]
    page, token = paginate(known, parameters, default=10)
    return {
        "capacityProviders": [describe.capacity_provider(name, context.scope) for name in page],
        "failures": [
            {"arn": name, "reason": "MISSING"} for name in wanted if name not in FARGATE_PROVIDERS
        ],
        **token,
    }


def _check(context: CallContext, parameters: Json, providers: Sequence[str]) -> None:
    check_providers(parameters.get("capacityProviders") or ())
    strategy = parameters.get("defaultCapacityProviderStrategy")
    if strategy:
        check_strategy(strategy, providers)
    settings = parameters.get("settings") or ()
    for setting in settings:
        if setting.get("value", "enabled") not in _INSIGHTS:
            raise invalid(f"Invalid value for containerInsights: {setting['value']}")
    namespace = (parameters.get("serviceConnectDefaults") or {}).get("namespace", "")
    if namespace.startswith("arn:") and namespace not in context.around.namespaces:
        raise namespace_not_found()


def _refuse_in_use(context: CallContext, found: Cluster, kept: Sequence[str]) -> None:
    used = {
        entry["capacityProvider"]
        for service in context.scope.services.values()
        if service.cluster == found.name and service.status != "INACTIVE"
        for entry in service.capacity_provider_strategy
    }
    if used - set(kept):
        raise ApiError(
            "ResourceInUseException",
            "The specified capacity provider is in use and cannot be removed.",
        )


def _update(found: Cluster, parameters: Json) -> None:
    found.settings = parameters.get("settings", found.settings)
    found.configuration = parameters.get("configuration", found.configuration)
    wanted = (parameters.get("serviceConnectDefaults") or {}).get("namespace")
    if wanted is not None:
        found.namespace = arns.namespace_arn(found.arn, wanted)
    found.capacity_providers = parameters.get("capacityProviders", found.capacity_providers)
    found.default_strategy = parameters.get(
        "defaultCapacityProviderStrategy", found.default_strategy
    )
