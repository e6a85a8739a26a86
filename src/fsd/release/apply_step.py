"""Carry out a plan's steps, one `match`. Some wait for the verdict: see `split_plan`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import assert_never

from fsd.compile.desired import Desired, Json
from fsd.compile.scaling import with_label
from fsd.compile.schedule import schedule_parameters
from fsd.compile.service import (
    changed_configuration,
    create_parameters,
    in_place,
    update_parameters,
)
from fsd.compile.shared import merged_template
from fsd.plan.known_template import STACK_TAG, record_template
from fsd.plan.steps import (
    ApplyScaling,
    ApplyShared,
    ApplyStack,
    CreateCluster,
    CreateService,
    Plan,
    PrepareCluster,
    PutSchedule,
    RegisterRevision,
    RemoveScaling,
    ReturnTraffic,
    RunOneOff,
    SetCount,
    SetStrategy,
    Step,
    TakeOver,
    UpdateService,
    UseRevision,
)
from fsd.release.hand_over import hand_over
from fsd.release.notes import Undeleted
from fsd.release.ports import Aws, TaskDefinition
from fsd.release.stack_change import find_undeleted
from fsd.snapshot import ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What the steps left behind for the ones after them."""

    outputs: Mapping[str, str]
    task_definition_arn: str
    registered: TaskDefinition | None = None  # by this run
    stack_record: str = ""  # of its last change, for `fsd.plan.known_template`
    run_one_off: Callable[[RunOneOff, Applied], None] = lambda *_: None
    wait_until_quiet: Callable[[], None] = lambda: None  # until no run of a Job is due
    service: ServiceState | None = None  # as ECS answered when it was asked for the rollout
    undeleted: Undeleted | None = None  # what the stack's last change could not remove


def apply_step(step: Step, applied: Applied, *, desired: Desired, aws: Aws) -> Applied:
    """Carry out one step; what it left behind comes on top of `applied`. Raises CallFailedError."""
    match step:
        case CreateCluster() | PrepareCluster():
            _apply_cluster(step, desired=desired, aws=aws)
        case ApplyShared() | ReturnTraffic():
            _apply_balancer(step, aws)
        case ApplyStack():
            if step.actual is not None:
                aws.stacks.apply(step.name, template=step.actual, tags=dict(desired.stack_tags))
            stack = aws.stacks.apply(
                step.name, template=step.template, tags=dict(desired.stack_tags)
            )
            undeleted = find_undeleted(stack)
            record = record_template(stack.change, stack.template)
            return replace(applied, outputs=stack.outputs, undeleted=undeleted, stack_record=record)
        case RegisterRevision():
            known = {STACK_TAG: applied.stack_record} if applied.stack_record else {}
            tags = {**desired.task_definition_tags, **known}
            registered = aws.ecs.register(step.definition, tags=tags)
            return replace(applied, task_definition_arn=registered.arn, registered=registered)
        case UseRevision():
            return replace(applied, task_definition_arn=step.arn)
        case RunOneOff():
            applied.run_one_off(step, applied)
        case CreateService() | UpdateService() | SetStrategy() | PutSchedule():
            answer = _release(step, applied, desired=desired, aws=aws)
            return replace(applied, service=answer)
        case TakeOver() | ApplyScaling() | RemoveScaling() | SetCount():
            _apply_late(step, applied, desired=desired, aws=aws)
        case _:
            assert_never(step)
    return applied


def _release(
    step: CreateService | UpdateService | SetStrategy | PutSchedule,
    applied: Applied,
    *,
    desired: Desired,
    aws: Aws,
) -> ServiceState | None:
    arn = applied.task_definition_arn
    match step:
        case CreateService():
            token = uuid.uuid4().hex[:32]
            return aws.ecs.create_service(
                create_parameters(
                    desired, outputs=applied.outputs, task_definition_arn=arn, client_token=token
                )
            )
        case UpdateService():
            return aws.ecs.update_service(_update_input(step, applied, desired))
        case SetStrategy():
            said = {"cluster": desired.service.cluster, "service": desired.name}
            return aws.ecs.update_service({**said, "deploymentConfiguration": step.configuration})
        case PutSchedule():
            parameters = schedule_parameters(
                desired, outputs=applied.outputs, task_definition_arn=arn
            )
            if step.takes_over is None:
                aws.schedules.put(parameters)
            else:
                hand_over(
                    step.takes_over,
                    parameters,
                    aws.schedules,
                    wait_until_quiet=applied.wait_until_quiet,
                )
            return None
        case _:
            assert_never(step)


