"""(Desired, Observed, steps) → what a plan does beyond its steps. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from fsd.compile.desired import Desired, Json
from fsd.plan.counts import PlannedCount
from fsd.plan.effects import (
    Billed,
    BilledChange,
    CostMove,
    Effect,
    Interruption,
    Interrupts,
    Replacement,
)
from fsd.plan.observed import Observed
from fsd.plan.properties import resources_of
from fsd.plan.reality import LISTENER, LOAD_BALANCER, TARGET_GROUP
from fsd.plan.steps import ApplyStack, Step, UpdateService

_GUARDED = {LOAD_BALANCER, TARGET_GROUP}
_FREE_STORAGE = 20  # GiB of each task. https://aws.amazon.com/fargate/pricing/
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
_MINIMUM_HEALTHY = 100


def find_effects(
    desired: Desired, observed: Observed, steps: Sequence[Step], *, counts: PlannedCount
) -> tuple[Effect, ...]:
    """Replacements first, then what users notice, then the cost."""
    if not steps:
        return ()
    replaced = (*find_replacements(desired.template, observed, steps),)
    whys = (
        *_interruptions_of_stack(desired, observed, replaced),
        *_interruptions_of_tasks(desired, steps, counts),
    )
    parts = (*_billed_changes(desired, observed, counts),)
    return (
        *replaced,
        *(Interruption(why=why) for why in dict.fromkeys(whys)),
        *([CostMove(parts=parts)] if parts else []),
    )


def find_replacements(
    wanted: Json, observed: Observed, steps: Sequence[Step]
) -> Iterator[Replacement]:
    """By CloudFormation, or by another resource beside the first. What somebody has removed is
    made again, and replaces nothing."""
    actual = observed.stack.actual if observed.stack else {}
    old, new = resources_of(actual), resources_of(wanted)
    fixed = [
        change
        for step in steps
        if isinstance(step, ApplyStack)
        for change in step.properties
        if change.replaces
    ]
    for name in sorted(old.keys() & new.keys()):
        because = tuple(dict.fromkeys(one.path for one in fixed if one.resource == name))
        kind = str(old[name].get("Type"))
        if because and kind in _GUARDED:
            yield Replacement(resource=name, is_balancer=kind == LOAD_BALANCER, because=because)
    for kind in sorted(_GUARDED):
        gone = sorted(name for name in old.keys() - new.keys() if old[name].get("Type") == kind)
        come = sorted(name for name in new.keys() - old.keys() if new[name].get("Type") == kind)
        for name, by in zip(gone, come, strict=False):
            yield Replacement(resource=name, is_balancer=kind == LOAD_BALANCER, by=by)


def _interruptions_of_stack(
    desired: Desired, observed: Observed, replaced: Sequence[Replacement]
) -> Iterator[Interrupts]:
    if any(one.is_balancer for one in replaced):
        yield Interrupts.ADDRESS
    elif observed.stack and _balancers(observed.stack.actual) > _balancers(desired.template):
        yield Interrupts.ADDRESS if desired.service.has_load_balancer else Interrupts.NO_BALANCER
    if (
        observed.stack
        and not replaced
        and _moved_listeners(observed.stack.actual, desired.template)
    ):
        yield Interrupts.LISTENER
    # One beside the first is empty too, but the first serves until the rollout has succeeded.
    if any(not one.is_balancer and not one.by for one in replaced):
        yield Interrupts.EMPTY_GROUP


def _moved_listeners(actual: Json, wanted: Json) -> bool:
    """Of a network load balancer: an application load balancer's ports never change."""
    old, new = resources_of(actual), resources_of(wanted)
    both = (
        (_properties(old[name]), _properties(new[name]))
        for name in old.keys() & new.keys()
        if new[name].get("Type") == LISTENER
    )
    return any(was != is_ for was, is_ in both)


def _properties(listener: Json) -> tuple[object, object]:
    found = listener.get("Properties")
    properties = found if isinstance(found, dict) else {}
    return properties.get("Port"), properties.get("Protocol")


def _interruptions_of_tasks(
    desired: Desired, steps: Sequence[Step], counts: PlannedCount
) -> Iterator[Interrupts]:
    before = counts.before or 0
    if before and not counts.after:
        yield Interrupts.NO_TASKS
        return
    share = desired.service.deployment_configuration.get("minimumHealthyPercent")
    percent = share if isinstance(share, int) else _MINIMUM_HEALTHY
    kept = math.ceil(before * percent / 100)
    if before and not kept and any(isinstance(s, UpdateService) and s.rolls_out for s in steps):
        yield Interrupts.TASKS_FIRST


def _billed_changes(
    desired: Desired, observed: Observed, counts: PlannedCount
) -> Iterator[BilledChange]:
    running = observed.running.definition if observed.running and observed.service else {}
    before, after = counts.before or 0, counts.after
    sizes = ((_size(running), before), (_size(desired.task_definition), after))
    for index, what in enumerate((Billed.VCPU, Billed.MEMORY, Billed.STORAGE)):
        was, is_ = (size[index] * count for size, count in sizes)
        if was != is_:
            yield BilledChange(what=what, before=was, after=is_)
    had = _balancers(observed.stack.actual) if observed.stack else 0
    has = _balancers(desired.template)
    if had != has:
        yield BilledChange(what=Billed.BALANCERS, before=had, after=has)
    most = observed.scaling.maximum if observed.scaling else before
    may = desired.scaling.maximum if desired.scaling else after
    if most != may and (desired.scaling or (observed.scaling and not observed.scaling_stays)):
        yield BilledChange(what=Billed.MOST_TASKS, before=most, after=may)


def _size(definition: Json) -> tuple[float, float, float]:
    """(vCPU, GiB of memory, GiB of storage that is billed) of one task."""
    storage = definition.get("ephemeralStorage")
    size = storage.get("sizeInGiB") if isinstance(storage, dict) else None
    return (
        _number(definition.get("cpu")) / 1024,
        _number(definition.get("memory")) / 1024,
        max(_number(size) - _FREE_STORAGE, 0),
    )


def _number(value: object) -> float:
    text = str(value)
    return float(text) if text.isdecimal() else 0


def _balancers(template: Json) -> int:
    return sum(1 for one in resources_of(template).values() if one.get("Type") == LOAD_BALANCER)
