"""What a deployment is asked for: the release, and how to go about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from fsd.compile.desired import Desired, Image, Release
from fsd.manifest.rollout_time import Estimate
from fsd.plan.observed import Observed
from fsd.release.changed import CountCommits
from fsd.release.concurrency.in_flight import CommitOrder, InFlight, OrderCommits, Precedence
from fsd.release.notes import Note
from fsd.release.pace import Pace
from fsd.release.result import Phase
from fsd.release.waiting_time import NOT_KNOWN, SHORTEST
from fsd.rollout.cause import Cause


class OnCancel(StrEnum):
    """What a signal does with the deployment in flight."""

    LEAVE = "leave"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    desired: Desired
    image: Image
    release: Release
    # What is being read already; None where it has to be read anew.
    observed: Callable[[], Observed | None] = lambda: None
    timeout: timedelta = SHORTEST
    expected: Estimate = NOT_KNOWN  # how long the rollout takes
    wait: bool = True
    rollback: bool = True
    in_flight: InFlight = InFlight.REFUSE
    order: OrderCommits = lambda _: CommitOrder.UNKNOWN
    allow_older: bool = False
    allow_interruption: bool = False  # a health check that moves is not tried first
    allow_replacement: bool = False  # of a load balancer or a target group
    # Raises RefusedError where AWS is not as the plan that was agreed to has seen it.
    require_planned: Callable[[Observed], None] = lambda _: None
    # With WAIT: a deployment of an ancestor, or of the same commit, is not waited for.
    supersede_older: bool = False
    count_commits: CountCommits = lambda *_: None
    on_cancel: OnCancel = OnCancel.LEAVE
    pace: Pace = field(default_factory=Pace)
    # A cause in words, for the ledger.
    cause_text: Callable[[Cause], str] = lambda cause: cause.code
    phases: tuple[Phase, ...] = ()  # what was done before: manifest, image
    notes: tuple[Note, ...] = ()
    started_at: datetime | None = None

    @property
    def precedence(self) -> Precedence:
        return Precedence(
            commit=self.release.commit,
            in_flight=self.in_flight,
            order=self.order,
            allow_older=self.allow_older,
            supersede_older=self.supersede_older,
        )
