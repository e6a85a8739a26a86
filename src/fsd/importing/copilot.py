"""A Copilot manifest → a Service YAML's tree, with its `environments`.

https://aws.github.io/copilot-cli/docs/manifest/overview/
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from fsd.importing.copilot_balancer import read_balancer, say_which_check
from fsd.importing.copilot_container import read_image, read_main_container
from fsd.importing.copilot_job import read_job
from fsd.importing.copilot_names import MARK, names_application, spelled_out, unmarked
from fsd.importing.copilot_overrides import read_overrides
from fsd.importing.copilot_scaling import read_count
from fsd.importing.copilot_service import read_deployment, read_logs, read_network, read_traces
from fsd.importing.copilot_sidecars import read_sidecars
from fsd.importing.copilot_storage import read_storage
from fsd.importing.copilot_topics import read_topics
from fsd.importing.original_copilot import originals_of_copilot
from fsd.importing.reader import Imported, Loss, Reader, without_empty
from fsd.importing.service_name import service_name
from fsd.importing.task_definition import merged
from fsd.importing.values import Value, mapping, text_of

KINDS = (
    "Load Balanced Web Service",
    "Backend Service",
    "Worker Service",
    "Scheduled Job",
    "Request-Driven Web Service",
    "Static Site",
)
_JOB = "Scheduled Job"
_UNKNOWN_APPLICATION = (
    "the name of the application stands in copilot/.workspace, which is not here: with that file "
    "in its place what has the name (secrets, most often) is imported too",
)
_ENV = "${ENV}"


def is_copilot(value: Value) -> bool:
    return text_of(mapping(value).get("type")) in KINDS


def read_copilot(
    value: dict[str, Value], *, source: str, pack: str, application: str = ""
) -> Imported | None:
    """None for a static site, which no task serves."""
    losses: list[Loss] = []
    originals = originals_of_copilot(value, application=application)
    value = mapping(spelled_out(value, environment=MARK, application=application))
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
        tree=mapping(unmarked(tree, _ENV)),
        losses=tuple(
            replace(loss, value=loss.value.replace(MARK, "${COPILOT_ENVIRONMENT_NAME}"))
            for loss in losses
        ),
        notes=(
            "Copilot gives a container COPILOT_APPLICATION_NAME, COPILOT_ENVIRONMENT_NAME and "
            "COPILOT_SERVICE_NAME; set those that the code reads",
            *(_UNKNOWN_APPLICATION if not application and names_application(value) else ()),
        ),
    )


class _Manifest:
    """What all readers of one manifest share."""

    def __init__(self, *, kind: str, application: str) -> None:
        self.kind = kind
        self.application = application
        self.dependencies: list[Value] = []

    def read(self, value: dict[str, Value], losses: list[Loss]) -> dict[str, Value]:
        """`service`; `dependencies` are then those of the manifest that was read last."""
        reader = Reader(value, "", losses)
        found = read_image(reader)
        has_port = found.get("port") is not None
        found = merged(found, read_network(reader, has_port=has_port))
        in_container = mapping(found.get("healthCheck"))
        found = merged(found, read_balancer(reader, self.kind))
        say_which_check(in_container, mapping(found.get("healthCheck")), reader)
        found = merged(found, read_main_container(reader))
        found = merged(found, read_count(reader))
        found = merged(found, read_storage(reader))
        found = merged(found, read_deployment(reader))
        found = merged(found, read_logs(reader))
        if self.kind == _JOB:
            found = merged(found, read_job(reader))
        found["sidecars"] = read_sidecars(reader)
        name = text_of(value.get("name"))
        topics, self.dependencies = read_topics(reader, name, application=self.application)
        found = merged(found, topics)
        found = merged(found, read_overrides(reader))
        found = merged(found, read_traces(reader))
        _others(reader)
        reader.finish()
        if found.get("ports"):
            found.pop("port", None)
        return without_empty(found)


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


def _workspace(source: str) -> str:
    """The folder that has `copilot/`: its manifests' paths begin there."""
    path = PurePosixPath(source)
    is_usual = len(path.parents) > 2 and path.parents[1].name == "copilot"
    return str(path.parents[2] if is_usual else path.parent)


def _others(reader: Reader) -> None:
    reader.text("name")
    reader.ignore("type", "environments")
    reader.lose(
        "subscribe",
        "the queue's name is not here: name it in `dependencies`, and set COPILOT_QUEUE_URI",
    )
    reader.lose("alarms", "FSD makes no alarms")
