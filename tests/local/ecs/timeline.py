"""A service's rollout, second by second, as text: the scheduler without threads or a real clock.

Each revision behaves as its `Behaviour` says. A line is written whenever the picture changes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fsd_local.ecs import alarms, lifecycle
from fsd_local.ecs.actions import Deregister, Effect, Launch, Shift, StopInRuntime
from fsd_local.ecs.arns import Ids
from fsd_local.ecs.health import is_healthy, record_check
from fsd_local.ecs.model import (
    EcsServiceRecord,
    Revision,
    ServiceDeploymentStatus,
    ServiceRollout,
    Task,
    TaskDefinition,
    TaskStatus,
)
from fsd_local.ecs.tasks import service_task
from fsd_local.ecs.transitions import begin_deployment, schedule
from fsd_local.ports import Alarm, ContainerState, TargetState

TARGET_GROUP = (
    "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/app/6d0ecf831eec9f09"
)
ALTERNATE = TARGET_GROUP.replace("/app/", "/other/")
PRODUCTION, TEST = "rule/production", "rule/test"
_ORDER = ("starting", "running", "healthy", "draining", "stopping")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Seconds count from the launch for `start`, and from RUNNING for the rest. None: never."""

    start: int = 2
    healthy: int | None = 3  # the target group says healthy
    unhealthy: int | None = None  # the target group says unhealthy
    exits: int | None = None
    fails_to_start: str = ""
    resolves: bool = True  # the image's tag
    checks_fail: bool = False  # container health check, every 5 s, 3 retries


def breaker(**settings: Any) -> dict[str, Any]:
    return {"deploymentCircuitBreaker": {"enable": True, "rollback": True, **settings}}


