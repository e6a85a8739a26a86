"""Copilot, compose and App Runner as Service YAMLs."""

from __future__ import annotations

import json

import pytest

from fsd.importing.files import read_files
from fsd.importing.fit import fit
from fsd.importing.reader import Imported, Loss
from fsd.importing.values import Value, listed, mapping, text_of


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
        "prod": {
            "environment": {"LEVEL": "warn"},
            "resources": {"desiredCount": 4, "minCapacity": None, "maxCapacity": None},
            "autoScaling": None,
        }
    }


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("subscribe: {topics: [{name: a, service: b}]}", "subscribe"),
        ("publish: {topics: [{name: a}]}", "publish.topics"),
        ("taskdef_overrides: [{path: 'A[b]', value: 1}]", "taskdef_overrides[0].path"),
        (
            "taskdef_overrides: [{path: 'ContainerDefinitions[0].A', value: 1}]",
            "taskdef_overrides.container.A",
        ),
        ("http: {path: /}\nnlb: {port: 443/tcp}", "nlb"),
        ("nlb: {port: 443/tls}\nimage: {build: ., port: 80}", "nlb.port"),
        ("http: {path: /, version: grpc}\nimage: {port: 80}", "http.version"),
        ("network: {vpc: {security_groups: [{from_cfn: a}]}}", "network.vpc.security_groups"),
        ("platform: windows/amd64", "platform"),
        ("env_file: .env", "env_file"),
        ("variables: {A: {from_cfn: x}}", "variables.A"),
        ("secrets: {A: {from_cfn: x}}", "secrets.A"),
        ("nothing_of_copilot: 1", "nothing_of_copilot"),
        ("count: {range: 1-2, response_time: 2s}", "count.response_time"),
        ("environments: {prod: {env_file: a}}", "environments.prod.env_file"),
        ("environments: {prod: {strange: a}}", "environments.prod.strange"),
        ("storage: {volumes: {a: {efs: true, path: /a}}}", "storage.volumes.a.efs"),
    ],
)
def test_read_copilot__what_has_no_place__is_lost(more: str, where: str) -> None:
    _, lost = one(f"name: api\ntype: Backend Service\n{more}\n")

    assert where in lost


def test_read_copilot__environment_adds_to_lists__the_others_stay() -> None:
    tree, lost = one(
        """name: api
type: Backend Service
image: {build: ., port: 80}
secrets: {A: /a, B: B}
sidecars: {proxy: {image: me/proxy, port: 90}}
storage: {volumes: {m: {path: /m, efs: {id: fs-0a1b2c3d}}}}
environments:
  prod:
    image: {location: me/api:1}
    secrets: {C: /c}
    sidecars: {proxy: {image: me/proxy:2}}
    storage: {volumes: {m: {efs: {id: fs-1a1b2c3d}, read_only: false}}}
"""
    )

    assert lost == []
    ssm = "arn:aws:ssm:${AWS_REGION}:${AWS_ACCOUNT_ID}:parameter/B"
    both = [{"name": "A", "valueFrom": "/a"}, {"name": "B", "valueFrom": ssm}]
    assert mapping(tree["service"])["secrets"] == both
    assert mapping(tree["environments"])["prod"] == {
        "build": None,
        "image": "me/api:1",
        "secrets": [*both, {"name": "C", "valueFrom": "/c"}],
        "sidecars": [{"name": "proxy", "image": "me/proxy:2", "port": 90}],
        "volumes": [{"name": "m", "path": "/m", "efs": {"fileSystem": "fs-1a1b2c3d"}}],
    }
    (volume,) = listed(mapping(tree["service"])["volumes"])
    assert mapping(volume)["readOnly"] is True  # as Copilot has it where nothing is said


