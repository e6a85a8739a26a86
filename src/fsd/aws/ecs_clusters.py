"""Clusters of ECS: found, made, prepared, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsd.aws.ecs_client import EcsClient, require_only_missing
from fsd.aws.ecs_shapes import to_cluster, write_tags
from fsd.aws.errors import aws_code, call
from fsd.aws.propagation import once_roles_are_known
from fsd.errors import CallFailedError
from fsd.release.ports import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsClusters(EcsClient):
    """The part of `fsd.release.ports.Ecs` about clusters."""

    def find_cluster(self, name: str) -> Cluster | None:
        answer = call(self.reads, "describe_clusters", name, clusters=[name], include=["TAGS"])
        require_only_missing(answer, f"DescribeClusters {name}")
        active = [c for c in answer.get("clusters", []) if c.get("status") != "INACTIVE"]
        return to_cluster(active[0]) if active else None

    def create_cluster(self, name: str, *, tags: Mapping[str, str]) -> None:
        """A cluster of that name that is there already is fine, and stays as it is."""
        once_roles_are_known(
            lambda: call(
                self.reads, "create_cluster", name, clusterName=name, tags=write_tags(tags)
            ),
            clock=self.clock,
        )

    def prepare_cluster(self, name: str, *, namespace: str, providers: Sequence[str]) -> None:
        """ECS makes the namespace where there is none of that name. What the cluster has of
        providers, and its default strategy, is sent again: the call replaces both.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutClusterCapacityProviders.html
        """
        if namespace:
            defaults = {"namespace": namespace}
            call(self.reads, "update_cluster", name, cluster=name, serviceConnectDefaults=defaults)
        if providers:
            answer = call(self.reads, "describe_clusters", name, clusters=[name])
            found: dict[str, Any] = next(iter(answer.get("clusters", [])), {})
            call(
                self.reads,
                "put_cluster_capacity_providers",
                name,
                cluster=name,
                capacityProviders=sorted({*found.get("capacityProviders", []), *providers}),
                defaultCapacityProviderStrategy=found.get("defaultCapacityProviderStrategy", []),
            )

    def delete_cluster(self, name: str) -> None:
        try:
            call(self.reads, "delete_cluster", name, cluster=name)
        except CallFailedError as error:
            if aws_code(error) != "ClusterNotFoundException":
                raise
