"""Reads the Service YAML for every command that takes one.

The pure layers below load and lint it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fsd.app.clock import SystemClock
from fsd.app.environments import EnvironmentsFile, KnownEnvironments, choose, read_environments
from fsd.app.user_text import InvalidFileError, read_text
from fsd.errors import ManifestError
from fsd.lint.run import lint
from fsd.manifest.finding import order
from fsd.manifest.load import Loaded, load_manifest
from fsd.manifest.models import Manifest
from fsd.manifest.yaml_tree import split_lines
from fsd.report.findings import Sources

if TYPE_CHECKING:
    from fsd.release.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidManifest(Loaded):
    """Loaded, linted and without errors; its findings are warnings and notes."""

    manifest: Manifest


def read_manifest(
    path: Path,
    *,
    environment: str | None = None,
    overrides: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    environments_file: EnvironmentsFile = None,
) -> ValidManifest:
    """Read, load and lint. `variables` are those beside ENV and SERVICE, which are known here.

    Raises InvalidFileError with every finding where one is an error, and ManifestError where the
    file cannot be read or the environment is not known.
    """
    loaded = check_manifest(
        path,
        environment=environment,
        overrides=overrides,
        variables=variables,
        environments_file=environments_file,
    )
    if loaded.manifest is None or loaded.has_errors:
        raise InvalidFileError(loaded.findings, sources=sources_of(loaded), path=str(path))
    return ValidManifest(
        path=loaded.path,
        manifest=loaded.manifest,
        findings=loaded.findings,
        document=loaded.document,
        tree=loaded.tree,
        valid_part=loaded.valid_part,
        assumed=loaded.assumed,
        environment_document=loaded.environment_document,
        unused=loaded.unused,
    )


def check_manifest(
    path: Path,
    *,
    environment: str | None = None,
    overrides: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    environments_file: EnvironmentsFile = None,
    clock: Clock | None = None,
    text: str | None = None,
) -> Loaded:
    """Like `read_manifest`, but errors in the manifest are findings and not raised.

    `text` is what the file holds, or would hold; it is not read then.
    """
    known = KnownEnvironments(environments={})
    chosen = None
    if environment is not None:
        known = read_environments(path, environments_file)
        chosen = choose(known, environment)
    loaded = load_manifest(
        read_text(path) if text is None else text,
        path=str(path),
        overrides=overrides,
        variables={**({"ENV": environment} if environment else {}), **(variables or {})},
        environment_overrides=chosen.overrides if chosen else {},
        environment_document=known.document(chosen.name) if chosen and chosen.overrides else None,
    )
    found = lint(
        loaded,
        environment,
        environments=known.environments.values(),
        today=(clock or SystemClock()).now().date(),
    )
    findings = dict.fromkeys((*loaded.findings, *found))
    return replace(loaded, findings=tuple(sorted(findings, key=order)))


def sources_of(loaded: Loaded) -> Sources:
    """The lines that findings are shown with."""
    if loaded.document is not None:
        documents = (loaded.document, loaded.environment_document)
        return {document.path: document.lines for document in documents if document is not None}
    try:
        return {loaded.path: split_lines(read_text(Path(loaded.path)))}
    except ManifestError:
        return {}
