"""(Desired, Observed) → Plan. Makes no call; the same input gives the same plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fsd.change import Change
from fsd.compile.desired import OUTPUT_TARGET_GROUP, Desired, Json
from fsd.compile.service import ended_settings
from fsd.plan.diff import diff_scaling, diff_task_definitions, diff_templates, health_path
from fsd.plan.observed import Observed, ObservedStack
from fsd.plan.steps import (
    ApplyScaling,
    ApplyStack,
    CreateCluster,
    CreateService,
    Plan,
    RegisterRevision,
    RemoveScaling,
    Sign,
    Step,
    UpdateService,
    UseRevision,
)
from fsd.plan.transition import output_value, transition_template
from fsd.plan.verdict import is_unproved
from fsd.snapshot import ServiceState

_FIRST = (Change(what="first revision", text=""),)


def plan_release(desired: Desired, observed: Observed) -> Plan:
    """Order the steps that turn what is observed into what is desired."""
    revision = _revision_step(desired, observed)
    service = [*_service_steps(desired, observed, revision_changes=revision is not None)]
    attach_to = _deployment_to_attach(observed, service)
    is_update = any(isinstance(step, UpdateService) and step.rolls_out for step in service)
    steps: list[Step] = [
        *_cluster_steps(desired, observed),
        *_stack_steps(desired, observed, has_old_tasks=is_update or bool(attach_to)),
        *([revision] if revision else []),
        *service,
        *_scaling_steps(desired, observed),
    ]
    return Plan(
        name=desired.name,
        account=observed.account,
        region=observed.region,
        steps=tuple(steps),
        attach_to=attach_to,
        warnings=tuple(_warnings(desired, observed)),
    )


def _warnings(desired: Desired, observed: Observed) -> Iterator[str]:
    """The health check belongs to the target group: it judges old and new tasks alike."""
    old = health_path(observed.running.definition) if observed.running else ""
    new = health_path(desired.task_definition)
    if old and new and old != new:
        yield (
            f"warning: while old and new tasks run side by side, the load balancer checks the old "
            f"ones at {new} too, not at {old}: a deployment asks them there first, and is refused "
            "where they fail"
        )


def _cluster_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    if not observed.cluster_exists:
        yield CreateCluster(name=desired.service.cluster)


def _stack_steps(desired: Desired, observed: Observed, *, has_old_tasks: bool) -> Iterator[Step]:
    """What the stack needs, and once the old tasks are gone what it needs no more."""
    name, wanted = desired.stack_name, desired.template
    if observed.stack is None:
        changes = diff_templates({}, wanted)
        yield ApplyStack(name=name, template=wanted, changes=changes, sign=Sign.ADD)
        return
    both = transition_template(observed.stack.template, wanted) if has_old_tasks else wanted
    changes = _stack_changes(desired, observed.stack, both)
    if changes:
        template = observed.remembering(both) if has_old_tasks else both
        yield ApplyStack(name=name, template=template, changes=changes, sign=Sign.CHANGE)
    ended = diff_templates(both, wanted)
    if ended:
        yield ApplyStack(
            name=name, template=wanted, changes=ended, sign=Sign.REMOVE, cleans_up=True
        )


def _stack_changes(desired: Desired, stack: ObservedStack, template: Json) -> tuple[Change, ...]:
    changes = diff_templates(stack.template, template)
    if not changes and dict(stack.tags) != dict(desired.stack_tags):
        return (Change(what="tags", text=""),)
    if not changes and not stack.status.endswith("_COMPLETE"):
        # An earlier run was killed in the middle; applying again waits for its operation.
        return (Change(what=f"({stack.status})", text=""),)
    return changes


def _revision_step(desired: Desired, observed: Observed) -> RegisterRevision | UseRevision | None:
    wanted = desired.task_definition
    running, latest = observed.running, observed.latest
    changes = diff_task_definitions(running.definition, wanted) if running else _FIRST
    if observed.service is not None and not changes:
        return None
    if latest and not diff_task_definitions(latest.definition, wanted):
        return UseRevision(arn=latest.arn, changes=changes)
    return RegisterRevision(
        family=desired.name,
        definition=wanted,
        changes=changes,
        sign=Sign.CHANGE if running else Sign.ADD,
    )


def _service_steps(
    desired: Desired, observed: Observed, *, revision_changes: bool
) -> Iterator[Step]:
    service = observed.service
    if service is None:
        yield CreateService(name=desired.name, desired_count=desired.service.desired_count)
        return
    network = _network_changes(desired, observed, service)
    settings = _setting_changes(desired, service, is_scaled=observed.scaling is not None)
    count = _first_count(desired, observed, service)
    if count is not None and not any(change.what == "desired count" for change in settings):
        settings = (Change(what="desired count", text=f"{service.desired} → {count}"), *settings)
    again = _again(desired, observed)
    force = bool(again) and not revision_changes and not network
    if revision_changes or network or settings or force:
        changes = (*network, *settings, *(again if force else ()))
        yield UpdateService(
            name=desired.name,
            changes=changes,
            rolls_out=revision_changes or bool(network) or force,
            force=force,
            count=count,
            ends=_ended(desired, service),
        )


def _ended(desired: Desired, service: ServiceState) -> Json:
    return ended_settings(
        service.deployment_configuration, desired.service.deployment_configuration
    )


def _first_count(desired: Desired, observed: Observed, service: ServiceState) -> int | None:
    """A first deployment that failed was scaled to 0, and what never ran is there too: neither is a
    wish, also where auto scaling owns the count. None where something has run, or nothing is to."""
    wanted = desired.service.desired_count
    is_first = observed.last_successful is None and _is_unproved(observed)
    return wanted if is_first and service.desired == 0 and wanted > 0 else None


def _is_unproved(observed: Observed) -> bool:
    running = observed.running
    return _last_try_failed(observed) or (running is not None and is_unproved(running.tags))


def _last_try_failed(observed: Observed) -> bool:
    """Our revision is the service's, but its rollout never succeeded: a failed first deployment."""
    primary = observed.service.primary if observed.service else None
    return primary is not None and primary.rollout_state == "FAILED"


