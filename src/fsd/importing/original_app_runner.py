"""What App Runner makes of an apprunner.yaml, and of a service's own settings, in AWS's words.

https://docs.aws.amazon.com/apprunner/latest/dg/config-file-ref.html
https://docs.aws.amazon.com/apprunner/latest/api/API_CreateService.html
"""

from __future__ import annotations

import shlex

from fsd.importing.original import NOT_THERE, pairs, task, text_pairs
from fsd.importing.reader import Loss, Original, Reader
from fsd.importing.values import Value

_BUILT = "App Runner builds the image; the Dockerfile that does the same stands in a note"
_PORT = 8080


def original_of_app_runner(value: dict[str, Value]) -> Original:
    uncompared: list[Loss] = []
    reader = Reader(value, "", uncompared)
    reader.ignore("version")
    reader.lose("runtime", _BUILT)
    reader.lose("build", _BUILT)
    run = reader.inside("run")
    network = run.inside("network")
    port = network.number("port") or _PORT
    variable = network.text("env") or "PORT"
    environment = {variable: str(port)} | text_pairs(run, "env", "value")
    for key in ("runtime-version", "pre-run"):
        run.lose(key, _BUILT)
    container: dict[str, Value] = {
        "command": _words(run.text("command")),
        "environment": pairs(environment, "value"),
        "secrets": pairs(text_pairs(run, "secrets", "value-from"), "valueFrom"),
        "portMappings": [{"containerPort": port}],
    }
    for inner in (network, run, reader):
        inner.finish(NOT_THERE)
    return Original(
        definition=task(container, {}),
        around={"loadBalancer.Scheme": "internet-facing"},
        is_part=True,
        uncompared=tuple(uncompared),
    )


def _words(text: str) -> list[Value]:
    """App Runner's shell takes what is more than words."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    needs_shell = not words or not set("&|;$<>`*").isdisjoint(text)
    return ["sh", "-c", text] if text and needs_shell else [*words]
