"""Tags of clusters, services, task definitions and tasks."""

from __future__ import annotations

from fsd_local.ecs import describe
from fsd_local.ecs.context import CallContext, load_tags
from fsd_local.ecs.faults import ApiError, invalid
from fsd_local.ecs.model import Json, Scope

_MAX_TAGS = 50


def tag_resource(context: CallContext, parameters: Json) -> Json:
    tags = _tags_of(context.scope, parameters["resourceArn"])
    added = load_tags(parameters["tags"])
    if len(tags | added) > _MAX_TAGS:
        raise invalid(f"The maximum number of tags that can be applied is {_MAX_TAGS}.")
    tags.update(added)
    return {}


def untag_resource(context: CallContext, parameters: Json) -> Json:
    tags = _tags_of(context.scope, parameters["resourceArn"])
    for key in parameters["tagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags_for_resource(context: CallContext, parameters: Json) -> Json:
    return {"tags": describe.tag_list(_tags_of(context.scope, parameters["resourceArn"]))}


def _tags_of(scope: Scope, arn: str) -> dict[str, str]:
    """The live tags of a resource."""
    for found in _tagged(scope, arn.split(":", 5)[-1].split("/", 1)[0]):
        if found[0] == arn:
            return found[1]
    if not arn.startswith("arn:"):
        raise invalid(f"Invalid ARN: {arn}")
    raise ApiError("ResourceNotFoundException", f"The specified resource is not found: {arn}")


def _tagged(scope: Scope, kind: str) -> list[tuple[str, dict[str, str]]]:
    match kind:
        case "cluster":
            return [(found.arn, found.tags) for found in scope.clusters.values()]
        case "service":
            return [(s.arn, s.tags) for s in scope.services.values() if s.status != "INACTIVE"]
        case "task":
            return [(found.arn, found.tags) for found in scope.tasks.values()]
        case "task-definition":
            return [
                (found.arn, found.tags)
                for revisions in scope.task_definitions.values()
                for found in revisions.values()
            ]
        case _:
            return []
