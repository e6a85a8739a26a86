"""A service that another tool made, and that a deployment takes over: what stays, what does not.

The service keeps its name, its history and its tasks until new ones are healthy; what leads traffic
to it stays where it is only if the manifest names it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.change import Change, KeptKind, OwnershipTaken
from fsd.compile.desired import OUTPUT_TARGET_GROUP, Desired
from fsd.plan.notes import (
    PlanNote,
    RoleReplaced,
    SecurityGroupsLeft,
    ServiceAdopted,
    TargetGroupLeft,
)
from fsd.plan.observed import Observed
from fsd.plan.transition import output_value
from fsd.snapshot import ServiceState

_TAG = "fsd:service"
_ROLES = (
    ("taskRoleArn", KeptKind.TASK_ROLE),
    ("executionRoleArn", KeptKind.EXECUTION_ROLE),
)


def find_foreign(observed: Observed, *, family: str) -> ServiceState | None:
    """The service, where something else than FSD made it, and FSD has not taken it over yet.

    FSD tags every service that it makes, and every revision; its revisions are of `family`. A
    service of an older FSD has a stack.
    """
    service, running = observed.service, observed.running
    if service is None or running is None or _TAG in dict(service.tags):
        return None
    is_of_family = running.arn.rpartition("/")[2].rpartition(":")[0] == family
    is_known = any(tag.startswith("fsd:") for tag in running.tags) or observed.stack is not None
    return None if is_of_family and is_known else service


def adoption_changes(desired: Desired, observed: Observed) -> tuple[Change, ...]:
    """What the service keeps of what it had."""
    service = find_foreign(observed, family=desired.family)
    if service is None:
        return ()
    own = sorted(set(service.security_groups) & set(desired.service.security_groups))
    kept = (
        *((KeptKind.TARGET_GROUP, name) for name in _kept_groups(desired, service)),
        *((KeptKind.SECURITY_GROUP, group) for group in own),
        *((what, _name(arn)) for what, arn, stays in _roles(desired, observed) if stays),
    )
    return (Change(what="ownership", remark=OwnershipTaken(keeps=kept)),)


def adoption_notes(desired: Desired, observed: Observed) -> Iterator[PlanNote]:
    """What a person has to know before a service is taken over."""
    service = find_foreign(observed, family=desired.family)
    if service is None or observed.running is None:
        return
    yield ServiceAdopted(service=service.name, revision=_name(observed.running.arn))
    for arn in _lost_groups(desired, service):
        yield TargetGroupLeft(arn=arn)
    left = set(service.security_groups) - set(desired.service.security_groups)
    if left:
        yield SecurityGroupsLeft(groups=tuple(sorted(left)))
    for what, arn, stays in _roles(desired, observed):
        if arn and not stays:
            yield RoleReplaced(what=what, role=_name(arn))


def _roles(desired: Desired, observed: Observed) -> Iterator[tuple[KeptKind, str, bool]]:
    """(what it is, the ARN of now, whether it stays)."""
    now = observed.running.definition if observed.running else {}
    for key, what in _ROLES:
        arn = str(now.get(key) or "")
        yield what, arn, bool(arn) and arn == desired.task_definition.get(key)


def _kept_groups(desired: Desired, service: ServiceState) -> list[str]:
    wanted = output_value(desired.template, OUTPUT_TARGET_GROUP)
    return [_group_name(arn) for arn in service.target_group_arns if arn == wanted]


def _lost_groups(desired: Desired, service: ServiceState) -> list[str]:
    wanted = output_value(desired.template, OUTPUT_TARGET_GROUP)
    return [arn for arn in service.target_group_arns if arn != wanted]


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _group_name(arn: str) -> str:
    """`…:targetgroup/NAME/ID`."""
    return arn.rpartition("targetgroup/")[2].partition("/")[0]
