"""A Copilot manifest → a Service YAML's tree, with its `environments`.

https://aws.github.io/copilot-cli/docs/manifest/overview/
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import PurePosixPath

from fsd.importing.container import read_check_command, registry_secret
from fsd.importing.copilot_overrides import read_network_balancer, read_overrides
from fsd.importing.original_copilot import originals_of_copilot
from fsd.importing.reader import Imported, Loss, Reader, is_empty, literal, shown, without_empty
from fsd.importing.service_name import part_name, service_name
from fsd.importing.task_definition import merged
from fsd.importing.values import Value, listed, mapping, number, text_of
from fsd.manifest.cron import from_unix

KINDS = (
    "Load Balanced Web Service",
    "Backend Service",
    "Worker Service",
    "Scheduled Job",
    "Request-Driven Web Service",
    "Static Site",
)
_JOB = "Scheduled Job"
_PUBLIC = ("Load Balanced Web Service", "Request-Driven Web Service")
# What Copilot itself gives every container.
_GIVEN = re.compile(r"\$\{?COPILOT_ENVIRONMENT_NAME\}?")
_APPLICATION = re.compile(r"\$\{?COPILOT_APPLICATION_NAME\}?")
_UNKNOWN_APPLICATION = (
    "the name of the application stands in copilot/.workspace, which is not here: with that file "
    "in its place what has the name (secrets, most often) is imported too",
)
_EXPORT = "a stack's export is no value that a manifest could name"
_ARCHITECTURES = ("", "amd64", "x86_64", "arm", "arm64")
_MARK, _ENV = "\ue000", "${ENV}"
_SHARED = "main"  # the load balancer of an environment
_NEEDS_HTTPS = (
    "http2 and gRPC want HTTPS, and the certificate is not in the manifest: name it in "
    "`loadBalancer.certificateArn`, and the protocol in `ports`"
)
_ONE_DAY = 86_400  # seconds; Copilot's stickiness
_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})")
_TARGETS = {
    "cpu_percentage": "targetCPUUtilization",
    "memory_percentage": "targetMemoryUtilization",
    "requests": "targetRequestsPerTask",
}


def is_copilot(value: Value) -> bool:
    return text_of(mapping(value).get("type")) in KINDS


def read_copilot(
    value: dict[str, Value], *, source: str, pack: str, application: str = ""
) -> Imported | None:
    """None for a static site, which no task serves."""
    losses: list[Loss] = []
    originals = originals_of_copilot(value, application=application)
    value = mapping(_replaced(value, application))
    kind = text_of(value.get("type"))
    if kind == "Static Site":
        return None
    named = Reader(value, "", losses).inside("environments")
    changes: dict[str, Value] = {each: named.inside(each).values for each in named.values}
    base = {key: each for key, each in value.items() if key != "environments"}
    manifest = _Manifest(kind=kind, application=application)
    name = service_name(text_of(base.get("name")))
    service = manifest.read(base, losses)
    permissions = manifest.dependencies
    tree: dict[str, Value] = {
        "apiVersion": "fsd/v1",
        "kind": "Job" if kind == _JOB else "Service",
        "metadata": {"name": name, "pack": pack or application or name},
        "service": {"type": "ecs", **service},
        "environments": {
            environment: _of_environment(base, environment, mapping(each), manifest, losses)
            for environment, each in changes.items()
        },
        "dependencies": permissions,
    }
    tree = without_empty(tree)
    return Imported(
        name=name,
        source=source,
        folder=_workspace(source),
        originals=originals,
        tree=mapping(_named(tree, _ENV)),
        losses=tuple(
            replace(loss, value=loss.value.replace(_MARK, "${COPILOT_ENVIRONMENT_NAME}"))
            for loss in losses
        ),
        notes=(
            "Copilot gives a container COPILOT_APPLICATION_NAME, COPILOT_ENVIRONMENT_NAME and "
            "COPILOT_SERVICE_NAME; set those that the code reads",
            *(_UNKNOWN_APPLICATION if not application and _names_one(value) else ()),
        ),
    )


def _of_environment(
    base: dict[str, Value],
    environment: str,
    changes: dict[str, Value],
    manifest: _Manifest,
    losses: list[Loss],
) -> dict[str, Value]:
    """What is other than in `service` once Copilot has laid its changes over the manifest: a list
    of the Service YAML is replaced as a whole, and null takes away."""
    common: list[Loss] = []
    before = manifest.read(base, common)
    more: list[Loss] = []
    image = mapping(base.get("image"))
    if "location" in mapping(changes.get("image")):
        image = {key: each for key, each in image.items() if key != "build"}
    after = manifest.read(merged({**base, "image": image}, changes), more)
    losses += [
        replace(each, where=f"environments.{environment}.{each.where}")
        for each in more
        if each not in common
    ]
    return _differing(before, after)


def _differing(before: dict[str, Value], after: dict[str, Value]) -> dict[str, Value]:
    found: dict[str, Value] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            if inner := _differing(old, value):
                found[key] = inner
        elif value != old:
            found[key] = value
    return found


def _names_one(value: Value) -> bool:
    match value:
        case dict():
            return any(map(_names_one, value.values()))
        case list():
            return any(map(_names_one, value))
        case str():
            return _APPLICATION.search(value) is not None
    return False


def _workspace(source: str) -> str:
    """The folder that has `copilot/`: its manifests' paths begin there."""
    path = PurePosixPath(source)
    is_usual = len(path.parents) > 2 and path.parents[1].name == "copilot"
    return str(path.parents[2] if is_usual else path.parent)


