"""State → AWS's shapes. Pure; every member is one that botocore's output shapes have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fsd_local.ecs import alarms
from fsd_local.ecs.arns import partition
from fsd_local.ecs.breaker import load_breaker
from fsd_local.ecs.health import task_health
from fsd_local.ecs.model import (
    Cluster,
    EcsServiceRecord,
    HookRun,
    Json,
    Revision,
    Scope,
    ServiceDeployment,
    ServiceRollout,
    Task,
    TaskContainer,
    TaskDefinition,
    TaskHealth,
    TaskStatus,
)
from fsd_local.ecs.transitions import counts

_PLATFORM_VERSION = "1.4.0"
_PLATFORM_FAMILY = "Linux"


def tag_list(tags: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def present(**members: object) -> Json:
    """The members that have a value: AWS leaves out what is not there."""
    return {name: value for name, value in members.items() if value is not None and value != ""}


def cluster(found: Cluster, scope: Scope, include: Sequence[str]) -> Json:
    tasks = [t for t in scope.tasks.values() if t.cluster == found.name and not t.is_stopped]
    services = [s for s in scope.services.values() if s.cluster == found.name]
    answer = present(
        clusterArn=found.arn,
        clusterName=found.name,
        status=found.status,
        registeredContainerInstancesCount=0,
        runningTasksCount=sum(task.status is TaskStatus.RUNNING for task in tasks),
        pendingTasksCount=sum(task.is_starting for task in tasks),
        activeServicesCount=sum(service.status == "ACTIVE" for service in services),
        statistics=[],
        tags=tag_list(found.tags) if "TAGS" in include else [],
        settings=found.settings if "SETTINGS" in include else [],
        capacityProviders=found.capacity_providers,
        defaultCapacityProviderStrategy=found.default_strategy,
    )
    if found.namespace:
        answer["serviceConnectDefaults"] = {"namespace": found.namespace}
    if "CONFIGURATIONS" in include and found.configuration is not None:
        answer["configuration"] = found.configuration
    return answer


def capacity_provider(name: str, scope: Scope) -> Json:
    """`name` is one of Fargate's."""
    resource = f"capacity-provider/{name}"
    arn = f"arn:{partition(scope.region)}:ecs:{scope.region}:{scope.account}:{resource}"
    return {"capacityProviderArn": arn, "name": name, "status": "ACTIVE", "tags": []}


def task_definition(found: TaskDefinition) -> Json:
    return found.definition | present(
        taskDefinitionArn=found.arn,
        revision=found.revision,
        status=found.status,
        registeredAt=found.registered_at,
        deregisteredAt=found.deregistered_at,
        deleteRequestedAt=found.delete_requested_at,
    )


def service(found: EcsServiceRecord, *, with_tags: bool) -> Json:
    running, pending = _running(found), _pending(found)
    answer = present(
        serviceArn=found.arn,
        serviceName=found.name,
        clusterArn=found.cluster_arn,
        loadBalancers=found.load_balancers,
        serviceRegistries=found.settings.get("serviceRegistries", []),
        status=found.status,
        desiredCount=found.desired_count,
        runningCount=running,
        pendingCount=pending,
        platformVersion=found.platform_version,
        platformFamily=_PLATFORM_FAMILY,
        taskDefinition=found.task_definition.arn,
        deploymentConfiguration=found.configuration,
        deployments=[_deployment(found, deployment) for deployment in found.deployments],
        events=[{"id": e.id, "createdAt": e.at, "message": e.message} for e in found.events],
        createdAt=found.created_at,
        currentServiceRevisions=_current_revisions(found),
        placementConstraints=[],
        placementStrategy=[],
        networkConfiguration=found.network,
        healthCheckGracePeriodSeconds=found.grace_period,
        schedulingStrategy="REPLICA",
        deploymentController={"type": "ECS"},
        createdBy=f"arn:{partition(found.region)}:iam::{found.account}:root",
        enableECSManagedTags=found.enable_managed_tags,
        propagateTags=found.propagate_tags,
        enableExecuteCommand=found.enable_execute_command,
        availabilityZoneRebalancing=found.zone_rebalancing,
    )
    if found.service_deployments:
        answer["currentServiceDeployment"] = found.service_deployments[0].arn
    if found.load_balancers:
        answer["roleArn"] = _service_role(found)
    if with_tags:
        answer["tags"] = tag_list(found.tags)
    return answer | _launch(found.launch_type, found.capacity_provider_strategy)


