"""How many tasks a release leaves behind, however it comes about: the one place that says so.

What a manifest does not say is no wish: without `desiredCount` an update leaves the count alone.
Where something scales the service, that has the count; a registered range clamps it at once.
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fsd.change import Change
from fsd.compile.desired import Desired, Scaling
from fsd.plan.notes import CountWithoutEffect, ForeignPolicies, ForeignTarget, PlanNote, TargetStays
from fsd.plan.observed import Observed


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCount:
    """`before` is None where there is no service yet."""

    before: int | None
    at_update: int | None = None  # what UpdateService is told, changed or not; None: nothing
    unscaled: int | None = None  # what it is set to once FSD's auto scaling has gone
    after: int = 0

    @property
    def clamped(self) -> tuple[Change, ...]:
        """What registering the range does to the count."""
        if self.before is None or self.unscaled is not None:
            return ()
        return count_changes(self.before if self.at_update is None else self.at_update, self.after)


def count_changes(before: int, after: int) -> tuple[Change, ...]:
    if before == after:
        return ()
    return (Change(what="desired count", before=str(before), after=str(after)),)


def plan_counts(desired: Desired, observed: Observed) -> PlannedCount:
    service, wished = observed.service, desired.service.desired_count
    if service is None:
        return PlannedCount(before=None, after=_within(observed.scaling, desired.scaling, wished))
    now = service.desired
    if observed.has_never_run:
        at_update, unscaled = wished, None
    elif observed.last_successful is None and observed.scaling is None:
        # The run whose first deployment is in flight scales it to 0 where that fails.
        at_update, unscaled = (wished if desired.service.count_is_said else now), None
    elif not desired.service.count_is_said or is_scaled(desired, observed):
        at_update, unscaled = None, None
    elif observed.scaling is not None:
        at_update, unscaled = None, wished
    else:
        at_update, unscaled = wished, None
    requested = now if at_update is None else at_update
    last = _within(observed.scaling, desired.scaling, requested) if unscaled is None else unscaled
    return PlannedCount(
        before=now,
        at_update=at_update,
        unscaled=None if unscaled == now else unscaled,
        after=last,
    )


def is_scaled(desired: Desired, observed: Observed) -> bool:
    """Whether something scales the service once the release is done."""
    return desired.scaling is not None or observed.scaling_stays


def _within(before: Scaling | None, after: Scaling | None, count: int) -> int:
    """Registered is only a range that differs."""
    if after is None:
        return count
    if before and (before.minimum, before.maximum) == (after.minimum, after.maximum):
        return count
    return min(max(count, after.minimum), after.maximum)


def count_notes(desired: Desired, observed: Observed) -> Iterator[PlanNote]:
    """What scales the service beside or instead of FSD, and a `desiredCount` without effect."""
    if observed.scaling is not None:
        yield from _notes_on_others(desired, observed, observed.scaling)
    service, wanted = observed.service, desired.service
    if service is None or observed.has_never_run or not wanted.count_is_said:
        return
    if is_scaled(desired, observed) and service.desired != wanted.desired_count:
        yield CountWithoutEffect(wished=wanted.desired_count, now=service.desired)


def _notes_on_others(desired: Desired, observed: Observed, limits: Scaling) -> Iterator[PlanNote]:
    name, others = desired.name, tuple(observed.other_policies)
    minimum, maximum = limits.minimum, limits.maximum
    if desired.scaling is not None:
        if others:
            yield ForeignPolicies(service=name, policies=others)
    elif not observed.scaling_is_ours:
        yield ForeignTarget(service=name, minimum=minimum, maximum=maximum, policies=others)
    elif others:
        yield TargetStays(service=name, minimum=minimum, maximum=maximum, policies=others)
