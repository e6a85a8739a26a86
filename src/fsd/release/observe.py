"""Everything that a plan needs to know of AWS, read into one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from fsd.compile.desired import OUTPUT_TARGET_GROUP, Desired, Json
from fsd.plan.known_template import STACK_TAG, is_recorded, record_template
from fsd.plan.observed import Observed, ObservedRevision, ObservedSchedule, ObservedStack
from fsd.plan.previous_stack import split_previous, still_needed
from fsd.plan.reality import MissingResource, find_lacks
from fsd.plan.verdict import is_unproved
from fsd.release.healthy import read_groups
from fsd.release.ledger import DEPLOYMENTS_READ
from fsd.release.ports import (
    Aws,
    KnownTemplate,
    PermissionDenied,
    ScalingState,
    ServiceRead,
    Stack,
    TaskDefinition,
)
from fsd.release.proof import last_proved
from fsd.snapshot import DeploymentStatus, ServiceDeployment, ServiceState, TargetHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlace:
    """Where a service is on AWS, which is known before its image and its network are."""

    cluster: str
    name: str  # of the service
    family: str  # of its task definitions
    stack_name: str
    is_scaled: bool  # the manifest has auto scaling
    shared_stack: str = ""  # of a load balancer that it has with others
    uses_cluster: bool = False  # its namespace, or its capacity providers
    schedule: str = ""  # of a Job, which has no service
    old_schedule: str = ""  # ARN of what the Job's own schedule takes over from


def place_of(desired: Desired) -> ServicePlace:
    return ServicePlace(
        cluster=desired.service.cluster,
        name=desired.name,
        family=desired.family,
        stack_name=desired.stack_name,
        is_scaled=desired.scaling is not None,
        shared_stack=desired.shared.stack_name if desired.shared else "",
        uses_cluster=desired.service.connect is not None or bool(desired.service.capacity),
        schedule=desired.schedule.name if desired.schedule else "",
        old_schedule=desired.schedule.takes_over if desired.schedule else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHand:
    """What need not be read."""

    service: ServiceRead | None = None  # as this run has read it already
    template: Callable[[], Json] | None = None  # the stack's, as it is wanted now


def observe(
    aws: Aws, place: ServicePlace, *, lists: bool = False, at_hand: AtHand = AtHand()
) -> Observed:
    """What a plan needs to know of a service, or of a Job.

    `lists`: the deployments of the service are listed in any case. A run does so where ECS's list
    has shown one that the service did not.
    """
    if place.schedule:
        return _observe_job(aws, place)
    read = at_hand.service
    is_it = read is not None and (read.cluster, read.name) == (place.cluster, place.name)
    if lists or not is_it:
        at_hand = replace(at_hand, service=None)
    return _observe_service(aws, place, lists=lists, at_hand=at_hand)


def _observe_job(aws: Aws, place: ServicePlace) -> Observed:
    ecs, start = aws.ecs, aws.reads.start
    found_schedule = start(lambda: aws.schedules.find(place.schedule))
    found_old = start(
        lambda: aws.schedules.find_old(place.old_schedule) if place.old_schedule else None
    )
    found_stack = start(lambda: aws.stacks.find(place.stack_name))
    found_cluster = start(lambda: ecs.find_cluster(place.cluster))
    newest_revision = start(lambda: _observed(ecs.find_newest_revision(place.name)))
    schedule, latest = found_schedule(), newest_revision()
    running = _running(aws, schedule.task_definition_arn if schedule else "", latest)
    stack, cluster = found_stack(), found_cluster()
    return Observed(
        account=aws.identity.account,
        region=aws.identity.region,
        cluster_exists=cluster is not None,
        stack=_stack(stack, (), _lacks(aws, stack, None, ())) if stack else None,
        service=None,
        running=running,
        latest=latest or running,
        scaling=None,
        in_flight=None,
        last_deployment=None,
        last_successful=None,
        capacity_providers=cluster.capacity_providers if cluster else frozenset(),
        schedule=ObservedSchedule(
            name=schedule.name,
            parameters=schedule.parameters,
            task_definition_arn=schedule.task_definition_arn,
            changed_at=schedule.changed_at,
        )
        if schedule
        else None,
        old_schedule=found_old(),
    )


def _observe_service(aws: Aws, place: ServicePlace, *, lists: bool, at_hand: AtHand) -> Observed:
    """Read the cluster, stack, service, revisions, scaling and deployments of one service.

    What does not depend on another answer is read at the same time. The deployments are listed
    where DescribeServices does not say all that a plan needs of them: it does of a service at rest.
    """
    ecs, start, cluster, name = aws.ecs, aws.reads.start, place.cluster, place.name
    newest_revision = start(lambda: _observed(ecs.find_newest_revision(place.family)))
    known = _known_template(newest_revision, at_hand.template)
    found_stack = start(lambda: aws.stacks.find(place.stack_name, known=known))
    found_shared = start(
        lambda: aws.stacks.find(place.shared_stack) if place.shared_stack else None
    )
    scaled = start(lambda: _scaling(aws, place))
    # The service is not older than the list: what begins later is not among the known deployments.
    listed = _list(aws, place) if lists else None
    read = at_hand.service
    service = read.service if read else ecs.find_service(cluster, name)
    if service and listed is None and _last_of(service) is None:
        listed, service = _list(aws, place), ecs.find_service(cluster, name)
    found = ecs.find_cluster(cluster) if place.uses_cluster or service is None else None
    exists = service is not None or found is not None
    find_groups = start(lambda: _groups(aws, service))
    find_weights = start(lambda: _weights(aws, service))
    latest = newest_revision()
    running = _running(aws, service.task_definition_arn if service else "", latest)
    stack = found_stack()
    if service and listed is None:
        if _has_a_past(running, stack):
            return _observe_service(aws, place, lists=True, at_hand=AtHand())
        listed = _told_by(service)
    deployments = listed.deployments if listed else ()
    groups, (weights, unread) = find_groups(), find_weights()
    targets = None if groups is None else tuple(t for found in groups.values() for t in found)
    lacks = _lacks(aws, stack, service, targets) if stack else ()
    scaling, others = scaled() if exists else (None, ())  # it may outlive the cluster
    newest = deployments[0] if deployments else None
    return Observed(
        account=aws.identity.account,
        region=aws.identity.region,
        cluster_exists=exists,
        stack=_stack(stack, deployments, lacks) if stack else None,
        service=service,
        running=running,
        latest=latest,
        scaling=scaling.scaling if scaling else None,
        scaling_is_ours=bool(scaling and scaling.policy_names),
        other_policies=others,
        in_flight=newest if newest and not newest.status.is_final else None,
        last_deployment=newest,
        last_successful=last_proved(ecs, deployments, known=(running, latest)),
        known_deployments=frozenset(listed.arns if listed else ()),
        namespace=found.namespace if found else "",
        capacity_providers=found.capacity_providers if found else frozenset(),
        targets=targets,
        healthy=_healthy(groups),
        weights=weights,
        weights_unread=unread,
        shared=_shared(found_shared()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """The deployments of a service, newest first; those of them that are known."""

    arns: Sequence[str]
    deployments: Sequence[ServiceDeployment]


def _list(aws: Aws, place: ServicePlace) -> _Listed:
    found = aws.ecs.newest_deployments(place.cluster, place.name, limit=DEPLOYMENTS_READ)
    arns, deployments = found
    return _Listed(arns=arns, deployments=deployments)


def _last_of(service: ServiceState) -> ServiceDeployment | None:
    """The last deployment, where DescribeServices alone says that it is over, and that what serves
    now is good: after a rollback too. None where the list of deployments has to say it.

    With a bake time, an early success or a traffic shift the service's own view is ahead of its
    deployment's.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
    """
    only, settings = service.primary, service.deployment_configuration
    is_rolling = settings.get("strategy", "ROLLING") == "ROLLING"
    is_plain = is_rolling and not service.alarms and not settings.get("earlySuccessCriteria")
    is_over = (
        is_plain
        and service.status == "ACTIVE"
        and service.controller in {"", "ECS"}
        and len(service.deployments) == 1
        and bool(service.current_deployment_arn)
    )
    if not is_over or only is None or only.created_at is None:
        return None
    is_good = only.rollout_state == "COMPLETED"
    if not is_good or only.task_definition_arn != service.task_definition_arn:
        return None
    return ServiceDeployment(
        arn=service.current_deployment_arn,
        status=DeploymentStatus.SUCCESSFUL,
        task_definition_arn=only.task_definition_arn,
        created_at=only.created_at,
    )


def _told_by(service: ServiceState) -> _Listed:
    """A role that may not list deployments gets the primary one's id in place of its ARN."""
    last, primary = _last_of(service), service.primary
    names = [name for name in (last and last.arn, primary and primary.id) if name]
    return _Listed(arns=names, deployments=[last] if last else [])


