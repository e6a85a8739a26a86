"""Services: create, update, describe, list, delete."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fsd_local.ecs import arns, describe, messages
from fsd_local.ecs.capacity import check_strategy
from fsd_local.ecs.configuration import DEFAULT, check_advanced, load_configuration
from fsd_local.ecs.connect import check_connect
from fsd_local.ecs.context import CallContext, load_tags, paginate
from fsd_local.ecs.discovery import check_discovery
from fsd_local.ecs.faults import (
    ApiError,
    client,
    invalid,
    service_not_found,
    unmatched_volume,
    unsupported,
)
from fsd_local.ecs.launch import (
    check_fargate_runs,
    check_platform,
    load_launch,
    load_network,
)
from fsd_local.ecs.model import Cluster, EcsServiceRecord, Json, Revision, TaskDefinition
from fsd_local.ecs.tasks import digest_of
from fsd_local.ecs.transitions import begin_deployment, end_service_deployments, restore
from fsd_local.ecs.validation import check_desired_count

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_DESCRIBED = 10
_MOST_LOAD_BALANCERS = 5
_MAX_GRACE = 2_147_483_647
_SETTINGS = (
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)


def create_service(context: CallContext, parameters: Json) -> Json:
    cluster = context.cluster(parameters)
    name = parameters["serviceName"]
    if not _NAME.fullmatch(name):
        raise invalid("Invalid service name: up to 255 letters, numbers, underscores, hyphens.")
    known = context.scope.services.get((cluster.name, name))
    if known is not None and known.status != "INACTIVE":
        return {"service": describe.service(_same_again(known, parameters), with_tags=True)}
    _refuse_unsupported(parameters)
    service = _new_service(context, cluster, parameters)
    context.scope.services[(cluster.name, name)] = service
    revision = _new_revision(context, service, service.task_definition)
    begin_deployment(service, revision, context.now, ids=context.ids, seen=context.alarms)
    return {"service": describe.service(service, with_tags=True)}


def _same_again(known: EcsServiceRecord, parameters: Json) -> EcsServiceRecord:
    """The service that an earlier, lost answer was about."""
    if known.status == "DRAINING":
        raise invalid("Unable to Start a service that is still Draining.")
    token = parameters.get("clientToken")
    if not token or token != known.client_token or parameters != known.creation:
        raise invalid("Creation of service was not idempotent.")
    return known


def _refuse_unsupported(parameters: Json) -> None:
    if parameters.get("schedulingStrategy", "REPLICA") != "REPLICA":
        raise invalid("The embedded AWS supports only the REPLICA scheduling strategy.")
    controller = parameters.get("deploymentController") or {"type": "ECS"}
    if controller["type"] != "ECS":
        raise unsupported("The embedded AWS supports only the ECS deployment controller.")
    if parameters.get("role"):
        raise invalid(
            "You cannot specify an IAM role for services that require a service linked role."
        )
    for volume in parameters.get("volumeConfigurations") or ():
        raise unmatched_volume(volume["name"])
    if parameters.get("vpcLatticeConfigurations"):
        raise unsupported("The embedded AWS does not have VPC Lattice.")


def _new_service(context: CallContext, cluster: Cluster, parameters: Json) -> EcsServiceRecord:
    if "desiredCount" not in parameters:
        raise invalid("desiredCount is required for a REPLICA service.")
    check_desired_count(parameters["desiredCount"])
    task_definition = _get_task_definition(context, parameters.get("taskDefinition", ""))
    choice = load_launch(cluster, parameters)
    check_fargate_runs(task_definition)
    check_platform(parameters)
    if parameters.get("enableExecuteCommand"):
        _require_task_role(task_definition, "created")
    network = load_network(parameters.get("networkConfiguration"), context.around)
    check_discovery(context, parameters)
    balancers = parameters.get("loadBalancers") or []
    _check_load_balancers(context, task_definition, balancers)
    configuration = load_configuration(parameters.get("deploymentConfiguration"), DEFAULT)
    check_advanced(context, balancers, configuration["strategy"])
    settings = {key: parameters[key] for key in _SETTINGS if key in parameters}
    check_connect(settings, cluster, task_definition)
    scope = context.scope
    service = EcsServiceRecord(
        account=scope.account,
        region=scope.region,
        cluster=cluster.name,
        cluster_arn=cluster.arn,
        name=parameters["serviceName"],
        arn=arns.arn(
            scope.account, scope.region, f"service/{cluster.name}/{parameters['serviceName']}"
        ),
        created_at=context.now,
        task_definition=task_definition,
        desired_count=parameters["desiredCount"],
        configuration=configuration,
        network=network,
        load_balancers=balancers,
        platform_version=parameters.get("platformVersion") or "LATEST",
        zone_rebalancing=parameters.get("availabilityZoneRebalancing", "ENABLED"),
        capacity_provider_strategy=choice.strategy,
        settings=settings,
        tags=load_tags(parameters.get("tags")),
        client_token=parameters.get("clientToken", ""),
        creation=parameters,
    )
    _set_plain(service, parameters)
    return service


def _set_plain(service: EcsServiceRecord, parameters: Json) -> None:
    """What takes effect without a deployment."""
    grace = parameters.get("healthCheckGracePeriodSeconds", service.grace_period)
    if grace is not None and not 0 <= grace <= _MAX_GRACE:
        raise invalid(f"healthCheckGracePeriodSeconds must be between 0 and {_MAX_GRACE}.")
    balancers = parameters.get("loadBalancers") or service.load_balancers
    if "healthCheckGracePeriodSeconds" in parameters and not balancers:
        raise invalid(
            "Health check grace period is only valid for services configured to use load balancers"
        )
    service.grace_period = grace
    if grace is None and service.load_balancers:
        service.grace_period = 0
    service.enable_managed_tags = parameters.get(
        "enableECSManagedTags", service.enable_managed_tags
    )
    service.propagate_tags = parameters.get("propagateTags", service.propagate_tags)
    service.enable_execute_command = parameters.get(
        "enableExecuteCommand", service.enable_execute_command
    )
    service.zone_rebalancing = parameters.get(
        "availabilityZoneRebalancing", service.zone_rebalancing
    )


def _require_task_role(definition: TaskDefinition, done: str) -> None:
    """ECS Exec's agent in the container uses it."""
    if not definition.definition.get("taskRoleArn"):
        raise invalid(messages.no_task_role(done))


