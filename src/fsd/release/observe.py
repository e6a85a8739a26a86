"""Everything that a plan needs to know of AWS, read into one frozen value."""

from __future__ import annotations

from collections.abc import Sequence

from fsd.compile.desired import Desired
from fsd.plan.memory import split_memory, still_needed
from fsd.plan.observed import Observed, ObservedRevision, ObservedStack
from fsd.plan.reality import find_lacks
from fsd.release.ledger import describe_newest
from fsd.release.ports import Aws, Reality, ScalingState, Stack
from fsd.release.proof import last_proved
from fsd.snapshot import ServiceDeployment


def observe(aws: Aws, desired: Desired) -> Observed:
    """Read the cluster, stack, service, revisions, scaling and deployments of one service.

    The deployments are listed first: one that begins while the rest is read is then not among the
    known ones, and is noticed before anything is asked of ECS.
    """
    cluster = desired.service.cluster
    exists = aws.ecs.find_cluster(cluster) is not None
    arns = aws.ecs.service_deployment_arns(cluster, desired.name) if exists else ()
    deployments = describe_newest(aws.ecs, arns)
    service = aws.ecs.find_service(cluster, desired.name) if exists else None
    stack = aws.stacks.find(desired.stack_name)
    newest = deployments[0] if deployments else None
    latest = next(iter(aws.ecs.list_task_definitions(desired.name)), None)
    scaling = aws.scaling.find(cluster, desired.name) if exists else None  # may outlive it
    others = _others(aws, desired, scaling)
    running = _revision(aws, service.task_definition_arn) if service else None
    is_latest = running is not None and running.arn == latest
    return Observed(
        account=aws.identity.account,
        region=aws.identity.region,
        cluster_exists=exists,
        stack=_stack(stack, deployments, aws.reality) if stack else None,
        service=service,
        running=running,
        latest=running if is_latest else _revision(aws, latest) if latest else None,
        scaling=scaling.scaling if scaling else None,
        scaling_is_ours=bool(scaling and scaling.policy_names),
        other_policies=others,
        in_flight=newest if newest and not newest.status.is_final else None,
        last_deployment=newest,
        last_successful=last_proved(aws.ecs, deployments, known=(running,)),
        known_deployments=frozenset(arns),
        used_revisions=frozenset(d.task_definition_arn for d in deployments),
    )


def _others(aws: Aws, desired: Desired, scaling: ScalingState | None) -> tuple[str, ...]:
    """What scales the service and is not FSD's. Scheduled actions are read where they matter: where
    the target would go, and they with it."""
    if scaling is None:
        return ()
    if desired.scaling is not None or not scaling.policy_names:
        return scaling.other_names
    return (
        *scaling.other_names,
        *aws.scaling.scheduled_actions(desired.service.cluster, desired.name),
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


def _revision(aws: Aws, arn: str) -> ObservedRevision | None:
    found = aws.ecs.find_task_definition(arn)
    if found is None:
        return None
    return ObservedRevision(
        arn=found.arn,
        definition=found.definition,
        tags=found.tags,
        registered_at=found.registered_at,
    )
