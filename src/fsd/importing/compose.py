"""A compose file → Service YAMLs, one for each service that is a program of somebody's own."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from fsd.importing.compose_file import ComposeService, read_compose, resolve
from fsd.importing.container import check_command
from fsd.importing.fargate_size import least_size
from fsd.importing.original_compose import original_of_compose
from fsd.importing.reader import ANY_ENVIRONMENT, Imported, Loss, Reader, literal, without_empty
from fsd.importing.service_name import service_name
from fsd.importing.values import Value, listed, mapping, number, read_values, text_of

# Images of what keeps data, or stands in front: AWS has services for these.
_BACKING = re.compile(
    r"(?:^|/)(?:postgres|postgis|mysql|mariadb|mongo|redis|valkey|memcached|rabbitmq|kafka"
    r"|zookeeper|elasticsearch|opensearch|minio|localstack|mailhog|mailpit|adminer|pgadmin4?|nginx"
    r"|traefik|caddy|pgvector|timescaledb|cp-kafka|dynamodb-local|redpanda|clickhouse-server)\b"
)
_LOCAL = "it is for a laptop"
_SHARES: dict[str, str] = {
    "networks": "FSD's services reach each other by Service Connect",
    "depends_on": "services start on their own on ECS; retry the connection",
    "volumes": "a folder of this machine is not there on AWS; EFS is `volumes` with `efs`",
    "logging": "FSD writes to CloudWatch",
    "configs": "put it into the image, or into `environment`",
    "secrets": "name secrets of AWS in `secrets`",
    "privileged": "Fargate does not have it",
    "devices": "Fargate does not have it",
    "network_mode": "FSD runs with awsvpc",
    "extra_hosts": "Fargate does not have it",
    "tmpfs": "the Service YAML has no place for it",
    "shm_size": "the Service YAML has no place for it",
    "gpus": "Fargate has no GPU",
    "develop": _LOCAL,
    "profiles": "which services run is which files are deployed",
    "dns": "Fargate does not have it",
}
_SAME = (
    "container_name hostname restart stdin_open tty build image command entrypoint ports expose "
    "environment extends labels pull_policy attach domainname links external_links"
)


def is_compose(value: Value) -> bool:
    return bool(mapping(mapping(value).get("services")))


def read_compose_file(text: str, *, source: str, pack: str) -> tuple[list[Imported], list[Loss]]:
    """The services, and what of the file belongs to none of them."""
    losses: list[Loss] = []
    found: list[Imported] = []
    services = read_compose(text, path=source)
    for service in services:
        if service.build is None and not service.image:
            reason = "it has no image and no build: another file says what it is"
            losses.append(Loss(where=f"services.{service.name}", value="", reason=reason))
        elif service.build is None and _BACKING.search(service.image):
            reason = "a database, a queue or a proxy: use the service that AWS has for it"
            losses.append(
                Loss(where=f"services.{service.name}", value=service.image, reason=reason)
            )
        else:
            found.append(_service(service, source=source, pack=pack, several=len(services) > 1))
    whole = Reader(mapping(read_values(text, path=source)), "", losses)
    whole.ignore("services", "version", "name", *[k for k in whole.values if k.startswith("x-")])
    for key in ("volumes", "networks", "configs", "secrets"):
        whole.lose(key, _SHARES[key])
    whole.finish()
    return found, losses


def _service(service: ComposeService, *, source: str, pack: str, several: bool) -> Imported:
    losses: list[Loss] = []
    reader = Reader(dict(service.raw), f"services.{service.name}", losses)
    name = service_name(service.name)
    port = service.ports[0] if service.ports else None
    published = bool(reader.values.get("ports"))
    found: dict[str, Value] = {
        "build": _build(service, reader),
        "image": literal(service.image) if service.build is None else None,
        "command": [literal(word) for word in service.command or ()],
        "entryPoint": [literal(word) for word in service.entry_point or ()],
        "port": port,
        "environment": {key: literal(resolve(value)) for key, value in service.environment.items()},
        "healthCheck": _check(reader),
        "resources": _deploy(reader),
        "dockerLabels": _labels(reader),
        "user": literal(reader.text("user")),
        "workingDirectory": literal(reader.text("working_dir")),
        "init": reader.take("init") or None,
        "readonlyRootFilesystem": reader.take("read_only") or None,
        "capabilities": {
            "add": listed(reader.take("cap_add")),
            "drop": listed(reader.take("cap_drop")),
        },
        "ulimits": _ulimits(reader),
        "systemControls": [
            {"namespace": name, "value": literal(resolve(value))}
            for name, value in _pairs(reader, "sysctls")
        ],
        "stopTimeout": reader.stop_timeout(
            "stop_grace_period", reader.seconds("stop_grace_period")
        ),
        "platform": "ARM64" if "arm" in reader.text("platform") else None,
        "networking": {
            "loadBalancer": {"internal": True} if port and published else None,
            "connect": {"name": name} if port and several else None,
        },
    }
    for value in service.env_files:
        where = f"services.{service.name}.env_file"
        reason = "a file of this machine: upload it to S3 for `environmentFiles`, or write it out"
        losses.append(Loss(where=where, value=value, reason=reason))
    unknown = [key for key, value in service.environment.items() if not resolve(value)]
    if len(service.ports) > 1:
        reader.lose("ports", "the first port became `port`")
    reader.ignore("env_file", *_SAME.split())
    for key, reason in _SHARES.items():
        reader.lose(key, reason)
    reader.finish()
    notes = [f"no value in the file: {', '.join(unknown)}"] if unknown else []
    tree: dict[str, Value] = {
        "apiVersion": "fsd/v1",
        "kind": "Service",
        "metadata": {"name": name, "pack": pack or name},
        "service": {"type": "ecs", **without_empty(found)},
    }
    return Imported(
        name=name,
        source=f"{source}, service {service.name}",
        folder=str(PurePosixPath(source).parent),
        tree=tree,
        losses=tuple(losses),
        notes=tuple(notes),
        originals={ANY_ENVIRONMENT: original_of_compose(service, at=reader.at)},
    )


def _build(service: ComposeService, reader: Reader) -> dict[str, Value]:
    build = service.build
    if build is None:
        return {}
    written = Reader(mapping(reader.values.get("build")), reader.place("build"), reader.losses)
    written.ignore("context", "dockerfile", "target", "args")
    written.lose("cache_from", "FSD's cache is the registry's")
    written.finish()
    context = re.sub(r"^\./", "", build.context.rstrip("/")) or "."
    dockerfile = build.dockerfile if context == "." else f"{context}/{build.dockerfile}"
    return {
        "context": None if context == "." else context,
        "dockerfile": None if dockerfile == "Dockerfile" else dockerfile,
        "target": build.target,
        "args": {key: literal(resolve(value)) for key, value in build.args.items()},
    }


def _check(reader: Reader) -> dict[str, Value]:
    check = reader.inside("healthcheck")
    test = check.take("test")
    command = check_command(
        [resolve(text_of(each)) for each in test]
        if isinstance(test, list)
        else resolve(text_of(test))
    )
    found: dict[str, Value] = {
        "command": command,
        "interval": check.seconds("interval"),
        "timeout": check.seconds("timeout"),
        "unhealthyThreshold": check.number("retries"),
        "startPeriod": check.seconds("start_period"),
    }
    check.ignore("disable", "start_interval")
    check.finish()
    return without_empty(found) if command else {}


def _deploy(reader: Reader) -> dict[str, Value]:
    """Fargate's sizes are fewer than compose's: the least one that has room."""
    deploy = reader.inside("deploy")
    resources = deploy.inside("resources")
    limits = resources.inside("limits")
    cpus = limits.text("cpus") or reader.text("cpus")
    memory = limits.text("memory") or reader.text("mem_limit")
    limits.ignore("pids")
    limits.finish()
    resources.ignore("reservations")
    resources.finish()
    count = deploy.number("replicas")
    scale = reader.number("scale")
    deploy.ignore("restart_policy", "mode", "update_config", "rollback_config", "endpoint_mode")
    deploy.finish()
    reader.ignore("mem_reservation", "cpu_shares", "cpus", "mem_limit")
    found: dict[str, Value] = {"desiredCount": count if count is not None else scale}
    size = _fargate(cpus, memory)
    return found | ({"cpu": size[0], "memory": size[1]} if size else {})


def _fargate(cpus: str, memory: str) -> tuple[int, int] | None:
    amount = re.fullmatch(r"(\d{1,18}(?:\.\d{1,18})?)\s{0,9}([kmg]?)i?b?", memory.lower())
    factor = {"k": 1 / 1024, "m": 1, "g": 1024, "": 1 / 1024 / 1024}
    wanted = float(amount[1]) * factor[amount[2]] if amount else 0
    cpu = float(cpus) * 1024 if re.fullmatch(r"\d{1,18}(?:\.\d{1,18})?", cpus) else 0
    if not wanted and not cpu:
        return None
    return least_size(cpu, wanted)


def _labels(reader: Reader) -> dict[str, Value]:
    pairs = _pairs(reader, "labels")
    return {key: literal(value) for key, value in pairs if not key.startswith("traefik")}


def _pairs(reader: Reader, key: str) -> list[tuple[str, str]]:
    """A section, or a list of `name=value`."""
    written = reader.take(key)
    if isinstance(written, dict):
        return [(name, text_of(value)) for name, value in written.items()]
    parted = (text_of(each).partition("=") for each in listed(written))
    return [(name, value) for name, _, value in parted]


def _ulimits(reader: Reader) -> list[Value]:
    return [
        {
            "name": name,
            "softLimit": number(mapping(value).get("soft") if isinstance(value, dict) else value),
            "hardLimit": number(mapping(value).get("hard") if isinstance(value, dict) else value),
        }
        for name, value in mapping(reader.take("ulimits")).items()
    ]
