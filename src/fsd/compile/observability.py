"""Traces and metrics of a task, in the words of OpenTelemetry and Prometheus."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fsd.compile.desired import Json, Release, Target
from fsd.compile.roles import has_collector
from fsd.manifest.models import Manifest

# An underscore, which no service's name has: so no container's name is taken.
COLLECTOR = "otel_collector"
# https://github.com/aws-observability/aws-otel-collector/releases
COLLECTOR_IMAGE = "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0"
COLLECTOR_CPU = 32
_COLLECTOR_MEMORY_RESERVED = 64
_COLLECTOR_MEMORY = 256
# Takes OTLP, sends to X-Ray; it is in the image.
_COLLECTOR_CONFIG = "/etc/ecs/ecs-xray.yaml"
_COLLECTOR_ENDPOINT = "http://127.0.0.1:4318"  # the containers of a task share localhost
_GRPC_PORT = re.compile(r":4317(/|$)")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._~:/@+-]")


def trace_environment(manifest: Manifest, *, target: Target, release: Release) -> dict[str, str]:
    """The variables that every OpenTelemetry SDK reads; {} without traces.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    """
    traces = manifest.service.observability.traces
    if traces is None or not traces.enabled:
        return {}
    endpoint = traces.otlp_endpoint or _COLLECTOR_ENDPOINT
    is_grpc = _GRPC_PORT.search(endpoint) is not None
    resource = {"deployment.environment.name": target.environment}
    if release.version:
        resource["service.version"] = release.version
    return {
        "OTEL_SERVICE_NAME": manifest.metadata.name,
        "OTEL_RESOURCE_ATTRIBUTES": _baggage(resource),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc" if is_grpc else "http/protobuf",
    }


def metrics_labels(manifest: Manifest) -> dict[str, str]:
    """Docker labels by which Prometheus finds the port; {} without metrics.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/ContainerInsights-Prometheus-Setup-autodiscovery-ecs.html
    """
    metrics = manifest.service.observability.metrics
    if metrics is None or not metrics.enabled:
        return {}
    return {
        "ECS_PROMETHEUS_EXPORTER_PORT": str(metrics.port),
        "ECS_PROMETHEUS_JOB_NAME": manifest.metadata.name,
        "ECS_PROMETHEUS_METRICS_PATH": metrics.path,
    }


def collector(manifest: Manifest, *, target: Target, logs: Json) -> Json | None:
    """The container that sends traces on; None where the service has an endpoint or no traces.

    Not essential, so that its end does not end the service; it is started again instead.
    """
    if not has_collector(manifest):
        return None
    return {
        "name": COLLECTOR,
        "image": COLLECTOR_IMAGE,
        "essential": False,
        "command": [f"--config={_COLLECTOR_CONFIG}"],
        "cpu": COLLECTOR_CPU,
        "memory": _COLLECTOR_MEMORY,
        "memoryReservation": _COLLECTOR_MEMORY_RESERVED,
        "environment": [{"name": "AWS_REGION", "value": target.region}],
        "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
        **logs,
    }


def _baggage(attributes: Mapping[str, str]) -> str:
    """`key=value,…`; what would end a value is percent-encoded.

    https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
    """
    return ",".join(f"{key}={_quote(value)}" for key, value in sorted(attributes.items()))


def _quote(value: str) -> str:
    return _NOT_PLAIN.sub(lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), value)
