"""An ECS that several deployers use at once, and turns for them: one call at a time, in an order
that a seed draws. What took real processes minutes to meet by chance is met in milliseconds here,
and met again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from fsd.compile.desired import Json
from fsd.errors import CallFailedError, Interrupted
from fsd.release.ports import RevisionInactive, TaskDefinition
from fsd.release.result import Result
from fsd.snapshot import DeploymentStatus, ServiceDeployment, ServiceState
from tests.fakes.aws import START, FakeEcs
from tests.fakes.clock import Unlimited

TAKES = 6  # waits of somebody until a rollout has ended


class Killed(BaseException):
    """SIGKILL: nothing of the deployer runs any more."""


@dataclass
class Runner:
    """One deployer's thread; it goes on only when it is its turn."""

    name: str
    deploy: Callable[[Runner], Result]
    dies_at: int = 0  # its call number; 0 for never
    dies_by: type[BaseException] = Killed
    calls: int = 0
    result: Result | BaseException | None = None
    _turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _parked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def is_over(self) -> bool:
        return self.result is not None

    def run(self) -> None:
        self._turn.acquire()
        try:
            self.result = self.deploy(self)
        except BaseException as error:
            self.result = error
        self._parked.release()

    def go_on(self) -> None:
        """Until its next call, or its end."""
        self._turn.release()
        self._parked.acquire()

    def call(self, act: Callable[[], Any]) -> Any:
        self._parked.release()
        self._turn.acquire()
        self.calls += 1
        if self.calls == self.dies_at:
            if self.dies_by is Killed:
                raise Killed
            raise Interrupted("stopped by SIGTERM", where="this command", fix="again")
        return act()


@dataclass
class InTurns:
    """A port whose every call waits for the runner's turn."""

    port: Any
    runner: Runner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.port, name)
        return lambda *args, **named: self.runner.call(lambda: method(*args, **named))


@dataclass
class TurnClock(Unlimited):
    """A wait is a turn as well, in which ECS gets on."""

    ecs: SharedEcs
    runner: Runner

    def now(self) -> datetime:
        return self.ecs.time

    def wait(self, duration: timedelta) -> None:
        del duration
        self.runner.call(self.ecs.get_on)


def play(runners: list[Runner], random: Random) -> None:
    threads = [threading.Thread(target=runner.run) for runner in runners]
    for thread in threads:
        thread.start()
    while waiting := [runner for runner in runners if not runner.is_over]:
        random.choice(waiting).go_on()
    for thread in threads:
        thread.join()


@dataclass
class SharedEcs(FakeEcs):
    """A rollout ends after some waits: well, or, where the revision's cpu is in `bad`, not."""

    time: datetime = START
    bad: set[str] = field(default_factory=set)
    ages: dict[str, int] = field(default_factory=dict)

    def register(self, definition: Json, *, tags: Any) -> TaskDefinition:
        made = FakeEcs.register(self, definition, tags=tags)
        self.registered_at[made.arn] = self._tick()
        return made

    def create_service(self, parameters: Json) -> ServiceState:
        if "web-dev" in self.services:
            raise CallFailedError("Creation of service was not idempotent", where="ecs", fix="-")
        return self._begin(parameters, int(str(parameters["desiredCount"])))

    def update_service(self, parameters: Json) -> ServiceState:
        before = self.services["web-dev"]
        count = int(str(parameters.get("desiredCount", before.desired)))
        wanted = str(parameters.get("taskDefinition", before.task_definition_arn))
        if wanted == before.task_definition_arn and "forceNewDeployment" not in parameters:
            self.services["web-dev"] = replace(before, desired=count, running=count)
            return self.services["web-dev"]
        return self._begin(parameters, count)

    def stop_service_deployment(self, arn: str) -> bool:
        found = next(d for d in self.deployments if d.arn == arn)
        if found.status is DeploymentStatus.IN_PROGRESS:
            self._become(found, DeploymentStatus.ROLLBACK_REQUESTED)
        return not found.status.is_final

    def get_on(self) -> None:
        """Time passes; what is in flight gets older, and ends."""
        self._tick()
        for one in self.deployments:
            if one.status.is_final:
                continue
            self.ages[one.arn] = self.ages.get(one.arn, 0) + 1
            is_bad = self._cpu(one) in self.bad
            if one.status is DeploymentStatus.ROLLBACK_REQUESTED or (
                is_bad and self.ages[one.arn] >= TAKES
            ):
                self._go_back(one)
            elif self.ages[one.arn] >= TAKES:
                self._become(one, DeploymentStatus.SUCCESSFUL)
                self._serve(one.task_definition_arn, "COMPLETED")

    # --- inside ---

    def _begin(self, parameters: Json, count: int) -> ServiceState:
        arn = str(parameters["taskDefinition"])
        if all(d.arn != arn for d in self.definitions):
            raise RevisionInactive("TaskDefinition is inactive", where="ecs", fix="-")
        for one in self.deployments:
            if not one.status.is_final:
                self._become(one, DeploymentStatus.STOPPED)
        self._add_deployment(arn, "IN_PROGRESS", requested=count)
        self.deployments[0] = replace(self.deployments[0], created_at=self._tick())
        self.services["web-dev"] = self._service(arn, count)
        return self.services["web-dev"]

    def _go_back(self, one: ServiceDeployment) -> None:
        good = next((d for d in self.deployments if d.status.value == "SUCCESSFUL"), None)
        if good is None:
            self._become(one, DeploymentStatus.STOPPED)
            return
        self._become(one, DeploymentStatus.ROLLBACK_SUCCESSFUL)
        self._serve(good.task_definition_arn, "COMPLETED")

    def _become(self, one: ServiceDeployment, status: DeploymentStatus) -> None:
        at = next(i for i, d in enumerate(self.deployments) if d.arn == one.arn)
        self.deployments[at] = replace(one, status=status)

    def _serve(self, arn: str, state: str) -> None:
        self.services["web-dev"] = self._service(arn, self.services["web-dev"].desired, state=state)

    def _cpu(self, one: ServiceDeployment) -> str:
        return self.cpu_of(one.task_definition_arn)

    def cpu_of(self, arn: str) -> str:
        return next((str(d.definition["cpu"]) for d in self.definitions if d.arn == arn), "")

    def _tick(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time
