"""A value of a kind that no key takes, at each key that a reader knows: kept, or listed as lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy

import pytest
import yaml

from fsd.importing.files import read_files
from fsd.importing.running_service import read_running
from fsd.importing.values import Value
from tests.unit.floor.described import describe
from tests.unit.floor.test_floor import compiled

MARK = "strange"
NUMBER = 31_337
WRONG: dict[str, Value] = {
    "text": MARK,
    "number": NUMBER,
    "list": [MARK],
    "section": {MARK: MARK},
    "function": {"Fn::Sub": MARK},
    "list of lists": [[MARK]],
    "list of sections": [{MARK: MARK}],
    "list of functions": [{"Ref": MARK}],
}
COPILOT = """
name: api
type: Load Balanced Web Service
http:
  path: /a
  alias: a.example.com
  hosted_zone: Z1
  healthcheck: {path: /, port: 80, interval: 10s, timeout: 5s, healthy_threshold: 2,
    unhealthy_threshold: 2, grace_period: 10s, success_codes: '200'}
  deregistration_delay: 20s
  stickiness: true
  allowed_source_ips: [10.0.0.0/8]
  version: http1
  target_port: 80
  additional_rules: [{path: b, alias: a.example.com}]
image:
  location: a/b:1
  port: 80
  healthcheck: {command: [CMD, a], interval: 10s, timeout: 5s, retries: 2, start_period: 5s}
  labels: {a: b}
  credentials: a
  depends_on: {proxy: start}
command: python a.py
entrypoint: [sh]
cpu: 256
memory: 512
platform: {osfamily: linux, architecture: arm64}
count:
  range: {min: 1, max: 4, spot_from: 2}
  cpu_percentage: {value: 70, cooldown: {in: 80s, out: 160s}}
  cooldown: {in: 10s, out: 10s}
exec: true
network: {connect: {alias: a}, vpc: {placement: {subnets: [subnet-1]}, security_groups: [sg-1]}}
deployment: {rolling: recreate, rollback_alarms: [a]}
logging: {retention: 14, destination: {Name: cloudwatch}}
storage:
  ephemeral: 30
  readonly_fs: true
  volumes: {a: {path: /a, read_only: true, efs: {id: fs-1, root_dir: /, auth: {iam: true,
    access_point_id: fsap-1}}}}
variables: {A: b}
secrets: {A: /a, B: {secretsmanager: a}}
sidecars:
  proxy: {image: a/c:1, port: 90, essential: false, command: [a], entrypoint: [a], labels: {a: b},
    credentialsParameter: a, variables: {A: b},
    secrets: {C: /c}, healthcheck: {command: [CMD, a]}, depends_on: {api: start},
    mount_points: [{source_volume: a, path: /a, read_only: true}]}
publish: {topics: [{name: a, fifo: true}]}
taskdef_overrides: [{path: 'ContainerDefinitions[0].User', value: a}]
observability: {tracing: awsxray}
environments: {prod: {cpu: 512, memory: 1024}}
"""
TASK = """
family: api
networkMode: awsvpc
requiresCompatibilities: [FARGATE]
cpu: '256'
memory: '512'
enableFaultInjection: true
runtimePlatform: {cpuArchitecture: ARM64, operatingSystemFamily: LINUX}
ephemeralStorage: {sizeInGiB: 30}
taskRoleArn: arn:aws:iam::123456789012:role/a
executionRoleArn: arn:aws:iam::123456789012:role/b
tags: [{key: a, value: b}]
volumes:
  - name: a
    efsVolumeConfiguration: {fileSystemId: fs-1, rootDirectory: /a,
      authorizationConfig: {accessPointId: fsap-1}}
