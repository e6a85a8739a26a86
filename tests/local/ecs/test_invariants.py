"""Whatever one asks of a service, in whatever order, some things always hold.

Random sequences of operations on the pure scheduler, the same ones in each run; a failure is shrunk
to the shortest sequence that still fails.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from fsd_local.ecs import describe, lifecycle, messages
from fsd_local.ecs.health import is_healthy
from fsd_local.ecs.model import RolloutState, ServiceDeploymentStatus, StopCode, Task, TaskStatus
from fsd_local.ports import ContainerState
from tests.local.ecs.timeline import Timeline, breaker

_FIELDS = {
    "start": st.integers(1, 6),
    "healthy": st.none() | st.integers(1, 8),
    "unhealthy": st.none() | st.integers(1, 12),
    "exits": st.none() | st.integers(1, 12),
    "fails_to_start": st.just("") | st.just("CannotPullContainerError: not found"),
    "resolves": st.booleans(),
    "checks_fail": st.booleans(),
}
_GOOD: dict[str, Any] = {"start": 1, "healthy": 2}
_BEHAVIOURS = st.one_of(
    st.just(_GOOD),
    st.fixed_dictionaries({"start": st.integers(1, 6), "healthy": st.integers(1, 8)}),
    st.fixed_dictionaries(_FIELDS),
)
_PERCENTS = st.sampled_from(
    [(50, 100), (100, 150), (100, 200), (50, 150), (34, 134), (100, 100), (0, 100), (0, 200)]
)
_ALARMS = {"alarmNames": ["5xx"], "enable": True}
_NO_ALARMS = {"alarmNames": [], "enable": False, "rollback": False}
_BREAKERS = st.sampled_from(
    [
        breaker(),
        breaker(rollback=False),
        breaker(enable=False),
        breaker(resetOnHealthyTask=False, thresholdConfiguration={"type": "COUNT", "value": 1}),
        breaker(thresholdConfiguration={"type": "UNBOUNDED_PERCENT", "value": 50}),
        breaker() | {"alarms": {**_ALARMS, "rollback": True}, "bakeTimeInMinutes": 1},
        breaker(enable=False) | {"alarms": {**_ALARMS, "rollback": False}},
    ]
)
_COUNTS = st.sampled_from([4, 2, 3, 1, 6, 0])
_PAUSES = st.sampled_from([5, 0, 1, 3, 8, 12, 20, 60])
_S = ServiceDeploymentStatus
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
_MAY_FOLLOW = {
    _S.PENDING: {_S.IN_PROGRESS, _S.ROLLBACK_REQUESTED, _S.STOP_REQUESTED, _S.STOPPED},
    _S.IN_PROGRESS: {
        _S.SUCCESSFUL,
        _S.STOP_REQUESTED,
        _S.ROLLBACK_REQUESTED,
        _S.ROLLBACK_IN_PROGRESS,
        _S.STOPPED,
    },
    _S.STOP_REQUESTED: {_S.STOPPED},
    _S.ROLLBACK_REQUESTED: {_S.SUCCESSFUL, _S.ROLLBACK_IN_PROGRESS, _S.STOPPED},
    _S.ROLLBACK_IN_PROGRESS: {_S.ROLLBACK_SUCCESSFUL, _S.ROLLBACK_FAILED},
}
_GOOD_ENDS = {_S.SUCCESSFUL, _S.ROLLBACK_SUCCESSFUL}
_ORDER = list(TaskStatus)


class Watched(Timeline):
    """Looks before and after each decision; remembers what was true once."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._statuses: dict[str, ServiceDeploymentStatus] = {}
        self._lives: dict[str, int] = {}

    def _decide(self) -> None:
        before = {task.id for task in self._serving}
        wanted_before = self._wanted
        super()._decide()
        self._check_upper(wanted_before)
        self._check_lower(before)
        self._check_deployments()
        self._check_counts()
        self._check_statuses()
        self._check_lives()

    def crash(self, task: Task) -> Timeline:
        states = [ContainerState(name="app", running=False, exit_code=1)]
        self._perform(list(lifecycle.observed(task, states, self.now)))
        return self

    def stop_task(self, task: Task) -> Timeline:
        reason = messages.STOPPED_BY_USER
        self._perform(list(lifecycle.begin_stop(task, reason, StopCode.USER, self.now)))
        return self

    @property
    def _wanted(self) -> set[str]:
        tasks = self.service.tasks.values()
        return {task.id for task in tasks if task.is_wanted and not task.is_stopped}

    @property
    def _serving(self) -> list[Task]:
        tasks = self.service.tasks.values()
        return [task for task in tasks if is_healthy(task, now=self.now, speed=self.speed)]

    def _check_upper(self, before: set[str]) -> None:
        """The bound may fall below what runs; nothing is started above it."""
        upper = self.service.desired_count * self.service.configuration["maximumPercent"] // 100
        started = self._wanted - before
        assert not started or len(self._wanted) <= upper, "more than maximumPercent allows"

    def _check_lower(self, before: set[str]) -> None:
        """No healthy task is stopped by the scheduler where too few would be left."""
        percent = self.service.configuration["minimumHealthyPercent"]
        left = {task.id for task in self._serving}
        enough = len(left) * 100 >= self.service.desired_count * percent
        assert left >= before or enough, "fewer than minimumHealthyPercent"

    def _check_deployments(self) -> None:
        service = self.service
        assert [d.status for d in service.deployments].count("PRIMARY") == 1
        known = [deployment.id for deployment in service.deployments]
        assert len(set(known)) == len(known)
        for task in service.tasks.values():
            assert task.deployment_id in known, "a task of no deployment"
        ongoing = [d for d in service.service_deployments if not d.status.is_final]
        assert ongoing in ([], service.service_deployments[:1]), "two that are under way"

    def _check_counts(self) -> None:
        shown = describe.service(self.service, with_tags=False)
        tasks = self.service.tasks.values()
        assert shown["runningCount"] == sum(t.status is TaskStatus.RUNNING for t in tasks)
        for key in ("runningCount", "pendingCount"):
            assert shown[key] == sum(found[key] for found in shown["deployments"])

    def _check_statuses(self) -> None:
        for found in self.service.service_deployments:
            old = self._statuses.get(found.arn, _S.PENDING)
            reached, edge = {old}, {old}
            while edge:  # several steps may lie between two looks
                edge = {s for status in edge for s in _MAY_FOLLOW.get(status, set())} - reached
                reached |= edge
            assert found.status in reached, f"{old} to {found.status}"
            if found.status is not old and found.status in _GOOD_ENDS:
                assert len(self._serving) == self.service.desired_count, "a success too early"
            self._statuses[found.arn] = found.status

    def _check_lives(self) -> None:
        for task in self.service.tasks.values():
            reached = _ORDER.index(task.status)
            assert reached >= self._lives.get(task.id, 0), "a task went back"
            self._lives[task.id] = reached


