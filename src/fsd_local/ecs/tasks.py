"""Makes tasks: the record of one, and the `TaskSpec` that a runtime can launch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from fsd_local.ecs import arns
from fsd_local.ecs.arns import Ids
from fsd_local.ecs.capacity import choose_provider
from fsd_local.ecs.health import load_health_check
from fsd_local.ecs.model import (
    EcsServiceRecord,
    Json,
    Registration,
    ServiceRollout,
    Task,
    TaskContainer,
    TaskDefinition,
)
from fsd_local.ports import (
    ContainerSpec,
    LogTarget,
    RegistryLogin,
    ResourceLimit,
    RestartPolicy,
    TaskSpec,
    VolumeMount,
)

_STOP_TIMEOUT = 30.0
_ATTEMPT_PERIOD = 300.0  # seconds, where a restart policy says nothing
_SHORTEST_STOP_TIMEOUT = 1.0  # a program needs real time to end, however great the speed


def service_task(
    service: EcsServiceRecord, deployment: ServiceRollout, now: float, *, ids: Ids
) -> Task:
    """A task of a deployment, with the tags that the service propagates."""
    revision = deployment.revision
    task = new_task(
        revision.task_definition,
        account=service.account,
        region=service.region,
        cluster=service.cluster,
        now=now,
        ids=ids,
    )
    task.group, task.started_by = f"service:{service.name}", deployment.id
    task.deployment_id, task.revision_arn = deployment.id, revision.arn
    task.network, task.launch_type = revision.network, revision.launch_type
    others = [other for other in service.tasks.values() if other.is_wanted]
    task.capacity_provider = choose_provider(revision.capacity_provider_strategy, others)
    task.enable_execute_command = service.enable_execute_command
    task.tags = propagated_tags(service, revision.task_definition)
    task.registrations = [
        Registration(target_group_arn=revision.target_group(found), port=found["containerPort"])
        for found in revision.load_balancers
        if "targetGroupArn" in found
    ]
    for container in task.containers:
        container.digest = revision.digests.get(container.name, "")
    return task


def propagated_tags(service: EcsServiceRecord, task_definition: TaskDefinition) -> dict[str, str]:
    tags = {"SERVICE": service.tags, "TASK_DEFINITION": task_definition.tags}
    found = dict(tags.get(service.propagate_tags, {}))
    if service.enable_managed_tags:
        found["aws:ecs:clusterName"] = service.cluster
        found["aws:ecs:serviceName"] = service.name
    return found


def new_task(
    task_definition: TaskDefinition,
    *,
    account: str,
    region: str,
    cluster: str,
    now: float,
    ids: Ids,
) -> Task:
    task_id = ids.task()
    return Task(
        id=task_id,
        arn=arns.arn(account, region, f"task/{cluster}/{task_id}"),
        account=account,
        region=region,
        cluster=cluster,
        cluster_arn=arns.arn(account, region, f"cluster/{cluster}"),
        task_definition=task_definition,
        group=f"family:{task_definition.family}",
        started_by="",
        created_at=now,
        containers=[
            TaskContainer(
                name=found["name"],
                image=found["image"],
                essential=found.get("essential", True),
                id=ids.uuid(),
                health_check=load_health_check(found.get("healthCheck")),
            )
            for found in task_definition.containers
        ],
        network={},
        attachment_id=ids.uuid(),
        eni_id=ids.eni(),
        mac_address=ids.mac(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What ECS's agent looks up for a task; the first three are by container.

    `credentials` are the variables by which an SDK finds the task role; what the containers in
    `silent` write arrives nowhere. `known_names` are those of Service Connect.
    """

    digests: Mapping[str, str]
    secrets: Mapping[str, Mapping[str, str]] = field(repr=False)
    files: Mapping[str, Sequence[str]] = field(repr=False)  # texts of environment files
    credentials: Mapping[str, str] = field(repr=False)
    silent: Collection[str] = ()
    namespace: str = ""
    known_names: Collection[str] = ()
    logins: Mapping[str, RegistryLogin | None] = field(default_factory=dict, repr=False)


def task_spec(task: Task, resolved: Resolved, *, speed: float) -> TaskSpec:
    return TaskSpec(
        id=task.id,
        account=task.account,
        region=task.region,
        cluster=task.cluster,
        family=task.task_definition.family,
        revision=task.task_definition.revision,
        namespace=resolved.namespace,
        known_names=tuple(sorted(resolved.known_names)),
        containers=tuple(
            _container_spec(task, found, resolved, speed=speed)
            for found in task.task_definition.containers
        ),
    )


def log_target(task: Task, definition: Json) -> LogTarget | None:
    """The awslogs stream of a container; None with another driver, or none."""
    logs = definition.get("logConfiguration") or {}
    if logs.get("logDriver") != "awslogs":
        return None
    options = logs.get("options") or {}
    prefix = options.get("awslogs-stream-prefix")
    stream = f"{prefix}/{definition['name']}/{task.id}" if prefix else task.id
    return LogTarget(
        account=task.account,
        region=options.get("awslogs-region", task.region),
        group=options.get("awslogs-group", ""),
        stream=stream,
    )


def image_by_digest(image: str, digest: str) -> str:
    """`host:5000/name:tag` → `host:5000/name@sha256:…`; without a digest, or with one, as it is."""
    if not digest or "@" in image:
        return image
    head, _, tail = image.rpartition("/")
    name = tail.split(":", 1)[0]
    return f"{head}/{name}@{digest}" if head else f"{name}@{digest}"