def _again(desired: Desired, observed: Observed) -> tuple[Change, ...]:
    """Why the service's own revision is rolled out once more; () where that is not needed.

    Its rollout failed. Or nothing has proved it: its tasks would start without a deployment, and
    nothing would judge them.
    """
    if _last_try_failed(observed):
        return (Change(what="again", text=""),)
    if not _is_unproved(observed) or desired.service.desired_count == 0:
        return ()
    return (Change(what="again", text="(nothing has proved it yet)"),)


def _network_changes(
    desired: Desired, observed: Observed, service: ServiceState
) -> tuple[Change, ...]:
    changes = []
    if set(service.subnets) != set(desired.service.subnets):
        changes.append(Change(what="subnets", text="changed"))
    if service.assign_public_ip != desired.service.assign_public_ip:
        changes.append(Change(what="public address", text=str(desired.service.assign_public_ip)))
    if bool(service.target_group_arns) != desired.service.has_load_balancer:
        text = "added" if desired.service.has_load_balancer else "removed"
        changes.append(Change(what="load balancer", text=text))
    elif observed.stack is not None and _is_attached_elsewhere(desired, observed.stack, service):
        changes.append(Change(what="load balancer", text="replaced"))
    return tuple(changes)


def _is_attached_elsewhere(desired: Desired, stack: ObservedStack, service: ServiceState) -> bool:
    """Whether the service's target group is not the one that the stack has, or will have."""
    if not desired.service.has_load_balancer:
        return False
    if output_value(stack.template, OUTPUT_TARGET_GROUP) != output_value(
        desired.template, OUTPUT_TARGET_GROUP
    ):
        return True
    arn = stack.outputs.get(OUTPUT_TARGET_GROUP)
    return arn is not None and arn not in service.target_group_arns


def _setting_changes(
    desired: Desired, service: ServiceState, *, is_scaled: bool
) -> tuple[Change, ...]:
    """What ECS applies without a deployment."""
    changes = []
    wanted = desired.service
    if not is_scaled and desired.scaling is None and service.desired != wanted.desired_count:
        text = f"{service.desired} → {wanted.desired_count}"
        changes.append(Change(what="desired count", text=text))
    if wanted.grace_period is not None and (service.grace_period or 0) != wanted.grace_period:
        text = f"{service.grace_period or 0} s → {wanted.grace_period} s"
        changes.append(Change(what="grace period", text=text))
    is_covered = _covers(service.deployment_configuration, wanted.deployment_configuration)
    if not is_covered or _ended(desired, service):
        changes.append(Change(what="deployment configuration", text="changed"))
    return tuple(changes)


def _covers(actual: object, wanted: object) -> bool:
    """Whether everything that is wanted is there; AWS adds defaults of its own."""
    if isinstance(wanted, dict) and isinstance(actual, dict):
        return all(_covers(actual.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list | tuple) and isinstance(actual, list | tuple):
        return list(wanted) == list(actual)
    return wanted == actual


def _scaling_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    if desired.scaling is None:
        if observed.scaling is not None:
            yield RemoveScaling()
        return
    changes = diff_scaling(observed.scaling, desired.scaling)
    if changes:
        sign = Sign.CHANGE if observed.scaling else Sign.ADD
        yield ApplyScaling(scaling=desired.scaling, changes=changes, sign=sign)


def _deployment_to_attach(observed: Observed, steps: Sequence[Step]) -> str:
    """The deployment in flight, where it is ours already: an earlier run of this command died."""
    flight, service = observed.in_flight, observed.service
    if flight is None or service is None:
        return ""
    if flight.task_definition_arn not in {"", service.task_definition_arn}:
        # ECS goes back from another revision to ours: its end is not ours to report.
        return ""
    rolls_out = any(isinstance(step, UpdateService) and step.rolls_out for step in steps)
    return "" if rolls_out else flight.arn
