"""The Service YAML's JSON Schema, and questions to it.

One description of the language, made from the models: `fsd schema` prints it for editors, and
loading asks it what a key is, what it may be and which keys are near a misspelt one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import MISSING, dataclass
from functools import cache
from typing import Literal, TypeAlias, cast, get_args, get_origin

from fsd.manifest.dependencies import KINDS
from fsd.manifest.key_path import KeyPath
from fsd.manifest.models import Manifest
from fsd.manifest.section import TEXT_MAPS, Key, Limits, alternatives, is_section, keys, unwrap

Json: TypeAlias = dict[str, object]

# As in `fsd.manifest.variants`, which says what is wrong with another.
ENVIRONMENT_PATTERN = r"^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def manifest_schema() -> Json:
    """JSON Schema 2020-12 of the Service YAML as people write it."""
    schema = deepcopy(_schema(Manifest))
    definitions = cast(Mapping[str, Json], schema["$defs"])
    for definition in definitions.values():
        _take_any_scalar(cast(dict[str, Json], definition.get("properties", {})))
    properties = cast(dict[str, Json], schema["properties"])
    properties["environments"] |= _by_environment(schema)
    dependency = cast(Mapping[str, Json], definitions["Dependency"]["properties"])
    dependency["type"]["enum"] = sorted(KINDS)
    return {"$schema": DIALECT, "title": "Service YAML (fsd/v1)", **_open_to_variables(schema)}


def _by_environment(schema: Json) -> Json:
    """Keys of `service`, none of them required: what an environment leaves out is the service's.

    The items of a list are whole: a list replaces the service's.
    """
    definitions = cast(dict[str, Json], schema["$defs"])
    definitions["ServiceIn"] = _all_optional("Service", definitions)
    owners = cast(Json, definitions["Metadata"]["properties"])["owners"]
    section = cast(Json, definitions["ServiceIn"]["properties"])
    section["metadata"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"owners": owners},
        "description": "The owners, if they differ in this environment.",
    }
    one: Json = {"anyOf": [{"$ref": "#/$defs/ServiceIn"}, {"type": "null"}]}
    return {"patternProperties": {ENVIRONMENT_PATTERN: one}, "additionalProperties": False}


def _all_optional(name: str, definitions: dict[str, Json]) -> Json:
    """A copy of a definition, with those below it, in which nothing is required."""
    copy = deepcopy(definitions[name])
    copy.pop("required", None)
    for schema in cast(dict[str, Json], copy.get("properties", {})).values():
        for place in (schema, *cast(list[Json], schema.get("anyOf", []))):
            below = str(place.get("$ref", "")).rpartition("/")[2]
            if not below:
                continue
            if f"{below}In" not in definitions:
                definitions[f"{below}In"] = {}
                definitions[f"{below}In"] = _all_optional(below, definitions)
            place["$ref"] = f"#/$defs/{below}In"
    return copy


def _take_any_scalar(properties: Mapping[str, Json]) -> None:
    """In a map of texts the text that was written counts, so editors must not complain."""
    anything: Json = {"type": ["string", "number", "boolean"]}
    for name in TEXT_MAPS & properties.keys():
        found = properties[name]
        if "patternProperties" in found:
            patterns = cast(Json, found["patternProperties"])
            found["patternProperties"] = dict.fromkeys(patterns, anything)
            found["additionalProperties"] = False
        elif found.get("type") == "object":
            found["additionalProperties"] = anything


def _open_to_variables(schema: Json) -> Json:
    """A text with `${ENV}` in it has its final form only when the variable has a value."""
    return {
        key: _open_to_variables(cast(Json, value))
        if isinstance(value, dict)
        else [_open_to_variables(item) if isinstance(item, dict) else item for item in value]
        if isinstance(value, list)
        else value
        for key, value in _with_alternative(schema).items()
    }


def _with_alternative(schema: Json) -> Json:
    if schema.get("type") != "string" or "pattern" not in schema:
        return schema
    limits = {key: schema[key] for key in ("pattern", "maxLength") if key in schema}
    rest = {key: value for key, value in schema.items() if key not in limits}
    return {**rest, "anyOf": [limits, {"pattern": r"\$\{[A-Z_]+\}"}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What may stand at one place of a file."""

    model: type
    schema: Mapping[str, object]
    nullable: bool = False

    @property
    def type(self) -> str:
        """`object`, `array`, `string`, `integer`, `boolean`; empty where anything may stand."""
        return str(self.schema.get("type", "string" if self.choices else ""))

    @property
    def choices(self) -> tuple[str, ...]:
        if "const" in self.schema:
            return (str(self.schema["const"]),)
        return tuple(str(item) for item in cast(list[object], self.schema.get("enum", [])))

    @property
    def description(self) -> str:
        return str(self.schema.get("description", ""))

    @property
    def pattern(self) -> str:
        return str(self.schema.get("pattern", ""))

    @property
    def takes_boolean(self) -> bool:
        """Whether one of several types is true or false."""
        others = cast(list[Json], self.schema.get("anyOf", []))
        return any(item.get("type") == "boolean" for item in others)

    @property
    def item_pattern(self) -> str:
        """Of the list that is one of several types; "" without one."""
        lists = [each for each in cast(list[Json], self.schema.get("anyOf", [])) if "items" in each]
        return str(cast(Json, lists[0]["items"]).get("pattern", "")) if lists else ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of a section; empty for a map, whose keys people choose."""
        return tuple(cast(Json, self.schema.get("properties", {})))

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """Lowest and highest value, both inclusive."""
        low = cast("int | None", self.schema.get("minimum"))
        above = cast("int | None", self.schema.get("exclusiveMinimum"))
        return above + 1 if above is not None else low, cast(
            "int | None", self.schema.get("maximum")
        )

    def child(self, part: str | int) -> Shape | None:
        properties = cast(Mapping[str, Json], self.schema.get("properties", {}))
        if isinstance(part, int):
            return self._shape(self.schema.get("items"))
        if part in properties:
            return self._shape(properties[part])
        patterns = cast(Mapping[str, Json], self.schema.get("patternProperties", {}))
        any_key = next(iter(patterns.values()), self.schema.get("additionalProperties"))
        return self._shape(any_key)

    def _shape(self, schema: object) -> Shape | None:
        return _resolve(self.model, cast(Json, schema)) if isinstance(schema, dict) else None


def shape_at(model: type, path: KeyPath) -> Shape | None:
    """None where the language has no such place."""
    shape: Shape | None = _resolve(model, _schema(model))
    for part in path:
        shape = shape.child(part) if shape else None
    return shape


def places(model: type) -> Iterator[KeyPath]:
    """Every key of the language; an item of a list is `[0]`, a map's own keys are left out."""
    root = shape_at(model, ())
    if root is not None:
        yield from _places(root, ())


