"""Task definitions of ECS: registered, found, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fsd.aws.ecs_client import EcsClient, batches, require_only_missing
from fsd.aws.ecs_shapes import (
    last_part,
    to_task_definition,
    without_none,
    write_tags,
)
from fsd.aws.errors import aws_code, aws_message, call, pages
from fsd.aws.lost_answers import call_unless_done
from fsd.aws.propagation import once_roles_are_known
from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.plan.diff import diff_task_definitions
from fsd.release.ports import TaskDefinition

DELETED_DEFINITIONS_A_CALL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsTaskDefinitions(EcsClient):
    """The part of `fsd.release.ports.Ecs` about task definitions."""

    def register(self, definition: Json, *, tags: Mapping[str, str]) -> TaskDefinition:
        """Once: where the answer is lost, the newest revision is looked at before a repeat."""
        parameters = without_none(definition)
        family = str(definition.get("family", ""))

        def ask() -> TaskDefinition:
            answer = call(
                self.writes,
                "register_task_definition",
                family,
                **parameters,
                tags=write_tags(tags),
            )
            return self._remember(to_task_definition({"tags": write_tags(tags), **answer}))

        def look() -> TaskDefinition | None:
            """The newest revision, where it says the same, and has our commit's and run's tags."""
            arns = self.list_task_definitions(family)[:1]
            found = self.find_task_definition(arns[0]) if arns else None
            if found is None or dict(found.tags) != dict(tags):
                return None
            return None if diff_task_definitions(found.definition, definition) else found

        return once_roles_are_known(
            lambda: call_unless_done(ask, look=look, clock=self.clock), clock=self.clock
        )

    def find_task_definition(self, arn: str) -> TaskDefinition | None:
        try:
            answer = call(
                self.reads,
                "describe_task_definition",
                last_part(arn),
                taskDefinition=arn,
                include=["TAGS"],
            )
        except CallFailedError as error:
            if says_no_task_definition(error):
                return None
            raise
        return self._remember(to_task_definition(answer))

    def _remember(self, found: TaskDefinition) -> TaskDefinition:
        self.log_routes_of[found.arn] = found.log_routes
        return found

    def find_newest_revision(self, family: str) -> TaskDefinition | None:
        """By the family's name alone ECS describes the newest ACTIVE revision.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html
        """
        return self.find_task_definition(family)

    def list_task_definitions(self, family: str) -> Sequence[str]:
        return self._list_task_definitions(family, "ACTIVE")

    def deregister(self, arn: str) -> None:
        call(self.reads, "deregister_task_definition", last_part(arn), taskDefinition=arn)

    def delete_task_definitions(self, family: str) -> int:
        active = self._list_task_definitions(family, "ACTIVE")
        for arn in active:
            self.deregister(arn)
        inactive = self._list_task_definitions(family, "INACTIVE")
        arns = list(dict.fromkeys([*active, *inactive]))
        for batch in batches(arns, DELETED_DEFINITIONS_A_CALL):
            answer = call(
                self.reads, "delete_task_definitions", family, taskDefinitions=list(batch)
            )
            require_only_missing(answer, f"DeleteTaskDefinitions {family}")
        return len(arns)

    def _list_task_definitions(self, family: str, status: str) -> list[str]:
        found = [
            arn
            for page in pages(
                self.reads,
                "list_task_definitions",
                family,
                familyPrefix=family,
                status=status,
                sort="DESC",
            )
            for arn in page.get("taskDefinitionArns", [])
            if last_part(arn).rpartition(":")[0] == family
        ]
        return sorted(found, key=lambda arn: int(arn.rpartition(":")[2]), reverse=True)


def says_no_task_definition(error: CallFailedError) -> bool:
    """DescribeTaskDefinition answers a revision that is not there with a ClientException."""
    return aws_code(error) == "ClientException" and (
        "unable to describe task definition" in aws_message(error).lower()
    )
