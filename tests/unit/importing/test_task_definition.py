"""A task definition and its service as a Service YAML: nothing is dropped."""

from __future__ import annotations

import pytest

from fsd.importing.compare import compare
from fsd.importing.compiled import compile_import
from fsd.importing.files import read_files
from fsd.importing.fit import fit
from fsd.importing.reader import Imported
from fsd.importing.task_definition import read_task_definition
from fsd.importing.values import Value, listed, mapping

CONTAINER: dict[str, Value] = {
    "name": "api",
    "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:v1",
    "essential": True,
    "portMappings": [{"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}],
    "environment": [{"name": "PRICE", "value": "$5"}, {"name": "LEVEL", "value": "no"}],
    "secrets": [
        {
            "name": "KEY",
            "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/key",
        }
    ],
    "command": ["gunicorn", "app:app"],
    "user": "1000",
    "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
    "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs"},
    },
    "healthCheck": {
        "command": ["CMD-SHELL", "curl -f localhost:8000"],
        "interval": 30,
        "timeout": 5,
        "retries": 3,
    },
}
TASK: dict[str, Value] = {
    "family": "offer-api-prod",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "512",
    "memory": "1024",
    "executionRoleArn": "arn:aws:iam::123456789012:role/exec",
    "taskRoleArn": "arn:aws:iam::123456789012:role/task",
    "containerDefinitions": [CONTAINER],
}  # fmt: skip


def task(**changes: Value) -> dict[str, Value]:
    return {**TASK, "containerDefinitions": [{**CONTAINER, **changes}]}


def read(value: dict[str, Value], service: dict[str, Value] | None = None) -> Imported:
    imported = read_task_definition(value, source="task.json", pack="team", service=service)
    return fit(imported).imported


def lost(imported: Imported) -> list[str]:
    return [loss.where for loss in imported.losses]


def test_read_task_definition__usual_one__nothing_lost() -> None:
    imported = read(TASK)

    service = mapping(imported.tree["service"])
    assert lost(imported) == []
    assert imported.name == "offer-api"
    assert service["port"] == 8000
    assert service["environment"] == {"PRICE": "$$5", "LEVEL": "no"}
    assert service["resources"] == {"cpu": 512, "memory": 1024}
    assert service["init"] is True
    assert service["roles"] == {
        "task": "arn:aws:iam::123456789012:role/task",
        "execution": "arn:aws:iam::123456789012:role/exec",
    }
    assert mapping(service["healthCheck"])["command"] == "curl -f localhost:8000"


def test_compare__import_compiled_again__every_field_the_same() -> None:
    fitted = fit(read_task_definition(TASK, source="task.json", pack="team"))

    comparison = compare(TASK, compile_import(fitted).definition)

    assert comparison.different == ()
    assert "api.healthCheck" in comparison.same
    assert "taskRoleArn" in comparison.same


def test_read_task_definition__several_ports__all_of_them_and_the_same_ones_again() -> None:
    original = task(
        portMappings=[
            {"containerPort": 9000, "protocol": "tcp"},
            {"name": "redis", "containerPort": 6379},
            {"name": "web", "containerPort": 8000, "appProtocol": "http2"},
        ]
    )
    balanced: dict[str, Value] = {"loadBalancers": [{"containerPort": 8000}]}

    imported = read(original, balanced)
    again = read(compile_import(fit(imported)).definition, balanced)

    assert mapping(imported.tree["service"])["ports"] == [
        {"name": "web", "port": 8000, "protocol": "http2"},
        {"port": 9000},
        {"name": "redis", "port": 6379, "protocol": "tcp"},
    ]
    assert mapping(again.tree["service"])["ports"] == [
        {"name": "web", "port": 8000, "protocol": "http2"},
        {"name": "redis", "port": 6379, "protocol": "tcp"},
        {"port": 9000},
    ]


def test_read_task_definition__one_port_for_tcp_and_udp__udp_is_lost() -> None:
    both: list[Value] = [
        {"containerPort": 53, "protocol": "udp"},
        {"containerPort": 53, "protocol": "tcp"},
    ]

    imported = read(task(portMappings=both))

    assert mapping(imported.tree["service"])["port"] == 53
    assert [each.where for each in imported.losses] == [
        "containerDefinitions[0].portMappings[0].protocol"
    ]


