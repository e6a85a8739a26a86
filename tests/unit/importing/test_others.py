"""Copilot, compose and App Runner as Service YAMLs."""

from __future__ import annotations

import json

import pytest

from fsd.importing.files import read_files
from fsd.importing.fit import fit
from fsd.importing.reader import Imported, Loss
from fsd.importing.values import Value, mapping


def read(text: str, **more: str) -> list[Imported]:
    texts = {"copilot/api/manifest.yml": text, **{k.replace("__", "/"): v for k, v in more.items()}}
    found, _ = read_files(texts, pack="team", folder="shop")
    return [fit(each).imported for each in found]


def one(text: str, **more: str) -> tuple[dict[str, Value], list[str]]:
    (imported,) = read(text, **more)
    return imported.tree, [loss.where for loss in imported.losses]


WEB = """name: api
type: Load Balanced Web Service
http:
  path: '/'
  healthcheck: {path: /health, interval: 10s, timeout: 5s, grace_period: 1m30s}
  deregistration_delay: 20s
image: {build: backend/Dockerfile, port: 8080}
cpu: 256
memory: 512
count: {range: 2-6, cpu_percentage: 70, cooldown: {in: 60s}}
exec: true
network: {connect: true}
variables: {LEVEL: info, WHERE: '${COPILOT_ENVIRONMENT_NAME}'}
secrets:
  DB: /copilot/${COPILOT_APPLICATION_NAME}/${COPILOT_ENVIRONMENT_NAME}/secrets/DB
environments:
  prod: {count: 4, variables: {LEVEL: warn}}
"""


def test_read_copilot__web_service__with_its_environments() -> None:
    tree, lost = one(WEB, **{"copilot__.workspace": "application: shop\n"})

    assert lost == []
    assert tree["metadata"] == {"name": "api", "pack": "team"}
    assert tree["service"] == {
        "type": "ecs",
        "port": 8080,
        "healthCheck": {"path": "/health", "interval": 10, "timeout": 5, "gracePeriod": 90},
        "build": {"dockerfile": "backend/Dockerfile", "context": "backend"},
        "networking": {"connect": {"name": "api"}, "loadBalancer": {"internal": False}},
        "deployment": {"deregistrationDelay": 20},
        "resources": {
            "cpu": 256, "memory": 512, "desiredCount": 2, "minCapacity": 2, "maxCapacity": 6,
        },
        "exec": True,
        "environment": {"LEVEL": "info", "WHERE": "${ENV}"},
        "secrets": [{"name": "DB", "valueFrom": "/copilot/shop/${ENV}/secrets/DB"}],
        "autoScaling": {"scaleInCooldown": 60, "targetCPUUtilization": 70},
    }  # fmt: skip
    assert tree["environments"] == {
        "prod": {"environment": {"LEVEL": "warn"}, "resources": {"desiredCount": 4}}
    }


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("subscribe: {topics: [{name: a, service: b}]}", "subscribe"),
        ("publish: {topics: [{name: a}]}", "publish"),
        ("taskdef_overrides: [{path: Cpu, value: 1}]", "taskdef_overrides"),
        ("env_file: .env", "env_file"),
        ("variables: {A: {from_cfn: x}}", "variables.A"),
        ("secrets: {A: {from_cfn: x}}", "secrets.A"),
        ("nothing_of_copilot: 1", "nothing_of_copilot"),
        ("count: {range: 1-2, response_time: 2s}", "count.response_time"),
        ("image: {build: a, credentials: arn}", "image.credentials"),
        ("environments: {prod: {env_file: a}}", "environments.prod.env_file"),
        ("environments: {prod: {strange: a}}", "environments.prod.strange"),
        ("storage: {volumes: {a: {efs: true, path: /a}}}", "storage.volumes.a.efs"),
    ],
)
def test_read_copilot__what_has_no_place__is_lost(more: str, where: str) -> None:
    _, lost = one(f"name: api\ntype: Backend Service\n{more}\n")

    assert where in lost


def test_read_copilot__worker_that_is_connected__only_reaches_others() -> None:
    tree, lost = one("name: w\ntype: Worker Service\nimage: {build: .}\nnetwork: {connect: true}\n")

    assert lost == []
    assert mapping(mapping(tree["service"])["networking"])["connect"] == {}


def test_fit__a_value_of_one_environment_is_refused__it_alone_goes() -> None:
    text = (
        "name: a\ntype: Backend Service\nimage: {build: ., port: 80}\nhttp: {path: /}\n"
        "environments: {prod: {cpu: 300, memory: 512}}\n"
    )
    tree, lost = one(text)

    assert lost != []
    assert all(where.startswith("environments.prod.") for where in lost)
    networking = mapping(mapping(tree["service"])["networking"])
    assert networking == {"loadBalancer": {"internal": True}}


def test_read_copilot__static_site__is_none() -> None:
    found, losses = read_files({"a.yml": "name: s\ntype: Static Site\n"}, pack="", folder="x")

    assert found == []
    assert [loss.where for loss in losses] == ["a.yml"]