def _replaced(value: Value, application: str) -> Value:
    """With a mark for the environment's name, which is a variable of FSD's too."""
    match value:
        case dict():
            return {key: _replaced(each, application) for key, each in value.items()}
        case list():
            return [_replaced(each, application) for each in value]
        case str():
            text = _GIVEN.sub(_MARK, value)
            return _APPLICATION.sub(lambda _: application, text) if application else text
    return value


def _named(value: Value, name: str) -> Value:
    match value:
        case dict():
            return {key: _named(each, name) for key, each in value.items()}
        case list():
            return [_named(each, name) for each in value]
        case str():
            return value.replace(_MARK, name)
    return value


def _job(reader: Reader) -> dict[str, Value]:
    """When it runs, and for how long.

    https://aws.github.io/copilot-cli/docs/manifest/scheduled-job/
    """
    on = reader.inside("on")
    schedule = _schedule(on)
    on.finish()
    found: dict[str, Value] = {
        "schedule": schedule,
        "timeout": _duration(reader.seconds("timeout")),
        "retries": reader.number("retries"),
    }
    if found["retries"]:
        reader.lose("retries", "FSD repeats a start that ECS refuses, not a run that fails")
    return found


def _duration(seconds: int | None) -> Value:
    if not seconds:
        return None
    return f"{seconds}s" if seconds % 60 else f"{seconds // 60}m"


def _schedule(on: Reader) -> Value:
    """AWS's own expressions, a crontab's line, `@daily`, `@every 90m`; `none` is by hand."""
    written = on.text("schedule")
    if not written or written == "none":
        return None
    if re.match(r"(rate|cron)\(", written):
        return literal(written)
    found = from_unix(written)
    if found is None:
        on.lose("schedule", "EventBridge Scheduler has no such schedule: write `schedule` yourself")
    return found


