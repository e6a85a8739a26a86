"""The limits and targets of a service that Application Auto Scaling scales."""

from __future__ import annotations

from fsd.compile.desired import Scaling
from fsd.manifest.models import Service


def compile_scaling(service: Service) -> Scaling | None:
    """None without `autoScaling`: min and max capacity alone scale nothing."""
    scaling, resources = service.auto_scaling, service.resources
    if scaling is None:
        return None
    return Scaling(
        minimum=resources.minimum,
        maximum=resources.maximum,
        cpu=scaling.target_cpu_utilization,
        memory=scaling.target_memory_utilization,
        scale_in_cooldown=scaling.scale_in_cooldown,
        scale_out_cooldown=scaling.scale_out_cooldown,
    )
