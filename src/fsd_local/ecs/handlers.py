"""The ECS API over the embedded control plane: one entry, thread-safe and synchronous."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from fsd_local.ecs import lifecycle, messages
from fsd_local.ecs import (
    operations_clusters as clusters,
)
from fsd_local.ecs import (
    operations_deployments as deployments,
)
from fsd_local.ecs import (
    operations_instances as instances,
)
from fsd_local.ecs import (
    operations_protection as protection,
)
from fsd_local.ecs import (
    operations_services as services,
)
from fsd_local.ecs import (
    operations_settings as settings,
)
from fsd_local.ecs import (
    operations_tags as tags,
)
from fsd_local.ecs import (
    operations_task_definitions as task_definitions,
)
from fsd_local.ecs import (
    operations_tasks as tasks,
)
from fsd_local.ecs.arns import Ids
from fsd_local.ecs.capacity import SPOT
from fsd_local.ecs.context import CallContext, KnownTargetGroup
from fsd_local.ecs.contract import Contract
from fsd_local.ecs.engine import Engine
from fsd_local.ecs.faults import ApiError
from fsd_local.ecs.health import task_health
from fsd_local.ecs.identifiers import check_identifiers
from fsd_local.ecs.model import EcsServiceRecord, Json, State, StopCode, Task, TaskStatus
from fsd_local.ecs.surroundings import Around, look_around
from fsd_local.ecs.tasks import log_target
from fsd_local.ecs.transitions import emit_deregistered
from fsd_local.ports import Alarm, LogTarget, Neighbours, SimulatedClock
from fsd_local.sessions.store import Sessions

Operation = Callable[[CallContext, Json], Json]

OPERATIONS: Mapping[str, Operation] = {
    "CreateCluster": clusters.create_cluster,
    "DescribeClusters": clusters.describe_clusters,
    "ListClusters": clusters.list_clusters,
    "DeleteCluster": clusters.delete_cluster,
    "UpdateCluster": clusters.update_cluster,
    "UpdateClusterSettings": clusters.update_cluster,
    "PutClusterCapacityProviders": clusters.put_cluster_capacity_providers,
    "DescribeCapacityProviders": clusters.describe_capacity_providers,
    "RegisterTaskDefinition": task_definitions.register_task_definition,
    "DescribeTaskDefinition": task_definitions.describe_task_definition,
    "ListTaskDefinitions": task_definitions.list_task_definitions,
    "ListTaskDefinitionFamilies": task_definitions.list_task_definition_families,
    "DeregisterTaskDefinition": task_definitions.deregister_task_definition,
    "DeleteTaskDefinitions": task_definitions.delete_task_definitions,
    "CreateService": services.create_service,
    "UpdateService": services.update_service,
    "DescribeServices": services.describe_services,
    "ListServices": services.list_services,
    "DeleteService": services.delete_service,
    "ListServiceDeployments": deployments.list_service_deployments,
    "DescribeServiceDeployments": deployments.describe_service_deployments,
    "DescribeServiceRevisions": deployments.describe_service_revisions,
    "ContinueServiceDeployment": deployments.continue_service_deployment,
    "StopServiceDeployment": deployments.stop_service_deployment,
    "ListTasks": tasks.list_tasks,
    "DescribeTasks": tasks.describe_tasks,
    "RunTask": tasks.run_task,
    "StopTask": tasks.stop_task,
    "ExecuteCommand": tasks.execute_command,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
    "PutAccountSetting": settings.put_account_setting,
    "PutAccountSettingDefault": settings.put_account_setting,
    "DeleteAccountSetting": settings.delete_account_setting,
    "ListAccountSettings": settings.list_account_settings,
    "GetTaskProtection": protection.get_task_protection,
    "UpdateTaskProtection": protection.update_task_protection,
    "ListContainerInstances": instances.list_container_instances,
    "DescribeContainerInstances": instances.describe_container_instances,
    "ListAttributes": instances.list_attributes,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSummary:
    id: str
    status: str
    health: str  # HEALTHY, UNHEALTHY, UNKNOWN: of its container checks
    address: str  # "" until it runs
    ports: tuple[int, ...]
    task_definition: str  # family:revision


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSummary:
    """One service, for people."""

    account: str
    region: str
    cluster: str
    name: str
    status: str
    task_definition: str  # family:revision
    rollout: str  # IN_PROGRESS, COMPLETED, FAILED; "" for one that is deleted
    desired: int
    running: int
    tasks: tuple[TaskSummary, ...]
    target_group_arns: tuple[str, ...]


class HostClock:
    def time(self) -> float:
        return time.time()


class EcsService:
    """The control plane with its threads. `close` joins them; `reset` leaves them running.

    `speed` divides every interval: grace, health checks, back-off, steady delay, bake time.
    """

    def __init__(
        self,
        *,
        neighbours: Neighbours,
        speed: float = 1.0,
        clock: SimulatedClock | None = None,
        ids: Ids | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        self._state = State()
        self._sessions = sessions or Sessions("ws://127.0.0.1")
        self._contract = Contract()
        self._clock: SimulatedClock = clock or HostClock()
        self._ids = ids or Ids()
        self._load_balancers = neighbours.load_balancers
        self._alarms = neighbours.alarms
        self._surroundings = neighbours.surroundings
        self._engine = Engine(
            state=self._state,
            neighbours=neighbours,
            clock=self._clock,
            ids=self._ids,
            speed=speed,
        )

    def handle(
        self, action: str, parameters: Json, *, account: str, region: str
    ) -> tuple[int, Json]:
        """(HTTP status, JSON body) of one call; timestamps are epoch seconds."""
        if self._engine.is_broken:
            return _error(500, "ServerException", "the embedded scheduler has stopped: see its log")
        operation = OPERATIONS.get(action)
        if operation is None:
            return self._refuse(action)
        try:
            cleaned = self._contract.check(action, parameters)
            check_identifiers(action, cleaned, account=account, region=region)
            facts = self._look_at_target_groups(cleaned, account=account, region=region)
            rules = self._look_at_rules(cleaned, account=account, region=region)
            seen = self._look_at_alarms(action, cleaned, account=account, region=region)
            around = look_around(cleaned, self._surroundings, account=account, region=region)
            with self._engine.lock:
                context = replace(
                    self._context(account, region),
                    target_groups=facts,
                    rules=rules,
                    alarms=seen,
                    around=around,
                )
                if "TaskDefinition" in action:
                    task_definitions.purge(context.scope)
                answer = operation(context, cleaned)
        except ApiError as error:
            return _error(400, error.code, error.message)
        self._engine.wake()
        return 200, answer

    def services(self) -> list[ServiceSummary]:
        """Every service that is not deleted, by account, Region, cluster and name."""
        with self._engine.lock:
            found = [
                _summary(service)
                for _, service in self._state.services()
                if service.status != "INACTIVE"
            ]
        return sorted(found, key=lambda s: (s.account, s.region, s.cluster, s.name))

    def counts(self) -> dict[str, int]:
        """How many of each resource there are; what is over or deleted does not count."""
        with self._engine.lock:
            scopes = self._state.scopes.values()
            return {
                "clusters": sum(len(scope.clusters) for scope in scopes),
                "services": sum(
                    service.status != "INACTIVE" for _, service in self._state.services()
                ),
                "tasks": sum(not task.is_stopped for _, task in self._state.tasks()),
                "task_definitions": sum(
                    definition.status == "ACTIVE"
                    for scope in scopes
                    for revisions in scope.task_definitions.values()
                    for definition in revisions.values()
                ),
            }

    def find_service(
        self, account: str, region: str, cluster: str, service: str
    ) -> ServiceSummary | None:
        """None where there is no ACTIVE service of this name."""
        with self._engine.lock:
            found = self._find_active(account, region, cluster, service)
            return _summary(found) if found is not None else None

    def set_desired_count(
        self, account: str, region: str, cluster: str, service: str, count: int
    ) -> None:
        """Scale without a deployment. A service that is gone is left alone."""
        with self._engine.lock:
            found = self._find_active(account, region, cluster, service)
            if found is not None:
                services.scale(found, count)
        self._engine.wake()

    def find_task(self, task_id: str) -> tuple[str, str, str] | None:
        """(account, Region, cluster) of a task that has not ended."""
        with self._engine.lock:
            for _, task in self._state.tasks():
                if task.id == task_id and not task.is_stopped:
                    return task.account, task.region, task.cluster
        return None

    def log_targets(self, task_id: str) -> dict[str, LogTarget]:
        """By container, those with an awslogs stream; {} for a task that is unknown."""
        with self._engine.lock:
            found = next((task for _, task in self._state.tasks() if task.id == task_id), None)
        if found is None:
            return {}
        containers = found.task_definition.containers
        targets = {container["name"]: log_target(found, container) for container in containers}
        return {name: target for name, target in targets.items() if target is not None}

    def interrupt_spot(self, task_id: str) -> bool:
        """AWS takes a Spot task's capacity back; False where there is no such Spot task.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
        """
        with self._engine.lock:
            for scope, task in self._state.tasks():
                if task.id != task_id or task.capacity_provider != SPOT or not task.is_wanted:
                    continue
                now = self._clock.time()
                effects = lifecycle.begin_stop(task, messages.SPOT_INTERRUPTED, StopCode.SPOT, now)
                name = task.group.removeprefix("service:")
                service = scope.services.get((task.cluster, name))
                if service is not None and task.id in service.tasks:
                    service.is_steady = False
                    emit_deregistered(service, effects, now, ids=self._ids)
                self._engine.enqueue(effects)
                break
            else:
                return False
        self._engine.wake()
        return True

    def reset(self) -> None:
        """Stop every task and forget everything; the control plane goes on, empty."""
        self._engine.reset()
        self._sessions.reset()

    def close(self) -> None:
        """Join every thread. Tasks that run are left to the runtime's own `close`."""
        self._engine.close()

    def _refuse(self, action: str) -> tuple[int, Json]:
        if self._contract.knows(action):
            message = f"The embedded AWS does not have {action}."
            return _error(400, "UnsupportedFeatureException", message)
        return _error(400, "UnknownOperationException", f"Unknown operation {action}.")

    def _context(self, account: str, region: str) -> CallContext:
        return CallContext(
            scope=self._state.scope(account, region),
            now=self._clock.time(),
            ids=self._ids,
            enqueue=self._engine.enqueue,
            target_groups={},
            rules={},
            alarms={},
            around=Around(),
            sessions=self._sessions,
        )

    def _find_active(
        self, account: str, region: str, cluster: str, service: str
    ) -> EcsServiceRecord | None:
        scope = self._state.scopes.get((account, region))
        found = scope.services.get((cluster, service)) if scope is not None else None
        return found if found is not None and found.status == "ACTIVE" else None

    def _look_at_target_groups(
        self, parameters: Json, *, account: str, region: str
    ) -> dict[str, KnownTargetGroup]:
        """Asked before the state is locked: the load balancers have locks of their own."""
        arns = set(_target_groups(parameters.get("loadBalancers") or ()))
        if "service" in parameters and "taskDefinition" in parameters:
            found = self._balancers_of(parameters, account=account, region=region)
            arns |= set(_target_groups(found))
        return {
            arn: KnownTargetGroup(
                exists=_is_of(arn, account, region) and self._load_balancers.exists(arn),
                is_attached=self._load_balancers.is_attached(arn),
                target_type=self._load_balancers.target_type(arn),
            )
            for arn in arns
        }

    def _look_at_rules(
        self, parameters: Json, *, account: str, region: str
    ) -> dict[str, Mapping[str, int]]:
        """Of the load balancers that are given, or that the service has already."""
        balancers = parameters.get("loadBalancers") or ()
        if "service" in parameters and "deploymentConfiguration" in parameters and not balancers:
            balancers = self._balancers_of(parameters, account=account, region=region)
        arns = [
            arn
            for balancer in balancers
            for member in ("productionListenerRule", "testListenerRule")
            if (arn := (balancer.get("advancedConfiguration") or {}).get(member))
        ]
        found = {
            arn: self._load_balancers.weights(arn) for arn in arns if _is_of(arn, account, region)
        }
        return {arn: weights for arn, weights in found.items() if weights is not None}

    def _balancers_of(self, parameters: Json, *, account: str, region: str) -> list[Json]:
        with self._engine.lock:
            return self._context(account, region).service(parameters).load_balancers

    def _look_at_alarms(
        self, action: str, parameters: Json, *, account: str, region: str
    ) -> Mapping[str, Alarm]:
        """Those of the service as it will be, at the instant at which a deployment may start."""
        if action not in {"CreateService", "UpdateService"}:
            return {}
        given = (parameters.get("deploymentConfiguration") or {}).get("alarms")
        if given is None and action == "UpdateService":
            with self._engine.lock:
                service = self._context(account, region).service(parameters)
                given = service.configuration.get("alarms")
        names = given["alarmNames"] if given else ()
        return self._alarms.read(names, account=account, region=region) if names else {}


