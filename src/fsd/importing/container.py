"""A container definition → the part of a Service YAML that is about it.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

from __future__ import annotations

from fsd.importing.reader import Reader, literal, without_empty
from fsd.importing.service_name import part_name
from fsd.importing.values import Value, listed, number, text_of

_SIZE = "a service's task has one size; the container's own is not set"
_NO_FARGATE = "Fargate does not have it"
_NAMELESS = "it has no name"
_SECRET = "arn:aws:secretsmanager:${AWS_REGION}:${AWS_ACCOUNT_ID}:secret:"


def read_container(reader: Reader, *, is_main: bool) -> dict[str, Value]:
    """`is_main` is what `service` says; a sidecar says the same with fewer words."""
    found: dict[str, Value] = {
        "image": literal(reader.text("image")),
        "repositoryCredentials": _credentials(reader),
        "command": _words(reader, "command"),
        "entryPoint": _words(reader, "entryPoint"),
        "environment": read_environment(reader),
        "secrets": _secrets(reader),
        "healthCheck": _health_check(reader),
        "dependsOn": dict(map(_dependency, reader.readers("dependsOn"))),
        "stopTimeout": reader.stop_timeout("stopTimeout", reader.number("stopTimeout")),
        "user": literal(reader.text("user")),
        "workingDirectory": literal(reader.text("workingDirectory")),
        "readonlyRootFilesystem": reader.take("readonlyRootFilesystem") or None,
        "ulimits": [_ulimit(each) for each in reader.readers("ulimits")],
        "dockerLabels": {
            key: literal(value) for key, value in reader.texts("dockerLabels").items()
        },
        "environmentFiles": _files(reader),
        "systemControls": [_control(each) for each in reader.readers("systemControls")],
        **_linux(reader),
    }
    _size(reader, found, is_main=is_main)
    reader.ignore("name", "essential", "portMappings", "mountPoints", "logConfiguration")
    for key in ("privileged", "links", "hostname", "dnsServers", "dnsSearchDomains", "extraHosts"):
        reader.lose(key, _NO_FARGATE)
    reader.lose("resourceRequirements", "FSD runs on Fargate, which has no GPU")
    reader.finish()
    return without_empty(found)


def _credentials(reader: Reader) -> str:
    credentials = reader.inside("repositoryCredentials")
    found = registry_secret(credentials.text("credentialsParameter"))
    credentials.finish()
    return found


def registry_secret(written: str) -> str:
    """An ARN: ECS takes a secret of the task's own Region by its name, too."""
    is_name = bool(written) and ":" not in written and "$" not in written
    return f"{_SECRET}{written}" if is_name else literal(written)


def _words(reader: Reader, key: str) -> list[Value]:
    return [literal(text_of(each)) for each in reader.words(key)]


def read_environment(reader: Reader) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for each in reader.readers("environment"):
        name, value = each.text("name"), each.text("value")
        if name and (value or not isinstance(each.values.get("value"), dict | list)):
            found[name] = literal(value)
        elif not name:
            each.lose("value", _NAMELESS)
        each.finish()
    return found


def _secrets(reader: Reader) -> list[Value]:
    found: list[Value] = []
    for each in reader.readers("secrets"):
        name, where = each.text("name"), each.text("valueFrom")
        if name and where:
            found.append({"name": name, "valueFrom": literal(where)})
        elif not name:
            each.lose("valueFrom", _NAMELESS)
        elif not each.values.get("valueFrom"):
            each.lose("name", "it names no secret")
        each.finish()
    return found


def _files(reader: Reader) -> list[Value]:
    found: list[Value] = []
    for each in reader.readers("environmentFiles"):
        found.append(each.text("value"))
        if each.text("type") not in ("", "s3"):
            each.lose("type", "an environment file is read from S3")
        each.finish()
    return found


def _health_check(reader: Reader) -> dict[str, Value]:
    check = reader.inside("healthCheck")
    command = read_check_command(check)
    found: dict[str, Value] = {
        "command": command,
        "interval": check.number("interval"),
        "timeout": check.number("timeout"),
        "unhealthyThreshold": check.number("retries"),
        "startPeriod": check.number("startPeriod"),
    }
    check.finish()
    return without_empty(found) if command is not None else {}


def read_check_command(check: Reader) -> Value:
    """`check_command` of the key `command`; what stands there and is no word is lost."""
    if isinstance(check.values.get("command"), list):
        return check_command(check.words("command"))
    return check_command(check.text("command")) or None


def check_command(written: Value) -> Value:
    """Text, which a shell runs, or words; None for a check that is switched off."""
    if isinstance(written, str):
        return literal(written)
    words = [text_of(each) for each in listed(written)]
    if words[:1] == ["CMD-SHELL"]:
        return literal(" ".join(words[1:]))
    if not words or words == ["NONE"]:
        return None
    return [literal(word) for word in (words[1:] if words[0] == "CMD" else words)]


def _dependency(reader: Reader) -> tuple[str, Value]:
    found = part_name(reader.text("containerName")), reader.text("condition")
    reader.finish()
    return found


def _ulimit(reader: Reader) -> Value:
    found: dict[str, Value] = {
        "name": reader.text("name"),
        "softLimit": reader.number("softLimit"),
        "hardLimit": reader.number("hardLimit"),
    }
    reader.finish()
    return found


def _control(reader: Reader) -> Value:
    found: dict[str, Value] = {
        "namespace": reader.text("namespace"),
        "value": literal(reader.text("value")),
    }
    reader.finish()
    return found


def _linux(reader: Reader) -> dict[str, Value]:
    linux = reader.inside("linuxParameters")
    capabilities = linux.inside("capabilities")
    found: dict[str, Value] = {
        "init": linux.take("initProcessEnabled"),
        "capabilities": {
            "add": capabilities.words("add"),
            "drop": capabilities.words("drop"),
        },
    }
    capabilities.finish()
    linux.finish()
    return found


def _size(reader: Reader, found: dict[str, Value], *, is_main: bool) -> None:
    if not is_main:
        found["resources"] = {
            "cpu": reader.number("cpu") or None,
            "memory": reader.number("memory"),
        }
    for key in ("cpu", "memory", "memoryReservation"):
        if key not in reader.taken and number(reader.values.get(key)) != 0:
            reader.lose(key, _SIZE)
        reader.ignore(key)