def _has_a_past(running: ObservedRevision | None, stack: Stack | None) -> bool:
    """Whether it counts how earlier deployments ended: what runs was not proved, or a run died."""
    if running is None or is_unproved(running.tags):
        return True
    return stack is not None and split_previous(stack.template)[1] is not None


def _running(aws: Aws, arn: str, latest: ObservedRevision | None) -> ObservedRevision | None:
    """Most often it is the newest one, which was read already."""
    if latest is not None and latest.arn == arn:
        return latest
    return _observed(aws.ecs.find_task_definition(arn)) if arn else None


def _groups(aws: Aws, service: ServiceState | None) -> Mapping[str, Sequence[TargetHealth]] | None:
    """None where the role may not look."""
    try:
        return read_groups(aws, service) if service else {}
    except PermissionDenied:
        return None


def _healthy(groups: Mapping[str, Sequence[TargetHealth]] | None) -> Mapping[str, int]:
    return {
        arn: sum(target.state == "healthy" for target in targets)
        for arn, targets in (groups or {}).items()
    }


def _weights(
    aws: Aws, service: ServiceState | None
) -> tuple[Mapping[str, int], PermissionDenied | None]:
    """What the rule says that ECS changes, or why the role may not look. Raises CallFailedError:
    no answer does not mean that the first target group serves."""
    if service is None or not service.production_rule:
        return {}, None
    try:
        return aws.targets.weights(service.production_rule), None
    except PermissionDenied as error:
        return {}, error


