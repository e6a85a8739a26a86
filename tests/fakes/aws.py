"""AWS as a release sees it, in memory, with scenario verbs. No time passes but the fake clock's.

A deployment's statuses are scripted, one a look: `aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fsd.compile.desired import Json, Scaling, ScheduledBounds
from fsd.errors import CallFailedError, FsdError
from fsd.plan.moved_check import TargetCheck
from fsd.plan.observed import OldSchedule
from fsd.plan.previous_stack import split_previous
from fsd.plan.reality import LISTENER, LOG_GROUP, ROLE, Seen, balancer_of
from fsd.release.image_scan import ScanResult
from fsd.release.log_places import LogRoutes, StreamPlace
from fsd.release.ports import (
    AlarmState,
    Aws,
    Cluster,
    ExecContainer,
    ExecSession,
    ExecTask,
    Identity,
    JobSchedule,
    KnownTemplate,
    LogLine,
    Network,
    PermissionDenied,
    RegistryImage,
    Repository,
    ScalingState,
    Stack,
    StackDrift,
    TaskDefinition,
)
from fsd.release.schedule_shape import load_schedule
from fsd.snapshot import (
    DeploymentStatus,
    EcsDeployment,
    ServiceDeployment,
    ServiceState,
    StackLook,
    StoppedContainer,
    StoppedTask,
    TargetHealth,
    TaskState,
)
from tests.fakes.clock import Unlimited

START = datetime(2026, 11, 22, 14, 0, 0, tzinfo=UTC)
PREFIX = "arn:aws:ecs:us-east-1:123456789012"


class FakeClock(Unlimited):
    """Moves when somebody waits. `at` runs something at a wait: a signal, another deployment."""

    def __init__(self) -> None:
        self.time = START
        self.waits = 0
        self._events: dict[int, Callable[[], object]] = {}

    def now(self) -> datetime:
        return self.time

    def wait(self, duration: timedelta) -> None:
        self.time += duration
        self.waits += 1
        if self.waits in self._events:
            self._events[self.waits]()

    def at(self, wait: int, action: Callable[[], object]) -> None:
        self._events[wait] = action


@dataclass
class FakeEcs:
    clusters: dict[str, Cluster] = field(default_factory=dict)
    services: dict[str, ServiceState] = field(default_factory=dict)
    definitions: list[TaskDefinition] = field(default_factory=list)
    deployments: list[ServiceDeployment] = field(default_factory=list)
    stopped: list[StoppedTask] = field(default_factory=list)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    fails: dict[str, list[CallFailedError]] = field(default_factory=dict)
    on_register: list[Callable[[], object]] = field(default_factory=list)  # after one, each once
    before_update: list[Callable[[], object]] = field(default_factory=list)  # as ECS gets the call
    on_update: Callable[[], None] = lambda: None
    unanswered: list[CallFailedError] = field(default_factory=list)  # by update_service
    registered_at: dict[str, datetime] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)  # exit codes of tasks that run once
    revisions: dict[str, Json] = field(default_factory=dict)  # service revisions
    lists_late: int = 0  # looks for which a new deployment is not listed yet
    _scripts: dict[str, list[str]] = field(default_factory=dict)
    _next: list[list[str]] = field(default_factory=list)
    _on_stop: list[str] = field(default_factory=list)

    # --- scenario verbs ---

    def declare_release(self, revision: int, *, version: str = "", image: str = "") -> str:
        """A revision of web-dev that is registered."""
        arn = f"{PREFIX}:task-definition/web-dev:{revision}"
        definition: Json = {
            "family": "web-dev",
            "cpu": "512",
            "memory": "1024",
            "containerDefinitions": [{"name": "web", "image": image or f"repo@sha256:{revision}"}],
        }
        tags = {
            "fsd:service": "web",
            "fsd:version": version or f"v{revision}",
            "fsd:commit": f"{revision}" * 40,
        }
        self.definitions.insert(
            0,
            TaskDefinition(
                arn=arn, family="web-dev", revision=revision, status="ACTIVE",
                definition=definition, tags=tags,
            ),
        )  # fmt: skip
        return arn

    def declare_running(self, revision: int, *, count: int = 2) -> None:
        """web-dev runs this revision, whose deployment succeeded."""
        arn = self.declare_release(revision)
        self.clusters["dev"] = Cluster(name="dev", arn="c", tags={})
        self._add_deployment(arn, "SUCCESSFUL", requested=count)
        self.services["web-dev"] = self._service(arn, count, state="COMPLETED")

    def script(self, *statuses: str) -> None:
        """The statuses that the next deployment shows, one a look; the last one stays."""
        self._next.append(list(statuses))

    def on_stop(self, *statuses: str) -> None:
        """What a deployment shows after StopServiceDeployment; () means: it is over already."""
        self._on_stop = list(statuses)

    def fail(self, operation: str, *errors: CallFailedError) -> None:
        """The next calls of an operation raise these."""
        self.fails.setdefault(operation, []).extend(errors)

    def crash(self, revision: int, *, times: int) -> None:
        for _ in range(times):
            self.stopped.append(
                StoppedTask(
                    id=f"{len(self.stopped)}" * 32,
                    task_definition_arn=f"{PREFIX}:task-definition/web-dev:{revision}",
                    stop_code="EssentialContainerExited",
                    stopped_reason="Essential container in task exited",
                    containers=(StoppedContainer(name="web", exit_code=1),),
                )
            )

    def take_over(self, revision: int) -> None:
        """Somebody else deploys."""
        arn = self.declare_release(revision)
        self._add_deployment(arn, "IN_PROGRESS")
        self.services["web-dev"] = self._service(arn, 2)

    def begin(self, revision: int) -> None:
        """A deployment of this revision is in flight, whoever asked for it."""
        self._add_deployment(f"{PREFIX}:task-definition/web-dev:{revision}", "IN_PROGRESS")

    def begin_unseen(self, revision: int) -> None:
        """Another run's deployment of this revision, which is over before ours begins to count."""
        self._add_deployment(f"{PREFIX}:task-definition/web-dev:{revision}", "SUCCESSFUL")
        theirs = self.deployments.pop(0)
        self.deployments.insert(1, replace(theirs, created_at=START))

    def serve(self, arn: str) -> None:
        """The service is on this revision, whatever is in flight: ECS goes back to it."""
        self.services["web-dev"] = self._service(arn, 2)

    def end(self, status: str) -> None:
        """The newest deployment ends so, at the next look."""
        self._scripts[self.deployments[0].arn] = [status]

    def end_all(self, status: str) -> None:
        """Whatever is in flight ends so."""
        self._scripts.clear()
        self.deployments = [
            replace(d, status=DeploymentStatus(status)) if not d.status.is_final else d
            for d in self.deployments
        ]

    # --- the port ---

    def find_cluster(self, name: str) -> Cluster | None:
        return self.clusters.get(name)

    def create_cluster(self, name: str, *, tags: Mapping[str, str]) -> None:
        self.calls.append(("create_cluster", {"name": name}))
        self.clusters[name] = Cluster(name=name, arn=name, tags=tags)

    def prepare_cluster(self, name: str, *, namespace: str, providers: Sequence[str]) -> None:
        self.calls.append(("prepare_cluster", {"name": name, "namespace": namespace}))
        cluster = self.clusters[name]
        self.clusters[name] = replace(
            cluster,
            namespace=namespace or cluster.namespace,
            capacity_providers=cluster.capacity_providers | set(providers),
        )

    def delete_cluster(self, name: str) -> None:
        del self.clusters[name]

    def service_names(self, cluster: str) -> Sequence[str]:
        del cluster
        return sorted(self.services)

    def find_services(self, cluster: str, names: Sequence[str]) -> Sequence[ServiceState]:
        found = (self.find_service(cluster, name) for name in names)
        return [service for service in found if service is not None]

    def find_service(self, cluster: str, name: str) -> ServiceState | None:
        del cluster
        self._maybe_fail("find_service")
        return self.services.get(name)

    def register(self, definition: Json, *, tags: Mapping[str, str]) -> TaskDefinition:
        self._maybe_fail("register")
        revision = max((d.revision for d in self.definitions), default=0) + 1
        arn = f"{PREFIX}:task-definition/web-dev:{revision}"
        made = TaskDefinition(
            arn=arn, family="web-dev", revision=revision, status="ACTIVE",
            definition=definition, tags=tags,
        )  # fmt: skip
        self.definitions.insert(0, made)
        _run_next(self.on_register)
        return made

    def find_task_definition(self, arn: str) -> TaskDefinition | None:
        self._maybe_fail("find_task_definition")
        found = next((d for d in self.definitions if d.arn == arn), None)
        at = self.registered_at.get(arn, START - timedelta(minutes=1))
        return replace(found, registered_at=at) if found else None

    def find_newest_revision(self, family: str) -> TaskDefinition | None:
        arns = self.list_task_definitions(family)
        return self.find_task_definition(arns[0]) if arns else None

    def list_task_definitions(self, family: str) -> Sequence[str]:
        return [d.arn for d in self.definitions if d.family == family]

    def deregister(self, arn: str) -> None:
        self.calls.append(("deregister", {"arn": arn}))
        self.definitions = [d for d in self.definitions if d.arn != arn]

    def delete_task_definitions(self, family: str) -> int:
        gone = [d for d in self.definitions if d.family == family]
        self.definitions = [d for d in self.definitions if d.family != family]
        return len(gone)

    def create_service(self, parameters: Json) -> ServiceState:
        self._maybe_fail("create_service")
        self.calls.append(("create_service", parameters))
        arn = str(parameters["taskDefinition"])
        self._add_deployment(arn, self._start_script())
        service = self._service(arn, int(str(parameters["desiredCount"])))
        self.services["web-dev"] = _told(service, parameters)
        return self.services["web-dev"]

    def update_service(self, parameters: Json) -> ServiceState:
        self._maybe_fail("update_service")
        _run_next(self.before_update)
        self.calls.append(("update_service", parameters))
        service = self.services["web-dev"]
        count = int(str(parameters.get("desiredCount", service.desired)))
        arn = str(parameters.get("taskDefinition", service.task_definition_arn))
        service = replace(service, desired=count, running=count)
        moves = _network(_told(service, parameters)) != _network(service)
        if moves or arn != service.task_definition_arn or parameters.get("forceNewDeployment"):
            self._add_deployment(arn, self._start_script())
            service = replace(
                self._service(arn, count), current_deployment_arn=self.deployments[0].arn
            )
        service = self.services["web-dev"] = _told(service, parameters)
        self.on_update()
        if self.unanswered:
            raise self.unanswered.pop(0)
        return service

    def delete_service(self, cluster: str, name: str) -> None:
        del cluster
        self.services.pop(name, None)

    def service_deployment_arns(self, cluster: str, service: str) -> Sequence[str]:
        del cluster, service
        self._maybe_fail("service_deployment_arns")
        if self.lists_late > 0 and self.calls:
            # The newest is not listed yet: ECS is eventually consistent.
            self.lists_late -= 1
            return [d.arn for d in self.deployments[1:]]
        return [d.arn for d in self.deployments]

    def newest_deployments(
        self, cluster: str, service: str, *, limit: int
    ) -> tuple[Sequence[str], Sequence[ServiceDeployment]]:
        arns = self.service_deployment_arns(cluster, service)
        return arns, self.service_deployments(arns[:limit])

    def service_deployments(self, arns: Sequence[str]) -> Sequence[ServiceDeployment]:
        self._maybe_fail("service_deployments")
        return [self._look(d) for d in self.deployments if d.arn in arns]

    def tag_task_definition(self, arn: str, *, tags: Mapping[str, str]) -> None:
        self._maybe_fail("tag_task_definition")
        self.calls.append(("tag_task_definition", {"arn": arn, "tags": dict(tags)}))
        self.definitions = [
            replace(d, tags={**d.tags, **tags}) if d.arn == arn else d for d in self.definitions
        ]

    def tag_service(self, arn: str, *, tags: Mapping[str, str]) -> None:
        self.calls.append(("tag_service", {"arn": arn, "tags": dict(tags)}))
        for name, service in self.services.items():
            if service.arn == arn:
                both = {**dict(service.tags), **tags}
                self.services[name] = replace(service, tags=tuple(sorted(both.items())))

    def service_revision(self, arn: str) -> Json:
        return dict(self.revisions.get(arn, {}))

    def stop_service_deployment(self, arn: str) -> bool:
        self.calls.append(("stop_service_deployment", {"arn": arn}))
        if not self._on_stop:
            return False
        self._scripts[arn] = list(self._on_stop)
        return True

    def continue_service_deployment(self, arn: str, *, hook: str, goes_on: bool) -> None:
        said: Json = {"arn": arn, "hook": hook, "goes_on": goes_on}
        self.calls.append(("continue_service_deployment", said))
        self._maybe_fail("continue_service_deployment")

    def run_task(self, parameters: Json) -> str:
        self.calls.append(("run_task", parameters))
        self._maybe_fail("run_task")
        return f"{len(self.calls):032x}"

    def find_task(self, cluster: str, task: str) -> StoppedTask | None:
        """What was run has ended with the next of `ends`."""
        del cluster
        asked = [parameters for name, parameters in self.calls if name == "run_task"][-1]
        override: Any = asked["overrides"]
        code = self.ends.pop(0) if self.ends else 0
        name = override["containerOverrides"][0]["name"]
        return StoppedTask(
            id=task,
            task_definition_arn=str(asked["taskDefinition"]),
            stop_code="EssentialContainerExited",
            stopped_reason="Essential container in task exited",
            containers=(StoppedContainer(name=name, exit_code=code),),
            started_at=START,
        )

    def stop_task(self, cluster: str, task: str, *, reason: str) -> None:
        self.calls.append(("stop_task", {"cluster": cluster, "task": task, "reason": reason}))

    def stopped_tasks(self, cluster: str, service: str) -> Sequence[StoppedTask]:
        del cluster, service
        return self.stopped

    def runs(self, cluster: str, family: str) -> tuple[Sequence[TaskState], Sequence[StoppedTask]]:
        del cluster, family
        return [], self.stopped

    def log_routes(self, task_definition_arn: str) -> LogRoutes:
        """As its definition says; of one that says nothing, the service's own group."""
        found = next((d for d in self.definitions if d.arn == task_definition_arn), None)
        routes = found.log_routes if found else LogRoutes()
        own = (StreamPlace(group="/ecs/web-dev"),)
        return routes if routes.places else LogRoutes(places=own, all_places=own)

    def tasks(self, cluster: str, service: str) -> Sequence[TaskState]:
        del cluster, service
        return []

    def all_tasks(
        self, cluster: str, service: str
    ) -> tuple[Sequence[TaskState], Sequence[StoppedTask]]:
        return self.tasks(cluster, service), self.stopped_tasks(cluster, service)

    # --- inside ---

    def _maybe_fail(self, operation: str) -> None:
        if self.fails.get(operation):
            raise self.fails[operation].pop(0)

    def _start_script(self) -> str:
        script = self._next.pop(0) if self._next else ["SUCCESSFUL"]
        self._scripts[f"{PREFIX}:service-deployment/{len(self.deployments) + 1}"] = script
        return script[0]

    def _add_deployment(self, arn: str, status: str, *, requested: int = 2) -> None:
        number = len(self.deployments) + 1
        self.deployments.insert(
            0,
            ServiceDeployment(
                arn=f"{PREFIX}:service-deployment/{number}",
                status=DeploymentStatus(status),
                task_definition_arn=arn,
                created_at=START + timedelta(seconds=number),
                requested=requested,
            ),
        )

    def _look(self, deployment: ServiceDeployment) -> ServiceDeployment:
        """Advance the script; a rollback puts the service back on its last good revision."""
        script = self._scripts.get(deployment.arn)
        if not script:
            return deployment
        status = DeploymentStatus(script.pop(0) if len(script) > 1 else script[0])
        seen = replace(deployment, status=status)
        self.deployments[self.deployments.index(deployment)] = seen
        if status is DeploymentStatus.ROLLBACK_SUCCESSFUL:
            good = next(d for d in self.deployments if d.status is DeploymentStatus.SUCCESSFUL)
            before = self.services["web-dev"]
            self.services["web-dev"] = replace(
                self._service(good.task_definition_arn, before.desired),
                current_deployment_arn=before.current_deployment_arn,
            )
        return seen

    def _service(self, arn: str, count: int, *, state: str = "IN_PROGRESS") -> ServiceState:
        primary = EcsDeployment(
            id="ecs-svc/1", status="PRIMARY", task_definition_arn=arn, rollout_state=state,
            desired=count, running=count, created_at=START,
        )  # fmt: skip
        made = ServiceState(
            name="web-dev",
            arn=f"{PREFIX}:service/dev/web-dev",
            cluster="dev",
            status="ACTIVE",
            task_definition_arn=arn,
            desired=count,
            running=count,
            pending=0,
            deployments=(primary,),
            subnets=("subnet-1",),
            security_groups=("sg-1",),
        )
        return replace(
            self.services.get("web-dev", made),
            task_definition_arn=arn,
            desired=count,
            running=count,
            deployments=(primary,),
            current_deployment_arn=self.deployments[0].arn if self.deployments else "",
        )


