"""A tree that may have keys of a later language → one that is valid now, and what that costs.

Readers say what the original means in the words of the whole language. What this version of it
does not have yet, or refuses in this combination, is a loss here, at one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import yaml

from fsd.errors import Location
from fsd.importing.reader import Imported, Loss, is_empty, shown, without_empty
from fsd.importing.values import Value, mapping, text_of
from fsd.importing.write import write_yaml
from fsd.lint.run import lint
from fsd.manifest.finding import Finding, Severity
from fsd.manifest.load import load_manifest
from fsd.manifest.schema import manifest_schema

_MOST_ROUNDS = 40
_SECTION = 3  # keys down to `service.networking.loadBalancer`: a whole one does not go for a part


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedManifest:
    imported: Imported
    text: str
    findings: tuple[Finding, ...]  # that are left; none is an error unless nothing could be done

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.severity is Severity.ERROR)


def fit(imported: Imported) -> ImportedManifest:
    schema = _language()
    losses = list(imported.losses)
    tree = _with_start_period(imported.tree, schema)
    tree = mapping(_known(tree, schema, schema, "", losses))
    tree = _with_removals(tree, schema)
    tree = without_empty(tree)
    text, findings = _check(tree)
    for _ in range(_MOST_ROUNDS):
        error = next((each for each in findings if each.severity is Severity.ERROR), None)
        if error is None or not error.key_path:
            break
        removed = _without(tree, error, text, losses)
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
        elif not is_empty(inner):
            reason = f"the Service YAML has no `{_plain(place)}` yet"
            losses.append(Loss(where=place, value=shown(inner), reason=reason))
    return kept


def _with_removals(tree: dict[str, Value], schema: Mapping[str, Any]) -> dict[str, Value]:
    """With what the language takes where an environment removes a key and null is refused."""
    service = tree.get("service")
    at_service = schema["properties"]["service"]
    return {
        **tree,
        "environments": {
            name: _removing(changes, service, at_service, schema)
            for name, changes in mapping(tree.get("environments")).items()
        },
    }


def _removing(
    value: Value, base: Value, schema: Mapping[str, Any], whole: Mapping[str, Any]
) -> Value:
    """An empty list for a list, and each key of a section for a section."""
    if value is None and not _takes_null(schema, whole):
        if isinstance(base, list):
            return []
        value = dict.fromkeys(base) if isinstance(base, dict) else None
    if not isinstance(value, dict):
        return value
    properties = _resolved(schema, whole, kind="object").get("properties", {})
    return {
        key: _removing(each, mapping(base).get(key), properties[key], whole)
        if key in properties
        else each
        for key, each in value.items()
    }


def _takes_null(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    if "$ref" in schema:
        return _takes_null(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    if any(_takes_null(option, whole) for option in schema.get("anyOf", ())):
        return True
    return schema.get("type") == "null"


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
    tree: dict[str, Value], error: Finding, text: str, losses: list[Loss]
) -> dict[str, Value] | None:
    """Without what an error is about; its parent where it stands in a list."""
    parts = list(error.key_path)
    indexes = [index for index, part in enumerate(parts) if isinstance(part, int)]
    if indexes:  # an element of a list goes as a whole
        parts = parts[: indexes[-1] + 1]
    if parts[0] in ("apiVersion", "kind"):
        return None
    written_in = _environment_at(text, error.where)
    while len(parts) >= 2:
        for place in _places(tree, parts, written_in):
            if found := _removed(tree, place):
                losses.append(_loss_of(found[0], place, reason=error.message))
                return tree
        if len(parts) <= _SECTION:
            break
        parts = parts[:-1]
    return None


def _environment_at(text: str, where: Location | str) -> str:
    """The environment that this line of the text is of; "" for a line of none."""
    if isinstance(where, str):
        return ""
    begun = _begun(yaml.compose(text, Loader=yaml.SafeLoader), where.line)
    is_there = bool(begun) and begun[-1][0] == "environments"
    return _last_key(begun[-1][1], where.line) if is_there else ""


def _last_key(node: yaml.Node, line: int) -> str:
    return next((key for key, _ in reversed(_begun(node, line))), "")


def _begun(node: yaml.Node | None, line: int) -> list[tuple[str, yaml.Node]]:
    """The keys of a mapping that begin at this line, counted from 1, or above it."""
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key.value, value) for key, value in node.value if key.start_mark.line < line]


def _places(
    tree: dict[str, Value], parts: list[str | int], written_in: str
) -> Iterator[list[str | int]]:
    """Where a value of `service` may stand: first in the environment that the error names."""
    if parts[0] != "service":
        yield parts
        return
    names = list(mapping(tree.get("environments")))
    if written_in in names:
        yield ["environments", written_in, *parts[1:]]
    yield parts
    yield from (["environments", name, *parts[1:]] for name in names if name != written_in)


def _loss_of(removed: Value, parts: Sequence[str | int], *, reason: str) -> Loss:
    place = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in parts)[1:]
    if isinstance(removed, dict) and isinstance(parts[-1], int):  # its index changes, its name not
        place = f"{place.rpartition('[')[0]}.{text_of(removed.get('name')) or parts[-1]}"
    if removed is None:  # what the environment would take away
        reason = "an environment cannot remove this key: it keeps the value of `service`"
    return Loss(where=place, value=shown(removed), reason=reason)


def _removed(tree: Value, parts: Sequence[str | int]) -> list[Value]:
    """What stood there, which may be null; [] where nothing stands."""
    node = tree
    for part in parts[:-1]:
        if isinstance(node, dict) and isinstance(part, str):
            node = node.get(part)
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
        else:
            return []
    last = parts[-1]
    if isinstance(node, list) and isinstance(last, int) and last < len(node):
        return [node.pop(last)]
    if isinstance(node, dict) and isinstance(last, str) and last in node:
        return [node.pop(last)]
    return []
