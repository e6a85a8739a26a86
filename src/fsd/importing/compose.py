"""A compose file → Service YAMLs, one for each service that is a program of somebody's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import replace
from itertools import count
from pathlib import PurePosixPath

from fsd.errors import Location
from fsd.importing.compose_file import ComposeService, read_compose
from fsd.importing.compose_once import ends_by_itself, steps_before
from fsd.importing.compose_ports import read_ports
from fsd.importing.compose_variables import lost_dollars, unset_variables
from fsd.importing.container import check_command
from fsd.importing.fargate_size import LARGEST, least_size
from fsd.importing.original_compose import original_of_compose
from fsd.importing.reader import (
    ANY_ENVIRONMENT,
    Imported,
    Loss,
    Reader,
    is_empty,
    literal,
    shown,
    without_empty,
)
from fsd.importing.service_name import service_name
from fsd.importing.shapes import COMPOSE_SERVICE, find_strange
from fsd.importing.values import Value, listed, mapping, number, read_values, text_of
from fsd.manifest.finding import FindingId
from fsd.manifest.yaml_tree import parse

# Images of what keeps data, or stands in front: AWS has services for these.
_BACKING = re.compile(
    r"(?:^|/)(?:postgres|postgresql|postgis|mysql|mariadb|mongo|redis|valkey|memcached|rabbitmq|kafka"
    r"|zookeeper|elasticsearch|opensearch|minio|localstack|mailhog|mailpit|maildev|certbot|adminer|pgadmin4?|nginx"
    r"|traefik|caddy|pgvector|timescaledb|cp-kafka|dynamodb-local|redpanda|clickhouse-server)\b"
)
_CORES = re.compile(r"\d{1,18}(?:\.\d{1,18})?")
_MEMORY = re.compile(r"(\d{1,18}(?:\.\d{1,18})?)\s{0,9}([kmg]?)i?b?")
_PLATFORM = re.compile(r"((linux/)?(amd64|x86_64|arm64(/v8)?|aarch64))?")
_LOCAL = "it is for a laptop"
_NO_TERMINAL = "nobody sits at a task: `fsd exec` opens a shell in one"
_OTHER_FILE = "it is in another file: import what `docker compose config` prints"
_AGAIN = "a service of ECS starts a task again whenever it ends"
_ENDS = "it ends by itself: `fsd run` starts it"
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
    "hostname": "Fargate does not have it",
    "domainname": "Fargate does not have it",
    "links": "FSD's services reach each other by Service Connect",
    "external_links": "FSD's services reach each other by Service Connect",
    "stdin_open": _NO_TERMINAL,
    "tty": _NO_TERMINAL,
}
# What a service was given by compose's own file, or by Docker on one machine.
_SAME = "container_name build image command entrypoint environment pull_policy attach"
# Where a variable without a value leaves a gap in what is imported.
_READ = """
image build command entrypoint environment ports expose healthcheck deploy user working_dir labels
init read_only cap_add cap_drop ulimits sysctls stop_grace_period platform cpus mem_limit
mem_reservation scale
"""
_GIT = "FSD builds from a folder: clone the repository and name its folder"
_REMOTE = re.compile(r"[a-z0-9+-]{1,20}://|git@|github\.com/")
_ONE_DOCUMENT = "another YAML document: Docker Compose's settings are read from the first"
_STEP = "`beforeDeploy` has no such key: its task is the service's with another command"
# What a step says itself, and what is no matter of a task that ends.
_OF_A_STEP = ("type", "command", "environment", "resources", "networking")
_OF_A_SERVICE = ("port", "ports", "networking")


def is_compose(value: Value) -> bool:
    return bool(mapping(mapping(value).get("services")))


def read_compose_file(text: str, *, source: str, pack: str) -> tuple[list[Imported], list[Loss]]:
    """The services, and what of the file belongs to none of them."""
    losses: list[Loss] = []
    found: list[Imported] = []
    services = read_compose(text, path=source)
    written = mapping(mapping(read_values(text, path=source)).get("services"))
    losses += _strange_services(written)
    losses += _said_twice(text, source)
    ours = [each for each in services if not _left_out(each, losses)]
    ending = ends_by_itself(ours)
    steps = steps_before(ours, ending)
    merged = {step.name for step in steps.values()}
    taken: set[str] = set()
    for service in ours:
        if service.name in merged:
            continue
        imported = _service(service, source=source, pack=pack, several=len(services) > 1)
        imported = _with_own_name(imported, taken)
        taken.add(imported.name)
        if service.name in ending:
            imported = _as_job(imported)
        if step := steps.get(service.name):
            imported = _with_step(
                imported, _service(step, source=source, pack=pack, several=True), step.name
            )
        found.append(imported)
    whole = Reader(mapping(read_values(text, path=source)), "", losses)
    whole.ignore("services", "version", "name", *[k for k in whole.values if k.startswith("x-")])
    for key in ("volumes", "networks", "configs", "secrets"):
        whole.lose(key, _SHARES[key])
    whole.lose("include", _OTHER_FILE)
    whole.finish()
    return found, losses


def _strange_services(services: dict[str, Value]) -> Iterator[Loss]:
    """What is read as no service, or as one without a build."""
    for name, value in services.items():
        build = mapping(value).get("build")
        if not isinstance(value, dict):
            where, reason = f"services.{name}", "a service is a section"
            yield Loss(where=where, value=shown(value), reason=reason)
        elif not is_empty(build) and not isinstance(build, str | dict):
            where, reason = f"services.{name}.build", "it is neither a folder nor a section"
            yield Loss(where=where, value=shown(build), reason=reason)


def _said_twice(text: str, path: str) -> Iterator[Loss]:
    """What YAML lets pass: the second of two keys, and all documents but the first."""
    parsed = parse(text, path=path, any_key=True)
    for finding in parsed.findings:
        if finding.id == FindingId.DUPLICATE_KEY:
            yield Loss(where=str(finding.where), value="", reason=finding.message)
    for document in parsed.documents[1:]:
        where = Location(path=path, line=document.start, column=1)
        yield Loss(where=str(where), value="", reason=_ONE_DOCUMENT)


def _with_own_name(imported: Imported, taken: Set[str]) -> Imported:
    """Compose tells `web-1` from `web_1`; a Service YAML's name cannot."""
    if imported.name not in taken:
        return imported
    name = next(n for i in count(2) if (n := f"{imported.name}-{i}") not in taken)
    service = mapping(imported.tree["service"])
    networking = mapping(service.get("networking"))
    if "connect" in networking:
        service = {**service, "networking": {**networking, "connect": {"name": name}}}
    metadata = {**mapping(imported.tree["metadata"]), "name": name}
    return replace(
        imported,
        name=name,
        tree={**imported.tree, "metadata": metadata, "service": service},
        notes=(*imported.notes, f"it is named `{name}`: another service is `{imported.name}`"),
    )