def _launch(launch_type: str, strategy: list[Json]) -> Json:
    return {"capacityProviderStrategy": strategy} if strategy else {"launchType": launch_type}


def _service_role(found: EcsServiceRecord) -> str:
    role = "aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    return f"arn:{partition(found.region)}:iam::{found.account}:role/{role}"


def _running(found: EcsServiceRecord) -> int:
    return sum(task.status is TaskStatus.RUNNING for task in found.tasks.values())


def _pending(found: EcsServiceRecord) -> int:
    return sum(task.is_starting and task.is_wanted for task in found.tasks.values())


def _current_revisions(found: EcsServiceRecord) -> list[Json]:
    used = {t.revision_arn for t in found.tasks.values() if t.is_wanted and not t.is_stopped}
    if found.primary is not None:
        used.add(found.primary.revision.arn)
    return [_summary(found, found.revisions[arn], None) for arn in sorted(used)]


def _deployment(owner: EcsServiceRecord, found: ServiceRollout) -> Json:
    tasks = [t for t in owner.tasks.values() if t.deployment_id == found.id and t.is_wanted]
    revision = found.revision
    return present(
        id=found.id,
        status=found.status,
        taskDefinition=revision.task_definition.arn,
        desiredCount=owner.desired_count if found.status == "PRIMARY" else len(tasks),
        pendingCount=sum(task.is_starting for task in tasks),
        runningCount=sum(task.status is TaskStatus.RUNNING for task in tasks),
        failedTasks=found.failed_tasks,
        createdAt=found.created_at,
        updatedAt=found.updated_at,
        platformVersion=_PLATFORM_VERSION,
        platformFamily=_PLATFORM_FAMILY,
        networkConfiguration=revision.network,
        rolloutState=str(found.rollout_state),
        rolloutStateReason=found.reason,
        serviceConnectConfiguration=revision.settings.get("serviceConnectConfiguration"),
    ) | _launch(revision.launch_type, revision.capacity_provider_strategy)


def service_deployment_brief(found: ServiceDeployment, owner: EcsServiceRecord) -> Json:
    return present(
        serviceDeploymentArn=found.arn,
        serviceArn=owner.arn,
        clusterArn=owner.cluster_arn,
        startedAt=found.started_at,
        createdAt=found.created_at,
        finishedAt=found.finished_at,
        targetServiceRevisionArn=found.target.arn,
        status=str(found.status),
        statusReason=found.reason,
    )


def service_deployment(found: ServiceDeployment, owner: EcsServiceRecord) -> Json:
    brief = service_deployment_brief(found, owner)
    del brief["targetServiceRevisionArn"]
    return brief | present(
        stoppedAt=found.stopped_at,
        updatedAt=found.updated_at,
        sourceServiceRevisions=[_summary(owner, source, found) for source in found.sources],
        targetServiceRevision=_summary(owner, found.target, found),
        deploymentConfiguration=found.configuration,
        rollback=_rollback(found),
        deploymentCircuitBreaker=_breaker(found, owner),
        alarms=_alarms(found),
        lifecycleStage=str(found.traffic.stage) if found.traffic.stage is not None else None,
        lifecycleHookDetails=[_hook(run) for run in found.traffic.hooks] or None,
    )


def _summary(owner: EcsServiceRecord, revision: Revision, of: ServiceDeployment | None) -> Json:
    """Counts of now, or those when the service deployment ended."""
    frozen = of.final_counts if of is not None else None
    found = frozen.get(revision.arn) if frozen is not None else None
    now = found if found is not None else counts(owner, revision)
    traffic = _traffic(revision, of) if of is not None else {}
    return {
        "arn": revision.arn,
        "requestedTaskCount": now.requested,
        "runningTaskCount": now.running,
        "pendingTaskCount": now.pending,
    } | traffic