def test_compare__something_is_not_said__the_field() -> None:
    original = task(privileged=True, tmp=1)
    fitted = fit(read_task_definition(original, source="task.json", pack="team"))

    comparison = compare(original, compile_import(fitted).definition)

    assert [(each.field, each.compiled) for each in comparison.different] == [
        ("api.privileged", "nothing"),
        ("api.tmp", "nothing"),
    ]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"privileged": True}, "containerDefinitions[0].privileged"),
        ({"neverHeardOf": [1]}, "containerDefinitions[0].neverHeardOf"),
        ({"hostname": "a"}, "containerDefinitions[0].hostname"),
        ({"linuxParameters": {"tmpfs": [{"size": 1}]}},
         "containerDefinitions[0].linuxParameters.tmpfs"),
        ({"healthCheck": {"command": ["CMD", "a"], "interval": "${X}"}},
         "containerDefinitions[0].healthCheck.interval"),
        ({"portMappings": [{"containerPort": "${PORT}"}]},
         "containerDefinitions[0].portMappings[0].containerPort"),
        ({"logConfiguration": {"logDriver": "splunk", "options": {"a": "b"}}},
         "containerDefinitions[0].logConfiguration"),
        ({"memory": 256}, "containerDefinitions[0].memory"),
        ({"secrets": [{"name": "KEY", "valueFrom": "REPLACE ME"}]}, "service.secrets.KEY"),
    ],
)  # fmt: skip
def test_read_task_definition__what_has_no_place__is_lost_with_its_place(
    changes: dict[str, Value], where: str
) -> None:
    assert lost(read(task(**changes))) == [where]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"pidMode": "task"}, "pidMode"),
        ({"networkMode": "bridge"}, "networkMode"),
        ({"requiresCompatibilities": ["EC2"]}, "requiresCompatibilities"),
        ({"cpu": "${CPU}"}, "cpu"),
        ({"cpu": "128"}, "cpu, memory"),
        ({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}},
         "runtimePlatform.operatingSystemFamily"),
        ({"volumes": [{"name": "unused"}]}, "volumes.unused"),
        ({"newThing": 1}, "newThing"),
    ],
)  # fmt: skip
def test_read_task_definition__of_the_task__is_lost_with_its_place(
    changes: dict[str, Value], where: str
) -> None:
    assert where in lost(read({**TASK, **changes}))


def test_read_task_definition__sizes_in_words__units() -> None:
    imported = read({**TASK, "cpu": "1 vCPU", "memory": "2 GB"})

    assert mapping(imported.tree["service"])["resources"] == {"cpu": 1024, "memory": 2048}


def test_read_task_definition__placeholders_of_templates__a_valid_file() -> None:
    value = task(image="<IMAGE>", environment=[{"name": "A", "value": "${B}"}])
    fitted = fit(read_task_definition(value, source="task.json", pack="team"))

    assert [each.message for each in fitted.findings if each.severity == "error"] == []
    assert "A: $${B}" in fitted.text


@pytest.mark.parametrize("wrap", [lambda v: {"taskDefinition": v, "tags": []}, lambda v: v])
def test_read_files__answer_of_describe__as_the_definition(wrap: object) -> None:
    assert callable(wrap)
    import json

    found, losses = read_files({"a.json": json.dumps(wrap(TASK))}, pack="", folder="x")

    assert [each.name for each in found] == ["offer-api"]
    assert losses == []


def test_read_files__properties_of_a_template__as_the_definition() -> None:
    text = "Family: web\nContainerDefinitions:\n  - Name: web\n    Image: a/b:1\n"
    found, _ = read_files({"a.yml": text}, pack="", folder="x")

    assert mapping(found[0].tree["service"])["image"] == "a/b:1"


