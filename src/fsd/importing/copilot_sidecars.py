"""The containers that a Copilot manifest starts beside the service's own.

https://aws.github.io/copilot-cli/docs/developing/sidecars/
"""

from __future__ import annotations

from fsd.importing.container import registry_secret
from fsd.importing.copilot_container import (
    read_command,
    read_container_check,
    read_order,
    read_secrets,
    read_variables,
)
from fsd.importing.reader import Reader, literal, without_empty
from fsd.importing.service_name import part_name
from fsd.importing.values import Value, number, text_of


def read_sidecars(reader: Reader) -> list[Value]:
    """What has no keys is lost."""
    sidecars = reader.inside("sidecars")
    return [_sidecar(name, sidecars.inside(name)) for name in sidecars.values]


def _sidecar(name: str, sidecar: Reader) -> Value:
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
        "command": read_command(sidecar, "command"),
        "entryPoint": read_command(sidecar, "entrypoint"),
        "dockerLabels": {k: literal(v) for k, v in sidecar.texts("labels").items()},
        "environment": read_variables(sidecar),
        "secrets": read_secrets(sidecar),
        "healthCheck": read_container_check(sidecar.inside("healthcheck")),
        "dependsOn": read_order(sidecar),
        "volumes": [
            without_empty(
                {
                    "name": part_name(mount.text("source_volume")),
                    "path": mount.text("path"),
                    "readOnly": mount.flag("read_only") is not False or None,
                }
            )
            for mount in mounts
        ],
    }
    for mount in mounts:
        mount.finish()
    sidecar.finish()
    return without_empty(found)
