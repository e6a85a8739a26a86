"""Remove a service and everything that FSD made for it, and nothing that something else uses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from fsd.compile.desired import OUTPUT_TARGET_GROUP, Json
from fsd.errors import CallFailedError
from fsd.manifest import names
from fsd.plan.transition import output_value
from fsd.release.jobs import find_job
from fsd.release.ledger import write_tags
from fsd.release.notes import Removal, Removing
from fsd.release.operation import ServiceRef
from fsd.release.ports import Aws, Stack, TaskDefinition
from fsd.release.probe import start_sweep, sweep
from fsd.release.reporter import Reporter
from fsd.rollout.diagnose import group_name
from fsd.snapshot import ServiceState

_GROUP = OUTPUT_TARGET_GROUP

_SHARED = re.compile(r'"Fn::ImportValue": "(fsd-shared-[a-z0-9-]+)-[A-Z][A-Za-z]+"')
_SHARED_TAG = "fsd:shared-stacks"  # of a revision: their names, with spaces between them
# `Export a cannot be deleted as it is in use by b`; the embedded AWS: `… is imported by stack b`
_IN_USE = re.compile(r"(?:in use by|imported by stack) ([A-Za-z0-9-]+)")


class ServicePart(StrEnum):
    """What there may be of a service."""

    SCHEDULE = "schedule"
    SCALING = "scaling"
    SERVICE = "service"
    STACK = "stack"
    SHARED_STACK = "shared-stack"  # of a load balancer that several services have
    REVISIONS = "revisions"
    REPOSITORY = "repository"
    CLUSTER = "cluster"
    TARGET_GROUP = "target-group"
    ROLE = "role"
    PLACEHOLDER = "placeholder"  # a secret of the embedded AWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    what: ServicePart
    name: str
    count: int = 1  # of revisions


class KeptWhy(StrEnum):
    NOT_OF_FSD = "not-of-fsd"
    NOT_OF_DEPLOYMENT = "not-of-deployment"
    IN_USE = "in-use"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    what: ServicePart
    name: str
    why: KeptWhy
    has_listener: bool = False  # a target group whose listener and load balancer stay too
    environments: tuple[str, ...] = ()  # that use it
    stack: str = ""  # that uses it
    services: int = 0  # that use it
    tasks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    removed: tuple[Removed, ...]
    kept: tuple[Kept, ...]


def delete_service(
    aws: Aws, ref: ServiceRef, *, reporter: Reporter, other_environments: tuple[str, ...] = ()
) -> Deleted:
    """Delete service, scaling, revisions, stack; then repository and cluster if FSD made them.

    `other_environments` are those to look in before the repository, which all of a service's
    environments share, is removed. Whatever is absent already is fine, so that a deletion that was
    cut short can be repeated.
    """
    removed: list[Removed] = []
    kept: list[Kept] = []
    if find_job(aws, ref) is not None and aws.schedules.delete(ref.schedule):
        removed.append(Removed(what=ServicePart.SCHEDULE, name=ref.schedule))
    if aws.scaling.remove(ref.cluster, ref.name):
        removed.append(Removed(what=ServicePart.SCALING, name=ref.name))
    service = aws.ecs.find_service(ref.cluster, ref.name)
    stack = aws.stacks.find(ref.stack_name)
    kept += left_of_adopted(aws, ref, service, stack)
    if service is not None:
        reporter.note(Removing(what=Removal.SERVICE, name=ref.name))
        aws.ecs.delete_service(ref.cluster, ref.name)
        removed.append(Removed(what=ServicePart.SERVICE, name=ref.name))
    for part in _delete_stacks(aws, ref, stack, reporter=reporter):
        _add(part, removed, kept)
    revisions = aws.ecs.delete_task_definitions(ref.family)
    if revisions:
        removed.append(Removed(what=ServicePart.REVISIONS, name=ref.family, count=revisions))
    for one in (_delete_repository(aws, ref, other_environments), _delete_cluster(aws, ref)):
        _add(one, removed, kept)
    return Deleted(removed=tuple(removed), kept=tuple(kept))


def _add(one: Removed | Kept | None, removed: list[Removed], kept: list[Kept]) -> None:
    if isinstance(one, Removed):
        removed.append(one)
    elif one is not None:
        kept.append(one)


def left_of_adopted(
    aws: Aws, ref: ServiceRef, service: ServiceState | None, stack: Stack | None
) -> list[Kept]:
    """Of a service that another tool made: what it runs with and FSD did not make.

    FSD cannot tell what else uses it. [] for a service that FSD made.
    """
    if service is None or stack is None:
        return []
    definition = aws.ecs.find_task_definition(service.task_definition_arn)
    roles = _roles(definition) if ref.name != ref.family else ()
    groups = [
        group_name(arn)
        for arn in service.target_group_arns
        if output_value(stack.template, _GROUP) == arn
    ]
    why = KeptWhy.NOT_OF_FSD
    kept = [
        Kept(what=ServicePart.TARGET_GROUP, name=name, why=why, has_listener=number == 0)
        for number, name in enumerate(groups)
    ]
    return kept + [Kept(what=ServicePart.ROLE, name=name, why=why) for name in roles]


def _roles(definition: TaskDefinition | None) -> tuple[str, ...]:
    """The names of those that are not under FSD's path, each once."""
    found = definition.definition if definition else {}
    arns = dict.fromkeys(str(found.get(key) or "") for key in ("taskRoleArn", "executionRoleArn"))
    return tuple(arn.rpartition("/")[2] for arn in arns if arn and names.ROLE_PATH not in arn)


