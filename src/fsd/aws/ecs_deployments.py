"""Service deployments of ECS, and the service revisions that they roll out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsd.aws.ecs_client import ABSENT, EcsClient, batches, places, require_only_missing
from fsd.aws.ecs_shapes import EPOCH, last_part, to_listed_deployment, to_service_deployment, utc
from fsd.aws.errors import aws_code, call
from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.snapshot import ServiceDeployment

DEPLOYMENTS_A_CALL = 20
REVISIONS_A_CALL = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsServiceDeployments(EcsClient):
    """The part of `fsd.release.ports.Ecs` about service deployments."""

    def service_deployment_arns(self, cluster: str, service: str) -> Sequence[str]:
        return tuple(brief["serviceDeploymentArn"] for brief in self._briefs(cluster, service))

    def newest_deployments(
        self, cluster: str, service: str, *, limit: int
    ) -> tuple[Sequence[str], Sequence[ServiceDeployment]]:
        """Where the list names no revision or no status, the deployments are described."""
        briefs = self._briefs(cluster, service)
        arns = [brief["serviceDeploymentArn"] for brief in briefs]
        newest = briefs[:limit]
        if not all(b.get("targetServiceRevisionArn") and b.get("status") for b in newest):
            return arns, self.service_deployments(arns[:limit])
        revisions = self._resolve([brief["targetServiceRevisionArn"] for brief in newest])
        return arns, tuple(
            to_listed_deployment(brief, revisions.get(brief["targetServiceRevisionArn"], ""))
            for brief in newest
        )

    def _briefs(self, cluster: str, service: str) -> list[dict[str, Any]]:
        """ECS documents no order and botocore has no paginator: both are made here. Newest first.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeploymentBrief.html
        """
        briefs: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            try:
                page = call(
                    self.reads,
                    "list_service_deployments",
                    f"{cluster}/{service}",
                    cluster=cluster,
                    service=service,
                    maxResults=100,
                    **token,
                )
            except CallFailedError as error:
                if aws_code(error) in ABSENT:
                    return []
                raise
            briefs += page.get("serviceDeployments", [])
            if not page.get("nextToken"):
                break
            token = {"nextToken": page["nextToken"]}
        briefs.sort(key=lambda brief: utc(brief.get("createdAt")) or EPOCH, reverse=True)
        return [brief for brief in briefs if brief.get("serviceDeploymentArn")]

    def service_deployments(self, arns: Sequence[str]) -> Sequence[ServiceDeployment]:
        """In the order of `arns`. The task definition is "" where ECS forgot the revision."""
        answers = {
            answer.get("serviceDeploymentArn", ""): answer
            for batch in batches(arns, DEPLOYMENTS_A_CALL)
            for answer in self._describe_deployments(batch)
        }
        found = [answers[arn] for arn in dict.fromkeys(arns) if arn in answers]
        revisions = self._resolve(
            [a.get("targetServiceRevision", {}).get("arn", "") for a in found]
        )
        return tuple(
            to_service_deployment(
                answer,
                revisions.get(answer.get("targetServiceRevision", {}).get("arn", ""), ""),
            )
            for answer in found
        )

    def stop_service_deployment(self, arn: str) -> bool:
        """ROLLBACK is the only type that ECS documents; it works without a configured rollback.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html
        """
        try:
            call(
                self.reads,
                "stop_service_deployment",
                last_part(arn),
                serviceDeploymentArn=arn,
                stopType="ROLLBACK",
            )
        except CallFailedError as error:
            if aws_code(error) == "ConflictException" or self._is_over(arn, error):
                return False
            raise
        return True

    def continue_service_deployment(self, arn: str, *, hook: str, goes_on: bool) -> None:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContinueServiceDeployment.html"""
        call(
            self.reads,
            "continue_service_deployment",
            last_part(arn),
            serviceDeploymentArn=arn,
            hookId=hook,
            action="CONTINUE" if goes_on else "ROLLBACK",
        )

    def _is_over(self, arn: str, error: CallFailedError) -> bool:
        """Whether ECS refused because the deployment had ended meanwhile."""
        if aws_code(error) not in {
            "InvalidParameterException",
            "ClientException",
            "ServiceDeploymentNotFoundException",
        }:
            return False
        found = self.service_deployments([arn])
        return not found or found[0].status.is_final

    def _describe_deployments(self, arns: Sequence[str]) -> list[dict[str, Any]]:
        answer = call(
            self.reads,
            "describe_service_deployments",
            places(arns),
            serviceDeploymentArns=list(arns),
        )
        require_only_missing(answer, f"DescribeServiceDeployments {places(arns)}")
        found: list[dict[str, Any]] = answer.get("serviceDeployments", [])
        return found

    def _resolve(self, arns: Sequence[str]) -> Mapping[str, str]:
        """The task definition of each service revision. It never changes: asked for once."""
        known = {arn: self.revisions[arn] for arn in arns if arn in self.revisions}
        unknown = [arn for arn in dict.fromkeys(arns) if arn and arn not in known]
        for batch in batches(unknown, REVISIONS_A_CALL):
            answer = call(
                self.reads,
                "describe_service_revisions",
                places(batch),
                serviceRevisionArns=list(batch),
            )
            require_only_missing(answer, f"DescribeServiceRevisions {places(batch)}")
            for found in answer.get("serviceRevisions", []):
                if found.get("taskDefinition"):
                    known[found.get("serviceRevisionArn", "")] = found["taskDefinition"]
        self.revisions.update(known)
        return known

    def service_revision(self, arn: str) -> Json:
        answer = call(
            self.reads, "describe_service_revisions", last_part(arn), serviceRevisionArns=[arn]
        )
        found: Json = next(iter(answer.get("serviceRevisions", [])), {})
        settings: Json = {}
        if found.get("networkConfiguration"):
            settings["networkConfiguration"] = found["networkConfiguration"]
        if found:
            settings["loadBalancers"] = found.get("loadBalancers", [])
        return settings
