"""`kill -9` at each single AWS call of a deployment: the next `fsd deploy` sets everything right.

A machine that runs deployments goes away without a word: a runner is evicted, memory runs out.
What then stands in AWS depends on the call that was the last one, and on whether AWS carried it
out. The ordinary suite takes a spread of calls; FSD_TEST_ALL_POINTS=1 takes all of them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from tests.chaos.cloud import CRASH, DESIRED, Change, Cloud
from tests.chaos.points import MOST, call_number, points
from tests.fakes.plain_aws import plain_aws
from tests.local.cli import Ended, Program

at_each_point = pytest.mark.parametrize("point", points(3))
either_way = pytest.mark.parametrize(
    "is_carried_out", [False, True], ids=["call is lost", "answer is lost"]
)


@dataclass
class Killer:
    """Kills the deployer at call number `at`, before AWS has it or before its answer is seen."""

    at: int = 0  # never
    is_carried_out: bool = False
    calls: list[str] = field(default_factory=list)
    victim: Program | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def forwards(self, operation: str) -> bool:
        with self._lock:
            self.calls.append(operation)
            is_last = len(self.calls) == self.at
            if is_last and not self.is_carried_out:
                self._kill()
            return not self._is_dead() or (is_last and self.is_carried_out)

    def answers(self, operation: str) -> bool:
        del operation
        with self._lock:
            if len(self.calls) == self.at and self.is_carried_out:
                self._kill()
            return not self._is_dead()

    def _kill(self) -> None:
        assert self.victim is not None
        self.victim.kill()
        self.victim.wait(10)

    def _is_dead(self) -> bool:
        return self.victim is not None and self.victim.returncode is not None


@pytest.fixture(scope="module")
def first_calls(cloud: Cloud) -> list[str]:
    """The calls of an undisturbed first deployment."""
    return _count(cloud, cloud.change())


@pytest.fixture(scope="module")
def update_calls(cloud: Cloud, first_calls: list[str]) -> list[str]:
    """The calls of an undisturbed update, of what an undisturbed deployment made."""
    del first_calls
    return _count(cloud, cloud.change())


@pytest.fixture(scope="module")
def failing_calls(cloud: Cloud, update_calls: list[str]) -> list[str]:
    """The calls of an undisturbed update that fails and is rolled back."""
    del update_calls
    return _count(cloud, cloud.change(), *CRASH, code=6)


@at_each_point
@either_way
def test_deploy__killed_in_an_update__next_run_converges_and_nobody_noticed(
    cloud: Cloud, update_calls: list[str], point: float, is_carried_out: bool
) -> None:
    killer = Killer(call_number(point, update_calls), is_carried_out)
    change, before = cloud.change(), cloud.revisions("calm")

    with cloud.visited("calm") as visitor:
        killed = _deploy(cloud, killer, "calm", *change.options)
        again = cloud.deploy("calm", *change.options)

    _assert_killed(killer, killed)
    cloud.assert_converged("calm", change, again)
    assert len(cloud.revisions("calm")) == len(before) + 1
    assert (visitor.failed, visitor.fewest) == ([], DESIRED), (visitor, again.text)
    assert visitor.asked > 0


@at_each_point
@either_way
def test_deploy__killed_in_a_first_deployment__next_run_converges(
    cloud: Cloud, first_calls: list[str], point: float, is_carried_out: bool
) -> None:
    killer = Killer(call_number(point, first_calls), is_carried_out)
    environment = f"first-{killer.at}-{int(is_carried_out)}"
    change = cloud.change()

    killed = _deploy(cloud, killer, environment, *change.options)
    again = cloud.deploy(environment, *change.options)

    _assert_killed(killer, killed)
    cloud.assert_converged(environment, change, again)
    assert len(cloud.revisions(environment)) == 1
    cloud.ecs.delete_service(cluster=environment, service=f"hello-{environment}", force=True)


@at_each_point
@either_way
def test_deploy__killed_in_an_update_that_fails__next_run_ends_as_if_nobody_had_been_killed(
    cloud: Cloud, failing_calls: list[str], point: float, is_carried_out: bool
) -> None:
    killer = Killer(call_number(point, failing_calls), is_carried_out)
    options = (*cloud.change().options, *CRASH)
    before, revisions = cloud.all_of("calm"), cloud.revisions("calm")

    with cloud.visited("calm") as visitor:
        killed = _deploy(cloud, killer, "calm", *options)
        # ECS may be on its way back.
        again = cloud.deploy("calm", *options, "--wait-for-lock")

    assert killed.code in {-9, 6}, killed.text
    assert again.code == 6, again.text
    assert again.json()["diagnosis"]["causes"][0]["code"] == "crashed", again.text
    assert cloud.all_of("calm") == before, again.text
    assert len(cloud.revisions("calm")) == len(revisions) + 1
    assert (visitor.failed, visitor.fewest) == ([], DESIRED), (visitor, again.text)
    assert visitor.asked > 0


def _deploy(cloud: Cloud, killer: Killer, environment: str, *options: str) -> Ended:
    with plain_aws(cloud.endpoint, embedded=True, gate=killer) as endpoint:
        killer.victim = cloud.start(endpoint, environment, *options)
        return killer.victim.end()


def _count(cloud: Cloud, change: Change, *more: str, code: int = 0) -> list[str]:
    killer = Killer()
    ended = _deploy(cloud, killer, "calm", *change.options, *more)
    assert ended.code == code, ended.text
    assert 10 < len(killer.calls) <= MOST, killer.calls
    return killer.calls


def _assert_killed(killer: Killer, ended: Ended) -> None:
    """A deployment that looked less often than the counted one was over before."""
    assert ended.code == -9 or (len(killer.calls) < killer.at and ended.code == 0), ended.text
