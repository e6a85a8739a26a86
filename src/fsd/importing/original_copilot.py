"""What Copilot makes of a manifest's fields, in AWS's words.

https://aws.github.io/copilot-cli/docs/manifest/overview/
https://github.com/aws/copilot-cli/tree/mainline/internal/pkg/template/templates/workloads
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from fsd.importing.copilot_names import spelled_out
from fsd.importing.original import NOT_THERE, OTHERWISE, pairs, said, task
from fsd.importing.reader import ANY_ENVIRONMENT, Loss, Original, Reader, without_empty
from fsd.importing.values import Value, listed, mapping, number, text_of

_BUILT = "built from the same Dockerfile: the two images are not compared"
_EXPORT = "a stack's export has no value here"
_SECRETS = "arn:aws:secretsmanager:${AWS_REGION}:${AWS_ACCOUNT_ID}:secret:"
_TARGET_GROUP = {
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthy_threshold": "HealthyThresholdCount",
    "unhealthy_threshold": "UnhealthyThresholdCount",
}
_SCALING = {"cpu_percentage": "cpu", "memory_percentage": "memory", "requests": "requests"}


def originals_of_copilot(value: dict[str, Value], *, application: str) -> dict[str, Original]:
    """By environment; what the manifest says for all of them is of `ANY_ENVIRONMENT`."""
    changes = mapping(value.get("environments"))
    base = {key: each for key, each in value.items() if key != "environments"}
    found = {ANY_ENVIRONMENT: _original(base, ANY_ENVIRONMENT, application)}
    for name, changed in changes.items():
        if name == ANY_ENVIRONMENT:
            continue  # FSD and Copilot refuse such a name
        whole = _overlaid(base, mapping(changed))
        found[name] = _original(whole, name, application)
    return found


def _overlaid(first: dict[str, Value], second: dict[str, Value]) -> dict[str, Value]:
    found = dict(first)
    for key, value in second.items():
        before = found.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        found[key] = _overlaid(mapping(before), mapping(value)) if both else value
    return found


def _original(value: dict[str, Value], environment: str, application: str) -> Original:
    uncompared: list[Loss] = []
    whole = spelled_out(value, environment=environment, application=application)
    reader = Reader(mapping(whole), "", uncompared)
    kind = reader.text("type")
    image = reader.inside("image")
    main, more = _task(reader, image)
    around = _http(reader, kind, main) | _count(reader) | _job(reader, kind) | _service(reader)
    sidecars = reader.inside("sidecars")
    others = [_sidecar(sidecars.inside(name), name) for name in sidecars.values]
    for key in ("publish", "taskdef_overrides", "observability", "nlb"):
        reader.lose(key, OTHERWISE)
    image.finish(NOT_THERE)
    reader.finish(NOT_THERE)
    return Original(
        definition=task(main, more, *others),
        around=said(around),
        is_part=True,
        uncompared=tuple(uncompared),
    )


def _task(reader: Reader, image: Reader) -> tuple[dict[str, Value], dict[str, Value]]:
    """The main container, and the rest of the task definition."""
    image.lose("build", _BUILT)
    port = image.number("port")
    mounts, volumes, storage = _storage(reader)
    main: dict[str, Value] = {
        "name": reader.text("name"),
        "image": image.text("location"),
        "repositoryCredentials": _login(image, "credentials"),
        "portMappings": [{"containerPort": port}] if port else [],
        "command": _words(reader, "command"),
        "entryPoint": _words(reader, "entrypoint"),
        "environment": _variables(reader),
        "secrets": _secrets(reader),
        "healthCheck": _check(image),
        "dependsOn": _order(image),
        "dockerLabels": image.take("labels"),
        "mountPoints": mounts,
        "readonlyRootFilesystem": storage.take("readonly_fs"),
    }
    platform = reader.take("platform")
    written = text_of(mapping(platform).get("architecture")) or text_of(platform)
    architecture = "ARM64" if "arm" in written else "X86_64"
    more: dict[str, Value] = {
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": reader.number("cpu"),
        "memory": reader.number("memory"),
        "volumes": volumes,
        "ephemeralStorage": {"sizeInGiB": storage.number("ephemeral")},
        "runtimePlatform": {"cpuArchitecture": architecture} if written else {},
    }
    storage.finish(NOT_THERE)
    return main, more


def _words(reader: Reader, key: str) -> Value:
    value = reader.take(key)
    if isinstance(value, list):
        return [text_of(each) for each in value]
    try:
        return [*shlex.split(text_of(value))] if value else None
    except ValueError:
        reader.lose(key, "a quotation in it has no end, and Copilot refuses it")
        return None


def _variables(reader: Reader) -> list[Value]:
    variables = reader.inside("variables")
    for key, value in variables.values.items():
        if isinstance(value, dict | list):
            variables.lose(key, _EXPORT if isinstance(value, dict) else "it is no text")
    plain = {k: text_of(v) for k, v in variables.values.items() if k not in variables.taken}
    return pairs(plain, "value")


def _secrets(reader: Reader) -> list[Value]:
    secrets = reader.inside("secrets")
    found: dict[str, str] = {}
    for name, value in secrets.values.items():
        inner = mapping(value)
        if "from_cfn" in inner:
            secrets.lose(name, _EXPORT)
        elif "secretsmanager" in inner:
            where = text_of(inner["secretsmanager"])
            found[name] = where if where.startswith("arn:") else f"{_SECRETS}{where}"
        else:
            found[name] = text_of(inner.get("ssm") or value).strip("'")
    return pairs(found, "valueFrom")


def _check(reader: Reader) -> dict[str, Value]:
    check = reader.inside("healthcheck")
    if not check.values:
        return {}
    found: dict[str, Value] = {
        "command": check.take("command"),
        "interval": check.seconds("interval"),
        "timeout": check.seconds("timeout"),
        "retries": check.number("retries"),
        "startPeriod": check.seconds("start_period"),
    }
    check.finish(NOT_THERE)
    return without_empty(found)


def _order(reader: Reader) -> list[Value]:
    wanted = mapping(reader.take("depends_on")).items()
    return [{"containerName": name, "condition": text_of(how).upper()} for name, how in wanted]


def _storage(reader: Reader) -> tuple[list[Value], list[Value], Reader]:
    storage = reader.inside("storage")
    mounts: list[Value] = []
    volumes: list[Value] = []
    for name, value in mapping(storage.take("volumes")).items():
        volume = Reader(mapping(value), f"storage.volumes.{name}", storage.losses)
        read_only = volume.take("read_only") is not False  # true unless it is said
        mounts.append(
            {"sourceVolume": name, "containerPath": volume.text("path"), "readOnly": read_only}
        )
        if volume.values.get("efs") is True:
            volume.lose("efs", "Copilot makes the file system, whose id stands in its stack")
        efs = volume.take("efs")
        system = text_of(mapping(efs).get("id")) or text_of(efs)
        access = mapping(mapping(efs).get("auth"))
        written: dict[str, Value] = {
            "fileSystemId": system if efs not in (True, False, None) else None,
            "rootDirectory": text_of(mapping(efs).get("root_dir")),
            "authorizationConfig": {"accessPointId": text_of(access.get("access_point_id"))},
        }
        volumes.append({"name": name, "efsVolumeConfiguration": without_empty(written)})
        volume.finish(NOT_THERE)
    return mounts, volumes, storage


def _sidecar(reader: Reader, name: str) -> Value:
    image = reader.values.get("image")
    location = text_of(mapping(image).get("location")) or text_of(image)
    if not location:
        reader.lose("image", _BUILT)
    reader.take("image")
    port = number(reader.text("port").partition("/")[0])
    found: dict[str, Value] = {
        "name": name,
        "image": location,
        "repositoryCredentials": _login(reader, "credentialsParameter"),
        "portMappings": [{"containerPort": port}] if port else [],
        "essential": reader.take("essential"),
        "command": _words(reader, "command"),
        "entryPoint": _words(reader, "entrypoint"),
        "environment": _variables(reader),
        "secrets": _secrets(reader),
        "healthCheck": _check(reader),
        "dependsOn": _order(reader),
        "dockerLabels": reader.take("labels"),
        "mountPoints": [
            {
                "sourceVolume": mapping(each).get("source_volume"),
                "containerPath": mapping(each).get("path"),
                "readOnly": mapping(each).get("read_only") is not False,
            }
            for each in listed(reader.take("mount_points"))
        ],
    }
    reader.finish(NOT_THERE)
    return found


def _login(reader: Reader, key: str) -> Value:
    secret = reader.text(key)
    return {"credentialsParameter": secret} if secret else {}


def _http(reader: Reader, kind: str, main: dict[str, Value]) -> dict[str, Value]:
    written = reader.values.get("http")
    if not isinstance(written, dict):
        reader.take("http")
        return {}
    http = reader.inside("http")
    if http.values.get("target_port") is not None and not mapping(http.values).get(
        "target_container"
    ):
        main["portMappings"] = [{"containerPort": http.number("target_port")}]
    check = http.take("healthcheck")
    path = http.text("path")
    hosts = http.take("alias")
    names = [text_of(mapping(each).get("name")) or text_of(each) for each in _every(hosts)]
    found: dict[str, Value] = {
        "loadBalancer.Scheme": "internal" if kind == "Backend Service" else "internet-facing",
        "rule.hosts": [*sorted(names)],
        "rule.paths": [*sorted(_paths(path))],
        "targetGroup.deregistration_delay": http.seconds("deregistration_delay"),
        "targetGroup.stickiness": True if http.take("stickiness") is True else None,
        **_target_group(check, http),
    }
    for key in ("hosted_zone", "allowed_source_ips", "version", "additional_rules"):
        http.lose(key, OTHERWISE)
    http.finish(NOT_THERE)
    return found


def _every(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value] if value else []


def _paths(path: str) -> Iterator[str]:
    """`/`, Copilot's own, is every path, which a load balancer of its own needs no rule for."""
    if path.strip("/"):
        yield f"/{path.strip('/')}"
        if "*" not in path:
            yield f"/{path.strip('/')}/*"


