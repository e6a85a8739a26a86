"""App Runner's own service, as a template or `describe-service` has it, → a Service YAML's tree.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apprunner-service.html
https://docs.aws.amazon.com/apprunner/latest/api/API_Service.html
"""

from __future__ import annotations

from fsd.importing.app_runner import command_of
from fsd.importing.original import pairs, task
from fsd.importing.reader import (
    ANY_ENVIRONMENT,
    Imported,
    Loss,
    Original,
    Reader,
    literal,
    without_empty,
)
from fsd.importing.service_name import service_name
from fsd.importing.task_definition import read_tags, task_units
from fsd.importing.values import Value, listed, mapping, text_of

_PORT = 8080
_CPU, _MEMORY = 1024, 2048  # App Runner's default
_ANSWERS = ("ServiceId", "ServiceArn", "ServiceUrl", "CreatedAt", "UpdatedAt", "Status")


def is_app_runner_service(value: Value) -> bool:
    return "SourceConfiguration" in _unwrapped(value)


def _unwrapped(value: Value) -> dict[str, Value]:
    found = mapping(value)
    return mapping(found.get("Service")) or found


def read_app_runner_service(value: dict[str, Value], *, source: str, pack: str) -> Imported:
    losses: list[Loss] = []
    reader = Reader(_unwrapped(value), "", losses)
    found, notes = _source(reader.inside("SourceConfiguration"))
    cpu, memory, role = _instance(reader.inside("InstanceConfiguration"))
    check, more = _check(reader.inside("HealthCheckConfiguration"))
    public = _network(reader.inside("NetworkConfiguration"))
    tree: dict[str, Value] = {
        **found,
        "resources": {"cpu": cpu, "memory": memory, **_scaling(reader)},
        "roles": {"task": literal(role) if role else None},
        "healthCheck": check,
        "networking": {"loadBalancer": {"internal": not public}},
        "observability": {"traces": {"enabled": True}} if _is_traced(reader) else None,
        "tags": read_tags(Reader({"tags": _lowered(reader.take("Tags"))}, "", losses)),
    }
    reader.lose("EncryptionConfiguration", "ECR and CloudWatch have keys of their own")
    name = service_name(reader.text("ServiceName"))
    reader.ignore(*_ANSWERS)
    reader.finish()
    service = without_empty(tree)
    return Imported(
        name=name,
        source=source,
        tree={
            "apiVersion": "fsd/v1",
            "kind": "Service",
            "metadata": {"name": name, "pack": pack or name},
            "service": {"type": "ecs", **service},
        },
        losses=tuple(losses),
        notes=(*notes, *more),
        originals={ANY_ENVIRONMENT: _original(reader.values, cpu, memory)},
    )


def _lowered(tags: Value) -> Value:
    return [{key.lower(): each for key, each in mapping(item).items()} for item in listed(tags)]


def _source(reader: Reader) -> tuple[dict[str, Value], tuple[str, ...]]:
    """(of the service, notes)."""
    # Who pulls the image or the code: with FSD the execution role, and the workflow's checkout.
    reader.ignore("AuthenticationConfiguration", "AutoDeploymentsEnabled")
    image = reader.inside("ImageRepository")
    code = reader.inside("CodeRepository")
    notes: tuple[str, ...] = ()
    if image.values:
        config = image.inside("ImageConfiguration")
        found = _running(config)
        found["image"] = literal(image.text("ImageIdentifier"))
        image.ignore("ImageRepositoryType")
        image.finish()
    else:
        found, notes = _code(code)
    reader.finish()
    return found, notes


def _code(code: Reader) -> tuple[dict[str, Value], tuple[str, ...]]:
    """What is built from source: the Dockerfile stands in a note."""
    config = code.inside("CodeConfiguration")
    values = config.inside("CodeConfigurationValues")
    runtime, build = values.text("Runtime"), values.text("BuildCommand")
    if config.text("ConfigurationSource") == "REPOSITORY":
        config.lose("ConfigurationSource", "import the repository's apprunner.yaml too")
    found = _running(values)
    config.finish()
    code.ignore("RepositoryUrl", "SourceCodeVersion")
    folder = code.text("SourceDirectory").strip("/")
    code.finish()
    version = runtime.lower().removeprefix("python_")
    version = f"{version[0]}.{version[1:]}" if len(version) > 1 else version
    base = f"python:{version}-slim" if "PYTHON" in runtime else f"an image for {runtime or 'it'}"
    lines = [f"FROM {base}", "WORKDIR /app", f"COPY {folder or '.'} .", *_run(build)]
    note = f"App Runner builds the code, FSD builds a Dockerfile: {'; '.join(lines)}"
    return found, (note,)


def _run(build: str) -> list[str]:
    return [f"RUN {build}"] if build else []


