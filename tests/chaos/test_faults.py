"""AWS on a bad day: each call of a deployment is throttled, refused with a 5xx, reset, left
hanging, or carried out without an answer (microburst does all five). Either the run gets over it,
or it ends with an exit code and words that are true; and the next run sets everything right.

Two ways for a call to fail: once or twice in a row, which no run may notice, and for the whole run.
The ordinary suite takes a spread; FSD_TEST_ALL_POINTS=1 takes every operation of every kind of run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest

from tests.chaos.cloud import CRASH, DESIRED, Change, Cloud
from tests.chaos.points import ALL, READS
from tests.fakes.faulty_aws import Fault, FaultyAws, faulty_aws
from tests.fakes.plain_aws import plain_aws
from tests.local.cli import Ended

PATIENCE = 30.0  # s; FSD's own
LITTLE_PATIENCE = 3.0
MOST = 35  # operations
TRIES_AN_ENVIRONMENT = 20
DOCUMENTED = {0, 5, 6, 7, 9}


class Run(StrEnum):
    """What the deployment does that AWS's faults come across."""

    FIRST = "first"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    FAILING = "failing"


@dataclass
class Recorder:
    """A gate that is open, and counts."""

    calls: list[str] = field(default_factory=list)

    def forwards(self, operation: str) -> bool:
        self.calls.append(operation)
        return True

    def answers(self, operation: str) -> bool:
        del operation
        return True


@dataclass
class World:
    cloud: Cloud
    faulty: FaultyAws
    operations: dict[Run, list[str]]
    change: Change  # what `environment` should run
    environment: str = "calm"
    is_calm: bool = True  # nothing was left behind by a test that failed
    firsts: int = 0
    tries: int = 0  # in `environment`
    environments: int = 1

    def start_over(self) -> None:
        """In a new environment: ECS lists a hundred deployments a page, and what is to be tried is
        a call, not pages of them."""
        self.environments += 1
        old, self.environment = self.environment, f"calm-{self.environments}"
        self.tries, self.is_calm = 0, True
        ended = self.cloud.deploy(self.environment, *self.change.options)
        assert ended.code == 0, ended.text
        self.cloud.ecs.delete_service(cluster=old, service=f"hello-{old}", force=True)


@dataclass(frozen=True, kw_only=True)
class Try:
    """One deployment in bad weather, and what has to be true of it."""

    world: World
    run: Run
    environment: str
    change: Change
    before: Any = None  # the service
    path_before: str = ""
    revisions: int = 0
    deployments: int = 0  # of the revision that ran before

    def deploy(self, fault: Fault, *, timeout: str) -> Ended:
        crash = CRASH if self.run is Run.FAILING else ()
        options = (*self.change.options, *crash, "--timeout", timeout)
        url = self.world.faulty.url
        patience = LITTLE_PATIENCE if fault is Fault.HUNG else PATIENCE
        return self.world.cloud.start(url, self.environment, *options, read_timeout=patience).end()

    def check(self, ended: Ended, *, operation: str = "") -> None:
        """What it said, and that the next run sets all right, with nothing twice."""
        self.world.faulty.heal()
        assert ended.code in DOCUMENTED, ended.text
        assert "\nTraceback" not in f"\n{ended.err}", ended.text
        self._assert_true(ended, operation)
        again = self.world.cloud.deploy(self.environment, *self.change.options)
        self.world.cloud.assert_converged(self.environment, self.change, again)
        self._assert_nothing_twice(ended.text)

    def _assert_true(self, ended: Ended, operation: str) -> None:
        is_failing = self.run is Run.FAILING
        match ended.code:
            case 0:
                assert not is_failing, ended.text
                self.world.cloud.assert_converged(self.environment, self.change, ended)
            case 5:
                assert operation in ended.err, ended.text
                assert "fix:" in ended.err, ended.text
                self._assert_runs_what_ran_before(ended)
            case 6:
                assert is_failing, ended.text
                assert ended.json()["outcome"] == "rolled-back"
                self._assert_runs_what_ran_before(ended)
                group = self.before["loadBalancers"][0]["targetGroupArn"]
                path = self.world.cloud.health_check_path(group)
                assert path == self.path_before, ended.text
            case 7:
                assert is_failing, ended.text
                assert "rollback did not succeed" in ended.err, ended.text
            case 9 if not ended.has_result:  # before ECS was asked
                assert "not done" in ended.err, ended.text
                assert "fix:" in ended.err, ended.text
                self._assert_runs_what_ran_before(ended)
            case 9:
                result = ended.json()
                assert "FSD does not know" in result["message"] or "not done" in result["message"]
                assert result["nextSteps"], ended.text

    def _assert_runs_what_ran_before(self, ended: Ended) -> None:
        if self.before is not None:
            service = self.world.cloud.service(self.environment)
            assert service["taskDefinition"] == self.before["taskDefinition"], ended.text

    def _assert_nothing_twice(self, text: str) -> None:
        cloud = self.world.cloud
        new = {Run.FIRST: 1, Run.UPDATE: 1, Run.UNCHANGED: 0, Run.FAILING: 2}[self.run]
        revisions = cloud.revisions(self.environment)
        assert len(revisions) <= self.revisions + new, text
        running = cloud.service(self.environment)["taskDefinition"]
        was_running = self.before is not None and self.before["taskDefinition"] == running
        expected = self.deployments if was_running else 1
        assert len(cloud.deployments_of(self.environment, running)) == expected, text