def _delete_stacks(
    aws: Aws, ref: ServiceRef, stack: Stack | None, *, reporter: Reporter
) -> Iterator[Removed | Kept]:
    """The service's own, then those of load balancers that it has with others.

    `stack` is None also for one whose deletion has begun, or was not done to the end.
    """
    shared = _recall_shared(aws, ref, stack, reporter=reporter)
    if stack is not None:
        sweep(aws, start_sweep(aws, ref.stack_name), now=None, reporter=reporter)
    if stack is not None or aws.stacks.look(ref.stack_name) is not None:
        reporter.note(Removing(what=Removal.STACK, name=ref.stack_name))
        aws.stacks.delete(ref.stack_name)
        yield Removed(what=ServicePart.STACK, name=ref.stack_name)
    for name in shared:
        if aws.stacks.look(name) is not None:
            yield _delete_shared(aws, name, reporter=reporter)


def _recall_shared(
    aws: Aws, ref: ServiceRef, stack: Stack | None, *, reporter: Reporter
) -> tuple[str, ...]:
    """Only the service's template names them: so they are noted on its newest revision, which goes
    last, and are found there once the stack is gone."""
    found = find_shared_stacks(stack.template) if stack else ()
    if stack is not None and not found:
        return ()
    newest = aws.ecs.find_newest_revision(ref.family)
    if newest is None:
        return found
    if stack is None:
        return tuple(newest.tags.get(_SHARED_TAG, "").split())
    untold = write_tags(aws.ecs, newest.arn, {_SHARED_TAG: " ".join(found)})
    if untold is not None:
        reporter.note(untold)
    return found


def find_shared_stacks(template: Json) -> tuple[str, ...]:
    """The stacks of load balancers that this one has with others: whose exports it imports."""
    return tuple(sorted(set(_SHARED.findall(json.dumps(template)))))


def _delete_shared(aws: Aws, name: str, *, reporter: Reporter) -> Removed | Kept:
    """CloudFormation refuses while another stack imports of it: so nobody has to count.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
    """
    what = ServicePart.SHARED_STACK
    try:
        aws.stacks.delete(name)
    except CallFailedError as error:
        user = _IN_USE.search(error.what)
        if user is None:
            raise
        return Kept(what=what, name=name, why=KeptWhy.IN_USE, stack=user[1])
    reporter.note(Removing(what=Removal.STACK, name=name))
    return Removed(what=what, name=name)


def _delete_repository(
    aws: Aws, ref: ServiceRef, other_environments: tuple[str, ...]
) -> Removed | Kept | None:
    """None where there is none."""
    what, name = ServicePart.REPOSITORY, ref.service
    repository = aws.registry.find_repository(name)
    if repository is None:
        return None
    if aws.registry.read_tags(repository).get("fsd:created-by") != "deploy":
        return Kept(what=what, name=name, why=KeptWhy.NOT_OF_DEPLOYMENT)
    users = [env for env in other_environments if aws.stacks.find(f"fsd-{name}-{env}")]
    if users:
        return Kept(what=what, name=name, why=KeptWhy.IN_USE, environments=tuple(users))
    aws.registry.delete_repository(name)
    return Removed(what=what, name=name)


def _delete_cluster(aws: Aws, ref: ServiceRef) -> Removed | Kept | None:
    """None where there is none."""
    what, name = ServicePart.CLUSTER, ref.cluster
    cluster = aws.ecs.find_cluster(name)
    if cluster is None:
        return None
    if cluster.tags.get("fsd:created-by") != "deploy":
        return Kept(what=what, name=name, why=KeptWhy.NOT_OF_DEPLOYMENT)
    if cluster.services or cluster.tasks:
        services, tasks = cluster.services, cluster.tasks
        return Kept(what=what, name=name, why=KeptWhy.IN_USE, services=services, tasks=tasks)
    aws.ecs.delete_cluster(name)
    return Removed(what=what, name=name)
