"""Containers beside the service, and the volumes that they share.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-efs-config.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fsd.compile.container import linux_parameters, own_settings
from fsd.compile.desired import Json, JsonValue, Target
from fsd.compile.roles import parameter_arn
from fsd.manifest.container import Efs, Mount, Sidecar, Volume
from fsd.manifest.models import Service


def compile_sidecars(service: Service, *, target: Target, logs: Json) -> list[Json]:
    return [_sidecar(each, target=target, logs=logs) for each in service.sidecars]


def depends_on(conditions: Mapping[str, str]) -> list[JsonValue]:
    return [
        {"containerName": name, "condition": condition}
        for name, condition in sorted(conditions.items())
    ]


def mount_points(mounts: Sequence[Mount | Volume]) -> list[JsonValue]:
    return [
        {"sourceVolume": each.name, "containerPath": each.path, "readOnly": each.read_only}
        for each in sorted(mounts, key=lambda each: each.path)
    ]


def compile_volumes(service: Service) -> list[JsonValue]:
    return [_volume(each) for each in sorted(service.volumes, key=lambda each: each.name)]


def _volume(volume: Volume) -> Json:
    if volume.efs is None:
        return {"name": volume.name}
    return {"name": volume.name, "efsVolumeConfiguration": _efs(volume.efs)}


def _efs(efs: Efs) -> Json:
    """With IAM, so that the task role alone says who may write."""
    authorization: Json = {"iam": "ENABLED"}
    if efs.access_point is not None:
        authorization["accessPointId"] = efs.access_point
    return {
        "fileSystemId": efs.file_system,
        "rootDirectory": efs.root or "/",
        "transitEncryption": "ENABLED",
        "authorizationConfig": authorization,
    }


def _sidecar(sidecar: Sidecar, *, target: Target, logs: Json) -> Json:
    resources = sidecar.resources
    container: Json = {
        "name": sidecar.name,
        "image": sidecar.image,
        "essential": sidecar.essential,
        "cpu": resources.cpu if resources else None,
        "memory": resources.memory if resources else None,
        **own_settings(sidecar),
        "linuxParameters": _linux(sidecar),
        "environment": [
            {"name": name, "value": value} for name, value in sorted(sidecar.environment.items())
        ],
        "secrets": [
            {"name": secret.name, "valueFrom": parameter_arn(secret.value_from, target)}
            for secret in sorted(sidecar.secrets, key=lambda secret: secret.name)
        ],
        "portMappings": (
            [{"containerPort": sidecar.port, "protocol": "tcp"}] if sidecar.port else []
        ),
        "dependsOn": depends_on(sidecar.depends_on),
        "mountPoints": mount_points(sidecar.volumes),
        "dockerLabels": dict(sidecar.docker_labels),
        "healthCheck": _check(sidecar),
        **logs,
    }
    return {key: value for key, value in container.items() if value not in ([], {}, None)}


def _linux(sidecar: Sidecar) -> Json:
    """{} where it says what ECS does by itself: an image may bring an init of its own."""
    parameters = linux_parameters(sidecar)
    return parameters if parameters != {"initProcessEnabled": False} else {}


def _check(sidecar: Sidecar) -> Json | None:
    check = sidecar.health_check
    if check is None:
        return None
    text = isinstance(check.command, str)
    command = ["CMD-SHELL", str(check.command)] if text else ["CMD", *check.command]
    found: Json = {
        "command": [*command],
        "interval": check.interval,
        "timeout": check.timeout,
        "retries": check.unhealthy_threshold,
    }
    if check.start_period is not None:
        found["startPeriod"] = check.start_period
    return found