class _Manifest:
    """What all readers of one manifest share."""

    def __init__(self, *, kind: str, application: str) -> None:
        self.kind = kind
        self.application = application
        self.dependencies: list[Value] = []

    def read(self, value: dict[str, Value], losses: list[Loss]) -> dict[str, Value]:
        """`service`; `dependencies` are then those of the manifest that was read last."""
        reader = Reader(value, "", losses)
        found = _image(reader)
        has_port = found.get("port") is not None
        found = merged(found, _network(reader, has_port=has_port))
        in_container = mapping(found.get("healthCheck"))
        found = merged(found, _http(reader, self.kind))
        _say_which_check(in_container, mapping(found.get("healthCheck")), reader)
        found = merged(found, self._container(reader))
        found = merged(found, _count(reader))
        found = merged(found, _storage(reader))
        found = merged(found, _deployment(reader))
        found = merged(found, _logs(reader))
        if self.kind == _JOB:
            found = merged(found, _job(reader))
        reader.inside("sidecars")  # what has no keys is lost
        found["sidecars"] = [self._sidecar(name, reader) for name in _names(reader, "sidecars")]
        reader.ignore("sidecars")
        topics = self._topics(reader, text_of(value.get("name")))
        found = merged(found, topics)
        found = merged(found, read_overrides(reader))
        found = merged(found, _traces(reader))
        _others(reader)
        reader.finish()
        if found.get("ports"):
            found.pop("port", None)
        return without_empty(found)

    def _topics(self, reader: Reader, name: str) -> dict[str, Value]:
        """Copilot's topics stay: the service may publish to them, and is told where they are.

        https://aws.github.io/copilot-cli/docs/developing/publish-subscribe/
        """
        self.dependencies = []
        publish = reader.inside("publish")
        topics = [mapping(each) for each in listed(publish.values.get("topics"))]
        names = [text_of(each.get("name")) for each in topics]
        if not names or not self.application:
            publish.lose("topics", "their names begin with the application's, which is not here")
            publish.finish()
            return {}
        for topic in publish.readers("topics"):
            topic.text("name")
            topic.ignore("fifo")
            topic.finish()
        publish.finish()
        ends = ".fifo"
        is_fifo = [bool(each.get("fifo")) for each in topics]
        whole = {
            each: f"{self.application}-{_MARK}-{name}-{each}{ends if fifo else ''}"
            for each, fifo in zip(names, is_fifo, strict=True)
        }
        self.dependencies = [
            {"type": "aws_sns_topic", "name": each, "permissions": ["sns:Publish"]}
            for each in whole.values()
        ]
        arn = "arn:aws:sns:${AWS_REGION}:${AWS_ACCOUNT_ID}:"
        arns = ", ".join(f'"{key}": "{arn}{each}"' for key, each in whole.items())
        return {"environment": {"COPILOT_SNS_TOPIC_ARNS": f"{{{arns}}}"}}

    def _text(self, value: Value) -> str:
        return literal(text_of(value))

    def _container(self, reader: Reader) -> dict[str, Value]:
        architecture = _architecture(reader)
        reader.lose(
            "env_file",
            "an environment file is read from S3 on AWS: upload it, and name its ARN in "
            "`environmentFiles`",
        )
        return {
            "command": _command(reader, "command"),
            "entryPoint": _command(reader, "entrypoint"),
            "resources": {
                "cpu": reader.number("cpu"),
                "memory": reader.number("memory"),
            },
            "platform": "ARM64" if architecture.startswith("arm") else None,
            "exec": reader.take("exec"),
            "environment": _variables(reader),
            "secrets": self._secrets(reader),
        }

    def _secrets(self, reader: Reader) -> list[Value]:
        secrets = reader.inside("secrets")
        found: list[Value] = []
        for name, value in secrets.values.items():
            inner = mapping(value)
            if "from_cfn" in inner:
                secrets.lose(name, _EXPORT)
                continue
            where = self._text(inner.get("secretsmanager") or inner.get("ssm") or value)
            if not where:
                secrets.lose(name, "it names no secret")
                continue
            secrets.ignore(name)
            where = where.strip("'")  # an ARN may be quoted twice
            if "secretsmanager" in inner and not where.startswith("arn:"):
                path, _, key = where.partition(":")
                prefix = "arn:aws:secretsmanager:${AWS_REGION}:${AWS_ACCOUNT_ID}:secret:"
                where = f"{prefix}{path}{f':{key}' if key else ''}"
            elif not where.startswith(("/", "arn:")):
                where = f"arn:aws:ssm:${{AWS_REGION}}:${{AWS_ACCOUNT_ID}}:parameter/{where}"
            found.append({"name": name, "valueFrom": where})
        secrets.finish()
        return found

    def _sidecar(self, name: str, reader: Reader) -> Value:
        sidecars = reader.inside("sidecars")
        sidecar = sidecars.inside(name)
        image = sidecar.take("image")
        if isinstance(image, dict) and "location" in image:
            image = image["location"]
        elif isinstance(image, dict):
            sidecar.taken.discard("image")
            sidecar.lose("image", "a sidecar's image is not built: push it, and name it")
        else:
            sidecar.text("image")
        mounts = list(sidecar.readers("mount_points"))
        port, _, protocol = sidecar.text("port").partition("/")
        if number(port) is None or protocol not in ("", "tcp"):
            sidecar.lose("port", "FSD's ports are TCP, and this one is left out")
            port = ""
        found: dict[str, Value] = {
            "name": part_name(name),
            "image": literal(text_of(image)),
            "repositoryCredentials": registry_secret(sidecar.text("credentialsParameter")),
            "port": number(port),
            "essential": sidecar.take("essential"),
            "command": _command(sidecar, "command"),
            "entryPoint": _command(sidecar, "entrypoint"),
            "dockerLabels": {k: literal(v) for k, v in sidecar.texts("labels").items()},
            "environment": _variables(sidecar),
            "secrets": self._secrets(sidecar),
            "healthCheck": _container_check(sidecar.inside("healthcheck")),
            "dependsOn": _depends(sidecar),
            "volumes": [
                without_empty(
                    {
                        "name": part_name(mount.text("source_volume")),
                        "path": mount.text("path"),
                        "readOnly": _is_on(mount, "read_only", default=True) or None,
                    }
                )
                for mount in mounts
            ],
        }
        for mount in mounts:
            mount.finish()
        sidecar.finish()
        return without_empty(found)