def _network(service: ServiceState) -> tuple[object, ...]:
    """What ECS changes with a deployment only."""
    return (
        service.subnets,
        service.security_groups,
        service.assign_public_ip,
        service.target_group_arns,
        service.container_port,
    )


def _told(service: ServiceState, parameters: Json) -> ServiceState:
    """What an update says; what it leaves out stays as it is."""
    told: dict[str, Any] = {**parameters}
    network = told.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    changes: dict[str, Any] = {}
    if network:
        changes |= {
            "subnets": tuple(network["subnets"]),
            "security_groups": tuple(network["securityGroups"]),
            "assign_public_ip": network["assignPublicIp"] == "ENABLED",
        }
    if "loadBalancers" in told:
        balancers = told["loadBalancers"]
        changes["target_group_arns"] = tuple(b["targetGroupArn"] for b in balancers)
        changes["container_port"] = next((b["containerPort"] for b in balancers), None)
    if "healthCheckGracePeriodSeconds" in told:
        changes["grace_period"] = told["healthCheckGracePeriodSeconds"]
    if "deploymentConfiguration" in told:
        kept = service.deployment_configuration
        changes["deployment_configuration"] = {**kept, **told["deploymentConfiguration"]}
    return replace(service, **changes)


@dataclass
class FakeStacks:
    stacks: dict[str, Stack] = field(default_factory=dict)
    applied: list[Json] = field(default_factory=list)  # without what they remember
    on_applied: Callable[[Json, Json], object] = lambda *_: None  # (before, after)
    undeleted: tuple[str, ...] = ()  # by every change
    returned: list[tuple[str, str]] = field(default_factory=list)  # (stack, target group)
    made: dict[str, int] = field(default_factory=dict)  # how often, by name
    on_find: list[CallFailedError | None] = field(default_factory=list)
    on_apply: list[FsdError | None] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)  # that the template does not tell
    templates_read: int = 0

    def find(self, name: str, *, known: KnownTemplate | None = None) -> Stack | None:
        _raise_next(self.on_find)
        stack = self.stacks.get(name)
        template = known(stack.change) if stack and known else None
        if stack is None or template is None:
            self.templates_read += stack is not None
            return stack
        return replace(stack, template=template)

    def look(self, name: str) -> StackLook | None:
        stack = self.find(name)
        if stack is None:
            return None
        return StackLook(name=name, status=stack.status, outputs=tuple(stack.outputs.items()))

    def apply(self, name: str, *, template: Json, tags: Mapping[str, str]) -> Stack:
        _raise_next(self.on_apply)
        self.applied.append(split_previous(template)[0])
        self.on_applied(self.stacks[name].template if name in self.stacks else {}, template)
        was_made = self.made.get(name, 0)
        made = self.made[name] = was_made + (name not in self.stacks)
        stored: Json = json.loads(json.dumps(template, sort_keys=True))  # as FSD sends it
        self.stacks[name] = Stack(
            name=name, id=name, status="UPDATE_COMPLETE", template=stored,
            outputs={**_outputs(stored, made), **self.outputs}, tags=tags,
            undeleted=self.undeleted, change=f"{name}#{len(self.applied)}",
        )  # fmt: skip
        is_new = made > was_made
        return self.stacks[name] if is_new else replace(self.stacks[name], change="")

    def merge(self, name: str, *, make: Callable[[Json], Json], tags: Mapping[str, str]) -> Stack:
        found = self.stacks.get(name)
        return self.apply(name, template=make(found.template if found else {}), tags=tags)

    def return_traffic(self, name: str, *, group: str) -> None:
        self.returned.append((name, group))

    def delete(self, name: str) -> None:
        self.stacks.pop(name, None)

    def drift(self, name: str) -> StackDrift:
        del name
        return StackDrift()


