"""What ECS was asked to roll out, and what became of it: also when no answer came, or a signal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fsd.compile.desired import Desired
from fsd.errors import CallFailedError
from fsd.release.ports import Clock, Ecs
from fsd.rollout.assess import Ours
from fsd.rollout.diagnose import family_revision

# A signal is answered within two seconds, with two looks at AWS in them at the most.
ANSWER_TIME = timedelta(seconds=0.9)


@dataclass(slots=True, kw_only=True)
class Asked:
    """`ours` is the deployment, once it is found."""

    ecs: Ecs
    clock: Clock
    desired: Desired
    known: frozenset[str] = frozenset()  # the deployments that were there before
    revision_arn: str = ""  # "" where ECS was not asked
    is_taken: bool = False  # ECS has answered that it does it
    ours: Ours | None = None

    @property
    def revision(self) -> str:
        return family_revision(self.ours.task_definition_arn if self.ours else self.revision_arn)

    def find_once(self) -> str:
        """The ARN of our deployment; "" where ECS does not list it yet. Raises CallFailedError."""
        if self.ours is not None:
            return self.ours.arn
        arns = self.ecs.service_deployment_arns(self.desired.service.cluster, self.desired.name)
        new = self.ecs.service_deployments([arn for arn in arns if arn not in self.known])
        return next((d.arn for d in new if d.task_definition_arn == self.revision_arn), "")

    def is_known_to_be_taken(self) -> bool:
        """A signal may come between the question and ECS's answer: then its list tells."""
        if self.ours is not None or self.is_taken:
            return True
        try:
            with self.clock.limit(ANSWER_TIME):
                return bool(self.find_once())
        except CallFailedError:
            return False

    def cancel(self, *, roll_back: bool) -> str:
        """Ask for the rollback where that is wanted; in any case say what ECS does now."""
        goes_on = (
            f"ECS goes on rolling out {self.revision}, and its circuit breaker rolls back what "
            "does not get healthy"
        )
        if not roll_back:
            return goes_on
        try:
            with self.clock.limit(ANSWER_TIME):
                return self._ask_to_go_back() or goes_on
        except CallFailedError as error:
            return f"it could not be asked to roll back ({error.what}): {goes_on}"

    def _ask_to_go_back(self) -> str:
        """What became of it; "" where ECS does not list our deployment yet, or will not stop it."""
        arn = self.find_once()
        if not arn:
            return ""
        if self.ecs.stop_service_deployment(arn):
            return f"asked ECS to roll {self.revision} back"
        found = next(iter(self.ecs.service_deployments([arn])), None)
        if found is not None and not found.status.is_final:
            return ""
        status = found.status if found else "no longer listed"
        return f"too late to roll {self.revision} back: its deployment had ended, {status}"