def _names(reader: Reader, key: str) -> list[str]:
    return list(mapping(reader.values.get(key)))


def _is_on(reader: Reader, key: str, *, default: bool) -> bool:
    """What is neither true nor false is lost."""
    found = reader.take(key)
    if not isinstance(found, bool):
        reader.lose(key, "it is neither true nor false")
        return default
    return found


def _architecture(reader: Reader) -> str:
    """`linux/arm64`, or a section with the two; what FSD does not run is lost."""
    written = reader.values.get("platform")
    if isinstance(written, dict):
        platform = reader.inside("platform")
        system, architecture = platform.text("osfamily"), platform.text("architecture")
        platform.finish()
    else:
        system, _, architecture = reader.text("platform").partition("/")
    system, architecture = system.lower(), architecture.lower()
    if system not in ("", "linux") or architecture not in _ARCHITECTURES:
        reader.lose("platform", "FSD runs Linux, on X86_64 or ARM64")
    return architecture


def _variables(reader: Reader) -> dict[str, Value]:
    variables = reader.values.get("variables")
    inner = Reader(mapping(variables), reader.place("variables"), reader.losses)
    for key, value in inner.values.items():
        if isinstance(value, dict):
            inner.lose(key, _EXPORT)
    return {key: literal(value) for key, value in reader.texts("variables").items()}


def _command(reader: Reader, key: str) -> Value:
    if isinstance(reader.values.get(key), list):
        return [literal(text_of(each)) for each in reader.words(key)]
    text = reader.text(key)
    if not text:
        return None
    try:
        return [literal(word) for word in shlex.split(text)]
    except ValueError:
        return ["sh", "-c", literal(text)]