def _places(shape: Shape, path: KeyPath) -> Iterator[KeyPath]:
    parts: tuple[str | int, ...] = (0,) if shape.type == "array" else shape.keys
    for part in parts:
        below = shape.child(part)
        if below is None:
            continue
        if isinstance(part, str):
            yield (*path, part)
        yield from _places(below, (*path, part))


def _resolve(model: type, schema: Json) -> Shape:
    """Follow references and take the one alternative of an optional key that is not null."""
    beside = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf", "allOf")}
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        definitions = cast(Mapping[str, Json], _schema(model)["$defs"])
        inner = _resolve(model, definitions[name])
        return Shape(model=model, schema={**inner.schema, **beside}, nullable=inner.nullable)
    if "anyOf" in schema:
        alternatives = cast(list[Json], schema["anyOf"])
        real = [item for item in alternatives if item.get("type") != "null"]
        nullable = len(real) < len(alternatives)
        if len(real) != 1:
            return Shape(model=model, schema=_union(model, real) | beside, nullable=nullable)
        inner = _resolve(model, real[0])
        return Shape(model=model, schema={**inner.schema, **beside}, nullable=nullable)
    return Shape(model=model, schema=schema)


def _union(model: type, alternatives: list[Json]) -> Json:
    """No type of its own; the keys of the section that is among the alternatives."""
    sections = [_resolve(model, item).schema for item in alternatives if "$ref" in item]
    keys: Json = {"properties": sections[0]["properties"]} if sections else {}
    return {"anyOf": alternatives, **keys}


