"""(Desired, Observed) → Plan. Makes no call; the same input gives the same plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fsd.change import BareRemark, Change, Sign
from fsd.compile.capacity import capacity_words
from fsd.compile.connect import connect_words
from fsd.compile.desired import (
    BEFORE_TAG,
    OUTPUT_TASK_SECURITY_GROUP,
    Desired,
    Json,
)
from fsd.compile.scaling import with_label, with_scheduled_bounds
from fsd.compile.service import changed_capacity, changed_connect, ended_settings, in_place
from fsd.compile.shared import merged_template
from fsd.plan.adoption import adoption_changes, adoption_notes, find_foreign
from fsd.plan.attachment import (
    attachment_changes,
    moves_strategy,
    rolls_in_place,
    strategy_steps,
)
from fsd.plan.counts import PlannedCount, count_changes, count_notes, plan_counts
from fsd.plan.diff import diff_scaling, diff_task_definitions, diff_templates
from fsd.plan.find_effects import find_effects
from fsd.plan.moved_check import find_moved_checks
from fsd.plan.notes import HealthCheckMoves, PlanNote, ShiftsLater, VersionKept
from fsd.plan.observed import Observed, ObservedStack
from fsd.plan.previous_stack import with_previous
from fsd.plan.properties import diff_properties
from fsd.plan.rule_weights import find_stray
from fsd.plan.security_diff import diff_security
from fsd.plan.serving import as_served, keep_serving_check
from fsd.plan.steps import (
    ApplyScaling,
    ApplyShared,
    ApplyStack,
    Count,
    CreateCluster,
    CreateService,
    Plan,
    PrepareCluster,
    RegisterRevision,
    RemoveScaling,
    ReturnTraffic,
    RunOneOff,
    SetCount,
    Step,
    TakeOver,
    UpdateService,
    UseRevision,
)
from fsd.plan.transition import output_value, transition_template
from fsd.plan.unnamed import find_kept_version
from fsd.snapshot import ServiceState

FIRST_REVISION = (Change(what="first revision"),)


def plan_release(desired: Desired, observed: Observed) -> Plan:
    """Order the steps that turn what is observed into what is desired."""
    stray = () if observed.in_flight else tuple(_stray_steps(desired, observed))
    if stray:
        weights = {arn: 100 if arn == stray[0].group else 0 for arn in observed.weights}
        observed = replace(observed, weights=weights)
    desired = as_served(_as_scaled(desired, observed), observed)
    revision = _revision_step(desired, observed)
    counts = plan_counts(desired, observed)
    service = [*_service_steps(desired, observed, counts, revision_changes=revision is not None)]
    attach_to = _deployment_to_attach(observed, service)
    is_update = any(isinstance(step, UpdateService) and step.rolls_out for step in service)
    strategy = tuple(strategy_steps(desired, observed))
    steps: list[Step] = [
        *stray,
        *cluster_steps(desired, observed),
        *shared_steps(desired, observed),
        *stack_steps(desired, observed, has_old_tasks=is_update or bool(attach_to)),
        *([revision] if revision else []),
        *before_steps(desired, observed, revision, is_released=_rolls_out(service)),
        *(step for step in strategy if not step.is_after),
        *service,
        *(step for step in strategy if step.is_after),
        *_adoption_steps(desired, observed),
        *_scaling_steps(desired, observed, counts),
        *_after_steps(desired, service),
    ]
    return Plan(
        name=desired.name,
        account=observed.account,
        region=observed.region,
        steps=tuple(steps),
        count=Count(before=counts.before, after=counts.after),
        attach_to=attach_to,
        notes=(*_warnings(desired, observed), *count_notes(desired, observed)),
        effects=find_effects(desired, observed, steps, counts=counts),
    )


def _stray_steps(desired: Desired, observed: Observed) -> Iterator[ReturnTraffic]:
    """Where the rule sends requests to a target group that is empty: before anything else."""
    group = find_stray(observed.weights, observed.healthy)
    if group and observed.stack is not None:
        (empty,) = observed.weights.keys() - {group}
        named = [arn.split(":")[-1].split("/")[1] for arn in (empty, group)]
        remark = BareRemark.ALL_REQUESTS
        changes = (Change(what="traffic", before=named[0], after=named[1], remark=remark),)
        yield ReturnTraffic(stack=desired.stack_name, group=group, changes=changes)


def _adoption_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    service = find_foreign(observed, family=desired.family)
    if service is not None:
        changes = adoption_changes(desired, observed)
        yield TakeOver(name=desired.name, arn=service.arn, changes=changes)


def _as_scaled(desired: Desired, observed: Observed) -> Desired:
    """With the bounds that a schedule has set, and the load balancer whose requests count."""
    scaling = desired.scaling
    if scaling is None:
        return desired
    if observed.scaling is not None:
        now = (observed.scaling.minimum, observed.scaling.maximum)
        scaling = with_scheduled_bounds(scaling, now)
    if observed.stack is not None:
        scaling = with_label(scaling, observed.stack.outputs)
    return replace(desired, scaling=scaling)


def before_steps(
    desired: Desired,
    observed: Observed,
    revision: RegisterRevision | UseRevision | None,
    *,
    is_released: bool,
) -> Iterator[Step]:
    """Once for a revision: what succeeded for it is not done again."""
    if desired.before is None or not is_released:
        return
    if isinstance(revision, RegisterRevision):
        known = None
    else:
        known = observed.latest if revision is not None else observed.running
    if known is None or BEFORE_TAG not in known.tags:
        yield RunOneOff(key="beforeDeploy", one_off=desired.before)


def _after_steps(desired: Desired, service: Sequence[Step]) -> Iterator[Step]:
    if desired.after is not None and _rolls_out(service):
        yield RunOneOff(key="afterDeploy", one_off=desired.after)


def _rolls_out(steps: Sequence[Step]) -> bool:
    return any(
        isinstance(step, CreateService) or (isinstance(step, UpdateService) and step.rolls_out)
        for step in steps
    )


def _warnings(desired: Desired, observed: Observed) -> Iterator[PlanNote]:
    kept = find_kept_version(desired, observed)
    if kept is not None:
        yield VersionKept(version=kept)
    yield from adoption_notes(desired, observed)
    # The health check belongs to the target group: it judges old and new tasks alike.
    # Where traffic shifts, the new tasks are asked in a target group of their own.
    stack = observed.stack
    is_in_place = rolls_in_place(desired, observed)
    if is_in_place:
        strategy = desired.service.deployment_configuration.get("strategy")
        yield ShiftsLater(strategy=str(strategy))
    shifts = desired.service.shifts_traffic and not is_in_place
    if stack is None or observed.running is None or shifts:
        return
    for moved in find_moved_checks(stack.template, desired.template):
        yield HealthCheckMoves(moved=moved)


def cluster_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    if not observed.cluster_exists:
        yield CreateCluster(name=desired.service.cluster)
    wanted = desired.service
    namespace = wanted.cluster if wanted.connect and not observed.namespace else ""
    providers = {str(entry["capacityProvider"]) for entry in wanted.capacity}
    missing = tuple(sorted(providers - observed.capacity_providers))
    if namespace or missing:
        yield PrepareCluster(name=wanted.cluster, namespace=namespace, providers=missing)


def shared_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """Before the service's stack, which imports what this one exports."""
    if desired.shared is None:
        return
    before = observed.shared.template if observed.shared else {}
    changes = diff_templates(before, merged_template(desired.shared, before))
    if changes:
        yield ApplyShared(
            name=desired.shared.stack_name,
            shared=desired.shared,
            changes=changes,
            sign=Sign.CHANGE if before else Sign.ADD,
        )


