"""Service Connect: which names there are in a namespace, and where they lead. Pure.

A task knows the names that there were when it started, and finds whoever runs behind them now.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fsd_local.ecs.faults import invalid
from fsd_local.ecs.model import (
    Cluster,
    EcsServiceRecord,
    Json,
    Scope,
    Task,
    TaskDefinition,
    TaskStatus,
)

_SETTING = "serviceConnectConfiguration"


def check_connect(settings: Json, cluster: Cluster, definition: TaskDefinition) -> None:
    """Raises ApiError where CreateService and UpdateService do."""
    wanted = settings.get(_SETTING) or {}
    if not wanted.get("enabled"):
        return
    if not (wanted.get("namespace") or cluster.namespace):
        raise invalid("Namespace is missing")
    ports = {
        mapping.get("name")
        for container in definition.containers
        for mapping in container["portMappings"]
    }
    for service in wanted.get("services") or ():
        if service["portName"] not in ports:
            raise invalid(
                f"portName {service['portName']} does not refer to any named PortMapping in the "
                "task definition."
            )


def namespace_of(settings: Json, cluster: Cluster | None) -> str:
    """ "" for a service without Service Connect."""
    wanted = settings.get(_SETTING) or {}
    if not wanted.get("enabled"):
        return ""
    return wanted.get("namespace") or (cluster.namespace if cluster is not None else "")


def find_names(scope: Scope) -> dict[str, dict[str, tuple[str, ...]]]:
    """By namespace and name, the addresses of the tasks that run behind it; () where none does."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for service in scope.services.values():
        namespace = namespace_of(service.settings, scope.clusters.get(service.cluster))
        if service.status != "ACTIVE" or not namespace:
            continue
        for name in offered_names(service.settings):
            known = found.setdefault(namespace, {})
            known[name] = tuple(sorted({*known.get(name, ()), *_addresses(service)}))
    return found


def offered_names(settings: Json) -> Iterator[str]:
    for service in (settings.get(_SETTING) or {}).get("services") or ():
        aliases: Iterable[Mapping[str, str]] = service.get("clientAliases") or ()
        for alias in aliases:
            yield alias.get("dnsName") or service.get("discoveryName") or service["portName"]


def _addresses(service: EcsServiceRecord) -> Iterator[str]:
    return (task.address for task in service.tasks.values() if _serves(task))


def _serves(task: Task) -> bool:
    return task.status is TaskStatus.RUNNING and task.is_wanted and bool(task.address)