def _traffic(revision: Revision, of: ServiceDeployment) -> Json:
    """Where there are several sources, the one that is in the other target groups has the rest."""
    if not of.shifts_traffic or not revision.load_balancers:
        return {}
    is_target = revision is of.target
    serves = is_target or revision.uses_alternate != of.target.uses_alternate

    def share(percent: float | None) -> float | None:
        if percent is None:
            return None
        return percent if is_target else 100.0 - percent if serves else 0.0

    return present(
        requestedTestTrafficWeight=share(of.traffic.test),
        requestedProductionTrafficWeight=share(of.traffic.production),
    )


def _hook(run: HookRun) -> Json:
    return present(
        hookId=run.id,
        targetType="PAUSE" if run.is_pause else "AWS_LAMBDA",
        targetArn=run.target_arn,
        status=str(run.status),
        expiresAt=run.expires_at,
        timeoutAction=run.timeout_action,
    )


def _rollback(found: ServiceDeployment) -> Json | None:
    rollback = found.rollback
    if rollback is None:
        return None
    return {
        "reason": rollback.reason,
        "startedAt": rollback.started_at,
        "serviceRevisionArn": rollback.revision_arn,
    }


def _breaker(found: ServiceDeployment, owner: EcsServiceRecord) -> Json:
    breaker = load_breaker(found.configuration)
    is_final = found.status.is_final
    status = "MONITORING_COMPLETE" if is_final else "MONITORING"
    if not breaker.is_enabled:
        status = "DISABLED"
    if found.is_breaker_triggered:
        status = "TRIGGERED"
    return {
        "status": status,
        "failureCount": found.failure_count,
        "threshold": found.threshold if is_final else breaker.threshold(owner.desired_count),
    }


def _alarms(found: ServiceDeployment) -> Json | None:
    configured = found.configuration.get("alarms")
    if not configured:
        return None
    return {
        "status": alarms.status(found),
        "alarmNames": configured["alarmNames"],
        "triggeredAlarmNames": list(found.triggered_alarms),
    }


def service_revision(found: Revision, owner: EcsServiceRecord) -> Json:
    images = [
        present(
            containerName=definition["name"],
            image=definition["image"],
            imageDigest=found.digests.get(definition["name"]),
        )
        for definition in found.task_definition.containers
    ]
    balanced = [_resolved(found, lb) for lb in found.load_balancers if "targetGroupArn" in lb]
    return (
        present(
            serviceRevisionArn=found.arn,
            serviceArn=owner.arn,
            clusterArn=owner.cluster_arn,
            taskDefinition=found.task_definition.arn,
            platformVersion=_PLATFORM_VERSION,
            platformFamily=_PLATFORM_FAMILY,
            loadBalancers=found.load_balancers,
            networkConfiguration=found.network,
            containerImages=images,
            guardDutyEnabled=False,
            createdAt=found.created_at,
            resolvedConfiguration={"loadBalancers": balanced},
        )
        | {k: v for k, v in found.settings.items() if k in _REVISION_SETTINGS}
        | _launch(found.launch_type, found.capacity_provider_strategy)
    )


def _resolved(found: Revision, balancer: Json) -> Json:
    advanced = balancer.get("advancedConfiguration") or {}
    return present(
        targetGroupArn=found.target_group(balancer),
        productionListenerRule=advanced.get("productionListenerRule"),
    )


_REVISION_SETTINGS = {
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
}


