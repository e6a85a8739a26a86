"""What a container of a compose file's service would have in a task definition.

https://docs.docker.com/reference/compose-file/services/
"""

from __future__ import annotations

import shlex

from fsd.importing.compose_file import ComposeService
from fsd.importing.original import NOT_THERE, pairs, said, task, ulimit
from fsd.importing.reader import Loss, Original, Reader, without_empty
from fsd.importing.values import Value, listed, mapping, number, text_of

_BUILT = "built from the same Dockerfile: the two images are not compared"
_SIZES = "Fargate has fewer sizes: the least that has room for it"
_OF_ONE_MACHINE = {
    "volumes": "folders and volumes of one machine: ECS has other ones",
    "depends_on": "an order of containers on one machine: services of ECS start on their own",
    "env_file": "a file of this machine: its values are not in the compose file",
    "networks": "of one machine: a task has the VPC's",
    "restart": "a service of ECS always starts a task again",
    "logging": "of Docker: ECS's awslogs takes its place",
    "profiles": "which services are started, not how",
    "secrets": "files of this machine: a task has variables from Secrets Manager",
    "configs": "files of this machine: a task has them in its image",
    "tty": "for a person at a terminal: nobody sits at a task",
    "stdin_open": "for a person at a terminal: nobody sits at a task",
    "pull_policy": "of this machine: a task pulls its image when it starts",
    "attach": "whose output compose shows",
    "extends": "another service of the file: what it says is compared here",
}


def original_of_compose(service: ComposeService, *, at: str) -> Original:
    """With the file's own defaults for its variables, as compose itself reads them."""
    uncompared: list[Loss] = []
    reader = Reader(dict(service.raw), at, uncompared)
    is_built = reader.values.get("build") is not None
    reader.lose("build", _BUILT)
    container: dict[str, Value] = {
        "image": None if is_built else reader.text("image"),
        "command": _words(reader.take("command")),
        "entryPoint": _words(reader.take("entrypoint")),
        "environment": pairs(dict(service.environment), "value"),
        "portMappings": [{"containerPort": port} for port in dict.fromkeys(service.ports)],
        "healthCheck": _check(reader),
        "user": reader.text("user"),
        "workingDirectory": reader.text("working_dir"),
        "readonlyRootFilesystem": reader.take("read_only"),
        "linuxParameters": _linux(reader),
        "ulimits": _ulimits(reader),
        "systemControls": [
            {"namespace": name, "value": value}
            for name, value in _labels(reader.take("sysctls")).items()
        ],
        "stopTimeout": reader.seconds("stop_grace_period"),
        "dockerLabels": _labels(reader.take("labels")),
    }
    reader.ignore("environment", "ports", "expose", "image", "container_name")
    platform = reader.text("platform")
    architecture = "ARM64" if "arm" in platform else "X86_64"
    more: dict[str, Value] = {
        "runtimePlatform": {"cpuArchitecture": architecture} if platform else {}
    }
    deploy = reader.inside("deploy")
    count, scale = deploy.number("replicas"), reader.number("scale")
    deploy.lose("resources", _SIZES)
    for key in ("cpus", "mem_limit", "mem_reservation"):
        reader.lose(key, _SIZES)
    deploy.finish("a setting of Docker's own orchestrator")
    around: dict[str, Value] = {"service.desiredCount": scale if count is None else count}
    for key, reason in _OF_ONE_MACHINE.items():
        reader.lose(key, reason)
    reader.finish(NOT_THERE)
    return Original(
        definition=task(container, more),
        around=said(around),
        is_part=True,
        uncompared=tuple(uncompared),
    )


def _words(value: Value) -> Value:
    if isinstance(value, list):
        return [text_of(each) for each in value]
    try:
        return [*shlex.split(text_of(value))]
    except ValueError:
        return None


def _check(reader: Reader) -> dict[str, Value]:
    check = reader.inside("healthcheck")
    if check.values.get("disable") is True or not check.values.get("test"):
        check.ignore("disable", "test")
        check.finish("without `test` the image's own check is meant")
        return {}
    test = check.take("test")
    found: dict[str, Value] = {
        "command": test if isinstance(test, list) else ["CMD-SHELL", text_of(test)],
        "interval": check.seconds("interval"),
        "timeout": check.seconds("timeout"),
        "retries": check.number("retries"),
        "startPeriod": check.seconds("start_period"),
    }
    check.finish("ECS's check has no such setting")
    return without_empty(found)


def _linux(reader: Reader) -> dict[str, Value]:
    capabilities = {"add": reader.take("cap_add"), "drop": reader.take("cap_drop")}
    found: dict[str, Value] = {
        "initProcessEnabled": reader.take("init"),
        "capabilities": without_empty(dict(capabilities)),
    }
    return without_empty(found)


def _ulimits(reader: Reader) -> list[Value]:
    found: list[Value] = []
    for name, value in mapping(reader.take("ulimits")).items():
        soft, hard = (mapping(value).get(key, value) for key in ("soft", "hard"))
        found.append(ulimit(name, number(soft), number(hard)))
    return found


def _labels(value: Value) -> dict[str, Value]:
    if isinstance(value, dict):
        return {key: text_of(each) for key, each in value.items()}
    texts = (text_of(each).partition("=") for each in listed(value))
    return {key: text for key, _, text in texts if key}