def stack_steps(desired: Desired, observed: Observed, *, has_old_tasks: bool) -> Iterator[Step]:
    """What the stack needs, and once the old tasks are gone what it needs no more."""
    name, wanted = desired.stack_name, desired.template
    if observed.stack is None:
        changes = diff_templates({}, wanted)
        security = diff_security({}, wanted)
        yield ApplyStack(
            name=name, template=wanted, changes=changes, sign=Sign.ADD, security=security
        )
        return
    stack, actual = observed.stack, observed.stack.actual
    both = wanted
    if has_old_tasks:
        both = keep_serving_check(transition_template(actual, wanted), desired, observed)
    changes = _stack_changes(desired, stack, both)
    if changes:
        template = observed.remembering(both) if has_old_tasks else both
        yield ApplyStack(
            name=name,
            template=template,
            changes=changes,
            sign=Sign.CHANGE,
            security=diff_security(actual, both),
            properties=diff_properties(actual, both),
            actual=with_previous(actual, stack.previous) if stack.lacks else None,
        )
    ended = diff_templates(both, wanted)
    if ended:
        yield ApplyStack(
            name=name,
            template=wanted,
            changes=ended,
            sign=Sign.REMOVE,
            security=diff_security(both, wanted),
            properties=diff_properties(both, wanted),
            cleans_up=True,
        )