def _get_task_definition(context: CallContext, wanted: str) -> TaskDefinition:
    if not wanted:
        raise invalid("TaskDefinition can not be blank.")
    found = context.find_task_definition(wanted)
    if found is None:
        raise client("Unable to describe task definition.")
    if found.status != "ACTIVE":
        raise client("TaskDefinition is inactive")
    return found


def _check_load_balancers(
    context: CallContext, task_definition: TaskDefinition, balancers: Sequence[Json]
) -> None:
    containers = {found["name"]: found for found in task_definition.containers}
    if len(balancers) > _MOST_LOAD_BALANCERS:
        raise invalid(f"load balancers can have at most {_MOST_LOAD_BALANCERS} items.")
    for balancer in balancers:
        if balancer.get("loadBalancerName"):
            raise invalid("Classic Load Balancers are not supported with Fargate.")
        arn = balancer.get("targetGroupArn")
        if not arn:
            raise invalid("The embedded AWS supports only load balancers with a targetGroupArn.")
        _check_target_group(context, arn)
        alternate = (balancer.get("advancedConfiguration") or {}).get("alternateTargetGroupArn")
        if alternate:
            _check_target_group(context, alternate, is_alternate=True)
        name, port = balancer.get("containerName"), balancer.get("containerPort")
        if name not in containers:
            raise invalid(f"The container {name} does not exist in the task definition.")
        ports = {p.get("containerPort") for p in containers[name]["portMappings"]}
        if port not in ports:
            raise invalid(f"The container {name} did not have a container port {port} defined.")


