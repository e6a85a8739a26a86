"""The volumes of a Copilot manifest, and its container's own disk.

https://aws.github.io/copilot-cli/docs/developing/storage/
"""

from __future__ import annotations

from fsd.importing.reader import Reader, without_empty
from fsd.importing.service_name import part_name
from fsd.importing.values import Value, mapping


def read_storage(reader: Reader) -> dict[str, Value]:
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
                "readOnly": volume.flag("read_only") is not False or None,
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
