"""ECS as `fsd.release` knows it: clusters, task definitions, services, their deployments, tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fsd.aws.ecs_clusters import EcsClusters
from fsd.aws.ecs_deployments import EcsServiceDeployments
from fsd.aws.ecs_services import EcsServices
from fsd.aws.ecs_shapes import last_part, write_tags
from fsd.aws.ecs_tasks import EcsTasks
from fsd.aws.errors import call


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticContainerService(EcsClusters, EcsServices, EcsServiceDeployments, EcsTasks):
    """`fsd.release.ports.Ecs`."""

    def tag_task_definition(self, arn: str, *, tags: Mapping[str, str]) -> None:
        call(
            self.reads,
            "tag_resource",
            last_part(arn),
            resourceArn=arn,
            tags=write_tags(tags),
        )

    def tag_service(self, arn: str, *, tags: Mapping[str, str]) -> None:
        self.tag_task_definition(arn, tags=tags)  # one call for whatever ECS has
