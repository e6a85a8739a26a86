from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsd.manifest.load import load_manifest
from fsd.manifest.models import Manifest
from fsd.manifest.schema import places, shape_at
from fsd.manifest.units import UNITS, number_meant
from tests.unit.manifest.manifests import manifest


def the_fix(service: str) -> str:
    (finding,) = load_manifest(manifest(service), path="service.yml").findings
    assert finding.id == "wrong-type"
    return finding.fix


@pytest.mark.parametrize(
    ("service", "fix"),
    [
        ("resources: {memory: 512MB}", "write `memory: 512` (MiB)"),
        ("resources: {cpu: 0.25}", "write `cpu: 256` (CPU units, 1024 is one vCPU)"),
        ("healthCheck: {interval: 5s}", "write `interval: 5` (seconds)"),
        ("healthCheck: {interval: 1s}", "use a value from 5 to 300 (seconds)"),
        ("healthCheck: {gracePeriod: soon}", "write a whole number (seconds)"),
        ("deployment: {bakeTime: 300s}", "write `bakeTime: 5` (minutes)"),
        ("deployment: {minimumHealthyPercent: 50%}", "write `minimumHealthyPercent: 50` (percent)"),
        ("observability: {logs: {retention: 2 weeks}}", "write `retention: 14` (days)"),
        ("port: '8080:80'", "write `port: 80`"),
        ("resources: {desiredCount: two}", "write `desiredCount: 2`"),
        ("port: http", "write a whole number"),
    ],
)
def test_wrong_unit__the_number_to_write(service: str, fix: str) -> None:
    assert the_fix(service) == fix


@pytest.mark.parametrize(
    ("key", "text", "number"),
    [
        ("memory", "1GB", 1024),
        ("memory", "1.5 GB", 1536),
        ("memory", "2Gi", 2048),
        ("memory", "512Mi", 512),
        ("memory", "512m", 512),
        ("memory", "0.5", 512),
        ("memory", "1024.0", 1024),
        ("memory", "1,024", 1024),
        ("memory", "524288k", 512),
        ("memory", "lots", None),
        ("memory", "5s", None),
        ("cpu", ".5", 512),
        ("cpu", "1.0", 1024),
        ("cpu", "500m", 512),
        ("cpu", "1 vCPU", 1024),
        ("cpu", "0.3", 512),
        ("cpu", "512.0", 512),
        ("cpu", "2cores", 2048),
        ("cpu", "512MB", None),
        ("timeout", "1m30s", 90),
        ("timeout", "1500ms", 2),
        ("timeout", "1 min 30 s", 90),
        ("timeout", "2.5", 3),
        ("timeout", "5GB", None),
        ("timeout", "", None),
        ("timeout", "s", None),
        ("bakeTime", "1h", 60),
        ("bakeTime", "90s", 2),
        ("retention", "1 month", 30),
        ("retention", "1y", 365),
        ("targetCPUUtilization", "0.75", 75),
        ("targetCPUUtilization", "75 %", 75),
        ("port", "80/tcp", 80),
        ("port", "127.0.0.1:8000:80", 80),
        ("port", "80:abc", None),
        ("desiredCount", "3.0", 3),
        ("desiredCount", "1.5", None),
        ("desiredCount", "9" * 50, None),
        ("path", "5s", None),
    ],
)
def test_number_meant(key: str, text: str, number: int | None) -> None:
    assert number_meant(key, text) == number


def test_units__every_number_of_the_language_has_one() -> None:
    shapes = {place: shape_at(Manifest, place) for place in places(Manifest)}
    numbers = {
        str(place[-1]) for place, shape in shapes.items() if shape and shape.type == "integer"
    }

    assert numbers == set(UNITS)


@given(st.sampled_from(sorted(UNITS)), st.text(max_size=60))
def test_number_meant__any_text__never_fails(key: str, text: str) -> None:
    meant = number_meant(key, text)

    assert meant is None or meant >= 0
