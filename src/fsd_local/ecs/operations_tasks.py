"""Tasks: run, stop, list, describe."""

from __future__ import annotations

import shlex

from fsd_local.ecs import arns, describe, lifecycle, messages
from fsd_local.ecs.actions import Launch
from fsd_local.ecs.capacity import choose_provider
from fsd_local.ecs.context import CallContext, load_tags, paginate
from fsd_local.ecs.faults import (
    ApiError,
    client,
    invalid,
    service_not_found,
    unmatched_volume,
)
from fsd_local.ecs.launch import (
    check_fargate_runs,
    check_platform,
    load_launch,
    load_network,
)
from fsd_local.ecs.model import Cluster, Json, StopCode, Task, TaskContainer, TaskDefinition
from fsd_local.ecs.tasks import new_task
from fsd_local.ecs.transitions import emit_deregistered
from fsd_local.ecs.unsupported import refuse_gpus

_DESCRIBED = 100
_RUN_AT_ONCE = 10


def list_tasks(context: CallContext, parameters: Json) -> Json:
    """`startedBy` must be the only filter; tasks that should run are the default."""
    cluster = context.cluster(parameters)
    filters = {"family", "serviceName", "launchType", "containerInstance"} & parameters.keys()
    if "startedBy" in parameters and filters:
        raise invalid("startedBy must be the only filter.")
    name = parameters.get("serviceName")
    if name and (cluster.name, arns.last_part(name)) not in context.scope.services:
        raise service_not_found()
    status = parameters.get("desiredStatus", "RUNNING")
    found = [
        task
        for task in context.scope.tasks.values()
        if task.cluster == cluster.name
        and task.desired_status == status
        and _passes(task, parameters)
    ]
    found.sort(key=lambda task: task.created_at)
    page, token = paginate([task.arn for task in found], parameters)
    return {"taskArns": list(page), **token}


def _passes(task: Task, parameters: Json) -> bool:
    name, family = parameters.get("serviceName"), parameters.get("family")
    return (
        (not name or task.group == f"service:{arns.last_part(name)}")
        and (not family or task.task_definition.family == family)
        and parameters.get("startedBy", task.started_by) == task.started_by
        and parameters.get("launchType", task.launch_type) == task.launch_type
        and not parameters.get("containerInstance")
    )


def describe_tasks(context: CallContext, parameters: Json) -> Json:
    cluster = context.cluster(parameters)
    wanted = parameters["tasks"]
    if not wanted:
        raise invalid("Tasks cannot be empty.")
    if len(wanted) > _DESCRIBED:
        raise invalid(f"Tasks cannot have more than {_DESCRIBED} elements.")
    with_tags = "TAGS" in (parameters.get("include") or ())
    answer: Json = {"tasks": [], "failures": []}
    for name in wanted:
        found = context.find_task(cluster, name)
        if found is not None:
            answer["tasks"].append(describe.task(found, with_tags=with_tags))
        else:
            answer["failures"].append(
                {"arn": _task_arn(context, cluster, name), "reason": "MISSING"}
            )
    return answer


def _task_arn(context: CallContext, cluster: Cluster, name: str) -> str:
    if name.startswith("arn:"):
        return name
    scope = context.scope
    return arns.arn(scope.account, scope.region, f"task/{cluster.name}/{name}")


def stop_task(context: CallContext, parameters: Json) -> Json:
    """On a stopped task: its description once more."""
    cluster = context.cluster(parameters)
    task = context.find_task(cluster, parameters["task"])
    if task is None:
        raise invalid("The referenced task was not found.")
    reason = parameters.get("reason") or messages.STOPPED_BY_USER
    effects = lifecycle.begin_stop(task, reason, StopCode.USER, context.now)
    name = task.group.removeprefix("service:")
    service = context.scope.services.get((cluster.name, name))
    if task.deployment_id and service is not None and task.id in service.tasks:
        service.is_steady = False
        emit_deregistered(service, effects, context.now, ids=context.ids)
    context.enqueue(effects)
    return {"task": describe.task(task, with_tags=True)}


def execute_command(context: CallContext, parameters: Json) -> Json:
    """The container may be left out where the task has one.

    The words: boto/boto3#2822, keidarcy/e1s#206 and other public threads.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html
    """
    cluster = context.cluster(parameters)
    if not parameters["interactive"]:
        raise invalid("Interactive is the only mode supported currently.")
    task = context.find_task(cluster, parameters["task"])
    if task is None:
        raise invalid("The referenced task was not found.")
    if not task.is_wanted or task.started_at is None or not task.has_exec_agent:
        raise invalid(messages.NO_EXEC_AGENT)
    container = _choose_container(task, parameters.get("container", ""))
    session = context.sessions.open(
        task_id=task.id, container=container.name, command=_split(parameters["command"])
    )
    return {
        "clusterArn": task.cluster_arn,
        "containerArn": f"{task.arn.replace(':task/', ':container/')}/{container.id}",
        "containerName": container.name,
        "interactive": True,
        "session": {
            "sessionId": session.id,
            "streamUrl": context.sessions.url(session),
            "tokenValue": session.token,
        },
        "taskArn": task.arn,
    }


