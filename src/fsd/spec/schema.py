"""The Service YAML's JSON Schema, and questions to it.

One description of the language, made from the models: `fsd schema` prints it for editors, and
loading asks it what a key is, what it may be and which keys are near a misspelt one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias, cast

from pydantic import BaseModel

from fsd.spec.dependencies import KINDS
from fsd.spec.finding import KeyPath
from fsd.spec.models import Manifest

Json: TypeAlias = dict[str, object]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def manifest_schema() -> Json:
    """JSON Schema 2020-12 of the Service YAML as people write it."""
    schema = cast(Json, _without_titles(_schema(Manifest)))
    definitions = cast(Mapping[str, Json], schema["$defs"])
    service = cast(Mapping[str, Json], definitions["Service"]["properties"])
    # Taken as the text that was written, so editors must not complain.
    service["environment"]["patternProperties"] = {
        pattern: {"type": ["string", "number", "boolean"]}
        for pattern in cast(Json, service["environment"]["patternProperties"])
    }
    service["environment"]["additionalProperties"] = False
    dependency = cast(Mapping[str, Json], definitions["Dependency"]["properties"])
    dependency["type"]["enum"] = sorted(KINDS)
    return {"$schema": DIALECT, "title": "Service YAML (fsd/v1)", **schema}


def _without_titles(schema: object) -> object:
    """A copy without pydantic's `title`, which is the key once more with odd capitals."""
    match schema:
        case dict():
            return {
                key: _without_titles(value)
                for key, value in schema.items()
                if not (key == "title" and isinstance(value, str))
            }
        case list():
            return [_without_titles(item) for item in schema]
    return schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What may stand at one place of a file."""

    model: type[BaseModel]
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


def shape_at(model: type[BaseModel], path: KeyPath) -> Shape | None:
    """None where the language has no such place."""
    shape: Shape | None = _resolve(model, _schema(model))
    for part in path:
        shape = shape.child(part) if shape else None
    return shape


def places(model: type[BaseModel]) -> Iterator[KeyPath]:
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


def _resolve(model: type[BaseModel], schema: Json) -> Shape:
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
            return Shape(model=model, schema=beside, nullable=nullable)
        inner = _resolve(model, real[0])
        return Shape(model=model, schema={**inner.schema, **beside}, nullable=nullable)
    return Shape(model=model, schema=schema)


@cache
def _schema(model: type[BaseModel]) -> Json:
    """Shared: copy it before changing it."""
    return cast(Json, model.model_json_schema(by_alias=True))