def _running(config: Reader) -> dict[str, Value]:
    port = config.number("Port") or _PORT
    environment = _pairs(config, "RuntimeEnvironmentVariables")
    secrets: list[Value] = [
        {"name": name, "valueFrom": literal(place)}
        for name, place in _pairs(config, "RuntimeEnvironmentSecrets").items()
    ]
    command = command_of(config.text("StartCommand"))
    config.finish()
    variables: dict[str, Value] = {"PORT": str(port)}
    variables |= {name: literal(value) for name, value in environment.items()}
    return {"port": port, "command": command, "environment": variables, "secrets": secrets}


def _pairs(reader: Reader, key: str) -> dict[str, str]:
    """A list of pairs in a template, a section in an answer."""
    if isinstance(reader.values.get(key), dict):
        return reader.texts(key)
    found: dict[str, str] = {}
    for each in reader.readers(key):
        found[each.text("Name")] = each.text("Value")
        each.finish()
    return found


def _instance(reader: Reader) -> tuple[int, int, str]:
    sizes: list[int] = []
    for key, unit, usual in (("Cpu", "vcpu", _CPU), ("Memory", "gb", _MEMORY)):
        written = reader.text(key)
        size = task_units(written, unit) if written else usual
        if size is None:
            reader.lose(key, f"it is no size, and it gets App Runner's {usual}")
        sizes.append(size or usual)
    role = reader.text("InstanceRoleArn")
    reader.finish()
    return sizes[0], sizes[1], role


def _check(reader: Reader) -> tuple[dict[str, Value], tuple[str, ...]]:
    is_http = reader.text("Protocol") == "HTTP"
    found: dict[str, Value] = {
        "path": (reader.text("Path") or "/") if is_http else None,
        "interval": reader.within("Interval", reader.number("Interval"), least=5, most=300),
        "timeout": reader.within("Timeout", reader.number("Timeout"), least=2, most=120),
        "healthyThreshold": reader.within(
            "HealthyThreshold", reader.number("HealthyThreshold"), least=2, most=10
        ),
        "unhealthyThreshold": reader.within(
            "UnhealthyThreshold", reader.number("UnhealthyThreshold"), least=2, most=10
        ),
    }
    if not is_http:
        reader.ignore("Path")
    reader.finish()
    note = "App Runner checks the TCP port; `healthCheck.path` has to answer 2xx here"
    return found, () if is_http else (note,)


def _network(reader: Reader) -> bool:
    """Whether it is on the internet."""
    egress, ingress = reader.inside("EgressConfiguration"), reader.inside("IngressConfiguration")
    egress.lose("VpcConnectorArn", "FSD's tasks are in the environment's VPC: see `subnets`")
    egress.ignore("EgressType")
    egress.finish()
    public = ingress.flag("IsPubliclyAccessible")
    ingress.finish()
    if reader.text("IpAddressType") not in ("IPV4", ""):
        reader.lose("IpAddressType", "FSD's load balancers have IPv4")
    reader.finish()
    return public is not False


def _scaling(reader: Reader) -> dict[str, Value]:
    key = "AutoScalingConfigurationArn"
    if not isinstance(reader.values.get(key), dict):
        reader.lose(key, "its bounds do not stand here: see `resources` and `autoScaling`")
        return {}
    config = reader.inside(key)
    least, most = config.number("MinSize") or 1, config.number("MaxSize") or 25
    config.lose(
        "MaxConcurrency", "App Runner counts requests at a time: see `autoScaling` for AWS's others"
    )
    config.ignore("AutoScalingConfigurationName", "Tags")
    config.finish()
    return {"minCapacity": least, "maxCapacity": most}


def _is_traced(reader: Reader) -> bool:
    observed = reader.inside("ObservabilityConfiguration")
    is_on = observed.flag("ObservabilityEnabled") is True
    observed.ignore("ObservabilityConfigurationArn")
    observed.finish()
    return is_on


def _original(service: dict[str, Value], cpu: int, memory: int) -> Original:
    """What App Runner starts, in ECS's words, for `--check`."""
    source = mapping(service.get("SourceConfiguration"))
    image = mapping(source.get("ImageRepository"))
    code = mapping(mapping(source.get("CodeRepository")).get("CodeConfiguration"))
    config = mapping(image.get("ImageConfiguration")) or mapping(
        code.get("CodeConfigurationValues")
    )
    running = _running(Reader(config, "", []))
    environment = _pairs(Reader(config, "", []), "RuntimeEnvironmentVariables")
    secrets = _pairs(Reader(config, "", []), "RuntimeEnvironmentSecrets")
    port = running["port"]
    container: dict[str, Value] = {
        "image": text_of(image.get("ImageIdentifier")) or None,
        "environment": pairs({"PORT": text_of(port)} | environment, "value"),
        "secrets": pairs(secrets, "valueFrom"),
        "portMappings": [{"containerPort": port}],
    }
    size: dict[str, Value] = {"cpu": str(cpu), "memory": str(memory)}
    return Original(definition=task(without_empty(container), size), is_part=True)
