"""What FSD says to keys of other tools."""

from __future__ import annotations

from collections import Counter

import pytest

from fsd.manifest.foreign_keys import FOREIGN_KEYS, ForeignKey, find_foreign, plain
from fsd.manifest.key_path import dotted
from fsd.manifest.load import load_manifest
from fsd.manifest.models import Manifest
from fsd.manifest.schema import places
from tests.unit.manifest.manifests import SMALL, manifest

PLACES = {dotted(place) for place in places(Manifest)}


def advice(service: str) -> str:
    """The fix of the only unknown key of a service."""
    (finding,) = load_manifest(manifest(service), path="service.yml").findings
    assert finding.id == "unknown-key"
    return finding.fix


@pytest.mark.parametrize(
    ("service", "meant"),
    [
        # Copilot
        ("count: 2", "service.resources.desiredCount"),
        ("count: {range: 1-10}", "service.resources.desiredCount"),
        ("variables: {A: b}", "service.environment"),
        ("http: {path: /}", "service.networking.loadBalancer"),
        ("logging: {retention: 7}", "service.observability.logs"),
        # Compose
        ("cpus: 0.5", "service.resources.cpu"),
        ("mem_limit: 512m", "service.resources.memory"),
        ("expose: [8000]", "service.port"),
        ("deploy: {replicas: 2}", "service.deployment"),
        ("healthCheck: {test: [CMD, a]}", "service.healthCheck.command"),
        ("healthCheck: {retries: 3}", "service.healthCheck.unhealthyThreshold"),
        ("healthCheck: {startupTime: 40}", "service.healthCheck.gracePeriod"),
        # ECS
        ("healthCheck: {grpc: {port: 1}}", "service.healthCheck.protocol"),
        ("containerPort: 80", "service.port"),
        ("portMappings: []", "service.ports"),
        ("appProtocol: grpc", "service.ports[0].protocol"),
        ("desiredCount: 2", "service.resources.desiredCount"),
        ("cpu: 256", "service.resources.cpu"),
        ("healthCheckGracePeriodSeconds: 60", "service.healthCheck.gracePeriod"),
        ("assignPublicIp: ENABLED", "service.networking.vpc"),
        ("runtimePlatform: {cpuArchitecture: ARM64}", "service.platform"),
        ("logConfiguration: {}", "service.observability.logs"),
        ("deploymentConfiguration: {}", "service.deployment"),
        ("deployment: {deploymentCircuitBreaker: {}}", "service.deployment.circuitBreaker"),
        ("deployment: {minHealthyPercent: 50}", "service.deployment.minimumHealthyPercent"),
        # Kubernetes
        ("replicas: 2", "service.resources.desiredCount"),
        ("livenessProbe: {}", "service.healthCheck"),
        ("healthCheck: {initialDelaySeconds: 5}", "service.healthCheck.gracePeriod"),
        ("healthCheck: {periodSeconds: 5}", "service.healthCheck.interval"),
        ("healthCheck: {failureThreshold: 5}", "service.healthCheck.unhealthyThreshold"),
        ("env: [{name: A}]", "service.environment"),
        ("args: [serve]", "service.command"),
        ("resources: {limits: {cpu: 1}}", "service.resources.cpu"),
        ("autoScaling: {minReplicas: 2}", "service.resources.minCapacity"),
        ("autoScaling: {maxReplicas: 2}", "service.resources.maxCapacity"),
        (
            "autoScaling: {targetCPUUtilizationPercentage: 70}",
            "service.autoScaling.targetCPUUtilization",
        ),
        ("deployment: {maxSurge: 1}", "service.deployment.maximumPercent"),
        # App Runner and Serverless
        ("startCommand: python app.py", "service.command"),
        ("instanceConfiguration: {}", "service.resources"),
        ("isPubliclyAccessible: true", "service.networking.loadBalancer.internal"),
        ("runtimeEnvironmentSecrets: []", "service.secrets"),
        ("memorySize: 512", "service.resources.memory"),
        ("logRetentionInDays: 14", "service.observability.logs.retention"),
        ("tracing: true", "service.observability.traces"),
        # Terraform
        ("image_uri: x", "service.image"),
        ("certificate_arn: x", "service.networking.loadBalancer.certificateArn"),
        ("deregistration_delay: 5", "service.deployment.deregistrationDelay"),
        ("redirect_to_https: true", "service.networking.loadBalancer.certificateArn"),
        ("numInstances: 2", "service.resources.desiredCount"),
        ("fullnameOverride: x", "metadata.name"),
        ("podDisruptionBudget: {}", "service.deployment.minimumHealthyPercent"),
        ("serviceMonitor: {}", "service.observability.metrics"),
        (
            "deployment: {circuitBreaker: {threshold: 3, failureThreshold: 3}}",
            "service.deployment.circuitBreaker.threshold",
        ),
    ],
)
def test_unknown_key__of_another_tool__the_key_that_does_it(service: str, meant: str) -> None:
    assert f"`{meant}`" in advice(service)


