from __future__ import annotations

import json
from typing import cast

import pytest
import yaml

from fsd.manifest.dependencies import KINDS
from fsd.manifest.models import Manifest
from fsd.manifest.schema import Json, manifest_schema, places, shape_at
from tests.unit.manifest.manifests import KAFKA_CONSUMER, SMALL, manifest


def valid(text: str) -> bool:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(manifest_schema())
    return bool(validator.is_valid(yaml.safe_load(text)))


def test_manifest_schema__itself__is_json_schema_2020_12() -> None:
    jsonschema = pytest.importorskip("jsonschema")

    jsonschema.Draft202012Validator.check_schema(manifest_schema())


def test_manifest_schema__asked_twice__the_same_and_serializable() -> None:
    assert json.dumps(manifest_schema()) == json.dumps(manifest_schema())


@pytest.mark.parametrize(
    "text", [KAFKA_CONSUMER, SMALL, manifest("environment: {A: 1, B: true, C: x}")]
)
def test_manifest_schema__good_manifest__accepted(text: str) -> None:
    assert valid(text)


@pytest.mark.parametrize(
    "service", ["prot: 1", "port: 0", "port: x", "environment: {A-B: x}", "platform: arm"]
)
def test_manifest_schema__bad_manifest__refused(service: str) -> None:
    assert not valid(manifest(service))


def test_manifest_schema__every_key__is_described() -> None:
    undescribed = [
        place
        for place in places(Manifest)
        if not ((shape := shape_at(Manifest, place)) and shape.description)
    ]

    assert undescribed == []


def test_manifest_schema__dependency_types__are_listed() -> None:
    definitions = cast(Json, manifest_schema()["$defs"])
    dependency = cast(Json, cast(Json, definitions["Dependency"])["properties"])

    assert cast(Json, dependency["type"])["enum"] == sorted(KINDS)


def test_shape_at__place__what_may_stand_there() -> None:
    port = shape_at(Manifest, ("service", "port"))
    assert port is not None
    assert (port.type, port.bounds, port.nullable) == ("integer", (1, 65535), True)
    cpu = shape_at(Manifest, ("service", "resources", "cpu"))
    assert cpu is not None
    assert cpu.bounds == (1, None)
    variable = shape_at(Manifest, ("service", "environment", "ANY"))
    assert variable is not None
    assert variable.type == "string"
    assert shape_at(Manifest, ("service", "prot")) is None


def test_manifest_schema__examples__are_good_values() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = manifest_schema()
    definitions = cast(dict[str, Json], schema["$defs"])
    properties = [
        (name, key, cast(Json, value))
        for name, section in definitions.items()
        for key, value in cast(Json, section["properties"]).items()
    ]

    wrong = [
        (name, key, example)
        for name, key, value in properties
        for example in cast(list[object], value.get("examples", []))
        if not jsonschema.Draft202012Validator({"$defs": definitions, **value}).is_valid(example)
    ]

    assert len([1 for _, _, value in properties if "examples" in value]) >= 10
    assert wrong == []


def test_manifest_schema__text_with_a_variable__accepted_whatever_its_pattern() -> None:
    assert valid(SMALL.replace("offer-api", "offer-${ENV}"))
    assert not valid(SMALL.replace("offer-api", "offer-$ENV"))
