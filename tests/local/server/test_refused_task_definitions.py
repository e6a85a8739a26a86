"""RegisterTaskDefinition accepts what Fargate runs, and refuses the rest as AWS does.

Each row is a change of a definition that passes. The words are AWS's where a public page has them:
see `fsd_local.ecs.unsupported` and `fsd_local.ecs.dependencies`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.server.conftest import Clients
from tests.local.server.refusals import refusal

Json = dict[str, Any]
ROLE = "arn:aws:iam::{account}:role/execution"
LOGS = {
    "awslogs-group": "/ecs/app",
    "awslogs-region": "us-east-1",
    "awslogs-stream-prefix": "app",
}


def definition(account: str, **changes: Any) -> Json:
    whole = {
        "family": "app",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE.format(account=account),
        "containerDefinitions": [app()],
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def app(**changes: Any) -> Json:
    return {"name": "app", "image": "app:v1", **changes}


def one(**changes: Any) -> Json:
    """The definition's only container, changed."""
    return {"containerDefinitions": [app(**changes)]}


def two(first: Json, second: Json) -> Json:
    return {"containerDefinitions": [app(**first), app(name="init", **second)]}


def needs(name: str, condition: str) -> Json:
    return {"dependsOn": [{"containerName": name, "condition": condition}]}


def linux(**members: Any) -> Json:
    return one(linuxParameters=members)


def volume(**members: Any) -> Json:
    mount = {"sourceVolume": "data", "containerPath": "/data"}
    return {"volumes": [{"name": "data", **members}], **one(mountPoints=[mount])}


def logs(driver: str, **options: str) -> Json:
    return one(logConfiguration={"logDriver": driver, "options": options})


