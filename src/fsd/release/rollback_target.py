"""What a rollback knows: the release that failed, what ran before it, and what to go back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from fsd.compile.desired import OUTPUT_PRODUCTION_RULE, OUTPUT_TARGET_GROUP, Json
from fsd.plan.observed import Observed
from fsd.plan.previous_stack import still_needed
from fsd.plan.verdict import Mark, mark_of
from fsd.release.follow_ups import FollowUp
from fsd.release.ledger import describe_newest
from fsd.release.messages import BackAndHealth, BackEnded
from fsd.release.operation import Operation, ServiceRef
from fsd.release.ports import Aws
from fsd.release.proof import last_proved
from fsd.release.result import Outcome
from fsd.release.watch import TimedOut, Watcher
from fsd.rollout.assess import Ours, Verdict
from fsd.snapshot import ServiceState

# A rollback gets this long after the deadline of the rollout; ECS needs it for a drain and a start.
ROLLBACK_TIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedStack:
    """The service's stack, where it is not the last good release's."""

    template: Json  # of now
    own: Json  # that the release asks for
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoBack:
    """What going back needs to know."""

    operation: Operation
    watcher: Watcher
    ours: Ours
    verdict: Verdict | TimedOut
    observed: Observed  # before the change
    named: str = ""  # the revision to go back to; without it the last one that was proved
    can_redeploy: bool = True  # False: it is the revision that failed, and nothing else changed
    count: int | None = None  # that the release asked for; None where it left it alone
    wanted: int = 0  # tasks of the release
    stack: ChangedStack | None = None  # None where the release left it as it was
    container: str = ""  # behind the load balancer; "" where its attachment cannot have changed
    drain: timedelta = timedelta()

    @property
    def aws(self) -> Aws:
        return self.operation.aws

    @property
    def ref(self) -> ServiceRef:
        return self.operation.ref

    @property
    def good(self) -> str | None:
        """The revision to go back to."""
        return self.named or last_good(self.observed)

    @property
    def good_template(self) -> Json:
        """The stack's of the last release that succeeded; {} where there was no stack. The weights
        of its rules are those of that time: `fsd.aws.stacks` sends those of now."""
        before = self.observed.stack
        return {} if before is None else before.good


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBackTo:
    outcome: Outcome
    message: BackEnded | BackAndHealth
    next: tuple[FollowUp, ...] = ()
    service: ServiceState | None = None  # as it was seen at the end


def as_of_now(back: GoBack) -> Observed:
    """What was in flight when we looked may have succeeded before we took over: then that is what
    to go back to, and the stack is its own."""
    observed, stack = back.observed, back.observed.stack
    previous = stack.previous if stack else None
    if observed.in_flight is None and previous is None:
        return observed
    ecs = back.aws.ecs
    arns = ecs.service_deployment_arns(back.ref.cluster, back.ref.name)
    # Not ours, also where ECS calls it successful: it is what has failed.
    deployments = [d for d in describe_newest(ecs, arns) if d.arn != back.ours.arn]
    return replace(
        observed,
        last_successful=last_proved(ecs, deployments, known=(observed.running,))
        or observed.last_successful,
        stack=replace(stack, previous=still_needed(previous, deployments)) if stack else None,
    )


def last_good(observed: Observed) -> str | None:
    """The revision to go back to: the last whose rollout succeeded, else one that ran all the same
    when we looked. Never one that did not start, or that failed."""
    if observed.last_successful is not None and observed.last_successful.task_definition_arn:
        return observed.last_successful.task_definition_arn
    primary = observed.service.primary if observed.service else None
    if primary is None or primary.rollout_state != "COMPLETED":
        return None
    has_failed = observed.running is not None and mark_of(observed.running.tags) is Mark.FAILED
    return (
        primary.task_definition_arn
        if 0 < primary.desired <= primary.running and not has_failed
        else None
    )


def would_start(back: GoBack, good: str | None) -> bool:
    """Whether a rollback of ECS's own would start what never ran: it goes back to whatever it calls
    successful, and a deployment of no tasks is that. Then the count alone is set to 0."""
    return good is None and unproved_before(back) != ""


def unproved_before(back: GoBack) -> str:
    """The revision that the service had before ours, where it was not proved; else ""."""
    before = back.observed.service
    arn = before.task_definition_arn if before is not None else ""
    return arn if arn != back.ours.task_definition_arn else ""


def is_rule_gone(back: GoBack) -> bool:
    """Whether the release had CloudFormation make another listener rule, as for HTTPS. ECS would go
    back with the rule of before, which is gone, and leave the requests where they are."""
    before = back.observed.service
    if back.stack is None or before is None or not before.shifts_traffic:
        return False
    now = back.aws.stacks.find(back.ref.stack_name)
    rule = now.outputs.get(OUTPUT_PRODUCTION_RULE, "") if now is not None else ""
    return rule not in {"", before.production_rule}


def is_group_gone(back: GoBack) -> bool:
    """Whether the target group of before had been removed, so that this run made another. ECS would
    go back to the one that is gone, and wait for tasks that nothing can register.

    https://github.com/aws/containers-roadmap/issues/1884
    """
    stack = back.observed.stack
    return stack is not None and stack.is_made_anew(OUTPUT_TARGET_GROUP)