@pytest.mark.parametrize(
    ("rules", "hosts", "paths", "lost"),
    [
        ("[{path: b, alias: a.io}]", ["a.io"], ["/a", "/a/*", "/b", "/b/*"], []),
        ("[{path: a, alias: b.io}]", ["a.io", "b.io"], ["/a", "/a/*"], []),
        ("[{path: a, alias: a.io, healthcheck: /up}]", ["a.io"], ["/a", "/a/*"], []),
        ("[{path: /, alias: a.io}]", ["a.io"], [], []),
        (
            "[{path: b, alias: b.io, target_port: 90}]",
            ["a.io"],
            ["/a", "/a/*"],
            ["http.additional_rules[0]." + each for each in ("path", "alias", "target_port")],
        ),
    ],
)
def test_read_copilot__additional_rules__of_the_same_target(
    rules: str, hosts: list[str], paths: list[str], lost: list[str]
) -> None:
    http = f"{{path: a, alias: a.io, healthcheck: /up, additional_rules: {rules}}}"
    tree, found = one(f"name: a\ntype: Backend Service\nimage: {{port: 80}}\nhttp: {http}\n")

    balancer = mapping(mapping(mapping(tree["service"])["networking"])["loadBalancer"])
    assert balancer["hosts"] == hosts
    assert balancer.get("paths", []) == paths
    assert found == lost


def test_read_copilot__network_load_balancer_alone__tcp() -> None:
    text = "name: a\ntype: Load Balanced Web Service\nhttp: false\nimage: {build: ., port: 443}\n"
    tree, lost = one(f"{text}nlb: {{port: 443/tcp, healthcheck: {{port: '80', interval: 15s}}}}\n")

    service = mapping(tree["service"])
    assert lost == []
    assert service["ports"] == [{"port": 443, "protocol": "tcp"}]
    assert service["healthCheck"] == {"protocol": "tcp", "port": 80, "interval": 15}
    balancer = mapping(mapping(service["networking"])["loadBalancer"])
    assert balancer == {"type": "network", "internal": False}


def test_read_copilot__patches_of_the_task_definition__as_its_own_keys() -> None:
    path = "ContainerDefinitions[0]"
    tree, lost = one(
        f"""name: a
type: Backend Service
image: {{build: .}}
taskdef_overrides:
  - {{path: '{path}.Ulimits[-].Name', value: nofile}}
  - {{path: '{path}.Ulimits[0].SoftLimit', value: 1024}}
  - {{path: '{path}.Ulimits[0].HardLimit', value: 2048}}
  - {{path: 'EphemeralStorage.SizeInGiB', value: 30}}
  - {{path: TaskRoleArn, value: shop}}
"""
    )

    service = mapping(tree["service"])
    assert lost == []
    assert service["ulimits"] == [{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}]
    assert mapping(service["resources"])["ephemeralStorage"] == 30
    assert service["roles"] == {"task": "arn:aws:iam::${AWS_ACCOUNT_ID}:role/shop"}


def test_read_copilot__sidecar__with_its_entry_point_and_labels() -> None:
    tree, lost = one(WEB + "sidecars: {proxy: {image: a/b:1, entrypoint: [sh], labels: {a: b}}}\n")

    assert lost == ["service.secrets.DB"]
    assert mapping(tree["service"])["sidecars"] == [
        {"name": "proxy", "image": "a/b:1", "entryPoint": ["sh"], "dockerLabels": {"a": "b"}}
    ]


def test_read_copilot__topics__named_and_told() -> None:
    text = (
        "name: api\ntype: Worker Service\npublish: {topics: [{name: a}, {name: b, fifo: true}]}\n"
    )
    tree, lost = one(text, **{"copilot__.workspace": "application: shop\n"})

    assert lost == []
    assert tree["dependencies"] == [
        {"type": "aws_sns_topic", "name": name, "permissions": ["sns:Publish"]}
        for name in ("shop-${ENV}-api-a", "shop-${ENV}-api-b.fifo")
    ]
    arns = text_of(mapping(mapping(tree["service"])["environment"])["COPILOT_SNS_TOPIC_ARNS"])
    arn = "arn:aws:sns:${AWS_REGION}:${AWS_ACCOUNT_ID}:shop-${ENV}-api-"
    assert json.loads(arns) == {"a": f"{arn}a", "b": f"{arn}b.fifo"}


