"""apprunner.yaml → a Service YAML's tree.

App Runner builds from source; FSD builds a Dockerfile, which says the same.
https://docs.aws.amazon.com/apprunner/latest/dg/config-file-ref.html
"""

from __future__ import annotations

import shlex

from fsd.importing.original_app_runner import original_of_app_runner
from fsd.importing.reader import ANY_ENVIRONMENT, Imported, Loss, Reader, literal, without_empty
from fsd.importing.service_name import service_name
from fsd.importing.values import Value, mapping, text_of

_DEFAULT_PORT = 8080


def is_app_runner(value: Value) -> bool:
    return "runtime" in mapping(value) and "run" in mapping(value)


def read_app_runner(value: dict[str, Value], *, source: str, pack: str, name: str) -> Imported:
    """`name` is the folder's: the file has none."""
    losses: list[Loss] = []
    reader = Reader(value, "", losses)
    reader.text("version")
    runtime = reader.text("runtime")
    run = reader.inside("run")
    network = run.inside("network")
    port = network.number("port") or _DEFAULT_PORT
    environment = _environment(run)
    variable = network.text("env") or "PORT"
    environment.setdefault(variable, str(port))
    found: dict[str, Value] = {
        "port": port,
        "command": command_of(run.text("command")),
        "environment": environment,
        "secrets": [_secret(each) for each in run.readers("secrets")],
        "networking": {"loadBalancer": {"internal": False}},
    }
    version = run.text("runtime-version")
    network.finish()
    run.lose(
        "pre-run", "what it installs is a RUN of the Dockerfile, a migration is `beforeDeploy`"
    )
    run.lose("post-run", "ECS has no such moment")
    run.finish()
    dockerfile = _dockerfile(reader, runtime, version)
    reader.finish()
    tree: dict[str, Value] = {
        "apiVersion": "fsd/v1",
        "kind": "Service",
        "metadata": {"name": service_name(name), "pack": pack or service_name(name)},
        "service": {"type": "ecs", **without_empty(found)},
    }
    notes = (
        f"App Runner builds the code, FSD builds a Dockerfile: {dockerfile}",
        "App Runner checks the TCP port; `healthCheck.path` has to answer 2xx here",
        "its size, scaling and health check are set on the service: see `resources` and "
        "`autoScaling`",
    )
    return Imported(
        name=service_name(name),
        source=source,
        tree=tree,
        losses=tuple(losses),
        notes=notes,
        originals={ANY_ENVIRONMENT: original_of_app_runner(value)},
    )


def _environment(reader: Reader) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for each in reader.readers("env"):
        name, value = each.text("name"), each.text("value")
        if name:
            found[name] = literal(value)
        else:
            each.lose("value", "it has no name")
        each.finish()
    return found


def _secret(reader: Reader) -> Value:
    found: dict[str, Value] = {
        "name": reader.text("name"),
        "valueFrom": literal(reader.text("value-from")),
    }
    reader.finish()
    return found


def command_of(text: str) -> list[Value]:
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if not words or any(mark in text for mark in "&|;$<>`*"):
        return ["sh", "-c", literal(text)] if text else []
    return [literal(word) for word in words]


def _dockerfile(reader: Reader, runtime: str, version: str) -> str:
    """The lines that do what `build` says."""
    build = reader.inside("build")
    commands = build.inside("commands")
    steps = [
        text_of(each)
        for key in ("pre-build", "build", "post-build")
        for each in commands.words(key)
    ]
    variables = [f"ENV {name}={text_of(value)}" for name, value in _environment(build).items()]
    commands.finish()
    build.finish()
    base = f"FROM python:{version or runtime.removeprefix('python') or '3'}-slim"
    if not runtime.startswith("python"):
        base = f"FROM an image for {runtime}"
    lines = [base, "WORKDIR /app", "COPY . .", *variables, *(f"RUN {step}" for step in steps)]
    return "; ".join(lines)