def _image(reader: Reader) -> dict[str, Value]:
    image = reader.inside("image")
    build = image.take("build")
    found: dict[str, Value] = {
        "image": literal(image.text("location")),
        "repositoryCredentials": registry_secret(image.text("credentials")),
        "port": image.number("port"),
        "healthCheck": _container_check(image.inside("healthcheck")),
        "dockerLabels": {k: literal(v) for k, v in image.texts("labels").items()},
        "dependsOn": _depends(image),
    }
    if isinstance(build, dict):
        inner = Reader(build, image.place("build"), image.losses)
        found["build"] = {
            "context": _above(inner.text("context")) if inner.values.get("context") else None,
            "dockerfile": _unusual(_above(inner.text("dockerfile"))),
            "target": inner.text("target"),
            "args": {k: literal(v) for k, v in inner.texts("args").items()},
        }
        inner.lose("cache_from", "FSD's cache is the registry's")
        inner.finish()
    elif build:
        dockerfile = _above(image.text("build"))
        folder = dockerfile.rpartition("/")[0]
        found["build"] = {"dockerfile": _unusual(dockerfile), "context": folder or None}
    image.lose("cache_from", "FSD's cache is the registry's")
    image.finish()
    return found


def _unusual(dockerfile: str) -> str | None:
    return None if dockerfile == "Dockerfile" else dockerfile


def _above(path: str) -> str:
    """Copilot's paths are the workspace's; a manifest stands in its root, too."""
    return re.sub(r"^\./", "", path)


def _container_check(check: Reader) -> dict[str, Value]:
    written = read_check_command(check)
    found: dict[str, Value] = {
        "command": written,
        "interval": check.seconds("interval"),
        "timeout": check.seconds("timeout"),
        "unhealthyThreshold": check.number("retries"),
        "startPeriod": check.seconds("start_period"),
    }
    check.finish()
    return without_empty(found) if written else {}


def _say_which_check(before: dict[str, Value], after: dict[str, Value], reader: Reader) -> None:
    """Both checks have one rhythm here, the load balancer's."""
    image = Reader(mapping(reader.values.get("image")), reader.place("image"), reader.losses)
    for key, value in before.items():
        if after.get(key) != value:
            where = f"{image.place('healthcheck')}.{key}"
            reason = f"the check in the container has the load balancer's: {after[key]}"
            reader.losses.append(Loss(where=where, value=shown(value), reason=reason))


def _depends(reader: Reader) -> dict[str, Value]:
    return {
        part_name(name): condition.upper() for name, condition in reader.texts("depends_on").items()
    }


def _http(reader: Reader, kind: str) -> dict[str, Value]:
    """A load balancer that is shared by an environment, with the path and the names of a rule."""
    written = reader.take("http")
    network = read_network_balancer(reader, beside_http=isinstance(written, dict))
    if network:
        return network
    if not isinstance(written, dict):
        if written is not False:
            reader.lose("http", "it has no keys")
        is_public = kind in _PUBLIC and written is not False
        balancer: Value = {"internal": False} if is_public else None
        return {"networking": {"loadBalancer": balancer}}
    http = Reader(written, reader.place("http"), reader.losses)
    hosts = _hosts(http)
    path = http.text("path")
    paths = [] if path in ("", "/") else _paths(path)
    names: list[Value] = [literal(text_of(mapping(each).get("name") or each)) for each in hosts]
    names, paths = _with_more(names, paths, http)
    has_rule = bool(names or paths)
    found: dict[str, Value] = {
        "healthCheck": _health(http),
        "deployment": {"deregistrationDelay": http.seconds("deregistration_delay")},
        "networking": {
            "loadBalancer": {
                "internal": kind == "Backend Service",
                "shared": _SHARED if has_rule else None,
                "domain": _domain(hosts, http),
                "hosts": names,
                "paths": paths,
                "stickiness": _ONE_DAY if _is_on(http, "stickiness", default=False) else None,
                "ingress": http.items("allowed_source_ips"),
            }
        },
    }
    port = http.number("target_port") if not http.values.get("target_container") else None
    if port:
        found["port"] = port
    if text_of(http.values.get("version")).lower() == "http1":
        http.ignore("version")
    else:
        http.lose("version", _NEEDS_HTTPS)
    http.lose("alb", "yours is taken by its listener: `loadBalancer.listenerArn`")
    http.lose("target_container", "FSD's load balancer sends to the service's own container")
    http.lose("target_port", "of another container")
    http.lose("ssl_policy", "FSD's listener has a policy of its own")
    http.ignore("redirect_to_https")  # FSD's load balancer does so where it has a certificate
    http.finish()
    return found