def _stack_changes(desired: Desired, stack: ObservedStack, template: Json) -> tuple[Change, ...]:
    lacks = {lack.resource: lack.remark for lack in stack.lacks}
    changes = tuple(
        change
        if change.sign in {None, Sign.REMOVE}
        else replace(change, remark=lacks.get(change.what))
        for change in diff_templates(stack.actual, template)
    )
    if dict(stack.tags) != dict(desired.stack_tags):
        return (*changes, Change(what="tags"))
    if not changes and not stack.status.endswith("_COMPLETE"):
        # An earlier run was killed in the middle; applying again waits for its operation.
        return (Change(what=f"({stack.status})"),)
    return changes


def _revision_step(desired: Desired, observed: Observed) -> RegisterRevision | UseRevision | None:
    wanted = desired.task_definition
    running, latest = observed.running, observed.latest
    changes = diff_task_definitions(running.definition, wanted) if running else FIRST_REVISION
    if find_kept_version(desired, observed) is not None:
        return None
    if observed.service is not None and not changes:
        return None
    if latest and not diff_task_definitions(latest.definition, wanted):
        return UseRevision(arn=latest.arn, changes=changes)
    return RegisterRevision(
        family=desired.family,
        definition=wanted,
        changes=changes,
        sign=Sign.CHANGE if running else Sign.ADD,
    )


def _service_steps(
    desired: Desired, observed: Observed, counts: PlannedCount, *, revision_changes: bool
) -> Iterator[Step]:
    service = observed.service
    if service is None:
        yield CreateService(name=desired.name, desired_count=desired.service.desired_count)
        return
    network = _network_changes(desired, observed, service)
    tasks, also = _task_changes(desired, service), _also(desired, service)
    is_in_place = rolls_in_place(desired, observed)
    settings = _setting_changes(desired, service, counts)
    again = _again(observed, counts)
    force = bool(again or tasks) and not revision_changes and not network
    if revision_changes or network or settings or force or tasks:
        changes = (*network, *tasks, *settings, *(again if force else ()))
        yield UpdateService(
            name=desired.name,
            changes=changes,
            rolls_out=revision_changes or bool(network) or force,
            count=counts.at_update,
            force=force,
            ends=_ended(desired, service, is_in_place=is_in_place),
            also=also,
            in_place=is_in_place,
            first_group=next(iter(service.target_group_arns), ""),
        )


def _ended(desired: Desired, service: ServiceState, *, is_in_place: bool = False) -> Json:
    wanted = desired.service.deployment_configuration
    wanted = in_place(wanted) if is_in_place else wanted
    return ended_settings(service.deployment_configuration, wanted)


def _again(observed: Observed, counts: PlannedCount) -> tuple[Change, ...]:
    """Why the service's own revision is rolled out once more; () where that is not needed.

    Its rollout failed. Or nothing has proved it: its tasks would start without a deployment, and
    nothing would judge them.
    """
    if observed.last_try_failed:
        return (Change(what="again"),)
    requested = counts.before if counts.at_update is None else counts.at_update
    if not observed.is_unproved or requested == 0 or observed.in_flight is not None:
        return ()  # what is in flight is judged: a run that died has left it
    return (Change(what="again", remark=BareRemark.UNPROVED),)


def _network_changes(
    desired: Desired, observed: Observed, service: ServiceState
) -> tuple[Change, ...]:
    changes: list[Change] = []
    if set(service.subnets) != set(desired.service.subnets):
        changes.append(Change(what="subnets", remark=BareRemark.CHANGED))
    if service.assign_public_ip != desired.service.assign_public_ip:
        before, after = (
            "yes" if one else "no"
            for one in (service.assign_public_ip, desired.service.assign_public_ip)
        )
        changes.append(Change(what="public address", before=before, after=after))
    changes += _security_group_changes(desired, observed.stack, service)
    changes += attachment_changes(desired, observed.stack, service)
    if _connect(desired) != connect_words(service.connect):
        before, after = connect_words(service.connect), _connect(desired)
        changes.append(Change(what="Service Connect", before=before or "off", after=after or "off"))
    return tuple(changes)


def _connect(desired: Desired) -> str:
    return connect_words(desired.service.connect)