def _apply_cluster(step: CreateCluster | PrepareCluster, *, desired: Desired, aws: Aws) -> None:
    if isinstance(step, PrepareCluster):
        aws.ecs.prepare_cluster(step.name, namespace=step.namespace, providers=step.providers)
        return
    tags = {"fsd:environment": desired.environment, "fsd:created-by": "deploy"}
    aws.ecs.create_cluster(step.name, tags=tags)


def _apply_balancer(step: ApplyShared | ReturnTraffic, aws: Aws) -> None:
    """On top of what others have set by now: their deployments may have ended since the plan."""
    if isinstance(step, ReturnTraffic):
        aws.stacks.return_traffic(step.stack, group=step.group)
        return
    aws.stacks.merge(
        step.name, make=partial(merged_template, step.shared), tags=dict(step.shared.tags)
    )


def _apply_late(
    step: TakeOver | ApplyScaling | RemoveScaling | SetCount,
    applied: Applied,
    *,
    desired: Desired,
    aws: Aws,
) -> None:
    cluster = desired.service.cluster
    match step:
        case TakeOver():
            aws.ecs.tag_service(step.arn, tags=desired.service.tags)
        case ApplyScaling():
            wanted = with_label(step.scaling, applied.outputs)
            aws.scaling.apply(cluster, desired.name, wanted)
            aws.scaling.end_schedules(cluster, desired.name, step.ended_schedules)
        case RemoveScaling(kept_for=()):
            aws.scaling.remove(cluster, desired.name)
        case RemoveScaling():
            aws.scaling.end_policies(cluster, desired.name)
        case SetCount():
            aws.ecs.update_service(
                {"cluster": cluster, "service": desired.name, "desiredCount": step.count}
            )
        case _:
            assert_never(step)


def tasks_after(step: Step, applied: Applied, *, desired: Desired, now: int) -> int:
    """The service's desired count once this step is done; `now` is what it is before."""
    if isinstance(step, CreateService):
        return desired.service.desired_count
    if isinstance(step, UpdateService):
        return int(str(_update_input(step, applied, desired).get("desiredCount", now)))
    return now


def _update_input(step: UpdateService, applied: Applied, desired: Desired) -> Json:
    parameters = update_parameters(
        desired,
        outputs=applied.outputs,
        task_definition_arn=applied.task_definition_arn,
        ends=step.ends,
        also=step.also,
        first_group=step.first_group,
    )
    if step.in_place:
        parameters["deploymentConfiguration"] = changed_configuration(
            in_place(desired.service.deployment_configuration), step.ends
        )
    if step.force:
        parameters["forceNewDeployment"] = True
    if step.count is not None:
        parameters["desiredCount"] = step.count
    return parameters


def split_plan(plan: Plan) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """(before the rollout, after it succeeded).

    Registering a target clamps the running count at once, and a failed release must leave the
    limits as they were, so scaling waits for the verdict.
    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html

    `afterDeploy` comes first after it: of all this, only a release asks for it, so that no later
    one would make up for it. The stack's clean-up is the last: nothing depends on it.
    """
    late = TakeOver | ApplyScaling | RemoveScaling | SetCount
    scaling = tuple(s for s in plan.steps if isinstance(s, late))
    tasks = tuple(s for s in plan.steps if isinstance(s, RunOneOff) and s.is_after)
    after = (
        *tasks,
        *scaling,
        *(s for s in plan.steps if isinstance(s, SetStrategy) and s.is_after),
        *(s for s in plan.steps if isinstance(s, ApplyStack) and s.cleans_up),
    )
    return tuple(s for s in plan.steps if s not in after), after