def _left_out(service: ComposeService, losses: list[Loss]) -> bool:
    written = text_of(service.written.get("image"))
    if service.build is not None:
        return False
    if not service.image:
        reason = (
            "its image is a variable without a value: import what `docker compose config` prints"
            if written
            else "it has no image and no build: another file says what it is, and "
            "`docker compose config` prints both in one"
        )
    elif _BACKING.search(service.image):
        written = service.image
        reason = "a database, a queue or a proxy: use the service that AWS has for it"
    else:
        return False
    losses.append(Loss(where=f"services.{service.name}", value=written, reason=reason))
    return True


def _as_job(imported: Imported) -> Imported:
    """Without what only a service has."""
    service = mapping(imported.tree["service"])
    kept = {key: value for key, value in service.items() if key not in _OF_A_SERVICE}
    return replace(
        imported,
        tree={**imported.tree, "kind": "Job", "service": kept},
        losses=imported.losses
        + tuple(
            Loss(where=f"service.{key}", value=shown(service[key]), reason="a job has none")
            for key in ("port", "ports")
            if not is_empty(service.get(key))
        ),
        notes=(*imported.notes, _ENDS),
    )


def _with_step(imported: Imported, step: Imported, step_name: str) -> Imported:
    """With what runs before it, in the words of `beforeDeploy`; the rest of that is lost."""
    service, first = mapping(imported.tree["service"]), mapping(step.tree["service"])
    own = mapping(service.get("environment"))
    more = {k: v for k, v in mapping(first.get("environment")).items() if own.get(k, 0) != v}
    size = {k: v for k, v in mapping(first.get("resources")).items() if k in ("cpu", "memory")}
    lost = [
        Loss(where=f"services.{step_name}, {key}", value=shown(value), reason=_STEP)
        for key, value in first.items()
        if key not in _OF_A_STEP and value != service.get(key)
    ]
    before = {"command": first.get("command"), "environment": more, "resources": size}
    return replace(
        imported,
        tree={
            **imported.tree,
            "service": {**service, "beforeDeploy": without_empty(before)},
        },
        losses=(*imported.losses, *step.losses, *lost),
        notes=(
            *imported.notes,
            f"{step.name} runs before each deployment, as `beforeDeploy`",
            *(note for note in step.notes if note not in imported.notes),
        ),
    )


