"""How a service is attached to its load balancer, and the strategy that this allows.

A service that is to shift traffic needs its second target group first. AWS's guide has two steps: a
rolling deployment that attaches it, and then the other strategy, with no deployment in flight. Back
it is the other way round: the strategy first.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/update-rolling-to-bluegreen.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/update-bluegreen-to-rolling.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.change import BareRemark, Change
from fsd.compile.desired import OUTPUT_ALTERNATE_GROUP, OUTPUT_TARGET_GROUP, Desired
from fsd.compile.service import changed_configuration, ended_settings
from fsd.plan.observed import Observed, ObservedStack
from fsd.plan.production_rule import is_another_rule
from fsd.plan.steps import SetStrategy
from fsd.plan.transition import output_value
from fsd.snapshot import ServiceState


def rolls_in_place(desired: Desired, observed: Observed) -> bool:
    """Whether a release that is to shift traffic cannot yet: a rolling deployment attaches the
    second target group, or one is in flight."""
    service = observed.service
    if service is None or not desired.service.shifts_traffic or service.shifts_traffic:
        return False
    lacks = attachment_changes(desired, observed.stack, service)
    return bool(lacks) or observed.in_flight is not None


def moves_strategy(desired: Desired, service: ServiceState) -> bool:
    """From rolling deployments to those that shift traffic, or back."""
    return desired.service.shifts_traffic != service.shifts_traffic


def strategy_steps(desired: Desired, observed: Observed) -> Iterator[SetStrategy]:
    service, wanted = observed.service, desired.service.deployment_configuration
    if service is None or not moves_strategy(desired, service):
        return
    now = service.deployment_configuration
    before, after = (str(one.get("strategy", "ROLLING")) for one in (now, wanted))
    is_after = rolls_in_place(desired, observed)
    yield SetStrategy(
        name=desired.name,
        configuration=changed_configuration(wanted, ended_settings(now, wanted)),
        changes=(Change(what="strategy", before=before, after=after),),
        is_after=is_after,
    )


def attachment_changes(
    desired: Desired, stack: ObservedStack | None, service: ServiceState
) -> tuple[Change, ...]:
    wanted = desired.service
    if bool(service.target_group_arns) != wanted.has_load_balancer:
        remark = BareRemark.ADDED if wanted.has_load_balancer else BareRemark.REMOVED
        return (Change(what="load balancer", remark=remark),)
    if not wanted.has_load_balancer:
        return ()
    changes: list[Change] = []
    if _is_attached_elsewhere(desired, stack, service) or (
        stack is not None and stack.is_made_anew(OUTPUT_TARGET_GROUP)
    ):
        changes.append(Change(what="load balancer", remark=BareRemark.REPLACED))
    elif wanted.shifts_traffic != _has_pair(stack, service):
        remark = BareRemark.ADDED if wanted.shifts_traffic else BareRemark.REMOVED
        changes.append(Change(what="second target group", remark=remark))
    elif stack is not None and is_another_rule(desired.template, stack, service):
        changes.append(Change(what="listener rule", remark=BareRemark.REPLACED))
    if service.container_port != wanted.port:
        before, after = (
            None if p is None else str(p) for p in (service.container_port, wanted.port)
        )
        changes.append(Change(what="container port", before=before, after=after))
    return tuple(changes)


def _has_pair(stack: ObservedStack | None, service: ServiceState) -> bool:
    """The stack's: an adopted service may have another."""
    group = stack.outputs.get(OUTPUT_ALTERNATE_GROUP) if stack is not None else None
    pairs = [arns for arns in service.target_groups if len(arns) > 1]
    return bool(pairs) and (group is None or any(group in arns for arns in pairs))


def _is_attached_elsewhere(
    desired: Desired, stack: ObservedStack | None, service: ServiceState
) -> bool:
    """Whether the service's target group is not the one that the stack has, or will have, or that
    the manifest names."""
    named = output_value(desired.template, OUTPUT_TARGET_GROUP)
    if isinstance(named, str):
        return named not in service.target_group_arns
    if stack is None:
        return True
    if output_value(stack.template, OUTPUT_TARGET_GROUP) != output_value(
        desired.template, OUTPUT_TARGET_GROUP
    ):
        return True
    arn = stack.outputs.get(OUTPUT_TARGET_GROUP)
    known = {*service.target_group_arns, *(arn for pair in service.target_groups for arn in pair)}
    return arn is not None and arn not in known
