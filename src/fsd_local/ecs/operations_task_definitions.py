"""Task definitions: register, describe, list, deregister, delete."""

from __future__ import annotations

from fsd_local.ecs import arns, describe
from fsd_local.ecs.context import CallContext, load_tags, paginate
from fsd_local.ecs.faults import client, invalid
from fsd_local.ecs.model import Json, Scope, TaskDefinition
from fsd_local.ecs.validation import normalise

_DELETED_AT_ONCE = 10
NOT_FOUND = "Unable to describe task definition."


def register_task_definition(context: CallContext, parameters: Json) -> Json:
    tags = load_tags(parameters.get("tags"))
    definition = normalise(parameters)
    scope, family = context.scope, parameters["family"]
    definition["registeredBy"] = f"arn:{arns.partition(scope.region)}:iam::{scope.account}:root"
    number = scope.last_revision.get(family, 0) + 1
    scope.last_revision[family] = number
    added = TaskDefinition(
        arn=arns.arn(scope.account, scope.region, f"task-definition/{family}:{number}"),
        family=family,
        revision=number,
        definition=definition,
        registered_at=context.now,
        tags=tags,
    )
    scope.task_definitions.setdefault(family, {})[number] = added
    return {
        "taskDefinition": describe.task_definition(added),
        "tags": describe.tag_list(added.tags),
    }


def describe_task_definition(context: CallContext, parameters: Json) -> Json:
    found = context.find_task_definition(parameters["taskDefinition"])
    if found is None:
        raise client(NOT_FOUND)
    answer: Json = {"taskDefinition": describe.task_definition(found)}
    if "TAGS" in (parameters.get("include") or ()):
        answer["tags"] = describe.tag_list(found.tags)
    return answer


def list_task_definitions(context: CallContext, parameters: Json) -> Json:
    """`familyPrefix` is a whole family name, whatever it is called."""
    family = parameters.get("familyPrefix")
    status = parameters.get("status", "ACTIVE")
    found = [
        definition
        for name, revisions in context.scope.task_definitions.items()
        if family is None or name == family
        for definition in revisions.values()
        if definition.status == status
    ]
    found.sort(key=lambda definition: (definition.family, definition.revision))
    if parameters.get("sort") == "DESC":
        found.reverse()
    page, token = paginate([definition.arn for definition in found], parameters)
    return {"taskDefinitionArns": list(page), **token}


def list_task_definition_families(context: CallContext, parameters: Json) -> Json:
    prefix, status = parameters.get("familyPrefix", ""), parameters.get("status", "ACTIVE")
    families = sorted(
        family
        for family, revisions in context.scope.task_definitions.items()
        if family.startswith(prefix) and revisions and _has_status(revisions, status)
    )
    page, token = paginate(families, parameters)
    return {"families": list(page), **token}


def _has_status(revisions: dict[int, TaskDefinition], status: str) -> bool:
    is_active = any(found.status == "ACTIVE" for found in revisions.values())
    return status == "ALL" or is_active == (status == "ACTIVE")


def deregister_task_definition(context: CallContext, parameters: Json) -> Json:
    wanted = parameters["taskDefinition"]
    if ":" not in arns.last_part(wanted):
        raise client("Revision is missing.")
    found = context.find_task_definition(wanted)
    if found is None:
        raise client("The specified task definition does not exist.")
    if found.status != "ACTIVE":
        raise client("The specified task definition is already inactive.")
    found.status, found.deregistered_at = "INACTIVE", context.now
    return {"taskDefinition": describe.task_definition(found)}


def delete_task_definitions(context: CallContext, parameters: Json) -> Json:
    wanted = parameters["taskDefinitions"]
    if not 1 <= len(wanted) <= _DELETED_AT_ONCE:
        raise invalid(f"You can delete 1 to {_DELETED_AT_ONCE} task definitions at once.")
    answer: Json = {"taskDefinitions": [], "failures": []}
    for reference in wanted:
        found = context.find_task_definition(reference)
        reason = _why_not_deletable(reference, found)
        if found is None or reason:
            arn = found.arn if found is not None else reference
            answer["failures"].append({"arn": arn, "reason": reason})
            continue
        found.status, found.delete_requested_at = "DELETE_IN_PROGRESS", context.now
        answer["taskDefinitions"].append(describe.task_definition(found))
    purge(context.scope)
    return answer


def _why_not_deletable(reference: str, found: TaskDefinition | None) -> str:
    if ":" not in arns.last_part(reference):
        return "The specified task definition identifier is invalid: the revision is missing."
    if found is None:
        return "The specified task definition does not exist. Specify a valid account and family."
    if found.status == "ACTIVE":
        return (
            "The specified task definition is still in ACTIVE status. Please deregister the "
            "target and try again."
        )
    return ""


def purge(scope: Scope) -> None:
    """Deleted revisions go once nothing uses them any more."""
    used = {task.task_definition.arn for task in scope.tasks.values() if not task.is_stopped}
    used |= {s.task_definition.arn for s in scope.services.values() if s.status != "INACTIVE"}
    for family, revisions in list(scope.task_definitions.items()):
        gone = [
            number
            for number, found in revisions.items()
            if found.status == "DELETE_IN_PROGRESS" and found.arn not in used
        ]
        for number in gone:
            del revisions[number]
        if not revisions:
            del scope.task_definitions[family]
