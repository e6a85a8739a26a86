"""Service registries and namespaces: what CreateService and UpdateService refuse. Pure.

Words: `rules/ecs/pf-ecs-svc-registries-*` and `pf-ecs-svc-connect-*` of
badmintoncryer/cdk-preflight.
"""

from __future__ import annotations

from fsd_local.ecs.arns import namespace_arn
from fsd_local.ecs.context import CallContext
from fsd_local.ecs.faults import invalid, namespace_not_found
from fsd_local.ecs.model import Json


def check_discovery(context: CallContext, parameters: Json) -> None:
    """Raises ApiError. A namespace is Cloud Map's own, or one that a cluster made by its name."""
    registries = parameters.get("serviceRegistries") or ()
    if len(registries) > 1:
        raise invalid("service registries can have at most 1 items.")
    for registry in registries:
        _check_registry(context, registry)
    connect = parameters.get("serviceConnectConfiguration") or {}
    if connect.get("enabled"):
        _check_namespace(context, connect)


def _check_registry(context: CallContext, registry: Json) -> None:
    arn = registry.get("registryArn", "")
    if arn not in context.around.registries:
        raise invalid(f"The service registry {arn} does not exist.")
    for member in ("containerName", "containerPort"):
        if member in registry:
            raise invalid(
                "The values specified for serviceRegistries do not require a value for "
                f"'{member}'. Remove the value and retry. Registry: {arn}"
            )


def _check_namespace(context: CallContext, connect: Json) -> None:
    name = connect.get("namespace")
    if not name or name in context.around.namespaces:
        return
    clusters = context.scope.clusters.values()
    if not any(cluster.namespace == namespace_arn(cluster.arn, name) for cluster in clusters):
        raise namespace_not_found()
