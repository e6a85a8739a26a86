"""Every member of every request acts, is refused, or is listed as inert."""

from __future__ import annotations

import pytest

from fsd_local.members import CLASSES, load, load_resource_types
from tests.local import members, schemas

SERVICES = ("ecs", "elbv2", "ecr", "application-autoscaling")


@pytest.mark.parametrize("service", SERVICES)
def test_members__every_shape_of_botocore__is_classified_once(service: str) -> None:
    classes = load(service)
    expected = {name: sorted(shape.members) for name, shape in members.shapes(service).items()}
    found: dict[str, list[str]] = {}
    for by_shape in classes.values():
        for shape, names in by_shape.items():
            found.setdefault(shape, []).extend(names)

    assert set(classes) == set(CLASSES)
    assert {shape: sorted(names) for shape, names in found.items()} == {
        shape: names for shape, names in expected.items() if names
    }


RESOURCE_TYPES = load_resource_types()


@pytest.mark.parametrize("kind", RESOURCE_TYPES)
def test_resource_types__every_property_of_cfn_lints_schema__is_classified_once(kind: str) -> None:
    known = RESOURCE_TYPES[kind]
    expected = schemas.properties(kind)

    found = [path for class_ in CLASSES for path in known.get(class_, ())]

    assert sorted(found) == sorted(expected)
    assert known.get("values", {}) == {
        path: values for path, values in expected.items() if values is not None
    }
    assert known.get("replaces", []) == schemas.replacing(kind)