def _service(service: ComposeService, *, source: str, pack: str, several: bool) -> Imported:
    at = f"services.{service.name}"
    losses = find_strange(service.raw, COMPOSE_SERVICE, at) + lost_dollars(service.written, at)
    reader = Reader(dict(service.raw), at, losses)
    name = service_name(service.name)
    ports, port = read_ports(reader, service.written)
    published = bool(reader.values.get("ports"))
    found: dict[str, Value] = {
        "build": _build(service, reader),
        "image": literal(service.image.removesuffix(":")) if service.build is None else None,
        "command": [literal(word) for word in service.command or ()],
        "entryPoint": [literal(word) for word in service.entry_point or ()],
        **ports,
        "environment": {key: literal(value) for key, value in service.environment.items()},
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
            {"namespace": name, "value": literal(value)}
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
    _lose_the_rest(service, reader)
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
        notes=_notes(service),
        originals={ANY_ENVIRONMENT: original_of_compose(service, at=reader.at)},
    )


def _lose_the_rest(service: ComposeService, reader: Reader) -> None:
    for value in service.env_files:
        reason = "a file of this machine: upload it to S3 for `environmentFiles`, or write it out"
        reader.losses.append(Loss(where=reader.place("env_file"), value=value, reason=reason))
    reader.ignore("env_file", *_SAME.split())
    if not is_empty(service.raw.get("extends")):  # what was found is in it already
        reader.lose("extends", _OTHER_FILE)
    if not _PLATFORM.fullmatch(reader.text("platform")):
        reader.lose("platform", "FSD runs linux/amd64 and linux/arm64")
    if text_of(service.raw.get("restart")) not in ("always", "unless-stopped"):
        reader.lose("restart", _AGAIN)
    reader.ignore("extends", "restart")
    for key, reason in _SHARES.items():
        reader.lose(key, reason)
    reader.finish()


def _notes(service: ComposeService) -> tuple[str, ...]:
    """Names of the environment, and of variables, that the file gives no value to."""
    unknown = [key for key, value in service.environment.items() if not value]
    for key in _READ.split():
        unknown += unset_variables(service.written.get(key))
    names = dict.fromkeys(unknown)
    return (f"no value in the file: {', '.join(names)}",) if names else ()


def _build(service: ComposeService, reader: Reader) -> dict[str, Value]:
    build = service.build
    if build is None:
        return {}
    written = Reader(mapping(reader.values.get("build")), reader.place("build"), reader.losses)
    written.ignore("context", "dockerfile", "target", "args")
    written.lose("cache_from", "FSD's cache is the registry's")
    written.finish()
    if _REMOTE.match(build.context):
        written.lose("context", _GIT)
        if isinstance(reader.values.get("build"), str):
            reader.lose("build", _GIT)
        return {}
    context = re.sub(r"^\./", "", build.context.rstrip("/")) or "."
    dockerfile = build.dockerfile if context == "." else f"{context}/{build.dockerfile}"
    return {
        "context": None if context == "." else context,
        "dockerfile": None if dockerfile == "Dockerfile" else dockerfile,
        "target": build.target,
        "args": {key: literal(value) for key, value in build.args.items()},
    }