def _check_target_group(context: CallContext, arn: str, *, is_alternate: bool = False) -> None:
    """ECS makes the rules forward to an alternate target group itself."""
    group = context.target_groups.get(arn)
    if group is None or not group.exists:
        raise invalid(f"The target group with targetGroupArn {arn} does not exist.")
    if not group.is_attached and not is_alternate:
        raise invalid(
            f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        )
    if group.target_type != "ip":
        raise invalid(
            f"The provided target group {arn} has target type {group.target_type}, which is "
            "incompatible with the awsvpc network mode specified in the task definition."
        )


def _new_revision(
    context: CallContext, service: EcsServiceRecord, target: TaskDefinition
) -> Revision:
    number = context.ids.number()
    resource = f"service-revision/{service.cluster}/{service.name}/{number}"
    revision = Revision(
        arn=arns.arn(service.account, service.region, resource),
        task_definition=target,
        created_at=context.now,
        network=service.network,
        load_balancers=service.load_balancers,
        platform_version=service.platform_version,
        settings=service.settings,
        launch_type=service.launch_type,
        capacity_provider_strategy=service.capacity_provider_strategy,
    )
    for container in revision.to_resolve:
        if digest_of(container["image"]):
            revision.digests[container["name"]] = digest_of(container["image"])
    return revision


def update_service(context: CallContext, parameters: Json) -> Json:
    """Whether a deployment starts depends on the parameter; see each in the API's reference.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
    """
    service = context.service(parameters)
    if service.status != "ACTIVE":
        raise ApiError("ServiceNotActiveException", "Service was not ACTIVE.")
    _refuse_unsupported(parameters)
    check_platform(parameters)
    check_discovery(context, parameters)
    target = _updated_task_definition(context, service, parameters)
    if parameters.get("enableExecuteCommand", service.enable_execute_command):
        _require_task_role(target, "updated")
    wanted = _wanted_revision(context, service, target, parameters)
    configuration = load_configuration(
        parameters.get("deploymentConfiguration"), service.configuration
    )
    if {"deploymentConfiguration", "loadBalancers"} & parameters.keys():
        check_advanced(context, wanted.load_balancers, configuration["strategy"])
    _refuse_in_a_shift(service, configuration)
    count = parameters.get("desiredCount", service.desired_count)
    check_desired_count(count)
    _set_plain(service, parameters)
    service.configuration, service.desired_count = configuration, count
    service.is_steady = False
    if parameters.get("forceNewDeployment") or _differs(service, wanted):
        restore(service, wanted)
        begin_deployment(service, wanted, context.now, ids=context.ids, seen=context.alarms)
    return {"service": describe.service(service, with_tags=True)}


def _refuse_in_a_shift(service: EcsServiceRecord, wanted: Json) -> None:
    """That it is refused is AWS's; the page has no words for it, so these are not AWS's.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/update-bluegreen-to-rolling.html
    """
    before, after = service.configuration["strategy"], wanted["strategy"]
    is_under_way = any(not found.status.is_final for found in service.service_deployments)
    if before != "ROLLING" and after == "ROLLING" and is_under_way:
        raise invalid(
            f"The deployment strategy cannot change from {before} to ROLLING while a service "
            "deployment is in progress."
        )


def _updated_task_definition(
    context: CallContext, service: EcsServiceRecord, parameters: Json
) -> TaskDefinition:
    """An INACTIVE one that the service runs already may stay; another may not come."""
    wanted = parameters.get("taskDefinition")
    if not wanted:
        return service.task_definition
    if context.find_task_definition(wanted) is service.task_definition:
        return service.task_definition
    found = _get_task_definition(context, wanted)
    check_fargate_runs(found)
    return found


