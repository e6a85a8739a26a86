"""Settings of one container, as a container definition has them.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

from __future__ import annotations

from collections.abc import Sequence

from fsd.compile.desired import Json, JsonValue
from fsd.manifest.container import Ulimit
from fsd.manifest.models import Service


def linux_parameters(service: Service) -> Json:
    """Python as process 1 neither reaps children nor dies of a signal that it does not handle."""
    parameters: Json = {"initProcessEnabled": service.init}
    capabilities = service.capabilities
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
