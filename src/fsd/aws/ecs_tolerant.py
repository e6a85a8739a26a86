"""ECS for a role that may not read service deployments: judged from DescribeServices instead.

Roles written before 2024-10, when the API came, do not have it. What is lost is said once: ECS's
own reason, the breaker's count, and StopServiceDeployment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fsd.aws.ecs import ElasticContainerService
from fsd.release.ports import PermissionDenied
from fsd.rollout.legacy import deployments_of
from fsd.snapshot import ServiceDeployment, ServiceState

_ID_PREFIX = "ecs-svc/"


@dataclass(slots=True, kw_only=True)
class _Denied:
    """Set once the API was denied. `seen` keeps what DescribeServices stops listing."""

    cluster: str = ""
    service: str = ""
    seen: dict[str, ServiceDeployment] = field(default_factory=dict)

    @property
    def is_set(self) -> bool:
        return bool(self.service)


@dataclass(frozen=True, slots=True, kw_only=True)
class TolerantEcs(ElasticContainerService):
    """`fsd.release.ports.Ecs`; `warn` is told once. Deployment ids stand in for ARNs."""

    warn: Callable[[str], None]
    _denied: _Denied = field(default_factory=_Denied, init=False)

    def find_service(self, cluster: str, name: str) -> ServiceState | None:
        service = ElasticContainerService.find_service(self, cluster, name)
        if service is None or not self._denied.is_set:
            return service
        primary = service.primary
        return replace(service, current_deployment_arn=primary.id if primary else "")

    def _briefs(self, cluster: str, service: str) -> list[dict[str, Any]]:
        if not self._denied.is_set:
            try:
                return ElasticContainerService._briefs(self, cluster, service)
            except PermissionDenied as error:
                self._denied.cluster, self._denied.service = cluster, service
                self.warn(
                    f"{error.what}; judging by DescribeServices, which says less: allow "
                    "ecs:ListServiceDeployments, ecs:DescribeServiceDeployments, "
                    "ecs:DescribeServiceRevisions and ecs:StopServiceDeployment"
                )
        newest_first = sorted(self._look().values(), key=lambda d: d.created_at, reverse=True)
        return [{"serviceDeploymentArn": deployment.arn} for deployment in newest_first]

    def service_deployments(self, arns: Sequence[str]) -> Sequence[ServiceDeployment]:
        if not self._denied.is_set:
            return ElasticContainerService.service_deployments(self, arns)
        found = self._look()
        return tuple(found[arn] for arn in arns if arn in found)

    def stop_service_deployment(self, arn: str) -> bool:
        """Raises PermissionDenied for an id: there is nothing to stop by."""
        if arn.startswith(_ID_PREFIX):
            raise PermissionDenied(
                "ecs:StopServiceDeployment needs the service-deployment API",
                where=f"{self._denied.cluster}/{self._denied.service}",
                fix="allow it to the role that deploys",
            )
        return ElasticContainerService.stop_service_deployment(self, arn)

    def _look(self) -> dict[str, ServiceDeployment]:
        service = self.find_service(self._denied.cluster, self._denied.service)
        if service is None:
            return {}
        self._denied.seen = deployments_of(service, self._denied.seen)
        return self._denied.seen
