"""Where a container's lines go: CloudWatch, or Fluent Bit beside it, which sends them on."""

from __future__ import annotations

from fsd.compile.desired import Json
from fsd.manifest import names
from fsd.manifest.models import Manifest

# An underscore, which no service's name has: so no container's name is taken.
LOG_ROUTER = "log_router"
# https://github.com/aws/aws-for-fluent-bit/releases
LOG_ROUTER_IMAGE = "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"
_ROUTER_MEMORY_RESERVED = 50


def log_group_name(manifest: Manifest, environment: str) -> str:
    """Of the log group that FSD makes, or of the manifest's."""
    own = names.log_group(manifest.metadata.name, environment)
    return manifest.service.log_settings.group or own


def log_router(manifest: Manifest, *, logs: Json) -> Json | None:
    """The container that sends the service's lines on; None without FireLens.

    Essential, as AWS advises: without it the service's lines are lost. ECS starts it first.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/firelens-taskdef.html
    """
    settings = manifest.service.log_settings
    if not settings.enabled or settings.driver != "awsfirelens":
        return None
    return {
        "name": LOG_ROUTER,
        "image": LOG_ROUTER_IMAGE,
        "essential": True,
        "memoryReservation": _ROUTER_MEMORY_RESERVED,
        "firelensConfiguration": {
            "type": "fluentbit",
            "options": {"enable-ecs-log-metadata": "true"},
        },
        **logs,
    }


def routed(manifest: Manifest, *, logs: Json) -> Json:
    """The service's own `logConfiguration`; `logs` is that of CloudWatch."""
    settings = manifest.service.log_settings
    if not settings.enabled or settings.driver != "awsfirelens":
        return logs
    options: Json = {**dict(sorted(settings.options.items()))}
    return {"logConfiguration": {"logDriver": "awsfirelens", "options": options}}