@cache
def _schema(model: type) -> Json:
    """Shared: copy it before changing it."""
    definitions: dict[str, Json] = {}
    schema = _object(model, definitions)
    return {"$defs": definitions, **schema}


def _object(section: type, definitions: dict[str, Json]) -> Json:
    every = tuple(keys(section))
    schema: Json = {"type": "object", "additionalProperties": False}
    if section.__doc__ != section.__name__:
        schema["description"] = section.__doc__
    schema["properties"] = {item.written: _property(item, definitions) for item in every}
    required = [item.written for item in every if item.default is MISSING]
    return {**schema, "required": required} if required else schema


def _property(item: Key, definitions: dict[str, Json]) -> Json:
    schema = {**_any_of(item.type, definitions), "description": item.description}
    if item.default is not MISSING:
        schema["default"] = _as_written(item.default)
    if item.examples:
        schema["examples"] = _as_written(item.examples)
    return schema


def _any_of(type_: object, definitions: dict[str, Json]) -> Json:
    choices, nullable = alternatives(type_)
    schemas = [_one(choice, definitions) for choice in choices]
    if nullable:
        schemas.append({"type": "null"})
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _one(annotated: object, definitions: dict[str, Json]) -> Json:
    type_, limits = unwrap(annotated)
    if isinstance(type_, type) and is_section(type_):
        if type_.__name__ not in definitions:
            definitions[type_.__name__] = {}  # its place, before those of its keys
            definitions[type_.__name__] = _object(type_, definitions)
        return {"$ref": f"#/$defs/{type_.__name__}"}
    arguments = get_args(type_)
    match get_origin(type_):
        case origin if origin is Literal and len(arguments) == 1:
            return {"type": "string", "const": arguments[0]}
        case origin if origin is Literal:
            return {"type": "string", "enum": list(arguments)}
        case origin if origin is tuple:
            items = _any_of(arguments[0], definitions)
            return {"type": "array", "items": items, **_limits(limits, of_items=True)}
        case origin if origin is dict:
            return {"type": "object", **_map(arguments, definitions)}
    if type_ is object:
        return {}
    return {"type": _TYPES[type_], **_limits(limits)}


_TYPES: Mapping[object, str] = {str: "string", int: "integer", bool: "boolean", float: "number"}


def _map(arguments: tuple[object, ...], definitions: dict[str, Json]) -> Json:
    _, limits = unwrap(arguments[0])
    values = _any_of(arguments[1], definitions)
    if limits.pattern is None:
        return {"additionalProperties": values}
    return {"patternProperties": {limits.pattern: values}}


def _limits(limits: Limits, *, of_items: bool = False) -> Json:
    words = {
        "minimum": limits.ge,
        "exclusiveMinimum": limits.gt,
        "maximum": limits.le,
        "minItems" if of_items else "minLength": limits.min_length,
        "maxItems" if of_items else "maxLength": limits.max_length,
        "pattern": limits.pattern,
    }
    return {word: limit for word, limit in words.items() if limit is not None}


def _as_written(value: object) -> object:
    if isinstance(value, tuple):
        return [_as_written(item) for item in value]
    if is_section(type(value)):
        return {item.written: _as_written(getattr(value, item.name)) for item in keys(type(value))}
    return value