def _hosts(reader: Reader) -> list[Value]:
    """Names, or sections with a name; what is neither is lost."""
    found: list[Value] = []
    for index, each in enumerate(reader.items("alias")):
        if text_of(mapping(each).get("name")) or text_of(each):
            found.append(each)
        elif not is_empty(each):
            where = f"{reader.place('alias')}[{index}]"
            reader.losses.append(Loss(where=where, value=shown(each), reason="it has no name"))
    return found


def _with_more(
    hosts: list[Value], paths: list[Value], http: Reader
) -> tuple[list[Value], list[Value]]:
    """With the rules beside the first that lead to the same target; a rule of FSD's is all of its
    hosts with all of its paths, so that one of the two has to be the same."""
    checks = http.values.get("healthcheck")
    for rule in http.readers("additional_rules"):
        more: list[Value] = [
            literal(text_of(mapping(each).get("name") or each)) for each in _hosts(rule)
        ]
        path = rule.text("path")
        there = [] if path in ("", "/") else _paths(path)
        is_same_check = rule.values.get("healthcheck") in (None, checks)
        same = ("deregistration_delay", "stickiness", "version", "allowed_source_ips")
        if is_same_check:
            rule.ignore("healthcheck")
        rule.ignore(
            *(k for k in same if rule.values.get(k) in (http.values.get(k), False, "http1"))
        )
        if sorted(map(text_of, more)) == sorted(map(text_of, hosts)):
            paths = (
                [] if not paths or not there else [*paths, *(e for e in there if e not in paths)]
            )
        elif there == paths:
            hosts = _both(hosts, more)
        else:
            rule.taken -= {"alias", "path"}
        rule.finish("a service has one rule, target group and health check")
    return hosts, paths


def _both(first: list[Value], second: list[Value]) -> list[Value]:
    """[] is every host, or every path."""
    return [*first, *(each for each in second if each not in first)] if first and second else []


def _domain(hosts: list[Value], http: Reader) -> dict[str, Value]:
    """A record that Copilot makes in a zone of yours; the first, as the language has one."""
    zone = http.text("hosted_zone")
    for host in hosts:
        own = text_of(mapping(host).get("hosted_zone")) or zone
        if own:
            name = text_of(mapping(host).get("name")) or text_of(host)
            return {"name": literal(name), "hostedZone": literal(own)}
    return {}


def _paths(path: str) -> list[Value]:
    plain = f"/{path.strip('/')}"
    return [plain] if "*" in plain else [plain, f"{plain}/*"]


def _health(http: Reader) -> dict[str, Value]:
    """Copilot's own path is `/`."""
    written = http.take("healthcheck")
    if not isinstance(written, dict):
        return {"path": http.text("healthcheck") or "/"}
    check = Reader(written, http.place("healthcheck"), http.losses)
    codes = check.text("success_codes")
    found: dict[str, Value] = {
        "path": literal(check.text("path")) or "/",
        "port": check.number("port"),
        "interval": check.seconds("interval"),
        "timeout": check.seconds("timeout"),
        "healthyThreshold": check.number("healthy_threshold"),
        "unhealthyThreshold": check.number("unhealthy_threshold"),
        "gracePeriod": check.seconds("grace_period"),
        "matcher": codes or None,
    }
    check.finish()
    return without_empty(found)