@dataclass
class FakeReality:
    """All that the template says is there, less `gone`: logical names that somebody removed."""

    gone: set[str] = field(default_factory=set)

    def look(self, stack: Stack, *, targets: Sequence[TargetHealth] = ()) -> Seen:
        del targets
        resources: dict[str, Any] = dict(stack.template["Resources"])  # type: ignore[arg-type] # a dict

        def there(kind: str, key: str) -> dict[Any, bool]:
            return {
                one.get("Properties", {}).get(key, name): name not in self.gone
                for name, one in resources.items()
                if one["Type"] == kind
            }

        output = stack.template.get("Outputs") or {}
        assert isinstance(output, dict)
        group: Any = output.get("TargetGroupArn", {})
        balancer = balancer_of(stack.template)
        return Seen(
            roles=there(ROLE, "RoleName"),
            log_groups=there(LOG_GROUP, "LogGroupName"),
            balancer_exists=balancer not in self.gone if balancer else None,
            listener_ports=frozenset(
                p for p, is_there in there(LISTENER, "Port").items() if is_there
            ),
            target_group_exists=group["Value"]["Ref"] not in self.gone if group else None,
        )

    def made(self, before: Json, after: Json) -> None:
        """CloudFormation makes what is new in a template, and asks for nothing else."""
        had, has = (t.get("Resources") or {} for t in (before, after))
        assert isinstance(had, dict)
        assert isinstance(has, dict)
        self.gone -= has.keys() - had.keys()
        self.gone &= has.keys()


