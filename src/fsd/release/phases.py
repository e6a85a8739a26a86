"""The phases of a deployment, as they are told while it works and listed in its result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fsd.plan.steps import Step
from fsd.release.phase_facts import PhaseFact
from fsd.release.ports import Clock
from fsd.release.reporter import Reporter
from fsd.release.result import Phase, PhaseName, PhaseState


@dataclass(slots=True, kw_only=True)
class PhaseLog:
    clock: Clock
    reporter: Reporter
    phases: tuple[Phase, ...] = ()

    def begin(self, name: PhaseName | None, *, step: Step | None = None) -> datetime:
        """When it began, by which it is ended. None is a step that is no phase."""
        began = self.clock.now()
        self._tell(name, PhaseState.RUNNING, began=began, step=step)
        return began

    def end(
        self,
        name: PhaseName | None,
        state: PhaseState,
        began: datetime,
        *,
        fact: PhaseFact | None = None,
        step: Step | None = None,
        revision: str = "",
    ) -> None:
        self._tell(name, state, fact=fact, began=began, step=step, revision=revision)

    def _tell(
        self,
        name: PhaseName | None,
        state: PhaseState,
        *,
        began: datetime,
        fact: PhaseFact | None = None,
        step: Step | None = None,
        revision: str = "",
    ) -> None:
        if name is None:
            return
        phase = Phase(
            name=name,
            state=state,
            fact=fact,
            step=step,
            revision=revision,
            started_at=began,
            finished_at=None if state is PhaseState.RUNNING else self.clock.now(),
        )
        others = (p for p in self.phases if (p.name, p.started_at) != (name, began))
        self.phases = (*others, phase)
        self.reporter.phase(phase)
