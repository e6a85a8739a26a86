"""The manifests that between them have every feature."""

from __future__ import annotations

from collections.abc import Mapping

from fsd.manifest.models import Manifest
from tests.builders import make_dependency, make_manifest

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:openai-key-abc123"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-1111-2222-333344445555"


def every_feature() -> Manifest:
    return make_manifest(
        name="category-service",
        pack="consumer-agent",
        owners=["@org/consumer", "@anna"],
        port=8000,
        health_check={"path": "/ready", "interval": 10, "timeout": 3, "grace_period": 45},
        resources={"cpu": 1024, "memory": 2048, "desired_count": 2, "max_capacity": 10},
        auto_scaling={"targetCPUUtilization": 70, "target_memory_utilization": 80},
        environment={"LOG_LEVEL": "INFO", "USE_MSK_IAM": "true"},
        secrets=[
            {"name": "OPENAI_API_KEY", "value_from": f"{SECRET}:key::"},
            {
                "name": "DB_URL",
                "value_from": "arn:aws:ssm:us-east-1:123456789012:parameter/dev/db-url",
            },
        ],
        networking={"load_balancer": {"internal": False, "certificate_arn": CERTIFICATE}},
        observability={"metrics": {"port": 9090}, "traces": {}, "logs": {"retention": 14}},
        entry_point=["python", "-m"],
        command=["app"],
        platform="ARM64",
        deployment={
            "circuit_breaker": {"threshold": 2},
            "alarms": ["errors", "latency"],
            "bake_time": 5,
        },
        dependencies=[
            make_dependency("aws_msk_cluster", "dev-services", "kafka-cluster:ReadData"),
            make_dependency("aws_dynamodb_table", "dev-cache", "dynamodb:Query"),
            make_dependency("aws_kms_key", "alias/dev", "kms:Decrypt"),
        ],
    )


def api() -> Manifest:
    return make_manifest(
        resources={"desired_count": 2},
        networking={"load_balancer": {}},
        dependencies=[make_dependency("aws_dynamodb_table", "dev-offers", "dynamodb:GetItem")],
    )


def without_load_balancer() -> Manifest:
    return make_manifest(name="data-processor")


def worker() -> Manifest:
    return make_manifest(
        name="worker",
        port=None,
        networking={"vpc": False},
        observability={"logs": {"enabled": False}},
    )


MANIFESTS: Mapping[str, Manifest] = {
    "every feature": every_feature(),
    "api": api(),
    "without load balancer": without_load_balancer(),
    "worker": worker(),
}