class Operations(RuleBasedStateMachine):
    """What users, auto scaling and the world do to one service.

    Time passes with every operation: Hypothesis leaves some rules out of each sequence, and one
    without a rule that waits would see nothing happen.
    """

    mending = 60  # seconds

    @initialize(
        desired=_COUNTS,
        percents=_PERCENTS,
        breaker=_BREAKERS,
        grace=st.sampled_from([0, 10]),
        has_load_balancer=st.booleans(),
        has_container_check=st.booleans(),
        behaviour=_BEHAVIOURS,
        seconds=st.sampled_from([60, 60, 60, 3]),
    )
    def create(
        self,
        percents: tuple[int, int],
        breaker: dict[str, Any],
        behaviour: Any,
        seconds: int,
        **more: Any,
    ) -> None:
        self.timeline = Watched(configuration=_configuration(percents, breaker), **more)
        self.revisions = 0
        self.deploy(behaviour, tagged=False, seconds=seconds)

    @rule(behaviour=_BEHAVIOURS, tagged=st.booleans(), seconds=_PAUSES)
    def deploy(self, behaviour: dict[str, Any], tagged: bool, seconds: int) -> None:
        self.revisions += 1
        self.timeline.deploy(f"v{self.revisions}", tagged=tagged, **behaviour).advance(seconds)

    @rule(desired=_COUNTS, seconds=_PAUSES)
    def scale(self, desired: int, seconds: int) -> None:
        self.timeline.scale(desired).advance(seconds)

    @rule(percents=_PERCENTS, breaker=_BREAKERS, seconds=_PAUSES)
    def configure(self, percents: tuple[int, int], breaker: dict[str, Any], seconds: int) -> None:
        service = self.timeline.service
        service.configuration = service.configuration | _configuration(percents, breaker)
        service.is_steady = False
        self.timeline.advance(seconds)

    @precondition(lambda self: self.newest.status in {_S.PENDING, _S.IN_PROGRESS})
    @rule(seconds=_PAUSES)
    def stop_deployment(self, seconds: int) -> None:
        self.timeline.service.is_steady = False
        self.timeline.ask_for_rollback().advance(seconds)

    @rule(which=st.integers(0, 20), behaviour=_BEHAVIOURS, seconds=_PAUSES)
    def turn(self, which: int, behaviour: dict[str, Any], seconds: int) -> None:
        """A dependency fails, or comes back."""
        name = f"v{1 + which % self.revisions}"
        self.timeline.turn(name, **behaviour).advance(seconds)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 20), seconds=_PAUSES)
    def crash(self, which: int, seconds: int) -> None:
        task = self.running[which % len(self.running)]
        self.timeline.crash(task).advance(seconds)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 20), seconds=_PAUSES)
    def stop_task(self, which: int, seconds: int) -> None:
        task = self.running[which % len(self.running)]
        self.timeline.stop_task(task).advance(seconds)

    @rule(state=st.sampled_from(["ALARM", "OK"]), seconds=_PAUSES)
    def alarm(self, state: str, seconds: int) -> None:
        self.timeline.alarm("5xx", state, window=30).advance(seconds)

    @property
    def newest(self) -> Any:
        return self.timeline.service.service_deployments[0]

    @property
    def running(self) -> list[Task]:
        tasks = self.timeline.service.tasks.values()
        return [task for task in tasks if task.is_wanted and task.status is TaskStatus.RUNNING]

    def teardown(self) -> None:
        """A good deployment mends whatever came before."""
        if not hasattr(self, "timeline"):
            return
        self.configure((100, 200), breaker(), seconds=0)
        self.deploy(_GOOD, tagged=False, seconds=self.mending)
        service = self.timeline.service
        assert self.newest.status is _S.SUCCESSFUL
        assert service.is_steady
        assert [d.rollout_state for d in service.deployments] == [RolloutState.COMPLETED]
        assert len(self.running) == len(service.tasks) == service.desired_count


def _configuration(percents: tuple[int, int], breaker: dict[str, Any]) -> dict[str, Any]:
    unwatched = {"alarms": _NO_ALARMS, "bakeTimeInMinutes": 0}
    return {
        **unwatched,
        **breaker,
        "minimumHealthyPercent": percents[0],
        "maximumPercent": percents[1],
    }


TestOperations = Operations.TestCase
TestOperations.settings = settings(
    max_examples=200,
    stateful_step_count=12,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