SERVICE: dict[str, Value] = {
    "serviceName": "offers",
    "taskDefinition": "offer-api-prod:3",
    "desiredCount": 3,
    "launchType": "FARGATE",
    "enableExecuteCommand": True,
    "healthCheckGracePeriodSeconds": 90,
    "deploymentConfiguration": {
        "minimumHealthyPercent": 50,
        "maximumPercent": 150,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    },
    "networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "ENABLED"}},
}


def test_read_task_definition__with_its_service__both() -> None:
    imported = read(TASK, SERVICE)

    service = mapping(imported.tree["service"])
    assert imported.name == "offers"
    assert mapping(service["resources"])["desiredCount"] == 3
    assert service["exec"] is True
    assert service["networking"] == {"vpc": False}
    assert mapping(service["deployment"])["maximumPercent"] == 150
    assert lost(imported) == []


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"launchType": "EC2"}, "service.launchType"),
        ({"serviceRegistries": [{"registryArn": "a"}]}, "service.serviceRegistries"),
        ({"loadBalancers": [{"targetGroupArn": "arn", "containerPort": 1}]},
         "service.loadBalancers[0].targetGroupArn"),
        ({"schedulingStrategy": "DAEMON"}, "service.schedulingStrategy"),
        ({"placementStrategy": [{"type": "spread"}]}, "service.placementStrategy"),
    ],
)  # fmt: skip
def test_read_task_definition__service_with_more__is_lost(
    changes: dict[str, Value], where: str
) -> None:
    assert lost(read(TASK, {**SERVICE, **changes})) == [where]


SHIFTS: list[tuple[dict[str, Value], dict[str, Value], list[str]]] = [
    (
        {
            "strategy": "CANARY",
            "bakeTimeInMinutes": 0,
            "canaryConfiguration": {"canaryPercent": 25.5, "canaryBakeTimeInMinutes": 30},
        },
        {"strategy": "canary", "bakeTime": 0, "canary": {"percent": 26, "bakeTime": 30}},
        ["service.deploymentConfiguration.canaryConfiguration.canaryPercent"],
    ),
    (
        {
            "strategy": "LINEAR",
            "linearConfiguration": {"stepPercent": 20.0, "stepBakeTimeInMinutes": 0},
        },
        {"strategy": "linear", "linear": {"stepPercent": 20, "stepBakeTime": 0}},
        [],
    ),
    ({"strategy": "ROLLING", "bakeTimeInMinutes": 0}, {}, []),
]


@pytest.mark.parametrize(("given", "expected", "losses"), SHIFTS, ids=["canary", "linear", "none"])
def test_read_task_definition__traffic_shift__with_its_settings(
    given: dict[str, Value], expected: dict[str, Value], losses: list[str]
) -> None:
    balancers: list[Value] = [{"containerName": "api", "containerPort": 8000}]
    imported = read(TASK, {"deploymentConfiguration": given, "loadBalancers": balancers})

    assert mapping(mapping(imported.tree["service"]).get("deployment")) == expected
    assert lost(imported) == losses


def test_read_task_definition__two_target_groups__says_what_fsd_makes() -> None:
    balancer: dict[str, Value] = {"advancedConfiguration": {"alternateTargetGroupArn": "arn"}}

    (loss,) = read(TASK, {"loadBalancers": [balancer]}).losses

    assert loss.where == "service.loadBalancers[0].advancedConfiguration"
    assert loss.reason == "FSD makes a second target group and a rule of its own"


def test_read_task_definition__spot__base_and_percent() -> None:
    providers: list[Value] = [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]
    imported = read(TASK, {"capacityProviderStrategy": providers})

    resources = mapping(mapping(imported.tree["service"])["resources"])
    assert resources["spot"] == {"base": 1, "percent": 75}


