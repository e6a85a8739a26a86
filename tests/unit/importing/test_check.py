"""`fsd import --check`: what a source says against what its import compiles to."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fsd.importing.compare import Comparison, compare_all
from fsd.importing.compiled import compile_import
from fsd.importing.files import read_files
from fsd.importing.fit import fit
from fsd.importing.reader import ANY_ENVIRONMENT

COPILOT = """name: api
type: Load Balanced Web Service
http:
  path: offers
  alias: [b.example.com, a.example.com]
  healthcheck: {path: /up, interval: 10s, timeout: 5s, healthy_threshold: 3, grace_period: 1m30s,
    success_codes: 200-299}
  deregistration_delay: 20s
  stickiness: true
image:
  location: me/api:1
  port: 8080
  healthcheck: {command: ["CMD-SHELL", "curl -f localhost"], interval: 10s, retries: 2}
  labels: {team: offers}
  depends_on: {proxy: start}
command: python -m api --now
cpu: 256
memory: 512
platform: linux/arm64
count: {range: 2-6, cpu_percentage: 70, requests: 1000, cooldown: {in: 60s, out: 30s}}
exec: true
network: {connect: true, vpc: {placement: private, security_groups: [sg-0a1b2c3d]}}
deployment: {rolling: recreate, rollback_alarms: [slow]}
logging: {retention: 14}
storage: {ephemeral: 25, volumes: {media: {path: /media, efs: {id: fs-0a1b2c3d, root_dir: /m}}}}
variables: {LEVEL: info, WHERE: '${COPILOT_ENVIRONMENT_NAME}', COST: $5}
secrets:
  DB: /copilot/${COPILOT_APPLICATION_NAME}/${COPILOT_ENVIRONMENT_NAME}/secrets/DB
  KEY: {secretsmanager: 'shop/key:value::'}
sidecars:
  proxy: {image: me/proxy:2, port: 90, essential: false, variables: {A: b},
    mount_points: [{source_volume: media, path: /m, read_only: true}]}
environments:
  prod: {variables: {LEVEL: warn}, http: {healthcheck: {healthy_threshold: 4}}}
"""
APP_RUNNER = """version: 1.0
runtime: python311
build: {commands: {build: [pip install .]}}
run:
  command: uvicorn app:app > /dev/null
  network: {port: 9000, env: APP_PORT}
  env: [{name: LEVEL, value: info}]
  secrets: [{name: KEY, value-from: /shop/key}]
"""
COMPOSE = """services:
  web:
    image: me/web:${TAG:-3}
    command: gunicorn --bind 0.0.0.0:8000 app:app
    entrypoint: [sh, -c]
    ports: ["80:8000"]
    environment: [LEVEL=info, "COST=$$5"]
    healthcheck: {test: [CMD, curl, localhost], interval: 10s, timeout: 3s, retries: 4}
    user: "1000"
    working_dir: /app
    read_only: true
    init: true
    cap_drop: [ALL]
    ulimits: {nofile: 1024, nproc: {soft: 10, hard: 20}}
    stop_grace_period: 1m
    labels: [team=offers]
    deploy: {replicas: 2, resources: {limits: {cpus: "0.5"}}}
    depends_on: [db]
"""


def check(text: str, *, path: str, environment: str = ANY_ENVIRONMENT) -> Comparison:
    texts = {path: text, "copilot/.workspace": "application: shop\n"}
    (found,), _ = read_files(texts, pack="team", folder="shop")
    compiled = compile_import(fit(found), environment)
    return compare_all(compiled.original, compiled.definition, compiled.around)


@pytest.mark.parametrize("environment", [ANY_ENVIRONMENT, "prod"])
def test_compare_all__copilot__every_field_as_copilot_makes_it(environment: str) -> None:
    found = check(COPILOT, path="copilot/api/manifest.yml", environment=environment)

    assert found.different == ()
    assert found.uncompared == ()
    assert {
        "cpu", "runtimePlatform", "ephemeralStorage", "volumes", "api.image", "api.portMappings",
        "api.command", "api.environment", "api.secrets", "api.healthCheck", "api.dependsOn",
        "api.dockerLabels", "api.mountPoints", "proxy.image", "proxy.essential",
        "proxy.mountPoints", "proxy.portMappings", "targetGroup.HealthCheckPath",
        "targetGroup.HealthCheckIntervalSeconds", "targetGroup.HealthyThresholdCount",
        "targetGroup.Matcher", "targetGroup.deregistration_delay", "targetGroup.stickiness",
        "rule.hosts", "rule.paths", "loadBalancer.Scheme", "scaling.minimum", "scaling.maximum",
        "scaling.cpu", "scaling.requests", "scaling.scale_in_cooldown", "service.connect",
        "service.enableExecuteCommand", "service.securityGroups", "service.maximumPercent",
        "service.alarms", "service.healthCheckGracePeriodSeconds", "logGroup.RetentionInDays",
    } <= {*found.same}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "path", "fields", "uncompared"),
    [
        (
            APP_RUNNER,
            "shop/apprunner.yaml",
            {"command", "environment", "secrets", "portMappings"},
            ["runtime", "build"],
        ),
        (
            COMPOSE,
            "compose.yml",
            {
                "image", "command", "entryPoint", "environment", "portMappings", "healthCheck",
                "user", "workingDirectory", "readonlyRootFilesystem", "linuxParameters", "ulimits",
                "stopTimeout", "dockerLabels",
            },
            ["services.web.deploy.resources", "services.web.depends_on"],
        ),
    ],
    ids=["app-runner", "compose"],
)  # fmt: skip
def test_compare_all__other_sources__field_by_field(
    text: str, path: str, fields: set[str], uncompared: list[str]
) -> None:
    found = check(text, path=path)

    assert found.different == ()
    assert {each.partition(".")[2] for each in found.same} >= fields
    assert [loss.where for loss in found.uncompared] == uncompared
    assert all(loss.reason for loss in found.uncompared)


def test_compare_all__a_field_that_the_import_lost__is_different() -> None:
    text = COPILOT.replace("range: 2-6", "range: 2-6, memory_percentage: 700")

    found = check(text, path="copilot/api/manifest.yml")

    assert [each.field for each in found.different] == ["scaling.memory"]


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"publish": "{topics: [{name: a}]}"}, "publish"),
        ({"count": "{range: 1-2, response_time: 2s}"}, "count.response_time"),
        ({"image": "{build: ./Dockerfile, port: 80}"}, "image.build"),
        ({"variables": "{A: {from_cfn: x}}"}, "variables.A"),
        ({"nothing_of_copilot": "1"}, "nothing_of_copilot"),
    ],
)
def test_compare_all__what_has_no_counterpart__is_said(more: Mapping[str, str], where: str) -> None:
    text = "name: api\ntype: Backend Service\n" + "\n".join(f"{k}: {v}" for k, v in more.items())

    found = check(text, path="copilot/api/manifest.yml")

    assert [loss.where for loss in found.uncompared] == [where]