@pytest.mark.parametrize(
    ("more", "key", "value"),
    [
        ("http: {path: /, version: http1}", "port", 80),
        (
            "storage: {volumes: {wpData: {path: /a, read_only: false}}}",
            "volumes",
            [{"name": "wp-data", "path": "/a"}],
        ),
        ("observability: {tracing: awsxray}", "observability", {"traces": {"enabled": True}}),
    ],
)
def test_read_copilot__what_the_language_has__is_kept(more: str, key: str, value: Value) -> None:
    tree, lost = one(f"name: a\ntype: Backend Service\nimage: {{build: ., port: 80}}\n{more}\n")

    assert lost == []
    assert mapping(tree["service"])[key] == value


def test_read_copilot__image_of_a_private_registry__with_its_credentials() -> None:
    tree, lost = one(
        "name: a\ntype: Backend Service\n"
        "image: {location: ghcr.io/a/b:1, port: 80, credentials: team/ghcr}\n"
    )

    assert lost == []
    secret = "arn:aws:secretsmanager:${AWS_REGION}:${AWS_ACCOUNT_ID}:secret:team/ghcr"
    assert mapping(tree["service"])["repositoryCredentials"] == secret


def test_read_copilot__two_checks_of_other_rhythm__the_one_that_is_not_kept_is_said() -> None:
    image = "{build: ., port: 80, healthcheck: {command: [CMD, a], interval: 9s}}"
    http = "{path: /, healthcheck: {interval: 20s}}"
    _, lost = one(f"name: a\ntype: Backend Service\nimage: {image}\nhttp: {http}\n")

    assert lost == ["image.healthcheck.interval"]


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
    assert tree["environments"] == {"test": {"schedule": None}, "prod": prod}
    assert lost == ["retries"]


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
    imported, lost = scheduled(task=TASK, schedule=SCHEDULE.replace("ENABLED", "DISABLED"))

    assert imported.tree["kind"] == "Job"
    assert "schedule" not in mapping(imported.tree["service"])
    assert lost[:2] == ["schedule.ScheduleExpression", "schedule.ScheduleExpressionTimezone"]


def test_read_files__second_schedule_of_a_task__lost_with_its_name() -> None:
    other = SCHEDULE.replace("nightly", "weekly").replace("0 2 * * ?", "0 3 ? * 2")
    found, _ = read_files({"a.json": TASK, "b.json": SCHEDULE, "c.json": other}, pack="", folder="")

    (imported,) = found
    assert mapping(imported.tree["service"])["schedule"] == "cron(0 2 * * ? *)"
    assert imported.losses[-1].value == "weekly: cron(0 3 ? * 2 *)"


@pytest.mark.parametrize(
    ("container", "command", "lost"),
    [("log", None, ["run"]), ("app", ["run"], [])],
    ids=["sidecar", "main"],
)
def test_read_files__input_of_a_task_with_two_containers__each_its_own(
    container: str, command: Value, lost: list[str]
) -> None:
    task = json.loads(TASK)
    task["containerDefinitions"] = [
        {"name": "app", "image": "a/report:1"},
        {"name": "log", "image": "a/log:1", "essential": False},
    ]
    given = SCHEDULE.replace('\\"report\\"', f'\\"{container}\\"')

    imported, _ = scheduled(task=json.dumps(task), schedule=given)

    assert mapping(imported.tree["service"]).get("command") == command
    assert [loss.value for loss in imported.losses if "Input" in loss.where] == [
        json.dumps(each) for each in [lost] if each
    ]


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
    assert losses[0].reason == (
        "it has no image and no build: another file says what it is, and `docker compose config` "
        "prints both in one"
    )