def test_read_task_definition__sidecar__in_the_words_of_the_language() -> None:
    sidecar: dict[str, Value] = {
        "name": "agent",
        "image": "a/agent:1",
        "essential": False,
        "dependsOn": [{"containerName": "api", "condition": "START"}],
    }
    value: dict[str, Value] = {**TASK, "containerDefinitions": [sidecar, CONTAINER]}

    imported = read_task_definition(value, source="task.json", pack="team")

    service = mapping(imported.tree["service"])
    assert service["port"] == 8000  # the one that listens is the service
    assert listed(service["sidecars"]) == [
        {
            "name": "agent",
            "essential": False,
            "image": "a/agent:1",
            "dependsOn": {"api": "START"},
        }
    ]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "null", "a: [", '{"containerDefinitions": 1}', "\0", "services: 1",
     '{"containerDefinitions": [1, null, "x"]}', "runtime: 1\nrun: 2", "type: Backend Service"],
)  # fmt: skip
def test_read_files__odd_text__never_fails(text: str) -> None:
    found, _ = read_files({"a.yml": text}, pack="", folder="x")

    assert all(fit(each).text for each in found)


@pytest.mark.parametrize(
    ("cpu", "memory", "size"),
    [("128", "128", (256, 512)), ("512", "500", (512, 1024)), ("1024", None, (1024, 2048))],
)
def test_read_task_definition__size_of_an_instance__the_least_of_fargate_and_said(
    cpu: str, memory: str | None, size: tuple[int, int]
) -> None:
    value: dict[str, Value] = {**TASK, "cpu": cpu, "memory": memory}

    imported = read_task_definition(value, source="task.json", pack="team")

    resources = mapping(mapping(imported.tree["service"])["resources"])
    assert (resources["cpu"], resources["memory"]) == size
    assert [loss.where for loss in imported.losses] == ["cpu, memory"]


def test_read_task_definition__names_of_ecs__as_the_language_spells_them_and_the_same() -> None:
    sidecar: dict[str, Value] = {"name": "log_router", "image": "a/b:1", "essential": False}
    main: dict[str, Value] = {
        **CONTAINER,
        "dependsOn": [{"containerName": "log_router", "condition": "START"}],
        "mountPoints": [{"sourceVolume": "wpData", "containerPath": "/a"}],
    }
    value: dict[str, Value] = {
        **TASK,
        "taskRoleArn": "shop",
        "containerDefinitions": [main, sidecar],
        "volumes": [{"name": "wpData"}],
    }

    fitted = fit(read_task_definition(value, source="task.json", pack="team"))

    service = mapping(fitted.imported.tree["service"])
    assert fitted.imported.losses == ()
    assert service["dependsOn"] == {"log-router": "START"}
    assert mapping(service["roles"])["task"] == "arn:aws:iam::${AWS_ACCOUNT_ID}:role/shop"
    comparison = compare(value, compile_import(fitted).definition)
    assert [each.field for each in comparison.different] == ["taskRoleArn"]


PAUSE: dict[str, Value] = {
    "targetType": "PAUSE",
    "lifecycleStages": ["POST_SCALE_UP"],
    "timeoutConfiguration": {"timeoutInMinutes": 90, "action": "CONTINUE"},
}
FUNCTION: dict[str, Value] = {
    "hookTargetArn": "arn:aws:lambda:eu-west-1:123456789012:function:check",
    "roleArn": "arn:aws:iam::123456789012:role/hooks",
    "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
}
HOOKS = "service.deploymentConfiguration.lifecycleHooks"


