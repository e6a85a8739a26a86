"""What AWS looks like before a release: one frozen value, so that planning makes no call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fsd.compile.desired import Json, Scaling
from fsd.errors import CallFailedError
from fsd.plan.previous_stack import PreviousStack, with_previous
from fsd.plan.reality import MissingResource, without
from fsd.plan.transition import output_value
from fsd.plan.verdict import is_unproved
from fsd.snapshot import ServiceDeployment, ServiceState, TargetHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedStack:
    status: str
    template: Json  # without the previous stack in it
    tags: Mapping[str, str]
    outputs: Mapping[str, str]
    lacks: tuple[MissingResource, ...] = ()  # what the template has and AWS has not
    previous: PreviousStack | None = None  # where a run died after it had changed the stack
    record: str = ""  # of its last change and whole template, for `fsd.plan.known_template`

    @property
    def good(self) -> Json:
        """The template that belongs to the last release that succeeded."""
        return self.previous.template if self.previous else self.template

    @property
    def actual(self) -> Json:
        """The template of what is there."""
        return without(self.template, self.lacks)

    def is_made_anew(self, output: str) -> bool:
        """Whether what the output names is gone: the next one has another id."""
        was = output_value(self.template, output)
        return was is not None and output_value(self.actual, output) is None

    @property
    def as_found(self) -> Json:
        return with_previous(self.template, self.previous)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedRevision:
    arn: str
    definition: Json
    tags: Mapping[str, str]
    registered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedSchedule:
    """A Job's schedule, as GetSchedule answers."""

    name: str
    parameters: Json
    task_definition_arn: str  # what it starts: the release that is deployed
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldSchedule:
    """A rule of EventBridge, or a schedule of its Scheduler, that starts the task of a Job too."""

    arn: str
    is_enabled: bool
    expression: str
    time_zone: str = "UTC"
    targets: int = 1  # what a rule starts
    cluster: str = ""  # ARN; "" where what it starts is no task of ECS
    task_definition: str = ""  # ARN
    window: int = 0  # minutes, of a flexible time window: a run starts anywhere in it

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def is_rule(self) -> bool:
        return ":rule/" in self.arn


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    account: str
    region: str
    cluster_exists: bool
    stack: ObservedStack | None
    service: ServiceState | None
    running: ObservedRevision | None  # the service's task definition
    latest: ObservedRevision | None  # the family's newest ACTIVE revision
    scaling: Scaling | None
    in_flight: ServiceDeployment | None  # the newest deployment, where it is not final
    last_deployment: ServiceDeployment | None  # the newest one in any status
    last_successful: ServiceDeployment | None  # whose tasks ran, and were good
    # Whether the policies that FSD makes are on the target. Those of others are named.
    scaling_is_ours: bool = True
    other_policies: tuple[str, ...] = ()
    # The ARNs of all that ECS lists, or only of the newest: each that is newer began since.
    known_deployments: frozenset[str] = frozenset()
    namespace: str = ""  # the cluster's, for Service Connect
    capacity_providers: frozenset[str] = frozenset()  # the cluster's
    shared: ObservedStack | None = None  # of the load balancer that it has with others
    schedule: ObservedSchedule | None = None  # of a Job
    old_schedule: OldSchedule | None = None  # None where there is none, or none is named
    targets: tuple[TargetHealth, ...] | None = None  # the service's; None where not read, or denied

    healthy: Mapping[str, int] = field(default_factory=dict)  # targets, by target group ARN
    # What the production rule says, by the ARN of the target group: {} without a rule.
    weights: Mapping[str, int] = field(default_factory=dict)
    weights_unread: CallFailedError | None = None  # where the role may not read them

    @property
    def serving(self) -> str:
        """ARN of the one of a pair of target groups that has the traffic; "" where not known."""
        return max(self.weights, key=lambda arn: self.weights[arn], default="")

    @property
    def last_try_failed(self) -> bool:
        """The service's revision never got through its rollout: a failed first deployment."""
        primary = self.service.primary if self.service else None
        return primary is not None and primary.rollout_state == "FAILED"

    @property
    def is_unproved(self) -> bool:
        return self.last_try_failed or (self.running is not None and is_unproved(self.running.tags))

    @property
    def has_never_run(self) -> bool:
        """A first deployment that failed was scaled to 0, and what never ran is there too: neither
        is a wish, also where auto scaling owns the count."""
        service = self.service
        is_first = self.last_successful is None and self.is_unproved
        return service is not None and is_first and service.desired == 0

    @property
    def scaling_stays(self) -> bool:
        """Where the manifest has no auto scaling: whether somebody else's is left."""
        return self.scaling is not None and not (self.scaling_is_ours and not self.other_policies)

    def remembering(self, template: Json) -> Json:
        """`template`, for a rollout that may fail, with what to go back to."""
        if self.stack is None or self.last_deployment is None:
            return template
        before = PreviousStack(
            template=self.stack.template, deployment_arn=self.last_deployment.arn
        )
        return with_previous(template, self.stack.previous or before)