containerDefinitions:
  - name: api
    image: a/b:1
    portMappings: [{name: a, containerPort: 80, hostPort: 80, protocol: tcp, appProtocol: http}]
    command: [a]
    entryPoint: [sh]
    environment: [{name: A, value: b}]
    secrets: [{name: B, valueFrom: /b}]
    environmentFiles: [{value: 'arn:aws:s3:::a/b.env', type: s3}]
    healthCheck: {command: [CMD, a], interval: 5, timeout: 5, retries: 2, startPeriod: 5}
    dependsOn: [{containerName: proxy, condition: START}]
    stopTimeout: 30
    user: a
    workingDirectory: /a
    readonlyRootFilesystem: true
    ulimits: [{name: nofile, softLimit: 1, hardLimit: 2}]
    dockerLabels: {a: b}
    repositoryCredentials: {credentialsParameter: a}
    systemControls: [{namespace: net.a, value: b}]
    linuxParameters: {initProcessEnabled: true, capabilities: {add: [SYS_PTRACE], drop: [ALL]}}
    mountPoints: [{sourceVolume: a, containerPath: /a, readOnly: true}]
    logConfiguration: {logDriver: awsfirelens, options: {Name: cloudwatch}}
  - name: proxy
    image: a/c:1
    entryPoint: [sh]
    user: a
    workingDirectory: /a
    stopTimeout: 30
    readonlyRootFilesystem: true
    dockerLabels: {a: b}
    environmentFiles: [{value: 'arn:aws:s3:::a/b.env', type: s3}]
    ulimits: [{name: nofile, softLimit: 1, hardLimit: 2}]
    linuxParameters: {initProcessEnabled: true, capabilities: {add: [SYS_PTRACE], drop: [ALL]}}
    systemControls: [{namespace: net.b, value: b}]
    cpu: 64
    memory: 64
    portMappings: [{containerPort: 90}]
    environment: [{name: A, value: b}]
"""
COMPOSE = """
services:
  api:
    build: {context: app, dockerfile: docker/Dockerfile, target: run, args: {A: b}}
    command: [python, a.py]
    entrypoint: [sh]
    ports: ['80:8000', {target: 9000, published: 90}]
    expose: ['9100']
    environment: {A: b}
    healthcheck: {test: [CMD, a], interval: 10s, timeout: 5s, retries: 2, start_period: 5s}
    deploy: {replicas: 2, resources: {limits: {cpus: '0.5', memory: 512M}}}
    labels: {a: b}
    user: a
    working_dir: /a
    init: true
    read_only: true
    cap_add: [SYS_PTRACE]
    cap_drop: [ALL]
    ulimits: {nofile: {soft: 1, hard: 2}, core: 0}
    sysctls: {net.a: '1'}
    stop_grace_period: 10s
    platform: linux/arm64
    env_file: [{path: a.env}]
    depends_on: {db: {condition: service_started}}
    networks: [a]
    volumes: ['./a:/a']
  worker:
    image: a/b:1
    extends: {service: api}
    environment: [A=b]
    labels: [a=b]
"""
APP_RUNNER = """
version: '1.0'
runtime: python311
build:
  commands: {pre-build: [a], build: [b], post-build: [c]}
  env: [{name: A, value: b}]
