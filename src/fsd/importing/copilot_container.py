"""The container of a Copilot manifest: image, command, environment, secrets, health check.

https://aws.github.io/copilot-cli/docs/manifest/lb-web-service/#image
"""

from __future__ import annotations

import re
import shlex

from fsd.importing.container import read_check_command, registry_secret
from fsd.importing.copilot_names import EXPORT
from fsd.importing.reader import Reader, literal, without_empty
from fsd.importing.service_name import part_name
from fsd.importing.values import Value, mapping, text_of

_ARCHITECTURES = ("", "amd64", "x86_64", "arm", "arm64")


def read_image(reader: Reader) -> dict[str, Value]:
    image = reader.inside("image")
    build = image.take("build")
    found: dict[str, Value] = {
        "image": literal(image.text("location")),
        "repositoryCredentials": registry_secret(image.text("credentials")),
        "port": image.number("port"),
        "healthCheck": read_container_check(image.inside("healthcheck")),
        "dockerLabels": {k: literal(v) for k, v in image.texts("labels").items()},
        "dependsOn": read_order(image),
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


def read_main_container(reader: Reader) -> dict[str, Value]:
    architecture = _architecture(reader)
    reader.lose(
        "env_file",
        "an environment file is read from S3 on AWS: upload it, and name its ARN in "
        "`environmentFiles`",
    )
    return {
        "command": read_command(reader, "command"),
        "entryPoint": read_command(reader, "entrypoint"),
        "resources": {
            "cpu": reader.number("cpu"),
            "memory": reader.number("memory"),
        },
        "platform": "ARM64" if architecture.startswith("arm") else None,
        "exec": reader.take("exec"),
        "environment": read_variables(reader),
        "secrets": read_secrets(reader),
    }


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


def read_command(reader: Reader, key: str) -> Value:
    if isinstance(reader.values.get(key), list):
        return [literal(text_of(each)) for each in reader.words(key)]
    text = reader.text(key)
    if not text:
        return None
    try:
        return [literal(word) for word in shlex.split(text)]
    except ValueError:
        return ["sh", "-c", literal(text)]


def read_variables(reader: Reader) -> dict[str, Value]:
    variables = reader.values.get("variables")
    inner = Reader(mapping(variables), reader.place("variables"), reader.losses)
    for key, value in inner.values.items():
        if isinstance(value, dict):
            inner.lose(key, EXPORT)
    return {key: literal(value) for key, value in reader.texts("variables").items()}


def read_secrets(reader: Reader) -> list[Value]:
    secrets = reader.inside("secrets")
    found: list[Value] = []
    for name, value in secrets.values.items():
        inner = mapping(value)
        if "from_cfn" in inner:
            secrets.lose(name, EXPORT)
            continue
        where = literal(text_of(inner.get("secretsmanager") or inner.get("ssm") or value))
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


def read_container_check(check: Reader) -> dict[str, Value]:
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


def read_order(reader: Reader) -> dict[str, Value]:
    return {
        part_name(name): condition.upper() for name, condition in reader.texts("depends_on").items()
    }
