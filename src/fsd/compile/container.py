"""Settings of one container, as a container definition has them.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

from __future__ import annotations

from collections.abc import Sequence

from fsd.compile.desired import Json, JsonValue
from fsd.manifest.container import Sidecar, SystemControl, Ulimit
from fsd.manifest.models import Service


def own_settings(each: Service | Sidecar) -> Json:
    """What the service's container and a sidecar say in the same words; None, [] or {} where they
    say nothing. `linuxParameters` is not among them."""
    return {
        "entryPoint": [*(each.entry_point or ())],
        "command": [*(each.command or ())],
        "environmentFiles": [{"type": "s3", "value": arn} for arn in each.environment_files],
        # Of the service also ECS's default is said: servers are tuned to it.
        "stopTimeout": each.stop_timeout,
        "user": each.user,
        "workingDirectory": each.working_directory,
        "readonlyRootFilesystem": each.readonly_root_filesystem or None,
        "ulimits": ulimits(each.ulimits),
        "systemControls": system_controls(each.system_controls),
        "repositoryCredentials": (
            {"credentialsParameter": each.repository_credentials}
            if each.repository_credentials
            else {}
        ),
    }


def linux_parameters(each: Service | Sidecar) -> Json:
    """Python as process 1 neither reaps children nor dies of a signal that it does not handle."""
    parameters: Json = {"initProcessEnabled": each.init}
    capabilities = each.capabilities
    if capabilities is not None and (capabilities.add or capabilities.drop):
        wanted: Json = {}
        for what, names in (("add", capabilities.add), ("drop", capabilities.drop)):
            if names:
                wanted[what] = [*sorted(set(names))]
        parameters["capabilities"] = wanted
    return parameters


def ulimits(limits: Sequence[Ulimit]) -> list[JsonValue]:
    return [
        {"name": each.name, "softLimit": each.soft_limit, "hardLimit": each.hard_limit}
        for each in sorted(limits, key=lambda each: each.name)
    ]


def system_controls(controls: Sequence[SystemControl]) -> list[JsonValue]:
    return [
        {"namespace": each.namespace, "value": each.value}
        for each in sorted(controls, key=lambda each: each.namespace)
    ]