def _network(reader: Reader, *, has_port: bool) -> dict[str, Value]:
    """Without a port a service is not reached, but reaches others."""
    network = reader.inside("network")
    connect = network.take("connect")
    vpc = network.inside("vpc")
    placement = vpc.take("placement")
    groups = vpc.take("security_groups")
    found: dict[str, Value] = {
        "vpc": False if placement == "public" else True if placement == "private" else None,
    }
    if placement not in (None, "public", "private") and not isinstance(placement, dict):
        vpc.lose("placement", "Copilot has no such placement")
    if isinstance(placement, dict):
        inner = Reader(placement, vpc.place("placement"), vpc.losses)
        found["subnets"] = inner.take("subnets")
        inner.finish()
    if isinstance(groups, list):
        named: list[Value] = [each for each in groups if isinstance(each, str)]
        found["securityGroups"] = named
        if len(named) < len(groups):
            vpc.taken.discard("security_groups")
            vpc.lose("security_groups", _EXPORT)
    elif isinstance(groups, dict):
        vpc.taken.discard("security_groups")
        vpc.lose("security_groups", "name the groups in `networking.securityGroups`")
    else:
        vpc.lose("security_groups", "it is no list")
    if connect is True:
        found["connect"] = {"name": service_name(reader.text("name"))} if has_port else {}
    elif isinstance(connect, dict):
        inner = network.inside("connect")
        found["connect"] = {"name": inner.text("alias")}
        inner.finish()
    elif connect is not False:
        network.lose("connect", "it is neither true nor has an alias")
    vpc.finish()
    network.finish()
    return {"networking": found}


def _count(reader: Reader) -> dict[str, Value]:
    written = reader.take("count")
    if not isinstance(written, dict):
        return {"resources": {"desiredCount": reader.number("count")}}
    count = Reader(written, reader.place("count"), reader.losses)
    low, high, spot_from = _range(count)
    spot: Value = {"base": max(spot_from - 1, 0), "percent": 100} if spot_from else None
    spot_count = count.number("spot")
    cooldown = count.inside("cooldown")
    scaling: dict[str, Value] = {
        "scaleInCooldown": cooldown.seconds("in"),
        "scaleOutCooldown": cooldown.seconds("out"),
    }
    cooldown.finish()
    for key, target in _TARGETS.items():
        scaling[target] = _target(count, key, scaling)
    queue = count.inside("queue_delay")
    queue.lose("acceptable_latency", "FSD scales by messages a task: `targetQueueDepth`")
    queue.lose("msg_processing_time", "FSD scales by messages a task: `targetQueueDepth`")
    queue.finish()
    count.lose("response_time", "FSD does not scale by response time")
    count.finish()
    return {
        "resources": {
            "desiredCount": spot_count if spot_count is not None else low,
            "minCapacity": low,
            "maxCapacity": high,
            "spot": True if spot_count is not None else spot,
        },
        "autoScaling": scaling,
    }


def _range(count: Reader) -> tuple[int | None, int | None, int | None]:
    """The least, the most, and the number that Spot begins with."""
    spread = count.values.get("range")
    if isinstance(spread, dict):
        inner = count.inside("range")
        found = inner.number("min"), inner.number("max"), inner.number("spot_from")
        inner.finish()
        return found
    between = _RANGE.fullmatch(count.text("range"))
    if between is None:
        count.lose("range", "it is no range, such as 1-10")
        return None, None, None
    return int(between[1]), int(between[2]), None


def _target(count: Reader, key: str, scaling: dict[str, Value]) -> int | None:
    """Where there is one target its cooldown is that of the service, which FSD has one of."""
    if not isinstance(count.values.get(key), dict):
        return count.number(key)
    target = count.inside(key)
    is_alone = not any(other in count.values for other in _TARGETS if other != key)
    cooldown = target.inside("cooldown")
    own = {
        "scaleInCooldown": cooldown.seconds("in"),
        "scaleOutCooldown": cooldown.seconds("out"),
    }
    said = {name: seconds for name, seconds in own.items() if seconds is not None}
    if is_alone:
        scaling.update(said)
    elif any(scaling.get(name) != seconds for name, seconds in said.items()):
        target.lose("cooldown", "FSD has one cooldown for all targets: `count.cooldown`")
    cooldown.finish()
    found = target.number("value")
    target.finish()
    return found