JOB = """name: report
type: Scheduled Job
on: {schedule: '@daily'}
retries: 3
timeout: 1h30m
cpu: 256
memory: 512
image: {build: ./Dockerfile}
command: python report.py
environments:
  test: {on: {schedule: none}}
  prod: {on: {schedule: 'cron(0 6 ? * MON-FRI *)'}, timeout: 30m}
"""


def test_read_copilot__job__with_its_schedules() -> None:
    tree, lost = one(JOB)

    assert tree["kind"] == "Job"
    assert tree["service"] == {
        "type": "ecs",
        "command": ["python", "report.py"],
        "resources": {"cpu": 256, "memory": 512},
        "schedule": "cron(0 0 * * ? *)",
        "timeout": "90m",
        "retries": 3,
    }
    prod = {"schedule": "cron(0 6 ? * MON-FRI *)", "timeout": "30m"}
    assert tree["environments"] == {"prod": prod}
    assert lost == ["retries", "environments.test.on.schedule"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("@every 1h30m", "rate(90 minutes)"),
        ("@every 24h", "rate(1 day)"),
        ("@weekly", "cron(0 0 ? * SUN *)"),
        ("0 9 * * 1-5", "cron(0 9 ? * MON-FRI *)"),
        ("0 9 * * TUE-SAT", "cron(0 9 ? * TUE-SAT *)"),
        ("15 12 * * 0", "cron(15 12 ? * SUN *)"),
        ("*/5 * * * *", "cron(*/5 * * * ? *)"),
        ("rate(10 minutes)", "rate(10 minutes)"),
        ("cron(0 0 12 L * ? 2021)", None),
        ("0 0 13 * 5", None),
        ("@every 30s", None),
        ("none", None),
    ],
)
def test_read_copilot__schedule__as_aws_has_it_or_lost(written: str, expected: str | None) -> None:
    tree, lost = one(JOB.replace("@daily", written))

    assert mapping(tree["service"]).get("schedule") == expected
    is_lost = expected is None and written != "none"
    assert ("on.schedule" in lost or "service.schedule" in lost) is is_lost


TASK = """{"family": "report", "cpu": "256", "memory": "512", "networkMode": "awsvpc",
"requiresCompatibilities": ["FARGATE"],
"containerDefinitions": [{"name": "report", "image": "a/report:1", "essential": true}]}"""
ECS = "arn:aws:ecs:eu-west-1:123456789012"
INPUT = json.dumps({"containerOverrides": [{"name": "report", "command": ["run"]}]})
SCHEDULE = json.dumps(
    {
        "Name": "nightly",
        "State": "ENABLED",
        "ScheduleExpression": "cron(0 2 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Paris",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": f"{ECS}:cluster/main",
            "RoleArn": "arn:role",
            "Input": INPUT,
            "RetryPolicy": {"MaximumRetryAttempts": 5, "MaximumEventAgeInSeconds": 86400},
            "EcsParameters": {
                "TaskDefinitionArn": f"{ECS}:task-definition/report:3",
                "TaskCount": 2,
                "LaunchType": "FARGATE",
                "NetworkConfiguration": {
                    "awsvpcConfiguration": {
                        "Subnets": ["subnet-0a1b2c3d"],
                        "SecurityGroups": ["sg-0a1b2c3d"],
                        "AssignPublicIp": "DISABLED",
                    }
                },
            },
        },
    }
)
RULE = json.dumps(
    {
        "Name": "hourly",
        "Arn": "arn:aws:events:eu-west-1:123456789012:rule/hourly",
        "ScheduleExpression": "rate(1 hour)",
        "State": "ENABLED",
        "EventBusName": "default",
    }
)
STARTS = {"TaskCount": 1, "TaskDefinitionArn": f"{ECS}:task-definition/report"}
TARGETS = json.dumps(
    {"Targets": [{"Id": "1", "Arn": f"{ECS}:cluster/main", "EcsParameters": STARTS}]}
)


def scheduled(**texts: str) -> tuple[Imported, list[str]]:
    found, _ = read_files({f"{k}.json": v for k, v in texts.items()}, pack="team", folder="x")
    (imported,) = [fit(each).imported for each in found]
    return imported, [loss.where for loss in imported.losses]


def test_read_files__scheduler_and_task_definition__a_job() -> None:
    imported, lost = scheduled(task=TASK, schedule=SCHEDULE)

    assert imported.tree["kind"] == "Job"
    assert imported.tree["service"] == {
        "type": "ecs",
        "resources": {"cpu": 256, "memory": 512},
        "image": "a/report:1",
        "command": ["run"],
        "schedule": "cron(0 2 * * ? *)",
        "timezone": "Europe/Paris",
        "retries": 5,
        "networking": {"subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"]},
    }
    assert lost == ["schedule.Target.EcsParameters.TaskCount"]


def test_read_files__rule_and_its_targets_in_two_files__a_job() -> None:
    imported, lost = scheduled(task=TASK, rule=RULE, targets=TARGETS)

    assert mapping(imported.tree["service"])["schedule"] == "rate(1 hour)"
    assert lost == []


