"""ECS: clusters, task definitions, services, and the deployments of a service.

Lists are read to their end and described in batches as large as ECS takes
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Operations.html). A cluster, service
or task that is not there is an empty answer, not an error.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from fsd.aws.ecs_shapes import (
    EPOCH,
    last_part,
    log_stream_prefixes,
    to_cluster,
    to_listed_deployment,
    to_service,
    to_service_deployment,
    to_stopped_task,
    to_task,
    to_task_definition,
    utc,
    without_none,
    write_tags,
)
from fsd.aws.errors import aws_code, aws_message, call, pages
from fsd.aws.lost_answers import call_unless_done
from fsd.aws.propagation import once_roles_are_known
from fsd.aws.session import ONE_ATTEMPT, READ_ATTEMPTS, Clients
from fsd.aws.waiting import wait_for
from fsd.compile.desired import Json
from fsd.errors import CallFailedError, ErrorCode
from fsd.plan.diff import diff_task_definitions
from fsd.release.ports import Clock, Cluster, TaskDefinition
from fsd.snapshot import ServiceDeployment, ServiceState, StoppedTask, TaskState

SERVICES_A_CALL = 10
TASKS_A_CALL = 100
DEPLOYMENTS_A_CALL = 20
REVISIONS_A_CALL = 20
DELETED_DEFINITIONS_A_CALL = 10
DRAIN_LIMIT = timedelta(minutes=30)

_ABSENT = frozenset(
    {"ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException"}
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticContainerService:
    """`fsd.release.ports.Ecs`. Remembers what ECS never changes: revisions, log prefixes."""

    clients: Clients
    clock: Clock
    poll: timedelta
    _revisions: dict[str, str] = field(default_factory=dict, init=False)
    _log_prefixes: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)

    # --- clusters --------------------------------------------------------------------------

    def find_cluster(self, name: str) -> Cluster | None:
        answer = call(self._reads, "describe_clusters", name, clusters=[name], include=["TAGS"])
        _require_only_missing(answer, f"DescribeClusters {name}")
        active = [c for c in answer.get("clusters", []) if c.get("status") != "INACTIVE"]
        return to_cluster(active[0]) if active else None

    def create_cluster(self, name: str, *, tags: Mapping[str, str]) -> None:
        """A cluster of that name that is there already is fine, and stays as it is."""
        once_roles_are_known(
            lambda: call(
                self._reads, "create_cluster", name, clusterName=name, tags=write_tags(tags)
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
            call(self._reads, "update_cluster", name, cluster=name, serviceConnectDefaults=defaults)
        if providers:
            answer = call(self._reads, "describe_clusters", name, clusters=[name])
            found: dict[str, Any] = next(iter(answer.get("clusters", [])), {})
            call(
                self._reads,
                "put_cluster_capacity_providers",
                name,
                cluster=name,
                capacityProviders=sorted({*found.get("capacityProviders", []), *providers}),
                defaultCapacityProviderStrategy=found.get("defaultCapacityProviderStrategy", []),
            )

    def delete_cluster(self, name: str) -> None:
        try:
            call(self._reads, "delete_cluster", name, cluster=name)
        except CallFailedError as error:
            if aws_code(error) != "ClusterNotFoundException":
                raise

    # --- task definitions ------------------------------------------------------------------

    def register(self, definition: Json, *, tags: Mapping[str, str]) -> TaskDefinition:
        """Once: where the answer is lost, the newest revision is looked at before a repeat."""
        parameters = without_none(definition)
        family = str(definition.get("family", ""))

        def ask() -> TaskDefinition:
            answer = call(
                self._writes,
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
                self._reads,
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
        self._log_prefixes[found.arn] = log_stream_prefixes(found.definition)
        return found

    def find_newest_revision(self, family: str) -> TaskDefinition | None:
        """By the family's name alone ECS describes the newest ACTIVE revision.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html
        """
        return self.find_task_definition(family)

    def list_task_definitions(self, family: str) -> Sequence[str]:
        return self._list_task_definitions(family, "ACTIVE")

    def deregister(self, arn: str) -> None:
        call(self._reads, "deregister_task_definition", last_part(arn), taskDefinition=arn)

    def delete_task_definitions(self, family: str) -> int:
        active = self._list_task_definitions(family, "ACTIVE")
        for arn in active:
            self.deregister(arn)
        inactive = self._list_task_definitions(family, "INACTIVE")
        arns = list(dict.fromkeys([*active, *inactive]))
        for batch in _batches(arns, DELETED_DEFINITIONS_A_CALL):
            answer = call(
                self._reads, "delete_task_definitions", family, taskDefinitions=list(batch)
            )
            _require_only_missing(answer, f"DeleteTaskDefinitions {family}")
        return len(arns)

    def _list_task_definitions(self, family: str, status: str) -> list[str]:
        found = [
            arn
            for page in pages(
                self._reads,
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

    # --- services --------------------------------------------------------------------------

    def find_service(self, cluster: str, name: str) -> ServiceState | None:
        service = self._describe_service(cluster, name)
        return to_service(service) if service else None

    def service_names(self, cluster: str) -> Sequence[str]:
        try:
            found = [
                last_part(arn)
                for page in pages(self._reads, "list_services", cluster, cluster=cluster)
                for arn in page.get("serviceArns", [])
            ]
        except CallFailedError as error:
            if aws_code(error) == "ClusterNotFoundException":
                return ()
            raise
        return sorted(found)

    def find_services(self, cluster: str, names: Sequence[str]) -> Sequence[ServiceState]:
        return [
            to_service(service)
            for batch in _batches(names, SERVICES_A_CALL)
            for service in self._describe_services(cluster, batch)
        ]

    def create_service(self, parameters: Json) -> ServiceState:
        """Safe to repeat: `clientToken` is in the parameters."""
        where = f"{parameters.get('cluster')}/{parameters.get('serviceName')}"
        answer = once_roles_are_known(
            lambda: call(self._reads, "create_service", where, **without_none(parameters)),
            clock=self.clock,
        )
        return to_service(answer["service"])

    def update_service(self, parameters: Json) -> ServiceState:
        """Safe to repeat, but where `forceNewDeployment` starts a deployment each time."""
        if parameters.get("forceNewDeployment"):
            return self._force(parameters)
        return self._update(self._reads, parameters)

    def _update(self, client: Any, parameters: Json) -> ServiceState:
        where = f"{parameters.get('cluster')}/{parameters.get('service')}"
        answer = once_roles_are_known(
            lambda: call(client, "update_service", where, **without_none(parameters)),
            clock=self.clock,
        )
        return to_service(answer["service"])

    def _force(self, parameters: Json) -> ServiceState:
        cluster, name = str(parameters.get("cluster")), str(parameters.get("service"))
        before = self.find_service(cluster, name)

        def look() -> ServiceState | None:
            """A newer deployment than before, of the revision that was asked for."""
            found = self.find_service(cluster, name)
            if found is None or before is None or _primary_id(found) == _primary_id(before):
                return None
            wanted = parameters.get("taskDefinition", before.task_definition_arn)
            return found if found.task_definition_arn == wanted else None

        return call_unless_done(
            lambda: self._update(self._writes, parameters), look=look, clock=self.clock
        )

    def delete_service(self, cluster: str, name: str) -> None:
        """Raises TimedOutError where its tasks do not drain within half an hour."""
        service = self._describe_service(cluster, name)
        if service is None:
            return
        where = f"{cluster}/{name}"
        if service.get("status") == "ACTIVE":
            try:
                call(
                    self._reads, "delete_service", where, cluster=cluster, service=name, force=True
                )
            except CallFailedError as error:
                if aws_code(error) not in _ABSENT:
                    raise
        wait_for(
            lambda: True if self._describe_service(cluster, name) is None else None,
            clock=self.clock,
            poll=self.poll,
            limit=DRAIN_LIMIT,
            where=where,
        )

    def _describe_service(self, cluster: str, name: str) -> dict[str, Any] | None:
        return next(iter(self._describe_services(cluster, [name])), None)

    def _describe_services(self, cluster: str, names: Sequence[str]) -> list[dict[str, Any]]:
        """Without those that are missing, INACTIVE, or in a cluster that is not there."""
        where = f"{cluster}/{', '.join(names)}"
        try:
            answer = call(
                self._reads,
                "describe_services",
                where,
                cluster=cluster,
                services=list(names),
                include=["TAGS"],
            )
        except CallFailedError as error:
            if aws_code(error) == "ClusterNotFoundException":
                return []
            raise
        _require_only_missing(answer, f"DescribeServices {where}")
        if names and "services" not in answer and not answer.get("failures"):
            raise CallFailedError(
                "ECS answered neither with the service nor with why it has none",
                where=f"DescribeServices {where}",
                fix="run it again",
            )
        return [s for s in answer.get("services", []) if s.get("status") != "INACTIVE"]

    # --- service deployments ---------------------------------------------------------------

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
                    self._reads,
                    "list_service_deployments",
                    f"{cluster}/{service}",
                    cluster=cluster,
                    service=service,
                    maxResults=100,
                    **token,
                )
            except CallFailedError as error:
                if aws_code(error) in _ABSENT:
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
            for batch in _batches(arns, DEPLOYMENTS_A_CALL)
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

    def tag_task_definition(self, arn: str, *, tags: Mapping[str, str]) -> None:
        call(
            self._reads,
            "tag_resource",
            last_part(arn),
            resourceArn=arn,
            tags=write_tags(tags),
        )

    def tag_service(self, arn: str, *, tags: Mapping[str, str]) -> None:
        self.tag_task_definition(arn, tags=tags)  # one call for whatever ECS has

    def stop_service_deployment(self, arn: str) -> bool:
        """ROLLBACK is the only type that ECS documents; it works without a configured rollback.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html
        """
        try:
            call(
                self._reads,
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
            self._reads,
            "describe_service_deployments",
            _places(arns),
            serviceDeploymentArns=list(arns),
        )
        _require_only_missing(answer, f"DescribeServiceDeployments {_places(arns)}")
        found: list[dict[str, Any]] = answer.get("serviceDeployments", [])
        return found

    def _resolve(self, arns: Sequence[str]) -> Mapping[str, str]:
        """The task definition of each service revision. It never changes: asked for once."""
        known = {arn: self._revisions[arn] for arn in arns if arn in self._revisions}
        unknown = [arn for arn in dict.fromkeys(arns) if arn and arn not in known]
        for batch in _batches(unknown, REVISIONS_A_CALL):
            answer = call(
                self._reads,
                "describe_service_revisions",
                _places(batch),
                serviceRevisionArns=list(batch),
            )
            _require_only_missing(answer, f"DescribeServiceRevisions {_places(batch)}")
            for found in answer.get("serviceRevisions", []):
                if found.get("taskDefinition"):
                    known[found.get("serviceRevisionArn", "")] = found["taskDefinition"]
        self._revisions.update(known)
        return known

    def service_revision(self, arn: str) -> Json:
        answer = call(
            self._reads, "describe_service_revisions", last_part(arn), serviceRevisionArns=[arn]
        )
        found: Json = next(iter(answer.get("serviceRevisions", [])), {})
        settings: Json = {}
        if found.get("networkConfiguration"):
            settings["networkConfiguration"] = found["networkConfiguration"]
        if found:
            settings["loadBalancers"] = found.get("loadBalancers", [])
        return settings

    # --- tasks -----------------------------------------------------------------------------

    def run_task(self, parameters: Json) -> str:
        """Raises CallFailedError also for what RunTask says among its failures."""
        where = str(parameters.get("taskDefinition", "")).rpartition("/")[2]
        token = uuid.uuid4().hex[:32]
        answer = call(self._reads, "run_task", where, **without_none(parameters), clientToken=token)
        tasks = answer.get("tasks", [])
        if tasks:
            return last_part(tasks[0]["taskArn"])
        failure: dict[str, Any] = next(iter(answer.get("failures", [])), {})
        raise CallFailedError(
            f"ECS starts no task: {failure.get('reason', 'it does not say why')}",
            where=f"RunTask {where}",
            fix=failure.get("detail") or "run it again; see the capacity of the subnets and quotas",
            code=ErrorCode.CALL_FAILED,
        )

    def find_task(self, cluster: str, task: str) -> TaskState | StoppedTask | None:
        found = next(iter(self._describe_tasks(cluster, task, [task])), None)
        if found is None:
            return None
        return to_stopped_task(found) if found.get("lastStatus") == "STOPPED" else to_task(found)

    def stop_task(self, cluster: str, task: str, *, reason: str) -> None:
        try:
            call(self._reads, "stop_task", task, cluster=cluster, task=task, reason=reason)
        except CallFailedError as error:
            if aws_code(error) != "InvalidParameterException":
                raise

    def stopped_tasks(self, cluster: str, service: str) -> Sequence[StoppedTask]:
        """Those that ECS still remembers, for an hour or so; also those still stopping."""
        return _stopped(self._tasks(cluster, service, "STOPPED"))

    def log_streams(self, task: StoppedTask) -> tuple[str, ...]:
        """() also where its task definition was deleted. A call for each revision not seen yet."""
        arn = task.task_definition_arn
        if arn not in self._log_prefixes:
            self.find_task_definition(arn)
        return tuple(f"{prefix}{task.id}" for prefix in self._log_prefixes.get(arn, ()))

    def tasks(self, cluster: str, service: str) -> Sequence[TaskState]:
        return _running(self._tasks(cluster, service, "RUNNING"))

    def all_tasks(
        self, cluster: str, service: str
    ) -> tuple[Sequence[TaskState], Sequence[StoppedTask]]:
        return self._both(cluster, service, kind="serviceName")

    def runs(self, cluster: str, family: str) -> tuple[Sequence[TaskState], Sequence[StoppedTask]]:
        return self._both(cluster, family, kind="family")

    def _both(
        self, cluster: str, name: str, *, kind: str
    ) -> tuple[Sequence[TaskState], Sequence[StoppedTask]]:
        stopped = self._list_tasks(cluster, name, "STOPPED", kind=kind)
        running = self._list_tasks(cluster, name, "RUNNING", kind=kind)
        described = {
            task.get("taskArn"): task
            for task in self._describe_tasks(cluster, name, [*stopped, *running])
        }
        return (
            _running(described[arn] for arn in running if arn in described),
            _stopped(described[arn] for arn in stopped if arn in described),
        )

    def _tasks(self, cluster: str, service: str, status: str) -> Iterator[dict[str, Any]]:
        listed = self._list_tasks(cluster, service, status)
        return self._describe_tasks(cluster, service, listed)

    def _list_tasks(
        self, cluster: str, service: str, status: str, *, kind: str = "serviceName"
    ) -> list[str]:
        """By desired status: RUNNING has the tasks that should run, from PROVISIONING on.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
        """
        where = f"{cluster}/{service}"
        try:
            return [
                arn
                for page in pages(
                    self._reads,
                    "list_tasks",
                    where,
                    cluster=cluster,
                    desiredStatus=status,
                    **{kind: service},
                )
                for arn in page.get("taskArns", [])
            ]
        except CallFailedError as error:
            if aws_code(error) in _ABSENT:
                return []
            raise

    def _describe_tasks(
        self, cluster: str, service: str, listed: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        where = f"{cluster}/{service}"
        for batch in _batches(listed, TASKS_A_CALL):
            answer = call(self._reads, "describe_tasks", where, cluster=cluster, tasks=list(batch))
            _require_only_missing(answer, f"DescribeTasks {where}")
            yield from answer.get("tasks", [])

    @property
    def _reads(self) -> Any:
        """Also for what is safe to repeat."""
        return self.clients.client("ecs", attempts=READ_ATTEMPTS)

    @property
    def _writes(self) -> Any:
        return self.clients.client("ecs", attempts=ONE_ATTEMPT)


def _running(tasks: Iterable[dict[str, Any]]) -> tuple[TaskState, ...]:
    return tuple(to_task(task) for task in tasks if not _has_stopped(task))


def _stopped(tasks: Iterable[dict[str, Any]]) -> tuple[StoppedTask, ...]:
    return tuple(to_stopped_task(task) for task in tasks if not _should_run(task))


def _should_run(task: dict[str, Any]) -> bool:
    """Described a moment after it was listed: it may have changed sides."""
    return task.get("desiredStatus") == "RUNNING" and task.get("lastStatus") != "STOPPED"


def _has_stopped(task: dict[str, Any]) -> bool:
    return task.get("lastStatus") == "STOPPED" or task.get("desiredStatus") == "STOPPED"


def _primary_id(service: ServiceState) -> str:
    return service.primary.id if service.primary else ""


def says_no_task_definition(error: CallFailedError) -> bool:
    """DescribeTaskDefinition answers a revision that is not there with a ClientException."""
    return aws_code(error) == "ClientException" and (
        "unable to describe task definition" in aws_message(error).lower()
    )


def _require_only_missing(answer: dict[str, Any], where: str) -> None:
    """A describe of several things answers 200 with `failures`; MISSING is an answer."""
    for failure in answer.get("failures", []):
        if failure.get("reason") != "MISSING":
            detail = f": {failure['detail']}" if failure.get("detail") else ""
            raise CallFailedError(
                f"{failure.get('reason', 'no reason given')}{detail}",
                where=f"{where} {failure.get('arn', '')}".strip(),
                fix="correct what the message names, and run it again",
            )


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _places(arns: Sequence[str]) -> str:
    more = f" and {len(arns) - 1} more" if len(arns) > 1 else ""
    return f"{arns[0]}{more}"