@dataclass
class Timeline:
    desired: int = 2
    configuration: dict[str, Any] = field(default_factory=breaker)
    grace: int = 0
    speed: float = 1.0
    has_load_balancer: bool = True
    has_container_check: bool = False
    drain: int = 5

    def __post_init__(self) -> None:
        self.now = 0
        self.ids = Ids(seed=1)
        self.behaviours: dict[str, Behaviour] = {}
        self.lines: list[str] = []
        self._alarms: dict[str, Alarm] = {}
        self._pending: list[Task] = []
        self._stopping: list[Task] = []
        self._drained_at: dict[str, int] = {}
        self.rules: dict[str, dict[str, int]] = {}  # as ECS set them last
        self.shifts: list[int] = []  # each weight of the alternate group in the production rule
        self.service = EcsServiceRecord(
            account="000000000000",
            region="us-east-1",
            cluster="dev",
            cluster_arn="arn:aws:ecs:us-east-1:000000000000:cluster/dev",
            name="app",
            arn="arn:aws:ecs:us-east-1:000000000000:service/dev/app",
            created_at=0,
            task_definition=self._task_definition("v0"),
            desired_count=self.desired,
            configuration={
                "strategy": "ROLLING",
                "minimumHealthyPercent": 100,
                "maximumPercent": 200,
                **self.configuration,
            },
            network={},
            load_balancers=self._balancers() if self.has_load_balancer else [],
            grace_period=self.grace,
        )

    # Scenario verbs.

    def deploy(self, name: str, *, tagged: bool = False, **behaviour: Any) -> Timeline:
        self.behaviours[name] = Behaviour(**behaviour)
        revision = Revision(
            arn=f"revision/{name}",
            task_definition=self._task_definition(name),
            created_at=self.now,
            network={},
            load_balancers=self.service.load_balancers,
            platform_version="LATEST",
            settings={},
            launch_type="FARGATE",
            capacity_provider_strategy=[],
            digests={} if tagged else {"app": "sha256:1"},
        )
        begin_deployment(self.service, revision, self.now, ids=self.ids, seen=self._alarms)
        return self

    def alarm(self, name: str, state: str, *, window: float = 0.0) -> Timeline:
        """From now on, what CloudWatch says."""
        self._alarms[name] = Alarm(state=state, window=window)
        return self

    def running(self, name: str = "v1", **behaviour: Any) -> Timeline:
        """A service that is steady on `name`; the clock and the text start after that."""
        self.deploy(name, **behaviour)
        self.advance(120)
        assert self.service.is_steady
        self.lines.clear()
        self.shifts.clear()
        self.service.events.clear()
        self._start = self.now
        return self

    def ask_for_rollback(self) -> Timeline:
        self.service.service_deployments[0].status = ServiceDeploymentStatus.ROLLBACK_REQUESTED
        return self

    def configure(self, **configuration: Any) -> Timeline:
        """For the deployments that come."""
        self.service.configuration = self.service.configuration | configuration
        self.configuration = self.service.configuration
        self.service.load_balancers = self._balancers() if self.has_load_balancer else []
        return self

    def scale(self, desired: int) -> Timeline:
        self.service.desired_count = desired
        self.service.is_steady = False
        return self

    def turn(self, name: str, **behaviour: Any) -> Timeline:
        """From now on, what runs of `name` behaves otherwise."""
        self.behaviours[name] = Behaviour(**behaviour)
        return self

    def advance(self, seconds: int) -> Timeline:
        for _ in range(seconds):
            self._step()
            self.now += 1
        return self

    # What is seen.

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def messages(self) -> list[str]:
        """Events, oldest first, with task and deployment ids made short."""
        known = {task.id: "T" for task in self.service.tasks.values()}
        found = [event.message for event in reversed(self.service.events)]
        return [self._anonymous(message, known) for message in found]

    @property
    def statuses(self) -> list[str]:
        """Of every service deployment, newest first."""
        return [str(found.status) for found in self.service.service_deployments]

    def _anonymous(self, message: str, known: dict[str, str]) -> str:
        words = []
        for word in message.replace(TARGET_GROUP, "TG").split(" "):
            bare = word.strip("().")
            is_task = len(bare) == 32 or bare in known
            shown = "T" if is_task else "ecs-svc/N" if bare.startswith("ecs-svc/") else bare
            words.append(word.replace(bare, shown) if bare else word)
        return " ".join(words)

    # The world.

    _start = 0

    def _balancers(self) -> list[dict[str, Any]]:
        """With a pair of target groups where the strategy needs one."""
        found = {"targetGroupArn": TARGET_GROUP, "containerName": "app", "containerPort": 8000}
        if self.configuration.get("strategy", "ROLLING") == "ROLLING":
            return [found]
        advanced = {
            "alternateTargetGroupArn": ALTERNATE,
            "productionListenerRule": PRODUCTION,
            "testListenerRule": TEST,
            "roleArn": "arn:aws:iam::000000000000:role/infrastructure",
        }
        return [{**found, "advancedConfiguration": advanced}]

    def _task_definition(self, name: str) -> TaskDefinition:
        container: dict[str, Any] = {"name": "app", "image": f"app:{name}", "portMappings": []}
        if self.has_container_check:
            container["healthCheck"] = {"command": ["CMD", "true"], "interval": 5, "retries": 3}
        return TaskDefinition(
            arn=f"task-definition/app:{name}",
            family="app",
            revision=int(name.removeprefix("v")),
            definition={"containerDefinitions": [container]},
            registered_at=0,
        )

    def _step(self) -> None:
        self._live()
        self._decide()
        self._write()

    def _live(self) -> None:
        for task in self._stopping:
            lifecycle.stopped(task, [_exited(143)], self.now)
        self._stopping.clear()
        for task in [*self._pending]:
            self._start_task(task)
        for task in list(self.service.tasks.values()):
            self._run_task(task)

    def _decide(self) -> None:
        watched = alarms.watched(self.service)
        if watched is not None:
            deployment, names = watched
            deployment.alarms = {n: self._alarms[n] for n in names if n in self._alarms}
        self._perform(
            schedule(
                self.service,
                self.now,
                speed=self.speed,
                ids=self.ids,
                make_task=self._make_task,
            )
        )

    def _make_task(self, service: EcsServiceRecord, deployment: ServiceRollout, now: float) -> Task:
        return service_task(service, deployment, now, ids=self.ids)

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Launch():
                    lifecycle.launching(effect.task, self.now)
                    self._pending.append(effect.task)
                case StopInRuntime():
                    self._stopping.append(effect.task)
                case Deregister():
                    self._drained_at[effect.task.id] = self.now + self.drain
                case Shift():
                    self.rules[effect.rule_arn] = dict(effect.weights)
                    if effect.rule_arn == PRODUCTION:
                        self.shifts.append(effect.weights[ALTERNATE])

    def _start_task(self, task: Task) -> None:
        behaviour = self._behaviour(task)
        if self.now - task.created_at < behaviour.start:
            return
        self._pending.remove(task)
        if not behaviour.resolves:
            task.failed_resolving = True
            lifecycle.failed_to_start(task, "CannotPullContainerError: not found", self.now)
            return
        self.service.revisions[task.revision_arn].digests.setdefault("app", "sha256:2")
        if behaviour.fails_to_start:
            lifecycle.failed_to_start(task, behaviour.fails_to_start, self.now)
            return
        self._perform(list(lifecycle.launched(task, "127.77.0.1", self.now)))

    def _run_task(self, task: Task) -> None:
        if task.started_at is None or task.is_stopped:
            return
        behaviour, age = self._behaviour(task), self.now - task.started_at
        if behaviour.exits is not None and age >= behaviour.exits:
            self._perform(list(lifecycle.observed(task, [_exited(1)], self.now)))
        if task.status is TaskStatus.RUNNING and age and age % 5 == 0:
            for container in task.containers:
                record_check(
                    container,
                    int(behaviour.checks_fail),
                    started_at=task.started_at,
                    now=self.now,
                    speed=self.speed,
                )
        for registration in task.registrations:
            if registration.is_registered:
                registration.state = self._target(task, behaviour, age)

    def _target(self, task: Task, behaviour: Behaviour, age: float) -> TargetState:
        if task.id in self._drained_at:
            is_drained = self.now >= self._drained_at[task.id]
            return TargetState(state="unused" if is_drained else "draining")
        if behaviour.unhealthy is not None and age >= behaviour.unhealthy:
            return TargetState(
                state="unhealthy",
                reason="Target.ResponseCodeMismatch",
                description="Health checks failed with these codes: [500]",
            )
        if behaviour.healthy is not None and age >= behaviour.healthy:
            return TargetState(state="healthy")
        return TargetState(state="initial")

    def _behaviour(self, task: Task) -> Behaviour:
        return self.behaviours[task.revision_arn.removeprefix("revision/")]

    def _write(self) -> None:
        picture = self._picture()
        if not self.lines or self.lines[-1][6:] != picture:
            self.lines.append(f"{self.now - self._start:>4}  {picture}")

    def _picture(self) -> str:
        revisions = []
        for name in self.behaviours:
            counted = Counter(
                self._state(task)
                for task in self.service.tasks.values()
                if task.revision_arn == f"revision/{name}" and not task.is_stopped
            )
            if counted:
                shown = " ".join(f"{counted[s]} {s}" for s in _ORDER if counted[s])
                revisions.append(f"{name} {shown}")
        latest = self.service.service_deployments[0]
        failures = f" ({latest.failure_count} failed)" if latest.failure_count else ""
        traffic = latest.traffic
        stage = f" {traffic.stage} {traffic.production or 0:g}%" if traffic.stage else ""
        return f"{' | '.join(revisions) or 'no tasks'}  {latest.status}{failures}{stage}"

    def _state(self, task: Task) -> str:
        if is_healthy(task, now=self.now, speed=self.speed):
            return "healthy"
        return {
            TaskStatus.PROVISIONING: "starting",
            TaskStatus.PENDING: "starting",
            TaskStatus.RUNNING: "running",
            TaskStatus.DEACTIVATING: "draining",
            TaskStatus.STOPPING: "stopping",
        }[task.status]


def _exited(code: int) -> ContainerState:
    return ContainerState(name="app", running=False, exit_code=code)