def _check(reader: Reader) -> dict[str, Value]:
    check = reader.inside("healthcheck")
    test = check.take("test")
    command = check_command(test if isinstance(test, list) else text_of(test))
    bounds = {"interval": (5, 300), "timeout": (2, 60), "start_period": (0, 300)}
    interval, timeout, period = (
        check.within(key, check.seconds(key), least=least, most=most)
        for key, (least, most) in bounds.items()
    )
    found: dict[str, Value] = {
        "command": command,
        "interval": interval,
        "timeout": timeout,
        "unhealthyThreshold": check.within("retries", check.number("retries"), least=2, most=10),
        "startPeriod": period,
    }
    check.ignore("disable")
    check.lose("start_interval", "ECS's check has one interval")
    check.finish()
    return without_empty(found) if command else {}


def _deploy(reader: Reader) -> dict[str, Value]:
    """Fargate's sizes are fewer than compose's: the least one that has room."""
    deploy = reader.inside("deploy")
    resources = deploy.inside("resources")
    limits, reserved = resources.inside("limits"), resources.inside("reservations")
    reserved.lose("devices", "Fargate has no GPU")
    limits.ignore("pids")
    size = _size(
        cpus=[limits.text("cpus"), reader.text("cpus"), reserved.text("cpus")],
        memories=[
            limits.text("memory"),
            reader.text("mem_limit"),
            reserved.text("memory"),
            reader.text("mem_reservation"),
        ],
        reader=reader,
    )
    for each in (limits, reserved, resources):
        each.finish()
    replicas = deploy.number("replicas")
    scale = reader.number("scale")
    _lose_swarm(deploy)
    reader.ignore("cpu_shares")
    return {"desiredCount": replicas if replicas is not None else scale} | size


def _lose_swarm(deploy: Reader) -> None:
    policy = deploy.inside("restart_policy")
    if policy.text("condition") not in ("", "any"):
        policy.lose("condition", _AGAIN)
    policy.ignore("delay", "max_attempts", "window", "condition")
    policy.finish()
    for key in ("update_config", "rollback_config"):
        deploy.lose(key, "FSD starts new tasks first and rolls back by itself: see `deployment`")
    if deploy.values.get("mode") == "global":
        deploy.lose("mode", "Fargate has no machines to run one on each")
    deploy.ignore("mode", "endpoint_mode")
    deploy.finish()


def _size(*, cpus: list[str], memories: list[str], reader: Reader) -> dict[str, Value]:
    """Of what is said first. `cpus` are cores."""
    core = next(filter(None, cpus), "")
    memory = next(filter(None, memories), "")
    amount = _MEMORY.fullmatch(memory.lower())
    factor = {"k": 1 / 1024, "m": 1, "g": 1024, "": 1 / 1024 / 1024}
    wanted = float(amount[1]) * factor[amount[2]] if amount else 0
    cpu = float(core) * 1024 if _CORES.fullmatch(core) else 0
    for written, is_size in ((core, bool(_CORES.fullmatch(core))), (memory, amount is not None)):
        if written and not is_size:
            loss = Loss(where=reader.place("deploy"), value=written, reason="it is no size")
            reader.losses.append(loss)
    if not wanted and not cpu:
        return {}
    found = least_size(cpu, wanted)
    if found is None:
        reason = f"Fargate's largest task has {LARGEST[0]} CPU units and {LARGEST[1]} MiB"
        value = ", ".join(each for each in (core, memory) if each)
        reader.losses.append(Loss(where=reader.place("deploy"), value=value, reason=reason))
        return {}
    return {"cpu": found[0], "memory": found[1]}


def _labels(reader: Reader) -> dict[str, Value]:
    found = dict(_pairs(reader, "labels"))
    routes = {key: value for key, value in found.items() if key.startswith("traefik")}
    for key, value in routes.items():
        reason = "a rule of Traefik's: `loadBalancer` has `hosts` and `paths`"
        reader.losses.append(
            Loss(where=f"{reader.place('labels')}.{key}", value=value, reason=reason)
        )
    return {key: literal(value) for key, value in found.items() if key not in routes}


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