def test_read_compose__image_is_a_variable__said_so() -> None:
    found, losses = read_compose("services:\n  a: {image: '$SHOP_IMAGE'}\n")

    assert found == []
    assert losses[0].value == "$SHOP_IMAGE"
    assert losses[0].reason.startswith("its image is a variable without a value: ")


@pytest.mark.parametrize(
    ("ports", "found", "lost"),
    [
        ("['80:8000', '5678']", [{"port": 8000}, {"port": 5678, "protocol": "tcp"}], []),
        (
            "[{name: smtp, target: 25, app_protocol: smtp}, "
            "{name: Web, target: 80, app_protocol: http}]",
            [
                {"name": "web", "port": 80, "protocol": "http"},
                {"name": "smtp", "port": 25, "protocol": "tcp"},
            ],
            [],
        ),
        ("['8000', '9000-9010:9000-9010']", [{"port": 8000}, {"port": 9000, "protocol": "tcp"}],
         ["9000-9010:9000-9010"]),
        ("['80:8000', '53:53/udp']", 8000, ["53:53/udp"]),
        ("['80:8000', {target: 53, protocol: udp}]", 8000, ['{"target": 53, "protocol": "udp"}']),
        ("['80:8000', '81:8000']", 8000, []),
        ("['$A:$B', '80:8000']", 8000, ["$A:$B"]),
    ],
    ids=["two", "names", "range", "udp", "long-udp", "twice", "no-value"],
)  # fmt: skip
def test_read_compose__ports__each_that_aws_can_have(
    ports: str, found: Value, lost: list[str]
) -> None:
    (imported,), _ = read_compose(f"services:\n  a:\n    image: me/a\n    ports: {ports}\n")

    service = mapping(imported.tree["service"])
    assert (service.get("ports") or service.get("port")) == found
    assert [loss.value for loss in imported.losses] == lost


ONCE = """services:
  migrate:
    image: me/shop:1
    command: python manage.py migrate
    environment: {LEVEL: debug, SAME: "1"}
    depends_on: {db: {condition: service_healthy}}
  assets: {image: me/shop:1, command: python manage.py collectstatic, ports: ["9"]}
  web:
    image: me/shop:1
    environment: {LEVEL: info, SAME: "1"}
    ports: ["8000"]
    depends_on: &wait
      migrate: {condition: service_completed_successfully}
      assets: {condition: service_completed_successfully}
  worker: {image: me/shop:1, command: celery worker, depends_on: *wait}
  other: {image: me/other:1, restart: "no", depends_on: {web: {condition: service_started}}}
"""


def test_read_compose__what_ends_by_itself__a_step_before_or_a_job() -> None:
    found, _ = read_compose(ONCE)

    by_name = {each.name: each for each in found}
    web, worker = (mapping(by_name[name].tree["service"]) for name in ("web", "worker"))
    assert web["beforeDeploy"] == {
        "command": ["python", "manage.py", "migrate"],
        "environment": {"LEVEL": "debug"},
    }
    assert worker["beforeDeploy"] == {"command": ["python", "manage.py", "collectstatic"]}
    assert [*by_name] == ["web", "worker", "other"]
    assert "migrate runs before each deployment, as `beforeDeploy`" in by_name["web"].notes
    assert "services.migrate.depends_on" in [loss.where for loss in by_name["web"].losses]
    assert "services.other.restart" in [loss.where for loss in by_name["other"].losses]


def test_read_compose__ends_by_itself_with_another_image__a_job() -> None:
    found, _ = read_compose(
        ONCE.replace("image: me/shop:1, command: python", "image: a/b, command: python")
    )

    by_name = {each.name: each for each in found}
    assert by_name["assets"].tree["kind"] == "Job"
    assert "port" not in mapping(by_name["assets"].tree["service"])
    assert [(loss.where, loss.value) for loss in by_name["assets"].losses] == [
        ("service.port", "9")
    ]
    assert by_name["assets"].notes == ("it ends by itself: `fsd run` starts it",)