def task(found: Task, *, with_tags: bool) -> Json:
    definition = found.task_definition.definition
    answer = present(
        attachments=[_attachment(found)],
        attributes=[{"name": "ecs.cpu-architecture", "value": _architecture(definition)}],
        availabilityZone=f"{found.region}a",
        capacityProviderName=found.capacity_provider,
        clusterArn=found.cluster_arn,
        connectivity="CONNECTED" if found.started_at is not None else None,
        connectivityAt=found.started_at,
        containers=[_container(found, container) for container in found.containers],
        cpu=definition.get("cpu"),
        createdAt=found.created_at,
        desiredStatus=found.desired_status,
        enableExecuteCommand=found.enable_execute_command,
        executionStoppedAt=found.stopped_at if found.started_at is not None else None,
        group=found.group,
        healthStatus=str(task_health(found)),
        lastStatus=str(found.status),
        launchType=found.launch_type,
        memory=definition.get("memory"),
        overrides={"containerOverrides": [], "inferenceAcceleratorOverrides": []} | found.overrides,
        platformVersion=_PLATFORM_VERSION,
        platformFamily=_PLATFORM_FAMILY,
        pullStartedAt=found.pull_started_at,
        pullStoppedAt=found.pull_stopped_at,
        startedAt=found.started_at,
        startedBy=found.started_by,
        stopCode=str(found.stop_code) if found.stop_code is not None else None,
        stoppedAt=found.stopped_at,
        stoppedReason=found.stopped_reason,
        stoppingAt=found.stopping_at,
        tags=tag_list(found.tags) if with_tags else [],
        taskArn=found.arn,
        taskDefinitionArn=found.task_definition.arn,
        version=found.version,
        ephemeralStorage=definition.get("ephemeralStorage", {"sizeInGiB": 20}),
    )
    return answer


def _architecture(definition: Json) -> str:
    platform = definition.get("runtimePlatform") or {}
    return "arm64" if platform.get("cpuArchitecture") == "ARM64" else "x86_64"


def _attachment(found: Task) -> Json:
    vpc = found.network.get("awsvpcConfiguration") or {}
    subnets = vpc.get("subnets") or [""]
    details = present(
        subnetId=subnets[int(found.id[:4], 16) % len(subnets)],
        networkInterfaceId=found.eni_id,
        macAddress=found.mac_address,
        privateDnsName=f"ip-{found.address.replace('.', '-')}.ec2.internal"
        if found.address
        else None,
        privateIPv4Address=found.address,
    )
    status = "ATTACHED" if found.address else "PRECREATED"
    return {
        "id": found.attachment_id,
        "type": "ElasticNetworkInterface",
        "status": "DELETED" if found.is_stopped else status,
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }


def _container(owner: Task, found: TaskContainer) -> Json:
    base = owner.arn.replace(":task/", ":container/")
    is_up = owner.started_at is not None
    interface = present(attachmentId=owner.attachment_id, privateIpv4Address=owner.address or None)
    definition = next(c for c in owner.task_definition.containers if c["name"] == found.name)
    memory = definition.get("memory")
    return present(
        containerArn=f"{base}/{found.id}",
        taskArn=owner.arn,
        name=found.name,
        image=found.image,
        imageDigest=found.digest,
        runtimeId=f"{owner.id}-{int(found.id[:8], 16)}" if is_up else None,
        lastStatus=_container_status(owner, found),
        exitCode=found.exit_code,
        reason=found.reason[:1024],
        networkBindings=[],
        networkInterfaces=[interface] if owner.address else [],
        healthStatus=str(found.health if found.health_check else TaskHealth.UNKNOWN),
        managedAgents=[_exec_agent(owner)] if owner.enable_execute_command else None,
        cpu=str(definition.get("cpu", 0)),
        memory=str(memory) if memory else None,
    )


def _exec_agent(owner: Task) -> Json:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ManagedAgent.html"""
    status = "PENDING"
    if owner.is_stopped or (owner.started_at is not None and not owner.has_exec_agent):
        status = "STOPPED"
    elif owner.started_at is not None:
        status = "RUNNING"
    return present(
        name="ExecuteCommandAgent",
        lastStatus=status,
        lastStartedAt=owner.started_at if status == "RUNNING" else None,
    )


def _container_status(owner: Task, found: TaskContainer) -> str:
    return "STOPPED" if owner.is_stopped else found.status