def test_read_files__schedule_that_is_disabled__by_hand() -> None:
    imported, _ = scheduled(task=TASK, schedule=SCHEDULE.replace("ENABLED", "DISABLED"))

    assert imported.tree["kind"] == "Job"
    assert "schedule" not in mapping(imported.tree["service"])


def test_read_files__schedule_alone__says_what_belongs_to_it() -> None:
    found, losses = read_files({"a.json": SCHEDULE}, pack="", folder="x")

    assert found == []
    assert [loss.value for loss in losses] == ["a schedule"]


COMPOSE = """x-common: &common
  build: {context: ./app, args: {A: "${B:-1}"}}
  environment: [LEVEL=info, "KEY=${KEY}"]
services:
  web:
    <<: *common
    command: gunicorn app:app
    ports: ["80:8000"]
    healthcheck: {test: curl -f localhost, interval: 10s, retries: 4}
    deploy: {replicas: 2, resources: {limits: {cpus: "0.5", memory: 900M}}}
    stop_grace_period: 1m
    depends_on: [db]
  worker: {<<: *common, command: [celery, worker], volumes: ["./a:/a"]}
  db: {image: "postgres:16"}
volumes: {data: }
"""


def read_compose(text: str) -> tuple[list[Imported], list[Loss]]:
    found, losses = read_files({"compose.yml": text}, pack="team", folder="shop")
    return [fit(each).imported for each in found], losses


def test_read_compose__services_of_ones_own__each_a_file() -> None:
    (web, worker), losses = read_compose(COMPOSE)

    assert web.tree["service"] == {
        "type": "ecs",
        "build": {"context": "app", "dockerfile": "app/Dockerfile", "args": {"A": "1"}},
        "command": ["gunicorn", "app:app"],
        "port": 8000,
        "environment": {"LEVEL": "info", "KEY": ""},
        "healthCheck": {"command": "curl -f localhost", "interval": 10, "unhealthyThreshold": 4},
        "resources": {"desiredCount": 2, "cpu": 512, "memory": 1024},
        "stopTimeout": 60,
        "networking": {"loadBalancer": {"internal": True}, "connect": {"name": "web"}},
    }
    assert [loss.where for loss in web.losses] == ["services.web.depends_on"]
    assert mapping(worker.tree["service"])["command"] == ["celery", "worker"]
    assert [loss.where for loss in worker.losses] == ["services.worker.volumes"]
    assert [loss.where for loss in losses] == ["services.db", "volumes"]
    assert web.notes == ("no value in the file: KEY",)


@pytest.mark.parametrize(
    "key",
    ["networks: [a]", "privileged: true", "env_file: .env", "devices: [a]", "gpus: all",
     "extra_hosts: [a]", "never_heard_of: 1", "shm_size: 1g", "secrets: [a]"],
)  # fmt: skip
def test_read_compose__what_has_no_place__is_lost(key: str) -> None:
    (imported,), _ = read_compose(f"services:\n  a:\n    image: me/a\n    {key}\n")

    assert [loss.where for loss in imported.losses] == [f"services.a.{key.partition(':')[0]}"]


def test_read_compose__part_of_another_file__said_so() -> None:
    found, losses = read_compose("services:\n  a: {ports: ['1:1']}\n")

    assert found == []
    assert losses[0].reason == "it has no image and no build: another file says what it is"


APP_RUNNER = """version: 1.0
runtime: python311
build:
  commands: {build: [pip install -r requirements.txt]}
run:
  runtime-version: 3.11
  command: uvicorn app:app --port 9000
  network: {port: 9000, env: APP_PORT}
  env: [{name: LEVEL, value: info}]
  secrets:
    - {name: KEY, value-from: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:k-a1B2c3"}
  pre-run: [python migrate.py]
"""


def test_read_app_runner__file__service_and_a_dockerfile() -> None:
    found, _ = read_files({"shop/apprunner.yaml": APP_RUNNER}, pack="team", folder="x")
    imported = fit(found[0]).imported

    service = mapping(imported.tree["service"])
    assert imported.name == "shop"
    assert service["port"] == 9000
    assert service["command"] == ["uvicorn", "app:app", "--port", "9000"]
    assert service["environment"] == {"LEVEL": "info", "APP_PORT": "9000"}
    assert [loss.where for loss in imported.losses] == ["run.pre-run"]
    assert "FROM python:3.11-slim; WORKDIR /app; COPY . .; RUN pip install" in imported.notes[0]


@pytest.mark.parametrize(("written", "found", "lost"), [("'0'", 2, 1), ("3s", 3, 0)])
def test_read_compose__no_time_to_stop__the_least_that_fargate_has(
    written: str, found: int, lost: int
) -> None:
    text = f"services: {{web: {{image: me/web, stop_grace_period: {written}}}}}\n"

    (imported,) = read(text)

    assert mapping(imported.tree["service"])["stopTimeout"] == found
    assert len(imported.losses) == lost