@pytest.mark.parametrize(
    ("check", "found", "lost"),
    [
        (
            "interval: 3s, timeout: 1s, retries: 25",
            (5, 2, 10, None),
            ["interval", "timeout", "retries"],
        ),
        ("start_period: 500ms, interval: 1m30s", (90, None, None, 1), ["start_period"]),
        ("start_period: 1.5s, timeout: 20s", (None, 20, None, 2), ["start_period"]),
        (
            "start_period: 10m, start_interval: 2s",
            (None, None, None, 300),
            ["start_period", "start_interval"],
        ),
    ],
    ids=["short", "thousandths", "half", "long"],
)  # fmt: skip
def test_read_compose__check_that_aws_has_not__the_nearest_and_said(
    check: str, found: tuple[int | None, ...], lost: list[str]
) -> None:
    text = f"services:\n  a: {{image: me/a, healthcheck: {{test: curl a, {check}}}}}\n"

    (imported,), _ = read_compose(text)

    kept = mapping(mapping(imported.tree["service"])["healthCheck"])
    names = ("interval", "timeout", "unhealthyThreshold", "startPeriod")
    assert tuple(kept.get(name) for name in names) == found
    assert [loss.where.rpartition(".")[2] for loss in imported.losses] == lost


@pytest.mark.parametrize(
    ("key", "lost"),
    [
        ("tty: true", "tty"),
        ("hostname: a", "hostname"),
        ("links: [b]", "links"),
        ("restart: on-failure:3", "restart"),
        ("extends: {file: base.yml, service: a}", "extends"),
        ("labels: {traefik.enable: 'true', team: a}", "labels.traefik.enable"),
        ("deploy: {update_config: {order: start-first}}", "deploy.update_config"),
        ("deploy: {restart_policy: {condition: none}}", "deploy.restart_policy.condition"),
        ("deploy: {mode: global}", "deploy.mode"),
        ("deploy: {resources: {limits: {cpus: '64'}}}", "deploy"),
        (
            "deploy: {resources: {reservations: {devices: [{driver: nvidia}]}}}",
            "deploy.resources.reservations.devices",
        ),
    ],
    ids=["tty", "hostname", "links", "restart", "extends", "labels", "update", "policy", "mode",
         "too-large", "gpu"],
)  # fmt: skip
def test_read_compose__what_was_dropped_without_a_word__is_lost(key: str, lost: str) -> None:
    (imported,), _ = read_compose(f"services:\n  a:\n    image: me/a\n    {key}\n")

    assert [loss.where for loss in imported.losses] == [f"services.a.{lost}"]


def test_read_compose__what_is_reserved__the_size_where_nothing_is_limited() -> None:
    deploy = "{resources: {reservations: {cpus: '1', memory: 3g}}}"
    text = f"services:\n  a: {{image: me/a, deploy: {deploy}}}\n"

    (imported,), _ = read_compose(text)

    assert mapping(imported.tree["service"])["resources"] == {"cpu": 1024, "memory": 3072}


def test_read_compose__variables_inside_of_texts__are_named() -> None:
    text = """services:
  a:
    image: me/a:$TAG
    command: flower --auth=${WHO}:${PASS} --port=${PORT:-5555} $$HOME
    environment: {URL: "db://u:${DB_PASS}@db", HTTPS: no, DEBUG: True}
"""

    (imported,), _ = read_compose(text)

    service = mapping(imported.tree["service"])
    assert service["image"] == "me/a"
    assert mapping(service["environment"])["HTTPS"] == "no"
    assert mapping(service["environment"])["DEBUG"] == "true"
    assert imported.notes == ("no value in the file: TAG, WHO, PASS, DB_PASS",)


