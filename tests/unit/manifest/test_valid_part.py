"""What the rules get to see of a manifest with errors."""

from __future__ import annotations

from fsd.manifest.load import load_manifest
from fsd.manifest.valid_part import ValidPart
from tests.unit.manifest.manifests import manifest


def sound(text: str) -> ValidPart:
    found = load_manifest(text, path="service.yml").valid_part
    assert found is not None
    return found


def test_find_sound_part__wrong_values__left_out_and_the_rest_kept() -> None:
    found = sound(manifest("port: x\nresources: {cpu: 1024, memory: y}\nnope: 1"))

    assert found.manifest.service.port is None
    assert found.manifest.service.resources.cpu == 1024
    assert ("service", "resources", "memory") in found.without


def test_find_sound_part__wrong_items__the_others_stay_in_order() -> None:
    found = sound(
        manifest("""
            secrets:
              - {name: A, valueFrom: a}
              - {name: B}
              - 5
              - {name: C, valueFrom: c}
        """)
    )

    assert [secret.name for secret in found.manifest.service.secrets] == ["A", "C"]


def test_find_sound_part__required_keys_missing_or_wrong__filled_in() -> None:
    for text in ("kind: Service\n", "apiVersion: fsd/v1\nservice: 5\nmetadata: []\n"):
        found = sound(text)

        assert found.manifest.metadata.name == "service"
        assert found.manifest.service.type == "ecs"


def test_find_sound_part__good_manifest__the_manifest_itself() -> None:
    loaded = load_manifest(manifest("port: 1"), path="service.yml")

    assert loaded.valid_part is not None
    assert loaded.valid_part.manifest is loaded.manifest
    assert loaded.valid_part.without == frozenset()
