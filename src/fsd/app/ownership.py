"""Before anything is built or planned: is the name ours?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fsd.app.deployment import Chosen, DeployOptions, Opened, Prepared
from fsd.compile.schedule import cluster_arn, taken_over
from fsd.compile.service import ecs_service_name
from fsd.compile.tags import clean_tags
from fsd.errors import ErrorCode, RefusedError
from fsd.manifest import names
from fsd.plan.adoption import find_foreign
from fsd.plan.observed import Observed, OldSchedule
from fsd.plan.ownership import OwnedResource, find_other_owner
from fsd.release.ports import Aws
from fsd.snapshot import ServiceState


def require_own(options: DeployOptions, prepared: Prepared, chosen: Chosen) -> None:
    """Raises RefusedError where the stack, the service or the repository is somebody else's."""
    _require_old_schedule(options, prepared)
    if options.adopt:
        return
    observed = prepared.observed()
    _require_made_here(prepared, observed)
    if prepared.manifest.is_job:
        metadata, environment = prepared.manifest.metadata, prepared.connection.environment
        refuse_foreign_schedule(metadata.name, environment.name, aws=prepared.connection.aws)
    _refuse_others(_things(prepared, chosen, observed), prepared)


def require_own_repository(opened: Opened, chosen: Chosen) -> None:
    """Raises RefusedError where the repository that is pushed to is somebody else's."""
    _refuse_others(_repository(opened, chosen), opened)


def _refuse_others(things: Iterable[OwnedResource], opened: Opened) -> None:
    metadata = opened.manifest.metadata
    pack = clean_tags({"fsd:pack": metadata.pack})["fsd:pack"]
    other = find_other_owner(things, pack=pack, run=opened.release.run)
    if other is None:
        return
    environment = opened.connection.environment.name
    raise RefusedError(
        f"the name `{metadata.name}` is taken in {environment}: {other.thing.what} belongs to "
        f"{other.whose}, and this manifest to the pack `{metadata.pack}`",
        where=other.thing.what,
        fix="give this service another `metadata.name`, or take over the existing one with --adopt",
        code=ErrorCode.NAME_TAKEN,
    )


def _require_made_here(prepared: Prepared, observed: Observed | None) -> None:
    """Raises RefusedError where the service is there, and another tool made it."""
    environment = prepared.connection.environment
    metadata = prepared.manifest.metadata
    family = names.service_name(metadata.name, environment.name)
    name = ecs_service_name(prepared.manifest, environment.name)
    if observed is not None:
        foreign = find_foreign(observed, family=family)
    else:
        foreign = _find_untagged(prepared, environment.cluster_name, name)
    if foreign is None:
        return
    where = f"{environment.cluster_name}/{name}"
    raise RefusedError(
        f"the service {name} in the cluster {environment.cluster_name} was made by another tool: "
        "a deployment would take it over",
        where=where,
        fix="`fsd plan --adopt` says what becomes of it, and `fsd deploy --adopt` takes it over; "
        "or give this service another `metadata.name`",
        code=ErrorCode.NAME_TAKEN,
    )


def _require_old_schedule(options: DeployOptions, prepared: Prepared) -> None:
    """Raises RefusedError where what starts the Job's task is not ours to disable, or not yet."""
    arn = taken_over(prepared.manifest, prepared.connection.environment.name)
    aws = prepared.connection.aws
    old = aws.schedules.find_old(arn) if arn else None
    if old is None or not old.is_enabled:
        return
    definition = aws.ecs.find_task_definition(old.task_definition) if old.task_definition else None
    refuse_unfit(
        old,
        cluster=cluster_arn(prepared.target),
        service=prepared.manifest.metadata.name,
        tags=dict(definition.tags) if definition else {},
    )
    if not options.adopt:
        kind = "rule" if old.is_rule else "schedule"
        raise RefusedError(
            f"the {kind} {old.name} of another tool is enabled: this Job's own schedule would "
            "start the same task",
            where=old.arn,
            fix=f"`fsd deploy --adopt` disables the {kind} when the Job's schedule begins, and "
            "`fsd plan --adopt` shows it",
            code=ErrorCode.NAME_TAKEN,
        )