def test_read_compose__file_that_includes_others__said() -> None:
    _, losses = read_compose("include: [db.yml]\nservices:\n  a: {image: me/a}\n")

    assert [(loss.where, loss.reason) for loss in losses] == [
        ("include", "it is in another file: import what `docker compose config` prints")
    ]


@pytest.mark.parametrize("sysctls", ["{net.core.somaxconn: 1024}", "['net.core.somaxconn=1024']"])
def test_read_compose__sysctls__kernel_settings(sysctls: str) -> None:
    (imported,), _ = read_compose(f"services:\n  a:\n    image: me/a\n    sysctls: {sysctls}\n")

    assert mapping(imported.tree["service"])["systemControls"] == [
        {"namespace": "net.core.somaxconn", "value": "1024"}
    ]
    assert imported.losses == ()


def test_read_compose__sysctl_that_fargate_refuses__lost_with_the_reason() -> None:
    text = "services: {a: {image: me/a, sysctls: {vm.max_map_count: 262144, net.a: 1}}}\n"
    (imported,), _ = read_compose(text)

    (loss,) = imported.losses
    assert "vm.max_map_count" in loss.value
    assert "which is not a kernel setting that Fargate allows" in loss.reason
    assert mapping(imported.tree["service"])["systemControls"] == [
        {"namespace": "net.a", "value": "1"}
    ]


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


def _task(family: str) -> str:
    return TASK.replace("report", family)


def _rule(name: str, expression: str) -> str:
    return json.dumps({"Name": name, "ScheduleExpression": expression, "State": "ENABLED"})


def _targets(*families: str) -> str:
    found = [
        {
            "Id": family,
            "Arn": f"{ECS}:cluster/main",
            "EcsParameters": {"TaskDefinitionArn": f"{ECS}:task-definition/{family}:3"},
        }
        for family in families
    ]
    return json.dumps({"Targets": found})


def _schedules_in(**texts: str) -> tuple[dict[str, Value], list[tuple[str, str]]]:
    """Each name's schedule; what is lost of no service."""
    found, losses = read_files({f"{k}.json": v for k, v in texts.items()}, pack="", folder="x")
    when = {each.name: mapping(each.tree["service"]).get("schedule") for each in found}
    return when, [(loss.where, loss.value) for loss in losses]


def test_read_files__several_rules_and_targets__each_pair_by_its_name() -> None:
    when, lost = _schedules_in(
        mail=_task("mail"),
        report=_task("report"),
        rule_nightly=_rule("nightly", "cron(0 2 * * ? *)"),
        rule_hourly=_rule("hourly", "rate(1 hour)"),
        nightly_targets=_targets("report"),
        hourly_targets=_targets("mail"),
    )

    assert when == {"mail": "rate(1 hour)", "report": "cron(0 2 * * ? *)"}
    assert lost == []


def test_read_files__rules_and_targets_that_no_name_joins__each_is_said() -> None:
    when, lost = _schedules_in(
        report=_task("report"),
        a=_rule("nightly", "cron(0 2 * * ? *)"),
        b=_rule("hourly", "rate(1 hour)"),
        c=_targets("report"),
    )

    assert when == {"report": None}
    assert lost == [
        ("a.json", "a rule"),
        ("b.json", "a rule"),
        ("c.json", "targets of a rule"),
    ]


def test_read_files__rule_that_starts_two_tasks__two_jobs_and_each_says_so() -> None:
    texts = {
        "mail.json": _task("mail"),
        "report.json": _task("report"),
        "nightly.json": _rule("nightly", "rate(1 day)"),
        "nightly-targets.json": _targets("report", "mail"),
    }

    found, losses = read_files(texts, pack="", folder="x")

    assert [(each.name, each.tree["kind"]) for each in found] == [
        ("mail", "Job"),
        ("report", "Job"),
    ]
    for each in found:
        assert ("schedule.Targets", "2") in [(loss.where, loss.value) for loss in each.losses]
    assert losses == []