def digest_of(image: str) -> str:
    """The digest that an image reference names, or ""."""
    return image.partition("@")[2]


def _container_spec(
    task: Task, definition: Json, resolved: Resolved, *, speed: float
) -> ContainerSpec:
    name = definition["name"]
    override = _override(task, name)
    check = load_health_check(definition.get("healthCheck"))
    command = override.get("command") or definition.get("command")
    memory = (
        override.get("memory")
        or definition.get("memory")
        or task.task_definition.definition.get("memory")
    )
    stop_timeout = float(definition.get("stopTimeout", _STOP_TIMEOUT))
    return ContainerSpec(
        name=name,
        image=image_by_digest(definition["image"], resolved.digests.get(name, "")),
        command=_argv(command),
        entry_point=_argv(definition.get("entryPoint")),
        environment={
            **_environment(task, read_variables(resolved.files.get(name, ()))),
            **_said(definition, override),
            **resolved.credentials,
            **resolved.secrets.get(name, {}),
        },
        working_directory=definition.get("workingDirectory"),
        user=definition.get("user"),
        ports=tuple(p["containerPort"] for p in definition.get("portMappings") or ()),
        memory_mib=int(memory) if memory else None,
        essential=definition.get("essential", True),
        read_only_root=bool(definition.get("readonlyRootFilesystem")),
        stop_timeout=max(stop_timeout / speed, min(stop_timeout, _SHORTEST_STOP_TIMEOUT)),
        log=None if name in resolved.silent else log_target(task, definition),
        **_kernel(definition),
        mounts=_mounts(task, definition),
        depends_on=tuple(
            (found["containerName"], found["condition"])
            for found in definition.get("dependsOn") or ()
        ),
        check_command=check.command if check is not None else (),
        restart=_restart_policy(definition, speed=speed),
        login=resolved.logins.get(name),
    )


def _restart_policy(definition: Json, *, speed: float) -> RestartPolicy | None:
    policy = definition.get("restartPolicy") or {}
    if not policy.get("enabled"):
        return None
    return RestartPolicy(
        attempt_period=policy.get("restartAttemptPeriod", _ATTEMPT_PERIOD) / speed,
        ignored_exit_codes=tuple(policy.get("ignoredExitCodes") or ()),
    )


def _mounts(task: Task, definition: Json) -> tuple[VolumeMount, ...]:
    volumes = {found["name"]: found for found in task.task_definition.definition["volumes"]}
    return tuple(
        VolumeMount(
            key=_volume_key(task, volumes[point["sourceVolume"]]),
            path=point["containerPath"],
            is_read_only=bool(point.get("readOnly")),
            is_kept="efsVolumeConfiguration" in volumes[point["sourceVolume"]],
        )
        for point in definition.get("mountPoints") or ()
    )


def _volume_key(task: Task, volume: Json) -> str:
    """An access point is a folder of its own, whatever folder it has on AWS."""
    efs = volume.get("efsVolumeConfiguration")
    if efs is None:
        return f"{task.id}-{volume['name']}"
    point = (efs.get("authorizationConfig") or {}).get("accessPointId")
    folder = str(point or efs.get("rootDirectory") or "/").strip("/").replace("/", "-")
    return f"{efs['fileSystemId']}-{folder or 'root'}"


class _Kernel(TypedDict):
    ulimits: tuple[ResourceLimit, ...]
    capabilities_added: tuple[str, ...]
    capabilities_dropped: tuple[str, ...]
    has_init: bool
    labels: Mapping[str, str]
    system_controls: Mapping[str, str]


def _kernel(definition: Json) -> _Kernel:
    linux = definition.get("linuxParameters") or {}
    capabilities = linux.get("capabilities") or {}
    return {
        "ulimits": tuple(
            ResourceLimit(name=found["name"], soft=found["softLimit"], hard=found["hardLimit"])
            for found in definition.get("ulimits") or ()
        ),
        "capabilities_added": tuple(capabilities.get("add") or ()),
        "capabilities_dropped": tuple(capabilities.get("drop") or ()),
        "has_init": bool(linux.get("initProcessEnabled")),
        "labels": dict(definition.get("dockerLabels") or {}),
        "system_controls": {
            found["namespace"]: found["value"] for found in definition.get("systemControls") or ()
        },
    }


def _argv(found: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(found) if found else None


def _override(task: Task, container: str) -> Json:
    overrides: list[Json] = task.overrides.get("containerOverrides") or []
    return next((found for found in overrides if found.get("name") == container), {})


def read_variables(files: Sequence[str]) -> dict[str, str]:
    """`NAME=value` a line, without quotes that mean anything; the first file that has it wins.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/use-environment-file.html
    """
    found: dict[str, str] = {}
    for line in (line.strip() for text in files for line in text.splitlines()):
        name, equals, value = line.partition("=")
        if equals and name and not line.startswith("#"):
            found.setdefault(name, value)
    return found


def _environment(task: Task, variables: Mapping[str, str]) -> dict[str, str]:
    """What Fargate sets, and the files."""
    return {
        "AWS_REGION": task.region,
        "AWS_DEFAULT_REGION": task.region,
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        **variables,
    }


def _said(definition: Json, override: Json) -> dict[str, str]:
    """The definition's, then the override's."""
    return {
        pair["name"]: pair["value"]
        for source in (definition, override)
        for pair in source.get("environment") or ()
    }