@contextmanager
def _tried(world: World, run: Run) -> Iterator[Try]:
    """Where a visitor must not notice; a first deployment has its own environment."""
    if run is Run.FIRST:
        world.firsts += 1
        environment = f"first-{world.firsts}"
        _forget_images(world.cloud)
        yield Try(world=world, run=run, environment=environment, change=world.cloud.change())
        name = f"hello-{environment}"
        world.cloud.ecs.delete_service(cluster=environment, service=name, force=True)
        return
    if run is Run.UNCHANGED:
        world.is_calm = False  # a first deployment has changed the folder
    _calm_down(world)
    cloud, environment = world.cloud, world.environment
    change = world.change if run is Run.UNCHANGED else cloud.change()
    service = cloud.service(environment)
    world.is_calm = False
    with cloud.visited(environment) as visitor:
        yield Try(
            world=world,
            run=run,
            environment=environment,
            change=change,
            before=service,
            path_before=world.change.path,
            revisions=len(cloud.revisions(environment)),
            deployments=len(cloud.deployments_of(environment, service["taskDefinition"])),
        )
    world.change, world.is_calm = change, True
    assert (visitor.failed, visitor.fewest) == ([], DESIRED), visitor
    assert visitor.asked > 0


def _forget_images(cloud: Cloud) -> None:
    """As before the first deployment. What runs in `calm` has its image already."""
    with cloud.fsd.client("ecr") as ecr, suppress(ecr.exceptions.RepositoryNotFoundException):
        ecr.delete_repository(repositoryName="hello", force=True)


def _calm_down(world: World) -> None:
    world.faulty.heal()
    world.tries += 1
    if world.tries > TRIES_AN_ENVIRONMENT:
        world.start_over()
    elif not world.is_calm:
        options = (*world.change.options, "--supersede", "--allow-older")
        ended = world.cloud.deploy(world.environment, *options)
        assert ended.code == 0, ended.text


@pytest.fixture(scope="module")
def world(cloud: Cloud) -> Iterator[World]:
    """Each kind of run is made once without faults, and its operations are counted."""
    operations: dict[Run, list[str]] = {}
    change = cloud.change()
    for run in (Run.FIRST, Run.UNCHANGED, Run.FAILING, Run.UPDATE):
        change = change if run in {Run.FIRST, Run.UNCHANGED} else cloud.change()
        recorder = Recorder()
        options = (*change.options, *(CRASH if run is Run.FAILING else ()))
        with plain_aws(cloud.endpoint, embedded=True, gate=recorder) as endpoint:
            ended = cloud.start(endpoint, "calm", *options).end()
        assert ended.code == (6 if run is Run.FAILING else 0), ended.text
        operations[run] = sorted(set(recorder.calls))
    with faulty_aws(cloud.endpoint) as faulty:
        yield World(cloud, faulty, operations, change)


FEW = [
    (Run.UPDATE, Fault.ANSWER_LOST),
    (Run.FAILING, Fault.RESET),
    (Run.FIRST, Fault.THROTTLED),
]
EVERY = [(run, fault) for run in Run for fault in Fault]


@pytest.mark.parametrize("in_a_row", [1, 2] if ALL else [2])
@pytest.mark.parametrize(("run", "fault"), EVERY if ALL else FEW)
def test_deploy__each_call_fails_before_it_works__nobody_notices(
    world: World, run: Run, fault: Fault, in_a_row: int
) -> None:
    if fault is Fault.HUNG and in_a_row > 1:
        pytest.skip("waits for minutes; the whole run of one operation hangs below")
    operations = world.operations[run]

    with _tried(world, run) as tried:
        world.faulty.inject_everywhere(fault, operations, in_a_row=in_a_row)
        ended = tried.deploy(fault, timeout="20m")
        injected = world.faulty.injected
        tried.check(ended)

    assert ended.code == (6 if run is Run.FAILING else 0), ended.text
    assert injected >= len(operations) * in_a_row


SOME = [
    (Run.UPDATE, Fault.ANSWER_LOST, "RegisterTaskDefinition"),
    (Run.UPDATE, Fault.ANSWER_LOST, "UpdateService"),
    (Run.UPDATE, Fault.HUNG, "DescribeServices"),
    (Run.FIRST, Fault.UNAVAILABLE, "CreateService"),
    (Run.FAILING, Fault.RESET, "StopServiceDeployment"),
]
THROUGHOUT = [(run, fault, at) for run in Run for fault in Fault for at in range(MOST)]


@pytest.mark.parametrize(("run", "fault", "which"), THROUGHOUT if ALL else SOME)
def test_deploy__one_operation_fails_throughout__says_so_and_next_run_converges(
    world: World, run: Run, fault: Fault, which: str | int
) -> None:
    operation = _operation(world.operations[run], which)

    with _tried(world, run) as tried:
        world.faulty.inject(fault, operation)
        ended = tried.deploy(fault, timeout="30s")
        was_injected = world.faulty.injected > 0
        tried.check(ended, operation=operation)

    # A look at what moved is not part of each run, and ECS's circuit breaker may be faster.
    is_certain = not operation.startswith(READS) and operation != "StopServiceDeployment"
    assert was_injected or not is_certain, ended.text


def _operation(operations: list[str], which: str | int) -> str:
    if isinstance(which, str):
        return which
    if which >= len(operations):
        pytest.skip(f"a run has {len(operations)} operations")
    return operations[which]
