"""Text → Manifest: parse, override, interpolate, check. Every finding in one run.

    text ─ parse ─▶ tree ─ overrides ─▶ tree ─ interpolate ─▶ tree ─ models ─▶ Manifest

The tree keeps places all the way, so that whatever is found later (also by `fsd.lint`, on the
manifest) can be shown in the line where it was written. Precedence: manifest < the environment's
overrides < `--override`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fsd.errors import Location
from fsd.manifest.finding import Finding, FindingId, Severity, order
from fsd.manifest.interpolate import interpolate, variables_in
from fsd.manifest.key_path import KeyPath
from fsd.manifest.model_check import check
from fsd.manifest.models import Manifest
from fsd.manifest.valid_part import ValidPart, find_valid_part
from fsd.manifest.variants import environment_names, misplaced, with_environment
from fsd.manifest.yaml_tree import (
    Branch,
    Document,
    Items,
    Node,
    Scalar,
    Value,
    describe,
    find,
    locate,
    parse,
)

if TYPE_CHECKING:
    from fsd.manifest.overrides import Override


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The manifest as it is in an environment that it has values for."""

    environment: str
    valid_part: ValidPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A manifest with all that was found, and the places of its keys.

    `manifest` is None where there is an error among the findings. `tree` is what was checked:
    overridden and interpolated. `valid_part` is what has no errors in it, for `fsd.lint`, so that
    one run shows everything. `assumed` are variables that were used without being known; a
    release must not go on with any. `environment_document` is where the environment's overrides
    are written, `unused` are those of them that change nothing. `variants` are there where no
    environment was chosen, so that one run shows the mistakes of all.
    """

    path: str
    manifest: Manifest | None
    findings: tuple[Finding, ...]
    document: Document | None = None
    tree: Node | None = None
    valid_part: ValidPart | None = None
    assumed: frozenset[str] = frozenset()
    environment_document: Document | None = None
    unused: tuple[Override, ...] = ()
    variants: tuple[Variant, ...] = ()

    @property
    def has_errors(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    def place(self, path: KeyPath, *, key: bool = False) -> tuple[Location | str, int]:
        """Where a value (or its key) was written, and its width; else the nearest key above."""
        if self.tree is None:
            return Location(path=self.path, line=1, column=1), 1
        return locate(self.tree, path, key=key)


def load_manifest(
    text: str,
    *,
    path: str,
    overrides: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    environment_overrides: Mapping[str, Value] | None = None,
    environment_document: Document | None = None,
) -> Loaded:
    """Load a Service YAML. Never raises: what is wrong is in the findings.

    `overrides` are texts like `resources.cpu=2048`. Without `variables`, or without one of them,
    placeholders stand in, so that a manifest can be checked offline; SERVICE is the manifest's own
    name unless it is given. `environment_document` is where the environment's overrides are
    written: it gives findings that come from them a place.
    """
    document, found = _one_document(text, path)
    if document is None:
        return Loaded(path=path, manifest=None, findings=found)
    environment = (variables or {}).get("ENV", "")
    tree = with_environment(document.root, environment)
    refused: tuple[Finding, ...] = ()
    unused: tuple[Override, ...] = ()
    if overrides or environment_overrides:
        from fsd.manifest import overrides as override_

        given, malformed = override_.from_command_line(overrides)
        first = override_.from_environment(
            environment_overrides or {}, document=environment_document
        )
        base = tree
        tree, refused = override_.apply(base, (*first, *given))
        refused = (*malformed, *refused)
        unused = _unused(base, first, variables or {})
    others, theirs = _check_variants(document, variables or {}, chosen=environment)
    findings = [*found, *refused, *_names_itself(tree), *misplaced(document.root), *theirs]
    names = _with_service(tree, variables or {})
    done = interpolate(tree, variables=names, lines=document.lines)
    manifest, wrong = check(Manifest, done.tree)
    every_finding = _unique((*findings, *done.findings, *wrong))
    has_errors = any(finding.severity is Severity.ERROR for finding in every_finding)
    valid_part = (
        ValidPart(manifest=manifest, tree=done.tree) if manifest else find_valid_part(done.tree)
    )
    return Loaded(
        path=path,
        manifest=None if has_errors else manifest,
        findings=every_finding,
        document=document,
        tree=done.tree,
        valid_part=valid_part,
        assumed=done.assumed,
        environment_document=environment_document,
        unused=unused,
        variants=() if environment else others,
    )


def _check_variants(
    document: Document, variables: Mapping[str, str], *, chosen: str
) -> tuple[tuple[Variant, ...], tuple[Finding, ...]]:
    """What is wrong in environments that were not chosen: they are in the file all the same."""
    variants: list[Variant] = []
    findings: list[Finding] = []
    for name in environment_names(document.root):
        if name == chosen:
            continue
        tree = with_environment(document.root, name)
        names = _with_service(tree, {**variables, "ENV": name})
        done = interpolate(tree, variables=names, lines=document.lines)
        manifest, wrong = check(Manifest, done.tree)
        findings += [*done.findings, *wrong]
        valid_part = (
            ValidPart(manifest=manifest, tree=done.tree) if manifest else find_valid_part(done.tree)
        )
        if valid_part is not None:
            variants.append(Variant(environment=name, valid_part=valid_part))
    return tuple(variants), tuple(findings)


def _unused(
    tree: Node, overrides: Iterable[Override], variables: Mapping[str, str]
) -> tuple[Override, ...]:
    """Overrides after which the manifest is what it was, defaults and all."""
    from fsd.manifest.overrides import apply

    unused: list[Override] = []
    before = _manifest(tree, variables)
    for override in overrides:
        tree, refused = apply(tree, (override,))
        after = _manifest(tree, variables)
        if not refused and before is not None and before == after:
            unused.append(override)
        before = after
    return tuple(unused)


def _manifest(tree: Node, variables: Mapping[str, str]) -> Manifest | None:
    names = _with_service(tree, variables)
    return check(Manifest, interpolate(tree, variables=names).tree)[0]


def _one_document(text: str, path: str) -> tuple[Document | None, tuple[Finding, ...]]:
    """The only document, if it can be a Service YAML at all."""
    parsed = parse(text, path=path)
    if not parsed.documents:
        return None, parsed.findings or (_empty(path),)
    document = parsed.documents[0]
    findings = list(parsed.findings)
    if len(parsed.documents) > 1:
        findings.append(_several(path, parsed.documents[1].start))
    problem = _not_a_manifest(document)
    if problem is not None:
        return None, (problem,)
    return document, tuple(findings)


def _not_a_manifest(document: Document) -> Finding | None:
    root = document.root
    where, width = locate(root, ())
    fix = "a Service YAML starts with `apiVersion: fsd/v1` and `kind: Service`"
    match root:
        case Branch(entries=entries):
            if {"apiVersion", "kind", "metadata", "service"} & set(entries):
                return None
            message = "this is YAML, but not a Service YAML: " + (
                f"its keys are {', '.join(list(entries)[:5])}" if entries else "it has no keys"
            )
        case Items():
            message = "there is a list at the top, not a mapping"
        case Scalar(value=value):
            message = f"there is {describe(value)[:100]} at the top, not a mapping"
    return _error(FindingId.NOT_A_SERVICE_YAML, message, fix, where=where, width=width)


def _empty(path: str) -> Finding:
    where = Location(path=path, line=1, column=1)
    fix = "a Service YAML starts with `apiVersion: fsd/v1` and `kind: Service`"
    return _error(FindingId.YAML_EMPTY, "the file is empty", fix, where=where)


def _several(path: str, line: int) -> Finding:
    where = Location(path=path, line=line, column=1)
    message = "a second document starts here; a Service YAML is one document"
    return _error(
        FindingId.YAML_SEVERAL_DOCUMENTS,
        message,
        "move it to a file of its own, less `---`",
        where=where,
    )


def _error(
    id_: FindingId, message: str, fix: str, *, where: Location | str, width: int = 1
) -> Finding:
    return Finding(
        id=id_, severity=Severity.ERROR, where=where, message=message, fix=fix, width=width
    )


def _with_service(tree: Node, variables: Mapping[str, str]) -> Mapping[str, str]:
    """SERVICE is the manifest's own name, which may itself use the other variables."""
    name = find(tree, ("metadata", "name"))
    if "SERVICE" in variables or not isinstance(name, Scalar) or not isinstance(name.value, str):
        return variables
    own = interpolate(replace(name, where=""), variables=variables).tree
    assert isinstance(own, Scalar)
    return {**variables, "SERVICE": str(own.value)}


def _names_itself(tree: Node) -> tuple[Finding, ...]:
    path = ("metadata", "name")
    name = find(tree, path)
    if not isinstance(name, Scalar) or "SERVICE" not in variables_in(name.text):
        return ()
    where, width = locate(tree, path)
    message = "`metadata.name` cannot use ${SERVICE}, which is this name"
    return (
        _error(FindingId.UNKNOWN_VARIABLE, message, "write the name out", where=where, width=width),
    )


def _unique(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sorted by place; what an alias shows twice is said once."""
    once = {(finding.id, finding.where, finding.message): finding for finding in findings}
    return tuple(sorted(once.values(), key=order))