def _target_group(check: Value, http: Reader) -> dict[str, Value]:
    if not isinstance(check, dict):
        return {"targetGroup.HealthCheckPath": text_of(check) or "/"}
    inner = Reader(check, http.place("healthcheck"), http.losses)
    port = inner.text("port")
    codes = inner.text("success_codes")
    found: dict[str, Value] = {
        "targetGroup.HealthCheckPath": inner.text("path") or "/",
        "targetGroup.HealthCheckPort": port,
        "targetGroup.Matcher": codes,
        "service.healthCheckGracePeriodSeconds": inner.seconds("grace_period"),
    }
    for key, name in _TARGET_GROUP.items():
        value = inner.number(key) if "threshold" in key else inner.seconds(key)
        found[f"targetGroup.{name}"] = value
    inner.finish(NOT_THERE)
    return found


def _count(reader: Reader) -> dict[str, Value]:
    written = reader.values.get("count")
    if not isinstance(written, dict):
        return {"service.desiredCount": reader.number("count")}
    count = reader.inside("count")
    spread = count.take("range")
    low, _, high = text_of(spread).partition("-")
    spot = count.number("spot")
    found: dict[str, Value] = {
        "scaling.minimum": number(low) if low else number(mapping(spread).get("min")),
        "scaling.maximum": number(high) if low else number(mapping(spread).get("max")),
        "service.desiredCount": spot,
        "service.spot": True if spot or mapping(spread).get("spot_from") else None,
    }
    found |= _cooldown(count.inside("cooldown"))
    targets = [key for key in _SCALING if count.values.get(key)]
    for key in targets:
        value = count.take(key)
        name = f"scaling.{_SCALING[key]}"
        found[name] = number(mapping(value).get("value") or text_of(value))
        if isinstance(value, dict):
            target = count.inside(key)
            target.ignore("value")
            if len(targets) == 1:
                found |= said(_cooldown(target.inside("cooldown")))
            target.finish("FSD has one cooldown for all of its targets")
    count.finish("FSD scales by another metric, and the two have no common field")
    return found