def _outputs(template: Json, made: int) -> dict[str, str]:
    """`<resource>-<made>` for a `Ref`, `<output>-<made>` for whatever else stands there."""
    outputs: dict[str, Any] = dict(template.get("Outputs") or {})  # type: ignore[arg-type] # a dict
    return {"TaskSecurityGroupId": f"sg-{made}"} | {
        name: f"{output['Value'].get('Ref', name)}-{made}"
        for name, output in outputs.items()
        if name != "TaskSecurityGroupId" and isinstance(output.get("Value"), dict)
    }


def _run_next(actions: list[Callable[[], object]]) -> None:
    if actions:
        actions.pop(0)()


def _raise_next(
    errors: list[CallFailedError | None] | list[FsdError | None] | list[FsdError],
) -> None:
    """One entry a call; None lets the call through."""
    error = errors.pop(0) if errors else None
    if error is not None:
        raise error


@dataclass
class FakeScaling:
    """`error` is raised by every change. `is_ours`: the policies are those that FSD makes."""

    scaling: Scaling | None = None
    error: CallFailedError | None = None
    is_ours: bool = True
    others: tuple[str, ...] = ()  # policies that FSD did not make
    scheduled: tuple[str, ...] = ()
    clamp: Callable[[Scaling], object] = lambda _: None  # where a range is registered

    def find(self, cluster: str, service: str) -> ScalingState | None:
        del cluster
        if self.scaling is None:
            return None
        names = (f"{service}-cpu",) if self.is_ours else ()
        return ScalingState(scaling=self.scaling, policy_names=names, other_names=self.others)

    def apply(self, cluster: str, service: str, scaling: Scaling) -> None:
        del cluster, service
        if self.error is not None:
            raise self.error
        before, self.scaling, self.is_ours = self.scaling, scaling, True
        limits = (scaling.minimum, scaling.maximum)
        if before is None or (before.minimum, before.maximum) != limits:
            self.clamp(scaling)

    def scheduled_actions(self, cluster: str, service: str) -> Sequence[str]:
        del cluster, service
        return self.scheduled

    def find_schedules(self, cluster: str, service: str) -> tuple[ScheduledBounds, ...]:
        del cluster, service
        return self.scaling.schedules if self.scaling else ()

    def end_schedules(self, cluster: str, service: str, names: Sequence[str]) -> None:
        del cluster, service
        assert self.scaling is not None or not names

    def end_policies(self, cluster: str, service: str) -> None:
        del cluster, service
        assert self.scaling is not None
        self.scaling, self.is_ours = replace(self.scaling, cpu=None, memory=None), False

    def remove(self, cluster: str, service: str) -> bool:
        del cluster, service
        was, self.scaling, self.others, self.scheduled = self.scaling, None, (), ()
        return was is not None


