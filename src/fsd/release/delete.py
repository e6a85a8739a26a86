"""Remove a service and everything that FSD made for it, and nothing that something else uses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from fsd.compile.desired import OUTPUT_TARGET_GROUP, Json
from fsd.errors import CallFailedError
from fsd.manifest import names
from fsd.plan.transition import output_value
from fsd.release.jobs import find_job
from fsd.release.notes import Removal, Removing
from fsd.release.operation import ServiceRef
from fsd.release.ports import Aws, Stack, TaskDefinition
from fsd.release.probe import start_sweep, sweep
from fsd.release.reporter import Reporter
from fsd.snapshot import ServiceState

_GROUP = OUTPUT_TARGET_GROUP

_SHARED = re.compile(r'"Fn::ImportValue": "(fsd-shared-[a-z0-9-]+)-[A-Z][A-Za-z]+"')
# `Export a cannot be deleted as it is in use by b`; the embedded AWS: `… is imported by stack b`
_IN_USE = re.compile(r"(?:in use by|imported by stack) ([A-Za-z0-9-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What was removed and what was left, each as a line."""

    removed: tuple[str, ...]
    kept: tuple[str, ...]


def delete_service(
    aws: Aws, ref: ServiceRef, *, reporter: Reporter, other_environments: tuple[str, ...] = ()
) -> Deleted:
    """Delete service, scaling, revisions, stack; then repository and cluster if FSD made them.

    `other_environments` are those to look in before the repository, which all of a service's
    environments share, is removed. Whatever is absent already is fine, so that a deletion that was
    cut short can be repeated.
    """
    removed: list[str] = []
    kept: list[str] = []
    if find_job(aws, ref) is not None and aws.schedules.delete(ref.schedule):
        removed.append(f"schedule {ref.schedule}")
    if aws.scaling.remove(ref.cluster, ref.name):
        removed.append(f"auto scaling of {ref.name}")
    service = aws.ecs.find_service(ref.cluster, ref.name)
    stack = aws.stacks.find(ref.stack_name)
    kept += left_of_adopted(aws, ref, service, stack)
    if service is not None:
        reporter.note(Removing(what=Removal.SERVICE, name=ref.name))
        aws.ecs.delete_service(ref.cluster, ref.name)
        removed.append(f"service {ref.name}")
    if stack is not None:
        sweep(aws, start_sweep(aws, ref.stack_name), now=None, reporter=reporter)
        reporter.note(Removing(what=Removal.STACK, name=ref.stack_name))
        aws.stacks.delete(ref.stack_name)
        removed.append(f"stack {ref.stack_name} (load balancer, roles, logs)")
        for name in find_shared_stacks(stack.template):
            _delete_shared(aws, name, reporter=reporter, removed=removed, kept=kept)
    revisions = aws.ecs.delete_task_definitions(ref.family)
    if revisions:
        removed.append(f"{revisions} revision{'s' if revisions > 1 else ''} of {ref.family}")
    _delete_repository(aws, ref, other_environments, removed=removed, kept=kept)
    _delete_cluster(aws, ref, removed=removed, kept=kept)
    return Deleted(removed=tuple(removed), kept=tuple(kept))


def left_of_adopted(
    aws: Aws, ref: ServiceRef, service: ServiceState | None, stack: Stack | None
) -> list[str]:
    """Of a service that another tool made: what it runs with and FSD did not make.

    FSD cannot tell what else uses it. [] for a service that FSD made.
    """
    if service is None or stack is None:
        return []
    definition = aws.ecs.find_task_definition(service.task_definition_arn)
    roles = _roles(definition) if ref.name != ref.family else ()
    groups = [
        arn for arn in service.target_group_arns if output_value(stack.template, _GROUP) == arn
    ]
    kept = [f"target group {arn.rpartition('targetgroup/')[2].partition('/')[0]}" for arn in groups]
    if kept:
        kept[0] = f"{kept[0]}, its listener and its load balancer"
    kept += [f"role {name}" for name in roles]
    return [f"{what}: not made by FSD" for what in kept]


def _roles(definition: TaskDefinition | None) -> tuple[str, ...]:
    """The names of those that are not under FSD's path, each once."""
    found = definition.definition if definition else {}
    arns = dict.fromkeys(str(found.get(key) or "") for key in ("taskRoleArn", "executionRoleArn"))
    return tuple(arn.rpartition("/")[2] for arn in arns if arn and names.ROLE_PATH not in arn)


def find_shared_stacks(template: Json) -> tuple[str, ...]:
    """The stacks of load balancers that this one has with others: whose exports it imports."""
    return tuple(sorted(set(_SHARED.findall(json.dumps(template)))))


def _delete_shared(
    aws: Aws, name: str, *, reporter: Reporter, removed: list[str], kept: list[str]
) -> None:
    """CloudFormation refuses while another stack imports of it: so nobody has to count.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
    """
    try:
        aws.stacks.delete(name)
    except CallFailedError as error:
        user = _IN_USE.search(error.what)
        if user is None:
            raise
        kept.append(f"stack {name}: the load balancer of {user[1]} too")
    else:
        reporter.note(Removing(what=Removal.STACK, name=name))
        removed.append(f"stack {name} (shared load balancer)")


def _delete_repository(
    aws: Aws,
    ref: ServiceRef,
    other_environments: tuple[str, ...],
    *,
    removed: list[str],
    kept: list[str],
) -> None:
    repository = aws.registry.find_repository(ref.service)
    if repository is None:
        return
    label = f"repository {ref.service}"
    if aws.registry.read_tags(repository).get("fsd:created-by") != "deploy":
        kept.append(f"{label}: not made by a deployment")
        return
    users = [env for env in other_environments if aws.stacks.find(f"fsd-{ref.service}-{env}")]
    if users:
        kept.append(f"{label}: used in {', '.join(users)}")
        return
    aws.registry.delete_repository(ref.service)
    removed.append(f"{label} with its images")


def _delete_cluster(aws: Aws, ref: ServiceRef, *, removed: list[str], kept: list[str]) -> None:
    cluster = aws.ecs.find_cluster(ref.cluster)
    if cluster is None:
        return
    label = f"cluster {ref.cluster}"
    if cluster.tags.get("fsd:created-by") != "deploy":
        kept.append(f"{label}: not made by a deployment")
    elif cluster.services or cluster.tasks:
        kept.append(f"{label}: {cluster.services} more services")
    else:
        aws.ecs.delete_cluster(ref.cluster)
        removed.append(label)
