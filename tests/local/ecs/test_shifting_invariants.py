"""The same random sequences for BLUE_GREEN, LINEAR and CANARY, and for switching between them."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from fsd_local.ecs.health import is_healthy
from fsd_local.ecs.model import RolloutState, ServiceDeploymentStatus, Stage, Task
from tests.local.ecs.test_invariants import (
    _BEHAVIOURS,
    _BREAKERS,
    _COUNTS,
    Operations,
    Watched,
    _configuration,
)
from tests.local.ecs.timeline import PRODUCTION

_STRATEGIES = st.sampled_from(["BLUE_GREEN", "CANARY", "LINEAR", "ROLLING"])
_SHIFTING = st.sampled_from(["BLUE_GREEN", "CANARY", "LINEAR"])
_STEPS = st.sampled_from([1, 0])  # minutes
_GOOD_ENDS = {ServiceDeploymentStatus.SUCCESSFUL, ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL}


class WatchedShift(Watched):
    """With a pair of target groups, whatever the strategy."""

    def _balancers(self) -> list[dict[str, Any]]:
        strategy = self.configuration.get("strategy")
        self.configuration = {**self.configuration, "strategy": "BLUE_GREEN"}
        found = super()._balancers()
        self.configuration = {**self.configuration, "strategy": strategy}
        return found

    def _decide(self) -> None:
        serving = self._serving_source
        super()._decide()
        self._check_source(serving)
        self._check_traffic()

    @property
    def _shifts(self) -> bool:
        primary = self.service.primary
        return (
            primary is not None
            and primary.service_deployment.shifts_traffic
            and primary.rollout_state is not RolloutState.COMPLETED
        )

    def _check_upper(self, before: set[str]) -> None:
        if not self._shifts:
            super()._check_upper(before)
            return
        started = self._wanted - before
        for task_id in started:
            revision = self.service.tasks[task_id].revision_arn
            side = [i for i in self._wanted if self.service.tasks[i].revision_arn == revision]
            assert len(side) <= self.service.desired_count, "more than one side's share"

    def _check_lower(self, before: set[str]) -> None:
        if not self._shifts:
            super()._check_lower(before)

    @property
    def _serving_source(self) -> list[Task]:
        completed, primary = self.service.last_completed, self.service.primary
        if completed is None or completed is primary or not self._shifts:
            return []
        tasks = self.service.tasks.values()
        return [
            task
            for task in tasks
            if task.revision_arn == completed.revision.arn
            and task.is_wanted
            and is_healthy(task, now=self.now, speed=self.speed)
        ]

    def _check_source(self, before: list[Task]) -> None:
        """Until the clean-up, the old tasks stay as many as the service wants."""
        completed, primary = self.service.last_completed, self.service.primary
        if primary is None or completed is primary or not self._shifts:
            return
        if primary.service_deployment.traffic.stage is Stage.CLEAN_UP:
            return
        left = [task for task in before if task.is_wanted]
        enough = len(left) >= min(len(before), self.service.desired_count)
        assert enough, "an old task was stopped too early"

    def _check_traffic(self) -> None:
        """What has ended well gets all of the traffic."""
        newest = self.service.service_deployments[0]
        primary = self.service.primary
        if newest.status not in _GOOD_ENDS or not newest.shifts_traffic or primary is None:
            return
        if not self.service.load_balancers or primary.service_deployment is not newest:
            return
        group = primary.revision.target_group(self.service.load_balancers[0])
        if PRODUCTION in self.rules:
            assert self.rules[PRODUCTION][group] == 100, "the traffic is elsewhere"


class ShiftingOperations(Operations):
    mending = 400  # five minutes are waited for a source that does not get healthy

    @initialize(
        desired=_COUNTS,
        strategy=_SHIFTING,
        minutes=_STEPS,
        breaker=_BREAKERS,
        has_load_balancer=st.booleans(),
        has_container_check=st.booleans(),
        behaviour=_BEHAVIOURS,
        seconds=st.sampled_from([60, 60, 60, 3]),
    )
    def create(
        self,
        strategy: str,
        minutes: int,
        breaker: dict[str, Any],
        behaviour: Any,
        seconds: int,
        **more: Any,
    ) -> None:
        found = _configuration((100, 200), breaker) | _strategy(strategy, minutes)
        self.timeline = WatchedShift(configuration=found, **more)
        self.revisions = 0
        self.deploy(behaviour, tagged=False, seconds=seconds)

    @rule(strategy=_STRATEGIES, minutes=_STEPS)
    def switch(self, strategy: str, minutes: int) -> None:
        service = self.timeline.service
        service.configuration = service.configuration | _strategy(strategy, minutes)

    def teardown(self) -> None:
        if hasattr(self, "timeline"):
            strategy = self.timeline.service.configuration["strategy"]
            self.switch(strategy, 0)
        super().teardown()


def _strategy(strategy: str, minutes: int) -> dict[str, Any]:
    return {
        "strategy": strategy,
        "bakeTimeInMinutes": minutes,
        "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": minutes},
        "linearConfiguration": {"stepPercent": 50.0, "stepBakeTimeInMinutes": minutes},
    }


TestShiftingOperations = ShiftingOperations.TestCase
TestShiftingOperations.settings = settings(
    max_examples=100,
    stateful_step_count=10,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
