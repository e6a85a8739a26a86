"""Services of ECS: found, created, updated, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fsd.aws.ecs_client import ABSENT, EcsClient, batches, require_only_missing
from fsd.aws.ecs_shapes import last_part, to_service, without_none
from fsd.aws.errors import aws_code, call, pages
from fsd.aws.lost_answers import call_unless_done
from fsd.aws.propagation import once_roles_are_known
from fsd.aws.wait import wait_for
from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.snapshot import ServiceState

SERVICES_A_CALL = 10
DRAIN_LIMIT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsServices(EcsClient):
    """The part of `fsd.release.ports.Ecs` about services."""

    def find_service(self, cluster: str, name: str) -> ServiceState | None:
        service = self._describe_service(cluster, name)
        return to_service(service) if service else None

    def service_names(self, cluster: str) -> Sequence[str]:
        try:
            found = [
                last_part(arn)
                for page in pages(self.reads, "list_services", cluster, cluster=cluster)
                for arn in page.get("serviceArns", [])
            ]
        except CallFailedError as error:
            if aws_code(error) == "ClusterNotFoundException":
                return ()
            raise
        return sorted(found)

    def find_services(self, cluster: str, names: Sequence[str]) -> Sequence[ServiceState]:
        return [
            to_service(service)
            for batch in batches(names, SERVICES_A_CALL)
            for service in self._describe_services(cluster, batch)
        ]

    def create_service(self, parameters: Json) -> ServiceState:
        """Safe to repeat: `clientToken` is in the parameters."""
        where = f"{parameters.get('cluster')}/{parameters.get('serviceName')}"
        answer = once_roles_are_known(
            lambda: call(self.reads, "create_service", where, **without_none(parameters)),
            clock=self.clock,
        )
        return to_service(answer["service"])

    def update_service(self, parameters: Json) -> ServiceState:
        """Safe to repeat, but where `forceNewDeployment` starts a deployment each time."""
        if parameters.get("forceNewDeployment"):
            return self._force(parameters)
        return self._update(self.reads, parameters)

    def _update(self, client: Any, parameters: Json) -> ServiceState:
        where = f"{parameters.get('cluster')}/{parameters.get('service')}"
        answer = once_roles_are_known(
            lambda: call(client, "update_service", where, **without_none(parameters)),
            clock=self.clock,
        )
        return to_service(answer["service"])

    def _force(self, parameters: Json) -> ServiceState:
        cluster, name = str(parameters.get("cluster")), str(parameters.get("service"))
        before = self.find_service(cluster, name)

        def look() -> ServiceState | None:
            """A newer deployment than before, of the revision that was asked for."""
            found = self.find_service(cluster, name)
            if found is None or before is None or _primary_id(found) == _primary_id(before):
                return None
            wanted = parameters.get("taskDefinition", before.task_definition_arn)
            return found if found.task_definition_arn == wanted else None

        return call_unless_done(
            lambda: self._update(self.writes, parameters), look=look, clock=self.clock
        )

    def delete_service(self, cluster: str, name: str) -> None:
        """Raises TimedOutError where its tasks do not drain within half an hour."""
        service = self._describe_service(cluster, name)
        if service is None:
            return
        where = f"{cluster}/{name}"
        if service.get("status") == "ACTIVE":
            try:
                call(self.reads, "delete_service", where, cluster=cluster, service=name, force=True)
            except CallFailedError as error:
                if aws_code(error) not in ABSENT:
                    raise
        wait_for(
            lambda: True if self._describe_service(cluster, name) is None else None,
            clock=self.clock,
            poll=self.poll,
            limit=DRAIN_LIMIT,
            where=where,
        )

    def _describe_service(self, cluster: str, name: str) -> dict[str, Any] | None:
        return next(iter(self._describe_services(cluster, [name])), None)

    def _describe_services(self, cluster: str, names: Sequence[str]) -> list[dict[str, Any]]:
        """Without those that are missing, INACTIVE, or in a cluster that is not there."""
        where = f"{cluster}/{', '.join(names)}"
        try:
            answer = call(
                self.reads,
                "describe_services",
                where,
                cluster=cluster,
                services=list(names),
                include=["TAGS"],
            )
        except CallFailedError as error:
            if aws_code(error) == "ClusterNotFoundException":
                return []
            raise
        require_only_missing(answer, f"DescribeServices {where}")
        if names and "services" not in answer and not answer.get("failures"):
            raise CallFailedError(
                "ECS answered neither with the service nor with why it has none",
                where=f"DescribeServices {where}",
                fix="run it again",
            )
        return [s for s in answer.get("services", []) if s.get("status") != "INACTIVE"]


def _primary_id(service: ServiceState) -> str:
    return service.primary.id if service.primary else ""
