"""A tree that may have keys of a later language → one that is valid now, and what that costs.

Readers say what the original means in the words of the whole language. What this version of it
does not have yet, or refuses in this combination, is a loss here, at one place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from fsd.importing.reader import Imported, Loss, shown, without_empty
from fsd.importing.values import Value, mapping, text_of
from fsd.importing.write import write_yaml
from fsd.lint.run import lint
from fsd.manifest.finding import Finding, Severity
from fsd.manifest.key_path import KeyPath
from fsd.manifest.load import load_manifest
from fsd.manifest.schema import manifest_schema

_MOST_ROUNDS = 40
_SECTION = 3  # keys down to `service.networking.loadBalancer`: a whole one does not go for a part


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedManifest:
    imported: Imported
    text: str
    findings: tuple[Finding, ...]  # that are left; none is an error unless nothing could be done


def fit(imported: Imported) -> ImportedManifest:
    schema = _language()
    losses = list(imported.losses)
    tree = _with_start_period(imported.tree, schema)
    tree = mapping(_known(tree, schema, schema, "", losses))
    tree = without_empty(tree)
    text, findings = _check(tree)
    for _ in range(_MOST_ROUNDS):
        error = next((each for each in findings if each.severity is Severity.ERROR), None)
        if error is None or not error.key_path:
            break
        removed = _without(tree, error.key_path, losses, reason=error.message)
        if removed is None:
            break
        tree = without_empty(removed)
        text, findings = _check(tree)
    done = replace(imported, tree=tree, losses=tuple(losses))
    return ImportedManifest(imported=done, text=text, findings=findings)


@cache
def _language() -> Mapping[str, Any]:
    """To be read only; made once for all services of a folder."""
    return manifest_schema()


def _with_start_period(tree: dict[str, Value], schema: Mapping[str, Any]) -> dict[str, Value]:
    """A check's start period is FSD's grace period, where the language has no other word."""
    service = mapping(tree.get("service"))
    check = mapping(service.get("healthCheck"))
    period = check.get("startPeriod")
    has_word = "startPeriod" in schema["$defs"]["HealthCheck"]["properties"]
    if has_word or period is None or "gracePeriod" in check:
        return tree
    others = {key: value for key, value in check.items() if key != "startPeriod"}
    changed = {**service, "healthCheck": {**others, "gracePeriod": period}}
    return {**tree, "service": changed}


def _check(tree: dict[str, Value]) -> tuple[str, tuple[Finding, ...]]:
    text = write_yaml(tree)
    loaded = load_manifest(text, path="service.yml")
    findings = [*loaded.findings, *lint(loaded, environment=None)]
    return text, tuple(findings)


def _known(
    value: Value, schema: Mapping[str, Any], whole: Mapping[str, Any], at: str, losses: list[Loss]
) -> Value:
    """The value without the keys that the schema does not have."""
    if isinstance(value, list):
        items = _resolved(schema, whole, kind="array").get("items", {})
        return [
            _known(each, items, whole, f"{at}[{index}]", losses) for index, each in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    found = _resolved(schema, whole, kind="object")
    if not found:
        return value
    properties = found.get("properties", {})
    others = next(iter(found.get("patternProperties", {}).values()), None)
    if others is None and isinstance(found.get("additionalProperties"), dict):
        others = found["additionalProperties"]
    kept: dict[str, Value] = {}
    for key, inner in value.items():
        place = f"{at}.{key}" if at else key
        if key in properties:
            kept[key] = _known(inner, properties[key], whole, place, losses)
        elif others is not None:
            kept[key] = _known(inner, others, whole, place, losses)
        elif not _says_nothing(inner):
            reason = f"the Service YAML has no `{_plain(place)}` yet"
            losses.append(Loss(where=place, value=shown(inner), reason=reason))
    return kept


def _says_nothing(value: Value) -> bool:
    return value is None or value in ("", [], {})


def _plain(place: str) -> str:
    """Without the index of a list."""
    return "".join(part.partition("]")[2] if "]" in part else part for part in place.split("["))


def _resolved(
    schema: Mapping[str, Any], whole: Mapping[str, Any], *, kind: str
) -> Mapping[str, Any]:
    """The part that describes a mapping or a list, of a `$ref` or of several possibilities."""
    for _ in range(10):
        if "$ref" in schema:
            schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema and "properties" not in schema:
            options = [_resolved(option, whole, kind=kind) for option in schema["anyOf"]]
            return next((each for each in options if each.get("type") == kind), schema)
        else:
            return schema
    return schema


def _without(
    tree: dict[str, Value], path: KeyPath, losses: list[Loss], *, reason: str
) -> dict[str, Value] | None:
    """Without what an error is about; its parent where it stands in a list."""
    parts = list(path)
    indexes = [index for index, part in enumerate(parts) if isinstance(part, int)]
    if indexes:  # an element of a list goes as a whole
        parts = parts[: indexes[-1] + 1]
    if len(parts) < 2 or parts[0] in ("apiVersion", "kind"):
        return None
    removed = _removed(tree, parts)
    if removed is None and parts[0] == "service":  # it may be what an environment changes
        for name in mapping(tree.get("environments")):
            parts_there = ["environments", name, *parts[1:]]
            if (removed := _removed(tree, parts_there)) is not None:
                parts = parts_there
                break
    if removed is None:
        is_near = len(parts) > _SECTION
        return _without(tree, tuple(parts[:-1]), losses, reason=reason) if is_near else None
    place = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in parts)[1:]
    if isinstance(removed, dict) and isinstance(parts[-1], int):  # its index changes, its name not
        place = f"{place.rpartition('[')[0]}.{text_of(removed.get('name')) or parts[-1]}"
    losses.append(Loss(where=place, value=shown(removed), reason=reason))
    return tree


def _removed(tree: Value, parts: Sequence[str | int]) -> Value:
    node = tree
    for part in parts[:-1]:
        if isinstance(node, dict) and isinstance(part, str):
            node = node.get(part)
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
        else:
            return None
    last = parts[-1]
    if isinstance(node, list) and isinstance(last, int) and last < len(node):
        return node.pop(last)
    return node.pop(last, None) if isinstance(node, dict) and isinstance(last, str) else None