run:
  runtime-version: '3.11'
  command: python a.py
  network: {port: 9000, env: APP_PORT}
  env: [{name: A, value: b}]
  secrets:
    - {name: B, value-from: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:k-a1B2c3'}
  pre-run: [a]
  post-run: [b]
"""
SERVICE = """
serviceName: api
taskDefinition: api:1
desiredCount: 2
launchType: FARGATE
schedulingStrategy: REPLICA
enableExecuteCommand: true
availabilityZoneRebalancing: DISABLED
healthCheckGracePeriodSeconds: 30
deploymentController: {type: ECS}
capacityProviderStrategy:
  - {capacityProvider: FARGATE, weight: 1, base: 1}
  - {capacityProvider: FARGATE_SPOT, weight: 4}
deploymentConfiguration:
  deploymentCircuitBreaker: {enable: true, rollback: true,
    thresholdConfiguration: {type: COUNT, value: 5}}
  minimumHealthyPercent: 50
  maximumPercent: 150
  alarms: {alarmNames: [a], enable: true, rollback: true}
  bakeTimeInMinutes: 3
  strategy: ROLLING
  earlySuccessCriteria: {enable: true, healthyPercent: 50, sourceServiceRevisionCleanup: DEFERRED}
networkConfiguration:
  awsvpcConfiguration: {subnets: [subnet-0a1b2c3d], securityGroups: [sg-0a1b2c3d],
    assignPublicIp: DISABLED}
serviceConnectConfiguration:
  enabled: true
  namespace: a
  services: [{portName: http, discoveryName: a, clientAliases: [{port: 80, dnsName: a}]}]
loadBalancers:
  - {targetGroupArn: 'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/1',
    containerName: api, containerPort: 80}
"""
BESIDE = {"family": "api", "containerDefinitions": [{"name": "api", "image": "a/b:1"}]}
SOURCES = {
    "copilot": ("copilot/api/manifest.yml", COPILOT),
    "task definition": ("t.json", TASK),
    "compose": ("compose.yml", COMPOSE),
    "App Runner": ("apprunner.yaml", APP_RUNNER),
    "service definition": ("s.json", SERVICE),
}
# What means the same whatever stands there, or gives way to another key of these files.
LEFT_OUT = frozenset(
    {
        "containerDefinitions",  # without it the file is no task definition
        "containerDefinitions[0].name",  # FSD names the service's own container
        "containerDefinitions[0].portMappings[0].name",  # a service with one port needs no name
        "family",  # a number is spelled as a name
        "storage.volumes.a.efs.auth.iam",  # FSD always turns it on
        "publish.topics[0].fifo",  # true, or a section: either way a FIFO topic
        "image.port",  # the load balancer names a port of its own here
        "count.range.spot_from",  # one task less is the base
        "count.cooldown.in",  # the target's own cooldown wins
        "count.cooldown.out",
        "services.api.ports[1].published",  # a port of this machine
    }
)
# The same, of a text or a number alone: another kind there is listed.
ANY_TEXT = frozenset(
    {
        "version",  # of the format, and there is one
        "taskDefinition",  # which one it is was settled by the files that are read
        "serviceName",  # a number is spelled as a name
        "serviceConnectConfiguration.namespace",  # the environment's takes its place
        "serviceConnectConfiguration.services[0].portName",  # FSD names the port itself
        "serviceConnectConfiguration.services[0].discoveryName",  # the alias is what others call
        "loadBalancers[0].containerName",  # which container it is was settled by its port
        "loadBalancers[0].containerPort",
        "capacityProviderStrategy[0].weight",  # becomes a percentage
        "capacityProviderStrategy[1].weight",
        "services.worker.image",  # the build that it extends comes first
        "services.api.deploy.resources.limits.memory",  # bytes become the least size
    }
)


def places(value: Value, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Of all keys, and of all elements of lists."""
    if isinstance(value, dict):
        inner: list[tuple[str | int, Value]] = [*value.items()]
    else:
        inner = [*enumerate(value)] if isinstance(value, list) else []
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


def named(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)[1:]


def changed(value: Value, path: tuple[str | int, ...], wrong: Value) -> Value:
    found = deepcopy(value)
    node = found
    for part in path[:-1]:
        node = node[part]  # type: ignore[index]  # made by `places`
    node[path[-1]] = deepcopy(wrong)  # type: ignore[index]  # made by `places`
    return found


def is_dropped(file: str, value: Value, path: tuple[str | int, ...]) -> bool:
    """Whether neither the Service YAML nor the list of what is lost has it."""
    texts = {file: json.dumps(value), "copilot/.workspace": "application: shop\n"}
    if file == "s.json":
        texts["t.json"] = json.dumps(BESIDE)
    found, losses = read_files(texts, pack="team", folder="shop")
    place = named(path)
    for each in found:
        lost = [(loss.where.removeprefix("service."), loss.value) for loss in each.losses]
        said = f"{each.tree}{lost}{each.notes}"
        if MARK in said.lower() or str(NUMBER) in said:
            return False
        if any(where.startswith(place) for where, _ in lost):
            return False
    return bool(found) and not any(loss.where.startswith(place) for loss in losses)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("wrong", WRONG)
def test_import__wrong_kind_at_each_key__is_kept_or_listed(source: str, wrong: str) -> None:
    file, text = SOURCES[source]
    value: Value = yaml.safe_load(text)

    dropped = [
        named(path)
        for path in places(value)
        if named(path) not in (LEFT_OUT if wrong not in ("text", "number") else LEFT_OUT | ANY_TEXT)
        and is_dropped(file, changed(value, path, WRONG[wrong]), path)
    ]

    assert dropped == []


RUNNING = describe(
    compiled(
        "{exec: true, networking: {loadBalancer: {internal: false, idleTimeout: 90}, connect: {}}, "
        "resources: {minCapacity: 1, maxCapacity: 4}, autoScaling: {targetCPUUtilization: 50}}"
    )
)
JOB = describe(compiled("{schedule: rate(1 hour), timeout: 30m, retries: 1}", "Job"))


@pytest.mark.parametrize("source", ["service", "job"])
@pytest.mark.parametrize("wrong", WRONG)
def test_import__running_service_with_a_wrong_kind_at_each_key__is_read(
    source: str, wrong: str
) -> None:
    """AWS never answers so, but a traceback would help nobody."""
    value: Value = json.loads(json.dumps(RUNNING if source == "service" else JOB))

    for path in places(value):
        answer = changed(value, path, WRONG[wrong])
        assert isinstance(answer, dict)
        assert read_running(answer, source="dev/api", pack="").tree["service"], named(path)