def _known_template(
    newest_revision: Callable[[], ObservedRevision | None], wanted: Callable[[], Json] | None
) -> KnownTemplate:
    """Whichever revision has the record, and whatever runs: it is true of the stack."""

    def find(change: str) -> Json | None:
        latest = newest_revision()
        record = latest.tags.get(STACK_TAG, "") if latest else ""
        if wanted is None or not is_recorded(record, change):
            return None
        template = wanted()
        return template if record_template(change, template) == record else None

    return find


def _scaling(aws: Aws, place: ServicePlace) -> tuple[ScalingState | None, tuple[str, ...]]:
    found = aws.scaling.find(place.cluster, place.name)
    if found is not None and place.is_scaled:
        schedules = aws.scaling.find_schedules(place.cluster, place.name)
        found = replace(found, scaling=replace(found.scaling, schedules=schedules))
    return found, _others(aws, place, found)


def _others(aws: Aws, place: ServicePlace, scaling: ScalingState | None) -> tuple[str, ...]:
    """What scales the service and is not FSD's. Scheduled actions are read where they matter: where
    the target would go, and they with it."""
    if scaling is None:
        return ()
    if place.is_scaled or not scaling.policy_names:
        return scaling.other_names
    return (
        *scaling.other_names,
        *aws.scaling.scheduled_actions(place.cluster, place.name),
    )


def _lacks(
    aws: Aws,
    stack: Stack,
    service: ServiceState | None,
    targets: Sequence[TargetHealth] | None,
) -> tuple[MissingResource, ...]:
    groups = (stack.outputs.get(OUTPUT_TARGET_GROUP, ""),)
    is_its = service is not None and service.target_group_arns == groups
    seen = aws.reality.look(stack, targets=(targets or ()) if is_its else ())
    return find_lacks(split_previous(stack.template)[0], seen)


def _shared(stack: Stack | None) -> ObservedStack | None:
    """Others' tasks depend on it too: what it lacks is repaired for none of them alone."""
    if stack is None:
        return None
    return ObservedStack(
        status=stack.status, template=stack.template, tags=stack.tags, outputs=stack.outputs
    )


def _stack(
    stack: Stack, deployments: Sequence[ServiceDeployment], lacks: tuple[MissingResource, ...]
) -> ObservedStack:
    template, previous = split_previous(stack.template)
    return ObservedStack(
        status=stack.status,
        template=template,
        tags=stack.tags,
        outputs=stack.outputs,
        lacks=lacks,
        previous=still_needed(previous, deployments),
        record=record_template(stack.change, stack.template),
    )


def _observed(found: TaskDefinition | None) -> ObservedRevision | None:
    if found is None:
        return None
    return ObservedRevision(
        arn=found.arn,
        definition=found.definition,
        tags=found.tags,
        registered_at=found.registered_at,
    )
