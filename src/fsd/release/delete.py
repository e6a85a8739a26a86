"""Remove a service and everything that FSD made for it, and nothing that something else uses."""

from __future__ import annotations

from dataclasses import dataclass

from fsd.release.jobs import find_job
from fsd.release.notes import Removal, Removing
from fsd.release.operation import ServiceRef
from fsd.release.ports import Aws
from fsd.release.probe import start_sweep, sweep
from fsd.release.reporter import Reporter


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
    if aws.ecs.find_service(ref.cluster, ref.name) is not None:
        reporter.note(Removing(what=Removal.SERVICE, name=ref.name))
        aws.ecs.delete_service(ref.cluster, ref.name)
        removed.append(f"service {ref.name}")
    if aws.stacks.find(ref.stack_name) is not None:
        sweep(aws, start_sweep(aws, ref.stack_name), now=None, reporter=reporter)
        reporter.note(Removing(what=Removal.STACK, name=ref.stack_name))
        aws.stacks.delete(ref.stack_name)
        removed.append(f"stack {ref.stack_name} (load balancer, roles, logs)")
    revisions = aws.ecs.delete_task_definitions(ref.name)
    if revisions:
        removed.append(f"{revisions} revision{'s' if revisions > 1 else ''} of {ref.name}")
    _delete_repository(aws, ref, other_environments, removed=removed, kept=kept)
    _delete_cluster(aws, ref, removed=removed, kept=kept)
    return Deleted(removed=tuple(removed), kept=tuple(kept))


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
