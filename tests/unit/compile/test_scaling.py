from __future__ import annotations

from fsd.compile.desired import Scaling
from fsd.compile.scaling import compile_scaling
from tests.builders import make_manifest


def test_compile_scaling__targets__are_kept_with_their_bounds() -> None:
    manifest = make_manifest(
        resources={"desired_count": 2, "min_capacity": 1, "max_capacity": 10},
        auto_scaling={"targetCPUUtilization": 70, "scale_out_cooldown": 60},
    )

    assert compile_scaling(manifest.service, cluster="dev", name="a") == Scaling(
        minimum=1, maximum=10, cpu=70, memory=None, scale_in_cooldown=300, scale_out_cooldown=60
    )


def test_compile_scaling__capacity_alone__scales_nothing() -> None:
    manifest = make_manifest(resources={"min_capacity": 2, "max_capacity": 10})

    assert compile_scaling(manifest.service, cluster="dev", name="a") is None
