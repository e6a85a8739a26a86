"""A process image: what the Dockerfile copies and installs, as a real image, made without Docker.

It is for an embedded AWS that runs tasks as processes. One layer with the files that are copied,
one that names those of this machine's cache (see `layers`), and a configuration; the label says
what it is, so that nobody takes it for a whole image. The same content gives the same digest.
https://github.com/opencontainers/image-spec/blob/main/config.md
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from fsd_files.dockerfile import load_dockerfile
from fsd_files.ignore import load_ignore
from fsd_files.tree import Kind, Node, Tree, read_tree
from fsd_local.image.layers import LayerNode, OuterLink
from fsd_local.image.registry import Blob, RegistryClient
from fsd_local.image.stages import FileSnapshot, StepWorker, play

RUNTIME_LABEL = "fsd.runtime"
PROCESS = "process"
LEFT_OUT_LABEL = "fsd-local.left-out"  # a JSON array of sentences and steps
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
REFERENCES_TYPE = "application/vnd.fsd-local.references.v1+json"
_IN_MEMORY = 32 << 20  # bytes of a layer; a larger one is a temporary file
_LEVEL = 6  # of gzip: said, so that it is the same everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    digest: str
    blobs: int
    pushed: int  # how many of them the registry did not have


def take_snapshot(
    context: Path,
    *,
    dockerfile: Path,
    build_args: Mapping[str, str],
    architecture: str,
    target: str = "",
    worker: StepWorker | None = None,
) -> FileSnapshot:
    """Of the stage `target`, or the last.

    Raises FileError for a Dockerfile that cannot be played without Docker.
    """
    tree = read_tree(context, load_ignore(context, dockerfile))
    instructions = load_dockerfile(dockerfile)
    return play(
        instructions,
        context=tree,
        build_args=build_args,
        architecture=architecture,
        target=target,
        worker=worker,
    )


def push_snapshot(
    snapshot: FileSnapshot, *, client: RegistryClient, tag: str, architecture: str
) -> Pushed:
    """Layer, configuration, manifest; blobs that the registry has are not sent again."""
    copied, named = _divide(snapshot.tree)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:
        file = cast("BinaryIO", spooled)
        diff_ids = [write_layer(copied, file)]
        layers: list[tuple[Blob, IO[bytes]]] = [(_blob(file, _LAYER_TYPE), file)]
        if named:
            names = io.BytesIO(_json(named))
            layers.append((_blob(names, REFERENCES_TYPE), names))
            diff_ids.append(layers[-1][0].digest)
        config_file = io.BytesIO(_config(snapshot, diff_ids=diff_ids, architecture=architecture))
        config = _blob(config_file, _CONFIG_TYPE)
        contents = [*layers, (config, config_file)]
        missing = [pair for pair in contents if not client.has_blob(pair[0].digest)]
        for blob, content in missing:
            content.seek(0)
            client.put_blob(blob, content)
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": config.describe(),
            "layers": [layer.describe() for layer, _ in layers],
        }
    )
    client.put_manifest(manifest, tag=tag, media_type=MANIFEST_TYPE)
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    return Pushed(digest=digest, blobs=len(contents), pushed=len(missing))


def _divide(tree: Tree) -> tuple[Tree, dict[str, object]]:
    """(what is sent, what is only named)."""
    copied: Tree = {}
    files: dict[str, object] = {}
    cache = ""
    outer: dict[str, object] = {}
    for path, node in tree.items():
        if isinstance(node, LayerNode):
            cache = node.cache
            files[path] = [node.layer, node.inner, node.mode, node.is_template]
        elif isinstance(node, OuterLink):
            outer[path] = node.target
        else:
            copied[path] = node
    return copied, {"cache": cache, "files": files, "outer": outer} if files or outer else {}


def write_layer(tree: Tree, file: IO[bytes]) -> str:
    """A tar with gzip: sorted, of root, of the beginning of time. Returns the tar's own digest."""
    with gzip.GzipFile(
        filename="", mode="wb", fileobj=file, mtime=0, compresslevel=_LEVEL
    ) as zipped:
        hashing = _Hashing(zipped)
        with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for path in sorted(tree):
                _add(archive, path, tree[path])
    return f"sha256:{hashing.hash.hexdigest()}"


class _Hashing(io.RawIOBase):
    """Passes bytes on, and hashes them on the way."""

    def __init__(self, behind: gzip.GzipFile) -> None:
        self.hash = hashlib.sha256()
        self._behind = behind

    def write(self, content: object, /) -> int:
        block = bytes(cast("bytes", content))
        self.hash.update(block)
        return self._behind.write(block)


def _add(archive: tarfile.TarFile, path: str, node: Node) -> None:
    member = tarfile.TarInfo(path)
    member.mode = node.mode
    if node.kind is Kind.DIRECTORY:
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    elif node.kind is Kind.LINK:
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, node.target, 0o777
        archive.addfile(member)
    else:
        with node.open() as content:
            member.size = content.seek(0, io.SEEK_END)
            content.seek(0)
            archive.addfile(member, content)


def _config(snapshot: FileSnapshot, *, diff_ids: list[str], architecture: str) -> bytes:
    configuration = snapshot.configuration
    labels = {**configuration.labels, RUNTIME_LABEL: PROCESS}
    if snapshot.skipped or snapshot.notes:
        left_out = (*snapshot.notes, *snapshot.skipped)
        labels[LEFT_OUT_LABEL] = json.dumps(left_out)
    runs: dict[str, object] = {
        "Env": [f"{name}={value}" for name, value in configuration.environment.items()],
        "WorkingDir": configuration.working_directory,
        "Entrypoint": list(configuration.entry_point) if configuration.entry_point else None,
        "Cmd": list(configuration.command) if configuration.command else None,
        "ExposedPorts": {port: {} for port in configuration.ports},
        "User": configuration.user,
        "Labels": labels,
    }
    return _json(
        {
            "architecture": architecture,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": runs,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "fsd"}],
        }
    )


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _blob(file: IO[bytes], media_type: str) -> Blob:
    file.seek(0)
    found = hashlib.sha256()
    size = 0
    while block := file.read(1 << 20):
        found.update(block)
        size += len(block)
    return Blob(digest=f"sha256:{found.hexdigest()}", size=size, media_type=media_type)