def _target_groups(balancers: Iterable[Json]) -> Iterator[str]:
    for balancer in balancers:
        advanced = balancer.get("advancedConfiguration") or {}
        for arn in (balancer.get("targetGroupArn"), advanced.get("alternateTargetGroupArn")):
            if arn:
                yield arn


def _is_of(arn: str, account: str, region: str) -> bool:
    return arn.split(":")[3:5] == [region, account]


def _error(status: int, code: str, message: str) -> tuple[int, Json]:
    return status, {"__type": code, "message": message}


def _summary(service: EcsServiceRecord) -> ServiceSummary:
    wanted = [task for task in service.tasks.values() if not task.is_stopped]
    primary = service.primary
    return ServiceSummary(
        account=service.account,
        region=service.region,
        cluster=service.cluster,
        name=service.name,
        status=service.status,
        task_definition=_short(service.task_definition.arn),
        rollout=str(primary.rollout_state) if primary is not None else "",
        desired=service.desired_count,
        running=sum(task.status is TaskStatus.RUNNING for task in wanted),
        tasks=tuple(_task_summary(task) for task in wanted),
        target_group_arns=tuple(
            lb["targetGroupArn"] for lb in service.load_balancers if "targetGroupArn" in lb
        ),
    )


def _task_summary(task: Task) -> TaskSummary:
    ports = {
        mapping["containerPort"]
        for container in task.task_definition.containers
        for mapping in container["portMappings"]
        if "containerPort" in mapping
    }
    return TaskSummary(
        id=task.id,
        status=str(task.status),
        health=str(task_health(task)),
        address=task.address,
        ports=tuple(sorted(ports)),
        task_definition=_short(task.task_definition.arn),
    )


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
