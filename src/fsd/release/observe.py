"""Everything that a plan needs to know of AWS, read into one frozen value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fsd.compile.desired import Desired
from fsd.plan.memory import split_memory, still_needed
from fsd.plan.observed import Observed, ObservedRevision, ObservedSchedule, ObservedStack
from fsd.plan.reality import find_lacks
from fsd.release.ledger import DEPLOYMENTS_READ
from fsd.release.ports import Aws, Reality, ScalingState, Stack
from fsd.release.proof import last_proved
from fsd.snapshot import ServiceDeployment


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlace:
    """Where a service is on AWS, which is known before its image and its network are."""

    cluster: str
    name: str  # of the service and of the family
    stack_name: str
    is_scaled: bool  # the manifest has auto scaling
    uses_cluster: bool = False  # its namespace, or its capacity providers
    schedule: str = ""  # of a Job, which has no service


def place_of(desired: Desired) -> ServicePlace:
    return ServicePlace(
        cluster=desired.service.cluster,
        name=desired.name,
        stack_name=desired.stack_name,
        is_scaled=desired.scaling is not None,
        uses_cluster=desired.service.connect is not None or bool(desired.service.capacity),
        schedule=desired.schedule.name if desired.schedule else "",
    )


def observe(aws: Aws, place: ServicePlace) -> Observed:
    """What a plan needs to know of a service, or of a Job."""
    return _observe_job(aws, place) if place.schedule else _observe_service(aws, place)


def _observe_job(aws: Aws, place: ServicePlace) -> Observed:
    ecs, start = aws.ecs, aws.reads.start
    found_schedule = start(lambda: aws.schedules.find(place.schedule))
    found_stack = start(lambda: aws.stacks.find(place.stack_name))
    found_cluster = start(lambda: ecs.find_cluster(place.cluster))
    newest_revision = start(lambda: next(iter(ecs.list_task_definitions(place.name)), None))
    schedule = found_schedule()
    running_arn = schedule.task_definition_arn if schedule else ""
    read_running = start(lambda: _revision(aws, running_arn))
    latest_arn = newest_revision()
    latest = _revision(aws, latest_arn) if latest_arn != running_arn else None
    running, stack, cluster = read_running(), found_stack(), found_cluster()
    return Observed(
        account=aws.identity.account,
        region=aws.identity.region,
        cluster_exists=cluster is not None,
        stack=_stack(stack, (), aws.reality) if stack else None,
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
    )


def _observe_service(aws: Aws, place: ServicePlace) -> Observed:
    """Read the cluster, stack, service, revisions, scaling and deployments of one service.

    What does not depend on another answer is read at the same time, but for the service: it must
    not be older than the list of deployments. One that begins while the rest is read is then not
    among the known ones, and is noticed before anything is asked of ECS.
    """
    ecs, start, cluster, name = aws.ecs, aws.reads.start, place.cluster, place.name
    listed = start(lambda: ecs.newest_deployments(cluster, name, limit=DEPLOYMENTS_READ))
    at_once = start(lambda: ecs.find_service(cluster, name))
    found_stack = start(lambda: aws.stacks.find(place.stack_name))
    newest_revision = start(lambda: next(iter(ecs.list_task_definitions(name)), None))
    scaled = start(lambda: _scaling(aws, place))
    arns, deployments = listed()
    service = at_once()
    if service is not None and service.current_deployment_arn != next(iter(arns), None):
        service = ecs.find_service(cluster, name)
    found = ecs.find_cluster(cluster) if place.uses_cluster or service is None else None
    exists = service is not None or found is not None
    running_arn = service.task_definition_arn if service else ""
    read_running = start(lambda: _revision(aws, running_arn))
    latest_arn = newest_revision()
    read_latest = start(lambda: _revision(aws, latest_arn)) if latest_arn != running_arn else None
    stack = found_stack()
    observed_stack = _stack(stack, deployments, aws.reality) if stack else None
    running = read_running()
    latest = read_latest() if read_latest else running
    scaling, others = scaled() if exists else (None, ())  # it may outlive the cluster
    newest = deployments[0] if deployments else None
    return Observed(
        account=aws.identity.account,
        region=aws.identity.region,
        cluster_exists=exists,
        stack=observed_stack,
        service=service,
        running=running,
        latest=latest,
        scaling=scaling.scaling if scaling else None,
        scaling_is_ours=bool(scaling and scaling.policy_names),
        other_policies=others,
        in_flight=newest if newest and not newest.status.is_final else None,
        last_deployment=newest,
        last_successful=last_proved(ecs, deployments, known=(running, latest)),
        known_deployments=frozenset(arns),
        namespace=found.namespace if found else "",
        capacity_providers=found.capacity_providers if found else frozenset(),
        used_revisions=frozenset(d.task_definition_arn for d in deployments),
    )


def _scaling(aws: Aws, place: ServicePlace) -> tuple[ScalingState | None, tuple[str, ...]]:
    found = aws.scaling.find(place.cluster, place.name)
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


def _stack(
    stack: Stack, deployments: Sequence[ServiceDeployment], reality: Reality
) -> ObservedStack:
    template, memory = split_memory(stack.template)
    return ObservedStack(
        status=stack.status,
        template=template,
        tags=stack.tags,
        outputs=stack.outputs,
        lacks=find_lacks(template, reality.look(stack)),
        memory=still_needed(memory, deployments),
    )


def _revision(aws: Aws, arn: str | None) -> ObservedRevision | None:
    found = aws.ecs.find_task_definition(arn) if arn else None
    if found is None:
        return None
    return ObservedRevision(
        arn=found.arn,
        definition=found.definition,
        tags=found.tags,
        registered_at=found.registered_at,
    )