@dataclass
class FakeAlarms:
    """`states` by name; `error` is raised by every look."""

    states: dict[str, str] = field(default_factory=dict)
    error: CallFailedError | None = None

    def find(self, names: Sequence[str]) -> Sequence[AlarmState]:
        if self.error is not None:
            raise self.error
        return [
            AlarmState(name=name, state=self.states[name], reason=f"{name} is {self.states[name]}")
            for name in names
            if name in self.states
        ]


@dataclass
class FakeLogs:
    """`error` is raised where lines are asked for as they come."""

    lines: list[LogLine] = field(default_factory=list)
    error: CallFailedError | None = None
    gone: set[str] = field(default_factory=set)

    def say(self, text: str, *, stream: str = "s") -> None:
        self.lines.append(LogLine(at=START, text=text, stream=stream))

    def tail(self, group: str, stream: str, limit: int) -> Sequence[LogLine]:
        del group
        return [line for line in self.lines if line.stream in {"s", stream}][-limit:]

    def since(self, group: str, start: datetime, prefix: str = "") -> Sequence[LogLine]:
        del group, prefix
        if self.error is not None:
            raise self.error
        return [line for line in self.lines if line.at >= start]

    def has_group(self, name: str) -> bool:
        return name not in self.gone


@dataclass
class FakeTargets:
    """`groups` by ARN; a callable is asked anew at each look."""

    groups: dict[str, Callable[[], Sequence[TargetHealth]]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    rules: dict[str, Mapping[str, int]] = field(default_factory=dict)

    def declare(self, arn: str, *targets: TargetHealth) -> None:
        self.groups[arn] = lambda: targets

    def health(self, target_group_arn: str) -> Sequence[TargetHealth]:
        look = self.groups.get(target_group_arn)
        return look() if look else []

    def weights(self, rule_arn: str) -> Mapping[str, int]:
        return self.rules.get(rule_arn, {})

    def find_health(self, target_group_arn: str) -> Sequence[TargetHealth] | None:
        return None if target_group_arn in self.gone else self.health(target_group_arn)


@dataclass
class FakeProbes:
    """Probes by name. `answer` says what becomes of each target; `left` is what is still there.

    `fails` are raised by the next calls of `start`, `names` and `remove`.
    """

    targets: FakeTargets
    answer: Callable[[TargetCheck, TargetHealth], TargetHealth] = lambda _, target: target
    asked: list[tuple[TargetCheck, tuple[TargetHealth, ...]]] = field(default_factory=list)
    left: dict[str, Mapping[str, str]] = field(default_factory=dict)  # name → tags
    started: list[str] = field(default_factory=list)  # their names, the last one last
    fails: dict[str, list[FsdError]] = field(default_factory=dict)
    on_start: list[Callable[[], object]] = field(default_factory=list)  # after one, each once

    def start(
        self,
        name: str,
        *,
        like: str,
        check: TargetCheck,
        targets: Sequence[TargetHealth],
        tags: Mapping[str, str],
    ) -> str:
        del like
        self.left[name] = tags
        _raise_next(self.fails.get("start", []))
        self.asked.append((check, tuple(targets)))
        self.targets.groups[name] = lambda: [self.answer(check, target) for target in targets]
        self.started.append(name)
        _run_next(self.on_start)
        return name

    def names(self, prefix: str) -> list[str]:
        _raise_next(self.fails.get("names", []))
        return [name for name in self.left if name.startswith(prefix)]

    def remove(self, name: str) -> bool:
        _raise_next(self.fails.get("remove", []))
        self.targets.groups.pop(name, None)
        self.targets.gone.add(name)
        return self.left.pop(name, None) is not None


class FakeNetworks:
    def find(
        self, environment: str, *, vpc_id: str | None, with_subnets: bool = True
    ) -> Network | None:
        del environment, vpc_id, with_subnets
        return None


@dataclass
class FakeExecSessions:
    tasks: list[ExecTask] = field(default_factory=list)
    opened: list[tuple[str, str, str, str]] = field(default_factory=list)
    asked_for_job: bool = False

    def running_tasks(
        self, cluster: str, service: str, *, is_job: bool = False
    ) -> Sequence[ExecTask]:
        del cluster, service
        self.asked_for_job = is_job
        return self.tasks

    def open(
        self, cluster: str, task: ExecTask, container: ExecContainer, command: str
    ) -> ExecSession:
        self.opened.append((cluster, task.id, container.name, command))
        return ExecSession(id="s-1", stream_url="wss://here", token="secret", target="ecs:a_b_c")

    def session_manager_url(self) -> str:
        return "https://ssm.us-east-1.amazonaws.com"

    def key(self) -> Mapping[str, str]:
        return {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"}


@dataclass
class FakeRegistry:
    repositories: dict[str, Repository] = field(default_factory=dict)
    tags: dict[str, Mapping[str, str]] = field(default_factory=dict)  # of repositories

    def find_repository(self, name: str) -> Repository | None:
        return self.repositories.get(name)

    def create_repository(self, name: str, *, tags: Mapping[str, str]) -> Repository:
        self.repositories[name] = Repository(name=name, uri=f"registry/{name}")
        self.tags[name] = tags
        return self.repositories[name]

    def delete_repository(self, name: str) -> None:
        self.repositories.pop(name, None)

    def read_tags(self, repository: Repository) -> Mapping[str, str]:
        return self.tags.get(repository.name, {})

    def find_image(
        self, repository: str, tag_or_digest: str, *, account: str = "", region: str = ""
    ) -> RegistryImage | None:
        del repository, tag_or_digest, account, region
        return None

    def tag_digest(self, repository: str, *, digest: str, tag: str) -> None:
        del repository, digest, tag

    def login(self) -> tuple[str, str, str]:
        return "AWS", "password", "registry"


@dataclass
class FakeSchedules:
    """`puts` are all that it was told. `error` is raised by a change."""

    schedules: dict[str, Json] = field(default_factory=dict)
    puts: list[Json] = field(default_factory=list)
    error: CallFailedError | None = None
    is_denied: bool = False
    denied: set[str] = field(default_factory=set)  # schedules that may be listed, and not read
    old: dict[str, OldSchedule] = field(default_factory=dict)  # of other tools, by ARN
    stuck: CallFailedError | None = None  # raised where an old one is to be disabled
    # What an old one was made (True: enabled), and the state of FSD's own at that time.
    switches: list[tuple[bool, Json]] = field(default_factory=list)
    error_when_enabled: CallFailedError | None = None

    def find(self, name: str) -> JobSchedule | None:
        if self.is_denied or name in self.denied:
            raise PermissionDenied("no scheduler:GetSchedule", where=name, fix="-")
        found = self.schedules.get(name)
        return load_schedule(found) if found is not None else None

    def names(self, cluster: str) -> list[str]:
        if self.is_denied:
            raise PermissionDenied("no scheduler:ListSchedules", where="default", fix="-")
        found = map(load_schedule, self.schedules.values())
        return sorted(one.name for one in found if one.cluster == cluster)

    def put(self, parameters: Json) -> None:
        if self.error is not None:
            raise self.error
        if self.error_when_enabled is not None and parameters["State"] == "ENABLED":
            raise self.error_when_enabled
        self.puts.append(parameters)
        self.schedules[str(parameters["Name"])] = parameters

    def delete(self, name: str) -> bool:
        return self.schedules.pop(name, None) is not None

    def find_old(self, arn: str) -> OldSchedule | None:
        return self.old.get(arn)

    def switch_old(self, arn: str, *, is_on: bool) -> None:
        if self.stuck is not None and not is_on:
            raise self.stuck
        self.old[arn] = replace(self.old[arn], is_enabled=is_on)
        ours = {name: one["State"] for name, one in self.schedules.items()}
        self.switches.append((is_on, ours))


@dataclass
class FakeScans:
    """`results` are ECR's answers, one each; the last one stays."""

    results: list[ScanResult | None] = field(default_factory=lambda: [None])
    start: ScanResult = field(default_factory=lambda: ScanResult(status="IN_PROGRESS"))
    started: list[str] = field(default_factory=list)

    def find_platform(self, repository: str, digest: str, *, architecture: str) -> str | None:
        del repository, architecture
        return digest

    def find_scan(self, repository: str, digest: str) -> ScanResult | None:
        del repository, digest
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]

    def start_scan(self, repository: str, digest: str) -> ScanResult:
        self.started.append(f"{repository}@{digest}")
        return self.start


@dataclass
class FakeAws:
    """All fakes together; `aws()` is what a release takes."""

    ecs: FakeEcs = field(default_factory=FakeEcs)
    stacks: FakeStacks = field(default_factory=FakeStacks)
    reality: FakeReality = field(default_factory=FakeReality)
    scaling: FakeScaling = field(default_factory=FakeScaling)
    schedules: FakeSchedules = field(default_factory=FakeSchedules)
    alarms: FakeAlarms = field(default_factory=FakeAlarms)
    logs: FakeLogs = field(default_factory=FakeLogs)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    targets: FakeTargets = field(default_factory=FakeTargets)
    exec_sessions: FakeExecSessions = field(default_factory=FakeExecSessions)
    scans: FakeScans = field(default_factory=FakeScans)
    probes: FakeProbes = field(init=False)

    def __post_init__(self) -> None:
        self.probes = FakeProbes(targets=self.targets)
        self.stacks.on_applied = self.reality.made

    def aws(self) -> Aws:
        return Aws(
            identity=Identity(
                account="123456789012", region="us-east-1", partition="aws", arn="arn:me"
            ),
            stacks=self.stacks,
            reality=self.reality,
            ecs=self.ecs,
            targets=self.targets,
            probes=self.probes,
            scaling=self.scaling,
            schedules=self.schedules,
            alarms=self.alarms,
            logs=self.logs,
            registry=self.registry,
            scans=self.scans,
            networks=FakeNetworks(),
            exec_sessions=self.exec_sessions,
        )
