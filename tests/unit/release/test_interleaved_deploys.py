"""Several deployers of one service, call by call in every order that a seed draws; some are killed.

The same promises as in tests/chaos, with more orders and without a machine's moods.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import pytest

from fsd.compile.desired import Json
from fsd.errors import Interrupted, RefusedError
from fsd.release.concurrency.in_flight import InFlight
from fsd.release.deploy import deploy
from fsd.release.deploy_request import DeployRequest, OnCancel
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, Result
from fsd.report.messages import message_text
from fsd.report.notes import note_texts
from fsd.snapshot import DeploymentStatus, ServiceDeployment
from tests.fakes.aws import FakeAws
from tests.fakes.shared_ecs import InTurns, Killed, Runner, SharedEcs, TurnClock, play
from tests.unit.release.desired import make_desired, make_request

ROUNDS = int(os.environ.get("FSD_TEST_ROUNDS", "60"))


@dataclass
class Deployer:
    cpu: str  # tells its revision from the others'
    request: DeployRequest
    runner: Runner

    @property
    def result(self) -> Result | BaseException | None:
        return self.runner.result

    @property
    def is_cut_off(self) -> bool:
        return isinstance(self.result, Killed) or (
            isinstance(self.result, Result) and self.result.outcome is Outcome.INTERRUPTED
        )


class Round:
    def __init__(self, seed: str, deployers: int) -> None:
        self.random = Random(seed)
        self.ecs = SharedEcs()
        self.fakes = FakeAws(ecs=self.ecs)
        if self.random.random() < 0.7:
            self.alone("1")
        self.deployers = [self._draw(str(256 + number)) for number in range(deployers)]
        self.begun = len(self.ecs.deployments)
        play([one.runner for one in self.deployers], self.random)
        while any(not one.status.is_final for one in self.ecs.deployments):
            self.ecs.get_on()

    def alone(self, cpu: str) -> Result:
        request = self._request(cpu)
        runner = Runner(cpu, lambda runner: self._deploy(request, runner))
        play([runner], self.random)
        assert isinstance(runner.result, Result), runner.result
        return runner.result

    def _draw(self, cpu: str) -> Deployer:
        random = self.random
        if random.random() < 0.3:
            self.ecs.bad.add(cpu)
        request = self._request(
            cpu,
            in_flight=random.choice(list(InFlight)),
            on_cancel=random.choice(list(OnCancel)),
        )
        runner = Runner(cpu, lambda runner: self._deploy(request, runner))
        if random.random() < 0.3:
            runner.dies_at = random.randint(1, 25)
            runner.dies_by = random.choice((Killed, Interrupted))
        return Deployer(cpu, request, runner)

    def _request(self, cpu: str, **more: object) -> DeployRequest:
        template: Json = {"Resources": {"Logs": {"Type": f"Kind{self.random.randint(1, 2)}"}}}
        desired = make_desired(cpu=cpu, template=template)
        tags = {"fsd:service": "web", "fsd:version": cpu}
        desired = replace(desired, task_definition_tags=tags)
        return make_request(desired, timeout=timedelta(hours=9), **more)

    def _deploy(self, request: DeployRequest, runner: Runner) -> Result:
        aws = self.fakes.aws()
        stacks, ecs = InTurns(aws.stacks, runner), InTurns(aws.ecs, runner)
        aws = replace(aws, stacks=stacks, ecs=ecs)
        return deploy(request, aws, clock=TurnClock(self.ecs, runner), reporter=Silent())

    # --- the judge ---

    def of(self, deployer: Deployer) -> list[ServiceDeployment]:
        return [
            d for d in self.ecs.deployments if d.task_definition_arn in self.revisions(deployer)
        ]

    def revisions(self, deployer: Deployer) -> set[str]:
        return {d.arn for d in self.ecs.definitions if d.definition["cpu"] == deployer.cpu}

    def judge(self) -> None:
        for deployer in self.deployers:
            self._judge_truth(deployer)
        new = self.ecs.deployments[: len(self.ecs.deployments) - self.begun]
        for one, successor in zip(new[1:], new, strict=False):
            self._judge_end(one, successor)

    def _judge_truth(self, deployer: Deployer) -> None:
        statuses = {one.status for one in self.of(deployer)}
        is_used = bool(statuses)
        match deployer.result:
            case RefusedError():
                assert not is_used
                assert not self.revisions(deployer), "refused, and left a revision"
            case Result(outcome=Outcome.SUCCEEDED):
                assert DeploymentStatus.SUCCESSFUL in statuses
            case Result(outcome=Outcome.ROLLED_BACK):
                assert DeploymentStatus.ROLLBACK_SUCCESSFUL in statuses
            case Result(outcome=Outcome.ROLLBACK_FAILED):
                assert DeploymentStatus.STOPPED in statuses
            case Result(outcome=Outcome.SUPERSEDED):
                assert DeploymentStatus.SUCCESSFUL not in statuses
                assert is_used
            case Result(outcome=Outcome.INTERRUPTED, message=message):
                assert not (is_used and "before ECS was asked" in message_text(message))
            case Killed():
                pass
            case other:
                raise AssertionError(f"{deployer.cpu} ended with {other!r}")

    def _judge_end(self, one: ServiceDeployment, successor: ServiceDeployment) -> None:
        owner, heir = self._owner(one), self._owner(successor)
        is_good = owner.cpu not in self.ecs.bad
        is_cancelled = owner.is_cut_off and owner.request.on_cancel is OnCancel.ROLLBACK
        if one.status is DeploymentStatus.ROLLBACK_SUCCESSFUL and is_good:
            assert is_cancelled, f"{owner.cpu} was good, and rolled back"
        if one.status is DeploymentStatus.STOPPED and is_good and not is_cancelled:
            is_said = isinstance(heir.result, Result) and "same moment" in str(
                note_texts(heir.result.notes)
            )
            may = heir.request.in_flight is InFlight.SUPERSEDE
            assert may or is_said or heir.is_cut_off, f"{heir.cpu} took over from {owner.cpu}"

    def _owner(self, one: ServiceDeployment) -> Deployer:
        cpu = self.ecs.cpu_of(one.task_definition_arn)
        return next(d for d in self.deployers if d.cpu == cpu)


@pytest.mark.parametrize("deployers", [2, 3, 10])
def test_deploy__calls_of_several_in_any_order__truth_and_nothing_undone(deployers: int) -> None:
    for number in range(ROUNDS):
        played = Round(f"{deployers}/{number}", deployers)
        played.judge()

        played.ecs.time += timedelta(minutes=1)
        last = played.alone("1024")

        assert last.outcome is Outcome.SUCCEEDED
        ecs = played.ecs
        assert ecs.cpu_of(ecs.services["web-dev"].task_definition_arn) == "1024"
        used = {one.task_definition_arn for one in ecs.deployments}
        assert {one.arn for one in ecs.definitions} <= used, f"{number}: an orphan is ACTIVE"