@pytest.mark.parametrize(
    ("service", "feature"),
    [
        ("restart: always", "restart policy"),
        ("hostPort: 80", "port of the host"),
        ("privileged: true", "kernel settings"),
        ("stateMachine: {}", "state machines"),
        ("region: eu-west-1", "region in a Service YAML"),
        ("cluster: main", "cluster in a Service YAML"),
        ("launchType: EC2", "launch types"),
        ("resources: {gpu: 1}", "GPUs"),
        ("autoScaling: {responseTime: 100}", "scaling by response times"),
        ("reservedConcurrency: 5", "scaling by concurrency"),
        ("deployment: {testListener: 1}", "listener for test traffic"),
        ("taskdef_overrides: []", "way to change the task definition"),
        ("publish: {}", "queues, topics"),
        ("runtime: python311", "runtimes"),
        ("requestTimeout: 30", "time limit for requests"),
        ("cpuset: 0-1", "kernel settings"),
        ("dns_search: a.b", "network settings of the container"),
        ("extends: {}", "other files or processes"),
        ("rbac: {}", "accounts in a cluster"),
        ("networking: {loadBalancer: {sslPolicy: x}}", "such setting of the load balancer"),
        ("networking: {loadBalancer: {port: 443}}", "choice of the load balancer's port"),
        ("autoScaling: {metrics: []}", "scaling policies of your own"),
        ("deployment: {order: start-first}", "such setting"),
        ("deployment: {lifecycleHooks: []}", "lifecycle hooks"),
        ("observability: {datadog: true}", "agents of other makers"),
        ("observability: {alarms: []}", "alarms of its own"),
        ("x-common: {}", "extension keys"),
    ],
)
def test_unknown_key__no_such_feature__says_so(service: str, feature: str) -> None:
    fix = advice(service)

    assert fix.startswith("FSD has no ")
    assert feature in fix
    assert "did you mean" not in fix


@pytest.mark.parametrize(
    ("service", "fix"),
    [
        ("prot: 8000", "did you mean `port`?"),
        ("healthCheck: {gracePerod: 60}", "did you mean `gracePeriod`?"),
        ("health_check: {}", "did you mean `healthCheck`?"),
        ("enviroment: {A: b}", "did you mean `environment`?"),
        ("resources: {desired_count: 2}", "did you mean `desiredCount`?"),
        ("deployment: {deregistrationDealy: 2}", "did you mean `deregistrationDelay`?"),
        ("interval: 5", "did you mean `service.healthCheck.interval`?"),
    ],
)
def test_unknown_key__slip__the_key_that_is_meant(service: str, fix: str) -> None:
    assert advice(service) == fix


@pytest.mark.parametrize(
    "service",
    ["stage2: x", "resources: {tpu: 1}", "enabled: true", "observability: {spans: 1}", "x: 1"],
)
def test_unknown_key__like_others_but_none_of_them__lists_what_is_known(service: str) -> None:
    assert advice(service).startswith("known here: ")


@pytest.mark.parametrize(
    ("key", "fix"),
    [
        ("sidecars: []", "use `service.sidecars`"),
        ("imagePullSecrets: []", "use `service.repositoryCredentials`"),
        ("sysctls: {}", "use `service.systemControls`"),
        ("stages: {}", "use `environments`"),
        ("team: x", "use `metadata.pack`"),
        ("spec: {}", "use `service`"),
    ],
)
def test_unknown_key__at_the_top(key: str, fix: str) -> None:
    (finding,) = load_manifest(f"{SMALL}{key}\n", path="service.yml").findings

    assert finding.fix.startswith(fix)


@pytest.mark.parametrize("row", FOREIGN_KEYS, ids=lambda row: row.names[0])
def test_row__says_what_is_true_of_the_language(row: ForeignKey) -> None:
    """A key that the language gets one day must not be denied."""
    assert row.use in PLACES if row.use else row.says.startswith("FSD has no ")
    for place in places(Manifest):
        under = next((str(part) for part in reversed(place[:-1]) if isinstance(part, str)), "")
        is_named = plain(str(place[-1])) in map(plain, row.names)
        denies = under in row.under or not (row.under or row.use)
        is_said = f"`{dotted(place)}`" in row.says
        assert not (is_named and denies) or is_said, f"{dotted(place)} is a key"


def test_rows__every_name_once_for_a_place() -> None:
    counted = Counter(
        (plain(name), place)
        for row in FOREIGN_KEYS
        for name in row.names
        for place in row.under or ("anywhere",)
    )

    assert [name for name, count in counted.items() if count > 1] == []


def test_find_foreign__row_for_the_place_before_the_one_for_all() -> None:
    here, anywhere = find_foreign("retries", under="healthCheck"), find_foreign("retries", under="")

    assert here is not None
    assert here.use == "service.healthCheck.unhealthyThreshold"
    assert anywhere is not None
    assert not anywhere.use