def refuse_unfit(old: OldSchedule, *, cluster: str, service: str, tags: Mapping[str, str]) -> None:
    """Raises RefusedError where `old` starts something else than one task in this cluster.

    `tags` are those of its task definition.
    """
    kind = "rule" if old.is_rule else "schedule"
    if old.targets > 1:
        raise RefusedError(
            f"the rule {old.name} starts {old.targets} targets: disabled, it would start none",
            where=old.arn,
            fix="remove this Job's target from the rule (`aws events remove-targets`) and "
            "`existingSchedule` from the manifest",
            code=ErrorCode.NAME_TAKEN,
        )
    owner = tags.get("fsd:service", service)
    if not old.expression:
        found = "is started by events, and has no schedule"
    elif not old.cluster:
        found = "starts no task of ECS"
    elif old.cluster != cluster:
        found = f"starts tasks in {old.cluster}, and this Job runs in {cluster}"
    elif owner != service:
        found = f"starts `{owner}`, and this Job is `{service}`"
    else:
        return
    raise RefusedError(
        f"the {kind} {old.name} {found}: FSD does not disable it",
        where=old.arn,
        fix="set `existingSchedule.arn` to what starts this Job's task, or remove it",
        code=ErrorCode.NAME_TAKEN,
    )


def refuse_foreign_schedule(service: str, environment: str, *, aws: Aws) -> None:
    """Raises RefusedError where another tool made a schedule of the name that FSD's own has."""
    name = names.schedule(service, environment)
    found = aws.schedules.find(name)
    if found is None or str(found.parameters.get("Description", "")).endswith("made by fsd"):
        return
    if aws.stacks.find(names.stack(service, environment)) is None:
        raise RefusedError(
            f"the schedule {name} was made by another tool: a deployment would change what it "
            "starts",
            where=name,
            fix="`fsd plan --adopt` says what becomes of it, and `fsd deploy --adopt` takes it "
            "over; or give this Job another `metadata.name`",
            code=ErrorCode.NAME_TAKEN,
        )


def _find_untagged(prepared: Prepared, cluster: str, name: str) -> ServiceState | None:
    """Before a build, when nothing is observed yet: a service without FSD's tags, and no stack."""
    aws, environment = prepared.connection.aws, prepared.connection.environment.name
    if aws.stacks.find(names.stack(prepared.manifest.metadata.name, environment)) is not None:
        return None
    service = aws.ecs.find_service(cluster, name)
    return service if service and "fsd:service" not in dict(service.tags) else None


def _things(
    prepared: Prepared, chosen: Chosen, observed: Observed | None
) -> Iterator[OwnedResource]:
    """What is known already; before a build also what has to be asked for."""
    aws, environment = prepared.connection.aws, prepared.connection.environment.name
    name = prepared.manifest.metadata.name
    stack_name, service = names.stack(name, environment), names.service_name(name, environment)
    if observed is not None:
        stack = observed.stack.tags if observed.stack else None
        if observed.running is not None and observed.service is not None:
            yield OwnedResource(what=f"the service {service}", tags=observed.running.tags)
    else:
        found = aws.stacks.find(stack_name)
        stack = found.tags if found else None
    if stack is not None:
        yield OwnedResource(what=f"the stack {stack_name}", tags=stack)
    yield from _repository(prepared, chosen)


def _repository(opened: Opened, chosen: Chosen) -> Iterator[OwnedResource]:
    if chosen.repository is not None and not chosen.is_there:
        tags = opened.connection.aws.registry.read_tags(chosen.repository)
        yield OwnedResource(what=f"the repository {chosen.repository.name}", tags=tags)
