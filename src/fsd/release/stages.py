"""The stages of a deployment. Each knows what is known in it, and what to say when it is cut off.

    Planning ─▶ Applying ─▶ Requested ─▶ Rolling ─┬─▶ Settling
                                                  └─▶ GoingBack

A signal, or AWS that answers no more, may come in any of them; only the stage tells what state
things are in then, and whether a question is worth one of the seconds that a runner leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from fsd.errors import CallFailedError
from fsd.quoted import Quoted
from fsd.release.messages import (
    GoesOn,
    NotListed,
    NotRequested,
    RollbackRequested,
    StateUnknown,
    StoppedBySignal,
    TooLateToGoBack,
    Unconfirmed,
    WasGoingBack,
    WasSettling,
)
from fsd.release.operation import Operation
from fsd.release.watch import Watcher
from fsd.rollout.assess import Ours
from fsd.rollout.cause import Diagnosis
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import ServiceState

# A signal is answered within two seconds, with two looks at AWS in them at the most.
ANSWER_TIME = timedelta(seconds=0.9)


class DeployStage(Protocol):
    @property
    def task_definition_arn(self) -> str:
        """Of the revision that ECS was asked to roll out; "" before it was."""

    @property
    def diagnosis(self) -> Diagnosis | None:
        """Why the rollout failed, once it has."""

    def interrupted(self, signal: Quoted, *, roll_back: bool) -> StoppedBySignal:
        """What state things are in when `signal` comes.

        `roll_back`: a deployment in flight is to be stopped, with a rollback.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """AWS is looked at. Where it does not answer, the command ends with its error."""

    task_definition_arn: str = ""
    diagnosis: Diagnosis | None = None

    def interrupted(self, signal: Quoted, *, roll_back: bool) -> StoppedBySignal:
        del roll_back
        return StoppedBySignal(signal=signal, state=NotRequested())


@dataclass(frozen=True, slots=True, kw_only=True)
class Applying:
    """The cluster, the stack and the revision are made; nothing that runs changes.

    Where AWS does not answer, the stack goes back and the command ends with the error. `changing`
    is the stack while CloudFormation is at it.
    """

    changing: str = ""
    task_definition_arn: str = ""
    diagnosis: Diagnosis | None = None

    def interrupted(self, signal: Quoted, *, roll_back: bool) -> StoppedBySignal:
        del roll_back
        return StoppedBySignal(signal=signal, state=NotRequested(stack=self.changing))


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """ECS is asked for the rollout, or has been. Where its answer is lost, its list tells."""

    operation: Operation
    task_definition_arn: str
    known: frozenset[str] = frozenset()  # the deployments that were there before
    is_taken: bool = False  # ECS has answered that it does it
    answer: ServiceState | None = None  # the service, as ECS gave it with that answer
    arn: str = ""  # of the deployment, where it is known
    diagnosis: Diagnosis | None = None

    @property
    def revision(self) -> str:
        return family_revision(self.task_definition_arn)

    def find_deployment(self) -> str:
        """The ARN of our deployment; "" where ECS does not list it yet. Raises CallFailedError."""
        if self.arn:
            return self.arn
        ecs, ref = self.operation.aws.ecs, self.operation.ref
        arns = ecs.service_deployment_arns(ref.cluster, ref.name)
        new = ecs.service_deployments([arn for arn in arns if arn not in self.known])
        return next((d.arn for d in new if d.task_definition_arn == self.task_definition_arn), "")

    def interrupted(self, signal: Quoted, *, roll_back: bool) -> StoppedBySignal:
        if not self._is_known_to_be_taken():
            return StoppedBySignal(signal=signal, state=NotListed(revision=self.revision))
        return StoppedBySignal(signal=signal, state=self._end(roll_back=roll_back))

    def unknown(self, error: CallFailedError, *, is_called_done: bool = False) -> StateUnknown:
        return StateUnknown(
            revision=self.revision, error=Quoted.of(error), is_called_done=is_called_done
        )

    def _is_known_to_be_taken(self) -> bool:
        """A signal may come between the question and ECS's answer: then its list tells."""
        if self.arn or self.is_taken:
            return True
        try:
            with self.operation.clock.limit(ANSWER_TIME):
                return bool(self.find_deployment())
        except CallFailedError:
            return False

    def _end(self, *, roll_back: bool) -> GoesOn | RollbackRequested | TooLateToGoBack:
        """Ask for the rollback where that is wanted; in any case say what ECS does now."""
        goes_on = GoesOn(revision=self.revision)
        if not roll_back:
            return goes_on
        try:
            with self.operation.clock.limit(ANSWER_TIME):
                return self._ask_to_go_back() or goes_on
        except CallFailedError as error:
            return replace(goes_on, refused=Quoted.of(error))

    def _ask_to_go_back(self) -> RollbackRequested | TooLateToGoBack | None:
        """What became of it; None where ECS does not list it yet, or will not stop it."""
        ecs, arn = self.operation.aws.ecs, self.find_deployment()
        if not arn:
            return None
        if ecs.stop_service_deployment(arn):
            return RollbackRequested(revision=self.revision)
        found = next(iter(ecs.service_deployments([arn])), None)
        if found is not None and not found.status.is_final:
            return None
        return TooLateToGoBack(revision=self.revision, status=found.status if found else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """ECS is at our deployment, and we look at it."""

    requested: Requested
    ours: Ours
    watcher: Watcher
    diagnosis: Diagnosis | None = None

    @property
    def task_definition_arn(self) -> str:
        return self.ours.task_definition_arn

    @property
    def revision(self) -> str:
        return family_revision(self.task_definition_arn)

    def interrupted(self, signal: Quoted, *, roll_back: bool) -> StoppedBySignal:
        if not self.watcher.is_confirming:
            return self.requested.interrupted(signal, roll_back=roll_back)
        return StoppedBySignal(signal=signal, state=Unconfirmed(revision=self.revision))

    def unknown(self, error: CallFailedError) -> StateUnknown:
        return self.requested.unknown(error, is_called_done=self.watcher.is_confirming)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingBack:
    """The rollout has failed, and ECS was asked, or is about to be asked, for what was before."""

    task_definition_arn: str
    diagnosis: Diagnosis | None

    def interrupted(self, signal: Quoted, *, roll_back: bool) -> StoppedBySignal:
        del roll_back
        revision = family_revision(self.task_definition_arn)
        return StoppedBySignal(signal=signal, state=WasGoingBack(revision=revision))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """The release runs. What is left to do cannot undo that."""

    task_definition_arn: str
    diagnosis: Diagnosis | None = None

    def interrupted(self, signal: Quoted, *, roll_back: bool) -> StoppedBySignal:
        del roll_back
        revision = family_revision(self.task_definition_arn)
        return StoppedBySignal(signal=signal, state=WasSettling(revision=revision))
