from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsd.errors import Location
from fsd.lint.run import lint
from fsd.manifest.environments import Environment, OverrideValue, find_document
from fsd.manifest.key_path import dotted
from fsd.manifest.load import load_manifest
from fsd.manifest.models import Manifest
from fsd.manifest.schema import places
from tests.unit.manifest.manifests import KAFKA_CONSUMER, manifest


def found(text: str, environment: str | None = None) -> list[tuple[str, int]]:
    loaded = load_manifest(text, path="service.yml")
    places = []
    for finding in lint(loaded, environment):
        assert isinstance(finding.where, Location)
        places.append((finding.id, finding.where.line))
    return places


CLEAN = {"metadata": "owners: ['@me']"}
LOGS = "observability: {logs: {retention: 30}}\n"


def test_lint__manifest_in_order__nothing() -> None:
    assert found(KAFKA_CONSUMER, "prod") == []


def test_lint__several_findings__sorted_by_place() -> None:
    text = manifest(
        LOGS + "networking: {vpc: false}\nenvironment: {A: no}\nresources: {cpu: 300}", **CLEAN
    )

    assert found(text) == [("vpc-disabled", 10), ("yaml-boolean-trap", 11), ("fargate-size", 12)]


@pytest.mark.parametrize(
    "service",
    [
        "networking:\n  vpc: false  # fsd: ignore[vpc-disabled] a public mirror",
        "networking:\n  # fsd: ignore[vpc-disabled] a public mirror\n  vpc: false",
        "networking:\n  # fsd: ignore[vpc-disabled] a public\n  # mirror\n  vpc: false",
        "networking:\n  vpc: false  # fsd: ignore[owners-missing, vpc-disabled]",
    ],
)
def test_lint__ignore_comment__nothing(service: str) -> None:
    assert found(manifest(LOGS + service, **CLEAN)) == []


@pytest.mark.parametrize(
    "service",
    [
        "networking:\n  vpc: false  # fsd: ignore[owners-missing]",
        "networking:\n  # fsd: ignore[vpc-disabled]\n\n  vpc: false",
        "networking:\n  vpc: false\n  # fsd: ignore[vpc-disabled]",
        "image: 'x # fsd: ignore[vpc-disabled]'\nnetworking: {vpc: false}",
    ],
)
def test_lint__ignore_comment_elsewhere__still_found(service: str) -> None:
    assert [id_ for id_, _ in found(manifest(LOGS + service, **CLEAN))] == ["vpc-disabled"]


def test_lint__ignore_of_an_unknown_id__found() -> None:
    text = manifest(LOGS + "platform: ARM64  # fsd: ignore[vpc-disable]", **CLEAN)

    assert found(text) == [("unknown-suppression", 10)]


def test_lint__manifest_with_errors__the_sound_part_is_checked_too() -> None:
    text = manifest(LOGS + "port: 99999\nnetworking: {vpc: false}", **CLEAN)

    assert found(text) == [("vpc-disabled", 11)]


@pytest.mark.parametrize(
    "service",
    [
        "resources: {cpu: abc, memory: 4097}",
        "resources: {desiredCount: x, minCapacity: 5, maxCapacity: 3}",
        "healthCheck: {interval: 5, timeout: x}",
        "observability: {logs: {retention: x}}",
        "networking: 5",
    ],
)
def test_lint__finding_that_rests_on_a_wrong_value__left_out(service: str) -> None:
    text = manifest(service, **CLEAN)

    ids = {id_ for id_, _ in found(text)} - {"log-retention-missing"}

    assert ids == set()


@pytest.mark.parametrize(
    ("comment", "expected"),
    [("", ["unused-override"]), ("# fsd: ignore[unused-override] for the other service", [])],
)
def test_lint__ignore_comment_in_the_environments_file__holds_there(
    comment: str, expected: list[str]
) -> None:
    text = (
        "metadata: {name: dev}\n"
        f"spec: {{overrides: {{resources.cpu: 512, networking.vpc: true}}}} {comment}\n"
    )
    loaded = load_manifest(
        manifest(LOGS, **CLEAN),
        path="service.yml",
        environment_overrides={"resources.cpu": "512"},
        environment_document=find_document(text, path="environments.yml", name="dev"),
    )

    assert [finding.id for finding in lint(loaded, "dev")] == expected


def test_lint__override__the_finding_points_at_it() -> None:
    loaded = load_manifest(
        manifest(LOGS, **CLEAN), path="service.yml", overrides=["networking.vpc=false"]
    )

    (finding,) = lint(loaded, None)

    assert finding.where == "--override networking.vpc=false"


def test_lint__nothing_sound__nothing() -> None:
    assert lint(load_manifest("", path="service.yml"), None) == ()


@given(
    st.integers(0, len(KAFKA_CONSUMER)),
    st.integers(0, 40),
    st.text("\t\n -:{}[]'\"&*$abc0", max_size=6),
    st.dictionaries(
        st.sampled_from([dotted(place) for place in places(Manifest)]),
        st.sampled_from([None, "0", "1", "300", "abc", "null", "[]", "{}", "a:", "${ENV}", "*"]),
        max_size=3,
    ),
)
def test_lint__damaged_text_and_wild_overrides__findings_but_never_an_exception(
    start: int, length: int, text: str, overrides: dict[str, OverrideValue]
) -> None:
    loaded = load_manifest(
        KAFKA_CONSUMER[:start] + text + KAFKA_CONSUMER[start + length :],
        path="service.yml",
        environment_overrides=overrides,
    )
    environment = Environment(name="prod", overrides=overrides)

    findings = lint(loaded, "prod", environments=[environment], today=date(2090, 1, 1))

    assert all(finding.message and finding.fix for finding in findings)
