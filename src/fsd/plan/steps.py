"""The steps of a plan, in the order in which they are applied. Nothing else drives apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from fsd.change import Change, Sign
from fsd.compile.desired import Json, OneOff, Scaling, SharedBalancer
from fsd.plan.effects import Effect, Replacement
from fsd.plan.notes import PlanNote
from fsd.plan.observed import OldSchedule
from fsd.plan.properties import PropertyChange
from fsd.plan.security_diff import SecurityChange


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCluster:
    name: str
    sign: Sign = Sign.ADD


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareCluster:
    """What Service Connect and Spot need of the cluster; others' services are not touched."""

    name: str
    namespace: str = ""  # to be its namespace; "" it has one, or needs none
    providers: tuple[str, ...] = ()  # capacity providers that it lacks
    sign: Sign = Sign.CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyStack:
    name: str
    template: Json
    changes: tuple[Change, ...]  # logical resources, with what becomes of them
    sign: Sign
    actual: Json | None = None  # what CloudFormation is told first: the template of what is there
    security: tuple[SecurityChange, ...] = ()  # what a role or a network may do after it
    properties: tuple[PropertyChange, ...] = ()  # of resources that were there before
    cleans_up: bool = False  # once the rollout has succeeded: what only old tasks needed goes

    @property
    def adds_everything(self) -> bool:
        return self.sign is Sign.ADD


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyShared:
    """The stack of a load balancer that the service has with others.

    Without its template: what the others set by then is known when it is applied.
    """

    name: str
    shared: SharedBalancer
    changes: tuple[Change, ...]
    sign: Sign


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRevision:
    family: str
    definition: Json
    changes: tuple[Change, ...]
    sign: Sign


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRevision:
    """A revision that an earlier run registered, and that nothing runs yet."""

    arn: str
    changes: tuple[Change, ...]
    sign: Sign = Sign.CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOneOff:
    """`beforeDeploy` or `afterDeploy`, on the revision of this release."""

    key: str  # as in the Service YAML
    one_off: OneOff
    sign: Sign = Sign.ADD

    @property
    def is_after(self) -> bool:
        return self.key == "afterDeploy"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateService:
    name: str
    desired_count: int
    sign: Sign = Sign.ADD


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateService:
    name: str
    changes: tuple[Change, ...]
    rolls_out: bool  # False: ECS applies it without a deployment
    count: int | None = None  # tasks; None: the count is left alone
    force: bool = False  # the same revision again, after it had failed
    ends: Json = field(default_factory=dict)  # of the deployment configuration
    in_place: bool = False  # a rolling deployment, that attaches what the next one shifts with
    first_group: str = ""  # ARN of the target group that it is attached to now
    also: Json = field(default_factory=dict)  # parameters that only a change needs
    sign: Sign = Sign.CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStrategy:
    """Between rolling deployments and those that shift traffic. It starts no deployment.

    AWS's guides ask for it while none is in flight: to shift traffic, after a rolling deployment
    with the second target group; to roll, before the first one.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/update-rolling-to-bluegreen.html
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/update-bluegreen-to-rolling.html
    """

    name: str
    configuration: Json  # all that UpdateService is told of it
    changes: tuple[Change, ...]
    is_after: bool = False  # once the rollout has succeeded
    sign: Sign = Sign.CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTraffic:
    """All requests to the one of a pair of target groups whose targets are healthy."""

    stack: str
    group: str  # its ARN
    changes: tuple[Change, ...]
    sign: Sign = Sign.CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class PutSchedule:
    """The schedule of a Job, with the revision that it starts from then on: one call."""

    name: str
    changes: tuple[Change, ...]
    releases: bool  # False: only when and how it starts what it starts now
    sign: Sign
    takes_over: OldSchedule | None = None  # that is disabled in its favor


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """A service that another tool made becomes FSD's: it gets FSD's tags, once FSD's release runs.
    Until then it is the other tool's."""

    name: str
    arn: str
    changes: tuple[Change, ...]
    sign: Sign = Sign.CHANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyScaling:
    scaling: Scaling
    changes: tuple[Change, ...]
    sign: Sign
    ended_schedules: tuple[str, ...] = ()  # their names, that were there and are not wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveScaling:
    """FSD's policies, and the target with them unless somebody else scales with it too."""

    kept_for: tuple[str, ...] = ()  # policies and scheduled actions that are not FSD's
    sign: Sign = Sign.REMOVE


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCount:
    """The count once no auto scaling of FSD's holds it."""

    name: str
    count: int
    changes: tuple[Change, ...]
    sign: Sign = Sign.CHANGE


Step: TypeAlias = (
    CreateCluster
    | PrepareCluster
    | ApplyShared
    | ApplyStack
    | RegisterRevision
    | UseRevision
    | RunOneOff
    | CreateService
    | UpdateService
    | SetStrategy
    | ReturnTraffic
    | PutSchedule
    | TakeOver
    | ApplyScaling
    | RemoveScaling
    | SetCount
)


_CHANGES_WHAT_RUNS = RegisterRevision | UseRevision | UpdateService | SetStrategy | PutSchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many tasks are wanted; None before the service is there."""

    before: int | None
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would change, in order. No steps: nothing to do, which is an answer and is reported."""

    name: str  # <service>-<env>
    account: str
    region: str
    steps: tuple[Step, ...]
    count: Count | None = None
    attach_to: str = ""  # ARN of the deployment in flight that already does this
    notes: tuple[PlanNote, ...] = ()
    effects: tuple[Effect, ...] = ()

    @property
    def replacements(self) -> tuple[Replacement, ...]:
        return tuple(one for one in self.effects if isinstance(one, Replacement))

    @property
    def is_empty(self) -> bool:
        return not self.steps and not self.attach_to

    @property
    def rolls_out(self) -> bool:
        return any(
            isinstance(step, CreateService) or (isinstance(step, UpdateService) and step.rolls_out)
            for step in self.steps
        )

    @property
    def count_asked(self) -> int | None:
        """What the rollout itself makes of the count; None where it leaves it alone."""
        updates = (step.count for step in self.steps if isinstance(step, UpdateService))
        return next(updates, None)

    def changes(self) -> tuple[Change, ...]:
        """What the release changes in what runs: the lines of "changed since"."""
        return tuple(
            change
            for step in self.steps
            if isinstance(step, _CHANGES_WHAT_RUNS)
            for change in step.changes
        )