NOT_ON_FARGATE = "Fargate compatible task definitions do not support "
NOT_IN_AWSVPC = "not supported on container when networkMode=awsvpc."
EC2: Json = {"requiresCompatibilities": ["EC2"], "networkMode": None, "cpu": None, "memory": None}
REFUSED: dict[str, tuple[Json, str]] = {
    # What Fargate has no host for.
    "privileged": (one(privileged=True), "‘privileged’ setting be ‘false’ at the container level"),
    "links": (one(links=["other"]), "Links are not supported when networkMode=awsvpc."),
    "extra hosts": (
        one(extraHosts=[{"hostname": "a", "ipAddress": "10.0.0.1"}]),
        f"Extra hosts are {NOT_IN_AWSVPC}",
    ),
    "hostname": (one(hostname="a"), f"hostname is {NOT_IN_AWSVPC}"),
    "networking off": (one(disableNetworking=True), f"Disable Networking is {NOT_IN_AWSVPC}"),
    "DNS servers": (one(dnsServers=["10.0.0.2"]), f"DNS servers are {NOT_IN_AWSVPC}"),
    "DNS search domains": (one(dnsSearchDomains=["a.b"]), NOT_IN_AWSVPC),
    "security options": (
        one(dockerSecurityOptions=["label:x"]),
        f"{NOT_ON_FARGATE}dockerSecurityOptions",
    ),
    "devices": (linux(devices=[{"hostPath": "/dev/null"}]), f"{NOT_ON_FARGATE}devices"),
    "shared memory": (linux(sharedMemorySize=64), f"{NOT_ON_FARGATE}sharedMemorySize"),
    "tmpfs": (linux(tmpfs=[{"containerPath": "/t", "size": 1}]), f"{NOT_ON_FARGATE}tmpfs"),
    "swap": (linux(maxSwap=0), f"{NOT_ON_FARGATE}maxSwap"),
    "swappiness": (linux(swappiness=10), f"{NOT_ON_FARGATE}swappiness"),
    "capability": (linux(capabilities={"add": ["NET_ADMIN"]}), "NET_ADMIN is not allowed on Farga"),
    "GPU": (
        one(resourceRequirements=[{"type": "GPU", "value": "1"}]),
        "do not support GPU resource requirements.",
    ),
    "host's processes": ({"pidMode": "host"}, "do not support pidMode 'host'."),
    "host's IPC": ({"ipcMode": "task"}, f"{NOT_ON_FARGATE}ipcMode"),
    "placement": (
        {"placementConstraints": [{"type": "memberOf", "expression": "x == y"}]},
        f"{NOT_ON_FARGATE}constraints",
    ),
    "inference": (
        {"inferenceAccelerators": [{"deviceName": "a", "deviceType": "eia2.medium"}]},
        "Unsupported field 'inferenceAccelerators'",
    ),
    "bridge": ({"networkMode": "bridge"}, "Fargate only supports network mode ‘awsvpc’."),
    "no network mode": ({"networkMode": None}, "Fargate only supports network mode ‘awsvpc’."),
    # Volumes.
    "host's folder": (volume(host={"sourcePath": "/data"}), f"{NOT_ON_FARGATE}sourcePath"),
    "Docker volume": (
        volume(dockerVolumeConfiguration={"scope": "task"}),
        f"{NOT_ON_FARGATE}dockerVolumeConfiguration",
    ),
    "unknown volume": (
        one(mountPoints=[{"sourceVolume": "nope", "containerPath": "/x"}]),
        "Unknown volume 'nope'.",
    ),
    "volume that nobody mounts": (
        {"volumes": [{"name": "data", "configuredAtLaunch": True}]},
        "Volumes [data] are not referenced by any of the containers",
    ),
    # Sizes.
    "little disk": ({"ephemeralStorage": {"sizeInGiB": 15}}, "size should be at least 21"),
    "default disk": ({"ephemeralStorage": {"sizeInGiB": 20}}, "size should be at least 21"),
    "much disk": ({"ephemeralStorage": {"sizeInGiB": 201}}, "size should be at most 200"),
    "containers' cpu": (two({"cpu": 200}, {"cpu": 57}), "The sum of all container 'cpu' values"),
    "container's memory": (one(memory=513), "'memory' setting for container 'app' is greater"),
    "reservation": (one(memory=64, memoryReservation=65), "greater than or equal to 'memoryRes"),
    "no cpu": ({"cpu": None}, "Fargate requires that 'cpu' be defined at the task level."),
    "no memory": (
        {"memory": None, **one(memory=128)},
        "Fargate requires that 'memory' be defined at the task level.",
    ),
    "no memory at all": ({"memory": None}, "At least one of 'memory' or 'memoryReservation' must"),
    "no such size": ({"cpu": "1024", "memory": "1024"}, "No Fargate configuration exists"),
    "small Windows": (
        {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}},
        "No Fargate configuration exists",
    ),
    "eleven containers": (
        {"containerDefinitions": [app(name=f"c{number}") for number in range(11)]},
        "Too many containers",
    ),
    # Logs.
    "json-file": (
        logs("json-file"),
        "json-file is not a valid log driver. Must be one of [awslogs,splunk,awsfirelens]",
    ),
    "fluentd": (logs("fluentd"), "fluentd is not a valid log driver"),
    "no stream prefix": (
        logs("awslogs", **{k: v for k, v in LOGS.items() if k != "awslogs-stream-prefix"}),
        "options to include awslogs-stream-prefix",
    ),
    "no log group": (logs("awslogs"), "Log driver awslogs requires options: awslogs-group"),
    "awslogs without a role": (
        {"executionRoleArn": None, **logs("awslogs", **LOGS)},
        "execution role ARN to support log driver awslogs.",
    ),
    # Containers that wait for each other.
    "waits for nobody": (one(**needs("nope", "START")), "Cannot depend on container + 'nope'"),
    "waits for itself": (one(**needs("app", "START")), "should not have a cycle"),
    "wait for each other": (
        two(needs("init", "START"), needs("app", "START")),
        "should not have a cycle",
    ),
    "waits for an essential one's end": (
        two(needs("init", "SUCCESS"), {}),
        "SUCCESS or COMPLETE condition cannot be an essential container",
    ),
    "waits for a check that is not there": (
        two(needs("init", "HEALTHY"), {}),
        "HEALTHY condition must have health check configured",
    ),
    # Roles.
    "execution role by name": ({"executionRoleArn": "execution"}, "Role is not valid"),
    "empty role": ({"executionRoleArn": ""}, "Role is not valid"),
    "a user as role": ({"taskRoleArn": "arn:aws:iam::123456789012:user/me"}, "Role is not valid"),
    "a cluster as role": ({"taskRoleArn": "arn:aws:ecs:eu-west-1:1:cluster/a"}, "Role is not vali"),
    # Ports, checks, restarts.
    "host port": (
        one(portMappings=[{"containerPort": 80, "hostPort": 8080}]),
        "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
    ),
    "one port name twice": (
        one(
            portMappings=[
                {"name": "web", "containerPort": 80},
                {"name": "web", "containerPort": 81},
            ]
        ),
        "When networkMode=awsvpc, port mapping name is already used",
    ),
    "port and range": (
        one(portMappings=[{"containerPort": 80, "containerPortRange": "80-81"}]),
        "cannot specify both single port and port range.",
    ),
    "rare check": (
        one(healthCheck={"command": ["CMD", "true"], "interval": 301}),
        "Health check interval must be less than or equal to the maximum allowed value 300 "
        "for container 'app'",
    ),
    "rare restarts": (
        one(restartPolicy={"enabled": True, "restartAttemptPeriod": 59}),
        "The 'restartAttemptPeriod' setting for container 'app' must be between 60 and 1800.",
    ),
    "no essential container": (one(essential=False), "doesn't have any essential container"),
    "environment file elsewhere": (
        one(environmentFiles=[{"type": "s3", "value": "https://a/b.env"}]),
        "Invalid arn syntax.",
    ),
    # On instances.
    "disk on EC2": (
        {**EC2, **one(memory=64), "ephemeralStorage": {"sizeInGiB": 21}},
        "Tasks using the EC2 launch type do not support EphemeralStorage.",
    ),
    "EC2 without memory": (EC2, "At least one of 'memory' or 'memoryReservation' must be specifie"),
    "host mode": (
        {
            **EC2,
            "networkMode": "host",
            **one(memory=64, portMappings=[{"containerPort": 80, "hostPort": 81}]),
        },
        "When networkMode=host, the host ports and container ports in port mappings must match.",
    ),
    # AWS has it, the embedded AWS does not.
    "EBS": (volume(configuredAtLaunch=True), "The embedded AWS does not attach Amazon EBS volum"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_register__what_aws_refuses__client_exception(
    aws: Clients, account: str, name: str
) -> None:
    changes, text = REFUSED[name]
    ecs = aws("ecs")

    code, message = refusal(ecs.register_task_definition, **definition(account, **changes))

    assert code == "ClientException"
    assert text in message
    assert ecs.list_task_definitions()["taskDefinitionArns"] == []


ON_FARGATE, ON_EC2 = ["EC2", "FARGATE"], ["EC2"]
ACCEPTED: dict[str, tuple[Json, list[str]]] = {
    "as it is": ({}, ON_FARGATE),
    "no compatibilities asked for": ({"requiresCompatibilities": None}, ON_FARGATE),
    "awslogs": (logs("awslogs", **LOGS), ON_FARGATE),
    "SYS_PTRACE": (
        linux(capabilities={"add": ["SYS_PTRACE"]}, initProcessEnabled=True),
        ON_FARGATE,
    ),
    "kernel settings": (
        one(systemControls=[{"namespace": "net.core.somaxconn", "value": "1024"}]),
        ON_FARGATE,
    ),
    "faults by request": ({"enableFaultInjection": True}, ON_FARGATE),
    "processes of the task": ({"pidMode": "task"}, ON_FARGATE),
    "least disk": ({"ephemeralStorage": {"sizeInGiB": 21}}, ON_FARGATE),
    "most disk": ({"ephemeralStorage": {"sizeInGiB": 200}}, ON_FARGATE),
    "all of the cpu": (two({"cpu": 200}, {"cpu": 56}), ON_FARGATE),
    "all of the memory": (one(memory=512, memoryReservation=512), ON_FARGATE),
    "init container": (
        two(needs("init", "SUCCESS"), {"essential": False}),
        ON_FARGATE,
    ),
    "task role by name": ({"taskRoleArn": "app"}, ON_FARGATE),
    "role with a path": (
        {"taskRoleArn": "arn:aws:iam::123456789012:role/service/app"},
        ON_FARGATE,
    ),
    "volume of the task": (volume(), ON_FARGATE),
    "volume with an empty host": (volume(host={}), ON_FARGATE),
    "bridge on EC2": (
        {**EC2, **one(memory=64, portMappings=[{"containerPort": 80, "hostPort": 8080}])},
        ON_EC2,
    ),
    "awsvpc without a size": ({**EC2, "networkMode": "awsvpc", **one(memory=64)}, ON_EC2),
    "privileged on EC2": ({**EC2, **one(memory=64, privileged=True)}, ON_EC2),
    "task memory on EC2": ({**EC2, "memory": "512"}, ON_EC2),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_register__what_aws_takes__says_where_it_can_run(
    aws: Clients, account: str, name: str
) -> None:
    changes, compatibilities = ACCEPTED[name]

    answer = aws("ecs").register_task_definition(**definition(account, **changes))

    assert answer["taskDefinition"]["compatibilities"] == compatibilities