def _storage(reader: Reader) -> dict[str, Value]:
    storage = reader.inside("storage")
    volumes = storage.inside("volumes")
    found: list[Value] = []
    for name in volumes.values:
        volume = volumes.inside(name)
        efs = volume.take("efs")
        system: Value = None
        if isinstance(efs, dict):
            inner = Reader(efs, volume.place("efs"), volume.losses)
            auth = inner.inside("auth")
            auth.ignore("iam")  # FSD always turns it on
            system = {
                "fileSystem": inner.text("id"),
                "root": inner.text("root_dir"),
                "accessPoint": auth.text("access_point_id"),
            }
            auth.finish()
            inner.finish()
        elif efs is True:
            volume.taken.discard("efs")
            volume.lose("efs", "Copilot's own file system: name it in `efs.fileSystem`")
        elif efs:
            system = {"fileSystem": volume.text("efs")}
        found.append(
            {
                "name": part_name(name),
                "path": volume.text("path"),
                "readOnly": _is_on(volume, "read_only", default=True) or None,
                "efs": system,
            }
        )
        volume.finish()
    result: dict[str, Value] = {
        "resources": {"ephemeralStorage": storage.number("ephemeral")},
        "readonlyRootFilesystem": storage.take("readonly_fs") or None,
        "volumes": [without_empty(mapping(each)) for each in found],
    }
    storage.finish()
    return result


def _deployment(reader: Reader) -> dict[str, Value]:
    deployment = reader.inside("deployment")
    rolling = deployment.text("rolling")
    if rolling not in ("", "default", "recreate"):
        deployment.lose("rolling", "Copilot has no such deployment")
    alarms = deployment.take("rollback_alarms")
    if isinstance(alarms, dict):
        deployment.taken.discard("rollback_alarms")
        deployment.lose("rollback_alarms", "name alarms that are there in `deployment.alarms`")
        alarms = None
    deployment.finish()
    return {
        "deployment": {
            "minimumHealthyPercent": 0 if rolling == "recreate" else None,
            "maximumPercent": 100 if rolling == "recreate" else None,
            "alarms": alarms,
        }
    }


def _logs(reader: Reader) -> dict[str, Value]:
    logging = reader.inside("logging")
    found: dict[str, Value] = {"retention": logging.number("retention")}
    destination = logging.take("destination")
    if isinstance(destination, dict):  # of Fluent Bit, which Copilot starts for it
        options = {key: literal(value) for key, value in logging.texts("destination").items()}
        found |= {"driver": "awsfirelens", "options": without_empty({**options})}
    else:
        logging.lose("destination", "it has no keys")
    logging.ignore("enableMetadata")  # on, as in Copilot without it
    logging.finish("FSD's Fluent Bit has AWS's image and no file of its own")
    return {"observability": {"logs": found}}


def _others(reader: Reader) -> None:
    reader.text("name")
    reader.ignore("type", "environments")
    reader.lose(
        "subscribe",
        "the queue's name is not here: name it in `dependencies`, and set COPILOT_QUEUE_URI",
    )
    reader.lose("alarms", "FSD makes no alarms")


def _traces(reader: Reader) -> dict[str, Value]:
    """X-Ray, by the same collector beside the service.

    https://aws.github.io/copilot-cli/docs/developing/observability/
    """
    observability = reader.inside("observability")
    is_on = observability.text("tracing") == "awsxray"
    if not is_on:
        observability.lose("tracing", "FSD's collector sends to X-Ray")
    observability.finish()
    return {"observability": {"traces": {"enabled": True}}} if is_on else {}