def _choose_container(task: Task, name: str) -> TaskContainer:
    if not name and len(task.containers) == 1:
        return task.containers[0]
    for container in task.containers:
        if container.name == name:
            return container
    names = ", ".join(container.name for container in task.containers)
    raise invalid(f"Container {name!r} is not one of the task's containers: {names}.")


def _split(command: str) -> tuple[str, ...]:
    """As the agent splits it: words and quotes, no shell."""
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise invalid(f"The command cannot be read: {error}.") from error
    if not words:
        raise invalid("command can not be blank.")
    return words


def run_task(context: CallContext, parameters: Json) -> Json:
    cluster = context.cluster(parameters)
    count = parameters.get("count", 1)
    if not 1 <= count <= _RUN_AT_ONCE:
        raise invalid(f"count must be between 1 and {_RUN_AT_ONCE}.")
    tasks = _find_run(context, parameters)
    if tasks is None:
        tasks = _new_tasks(context, cluster, parameters, count)
        context.scope.tasks.update({task.id: task for task in tasks})
        context.enqueue([Launch(task=task) for task in tasks])
        if parameters.get("clientToken"):
            context.scope.run_tokens[parameters["clientToken"]] = (parameters, tasks)
    return {"tasks": [describe.task(task, with_tags=True) for task in tasks], "failures": []}


def _find_run(context: CallContext, parameters: Json) -> list[Task] | None:
    """The tasks of an earlier request with the same client token."""
    known = context.scope.run_tokens.get(parameters.get("clientToken", ""))
    if known is None:
        return None
    request, tasks = known
    if request != parameters:
        raise ApiError("ConflictException", "The clientToken was used with other parameters.")
    return tasks


def _get_task_definition(context: CallContext, parameters: Json) -> TaskDefinition:
    found = context.find_task_definition(parameters["taskDefinition"])
    if found is None:
        raise client("TaskDefinition not found.")
    if found.status != "ACTIVE":
        raise client("TaskDefinition is inactive")
    names = {container["name"] for container in found.containers}
    for override in (parameters.get("overrides") or {}).get("containerOverrides") or ():
        if override.get("name") not in names:
            raise invalid(
                "Override for container named {} is not a container in the TaskDefinition.".format(
                    override.get("name")
                )
            )
    return found


def _refuse_unsupported(parameters: Json) -> None:
    for volume in parameters.get("volumeConfigurations") or ():
        raise unmatched_volume(volume["name"])
    overrides = parameters.get("overrides") or {}
    if overrides.get("inferenceAcceleratorOverrides"):
        raise client("Unsupported field 'inferenceAccelerators'")
    for override in overrides.get("containerOverrides") or ():
        refuse_gpus(override)


def _new_tasks(context: CallContext, cluster: Cluster, parameters: Json, count: int) -> list[Task]:
    definition = _get_task_definition(context, parameters)
    _refuse_unsupported(parameters)
    if parameters.get("enableExecuteCommand") and not _has_task_role(definition, parameters):
        raise invalid(messages.NO_TASK_ROLE_TO_RUN)
    choice = load_launch(cluster, parameters)
    check_fargate_runs(definition)
    check_platform(parameters)
    network = load_network(parameters.get("networkConfiguration"), context.around)
    parameters = {**parameters, "networkConfiguration": network}
    made: list[Task] = []
    for _ in range(count):
        task = _new_task(context, cluster, definition, parameters)
        task.capacity_provider = choose_provider(choice.strategy, made)
        made.append(task)
    return made


def _has_task_role(definition: TaskDefinition, parameters: Json) -> bool:
    overrides = parameters.get("overrides") or {}
    return bool(overrides.get("taskRoleArn") or definition.definition.get("taskRoleArn"))


def _new_task(
    context: CallContext, cluster: Cluster, definition: TaskDefinition, parameters: Json
) -> Task:
    scope = context.scope
    task = new_task(
        definition,
        account=scope.account,
        region=scope.region,
        cluster=cluster.name,
        now=context.now,
        ids=context.ids,
    )
    inherited = definition.tags if parameters.get("propagateTags") == "TASK_DEFINITION" else {}
    task.tags = inherited | load_tags(parameters.get("tags"))
    task.group = parameters.get("group") or task.group
    task.started_by = parameters.get("startedBy", "")
    task.overrides = parameters.get("overrides") or {}
    task.network = parameters.get("networkConfiguration") or {}
    task.enable_execute_command = parameters.get("enableExecuteCommand", False)
    return task