@pytest.mark.parametrize(
    ("strategy", "hooks", "approval", "losses"),
    [
        ("BLUE_GREEN", [PAUSE], {"stage": "postScaleUp", "timeout": "90m", "then": "continue"}, []),
        (
            "BLUE_GREEN",
            [FUNCTION, PAUSE],
            {"stage": "postScaleUp", "timeout": "90m", "then": "continue"},
            [(f"{HOOKS}[0].hookTargetArn", "FSD has no key for it, and leaves it on the service")],
        ),
        (
            "CANARY",
            [
                {**PAUSE, "lifecycleStages": ["POST_SCALE_UP", "POST_PRODUCTION_TRAFFIC_SHIFT"]},
                PAUSE,
            ],
            {"stage": "postScaleUp", "timeout": "90m", "then": "continue"},
            [
                (
                    f"{HOOKS}[0].lifecycleStages",
                    "FSD pauses once, at one of POST_SCALE_UP, PRE_PRODUCTION_TRAFFIC_SHIFT, "
                    "POST_PRODUCTION_TRAFFIC_SHIFT, and it gets postScaleUp",
                ),
                (f"{HOOKS}[1].lifecycleStages", "a deployment has one approval"),
            ],
        ),
        (
            "ROLLING",
            [PAUSE, FUNCTION],
            None,
            [
                (f"{HOOKS}[0].lifecycleStages", "a rolling one does not pause"),
                (
                    f"{HOOKS}[1].hookTargetArn",
                    "it makes a rolling deployment fail, so that FSD takes it from the service",
                ),
            ],
        ),
    ],
)
def test_read_task_definition__lifecycle_hooks__an_approval_or_the_exact_loss(
    strategy: str, hooks: list[Value], approval: Value, losses: list[tuple[str, str]]
) -> None:
    config: Value = {"strategy": strategy, "lifecycleHooks": hooks}

    balancers: list[Value] = [{"containerName": "api", "containerPort": 8000}]
    imported = read(TASK, {"deploymentConfiguration": config, "loadBalancers": balancers})

    service = mapping(imported.tree["service"])
    assert mapping(service.get("deployment")).get("approval") == approval
    assert [(loss.where, loss.reason) for loss in imported.losses] == losses


ROUTER: dict[str, Value] = {
    "name": "log_router",
    "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:2.32.0",
    "essential": True,
    "memoryReservation": 50,
    "user": "0",
    "portMappings": [],
    "environment": [],
    "firelensConfiguration": {"type": "fluentbit"},
}
TO_FIREHOSE: Value = {"logDriver": "awsfirelens", "options": {"Name": "firehose"}}


def routed(**router: Value) -> dict[str, Value]:
    """The router is the first container, and nothing listens."""
    own = {**CONTAINER, "logConfiguration": TO_FIREHOSE, "portMappings": []}
    return {**TASK, "containerDefinitions": [{**ROUTER, **router}, own]}


@pytest.mark.parametrize(
    ("router", "losses"),
    [
        ({}, []),
        ({"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/logs:3"}, ["image"]),
        ({"environment": [{"name": "A", "value": "b"}]}, ["environment"]),
        ({"secrets": [{"name": "A", "valueFrom": "/a"}]}, ["secrets"]),
        ({"essential": False}, ["essential"]),
        (
            {
                "firelensConfiguration": {
                    "type": "fluentbit",
                    "options": {"config-file-type": "file", "config-file-value": "/x.conf"},
                }
            },
            [
                "firelensConfiguration.options.config-file-type",
                "firelensConfiguration.options.config-file-value",
            ],
        ),
    ],
)
def test_read_task_definition__log_router__is_the_driver_and_its_own_settings_are_said(
    router: dict[str, Value], losses: list[str]
) -> None:
    imported = read(routed(**router))

    service = mapping(imported.tree["service"])
    assert service["image"] == CONTAINER["image"]
    assert "sidecars" not in service
    assert mapping(service["observability"])["logs"] == {
        "driver": "awsfirelens",
        "options": {"Name": "firehose"},
    }
    assert lost(imported) == [f"containerDefinitions[0].{each}" for each in losses]


def test_read_task_definition__sidecar_with_logs_of_its_own__is_said() -> None:
    def proxy(name: str, logs: Value) -> Value:
        return {"name": name, "image": "a/b:1", "essential": False, "logConfiguration": logs}

    group: Value = {"logDriver": "awslogs", "options": {"awslogs-group": "/team/proxy"}}
    value = {
        **TASK,
        "containerDefinitions": [CONTAINER, proxy("a", group), proxy("b", TO_FIREHOSE)],
    }

    assert lost(read(value)) == [
        "containerDefinitions[1].logConfiguration.options.awslogs-group",
        "containerDefinitions[2].logConfiguration",
    ]


def test_read_task_definition__firelens_configuration_is_null__no_router() -> None:
    imported = read(task(firelensConfiguration=None))

    assert mapping(imported.tree["service"])["image"] == CONTAINER["image"]
    assert lost(imported) == []