def _also(desired: Desired, service: ServiceState) -> Json:
    """Parameters that ECS takes as a wish for something else wherever they stand."""
    also: Json = {}
    if _connect(desired) != connect_words(service.connect):
        also |= changed_connect(desired.service)
    if capacity_words(desired.service.capacity) != capacity_words(service.capacity):
        also |= changed_capacity(desired.service)
    return also


def _security_group_changes(
    desired: Desired, stack: ObservedStack | None, service: ServiceState
) -> tuple[Change, ...]:
    """The tasks get the stack's and the manifest's, whatever somebody has given them since."""
    wanted = set(desired.service.security_groups)
    if desired.service.has_own_group:
        if stack is None or stack.is_made_anew(OUTPUT_TASK_SECURITY_GROUP):
            return (Change(what="security groups", remark=BareRemark.REPLACED),)
        before, after = (
            output_value(template, OUTPUT_TASK_SECURITY_GROUP)
            for template in (stack.template, desired.template)
        )
        if before is None and after is not None:
            return (Change(what="security groups", remark=BareRemark.OWN_GROUP_ADDED),)
        own = stack.outputs.get(OUTPUT_TASK_SECURITY_GROUP)
        wanted |= {str(own)} if own is not None else set(service.security_groups)
    if set(service.security_groups) == wanted:
        return ()
    had = " ".join(sorted(service.security_groups)) or None
    return (Change(what="security groups", before=had, after=" ".join(sorted(wanted))),)


def _task_changes(desired: Desired, service: ServiceState) -> tuple[Change, ...]:
    """A task keeps what it was started with: another setting needs new tasks.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
    """
    wanted = desired.service
    found = (
        ("exec", *("on" if one.exec else "off" for one in (service, wanted))),
        ("capacity", capacity_words(service.capacity), capacity_words(wanted.capacity)),
    )
    return tuple(
        Change(what=what, before=before, after=after)
        for what, before, after in found
        if before != after
    )


def _setting_changes(
    desired: Desired, service: ServiceState, counts: PlannedCount
) -> tuple[Change, ...]:
    """What ECS applies without a deployment."""
    changes: list[Change] = []
    wanted = desired.service
    if counts.at_update is not None:
        changes += count_changes(service.desired, counts.at_update)
    if wanted.grace_period is not None and (service.grace_period or 0) != wanted.grace_period:
        before, after = f"{service.grace_period or 0} s", f"{wanted.grace_period} s"
        changes.append(Change(what="grace period", before=before, after=after))
    if moves_strategy(desired, service):
        return tuple(changes)  # a step of its own says all of it
    before, after = (
        str(one.get("strategy", "ROLLING"))
        for one in (service.deployment_configuration, wanted.deployment_configuration)
    )
    if before != after:
        return (*changes, Change(what="strategy", before=before, after=after))
    said = {k: v for k, v in wanted.deployment_configuration.items() if k != "lifecycleHooks"}
    is_covered = _covers(service.deployment_configuration, said)
    if not is_covered or _ended(desired, service):
        changes.append(Change(what="deployment configuration", remark=BareRemark.CHANGED))
    return tuple(changes)


def _covers(actual: object, wanted: object) -> bool:
    """Whether everything that is wanted is there; AWS adds defaults of its own."""
    if isinstance(wanted, dict) and isinstance(actual, dict):
        return all(_covers(actual.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list | tuple) and isinstance(actual, list | tuple):
        return list(wanted) == list(actual)
    return wanted == actual


def _scaling_steps(desired: Desired, observed: Observed, counts: PlannedCount) -> Iterator[Step]:
    if desired.scaling is None:
        if observed.scaling is not None and observed.scaling_is_ours:
            yield RemoveScaling(kept_for=observed.other_policies)
        if counts.unscaled is not None:
            changes = count_changes(counts.before or 0, counts.unscaled)
            yield SetCount(name=desired.name, count=counts.unscaled, changes=changes)
        return
    changes = diff_scaling(observed.scaling, desired.scaling)
    if changes:
        changes = (*changes, *counts.clamped)
        sign = Sign.CHANGE if observed.scaling else Sign.ADD
        before = observed.scaling.schedules if observed.scaling else ()
        wanted = {one.name for one in desired.scaling.schedules}
        yield ApplyScaling(
            scaling=desired.scaling,
            changes=changes,
            sign=sign,
            ended_schedules=tuple(one.name for one in before if one.name not in wanted),
        )


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