def _cooldown(reader: Reader) -> dict[str, Value]:
    found: dict[str, Value] = {
        "scaling.scale_in_cooldown": reader.seconds("in"),
        "scaling.scale_out_cooldown": reader.seconds("out"),
    }
    reader.finish(NOT_THERE)
    return found


def _job(reader: Reader, kind: str) -> dict[str, Value]:
    if kind != "Scheduled Job":
        return {}
    on = reader.inside("on")
    schedule = on.text("schedule")
    on.finish(NOT_THERE)
    reader.lose("retries", "of Copilot's state machine; EventBridge Scheduler's are of its start")
    reader.lose("timeout", "of Copilot's state machine; FSD's is a container's")
    is_as_in_aws = schedule.startswith(("rate(", "cron("))
    if schedule and not is_as_in_aws and schedule != "none":
        on.taken.clear()
        on.lose("schedule", "written in another language than EventBridge's")
    return {"schedule.expression": schedule if is_as_in_aws else None}


def _service(reader: Reader) -> dict[str, Value]:
    network = reader.inside("network")
    vpc = network.inside("vpc")
    placement = vpc.take("placement")
    groups = vpc.take("security_groups")
    deployment = reader.inside("deployment")
    logging = reader.inside("logging")
    is_recreate = deployment.text("rolling") == "recreate"
    alarms = deployment.take("rollback_alarms")
    found: dict[str, Value] = {
        "service.enableExecuteCommand": reader.take("exec"),
        "service.assignPublicIp": {"public": True, "private": False}.get(text_of(placement)),
        "service.subnets": [*sorted(map(text_of, listed(mapping(placement).get("subnets"))))],
        "service.securityGroups": [*sorted(map(text_of, listed(groups)))],
        "service.connect": bool(network.take("connect")) or None,
        "service.minimumHealthyPercent": 0 if is_recreate else None,
        "service.maximumPercent": 100 if is_recreate else None,
        "service.alarms": [*sorted(map(text_of, listed(alarms)))],
        "logGroup.RetentionInDays": logging.number("retention"),
    }
    if isinstance(groups, dict):
        vpc.taken.discard("security_groups")
    if isinstance(alarms, dict):
        deployment.taken.discard("rollback_alarms")
    logging.lose("destination", OTHERWISE)
    for inner in (vpc, network, deployment, logging):
        inner.finish(NOT_THERE)
    return found