def _wanted_revision(
    context: CallContext, service: EcsServiceRecord, target: TaskDefinition, parameters: Json
) -> Revision:
    """Checks everything before anything is changed."""
    revision = _new_revision(context, service, target)
    if "networkConfiguration" in parameters:
        revision.network = load_network(parameters["networkConfiguration"], context.around)
    if "loadBalancers" in parameters:
        revision.load_balancers = parameters["loadBalancers"]
    if "loadBalancers" in parameters or target is not service.task_definition:
        _check_load_balancers(context, target, revision.load_balancers)
    revision.platform_version = parameters.get("platformVersion") or service.platform_version
    given = {key: parameters[key] for key in _SETTINGS if key in parameters}
    revision.settings = service.settings | given
    cluster = context.scope.clusters[service.cluster]
    check_connect(revision.settings, cluster, target)
    strategy = parameters.get("capacityProviderStrategy", service.capacity_provider_strategy)
    check_strategy(strategy, cluster.capacity_providers)
    if strategy != service.capacity_provider_strategy and not parameters.get("forceNewDeployment"):
        raise invalid(
            "You must force a new deployment when switching between capacity provider strategies."
        )
    revision.capacity_provider_strategy = strategy
    return revision


def _differs(service: EcsServiceRecord, wanted: Revision) -> bool:
    return (
        wanted.task_definition is not service.task_definition
        or wanted.network != service.network
        or wanted.load_balancers != service.load_balancers
        or wanted.platform_version != service.platform_version
        or wanted.settings != service.settings
    )


def describe_services(context: CallContext, parameters: Json) -> Json:
    cluster = context.cluster(parameters)
    wanted = parameters["services"]
    if not wanted:
        raise invalid("Services cannot be empty.")
    if len(wanted) > _DESCRIBED:
        raise invalid(f"Services cannot have more than {_DESCRIBED} elements.")
    with_tags = "TAGS" in (parameters.get("include") or ())
    answer: Json = {"services": [], "failures": []}
    for name in wanted:
        found = context.scope.services.get((cluster.name, arns.last_part(name)))
        if found is not None:
            answer["services"].append(describe.service(found, with_tags=with_tags))
            continue
        scope = context.scope
        resource = f"service/{cluster.name}/{arns.last_part(name)}"
        arn = arns.arn(scope.account, scope.region, resource)
        answer["failures"].append({"arn": arn, "reason": "MISSING"})
    return answer


def list_services(context: CallContext, parameters: Json) -> Json:
    """ACTIVE ones only, as the API does."""
    cluster = context.cluster(parameters)
    arns = sorted(
        service.arn
        for service in context.scope.services.values()
        if service.cluster == cluster.name
        and service.status == "ACTIVE"
        and parameters.get("launchType", service.launch_type) == service.launch_type
        and parameters.get("schedulingStrategy", "REPLICA") == "REPLICA"
    )
    page, token = paginate(arns, parameters, default=_DESCRIBED)
    return {"serviceArns": list(page), **token}


def delete_service(context: CallContext, parameters: Json) -> Json:
    """ACTIVE → DRAINING; the scheduler makes it INACTIVE when its tasks are gone."""
    service = context.service(parameters)
    if service.status == "INACTIVE":
        raise service_not_found()
    if service.desired_count > 0 and not parameters.get("force"):
        raise invalid("The service cannot be stopped while it is scaled above 0.")
    if service.status == "ACTIVE":
        service.status, service.desired_count, service.is_steady = "DRAINING", 0, False
        end_service_deployments(service, context.now)
    return {"service": describe.service(service, with_tags=True)}


def scale(service: EcsServiceRecord, count: int) -> None:
    """Application Auto Scaling's way to change the desired count; starts no deployment."""
    if service.desired_count != count:
        service.desired_count, service.is_steady = count, False
